//! Tables of samples between programs: recorded, replayed, and read from socat over TCP and a FIFO.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ecmo_agent::sensor::recording::Recording;
use ecmo_agent::{Settings, clock, sensor};
use ecmo_core::reading::{NoData, Reading};
use ecmo_proto::v1::{AgentState, SourceKind, Validity};
use ecmo_testkit::{EmbeddedBroker, eventually_sync};

use crate::ward::{Listener, SOON, samples};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ecmo-agent");

struct Program(Child);

impl Program {
    fn start(program: &str, arguments: &[&str]) -> Self {
        let child = Command::new(program).args(arguments).stderr(Stdio::null()).spawn();
        Self(child.unwrap_or_else(|error| panic!("{program}: {error}")))
    }

    fn await_end(&mut self) -> Option<i32> {
        let end = || self.0.try_wait().unwrap().ok_or("it runs");
        eventually_sync(SOON, "the end of the program", end).unwrap().code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_recorded_is_replayed_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (config, table) = (folder.path().join("agent.toml"), folder.path().join("table.csv"));
    let text = "ward = \"w\"\npump = \"p\"\nbroker = \"mqtt://127.0.0.1:9\"\n[[source]]\nkind = \"simulated\"\n";
    std::fs::write(&config, text).unwrap();
    let (config, file) = (config.to_str().unwrap(), table.to_str().unwrap());
    let mut recorder = Program::start(PROGRAM, &["record", file, "--config", config]);
    eventually_sync(SOON, "rows on the disk", || {
        let rows = std::fs::read_to_string(&table).map_or(0, |text| text.lines().count());
        if rows > 100 { Ok(()) } else { Err(rows) }
    })
    .unwrap();
    let pid = rustix::process::Pid::from_child(&recorder.0);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(recorder.await_end(), Some(0));
    let recorded = Recording::load(Path::new(file)).unwrap();
    assert!(recorded.len() > 200, "the rows that waited are written too: {}", recorded.len());
    let mut again = Program::start(PROGRAM, &["record", file, "--config", config]);
    assert_eq!(again.await_end(), Some(2), "a table is never overwritten");

    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let url = format!("mqtt://{}", broker.addr());
    let arguments =
        ["replay", file, "--broker", &url, "--ward", "nicu", "--pump", "p1", "--speed", "4"];
    let mut player = Program::start(PROGRAM, &arguments);
    listener.await_state(AgentState::Stopped).await;
    assert_eq!(player.await_end(), Some(0), "it ends with the recording");
    let birth = listener.births().remove(0);
    assert_eq!(birth.source(), SourceKind::Replayed);
    for (number, column) in recorded.columns.iter().enumerate() {
        let cells = (0..recorded.len()).filter_map(|row| recorded.row(row).unwrap()[number]);
        let heard = samples(&listener.frames(), &birth, column.parameter.info().id);
        let mut heard = heard.iter();
        for reading in cells {
            let sample = heard.next().unwrap();
            let value = reading.value().map_or(0.0, f64::from);
            assert!((sample.value - value).abs() < 1e-3, "{column:?}: {sample:?} {reading:?}");
            let is_value = matches!(sample.validity, Validity::Valid | Validity::Questionable);
            assert_eq!(is_value, reading.value().is_some());
        }
    }
}

/// Polls a line source until it said what is awaited.
fn await_reading(sensor: &mut dyn sensor::Sensor, what: Reading) {
    let mut batch = sensor::Batch::default();
    eventually_sync(SOON, "a reading", || {
        batch.clear();
        sensor.poll(clock::now(), &mut batch);
        let last = batch.samples.iter().find(|sample| sample.reading == what);
        last.map(|_| ()).ok_or_else(|| format!("{:?}", batch.samples.last()))
    })
    .unwrap();
}

fn lines(from: &str) -> Box<dyn sensor::Sensor> {
    let text = format!(
        "ward = \"w\"\npump = \"p\"\nbroker = \"mqtt://127.0.0.1:9\"\n[[source]]\nkind = \"line\"\nfrom = \"{from}\"\n\
         rate_hz = 10\n[[source.channel]]\nparameter = \"press.drain\"\n"
    );
    let settings = Settings::parse(&text, "t").unwrap();
    let mut sensor = sensor::build(&settings.sources).unwrap().remove(0);
    sensor.start().unwrap();
    sensor
}

#[test]
#[ignore = "needs socat"]
fn lines_come_over_tcp_from_a_server_that_goes_and_comes_back() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut sensor = lines(&format!("tcp://127.0.0.1:{port}"));
    await_reading(&mut *sensor, Reading::NoData(NoData::SensorOff));
    for value in [-45, -46] {
        let listen = format!("TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr");
        let script = format!("SYSTEM:echo press.drain; echo {value}; sleep 3");
        let server = Program::start("socat", &[&listen, &script]);
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        await_reading(&mut *sensor, Reading::Value(value as f32));
        await_reading(&mut *sensor, Reading::NoData(NoData::CommLost));
        drop(server);
        await_reading(&mut *sensor, Reading::NoData(NoData::SensorOff));
    }
}

#[test]
#[ignore = "needs socat"]
fn lines_come_through_a_fifo_that_socat_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fifo");
    let mut fifo = Program::start("mkfifo", &[path.to_str().unwrap()]);
    assert_eq!(fifo.await_end(), Some(0));
    // Once it is said that nobody writes, somebody reads: socat does not wait for a reader.
    let mut sensor = lines(path.to_str().unwrap());
    await_reading(&mut *sensor, Reading::NoData(NoData::SensorOff));
    let write = format!("OPEN:{},wronly", path.display());
    let script = "SYSTEM:echo press.drain; echo -45.5; echo null";
    let mut writer = Program::start("socat", &["-u", script, &write]);
    await_reading(&mut *sensor, Reading::NoData(NoData::NotMeasured));
    assert_eq!(writer.await_end(), Some(0));
    await_reading(&mut *sensor, Reading::NoData(NoData::SensorOff));
}
