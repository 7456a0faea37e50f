//! Which words of other gateways are news, and who lacks an action. Pure: words and times in, findings out.
//!
//! Whether a gateway is lost or decides by other rules is judged with the gateway's other conditions, in the core.

use std::time::Duration;

use ecmo_core::time::Instant;
use ecmo_proto::topic::Id;

use crate::config::PEERS_MAX;
use crate::decode::PeerBeat;
use crate::metrics::PeerRejected;

/// After a silence of so long a gateway has missed something, or this one has (prop): three of its words.
pub(super) const SILENT_AFTER: Duration = Duration::from_secs(3);

/// Another digest of actions counts once it has lasted so long (prop): an action is under way to the other for less.
pub(super) const LACKS_AFTER: Duration = Duration::from_secs(2);

/// First time between two answers to one gateway (prop). It doubles, up to the longest, while the answers do not help.
const ANSWER_FIRST: Duration = Duration::from_secs(3);

/// Longest time between two answers to one gateway (prop).
const ANSWER_LONGEST: Duration = Duration::from_mins(1);

/// One of the other gateways.
#[derive(Debug)]
struct Known {
    name: Id,
    /// Its present start, and the newest number of it.
    newest: (u64, u64),
    /// Its start before: what comes late of it says nothing.
    before: Option<u64>,
    heard_at: Instant,
    lacks_since: Option<Instant>,
    /// When it may be answered again, and the time to the answer after that.
    answer_from: Instant,
    answer_pause: Duration,
}

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// This gateway's own echo, a repeat over the other path, or something late.
    Nothing,
    /// News; every action that counts is to be sent again when `answer` is set.
    News {
        /// The other asks for actions, and may be answered now.
        answer: bool,
    },
    /// Another gateway with this one's name speaks, and not only once.
    Twin,
}

/// What is known of other gateways.
#[derive(Debug)]
pub(super) struct Peers {
    /// Name and start of this gateway.
    own: (Id, u64),
    known: Vec<Known>,
    /// Since when another gateway of this name was heard again and again, and when last.
    twin: Option<(Instant, Instant)>,
    /// Asks until a gateway has spoken that has the same.
    asks: bool,
}

impl Peers {
    /// Nobody was heard yet, so actions are asked for.
    pub(super) const fn new(name: Id, epoch: u64) -> Self {
        Self { own: (name, epoch), known: Vec::new(), twin: None, asks: true }
    }

    /// A word of a gateway; `actions` is this gateway's digest of what people have done.
    pub(super) fn on_beat(
        &mut self,
        beat: &PeerBeat,
        actions: u64,
        now: Instant,
    ) -> Result<Heard, PeerRejected> {
        if beat.gateway == self.own.0 {
            return Ok(self.on_own_name(beat.epoch, now));
        }
        let (is_alike, place) = (beat.actions == actions, self.place(&beat.gateway));
        let Some(known) = place.and_then(|place| self.known.get_mut(place)) else {
            if self.known.len() >= PEERS_MAX {
                return Err(PeerRejected::Capacity);
            }
            let answer = beat.wants_actions && !is_alike;
            self.known.push(Known {
                name: beat.gateway.clone(),
                newest: (beat.epoch, beat.number),
                before: None,
                heard_at: now,
                lacks_since: (!is_alike).then_some(now),
                answer_from: if answer { now.plus(ANSWER_FIRST) } else { now },
                answer_pause: if answer { ANSWER_FIRST * 2 } else { ANSWER_FIRST },
            });
            self.asks = !is_alike;
            return Ok(Heard::News { answer });
        };
        let (epoch, number) = known.newest;
        let is_restarted = beat.epoch != epoch;
        if known.before == Some(beat.epoch) || (!is_restarted && beat.number <= number) {
            return Ok(Heard::Nothing);
        }
        if is_restarted {
            known.before = Some(epoch);
            (known.answer_from, known.answer_pause) = (now, ANSWER_FIRST);
        }
        // What was done during a silence never came here.
        self.asks |= is_restarted || now.since(known.heard_at) >= SILENT_AFTER;
        known.newest = (beat.epoch, beat.number);
        known.heard_at = now;
        known.lacks_since = (!is_alike).then(|| known.lacks_since.unwrap_or(now));
        if is_alike {
            self.asks = false;
            known.answer_pause = ANSWER_FIRST;
        }
        let answer = beat.wants_actions && !is_alike && now >= known.answer_from;
        if answer {
            known.answer_from = now.plus(known.answer_pause);
            known.answer_pause = known.answer_pause.saturating_mul(2).min(ANSWER_LONGEST);
        }
        Ok(Heard::News { answer })
    }

    fn place(&self, name: &Id) -> Option<usize> {
        self.known.iter().position(|known| known.name == *name)
    }

    /// An echo of this gateway, or of its start before; or a gateway that was given the same name.
    fn on_own_name(&mut self, epoch: u64, now: Instant) -> Heard {
        if epoch == self.own.1 {
            return Heard::Nothing;
        }
        let before = self.twin.filter(|(_since, last)| now.since(*last) < SILENT_AFTER);
        let since = before.map_or(now, |(since, _last)| since);
        self.twin = Some((since, now));
        if now.since(since) < SILENT_AFTER { Heard::Nothing } else { Heard::Twin }
    }

    /// Whether this gateway lacks an action, or cannot know that it does not.
    pub(super) fn wants_actions(&self, now: Instant) -> bool {
        let lacks = |since: Instant| now.since(since) >= LACKS_AFTER;
        self.asks || self.known.iter().filter_map(|known| known.lacks_since).any(lacks)
    }
}

#[cfg(test)]
mod tests;
