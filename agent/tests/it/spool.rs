//! The program and its spool: what a killed agent leaves on disk, and what the command tells of it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use ecmo_testkit::EmbeddedBroker;

use crate::ward::Listener;

const PROGRAM: &str = env!("CARGO_BIN_EXE_ecmo-agent");

fn spool(config: &Path, words: &[&str]) -> Output {
    let config = config.to_str().unwrap();
    Command::new(PROGRAM).args(["spool", "--config", config]).args(words).output().unwrap()
}

fn text(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_agent_leaves_its_frames_and_the_command_tells_and_exports_them() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("agent.toml");
    let source = "[[source]]\nkind = \"simulated\"\n[spool]\ndir = \"spool\"\n";
    let head = format!("ward = \"w\"\npump = \"p\"\nbroker = \"mqtt://{}\"\n", broker.addr());
    std::fs::write(&config, format!("{head}{source}")).unwrap();
    for run in 1..=2 {
        let listener = Listener::start(broker.addr()).await;
        let mut child = Command::new(PROGRAM)
            .args(["run", "--config", config.to_str().unwrap()])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let frames = listener.await_frames(60).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let boot = frames[0].boot_id;
        let birth = listener.births().into_iter().find(|birth| birth.boot_id == boot).unwrap();
        assert_eq!(birth.boot_number, run);
        // The newest run stands first; every frame that a broker had is on disk as well, but for those in the last queue.
        let extent = text(&spool(&config, &["extent"]));
        let line = extent.lines().nth(2).unwrap().to_owned();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(
            (words[0], words[1]),
            (format!("{boot:016x}").as_str(), run.to_string().as_str())
        );
        let last = frames.iter().map(|frame| frame.sequence).max().unwrap();
        assert!(words[3].parse::<u64>().unwrap() + 2 > last, "{line}, {last}");
    }
    assert!(text(&spool(&config, &["verify"])).contains(" 0 damaged"));
    assert_eq!(text(&spool(&config, &["gaps"])).lines().count(), 1);
    let file = folder.path().join("out.csv");
    text(&spool(&config, &["export", file.to_str().unwrap()]));

    // A replay source reads what was exported.
    let replay = format!("{head}[[source]]\nkind = \"replay\"\nfile = \"out.csv\"\n");
    std::fs::write(&config, replay).unwrap();
    let check = Command::new(PROGRAM)
        .args(["check", "--config", config.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(text(&check).contains("press.drain"));
}
