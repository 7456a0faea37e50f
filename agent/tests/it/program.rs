//! The program: arguments, exit codes, signals.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use ecmo_proto::v1::AgentState;
use ecmo_testkit::{EmbeddedBroker, eventually_sync};

use crate::ward::{Listener, SOON};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ecmo-agent");

fn agent(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/config").join(name)
}

fn settings(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[test]
fn check_prints_what_would_be_sampled() {
    for (name, words) in [
        ("agent-simulated.toml", ["press.drain", "100.0000 Hz", "on change"]),
        ("agent-replay.toml", ["pt.abp", "125.0000 Hz", "recording abp-125hz-10min.csv"]),
        ("agent-emtec.toml", ["flow.blood", "10.0000 Hz", "em-tec BioProTT on /dev/ttyUSB0"]),
        ("agent-cdi550.toml", ["sat.drain", "0.1667 Hz", "9600 baud 8N1"]),
    ] {
        let output = agent(&["check", "--config", example(name).to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        for word in words {
            assert!(text.contains(word), "{name}: {word}: {text}");
        }
    }
}

#[test]
fn check_and_sensors_tell_ports_rights_and_converters_of_a_constructed_machine() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    let pty = ecmo_testkit::Pty::open().unwrap();
    for folder in ["dev/serial/by-id", "sys/bus/iio/devices/iio:device1"] {
        std::fs::create_dir_all(path(folder)).unwrap();
    }
    std::os::unix::fs::symlink(pty.path(), path("dev/serial/by-id/usb-Meter")).unwrap();
    std::fs::write(path("sys/bus/iio/devices/iio:device1/name"), "ads1115\n").unwrap();
    std::fs::write(path("sys/bus/iio/devices/iio:device1/in_voltage2_raw"), "1\n").unwrap();
    let file = settings(
        "ward = \"w\"\npump = \"p\"\nbroker = \"mqtt://127.0.0.1:9\"\n\
         [[source]]\nkind = \"emtec\"\nport = \"/dev/serial/by-id/usb-Meter\"\n\
         [[source]]\nkind = \"cdi\"\nport = \"/dev/ttyUSB5\"\nmode = \"packet\"\n",
    );
    let (config, root) = (file.path().to_str().unwrap(), root.path().to_str().unwrap());
    for command in ["check", "sensors"] {
        let output = agent(&[command, "--config", config, "--root", root]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        for words in [
            "/dev/serial/by-id/usb-Meter, 38400 baud 8N1\n         opens\n",
            "may be sent: nothing",
            "/dev/ttyUSB5, 9600 baud 8N1\n         not there",
        ] {
            assert!(text.contains(words), "{command}: {words}: {text}");
        }
        assert_eq!(text.contains("iio:device1 ads1115: voltage2"), command == "sensors");
        assert_eq!(text.contains("(0 to 100)"), command == "check");
    }
    assert_eq!(pty.try_read(10).unwrap(), None, "nothing was sent");
    let empty = tempfile::tempdir().unwrap();
    let output = agent(&["sensors", "--root", empty.path().to_str().unwrap()]);
    assert!(String::from_utf8(output.stdout).unwrap().contains("plug in the adapter"));
}

#[test]
fn wrong_settings_end_with_2_and_say_file_line_and_what_to_do() {
    let head = "ward = \"w\"\npump = \"p\"\nbroker = \"mqtt://127.0.0.1:9\"\n";
    let replay = "[[source]]\nkind = \"replay\"\nfile = \"gone.csv\"\nrate_hz = 1\n";
    for (text, words) in [
        (format!("{head}foo = 1\n"), ":4: unknown key \"foo\""),
        (format!("{head}{replay}"), "gone.csv: check the path"),
    ] {
        let file = settings(&text);
        for command in ["check", "run"] {
            let output = agent(&[command, "--config", file.path().to_str().unwrap()]);
            assert_eq!(output.status.code(), Some(2), "{output:?}");
            let error = String::from_utf8(output.stderr).unwrap();
            assert!(error.contains(words), "{error}");
            assert!(output.stdout.is_empty());
        }
    }
    assert_eq!(agent(&["run", "--config", "/nowhere.toml"]).status.code(), Some(2));
    assert_eq!(agent(&["dance"]).status.code(), Some(2));
}

fn wait(child: &mut Child) -> std::process::ExitStatus {
    eventually_sync(SOON, "the end of the program", || child.try_wait().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_stops_the_program_and_kill_leaves_the_will() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let file = settings(&format!(
        "ward = \"w\"\npump = \"p\"\nbroker = \"mqtt://{}\"\n[[source]]\nkind = \"simulated\"\n",
        broker.addr()
    ));
    for (signal, state, code) in [
        (rustix::process::Signal::TERM, AgentState::Stopped, Some(0)),
        (rustix::process::Signal::INT, AgentState::Stopped, Some(0)),
        (rustix::process::Signal::KILL, AgentState::Offline, None),
    ] {
        let listener = Listener::start(broker.addr()).await;
        let mut child = Command::new(PROGRAM)
            .args(["run", "--config", file.path().to_str().unwrap()])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let frames = listener.await_frames(10).await;
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, signal).unwrap();
        assert_eq!(wait(&mut child).code(), code, "{signal:?}");
        // The broker keeps the status of the run before: the one of this run is the last.
        listener
            .await_that("the last status", |listener| {
                let boot = frames[0].boot_id;
                let is_of_boot = listener.births().iter().any(|birth| birth.boot_id == boot);
                let last = listener.states().pop();
                if is_of_boot && last == Some(state) { Ok(()) } else { Err(format!("{last:?}")) }
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_nobody_reads_does_not_stop_sampling() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let file = settings(&format!(
        "ward = \"w\"\npump = \"p\"\nbroker = \"mqtt://{}\"\n[[source]]\nkind = \"simulated\"\n",
        broker.addr()
    ));
    // A pipe that is full before the program begins: the first line of its log would wait for ever.
    let (_unread, mut full) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&full, true).unwrap();
    while full.write(&[0; 4096]).is_ok() {}
    rustix::io::ioctl_fionbio(&full, false).unwrap();
    let mut child = Command::new(PROGRAM)
        .args(["run", "--config", file.path().to_str().unwrap()])
        .stderr(full)
        .spawn()
        .unwrap();
    listener.await_frames(100).await;
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    listener.await_state(AgentState::Stopped).await;
    assert_eq!(wait(&mut child).code(), Some(0));
}
