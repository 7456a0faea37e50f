//! The alarm at the bedside, by the real program: it sounds when no gateway comes, and nothing that hangs holds it up.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use ecmo_testkit::{EmbeddedBroker, eventually_sync};

use crate::ward::{Listener, SOON};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ecmo-agent");

/// Ends the program when dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _status = self.0.wait();
    }
}

/// Runs an agent whose simulated pump stops after 2 s; `local` are the keys of its `[local_alarm]`.
fn run(folder: &Path, broker: std::net::SocketAddr, local: &str) -> Killed {
    let file = folder.join("agent.toml");
    let text = format!(
        "ward = \"w\"\npump = \"p\"\nbroker = \"mqtt://{broker}\"\n[local_alarm]\n{local}\n\
         [[source]]\nkind = \"simulated\"\nfaults = [{{ kind = \"pump-stop\", at_s = 2 }}]\n"
    );
    std::fs::write(&file, text).unwrap();
    let child = Command::new(PROGRAM)
        .args(["run", "--config", file.to_str().unwrap()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Killed(child)
}

/// A script that appends what it is told to a file, and what else it does.
fn script(log: &Path, then: &str) -> String {
    let words = "$ECMO_ALARM_STATE $ECMO_ALARM_PRIORITY $ECMO_ALARM_CONDITION $ECMO_PUMP";
    format!("command = [\"/bin/sh\", \"-c\", \"echo {words} >> {}; {then}\"]", log.display())
}

fn await_line(log: &Path, line: &str) {
    eventually_sync(SOON * 2, line, || {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        if text.lines().any(|one| one == line) { Ok(()) } else { Err(text) }
    })
    .unwrap();
}

#[test]
fn an_agent_that_no_gateway_ever_leased_alarms_after_its_grace() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let local = format!("grace_s = 1\nunattended = \"medium\"\n{}", script(&log, "true"));
    let _agent = run(folder.path(), broker.addr(), &local);
    await_line(&log, "sounding high pump.stop w/p");
    let text = std::fs::read_to_string(&log).unwrap();
    assert_eq!(text.lines().next(), Some("sounding medium local.unattended w/p"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_hangs_holds_up_neither_the_stream_nor_what_is_more_urgent() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let hangs = script(&log, "exec sleep 1000");
    let local = format!("grace_s = 0\ncommand_timeout_s = 900\n{hangs}");
    let _agent = run(folder.path(), broker.addr(), &local);
    await_line(&log, "sounding low local.unattended w/p");
    await_line(&log, "sounding high pump.stop w/p");
    let before = listener.frames().len();
    let frames = listener.await_frames(before + 50).await;
    assert!((0..).zip(&frames).all(|(expected, frame)| frame.sequence == expected), "no gap");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_birth_names_the_rules_that_the_agent_runs_and_none_where_it_runs_none() {
    let broker = EmbeddedBroker::start(None).unwrap();
    for (local, hash) in
        [("", ecmo_profile::starter().hash.to_be_bytes().to_vec()), ("enabled = false", Vec::new())]
    {
        let listener = Listener::start(broker.addr()).await;
        let folder = tempfile::tempdir().unwrap();
        let _agent = run(folder.path(), broker.addr(), local);
        let frames = listener.await_frames(1).await;
        let boot = frames[0].boot_id;
        let births = listener.births();
        let birth = births.iter().find(|birth| birth.boot_id == boot).unwrap();
        assert_eq!(birth.rule_hash, hash);
    }
}

#[test]
fn a_profile_that_is_wrong_is_refused_before_anything_is_sampled() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("site.toml"), "nonsense = 1\n").unwrap();
    let broker = "127.0.0.1:9".parse().unwrap();
    let mut agent = run(folder.path(), broker, "profile = \"site.toml\"");
    let code = eventually_sync(SOON, "the end", || agent.0.try_wait().unwrap()).unwrap();
    assert_eq!(code.code(), Some(2));
}
