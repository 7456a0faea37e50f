//! Wall clocks that jump: nothing that is decided moves, and the jump is told.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ecmo_testkit::EmbeddedBroker;

use crate::ward::Listener;

const PROGRAM: &str = env!("CARGO_BIN_EXE_ecmo-agent");

/// Where Debian keeps it.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

const HOUR_NS: i64 = 3_600_000_000_000;

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Sets the wall clock of the program.
fn set(clock: &Path, offset: &str) {
    // In one step, so that no half-written offset is read.
    let new = clock.with_extension("new");
    std::fs::write(&new, offset).unwrap();
    std::fs::rename(new, clock).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs libfaketime; cargo xtask ci runs it"]
async fn fault_f19_a_stepped_wall_clock_is_told_and_moves_no_frame() {
    assert!(Path::new(FAKETIME).exists(), "install it (Debian: apt-get install faketime)");
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let folder = tempfile::tempdir().unwrap();
    let (settings, clock) = (folder.path().join("agent.toml"), folder.path().join("clock"));
    let mut file = std::fs::File::create(&settings).unwrap();
    let text = "ward = \"w\"\npump = \"p\"\n[[source]]\nkind = \"simulated\"\n";
    write!(file, "broker = \"mqtt://{}\"\n{text}", broker.addr()).unwrap();
    set(&clock, "+0");
    let _program = Program(
        Command::new(PROGRAM)
            .args(["run", "--config", settings.to_str().unwrap()])
            .env("LD_PRELOAD", FAKETIME)
            .env("FAKETIME_TIMESTAMP_FILE", &clock)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    listener.await_frames(50).await;
    let mut steps = Vec::new();
    for (offset, expected) in [("+3600", HOUR_NS), ("-3600", -2 * HOUR_NS)] {
        set(&clock, offset);
        let wall_clock = listener
            .await_that("the step", |listener| {
                let told = listener.heartbeats().pop().and_then(|beat| beat.wall_clock);
                let told = told.ok_or_else(String::new)?;
                if told.steps > steps.len() as u64 { Ok(told) } else { Err(format!("{told:?}")) }
            })
            .await;
        let off = (wall_clock.last_step_ns - expected).abs();
        assert!(off < 1_000_000_000, "{wall_clock:?}");
        steps.push(wall_clock.steps);
        let before = listener.frames().len();
        listener.await_frames(before + 50).await;
    }
    assert_eq!(steps, [1, 2]);

    let frames = listener.frames();
    assert!((0..).zip(&frames).all(|(expected, frame)| frame.sequence == expected));
    assert!(frames.windows(2).all(|pair| pair[0].start_mono_ns <= pair[1].start_mono_ns));
    let wait = |frame: &ecmo_proto::v1::Frame| frame.publish_mono_ns - frame.start_mono_ns;
    assert!(frames.iter().all(|frame| wait(frame) < 1_000_000_000), "ages are of one clock");
    let walls = || frames.iter().map(|frame| frame.publish_wall_ns);
    assert!(walls().max().unwrap() - walls().min().unwrap() > HOUR_NS, "the label did jump");
    assert_eq!(listener.births().len(), 1, "no connection was lost by it");
}
