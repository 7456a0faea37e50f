//! What the gateway asks of agents, on its way to the brokers: a bounded channel for each path, usable from any thread.
//!
//! Requests are soft state: probes and leases come again within half a second, and a backfill is asked for until it is
//! answered. So nothing waits for a path that is down or full: the request is dropped and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use ecmo_proto::topic::{Kind, PumpAddress};
use rumqttc::{AsyncClient, QoS};
use tokio::sync::mpsc;

use crate::config::PUMPS_MAX;
use crate::metrics::{BrokerPath, Counter, Metrics};

/// Requests that may wait for a path: a probe, a lease and room for every pump at once, which is half a second of them.
pub const REQUESTS_QUEUED_MAX: usize = 3 * PUMPS_MAX;

/// One request on its way.
#[derive(Debug)]
struct Outgoing {
    topic: String,
    payload: Bytes,
}

/// The sending end of one path.
#[derive(Debug, Clone)]
struct PathSender {
    path: BrokerPath,
    queue: mpsc::Sender<Outgoing>,
    up: Arc<AtomicBool>,
    dropped: Counter,
}

/// The way to every agent, over every broker; cheap to clone, never waits.
#[derive(Debug, Clone)]
pub struct Requests {
    paths: Arc<[PathSender]>,
}

/// What one path's ingest publishes.
#[derive(Debug)]
pub struct Outbound {
    queue: mpsc::Receiver<Outgoing>,
    up: Arc<AtomicBool>,
    dropped: Counter,
}

/// The way to agents over these paths, and for each path what its ingest publishes.
#[must_use]
pub fn requests(paths: &[BrokerPath], metrics: &Metrics) -> (Requests, Vec<Outbound>) {
    let (senders, outbound) = paths
        .iter()
        .map(|path| {
            let (sender, queue) = mpsc::channel(REQUESTS_QUEUED_MAX);
            let up = Arc::new(AtomicBool::new(false));
            let dropped = metrics.requests_dropped.get(*path).clone();
            let outbound = Outbound { queue, up: Arc::clone(&up), dropped: dropped.clone() };
            (PathSender { path: *path, queue: sender, up, dropped }, outbound)
        })
        .unzip::<_, _, Vec<_>, Vec<_>>();
    (Requests { paths: senders.into() }, outbound)
}

impl Requests {
    /// Sends a sealed request to a pump's agent over one path; false when it was dropped, because the path is down or
    /// full, or is none of this gateway's.
    pub fn try_send(&self, path: BrokerPath, pump: &PumpAddress, payload: Bytes) -> bool {
        let Some(sender) = self.paths.iter().find(|sender| sender.path == path) else {
            return false;
        };
        let request = || Outgoing { topic: pump.topic(Kind::Request), payload };
        let sent = sender.up.load(Ordering::Acquire) && sender.queue.try_send(request()).is_ok();
        if !sent {
            sender.dropped.increment(1);
        }
        sent
    }

    /// Sends a sealed request over the first path that takes it; false when none does.
    pub fn try_send_any(&self, pump: &PumpAddress, payload: &Bytes) -> bool {
        self.paths.iter().any(|sender| self.try_send(sender.path, pump, payload.clone()))
    }

    /// Whether a path is connected and subscribed.
    #[must_use]
    pub fn is_up(&self, path: BrokerPath) -> bool {
        let mut of_path = self.paths.iter().filter(|sender| sender.path == path);
        of_path.any(|sender| sender.up.load(Ordering::Acquire))
    }

    /// The paths of this gateway, in the order of its settings.
    pub fn paths(&self) -> impl Iterator<Item = BrokerPath> {
        self.paths.iter().map(|sender| sender.path)
    }
}

impl Outbound {
    /// Whether requests are taken: the path is connected and subscribed, or not.
    pub(super) fn set_up(&self, up: bool) {
        self.up.store(up, Ordering::Release);
    }

    /// The same, for whoever reads the connection.
    pub(super) fn up_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.up)
    }

    /// Hands requests to one connection for as long as it is polled. What waited from before the connection is dropped: its
    /// time has passed.
    pub(super) async fn publish(&mut self, client: &AsyncClient) {
        loop {
            let Some(request) = self.queue.recv().await else {
                // Nobody asks any more; the connection goes on reading.
                return std::future::pending().await;
            };
            let taken = self.up.load(Ordering::Acquire)
                && client
                    .try_publish(request.topic, QoS::AtLeastOnce, false, request.payload)
                    .is_ok();
            if !taken {
                self.dropped.increment(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_proto::topic::Id;

    fn pump() -> PumpAddress {
        PumpAddress { ward: Id::new("nicu").unwrap(), pump: Id::new("p1").unwrap() }
    }

    #[test]
    fn a_request_on_a_path_that_is_down_or_full_is_dropped_and_counted() {
        let metrics = Metrics::new(&[BrokerPath::A, BrokerPath::B]);
        let (requests, outbound) = requests(&[BrokerPath::A, BrokerPath::B], &metrics);
        let payload = Bytes::from_static(b"x");
        assert!(!requests.try_send(BrokerPath::A, &pump(), payload.clone()));
        outbound[1].set_up(true);
        assert!(requests.try_send_any(&pump(), &payload), "the other path takes it");
        assert!(requests.is_up(BrokerPath::B) && !requests.is_up(BrokerPath::A));
        for _ in 1..REQUESTS_QUEUED_MAX {
            assert!(requests.try_send(BrokerPath::B, &pump(), payload.clone()));
        }
        assert!(!requests.try_send(BrokerPath::B, &pump(), payload));
        let text = metrics.render();
        for line in [
            r#"ecmo_gateway_requests_dropped_total{path="a"} 2"#,
            r#"ecmo_gateway_requests_dropped_total{path="b"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is missing in {text}");
        }
    }

    #[test]
    fn a_path_that_the_gateway_does_not_read_takes_nothing() {
        let metrics = Metrics::new(&[BrokerPath::A]);
        let (requests, _outbound) = requests(&[BrokerPath::A], &metrics);
        assert!(!requests.try_send(BrokerPath::B, &pump(), Bytes::new()));
        assert_eq!(requests.paths().collect::<Vec<_>>(), [BrokerPath::A]);
    }
}
