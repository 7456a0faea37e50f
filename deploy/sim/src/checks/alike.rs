//! I5: two gateways that have judged the same frames name the alarms of these frames alike.
//!
//! The same frames are all that decide: from the last of the signal's good times on ([`Ground`]), without a gap at either.

use std::collections::BTreeMap;

use ecmo_core::alarm::occurrence::{Occurrence, Transition};
use ecmo_core::frame::{BootId, Frame};

use super::ground::Ground;
use super::ordered::Order;
use super::{Invariant, Verdict, Violation};
use crate::gateway::Told;
use crate::many::Many;
use crate::rules::{Pace, WATCHED};
use crate::time::{Nanos, SECOND};

/// A gateway that held the alarm already within this time need not raise it with the other one.
const HELD_LATELY: Nanos = 60 * SECOND;

/// Alarms of a pump that are remembered for the other gateway.
const REMEMBERED: usize = 64;

/// What a frame raised.
type Key = (BootId, u64, usize);

/// An alarm that one gateway has raised, and another one must.
#[derive(Debug, Clone, Copy)]
struct Due {
    key: Key,
    onset: u64,
    /// The first of the frames that decided it.
    decided_from: u64,
}

/// One pump as two gateways judge it.
#[derive(Debug)]
pub struct Alike {
    /// Per gateway: the onsets that it named.
    raised: Many<BTreeMap<Key, u64>>,
    /// Per gateway: alarms of the other one, until it has judged their frame too.
    due: Many<Vec<Due>>,
    /// Per gateway and watched signal: when it last held an alarm of it.
    held_at: Many<Many<Option<Nanos>>>,
    grounds: Many<Ground>,
    /// Alarms that were compared.
    pub compared: u64,
}

impl Alike {
    /// Nothing was judged.
    #[must_use]
    pub fn new(gateways: usize, pace: Pace) -> Self {
        Self {
            raised: Many::new(gateways, |_| BTreeMap::new()),
            due: Many::new(gateways, |_| Vec::new()),
            held_at: Many::new(gateways, |_| Many::new(WATCHED.len(), |_| None)),
            grounds: Many::from(WATCHED.map(|watched| Ground::new(watched, pace))),
            compared: 0,
        }
    }

    /// A gateway died: what it raised before says nothing of what it will.
    pub fn forget(&mut self, gateway: usize) {
        self.raised[gateway].clear();
        self.due[gateway].clear();
    }

    /// The agent has made a frame.
    pub fn on_made(&mut self, frame: &Frame) {
        self.grounds.iter_mut().for_each(|ground| ground.on_made(frame));
    }

    /// An alarm of the pump changed at a gateway that has come so far with its frames.
    pub fn on_told(&mut self, gateway: usize, told: &Told, order: &Order, now: Nanos) {
        let condition = told.occurrence.id.condition;
        let place = WATCHED.iter().position(|watched| watched.condition == condition);
        let Some(place) = place else { return };
        let is_raised = told.transition == Transition::Raised;
        let held = self.held_at[gateway][place];
        self.held_at[gateway][place] = Some(now);
        let Some((boot, sequence)) = told.frame.filter(|_| is_raised) else { return };
        if held.is_some_and(|at| now.saturating_sub(at) < HELD_LATELY / 4) {
            return;
        }
        // What began before its frames, or in a gap of them, it cannot know as the other one does.
        let decided_from = self.grounds[place].of(boot, sequence);
        let Some(decided_from) = decided_from.filter(|from| order.whole_from <= *from) else {
            return;
        };
        let (key, onset) = ((boot, sequence, place), told.occurrence.id.onset);
        let raised = &mut self.raised[gateway];
        raised.insert(key, onset);
        if raised.len() > REMEMBERED {
            raised.pop_first();
        }
        for other in (0..self.due.len()).filter(|other| *other != gateway) {
            if self.due[other].len() < REMEMBERED {
                self.due[other].push(Due { key, onset, decided_from });
            }
        }
    }

    /// I5, once a gateway has judged a frame that raised an alarm at the other one. The bound is none: the names are equal.
    ///
    /// # Errors
    /// It raised none, or named it otherwise, although it had the same frames.
    pub fn check(
        &mut self,
        gateway: usize,
        order: &Order,
        holds: &[Occurrence],
        now: Nanos,
    ) -> Verdict {
        if self.due[gateway].is_empty() {
            return Ok(());
        }
        let Some((boot, newest)) = order.newest() else { return Ok(()) };
        let due = std::mem::take(&mut self.due[gateway]);
        for one in due {
            let Due { key, onset, decided_from } = one;
            let (of, sequence, place) = key;
            if of == boot && sequence > newest {
                self.due[gateway].push(one);
                continue;
            }
            if of != boot || order.whole_from > decided_from {
                continue;
            }
            let lately = |at: Nanos| now.saturating_sub(at) < HELD_LATELY;
            let named = self.raised[gateway].get(&key).copied();
            let held = self.held_at[gateway][place].is_some_and(lately);
            let of = WATCHED.get(place).map(|watched| watched.condition);
            let held = held || holds.iter().any(|one| Some(one.id.condition) == of);
            self.compared += 1;
            if named == Some(onset) || (named.is_none() && held) {
                continue;
            }
            let condition = WATCHED.get(place).map(|watched| watched.condition.to_string());
            let what = format!(
                "frame {sequence} of run {boot} raised {} with onset {onset:x} at the other gateway, at gateway {gateway} {named:x?}",
                condition.unwrap_or_default()
            );
            return Err(Violation::new(Invariant::Alike, now, what));
        }
        Ok(())
    }
}
