//! What the gateway publishes, on its way to the brokers: bounded channels for each path, usable from any thread.
//!
//! Nothing waits for a path that is down or full: what finds no way is dropped and counted. Requests to agents are soft state: probes
//! and leases come again within half a second, and a backfill is asked for until it is answered. What is said to other gateways goes
//! over every path that is up, before any request; a gateway that missed an action sees it by the digest, and gets it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use ecmo_proto::topic::{Kind, PumpAddress};
use rumqttc::{AsyncClient, QoS};
use tokio::sync::mpsc;

use super::topics::quality;
use crate::config::PUMPS_MAX;
use crate::metrics::{BrokerPath, By, Counter, Metrics, Said};

/// Requests that may wait for a path: a probe, a lease and room for every pump at once, which is half a second of them.
pub const REQUESTS_QUEUED_MAX: usize = 3 * PUMPS_MAX;

/// What may wait for a path to be said to others: in the worst storm an alarm raised and ended at every pump, and room.
pub(super) const SAID_QUEUED_MAX: usize = 3 * PUMPS_MAX;

/// One message on its way.
#[derive(Debug)]
struct Outgoing {
    topic: String,
    quality: QoS,
    said: Option<Said>,
    payload: Bytes,
}

/// What was dropped on one path.
#[derive(Debug, Clone)]
struct Dropped {
    requests: Counter,
    said: By<Said, Counter>,
}

impl Dropped {
    fn count(&self, said: Option<Said>) {
        said.map_or(&self.requests, |said| self.said.get(said)).increment(1);
    }
}

/// The sending end of one path.
#[derive(Debug, Clone)]
struct PathSender {
    path: BrokerPath,
    requests: mpsc::Sender<Outgoing>,
    said: mpsc::Sender<Outgoing>,
    up: Arc<AtomicBool>,
    dropped: Dropped,
}

/// The way to every agent and to other gateways, over every broker; cheap to clone, never waits.
#[derive(Debug, Clone)]
pub struct Requests {
    paths: Arc<[PathSender]>,
}

/// What one path's ingest publishes.
#[derive(Debug)]
pub struct Outbound {
    requests: mpsc::Receiver<Outgoing>,
    said: mpsc::Receiver<Outgoing>,
    up: Arc<AtomicBool>,
    dropped: Dropped,
}

/// The way out over these paths, and for each path what its ingest publishes.
#[must_use]
pub fn requests(paths: &[BrokerPath], metrics: &Metrics) -> (Requests, Vec<Outbound>) {
    let (senders, outbound) = paths
        .iter()
        .map(|path| {
            let (requests, asked) = mpsc::channel(REQUESTS_QUEUED_MAX);
            let (said, to_say) = mpsc::channel(SAID_QUEUED_MAX);
            let up = Arc::new(AtomicBool::new(false));
            let dropped = Dropped {
                requests: metrics.requests_dropped.get(*path).clone(),
                said: metrics.said_dropped.get(*path).clone(),
            };
            let outbound = Outbound {
                requests: asked,
                said: to_say,
                up: Arc::clone(&up),
                dropped: dropped.clone(),
            };
            (PathSender { path: *path, requests, said, up, dropped }, outbound)
        })
        .unzip::<_, _, Vec<_>, Vec<_>>();
    (Requests { paths: senders.into() }, outbound)
}

impl PathSender {
    /// Whether the path takes it; counted when not.
    fn try_send(&self, outgoing: Outgoing) -> bool {
        let said = outgoing.said;
        let queue = if said.is_some() { &self.said } else { &self.requests };
        let sent = self.up.load(Ordering::Acquire) && queue.try_send(outgoing).is_ok();
        if !sent {
            self.dropped.count(said);
        }
        sent
    }
}

impl Requests {
    /// Sends a sealed request to a pump's agent over one path; false when it was dropped, because the path is down or
    /// full, or is none of this gateway's.
    pub fn try_send(&self, path: BrokerPath, pump: &PumpAddress, payload: Bytes) -> bool {
        let Some(sender) = self.paths.iter().find(|sender| sender.path == path) else {
            return false;
        };
        let topic = pump.topic(Kind::Request);
        sender.try_send(Outgoing { topic, quality: quality(Kind::Request), said: None, payload })
    }

    /// Sends a sealed request over the first path that takes it; false when none does.
    pub fn try_send_any(&self, pump: &PumpAddress, payload: &Bytes) -> bool {
        self.paths.iter().any(|sender| self.try_send(sender.path, pump, payload.clone()))
    }

    /// Says something to others over every path that is up; over how many. `kind` is that of the topic, `said` what it counts as
    /// where it is dropped.
    pub fn say(&self, said: Said, of: &PumpAddress, kind: Kind, payload: &Bytes) -> usize {
        let (topic, quality) = (of.topic(kind), quality(kind));
        let outgoing = || Outgoing {
            topic: topic.clone(),
            quality,
            said: Some(said),
            payload: payload.clone(),
        };
        self.paths.iter().filter(|sender| sender.try_send(outgoing())).count()
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
    /// Whether anything is taken: the path is connected and subscribed, or not.
    pub(super) fn set_up(&self, up: bool) {
        self.up.store(up, Ordering::Release);
    }

    /// The same, for whoever reads the connection.
    pub(super) fn up_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.up)
    }

    /// Hands messages to one connection for as long as it is polled. What waited from before the connection is dropped: its
    /// time has passed.
    pub(super) async fn publish(&mut self, client: &AsyncClient) {
        loop {
            let next = tokio::select! {
                biased;
                said = self.said.recv() => said,
                request = self.requests.recv() => request,
            };
            let Some(Outgoing { topic, quality, said, payload }) = next else {
                // Nobody says anything any more; the connection goes on reading.
                return std::future::pending().await;
            };
            let up = self.up.load(Ordering::Acquire);
            let taken = if up && said.is_some() {
                // What people did and what was decided waits for room in the connection; a request would be too old.
                client.publish(topic, quality, false, payload).await.is_ok()
            } else {
                up && client.try_publish(topic, quality, false, payload).is_ok()
            };
            if !taken {
                self.dropped.count(said);
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
    fn what_is_said_goes_over_every_path_that_is_up_and_is_counted_where_it_does_not() {
        let metrics = Metrics::new(&[BrokerPath::A, BrokerPath::B]);
        let (requests, mut outbound) = requests(&[BrokerPath::A, BrokerPath::B], &metrics);
        let payload = Bytes::from_static(b"x");
        outbound[1].set_up(true);
        assert_eq!(requests.say(Said::Action, &pump(), Kind::Action, &payload), 1);
        outbound[0].set_up(true);
        assert_eq!(requests.say(Said::Decision, &pump(), Kind::Alarm, &payload), 2);
        let topics: Vec<_> = std::iter::from_fn(|| outbound[1].said.try_recv().ok())
            .map(|outgoing| (outgoing.topic, outgoing.quality))
            .collect();
        let sure = QoS::AtLeastOnce;
        let expected = [("ecmo/v1/nicu/p1/action", sure), ("ecmo/v1/nicu/p1/alarm", sure)];
        assert_eq!(topics, expected.map(|(topic, quality)| (topic.to_owned(), quality)));
        let text = metrics.render();
        for line in [
            r#"ecmo_gateway_said_dropped_total{path="a",kind="action"} 1"#,
            r#"ecmo_gateway_said_dropped_total{path="b",kind="action"} 0"#,
            r#"ecmo_gateway_said_dropped_total{path="a",kind="decision"} 0"#,
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
