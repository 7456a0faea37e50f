//! The other gateways: says each second that this one lives and by what it decides, takes over what people did there, and tells again
//! what people did here to a gateway that missed it.
//!
//! Nothing here decides an alarm. The word is said only while the alarm thread answers: a gateway whose alarm thread hangs is as
//! silent as one that is gone.

mod digest;

mod merge;

mod watch;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ecmo_core::alarm::Waiting;
use ecmo_core::uplink::PeerHeard;
use ecmo_proto::topic::{self, GATEWAYS, Id, Kind, PumpAddress};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use crate::actions::Actions;
use crate::clock::Clock;
use crate::decode::{self, PeerBeat, WaitingAt};
use crate::desk::Desk;
use crate::engine::{EngineHandle, StandingActions};
use crate::ingest::{Arrival, Requests};
use crate::metrics::{Metrics, PeerRejected, Said};
use crate::request;

use merge::Merger;
use watch::{Heard, Peers};

pub use digest::config_digest;

/// Time between two words of a gateway about itself.
const BEAT: Duration = Duration::from_secs(1);

/// Time between two parts of an answer (prop).
const ANSWER_PERIOD: Duration = Duration::from_millis(100);

/// Actions in one part of an answer (prop): with it the answer of a whole unit takes some seconds, and no queue fills.
const ANSWER_PART: usize = 32;

/// What the reader of other gateways works with.
#[derive(Debug)]
pub struct PeerParts {
    /// The clock.
    pub clock: Clock,
    /// Handles of all series.
    pub metrics: Arc<Metrics>,
    /// The way to the alarm thread.
    pub engine: EngineHandle,
    /// Where actions of others are taken over.
    pub actions: Arc<Actions>,
    /// Where people change treatments.
    pub desk: Arc<Desk>,
    /// The way to other gateways.
    pub requests: Requests,
    /// What other gateways say, as it came.
    pub heard: mpsc::Receiver<Arrival>,
    /// What people did here: the pump and the sealed message.
    pub told: mpsc::Receiver<(PumpAddress, Bytes)>,
    /// Name of this gateway.
    pub name: Id,
    /// This start of it.
    pub epoch: u64,
    /// Digest of what it decides by.
    pub config: u64,
    /// Names of the gateways that must be there.
    pub expected: Vec<Id>,
}

/// The work with other gateways.
#[derive(Debug)]
struct Talk {
    parts: PeerParts,
    peers: Peers,
    merger: Merger,
    /// Number of the next word.
    number: u64,
    /// Digest of what people did, as of the last second.
    actions: u64,
    /// What is still to be told again.
    answer: VecDeque<(PumpAddress, Bytes)>,
}

/// Talks with other gateways until the gateway ends.
pub async fn run(mut parts: PeerParts) -> &'static str {
    let mut heard = taken(&mut parts.heard);
    let mut told = taken(&mut parts.told);
    let peers = Peers::new(parts.name.clone(), parts.epoch);
    let (number, actions, answer) = (0, 0, VecDeque::new());
    let mut talk = Talk { parts, peers, merger: Merger::default(), number, actions, answer };
    talk.expect();
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut answers = interval(ANSWER_PERIOD);
    answers.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            _ = beats.tick() => talk.beat().await,
            Some((address, message)) = told.recv() => talk.say(&address, &message),
            arrival = heard.recv() => match arrival {
                Some(arrival) => talk.on_arrival(&arrival).await,
                None => return "talk with other gateways",
            },
            _ = answers.tick(), if !talk.answer.is_empty() => talk.answer_part(),
        }
    }
}

/// The receiver, out of its place: what stays there is a channel that nobody fills.
fn taken<T>(place: &mut mpsc::Receiver<T>) -> mpsc::Receiver<T> {
    let (_nobody, empty) = mpsc::channel(1);
    std::mem::replace(place, empty)
}

impl Talk {
    /// Lets those who must be there be missed from now on.
    fn expect(&self) {
        for name in &self.parts.expected {
            self.hear(name, false);
        }
    }

    fn hear(&self, name: &Id, differs: bool) {
        let heard = PeerHeard { name: name.as_str().into(), differs };
        // The next word comes in a second.
        let _no_room = self.parts.engine.peer(heard);
    }

    /// Says that this gateway lives, if its alarm thread does.
    async fn beat(&mut self) {
        let Ok(standing) = self.parts.engine.standing_actions(false).await else {
            tracing::warn!("the alarm thread does not answer; other gateways are told nothing");
            return;
        };
        self.actions = digest::with_treatments(standing.digest, &self.parts.desk);
        let wants_actions = self.peers.wants_actions(self.parts.clock.now());
        let word = request::peer_heartbeat(&PeerBeat {
            gateway: self.parts.name.clone(),
            epoch: self.parts.epoch,
            number: self.number,
            config: self.parts.config,
            profile: self.parts.desk.profile().hash,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            actions: self.actions,
            wants_actions,
            waiting: standing.waiting.into_iter().map(|one| self.dated(one)).collect(),
        });
        self.number += 1;
        let Ok(ward) = Id::new(GATEWAYS) else { return };
        let place = PumpAddress { ward, pump: self.parts.name.clone() };
        // The next one comes in a second; where it goes over no path, that is counted.
        let _paths = self.parts.requests.say(Said::Peer, &place, Kind::Peer, &word);
    }

    /// An alarm that waits, with the wall time of its onset.
    fn dated(&self, (address, waiting): (PumpAddress, Waiting)) -> WaitingAt {
        let age = self.parts.clock.now().since(waiting.onset_at);
        let age = i64::try_from(age.as_nanos()).unwrap_or(i64::MAX);
        let onset_wall_ns = self.parts.clock.wall_ns().saturating_sub(age);
        WaitingAt { address, waiting, onset_wall_ns }
    }

    /// Lets what waits at another gateway wait here too.
    fn adopt(&self, told: Vec<WaitingAt>) {
        if told.is_empty() {
            return;
        }
        let (now, wall_ns) = (self.parts.clock.now(), self.parts.clock.wall_ns());
        let here = |WaitingAt { address, waiting, onset_wall_ns }| {
            let age = u64::try_from(wall_ns.saturating_sub(onset_wall_ns)).unwrap_or(0);
            let onset_at = now.minus(Duration::from_nanos(age));
            (address, Waiting { onset_at, ..waiting })
        };
        // They are told again in a second.
        let _no_room = self.parts.engine.adopt(told.into_iter().map(here).collect());
    }

    async fn on_arrival(&mut self, arrival: &Arrival) {
        // Its topic was looked at when it came.
        let Some(place) = topic::parse(&arrival.topic) else { return };
        let taken = match place.kind {
            _ if arrival.retained => Err(PeerRejected::Retained),
            Kind::Peer => self.on_peer(arrival, place.pump).await,
            Kind::Action => self.merger.take(arrival, place, &self.parts).await,
            Kind::Frame
            | Kind::Birth
            | Kind::Status
            | Kind::Heartbeat
            | Kind::Backfill
            | Kind::Request
            | Kind::Alarm => Err(PeerRejected::Topic),
        };
        if let Err(reason) = taken {
            self.parts.metrics.peer_rejected.get(reason).increment(1);
            tracing::debug!(topic = arrival.topic, reason = reason.label(), "refused");
        }
    }

    async fn on_peer(&mut self, arrival: &Arrival, named: &str) -> Result<(), PeerRejected> {
        let beat = decode::peer(&arrival.payload, named)?;
        match self.peers.on_beat(&beat, self.actions, arrival.received)? {
            Heard::Nothing => {}
            Heard::Twin => self.hear(&beat.gateway, true),
            Heard::News { answer } => {
                self.adopt(beat.waiting);
                self.hear(&beat.gateway, beat.config != self.parts.config);
                if answer && self.answer.is_empty() {
                    self.begin_answer(&beat.gateway).await;
                }
            }
        }
        Ok(())
    }

    /// Gathers everything that people did and that counts, to be told again.
    async fn begin_answer(&mut self, to: &Id) {
        let Ok(StandingActions { actions, .. }) = self.parts.engine.standing_actions(true).await
        else {
            return;
        };
        self.answer = merge::told_again(&actions, &self.parts.desk, &self.parts.name);
        if !self.answer.is_empty() {
            tracing::info!(gateway = %to, actions = self.answer.len(), "telling again what people did");
        }
    }

    fn answer_part(&mut self) {
        for _ in 0..ANSWER_PART {
            let Some((address, message)) = self.answer.pop_front() else { return };
            self.say(&address, &message);
        }
    }

    /// Tells what a person did over every path that is up. What finds no way is counted, and asked for when the other sees by the
    /// digest that it is missing.
    fn say(&mut self, address: &PumpAddress, message: &Bytes) {
        self.merger.said(message, self.parts.clock.now());
        let _paths = self.parts.requests.say(Said::Action, address, Kind::Action, message);
    }
}
