//! Publishes birth, status and live frames over MQTT. The only file that knows the MQTT client.
//!
//! One connection is one client with one event loop. After any error both are dropped and made anew: the client keeps
//! packets, packet ids and collisions over a reconnect in ways that lose or wedge (`rumqttc` 0.25), and an agent that
//! announces itself at every connection needs nothing of that. Polling runs as one future and publishing as another,
//! which only ever tries: waiting for room inside the future that makes room would wait for ever.

mod backoff;

use core::time::Duration;
use std::sync::Arc;

use ecmo_proto::sealed::FRAME_BYTES_MAX;
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, LastWill, MqttOptions, NetworkOptions,
    Outgoing, Packet, QoS,
};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use self::backoff::Backoff;
use crate::birth::{Announcer, Presence};
use crate::clock;
use crate::config::BrokerUrl;
use crate::counters::Counters;
use crate::queue::{FRAME_AGE_MAX, FrameQueue, InHand};

/// Longest packet in both directions; the client's default of 10 KiB would refuse a long birth.
pub const PACKET_BYTES_MAX: usize = 256 * 1024;
const _: () = assert!(FRAME_BYTES_MAX < PACKET_BYTES_MAX, "every sealed frame fits a packet");

/// Bytes of a packet besides its payload, at most: fixed header, topic, packet id.
const PACKET_HEAD_BYTES_MAX: usize = 512;

/// Time between pings. A broker that answers nothing is given up after two of them.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// Longest wait for a connection to be accepted, and for the network to take what was written.
const CONNECT_MAX_S: u64 = 2;

/// Longest wait for the broker to acknowledge birth and status.
const ACKNOWLEDGE_MAX: Duration = Duration::from_secs(2);

/// Longest time for the last words of an agent that stops.
const STOP_MAX: Duration = Duration::from_secs(2);

/// Requests between publishing and polling. Few, because what waits here cannot be superseded by newer frames.
const REQUESTS_MAX: usize = 8;

/// Longest wait for room among the requests before it is looked again.
const ROOM_WAIT: Duration = Duration::from_millis(50);

/// Birth and status: what is acknowledged before the first frame.
const ANNOUNCEMENTS: u32 = 2;

/// Publishes what one agent samples.
#[derive(Debug)]
pub struct Publisher {
    broker: BrokerUrl,
    client_id: String,
    announcer: Announcer,
    queue: Arc<FrameQueue>,
    counters: Arc<Counters>,
}

/// Why an agent cannot be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the birth has {0} bytes, at most {PACKET_BYTES_MAX} can be sent: shorten names or remove a [[source]]"
)]
pub struct BirthTooLong(usize);

/// How a connection ended.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("connection to the broker lost")]
    Connection(#[from] Box<ConnectionError>),
    #[error("the broker accepts and does not acknowledge")]
    NotAcknowledged,
}

/// What polling has seen, for the future that publishes.
#[derive(Debug, Default)]
struct Seen {
    now: watch::Sender<Progress>,
    /// Something left the requests.
    room: Notify,
}

#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    is_accepted: bool,
    acknowledged: u32,
    is_closed: bool,
}

impl Publisher {
    /// A publisher that connects when it runs.
    ///
    /// # Errors
    /// The birth would not fit a packet.
    pub fn new(
        broker: BrokerUrl,
        client_id: String,
        announcer: Announcer,
        queue: Arc<FrameQueue>,
        counters: Arc<Counters>,
    ) -> Result<Self, BirthTooLong> {
        let bytes = announcer.birth(clock::stamp()).len();
        if bytes + PACKET_HEAD_BYTES_MAX > PACKET_BYTES_MAX {
            return Err(BirthTooLong(bytes));
        }
        Ok(Self { broker, client_id, announcer, queue, counters })
    }

    /// Connects, publishes, and connects again after every loss, until `stop` is true or its sender is gone.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut backoff = Backoff::default();
        let mut rng = fastrand::Rng::new();
        while !*stop.borrow() && stop.has_changed().is_ok() {
            let began = clock::now();
            let Err(lost) = self.connection(&mut stop).await else { break };
            backoff.note(clock::now().since(began));
            self.counters.connection_failures.add(1);
            let wait = backoff.wait(&mut rng);
            self.log(&lost, backoff.failures(), wait);
            tokio::select! {
                () = sleep(wait) => {}
                () = stopped(&mut stop) => {}
            }
        }
        while let Some(frame) = self.queue.pop() {
            self.counters.frames_dropped_stopped.add(1);
            frame.used();
        }
    }

    /// Says once per burst that the broker is away; the rest is for those who look closer.
    fn log(&self, lost: &Lost, failures: u32, wait: Duration) {
        let (broker, wait_ms) = (&self.broker, wait.as_millis());
        let cause = std::error::Error::source(lost).map(ToString::to_string).unwrap_or_default();
        if failures == 1 {
            tracing::warn!(client = self.client_id, %broker, error = %lost, cause, wait_ms, "broker lost");
        } else {
            tracing::debug!(client = self.client_id, %broker, error = %lost, cause, wait_ms, failures, "broker still away");
        }
    }

    /// One connection from first to last; `Ok` when it was stopped.
    async fn connection(&self, stop: &mut watch::Receiver<bool>) -> Result<(), Lost> {
        let (client, mut event_loop) = AsyncClient::new(self.options(), REQUESTS_MAX);
        event_loop.set_network_options(network_options());
        let seen = Seen::default();
        // Neither future is dropped before the connection ends: the client's polling is one long future.
        tokio::select! {
            error = poll(event_loop, &seen) => Err(Box::new(error).into()),
            end = self.serve(&client, &seen, stop) => end,
        }
    }

    /// What the broker is told when connecting, the last will included.
    fn options(&self) -> MqttOptions {
        let (host, port) = (self.broker.host(), self.broker.port());
        let mut options = MqttOptions::new(self.client_id.clone(), host, port);
        let topic = self.announcer.topics().status.clone();
        let offline = self.announcer.status(Presence::Offline);
        options
            .set_keep_alive(KEEP_ALIVE)
            .set_clean_session(true)
            .set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX)
            .set_last_will(LastWill::new(topic, offline, QoS::AtLeastOnce, true));
        options
    }

    /// Announces, then publishes frames until it is to stop, then says so.
    async fn serve(
        &self,
        client: &AsyncClient,
        seen: &Seen,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), Lost> {
        tokio::select! {
            () = seen.until(|progress| progress.is_accepted) => {}
            () = stopped(stop) => return Ok(()),
        }
        self.counters.connections.add(1);
        let topics = self.announcer.topics();
        let birth = self.announcer.birth(clock::stamp());
        request(client, seen, &topics.birth, &birth).await;
        let online = self.announcer.status(Presence::Online);
        request(client, seen, &topics.status, &online).await;
        // A frame that overtook its birth could not be read.
        let is_announced = |progress: &Progress| progress.acknowledged >= ANNOUNCEMENTS;
        if timeout(ACKNOWLEDGE_MAX, seen.until(is_announced)).await.is_err() {
            return Err(Lost::NotAcknowledged);
        }
        tracing::info!(client = self.client_id, broker = %self.broker, "publishing");

        loop {
            if let Some(frame) = self.queue.pop() {
                self.send(client, seen, frame).await;
                continue;
            }
            tokio::select! {
                () = self.queue.arrived() => {}
                () = stopped(stop) => break,
            }
        }
        if timeout(STOP_MAX, self.part(client, seen)).await.is_err() {
            tracing::warn!(client = self.client_id, "stopped before the broker heard of it");
        }
        Ok(())
    }

    /// Publishes one frame, or drops it when it is too old or too long. Waits at most until it is too old.
    async fn send(&self, client: &AsyncClient, seen: &Seen, frame: InHand<'_>) {
        loop {
            let now = clock::stamp();
            if now.mono.since(frame.frame().finished()) > FRAME_AGE_MAX {
                self.counters.frames_dropped_old.add(1);
                break;
            }
            let bytes = frame.frame().seal(now);
            if bytes.len() > FRAME_BYTES_MAX {
                self.counters.frames_dropped_oversize.add(1);
                break;
            }
            let topic = self.announcer.topics().frame.as_str();
            if client.try_publish(topic, QoS::AtMostOnce, false, bytes).is_ok() {
                self.counters.frames_published.add(1);
                break;
            }
            seen.room().await;
        }
        frame.used();
    }

    /// The last words: what is still waiting, the status, and a proper goodbye, so that the last will is not sent.
    async fn part(&self, client: &AsyncClient, seen: &Seen) {
        while let Some(frame) = self.queue.pop() {
            self.send(client, seen, frame).await;
        }
        let stopped = self.announcer.status(Presence::Stopped);
        request(client, seen, &self.announcer.topics().status, &stopped).await;
        seen.until(|progress| progress.acknowledged > ANNOUNCEMENTS).await;
        while client.try_disconnect().is_err() {
            seen.room().await;
        }
        seen.until(|progress| progress.is_closed).await;
    }
}

impl Seen {
    /// Waits until polling has seen something.
    async fn until(&self, mut is_reached: impl FnMut(&Progress) -> bool) {
        // The sender lives in `self`, so the wait cannot fail.
        let _reached = self.now.subscribe().wait_for(|now| is_reached(now)).await.is_ok();
    }

    /// Waits for room among the requests, not for long.
    async fn room(&self) {
        // Whether there was room or not: the caller tries again, and has a bound of its own.
        let _tried_again = timeout(ROOM_WAIT, self.room.notified()).await.is_ok();
    }

    fn note(&self, event: &Event) {
        if let Event::Incoming(Packet::ConnAck(_)) = event {
            self.now.send_modify(|progress| progress.is_accepted = true);
        } else if let Event::Incoming(Packet::PubAck(_)) = event {
            self.now.send_modify(|progress| progress.acknowledged += 1);
        } else if let Event::Outgoing(Outgoing::Disconnect) = event {
            self.now.send_modify(|progress| progress.is_closed = true);
        }
        self.room.notify_one();
    }
}

/// Drives one connection until it fails.
async fn poll(mut event_loop: EventLoop, seen: &Seen) -> ConnectionError {
    loop {
        match event_loop.poll().await {
            Ok(event) => seen.note(&event),
            Err(error) => return error,
        }
    }
}

/// Hands a retained message to the client. Ends with the connection when there is never room.
async fn request(client: &AsyncClient, seen: &Seen, topic: &str, payload: &[u8]) {
    while client.try_publish(topic, QoS::AtLeastOnce, true, payload).is_err() {
        seen.room().await;
    }
}

/// Waits until the agent is to stop, or nobody is left who could say so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _stopped_or_abandoned = stop.wait_for(|is_stopped| *is_stopped).await.is_ok();
}

fn network_options() -> NetworkOptions {
    let mut options = NetworkOptions::new();
    options.set_tcp_nodelay(true);
    options.set_connection_timeout(CONNECT_MAX_S);
    options
}
