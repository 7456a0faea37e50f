//! The same through Mosquitto, which is not ours, to `ecmoctl`, which is a process of its own.
#![cfg(test)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use ecmo_agent::Settings as AgentSettings;
use ecmo_agent::config::{AtEnd, EmtecSettings, PortAddress, Rate, ReplaySettings, SourceSettings};
use ecmo_gateway::Gateway;
use ecmo_gateway::config::Settings;
use ecmo_proto::v1;
use ecmo_testkit::{Mosquitto, Pty};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::time::timeout;

use crate::bedside::{RunningAgent, simulated};
use crate::display::{AlarmLog, Display, PROMISE, SOON};
use crate::hand::address;
use crate::held_up::Since;
use crate::site::Site;

/// Reads its broker by URL, as a site writes it.
async fn gateway_at(broker: &Mosquitto) -> Site {
    let text = format!(
        "[broker]\nurl = \"mqtt://{}\"\n[serve]\nbind = \"127.0.0.1:0\"\n[metrics]\nbind = \"127.0.0.1:0\"\n",
        broker.addr()
    );
    let settings = Settings::parse("test.toml", &text).unwrap();
    let gateway = Gateway::start(&settings).await.unwrap();
    let display = Display::connect(gateway.address()).await;
    let site = Site { gateway, display };
    site.await_ready().await;
    site
}

/// The display's binary; made when it is not there.
pub(crate) fn ecmoctl() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let folder = test.parent().and_then(Path::parent).unwrap();
        let profile = folder.file_name().and_then(|name| name.to_str()).unwrap();
        let profile = if profile == "debug" { "dev" } else { profile };
        // Beside it may lie an old one: cargo knows, and takes no time when it is new.
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "ecmoctl", "--profile", profile]);
        let built = build.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
        assert!(built.success(), "ecmoctl is not built");
        let program = folder.join("ecmoctl");
        assert!(program.is_file(), "{} is missing", program.display());
        program
    })
}

/// `ecmoctl stream`, line by line.
struct Stream {
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Stream {
    async fn start(site: &Site, pump: &str) -> Self {
        let program = tokio::task::spawn_blocking(ecmoctl).await.unwrap();
        let mut process = tokio::process::Command::new(program)
            .arg("--gateway")
            .arg(format!("http://{}", site.gateway.address()))
            .args(["--output", "json", "stream", pump, "--waveforms", "--interval", "50"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { lines, _process: process }
    }

    /// Waits for an object that fits.
    async fn line(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let found = timeout(SOON, async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                last = serde_json::from_str(&line).unwrap();
                if is_it(&last) {
                    return;
                }
            }
            panic!("ecmoctl has ended before {what}");
        });
        assert!(found.await.is_ok(), "no {what}; the last line: {last:#}");
        last
    }

    /// Waits until the reading is shown so.
    async fn reading(&mut self, parameter: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let of = |line: &Value| {
            let readings = line["readings"].as_array().cloned().unwrap_or_default();
            readings.into_iter().find(|reading| reading["parameter"] == parameter)
        };
        let fits = |line: &Value| line["type"] == "pump" && of(line).is_some_and(|it| is_it(&it));
        of(&self.line(parameter, fits).await).unwrap()
    }
}

fn is_value(reading: &Value, expected: f64) -> bool {
    reading["value"].as_f64().is_some_and(|value| (value - expected).abs() < 0.01)
}

fn agent(broker: &Mosquitto, source: SourceSettings) -> RunningAgent {
    let url = format!("mqtt://{}", broker.addr()).parse().unwrap();
    RunningAgent::start(AgentSettings::new(address("p1"), url, source))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn a_real_recording_arrives_at_ecmoctl() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../agent/records/abp-125hz-10min.csv");
    let text = std::fs::read_to_string(&file).unwrap();
    let in_file: Vec<f64> = text.lines().filter_map(|line| line.parse().ok()).collect();
    assert!(in_file.len() > 70_000);
    let broker = Mosquitto::start().unwrap();
    let site = gateway_at(&broker).await;
    let rate = Some(Rate::try_from(125.0).unwrap());
    let replay = ReplaySettings { file, rate, speed: None, at_end: AtEnd::Loop };
    let agent = agent(&broker, SourceSettings::Replay(replay));
    site.display.await_live("p1").await;
    let mut stream = Stream::start(&site, "p1").await;
    let reading = stream.reading("pt.abp", |it| it["value"].is_number()).await;
    assert_eq!(reading["unit"], "mm[Hg]");
    let shown = reading["value"].as_f64().unwrap();
    let begun = &in_file[..125 * 60];
    assert!(begun.iter().any(|value| (value - shown).abs() < 0.01), "{shown} is in the recording");
    // A whole second of it: 125 samples, between the least and the greatest of the recording's first minute.
    let is_whole = |line: &Value| line["type"] == "waveform" && line["samples"] == 125;
    let second = stream.line("a whole second", is_whole).await;
    assert_eq!((&second["parameter"], &second["invalid"]), (&"pt.abp".into(), &0.into()));
    let bounds = begun
        .iter()
        .copied()
        .fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    for key in ["min", "mean", "max"] {
        let number = second[key].as_f64().unwrap();
        assert!((bounds.0 - 0.01..=bounds.1 + 0.01).contains(&number), "{key} of {second:#}");
    }
    let pump = site.display.pump("p1").await.unwrap();
    assert_eq!(pump.source(), v1::SourceKind::Replayed);
    assert_eq!(pump.counters.unwrap().frames_missing, 0);
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn a_flow_meter_on_a_serial_line_arrives_at_ecmoctl() {
    let broker = Mosquitto::start().unwrap();
    let site = gateway_at(&broker).await;
    let pty = Pty::open().unwrap();
    let meter = EmtecSettings { port: PortAddress::Serial(pty.path().to_owned()) };
    let agent = agent(&broker, SourceSettings::Emtec(meter));
    site.display.await_live("p1").await;
    let mut stream = Stream::start(&site, "p1").await;
    // The device speaks ten times a second: flow, one sensor that is off, flow again, and then no more.
    pty.write(b"\r\n").await.unwrap();
    for (line, is_shown) in [
        ("00 00 100 0.99 431 430 429 +41\r\n", 431.0),
        ("00 00 100 0.99 -45 430 429 +41\r\n", -45.0),
    ] {
        let speak = async {
            let mut tenths = tokio::time::interval(Duration::from_millis(100));
            loop {
                tenths.tick().await;
                pty.write(line.as_bytes()).await.unwrap();
            }
        };
        tokio::select! {
            () = speak => {}
            reading = stream.reading("flow.blood", |it| is_value(it, is_shown)) => {
                assert_eq!(reading["unit"], "mL/min");
            }
        }
    }
    // A probe that is pulled off is no flow of zero.
    pty.write(b"00 E0 --- ---- ------- ------- ------- +35\r\n").await.unwrap();
    let off = stream.reading("flow.blood", |it| it["validity"] == "sensor_off").await;
    assert_eq!(off["value"], Value::Null);
    assert!(
        (off["last_value"].as_f64().unwrap() + 45.0).abs() < 0.01
            && off["last_value_age_ms"].is_number()
    );
    let is_alarm = |line: &Value| line["condition"] == "sensor.fault.flow.blood";
    stream.line("the alarm", is_alarm).await;
    agent.stop().await;
    // The agent has not sent a single byte to the device.
    assert_eq!(pty.try_read(100).unwrap(), None);
}

/// The broker is there, and then not: the pump is alarmed within the promise, then the broker, and both end when it is
/// there again.
async fn is_noticed_and_recovers(
    broker: &mut Mosquitto,
    lose: fn(&mut Mosquitto) -> anyhow::Result<()>,
    bring_back: fn(&mut Mosquitto) -> anyhow::Result<()>,
) {
    let site = gateway_at(broker).await;
    let agent = RunningAgent::start(simulated("p1", broker.addr()));
    site.display.await_live("p1").await;
    let log: AlarmLog = site.display.watch_alarms().await;
    lose(broker).unwrap();
    let lost = Since::now();
    let (told, stale) = log.raised("p1", "comm.stale").await;
    lost.is_within(PROMISE, told, "comm.stale");
    assert_eq!(stale.kind(), v1::AlarmKind::Technical);
    // The alarm comes first, the view right after it.
    let holds_nothing = |pump: &v1::Pump| pump.readings.iter().all(|it| it.value.is_none());
    site.display.await_pump("p1", "withdrawn", holds_nothing).await;
    // A broker that froze is known by a ping without an answer, later than by the silence of its pumps.
    log.raised("", "comm.broker").await;
    bring_back(broker).unwrap();
    log.ended("", "comm.broker").await;
    log.ended("p1", "comm.stale").await;
    site.display.await_live("p1").await;
    assert_eq!(site.display.list_alarms().await, []);
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn a_mosquitto_that_is_killed_is_noticed_within_a_second_and_found_again() {
    let mut broker = Mosquitto::start().unwrap();
    is_noticed_and_recovers(&mut broker, Mosquitto::kill, Mosquitto::restart).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn a_mosquitto_that_freezes_is_noticed_within_a_second_and_found_again() {
    let mut broker = Mosquitto::start().unwrap();
    is_noticed_and_recovers(&mut broker, Mosquitto::freeze, Mosquitto::thaw).await;
}
