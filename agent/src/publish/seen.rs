//! What the future that polls has seen, for the futures that publish on the same connection.

use core::time::Duration;
use std::sync::{Mutex, MutexGuard};

use ecmo_core::time::SampleTime;
use ecmo_proto::sealed;
use ecmo_proto::v1::{AgentHeartbeat, ProbeEcho};
use rumqttc::{Event, Outgoing, Packet, Publish, SubscribeReasonCode};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::acks::Acks;
use super::backlog::Backlog;
use super::inbox::{self, Addressee, Asked};
use super::pulse::{Pulse, Silence};
use super::{Shared, lock};
use crate::clock;
use crate::heartbeat::PathState;

/// Longest wait for room among the requests before it is looked again.
const ROOM_WAIT: Duration = Duration::from_millis(50);

/// How far a connection has come.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    pub(super) is_accepted: bool,
    /// The broker's answer to the subscriptions: whether own heartbeats come back.
    pub(super) hears_itself: Option<bool>,
    pub(super) acks: Acks,
    pub(super) is_closed: bool,
}

/// What one connection has seen.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    shared: &'a Shared,
    state: &'a PathState,
    pulse: &'a Mutex<Pulse>,
    now: watch::Sender<Progress>,
    /// Something left the requests to the client.
    room: Notify,
    /// A probe waits for its answer.
    probed: Notify,
    silence: Mutex<Option<Silence>>,
    backlog: Mutex<Backlog>,
    asked: Notify,
}

impl<'a> Seen<'a> {
    /// A connection of a path that has not begun.
    pub(super) fn new(shared: &'a Shared, state: &'a PathState, pulse: &'a Mutex<Pulse>) -> Self {
        lock(pulse).begin();
        Self {
            shared,
            state,
            pulse,
            now: watch::Sender::default(),
            room: Notify::new(),
            probed: Notify::new(),
            silence: Mutex::default(),
            backlog: Mutex::default(),
            asked: Notify::new(),
        }
    }

    /// Waits until the connection has come so far.
    pub(super) async fn until(&self, mut is_reached: impl FnMut(&Progress) -> bool) {
        // The sender lives in `self`, so the wait cannot fail.
        let _reached = self.now.subscribe().wait_for(|now| is_reached(now)).await.is_ok();
    }

    /// Takes note that a message which is to be acknowledged was handed over; its number.
    pub(super) fn hand(&self) -> u64 {
        let mut number = 0;
        self.now.send_modify(|progress| number = progress.acks.hand());
        number
    }

    /// Waits for room among the requests, not for long.
    pub(super) async fn room(&self) {
        // Whether there was room or not: the caller tries again, and has a bound of its own.
        let _tried_again = timeout(ROOM_WAIT, self.room.notified()).await.is_ok();
    }

    /// Waits for a probe.
    pub(super) async fn probed(&self) {
        self.probed.notified().await;
    }

    /// Waits for a request for backfill.
    pub(super) async fn asked(&self) {
        self.asked.notified().await;
    }

    /// The requests for backfill.
    pub(super) fn backlog(&self) -> MutexGuard<'_, Backlog> {
        lock(&self.backlog)
    }

    /// From now on the own heartbeat must come back.
    pub(super) fn expect_echoes(&self) {
        *lock(&self.silence) = Some(Silence::new(clock::now()));
    }

    /// Whether the own heartbeat has not come back for too long.
    pub(super) fn is_silent(&self) -> bool {
        lock(&self.silence).as_mut().is_some_and(|silence| silence.look(clock::now()))
    }

    /// Takes note of what the client did.
    pub(super) fn note(&self, event: &Event) {
        if let Event::Incoming(Packet::Publish(publish)) = event {
            self.on_message(publish, clock::now());
        } else if let Event::Incoming(Packet::ConnAck(_)) = event {
            self.now.send_modify(|progress| progress.is_accepted = true);
        } else if let Event::Incoming(Packet::SubAck(answer)) = event {
            let refused = SubscribeReasonCode::Failure;
            let hears_itself = !answer.return_codes.contains(&refused);
            self.now.send_modify(|progress| progress.hears_itself = Some(hears_itself));
        } else if let Event::Outgoing(Outgoing::Publish(id)) = event {
            if *id != 0 {
                self.now.send_modify(|progress| progress.acks.left(*id));
            }
        } else if let Event::Incoming(Packet::PubAck(ack)) = event {
            self.now.send_modify(|progress| progress.acks.acknowledged(ack.pkid));
        } else if let Event::Outgoing(Outgoing::Disconnect) = event {
            self.now.send_modify(|progress| progress.is_closed = true);
        }
        self.room.notify_one();
    }

    fn on_message(&self, publish: &Publish, now: SampleTime) {
        let topics = self.shared.announcer.topics();
        if publish.topic == topics.heartbeat {
            self.on_heartbeat(publish, now);
        } else if publish.retain {
            // A request that the broker kept is from another time; the contract knows none such.
            self.shared.counters.requests_broken.add(1);
        } else {
            self.on_request(&publish.payload, now);
        }
    }

    fn on_heartbeat(&self, publish: &Publish, now: SampleTime) {
        // Of another agent of this name, or damaged: no echo either way.
        let Ok(heartbeat) = sealed::open::<AgentHeartbeat>(&publish.payload) else { return };
        if heartbeat.boot_id != self.shared.announcer.boot_id() {
            return;
        }
        let took = lock(self.pulse).heard(heartbeat.sequence, heartbeat.mono_ns, now);
        if let Some(took) = took {
            self.state.note_echo(took);
            if let Some(silence) = lock(&self.silence).as_mut() {
                silence.heard(now);
            }
        }
    }

    fn on_request(&self, payload: &[u8], now: SampleTime) {
        let announcer = &self.shared.announcer;
        let counters = &self.shared.counters;
        let us = Addressee { pump: announcer.pump(), boot_id: announcer.boot_id() };
        let (gateway, asked) = match inbox::read(payload, us) {
            Ok(read) => read,
            Err(refused) => {
                refused.counter(counters).add(1);
                return;
            }
        };
        self.backlog().heard(&gateway, now);
        match asked {
            Asked::Probe(probe) => {
                let echo = ProbeEcho {
                    gateway,
                    number: probe.number,
                    sent_mono_ns: probe.sent_mono_ns,
                    received_mono_ns: now.as_nanos(),
                };
                if lock(self.pulse).probed(echo) {
                    self.probed.notify_one();
                } else {
                    counters.requests_too_many.add(1);
                }
            }
            Asked::Lease(lease) => {
                if self.shared.lease.take(&gateway, *lease, now).is_err() {
                    counters.leases_refused.add(1);
                }
            }
            Asked::Backfill(request) => {
                if self.backlog().ask(&gateway, request).is_ok() {
                    self.asked.notify_one();
                } else {
                    counters.requests_too_many.add(1);
                }
            }
        }
    }
}
