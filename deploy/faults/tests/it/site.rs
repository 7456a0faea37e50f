//! What every fault test begins with: a gateway that serves, a display, an agent that is live.
#![cfg(test)]

use ecmo_faults::{AgentSetup, Ward};
use ecmo_proto::v1;
use ecmo_testkit::attendant::Attendant;
use ecmo_testkit::display::{AlarmLog, Display, SOON};
use ecmo_testkit::{Program, eventually};
use std::net::SocketAddr;
use std::time::Duration;

/// The pump of a test with one pump.
pub(crate) const PUMP: &str = "pump-1";

/// Time for what has to settle: a gap that is filled, redundancy that is back.
pub(crate) const SETTLE: Duration = Duration::from_secs(60);

/// The gateway keeps what it gets, and asks for what it lacks.
pub(crate) const JOURNAL: &str = "[journal]\ndir = \"journal\"";

/// A ward with one agent.
pub(crate) struct Site {
    pub(crate) ward: Ward,
    /// It lives as long as the site, unless the test kills it.
    pub(crate) gateway: Program,
    pub(crate) agent: Program,
    pub(crate) display: Display,
    pub(crate) log: AlarmLog,
    /// Somebody watches the ward, and confirms nothing: what a test waits for is its own business.
    watcher: Option<Attendant>,
}

/// Waits until the gateway serves, and connects a display.
pub(crate) async fn display(ward: &Ward) -> Display {
    let connect = async || tokio::net::TcpStream::connect(ward.displays_at()).await;
    eventually(SOON, "the gateway serves", connect).await.unwrap();
    Display::connect(ward.displays_at()).await
}

impl Site {
    /// A ward with so many brokers; its agent reaches them directly.
    pub(crate) async fn start(brokers: usize) -> Self {
        let ward = Ward::start(brokers).unwrap();
        let reached = ward.broker_addresses();
        Self::with(ward, &AgentSetup::simulated(PUMP, reached)).await
    }

    /// A ward with this agent.
    pub(crate) async fn with(ward: Ward, agent: &AgentSetup<'_>) -> Self {
        let settings = ward.gateway_settings(&ward.broker_addresses(), JOURNAL).unwrap();
        let gateway = ward.gateway(&settings).unwrap();
        let display = display(&ward).await;
        let agent = ward.agent(agent).unwrap();
        display.await_live(PUMP).await;
        let log = display.watch_alarms().await;
        Self::of(ward, gateway, agent, display, log).await
    }

    /// What a test has started itself, with somebody who watches.
    pub(crate) async fn of(
        ward: Ward,
        gateway: Program,
        agent: Program,
        display: Display,
        log: AlarmLog,
    ) -> Self {
        let watcher = display.attend("watcher", "").await;
        watcher.confirms(false);
        Self { ward, gateway, agent, display, log, watcher: Some(watcher) }
    }

    /// Nobody watches the ward any more.
    pub(crate) async fn leave_alone(&mut self) {
        if let Some(watcher) = self.watcher.take() {
            watcher.leave().await;
        }
    }

    pub(crate) async fn pump(&self) -> v1::Pump {
        self.display.pump(PUMP).await.expect("the pump is known")
    }

    /// Waits, for longer than the display does, until the pump is so.
    pub(crate) async fn settles(&self, what: &str, is_it: impl Fn(&v1::Pump) -> bool) -> v1::Pump {
        eventually(SETTLE, what, async || {
            let pump = self.pump().await;
            if is_it(&pump) { Ok(pump) } else { Err(format!("{pump:#?}")) }
        })
        .await
        .unwrap()
    }

    /// Waits until every frame that the agent holds is kept here too, and at least so many came from the spool.
    pub(crate) async fn is_complete(&self, backfilled: u64) -> v1::Completeness {
        let complete = |pump: &v1::Pump| {
            pump.completeness
                .as_ref()
                .is_some_and(|it| it.frames_missing == 0 && it.frames_backfilled >= backfilled)
        };
        let pump = self.settles("every frame is here", complete).await;
        pump.completeness.unwrap()
    }

    /// The conditions of the pump that were raised since the display watches.
    pub(crate) fn raised(&self) -> Vec<String> {
        let changes = self.log.changes().into_iter();
        let raised = changes.filter(|(_, alarm)| alarm.revision == 1).map(|(_, it)| it.condition);
        raised.collect()
    }

    /// No alarm of patient or circuit was raised.
    pub(crate) fn assert_no_physiological_alarm(&self) {
        let changes = self.log.changes();
        let found: Vec<_> =
            changes.iter().filter(|(_, it)| it.kind() == v1::AlarmKind::Physiological).collect();
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// A signal of the operating system's file that libfaketime reads: the wall clock of a process, moved by so much.
pub(crate) struct FakeClock {
    file: std::path::PathBuf,
}

impl FakeClock {
    pub(crate) fn new(ward: &Ward, name: &str) -> Self {
        let clock = Self { file: ward.folder().join(name) };
        clock.set("+0");
        clock
    }

    /// Moves the wall clock, such as by "+3600" or "-7200" seconds against the true one.
    pub(crate) fn set(&self, offset: &str) {
        // At once or not at all: the process reads the file at each look at its clock.
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{offset}\n")).unwrap();
        std::fs::rename(new, &self.file).unwrap();
    }

    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let folders = ["/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime"];
        let library = folders.map(|folder| format!("{folder}/libfaketime.so.1"));
        let library = library.into_iter().find(|it| std::path::Path::new(it).exists());
        let library = library.expect("install libfaketime (Debian: faketime)");
        vec![
            ("LD_PRELOAD", library),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
        ]
    }
}

/// The value of a metric of the gateway with these labels, summed up; `None` when there is no such series.
pub(crate) async fn metric(at: SocketAddr, name: &str, labels: &[&str]) -> Option<f64> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(at).await.unwrap();
    let request = b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let fits = |line: &&str| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    };
    let values = text.lines().filter(fits);
    let values: Vec<f64> =
        values.map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap()).collect();
    (!values.is_empty()).then(|| values.iter().sum())
}
