//! One path: a connection to one broker from first to last, and the next one after it.
//!
//! One connection is one client with one event loop. After any error both are dropped and made anew: the client keeps
//! packets, packet ids and collisions over a reconnect in ways that lose or wedge (`rumqttc` 0.25), and an agent that
//! announces itself at every connection needs nothing of that. Polling runs as one future and publishing as others,
//! which only ever try: waiting for room inside the future that makes room would wait for ever.

use core::time::Duration;
use std::sync::{Arc, Mutex};

use ecmo_identity::ClientTls;
use ecmo_proto::sealed::FRAME_BYTES_MAX;
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, LastWill, MqttOptions, NetworkOptions,
    Outgoing, QoS, SubscribeFilter, TlsConfiguration, Transport,
};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::backoff::Backoff;
use super::pulse::{LOOK_EVERY, Pulse, SILENT_MAX};
use super::seen::Seen;
use super::{PACKET_BYTES_MAX, Shared, answers, lock};
use crate::birth::Presence;
use crate::clock;
use crate::config::BrokerUrl;
use crate::heartbeat::PathState;
use crate::queue::{FRAME_AGE_MAX, InHand};

/// Time between pings. A broker that answers nothing is given up after two of them, should it not be given up before.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// Longest wait for a connection to be accepted, and for the network to take what was written.
const CONNECT_MAX_S: u64 = 2;

/// Longest wait for the broker to acknowledge subscriptions, birth and status.
const ACKNOWLEDGE_MAX: Duration = Duration::from_secs(2);

/// Longest time for the last words of an agent that stops.
const STOP_MAX: Duration = Duration::from_secs(2);

/// Requests between publishing and polling. Few, because what waits here cannot be superseded by newer frames.
const REQUESTS_MAX: usize = 8;

/// Messages that wait for their acknowledgement at once: birth, status and one part of backfill, and room.
const UNACKNOWLEDGED_MAX: u16 = 8;

/// One path of an agent.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) broker: BrokerUrl,
    pub(super) client_id: String,
    /// Who the agent is; `None` at a broker without TLS.
    pub(super) tls: Option<Arc<ClientTls>>,
    pub(super) state: Arc<PathState>,
    pub(super) shared: Arc<Shared>,
    pub(super) pulse: Mutex<Pulse>,
}

/// How a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error("connection to the broker lost")]
    Connection(#[from] Box<ConnectionError>),
    #[error("the broker accepts and does not acknowledge")]
    NotAcknowledged,
    #[error("nothing has come back from the broker for {SILENT_MAX:?}")]
    Silent,
}

impl Path {
    /// Connects, publishes, and connects again after every loss, until `stop` is true or its sender is gone.
    pub(super) async fn run(&self, mut stop: watch::Receiver<bool>) {
        let mut backoff = Backoff::default();
        let mut rng = fastrand::Rng::new();
        let counters = &self.shared.counters;
        while !*stop.borrow() && stop.has_changed().is_ok() {
            let began = clock::now();
            let end = self.connection(&mut stop).await;
            self.state.note_down();
            let Err(lost) = end else { break };
            backoff.note(clock::now().since(began));
            counters.connection_failures.add(1);
            if matches!(lost, Lost::Silent) {
                counters.connections_silent.add(1);
            }
            let wait = backoff.wait(&mut rng);
            self.log(&lost, backoff.failures(), wait);
            tokio::select! {
                () = sleep(wait) => {}
                () = stopped(&mut stop) => {}
            }
        }
        while let Some(frame) = self.state.queue().pop() {
            counters.frames_dropped_stopped.add(1);
            frame.used();
        }
    }

    /// Says once per burst that the broker is away; the rest is for those who look closer.
    fn log(&self, lost: &Lost, failures: u32, wait: Duration) {
        let (path, broker, wait_ms) = (self.state.name(), &self.broker, wait.as_millis());
        let cause = std::error::Error::source(lost).map(ToString::to_string).unwrap_or_default();
        if failures == 1 {
            tracing::warn!(client = self.client_id, path, %broker, error = %lost, cause, wait_ms, "broker lost");
        } else {
            tracing::debug!(client = self.client_id, path, %broker, error = %lost, cause, wait_ms, failures, "broker still away");
        }
    }

    /// One connection from first to last; `Ok` when it was stopped.
    async fn connection(&self, stop: &mut watch::Receiver<bool>) -> Result<(), Lost> {
        let (client, mut event_loop) = AsyncClient::new(self.options(), REQUESTS_MAX);
        event_loop.set_network_options(network_options());
        let seen = Seen::new(&self.shared, &self.state, &self.pulse);
        // None of these is dropped before the connection ends: the client's polling is one long future.
        tokio::select! {
            error = poll(event_loop, &seen) => Err(Box::new(error).into()),
            end = self.serve(&client, &seen, stop) => end,
            () = silence(&seen) => Err(Lost::Silent),
            lost = answers::answer(&self.shared, self.state.queue(), &client, &seen) => Err(lost),
        }
    }

    /// What the broker is told when connecting, the last will included.
    fn options(&self) -> MqttOptions {
        let (host, port) = (self.broker.host(), self.broker.port());
        let mut options = MqttOptions::new(self.client_id.clone(), host, port);
        let topic = self.shared.announcer.topics().status.clone();
        let offline = self.shared.announcer.status(Presence::Offline);
        options
            .set_keep_alive(KEEP_ALIVE)
            .set_clean_session(true)
            .set_inflight(UNACKNOWLEDGED_MAX)
            .set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX)
            .set_last_will(LastWill::new(topic, offline, QoS::AtLeastOnce, true));
        if let Some(tls) = &self.tls {
            let config = TlsConfiguration::Rustls(tls.current());
            options.set_transport(Transport::tls_with_config(config));
        }
        options
    }

    /// Announces, then publishes frames and heartbeats until it is to stop, then says so.
    async fn serve(
        &self,
        client: &AsyncClient,
        seen: &Seen<'_>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), Lost> {
        tokio::select! {
            () = seen.until(|progress| progress.is_accepted) => {}
            () = stopped(stop) => return Ok(()),
        }
        self.shared.counters.connections.add(1);
        self.state.note_connection();
        self.announce(client, seen).await?;
        self.state.note_up();
        tracing::info!(client = self.client_id, path = self.state.name(), broker = %self.broker, "publishing");

        loop {
            if lock(&self.pulse).wait(clock::now()).is_zero() {
                self.beat(client, seen).await;
            }
            if let Some(frame) = self.state.queue().pop() {
                self.send(client, seen, frame).await;
                continue;
            }
            let until_beat = lock(&self.pulse).wait(clock::now());
            tokio::select! {
                () = self.state.queue().arrived() => {}
                () = seen.probed() => {}
                () = sleep(until_beat) => {}
                () = stopped(stop) => break,
            }
        }
        if timeout(STOP_MAX, self.part(client, seen)).await.is_err() {
            tracing::warn!(
                client = self.client_id,
                path = self.state.name(),
                "stopped before the broker heard of it"
            );
        }
        Ok(())
    }

    /// Subscribes and announces. A frame that overtook its birth could not be read, so its acknowledgement is awaited.
    async fn announce(&self, client: &AsyncClient, seen: &Seen<'_>) -> Result<(), Lost> {
        let shared = &self.shared;
        let topics = shared.announcer.topics();
        // Requests are soft state and come again: they need no acknowledgement.
        let filters = || {
            [&topics.request, &topics.heartbeat]
                .map(|topic| SubscribeFilter::new(topic.clone(), QoS::AtMostOnce))
        };
        while client.try_subscribe_many(filters()).is_err() {
            seen.room().await;
        }
        let birth = shared.announcer.birth(clock::stamp(), shared.wall_clock.quality());
        retain(client, seen, &topics.birth, &birth).await;
        let online = shared.announcer.status(Presence::Online);
        let status = retain(client, seen, &topics.status, &online).await;
        let is_announced = seen.until(|progress| {
            let is_birth_done = progress.acks.is_done(status - 1);
            is_birth_done && progress.acks.is_done(status) && progress.hears_itself.is_some()
        });
        timeout(ACKNOWLEDGE_MAX, is_announced).await.map_err(|_late| Lost::NotAcknowledged)
    }

    /// Publishes a heartbeat, or waits a moment for room.
    async fn beat(&self, client: &AsyncClient, seen: &Seen<'_>) {
        let shared = &self.shared;
        let (sequence, echoes) = lock(&self.pulse).next();
        let now = clock::stamp();
        let bytes = shared.heart.beat(sequence, now, echoes, &shared.counters);
        let topic = shared.announcer.topics().heartbeat.as_str();
        if client.try_publish(topic, QoS::AtMostOnce, false, bytes).is_ok() {
            shared.counters.heartbeats_published.add(1);
            shared.counters.probes_answered.add(lock(&self.pulse).sent(now.mono));
        } else {
            seen.room().await;
        }
    }

    /// Publishes one frame, or drops it when it is too old or too long. Waits at most until it is too old.
    async fn send(&self, client: &AsyncClient, seen: &Seen<'_>, frame: InHand<'_>) {
        let counters = &self.shared.counters;
        loop {
            let now = clock::stamp();
            if now.mono.since(frame.frame().finished()) > FRAME_AGE_MAX {
                counters.frames_dropped_old.add(1);
                self.state.note_given_up();
                break;
            }
            let bytes = frame.frame().seal(now);
            if bytes.len() > FRAME_BYTES_MAX {
                counters.frames_dropped_oversize.add(1);
                self.state.note_given_up();
                break;
            }
            let topic = self.shared.announcer.topics().frame.as_str();
            if client.try_publish(topic, QoS::AtMostOnce, false, bytes).is_ok() {
                counters.frames_published.add(1);
                break;
            }
            seen.room().await;
        }
        frame.used();
    }

    /// The last words: what is still waiting, the status, and a proper goodbye, so that the last will is not sent.
    async fn part(&self, client: &AsyncClient, seen: &Seen<'_>) {
        while let Some(frame) = self.state.queue().pop() {
            self.send(client, seen, frame).await;
        }
        let announcer = &self.shared.announcer;
        let stopped = announcer.status(Presence::Stopped);
        let number = retain(client, seen, &announcer.topics().status, &stopped).await;
        seen.until(|progress| progress.acks.is_done(number)).await;
        while client.try_disconnect().is_err() {
            seen.room().await;
        }
        seen.until(|progress| progress.is_closed).await;
    }
}

/// Drives one connection until it fails.
async fn poll(mut event_loop: EventLoop, seen: &Seen<'_>) -> ConnectionError {
    loop {
        match event_loop.poll().await {
            Ok(event) => {
                seen.note(&event);
                if matches!(event, Event::Outgoing(Outgoing::Disconnect)) {
                    // The broker closes now, and that is no loss.
                    core::future::pending::<()>().await;
                }
            }
            Err(error) => return error,
        }
    }
}

/// Waits until the own heartbeats stay away. TCP tells of a frozen broker or a half-open connection far later.
async fn silence(seen: &Seen<'_>) {
    let mut answer = None;
    seen.until(|progress| {
        answer = progress.hears_itself;
        answer.is_some()
    })
    .await;
    if answer == Some(false) {
        // A broker that forbids to hear oneself is not silent. Its pings are all there is.
        tracing::warn!("the broker refuses the subscription to requests and heartbeats; allow it");
        return core::future::pending().await;
    }
    seen.expect_echoes();
    while !seen.is_silent() {
        sleep(LOOK_EVERY).await;
    }
}

/// Hands a retained message to the client; its number among what is acknowledged. Ends with the connection when there is
/// never room.
async fn retain(client: &AsyncClient, seen: &Seen<'_>, topic: &str, payload: &[u8]) -> u64 {
    while client.try_publish(topic, QoS::AtLeastOnce, true, payload).is_err() {
        seen.room().await;
    }
    seen.hand()
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
