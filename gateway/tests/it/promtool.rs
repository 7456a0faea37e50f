//! What Prometheus' own checker says of the metrics.
#![cfg(test)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use ecmo_gateway::metrics::{BrokerPath, Metrics, StreamKind};
use ecmo_proto::topic::{Id, PumpAddress};

#[test]
#[ignore = "needs promtool; cargo xtask ci runs it"]
fn promtool_finds_nothing_to_complain_about() {
    let metrics = Metrics::new(&[BrokerPath::A, BrokerPath::B]);
    let address = PumpAddress { ward: Id::new("nicu").unwrap(), pump: Id::new("p1").unwrap() };
    metrics.pump(&address).dropout_seconds.record(0.3);
    let _transitions = metrics.alarm_transitions("flow_low");
    metrics.subscriptions_active("nicu").get(StreamKind::Alarm).increment(1.0);

    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    promtool.stdin.take().unwrap().write_all(metrics.render().as_bytes()).unwrap();
    let said = promtool.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&said.stdout) + String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && words.trim().is_empty(), "{words}");
}
