//! What the service manager and Prometheus are told: readiness, signs of life, silence when sampling hangs, metrics.

use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use ecmo_agent::sampler::Lineup;
use ecmo_agent::sensor::{Batch, Channel, Sensor, SourceKind};
use ecmo_agent::{Manager, RunError, Summary};
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;
use ecmo_core::time::SampleTime;
use ecmo_testkit::{EmbeddedBroker, eventually_sync};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::ward::{Listener, SOON, simulated};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ecmo-agent");

/// What the manager waits for a sign of life.
const WATCHDOG: Duration = Duration::from_secs(1);

/// A service manager: a socket that hears.
struct Systemd {
    socket: UnixDatagram,
    folder: tempfile::TempDir,
}

impl Systemd {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        Self { socket, folder }
    }

    fn address(&self) -> std::path::PathBuf {
        self.folder.path().join("notify")
    }

    /// The next message; `None` when none comes for so long.
    fn hear(&self, patience: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(patience)).unwrap();
        let mut heard = [0; 1000];
        let length = self.socket.recv(&mut heard).ok()?;
        Some(String::from_utf8(heard[..length].to_vec()).unwrap())
    }

    /// Hears until a message has these words.
    fn await_words(&self, words: &str) -> String {
        eventually_sync(SOON, words, || self.hear(SOON).filter(|heard| heard.contains(words)))
            .unwrap()
    }
}

/// A sensor that blocks on request, as none may.
struct Blocking {
    channels: Vec<Channel>,
    block: mpsc::Receiver<mpsc::Receiver<()>>,
}

impl Sensor for Blocking {
    fn device(&self) -> &str {
        "blocking"
    }

    fn source(&self) -> SourceKind {
        SourceKind::Simulated
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn poll(&mut self, now: SampleTime, out: &mut Batch) {
        if let Ok(until) = self.block.try_recv() {
            // Until the test lets go by dropping the other end.
            until.recv().unwrap_err();
        }
        out.push(0, now, Reading::Value(1.0));
    }
}

/// An agent with such a sensor, told on by a manager.
struct Agent {
    block: mpsc::SyncSender<mpsc::Receiver<()>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<Summary, RunError>>,
}

impl Agent {
    fn start(systemd: &Systemd, broker: SocketAddr) -> Self {
        let (block, blocked) = mpsc::sync_channel(1);
        let channels = vec![Channel::new(Parameter::FlowBlood, 100.0, 0.1)];
        let lineup = Lineup::new(vec![Box::new(Blocking { channels, block: blocked })]).unwrap();
        let manager = Manager::at(systemd.address().as_os_str(), Some(WATCHDOG)).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let until = async {
            let _either_way = stopped.await;
        };
        let settings = simulated("p1", broker);
        let task = tokio::spawn(ecmo_agent::run_lineup(settings, lineup, manager, until));
        Self { block, stop, task }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_f03_a_sensor_that_blocks_starves_the_watchdog_and_one_that_goes_on_feeds_it() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let systemd = Systemd::start();
    let agent = Agent::start(&systemd, broker.addr());
    assert!(systemd.await_words("READY=1").contains("STATUS=sampling nicu/p1"));
    for _sign in 0..5 {
        systemd.await_words("WATCHDOG=1");
    }

    let (go_on, until) = mpsc::sync_channel(1);
    agent.block.send(until).unwrap();
    // Signs of life that were sent before are heard first; then there is silence, and systemd would start the agent anew.
    let before: Vec<_> = (0..50).map_while(|_message| systemd.hear(2 * WATCHDOG)).collect();
    assert!(before.len() < 50, "still fed: {before:?}");
    let last = before.last().unwrap();
    assert!(last.contains("STATUS=no progress") && !last.contains("WATCHDOG"), "{before:?}");

    drop(go_on);
    assert!(systemd.await_words("STATUS=sampling nicu/p1").contains("WATCHDOG=1"));
    agent.stop.send(()).unwrap();
    systemd.await_words("STOPPING=1");
    agent.task.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_whose_sensor_blocks_still_ends_when_it_is_told_and_leaves_its_will() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let systemd = Systemd::start();
    let agent = Agent::start(&systemd, broker.addr());
    listener.await_frames(5).await;
    let (_go_on, until) = mpsc::sync_channel(1);
    agent.block.send(until).unwrap();
    systemd.await_words("STATUS=no progress");
    agent.stop.send(()).unwrap();
    let end = tokio::time::timeout(SOON, agent.task).await.expect("it ends").unwrap();
    assert!(matches!(end, Err(RunError::Stuck)), "{end:?}");
    // No goodbye for a pump that is not seen: the broker says that the agent is gone.
    listener.await_state(ecmo_proto::v1::AgentState::Offline).await;
}

/// The program, ended when the test ends.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _or_ended = self.0.kill();
        let _or_ended = self.0.wait();
    }
}

/// The program with a simulated pump and more settings.
fn start(broker: SocketAddr, more: &str, systemd: &Systemd) -> (Program, tempfile::NamedTempFile) {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    write!(file, "ward = \"w\"\npump = \"p\"\nbroker = \"mqtt://{broker}\"\n{more}").unwrap();
    writeln!(file, "[[source]]\nkind = \"simulated\"").unwrap();
    let program = Command::new(PROGRAM)
        .args(["run", "--config", file.path().to_str().unwrap()])
        .env("NOTIFY_SOCKET", systemd.address())
        .env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    (Program(program), file)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_tells_systemd_that_it_is_ready_goes_on_and_stops() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let systemd = Systemd::start();
    let (program, _settings) = start(broker.addr(), "", &systemd);
    assert!(systemd.await_words("READY=1").contains("sampling w/p"));
    systemd.await_words("WATCHDOG=1");
    let pid = rustix::process::Pid::from_child(&program.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    systemd.await_words("STOPPING=1");
}

/// What the port of the metrics answers.
async fn ask(port: u16, request: &str) -> Option<String> {
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    stream.write_all(format!("{request}\r\nhost: a\r\n\r\n").as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    Some(answer)
}

/// A program that tells metrics once it has sampled, and what it tells.
async fn metrics_of(more: &str) -> (Program, u16, String) {
    let broker = EmbeddedBroker::start(None).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let systemd = Systemd::start();
    let more = format!("metrics.bind = \"127.0.0.1:{port}\"\n{more}");
    let (program, _settings) = start(broker.addr(), &more, &systemd);
    systemd.await_words("READY=1");
    let answer = ask(port, "GET /metrics HTTP/1.1").await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("version=0.0.4"), "{head}");
    (program, port, body.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_tell_pace_samples_and_overruns_on_the_machine_itself() {
    let (_program, port, text) = metrics_of("sampling.tick_us = 1000\n").await;
    let value = |series: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {series} in:\n{text}")).parse().unwrap()
    };
    assert!(value("ecmo_agent_samples_total") > 0.0);
    assert!(value("ecmo_agent_sample_overruns_total").abs() < 0.5);
    assert!(value("ecmo_agent_sample_ticks_missed_total") >= 0.0);
    let ticks = value("ecmo_agent_sample_ticks_total");
    let counted = value("ecmo_agent_sample_jitter_seconds_count");
    // A tick may begin between the two looks.
    assert!((ticks - counted).abs() <= 2.0, "{ticks} {counted}");
    let refused = ask(port, "GET / HTTP/1.1").await.unwrap();
    assert!(refused.starts_with("HTTP/1.1 404") && refused.contains("GET /metrics"), "{refused}");
    assert!(ask(port, "POST /metrics HTTP/1.1").await.unwrap().starts_with("HTTP/1.1 405"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs promtool; cargo xtask ci runs it"]
async fn promtool_finds_nothing_to_complain_about_in_the_agents_metrics() {
    let (_program, _port, text) = metrics_of("").await;
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = promtool.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&said.stdout) + String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && words.trim().is_empty(), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn birth_tells_the_pace_of_sampling() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = crate::ward::Agent::start(simulated("p1", broker.addr()));
    listener.await_frames(1).await;
    let sampling = listener.births()[0].sampling.clone().unwrap();
    assert_eq!((sampling.tick_us, sampling.lateness.len()), (10_000, 12));
    assert!(!sampling.realtime && sampling.limitation.contains("measured samples"));
    agent.stop().await;
}

#[test]
fn check_tells_what_the_system_does_not_permit() {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    write!(
        file,
        "ward = \"w\"\npump = \"p\"\nbroker = \"mqtt://127.0.0.1:9\"\n[sampling]\ncpu = 1000\n\
         tick_us = 2000\n[[source]]\nkind = \"simulated\"\n"
    )
    .unwrap();
    let arguments = ["check", "--config", file.path().to_str().unwrap()];
    let output = Command::new(PROGRAM).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("every 2000 us, real-time priority no, memory locked no"), "{text}");
    assert!(text.contains("not pinned to processor 1000"), "{text}");
}

#[test]
fn the_unit_of_systemd_grants_what_the_agent_asks_for_and_watches_it() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/systemd/ecmo-agent@.service");
    let unit = std::fs::read_to_string(path).unwrap();
    for line in [
        "Type=notify",
        "WatchdogSec=1500ms",
        "Restart=always",
        "LimitRTPRIO=50",
        "LimitMEMLOCK=infinity",
    ] {
        assert!(unit.lines().any(|each| each == line), "{line}");
    }
}
