//! I5: two gateways that have judged the same frames name the alarms of these frames alike.

use std::collections::BTreeMap;

use ecmo_core::alarm::occurrence::{Occurrence, Transition};
use ecmo_core::frame::BootId;

use super::ordered::Order;
use super::{Invariant, Verdict, Violation};
use crate::gateway::Told;
use crate::many::Many;
use crate::rules::WATCHED;
use crate::time::{Nanos, SECOND};

/// So many frames without a gap before an alarm make the same inputs: longer than any delay, and the end of one.
const SAME_FOR: u64 = 20;

/// A gateway that held the alarm already within this time need not raise it with the other one.
const HELD_LATELY: Nanos = 60 * SECOND;

/// Alarms of a pump that are remembered for the other gateway.
const REMEMBERED: usize = 64;

/// What a frame raised.
type Key = (BootId, u64, usize);

/// One pump as two gateways judge it.
#[derive(Debug)]
pub struct Alike {
    /// Per gateway: the onsets that it named.
    raised: Many<BTreeMap<Key, u64>>,
    /// Per gateway: alarms of the other one, until it has judged their frame too.
    due: Many<Vec<(Key, u64)>>,
    /// Per gateway and watched signal: when it last held an alarm of it.
    held_at: Many<Many<Option<Nanos>>>,
    /// Alarms that were compared.
    pub compared: u64,
}

impl Alike {
    /// Nothing was judged.
    #[must_use]
    pub fn new(gateways: usize) -> Self {
        Self {
            raised: Many::new(gateways, |_| BTreeMap::new()),
            due: Many::new(gateways, |_| Vec::new()),
            held_at: Many::new(gateways, |_| Many::new(WATCHED.len(), |_| None)),
            compared: 0,
        }
    }

    /// A gateway died: what it raised before says nothing of what it will.
    pub fn forget(&mut self, gateway: usize) {
        self.raised[gateway].clear();
        self.due[gateway].clear();
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
        if held.is_some_and(|at| now.saturating_sub(at) < HELD_LATELY / 4)
            || order.whole_from + SAME_FOR > sequence
        {
            return;
        }
        let (key, onset) = ((boot, sequence, place), told.occurrence.id.onset);
        let raised = &mut self.raised[gateway];
        raised.insert(key, onset);
        if raised.len() > REMEMBERED {
            raised.pop_first();
        }
        for other in (0..self.due.len()).filter(|other| *other != gateway) {
            if self.due[other].len() < REMEMBERED {
                self.due[other].push((key, onset));
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
        for (key, onset) in due {
            let (of, sequence, place) = key;
            if of == boot && sequence > newest {
                self.due[gateway].push((key, onset));
                continue;
            }
            if of != boot || order.whole_from + SAME_FOR > sequence {
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
