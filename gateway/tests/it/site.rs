//! A gateway on free ports with what a test asks of it: its displays, its counters, its health.
#![cfg(test)]

use std::net::SocketAddr;

use ecmo_gateway::Gateway;
use ecmo_gateway::config::{Broker, Settings};
use ecmo_proto::v1;
use ecmo_testkit::eventually;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::display::{Display, SOON};
use crate::hand::{HandAgent, address};

/// Sends one request over HTTP/1.1 and returns the answer, head and body.
pub(crate) async fn ask(address: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(SOON, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    answer
}

async fn get(address: SocketAddr, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    String::from_utf8(ask(address, request.as_bytes()).await).unwrap()
}

/// A gateway with a display.
pub(crate) struct Site {
    pub(crate) gateway: Gateway,
    pub(crate) display: Display,
}

impl Site {
    /// With the embedded broker.
    pub(crate) async fn start() -> Self {
        Self::with(Settings::on_free_ports()).await
    }

    /// With a broker elsewhere.
    pub(crate) async fn at(broker: SocketAddr) -> Self {
        Self::with(at(broker)).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let gateway = Gateway::start(&settings).await.unwrap();
        let display = Display::connect(gateway.address()).await;
        let site = Self { gateway, display };
        if !matches!(settings.broker, Broker::External(_)) {
            site.await_ready().await;
        }
        site
    }

    pub(crate) fn broker(&self) -> SocketAddr {
        let broker = self.gateway.broker_address();
        format!("{}:{}", broker.host, broker.port).parse().unwrap()
    }

    /// The first line of `/readyz`.
    pub(crate) async fn readiness(&self) -> String {
        let answer = get(self.gateway.address(), "/readyz").await;
        answer.lines().next().unwrap().to_owned()
    }

    /// Waits until the gateway is subscribed.
    pub(crate) async fn await_ready(&self) {
        eventually(SOON, "ready", async || {
            let answer = self.readiness().await;
            if answer.contains("200") { Ok(()) } else { Err(answer) }
        })
        .await
        .unwrap();
    }

    /// An agent of the ward, announced and live; it sends frames by itself.
    pub(crate) async fn agent(&self, pump: &str) -> HandAgent {
        self.agent_through(self.broker(), pump).await
    }

    /// As [`Site::agent`], by another way to the broker.
    pub(crate) async fn agent_through(&self, broker: SocketAddr, pump: &str) -> HandAgent {
        let mut agent = HandAgent::connect(broker, address(pump));
        self.introduce(&agent).await;
        agent.go_on();
        self.display.await_live(pump).await;
        agent
    }

    /// Announces the agent's present run and waits until the gateway knows it.
    pub(crate) async fn introduce(&self, agent: &HandAgent) {
        agent.announce(&agent.birth()).await;
        let boot = agent.boot();
        let pump = agent.address.pump.as_str();
        self.display.await_pump(pump, "announced", |pump| pump.boot_id == boot).await;
    }

    /// The sum of a metric over all series with these labels, such as `reason="crc"`.
    pub(crate) async fn counted(&self, metric: &str, labels: &[&str]) -> f64 {
        let text = get(self.gateway.metrics_address(), "/metrics").await;
        let fits = |line: &&str| {
            line.strip_prefix(metric).is_some_and(|rest| rest.starts_with(['{', ' ']))
                && labels.iter().all(|label| line.contains(label))
        };
        let lines = text.lines().filter(fits);
        lines.map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()).sum()
    }

    /// Waits until the metric has counted as much, and not more.
    pub(crate) async fn await_counted(&self, metric: &str, labels: &[&str], expected: f64) {
        eventually(SOON, &format!("{metric} {labels:?} {expected}"), async || {
            let counted = self.counted(metric, labels).await;
            if (counted - expected).abs() < 0.5 { Ok(()) } else { Err(counted.to_string()) }
        })
        .await
        .unwrap();
    }

    /// Waits until frames of a kind were refused so often, for this reason and no other: as counted by Prometheus and
    /// as shown at the pump.
    pub(crate) async fn await_refused(&self, pump: &str, reason: &str, frames: u32) -> v1::Pump {
        let of_pump = format!("pump=\"{pump}\"");
        let reason = format!("reason=\"{reason}\"");
        let rejected = "ecmo_gateway_frames_rejected_total";
        self.await_counted(rejected, &[&of_pump, &reason], frames.into()).await;
        self.await_counted(rejected, &[], frames.into()).await;
        self.display
            .await_pump(pump, "as many refused", |pump| {
                pump.counters.unwrap().frames_rejected == u64::from(frames)
            })
            .await
    }
}

/// Settings with a folder for what survives.
pub(crate) fn keeping_in(dir: std::path::PathBuf) -> Settings {
    let mut settings = Settings::on_free_ports();
    settings.state_dir = Some(dir);
    settings
}

/// Settings for a broker elsewhere.
pub(crate) fn at(broker: SocketAddr) -> Settings {
    let mut settings = Settings::on_free_ports();
    settings.broker = Broker::External(broker.into());
    settings
}
