//! Each known defect of rumqttc 0.25 that could touch the gateway, and the proof that it does not.
//!
//! What it publishes is soft state by `try_publish`, in connections that are never taken up again: losing publishes costs
//! nothing, and blocking in `publish` cannot happen.
#![cfg(test)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ecmo_gateway::clock::Clock;
use ecmo_gateway::ingest::{self, Arrival, Ingest, LinkEvent, QUEUE_MESSAGES_MAX, Requests};
use ecmo_gateway::metrics::{BrokerPath, LinkLost, Metrics};
use ecmo_proto::sealed::FRAME_BYTES_MAX;
use ecmo_proto::topic::{Id, PumpAddress};
use ecmo_testkit::{Direction, EmbeddedBroker, FaultProxy};
use rumqttc::{AsyncClient, MqttOptions, QoS};
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::peer::Peer;

/// Enough for any of these steps on a busy machine.
const DEADLINE: Duration = Duration::from_secs(10);

const FRAME: &str = "ecmo/v1/nicu/p1/frame";
const BIRTH: &str = "ecmo/v1/nicu/p1/birth";

/// Every subscription of a gateway of one ward, as it is asked for.
const GRANTED: [u8; 9] = [1, 1, 0, 0, 1, 1, 0, 1, 0];

/// The ingest under test, on the test's own thread as on the alarm thread.
struct Reader {
    queue: Receiver<Ingest>,
    requests: Requests,
    metrics: Arc<Metrics>,
    task: JoinHandle<()>,
}

impl Reader {
    fn start(broker: SocketAddr) -> Self {
        let (sender, queue) = ingest::queue();
        let (others, _unread) = tokio::sync::mpsc::channel(1);
        let metrics = Arc::new(Metrics::new(&[BrokerPath::A]));
        let options = ingest::Options {
            tls: None,
            broker: broker.into(),
            wards: vec![Id::new("nicu").unwrap()],
            path: BrokerPath::A,
            gateway: Id::new("east").unwrap(),
            others,
        };
        let (requests, mut outbound) = ingest::requests(&[BrokerPath::A], &metrics);
        let outbound = outbound.pop().unwrap();
        let reading = ingest::run(options, Clock::start(), Arc::clone(&metrics), sender, outbound);
        Self { queue, requests, metrics, task: tokio::spawn(reading) }
    }

    async fn next(&mut self) -> Ingest {
        timeout(DEADLINE, self.queue.recv()).await.expect("something in time").unwrap()
    }

    /// What the first message that is wanted gives; all before it are left out.
    async fn until<T>(&mut self, what: &str, wanted: impl Fn(&Ingest) -> Option<T>) -> T {
        let found = timeout(DEADLINE, async {
            loop {
                if let Some(found) = wanted(&self.queue.recv().await.unwrap()) {
                    return found;
                }
            }
        });
        found.await.unwrap_or_else(|_elapsed| panic!("{what} in time"))
    }

    /// The next change of the link.
    async fn link(&mut self) -> LinkEvent {
        self.until("a change of the link", |message| match message {
            Ingest::Link { event, .. } => Some(*event),
            Ingest::Arrival(_) | Ingest::Oversize { .. } => None,
        })
        .await
    }

    /// The next message; the link must not change before it.
    async fn arrival(&mut self) -> Arrival {
        match self.next().await {
            Ingest::Arrival(arrival) => arrival,
            other @ (Ingest::Oversize { .. } | Ingest::Link { .. }) => panic!("{other:?}"),
        }
    }

    /// A message with this payload; the link must not change before it.
    async fn arrival_of(&mut self, payload: &[u8]) -> Arrival {
        self.until("a message", |message| match message {
            Ingest::Arrival(arrival) if arrival.payload == payload => Some(arrival.clone()),
            Ingest::Arrival(_) | Ingest::Oversize { .. } => None,
            Ingest::Link { .. } => panic!("{message:?}"),
        })
        .await
    }

    /// The report of a message that is too long; the link must not change before it.
    async fn oversize(&mut self) -> (String, usize) {
        self.until("an oversize message", |message| match message {
            Ingest::Oversize { topic, bytes, .. } => Some((topic.clone(), *bytes)),
            Ingest::Arrival(_) => None,
            Ingest::Link { .. } => panic!("{message:?}"),
        })
        .await
    }

    fn counted(&self, line_start: &str) -> f64 {
        let text = self.metrics.render();
        let line = text.lines().find(|line| line.starts_with(line_start)).expect(line_start);
        line.rsplit_once(' ').unwrap().1.parse().unwrap()
    }
}

/// A pump's side, on a runtime of its own so that it never waits for the reader.
struct Publisher {
    client: AsyncClient,
    runtime: tokio::runtime::Runtime,
}

impl Publisher {
    fn start(broker: SocketAddr) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let id = format!("pump-{:08x}", fastrand::u32(..));
        let mut options = MqttOptions::new(id, "127.0.0.1", broker.port());
        options.set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut event_loop) = AsyncClient::new(options, 1_000);
        runtime.spawn(async move {
            loop {
                if event_loop.poll().await.is_err() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        });
        Self { client, runtime }
    }

    /// Publishes; blocks while the client's queue is full.
    fn publish(&self, topic: &str, qos: QoS, retain: bool, payload: impl Into<Vec<u8>>) {
        self.runtime.block_on(self.client.publish(topic, qos, retain, payload)).unwrap();
    }
}

impl Publisher {
    fn end(self) {
        self.runtime.shutdown_background();
    }
}

/// Publishes from outside of the async test.
async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// A publisher that has told a retained birth.
async fn publisher(broker: SocketAddr) -> Arc<Publisher> {
    blocking(move || {
        let publisher = Publisher::start(broker);
        publisher.publish(BIRTH, QoS::AtLeastOnce, true, "birth");
        Arc::new(publisher)
    })
    .await
}

async fn publish(publisher: &Arc<Publisher>, payload: impl Into<Vec<u8>>) {
    let (publisher, payload) = (Arc::clone(publisher), payload.into());
    blocking(move || publisher.publish(FRAME, QoS::AtMostOnce, false, payload)).await;
}

async fn end(publisher: Arc<Publisher>) {
    blocking(move || Arc::into_inner(publisher).unwrap().end()).await;
}

#[tokio::test]
async fn every_cut_is_followed_by_new_subscriptions_and_the_retained_birth() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let mut reader = Reader::start(proxy.addr());
    assert_eq!(reader.link().await, LinkEvent::Up);
    let publisher = publisher(broker.addr()).await;
    reader.arrival_of(b"birth").await;
    for round in 0..5 {
        assert_eq!(proxy.cut(), 1);
        assert_eq!(reader.link().await, LinkEvent::Down(LinkLost::Closed));
        assert_eq!(reader.link().await, LinkEvent::Up);
        let birth = reader.arrival_of(b"birth").await;
        assert!(birth.retained && birth.topic == BIRTH, "{birth:?}");
        let payload = format!("frame {round}");
        publish(&publisher, payload.clone()).await;
        assert!(!reader.arrival_of(payload.as_bytes()).await.retained);
    }
    assert!(
        reader.counted(r#"ecmo_gateway_mqtt_reconnects_total{path="a",reason="closed"}"#) >= 5.0
    );
    end(publisher).await;
}

#[tokio::test]
async fn a_broker_that_lost_its_sessions_loses_no_subscription() {
    let mut broker = EmbeddedBroker::start(None).unwrap();
    let mut reader = Reader::start(broker.addr());
    assert_eq!(reader.link().await, LinkEvent::Up);
    for round in 0..2 {
        broker.restart().unwrap();
        assert!(matches!(reader.link().await, LinkEvent::Down(_)));
        assert_eq!(reader.link().await, LinkEvent::Up);
        let publisher = publisher(broker.addr()).await;
        let payload = format!("frame {round}");
        publish(&publisher, payload.clone()).await;
        reader.arrival_of(payload.as_bytes()).await;
        end(publisher).await;
    }
    assert!(reader.counted(r#"ecmo_gateway_mqtt_connected{path="a"}"#) > 0.0);
}

#[tokio::test]
async fn a_packet_longer_than_the_default_of_10_kib_arrives() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let mut reader = Reader::start(broker.addr());
    assert_eq!(reader.link().await, LinkEvent::Up);
    let publisher = publisher(broker.addr()).await;
    let payload = vec![7; FRAME_BYTES_MAX];
    publish(&publisher, payload.clone()).await;
    reader.arrival_of(&payload).await;
    end(publisher).await;
}

#[tokio::test]
async fn an_oversize_message_is_reported_and_costs_no_connection_even_when_retained() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let mut reader = Reader::start(proxy.addr());
    assert_eq!(reader.link().await, LinkEvent::Up);
    let publisher = publisher(broker.addr()).await;
    let poison = Arc::clone(&publisher);
    let bytes = 300 * 1024;
    let topic = "ecmo/v1/nicu/evil/birth";
    blocking(move || poison.publish(topic, QoS::AtLeastOnce, true, vec![1; bytes])).await;
    assert_eq!(reader.oversize().await, (topic.to_owned(), bytes));
    publish(&publisher, "after").await;
    reader.arrival_of(b"after").await;
    assert_eq!(proxy.counters().accepted, 1, "the connection held");

    proxy.cut();
    assert_eq!(reader.link().await, LinkEvent::Down(LinkLost::Closed));
    assert_eq!(reader.link().await, LinkEvent::Up);
    assert_eq!(reader.oversize().await, (topic.to_owned(), bytes));
    publish(&publisher, "again").await;
    reader.arrival_of(b"again").await;
    assert_eq!(proxy.counters().accepted, 2, "the retained one does not wedge the next connection");
    end(publisher).await;
}

#[tokio::test]
async fn a_packet_that_is_too_long_to_be_read_ends_one_connection_and_not_the_next() {
    let peer = Peer::listen().await;
    let mut reader = Reader::start(peer.address());
    let mut first = peer.connected().await;
    first.answer_subscribe(&GRANTED).await;
    assert_eq!(reader.link().await, LinkEvent::Up);
    first.publish(FRAME, &vec![0; 17 * 1024 * 1024]).await;
    assert_eq!(reader.link().await, LinkEvent::Down(LinkLost::Oversize));
    let mut second = peer.connected().await;
    second.answer_subscribe(&GRANTED).await;
    assert_eq!(reader.link().await, LinkEvent::Up);
    second.publish(FRAME, b"small").await;
    reader.arrival_of(b"small").await;
}

#[tokio::test]
async fn reconnecting_is_no_storm() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    proxy.refuse(true);
    let begun = Instant::now();
    let mut reader = Reader::start(proxy.addr());
    assert_eq!(reader.link().await, LinkEvent::Down(LinkLost::Closed));
    let failed =
        || reader.counted(r#"ecmo_gateway_mqtt_reconnects_total{path="a",reason="closed"}"#);
    ecmo_testkit::eventually(DEADLINE, "six attempts", async || (failed() >= 6.0).then_some(()))
        .await
        .unwrap();
    // Half of 50 + 100 + 200 + 400 + 800 ms is the least for six attempts; without pauses it is a millisecond.
    assert!(begun.elapsed() >= Duration::from_millis(700), "{:?}", begun.elapsed());
    assert!(proxy.counters().refused <= 8, "{:?}", proxy.counters());
    proxy.heal();
    assert_eq!(reader.link().await, LinkEvent::Up, "and it comes back by itself");
}

#[tokio::test]
async fn a_broker_that_grants_and_cuts_at_once_is_not_stormed_either() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let mut reader = Reader::start(proxy.addr());
    let begun = Instant::now();
    for _ in 0..6 {
        assert_eq!(reader.link().await, LinkEvent::Up);
        proxy.cut();
        assert_eq!(reader.link().await, LinkEvent::Down(LinkLost::Closed));
    }
    assert!(begun.elapsed() >= Duration::from_millis(700), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_connection_that_went_dead_is_noticed_and_replaced() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let mut reader = Reader::start(proxy.addr());
    assert_eq!(reader.link().await, LinkEvent::Up);
    proxy.stall(true);
    let begun = Instant::now();
    let event = reader.link().await;
    assert!(matches!(event, LinkEvent::Down(LinkLost::Ping | LinkLost::Closed)), "{event:?}");
    assert!(begun.elapsed() <= Duration::from_secs(4), "{:?}", begun.elapsed());
    proxy.heal();
    assert_eq!(reader.link().await, LinkEvent::Up);
    let publisher = publisher(broker.addr()).await;
    publish(&publisher, "alive").await;
    reader.arrival_of(b"alive").await;
    end(publisher).await;
}

#[tokio::test]
async fn one_direction_that_went_dead_is_noticed_too() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let mut reader = Reader::start(proxy.addr());
    assert_eq!(reader.link().await, LinkEvent::Up);
    proxy.on(Direction::ServerToClient).stall(true);
    assert!(matches!(reader.link().await, LinkEvent::Down(_)));
    proxy.heal();
    assert_eq!(reader.link().await, LinkEvent::Up);
}

#[tokio::test]
async fn a_broker_that_accepts_and_says_nothing_is_left() {
    let peer = Peer::listen().await;
    let mut reader = Reader::start(peer.address());
    let silent = peer.accepted().await;
    assert_eq!(reader.link().await, LinkEvent::Down(LinkLost::Timeout));
    assert!(timeout(DEADLINE, silent.closes()).await.unwrap());
    let mut good = peer.connected().await;
    good.answer_subscribe(&GRANTED).await;
    assert_eq!(reader.link().await, LinkEvent::Up);
}

#[tokio::test]
async fn a_subscription_that_is_refused_or_never_answered_is_no_connection() {
    let peer = Peer::listen().await;
    let mut reader = Reader::start(peer.address());
    let mut refusing = peer.connected().await;
    refusing.answer_subscribe(&[1, 1, 0x80]).await;
    assert_eq!(reader.link().await, LinkEvent::Down(LinkLost::Subscription));
    assert!(timeout(DEADLINE, refusing.closes()).await.unwrap());
    // No SUBACK: the next attempt is given up as well; the link is down already, so that it is only counted.
    let silent = peer.connected().await;
    assert!(timeout(DEADLINE, silent.closes()).await.unwrap());
    let mut good = peer.connected().await;
    good.answer_subscribe(&GRANTED).await;
    assert_eq!(reader.link().await, LinkEvent::Up);
    let lost = |reason| {
        let series = format!(r#"ecmo_gateway_mqtt_reconnects_total{{path="a",reason="{reason}"}}"#);
        reader.counted(&series)
    };
    assert!(lost("subscription") > 0.0 && lost("timeout") + lost("ping") > 0.0);
}

#[tokio::test]
async fn a_flood_starves_neither_the_subscription_nor_the_pings() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let publisher = publisher(broker.addr()).await;
    let flood = {
        let publisher = Arc::clone(&publisher);
        tokio::task::spawn_blocking(move || {
            // Births without end, which need an acknowledgement each, and frames; over three keep-alives.
            for count in 0_u64..350 {
                for pump in 0..10 {
                    let topic = format!("ecmo/v1/nicu/p{pump}/frame");
                    publisher.publish(&topic, QoS::AtMostOnce, false, vec![0; 400]);
                }
                publisher.publish(BIRTH, QoS::AtLeastOnce, true, count.to_be_bytes());
                std::thread::sleep(Duration::from_millis(10));
            }
            publisher.publish(FRAME, QoS::AtMostOnce, false, "last");
        })
    };
    let mut reader = Reader::start(broker.addr());
    assert_eq!(reader.link().await, LinkEvent::Up);
    reader.arrival_of(b"last").await;
    flood.await.unwrap();
    end(publisher).await;
}

#[tokio::test]
async fn a_queue_that_nobody_empties_holds_the_socket_and_not_the_memory() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let mut reader = Reader::start(broker.addr());
    assert_eq!(reader.link().await, LinkEvent::Up);
    let publisher = publisher(broker.addr()).await;
    reader.arrival_of(b"birth").await;
    let many = u64::try_from(QUEUE_MESSAGES_MAX).unwrap() + 1_000;
    let flooding = Arc::clone(&publisher);
    blocking(move || {
        for count in 0..many {
            flooding.publish(FRAME, QoS::AtMostOnce, false, count.to_be_bytes());
        }
    })
    .await;
    ecmo_testkit::eventually(DEADLINE, "a full queue", async || {
        (reader.queue.len() == QUEUE_MESSAGES_MAX).then_some(())
    })
    .await
    .unwrap();
    for count in 0..QUEUE_MESSAGES_MAX {
        let expected = u64::try_from(count).unwrap().to_be_bytes();
        assert_eq!(reader.arrival().await.payload, expected[..], "in order");
    }
    // Pings waited too, so that the connection may have ended meanwhile: a retained message is there either way.
    let retaining = Arc::clone(&publisher);
    blocking(move || retaining.publish(BIRTH, QoS::AtLeastOnce, true, "after")).await;
    reader
        .until("a later message", |message| match message {
            Ingest::Arrival(arrival) => (arrival.payload == "after").then_some(()),
            Ingest::Oversize { .. } | Ingest::Link { .. } => None,
        })
        .await;
    end(publisher).await;
}

#[tokio::test]
async fn reading_ends_when_nobody_takes_from_the_queue() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let mut reader = Reader::start(proxy.addr());
    assert_eq!(reader.link().await, LinkEvent::Up);
    let Reader { queue, task, .. } = reader;
    drop(queue);
    proxy.cut();
    timeout(DEADLINE, task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_request_reaches_the_agent_after_each_cut_and_a_broker_that_acknowledges_none_costs_nothing()
 {
    let pump = PumpAddress { ward: Id::new("nicu").unwrap(), pump: Id::new("p1").unwrap() };
    let peer = Peer::listen().await;
    let mut reader = Reader::start(peer.address());
    for round in 0..3_u8 {
        let mut connection = peer.connected().await;
        connection.answer_subscribe(&GRANTED).await;
        assert_eq!(reader.link().await, LinkEvent::Up);
        // More than may be unacknowledged: what is beyond waits, and then is dropped, and reading goes on.
        for _ in 0..1_200 {
            let _may_be_full = reader.requests.try_send(BrokerPath::A, &pump, vec![round].into());
        }
        let sent = connection.packet().await;
        assert_eq!(sent[0], 0x32, "PUBLISH, quality of service 1, not retained");
        assert!(sent[3..].starts_with(b"ecmo/v1/nicu/p1/request"), "{sent:?}");
        assert_eq!(sent.last(), Some(&round), "what waited for the last connection is gone");
        connection.publish(FRAME, b"alive").await;
        reader.arrival_of(b"alive").await;
        drop(connection);
        assert!(matches!(reader.link().await, LinkEvent::Down(_)));
        assert!(!reader.requests.try_send(BrokerPath::A, &pump, vec![round].into()));
    }
    assert!(reader.counted(r#"ecmo_gateway_requests_dropped_total{path="a"}"#) > 0.0);
}
