//! From the broker into a bounded queue of bytes. The only file that knows rumqttc.
//!
//! One connection is one client and one event loop, dropped at the first error: nothing that rumqttc keeps between
//! connections (unacknowledged packets, collisions, buffered events) survives to stall the next one. Nothing is lost by
//! it: live frames are QoS 0, births and statuses are retained and come again with the new subscription, and requests are
//! soft state.

mod backoff;

mod outbound;

mod topics;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use ecmo_core::time::Instant;
use ecmo_identity::ClientTls;
use ecmo_proto::topic::{Id, Kind};
use rumqttc::mqttbytes::Error as PacketError;
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, NetworkOptions, Packet, Publish,
    StateError, TlsConfiguration, Transport,
};
use tokio::sync::mpsc;
use tokio::time::timeout_at;

use crate::clock::Clock;
use crate::config::{BrokerAddress, FRAMES_PER_SECOND, PEERS_MAX, PUMPS_MAX};
use crate::metrics::{BrokerPath, FrameRejected, LinkLost, Metrics, PeerRejected};
use backoff::Backoff;
use topics::{Place, filters, granted, payload_bytes_max, place};

pub use outbound::{Outbound, REQUESTS_QUEUED_MAX, Requests, requests};

/// How long the engine may be busy before the sockets wait, in milliseconds.
const STALL_MS: usize = 250;

/// Most messages that wait for the engine. When it is full the reading of the socket waits, so that TCP and then the
/// broker hold the rest; the broker drops QoS 0 frames that nobody takes, and their sequence shows it.
pub const QUEUE_MESSAGES_MAX: usize = PUMPS_MAX * FRAMES_PER_SECOND * STALL_MS / 1_000;

const _: () = assert!(QUEUE_MESSAGES_MAX == 3_200);

/// Most messages of other gateways that wait for their reader: of each the answers of a second over both paths. Beyond, they are
/// lost and counted: what is missing shows in the digest, and comes again.
pub const OTHERS_QUEUED_MAX: usize = 64 * PEERS_MAX;

/// Longest packet that is read. Far above any message, because rumqttc ends the connection at a longer one: a retained
/// packet of that kind would come with every new subscription, and one bad pump would silence all for ever.
const PACKET_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Longest packet that is sent: a SUBSCRIBE for every ward, or a request.
const OUTGOING_BYTES_MAX: usize = 256 * 1024;

/// The least that rumqttc and MQTT allow. A dead connection is noticed after one to two of it.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// Time for connecting, and for each write, in seconds.
const NETWORK_TIMEOUT_S: u64 = 2;

/// Time from the connection to the answer to the subscription.
const SUBSCRIBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Packets that wait inside rumqttc: the SUBSCRIBE, and requests to agents until the socket takes them.
const PACKETS_MAX: usize = 64;

/// Requests to agents that the broker has not acknowledged. Beyond, they wait, and then are dropped.
const UNACKNOWLEDGED_MAX: u16 = 256;

/// What is read from where.
#[derive(Debug, Clone)]
pub struct Options {
    /// The broker.
    pub broker: BrokerAddress,
    /// Who this gateway is; `None` at a broker without TLS.
    pub tls: Option<Arc<ClientTls>>,
    /// Wards to subscribe to; empty for all.
    pub wards: Vec<Id>,
    /// Name of this broker in metrics and events.
    pub path: BrokerPath,
    /// Name of this gateway, whose drill is read.
    pub gateway: Id,
    /// Where goes what other gateways say; must hold [`OTHERS_QUEUED_MAX`].
    pub others: mpsc::Sender<Arrival>,
}

/// Something from a broker, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ingest {
    /// A message.
    Arrival(Arrival),
    /// A message that is too long to be one; it was dropped and is to be counted.
    Oversize {
        /// The topic.
        topic: String,
        /// Bytes of the payload.
        bytes: usize,
        /// The broker that it came from.
        path: BrokerPath,
    },
    /// The connection changed.
    Link {
        /// The broker.
        path: BrokerPath,
        /// How.
        event: LinkEvent,
    },
}

/// A message as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The topic, unchecked.
    pub topic: String,
    /// The payload, unchecked; no longer than its kind of message may be.
    pub payload: Bytes,
    /// Whether the broker had kept it: its age is unknown.
    pub retained: bool,
    /// When it was read.
    pub received: Instant,
    /// The broker that it came from.
    pub path: BrokerPath,
}

/// A change of the connection to a broker. There are no two of one kind in a row; before the first it is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkEvent {
    /// Connected, and every subscription granted.
    Up,
    /// Not connected any more, or never was.
    Down(LinkLost),
}

/// The queue between [`run`] and the engine, which live on the same thread.
#[must_use]
pub fn queue() -> (mpsc::Sender<Ingest>, mpsc::Receiver<Ingest>) {
    mpsc::channel(QUEUE_MESSAGES_MAX)
}

/// Reads from one broker until nobody takes from the queue any more. Connects again after every error, at first after
/// 50 ms, at most every 2 s.
pub async fn run(
    options: Options,
    clock: Clock,
    metrics: Arc<Metrics>,
    queue: mpsc::Sender<Ingest>,
    mut outbound: Outbound,
) {
    let client_id = match options.tls {
        // The broker takes the common name of the certificate, whatever is said. A gateway has one session at each broker, so
        // only another one of its name could end it.
        Some(_) => options.gateway.to_string(),
        // Another session with the same id would end this one: never twice the same.
        None => format!("ecmo-gateway-{:08x}", fastrand::u32(..)),
    };
    let connected = metrics.mqtt_connected.get(options.path);
    let mut backoff = Backoff::default();
    let mut link = Link {
        options: &options,
        clock,
        metrics: &metrics,
        queue: &queue,
        state: LinkState::New,
        filters: filters(&options.wards, &options.gateway).len(),
    };
    let up = outbound.up_flag();
    loop {
        let (client, event_loop) = connect(&client_id, &options);
        let on_up = || {
            connected.set(1.0);
            up.store(true, Ordering::Release);
        };
        // Both are polled to the end of the connection: rumqttc does not bear that its reading is cut short.
        let ended = tokio::select! {
            ended = link.read(&client, event_loop, on_up) => ended,
            () = outbound.publish(&client) => return,
        };
        outbound.set_up(false);
        connected.set(0.0);
        let lost = match ended {
            Ok(QueueClosed) => return,
            Err(lost) => lost,
        };
        metrics.mqtt_reconnects.get(options.path).get(lost.reason).increment(1);
        if link.down(&lost).await.is_err() {
            return;
        }
        let pause = backoff.next(lost.up_for);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = queue.closed() => return,
        }
    }
}

fn connect(client_id: &str, from: &Options) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(client_id, from.broker.host.clone(), from.broker.port);
    options
        .set_keep_alive(KEEP_ALIVE)
        .set_clean_session(true)
        .set_inflight(UNACKNOWLEDGED_MAX)
        .set_max_packet_size(PACKET_BYTES_MAX, OUTGOING_BYTES_MAX);
    if let Some(tls) = &from.tls {
        let config = TlsConfiguration::Rustls(tls.current());
        options.set_transport(Transport::tls_with_config(config));
    }
    let (client, mut event_loop) = AsyncClient::new(options, PACKETS_MAX);
    let mut network = NetworkOptions::new();
    // Off by default; a small packet would then wait 40 ms for the acknowledgement of the one before.
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(NETWORK_TIMEOUT_S);
    event_loop.set_network_options(network);
    (client, event_loop)
}

/// Nobody takes from the queue.
#[derive(Debug)]
struct QueueClosed;

/// How a connection ended.
#[derive(Debug)]
struct Lost {
    reason: LinkLost,
    detail: String,
    /// Time since the subscriptions were granted; zero when they never were.
    up_for: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkState {
    New,
    Up,
    Down,
}

struct Link<'a> {
    options: &'a Options,
    clock: Clock,
    metrics: &'a Metrics,
    queue: &'a mpsc::Sender<Ingest>,
    state: LinkState,
    /// How many subscriptions must be granted.
    filters: usize,
}

impl Link<'_> {
    /// Reads one connection to its end.
    async fn read(
        &mut self,
        client: &AsyncClient,
        mut event_loop: EventLoop,
        on_up: impl Fn(),
    ) -> Result<QueueClosed, Lost> {
        let mut up_at = None;
        // The connection has its own timeout; this one starts anew with it.
        let mut answer_due = tokio::time::Instant::now()
            + Duration::from_secs(NETWORK_TIMEOUT_S)
            + SUBSCRIBE_TIMEOUT;
        loop {
            let lost = |reason, detail| Lost {
                reason,
                detail,
                up_for: up_at.map_or(Duration::ZERO, |at| self.clock.now().since(at)),
            };
            let event = if up_at.is_some() {
                event_loop.poll().await
            } else {
                timeout_at(answer_due, event_loop.poll()).await.map_err(|_elapsed| {
                    lost(LinkLost::Timeout, "no answer to the subscription".to_owned())
                })?
            };
            let packet = match event {
                Ok(Event::Incoming(packet)) => packet,
                Ok(Event::Outgoing(_)) => continue,
                Err(error) => return Err(lost(reason(&error), error.to_string())),
            };
            if let Packet::Publish(publish) = packet {
                if self.hand_on(publish).await.is_err() {
                    return Ok(QueueClosed);
                }
            } else if let Packet::ConnAck(_) = packet {
                answer_due = tokio::time::Instant::now() + SUBSCRIBE_TIMEOUT;
                let wanted = filters(&self.options.wards, &self.options.gateway);
                client.try_subscribe_many(wanted).map_err(|error| {
                    lost(LinkLost::Protocol, format!("cannot ask for subscriptions: {error}"))
                })?;
            } else if let Packet::SubAck(answer) = packet {
                granted(&answer, self.filters)
                    .map_err(|detail| lost(LinkLost::Subscription, detail))?;
                up_at = Some(self.clock.now());
                on_up();
                if self.up().await.is_err() {
                    return Ok(QueueClosed);
                }
            }
        }
    }

    async fn hand_on(&self, publish: Publish) -> Result<(), QueueClosed> {
        let path = self.options.path;
        let (place, bytes) = (place(&publish.topic, &self.options.gateway), publish.payload.len());
        let is_too_long = bytes > payload_bytes_max(&publish.topic);
        let arrival = |publish: Publish| Arrival {
            topic: publish.topic,
            payload: publish.payload,
            retained: publish.retain,
            received: self.clock.now(),
            path,
        };
        match place {
            Place::Engine if is_too_long => {
                self.send(Ingest::Oversize { topic: publish.topic, bytes, path }).await
            }
            Place::Engine => self.send(Ingest::Arrival(arrival(publish))).await,
            Place::Others => {
                let refused = if is_too_long {
                    Some(PeerRejected::Oversize)
                } else {
                    // Nobody waits for them here: behind this message comes a frame.
                    let full = self.options.others.try_send(arrival(publish)).is_err();
                    full.then_some(PeerRejected::Overflow)
                };
                if let Some(reason) = refused {
                    self.metrics.peer_rejected.get(reason).increment(1);
                }
                Ok(())
            }
            Place::Nobody => Ok(()),
            Place::Refused => {
                self.refuse(&publish.topic);
                Ok(())
            }
        }
    }

    /// Counts a message in a place that is kept for others.
    fn refuse(&self, topic: &str) {
        tracing::debug!(topic, "a topic with an id that is kept for the system itself; dropped");
        match topic.rsplit('/').next() {
            Some(level) if level == Kind::Peer.level() || level == Kind::Action.level() => {
                self.metrics.peer_rejected.get(PeerRejected::Topic).increment(1);
            }
            Some(_) | None => {
                let rejected = &self.metrics.unknown_pump.frames_rejected;
                rejected.get(FrameRejected::Topic).increment(1);
            }
        }
    }

    async fn up(&mut self) -> Result<(), QueueClosed> {
        tracing::info!(broker = %self.options.broker, "subscribed");
        self.state = LinkState::Up;
        self.send(Ingest::Link { path: self.options.path, event: LinkEvent::Up }).await
    }

    /// Tells the first failure after success or start; the following ones are only counted.
    async fn down(&mut self, lost: &Lost) -> Result<(), QueueClosed> {
        let (broker, reason) = (&self.options.broker, lost.reason.label());
        match self.state {
            LinkState::Down => {
                tracing::debug!(%broker, reason, detail = lost.detail, "still no connection");
                Ok(())
            }
            LinkState::New | LinkState::Up => {
                tracing::warn!(%broker, reason, detail = lost.detail, "connection lost; trying again");
                self.state = LinkState::Down;
                let event = LinkEvent::Down(lost.reason);
                self.send(Ingest::Link { path: self.options.path, event }).await
            }
        }
    }

    async fn send(&self, message: Ingest) -> Result<(), QueueClosed> {
        self.queue.send(message).await.map_err(|_closed| QueueClosed)
    }
}

fn reason(error: &ConnectionError) -> LinkLost {
    match error {
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => LinkLost::Timeout,
        ConnectionError::MqttState(state) => state_reason(state),
        ConnectionError::Io(_) => LinkLost::Closed,
        ConnectionError::ConnectionRefused(_) => LinkLost::Refused,
        ConnectionError::NotConnAck(_)
        | ConnectionError::RequestsDone
        | ConnectionError::Tls(_) => LinkLost::Protocol,
    }
}

fn state_reason(error: &StateError) -> LinkLost {
    match error {
        StateError::AwaitPingResp => LinkLost::Ping,
        StateError::Io(_)
        | StateError::ConnectionAborted
        | StateError::Deserialization(PacketError::Io(_)) => LinkLost::Closed,
        StateError::Deserialization(PacketError::PayloadSizeLimitExceeded(_)) => LinkLost::Oversize,
        StateError::Deserialization(_)
        | StateError::InvalidState
        | StateError::Unsolicited(_)
        | StateError::WrongPacket
        | StateError::CollisionTimeout
        | StateError::EmptySubscription => LinkLost::Protocol,
    }
}
