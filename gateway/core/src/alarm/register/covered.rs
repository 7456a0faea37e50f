//! Acknowledgements that were made at one pump, the last ones: whoever was not there hears of them also when what they covered has
//! ended since.

use alloc::string::String;

use super::Register;
use crate::alarm::action::{Action, AlarmRef, Order};
use crate::alarm::condition::Condition;
use crate::alarm::occurrence::{Occurrence, OccurrenceId, Signal};
use crate::alarm::{Output, Refused};
use crate::frame::BootId;
use crate::time::Instant;

/// Acknowledgements that are remembered at one pump (prop), by their order and not by a clock: so two gateways that know the same
/// ones remember the same ones.
pub const COVERED_MAX: usize = 64;

/// An acknowledgement, whatever has become of the alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// The alarm, as it was named.
    pub alarm: AlarmRef,
    /// Who, as they named themselves.
    pub by: String,
    /// What they added; may be empty.
    pub note: String,
    /// Its place among others.
    pub order: Order,
    /// Another gateway says that the alarm has ended there since.
    pub ended: bool,
}

impl Covered {
    /// Not by its onset: a gateway that joined later names it by another one.
    fn place(&self) -> (&Order, Condition, Option<BootId>) {
        (&self.order, self.alarm.id.condition, self.alarm.id.boot)
    }
}

impl Covered {
    /// Whether it covers an alarm that was present until now. A gateway that joined while it was names it by a later onset, and counts
    /// its calls from there.
    fn covers(&self, one: &Occurrence) -> bool {
        let AlarmRef { id, call } = self.alarm;
        if id == one.id {
            return call >= one.call;
        }
        let is_of_it = id.condition == one.id.condition && id.boot == one.id.boot;
        let (since, first) =
            one.returned.iter().flatten().next_back().copied().unwrap_or((one.id.onset, 1));
        let covered = first.saturating_add(call).saturating_sub(1);
        id.boot.is_some() && is_of_it && id.onset >= since && covered >= one.call
    }
}

impl Register {
    /// Acknowledgements that are remembered, the earliest first.
    pub(crate) fn covered(&self) -> &[Covered] {
        &self.covered
    }

    /// Whether an alarm was here and has ended, as far as that is remembered.
    pub(crate) fn has_ended(&self, id: &OccurrenceId) -> bool {
        self.ended.iter().any(|ended| ended.id == *id)
    }

    /// Remembers an acknowledgement; the earliest is forgotten for it.
    pub(crate) fn cover(&mut self, alarm: AlarmRef, ended: bool, action: &Action) {
        let Action { order, by, note, what: _ } = action;
        let (order, by, note) = (order.clone(), by.clone(), note.clone());
        self.remember_covered(Covered { alarm, by, note, order, ended });
    }

    pub(super) fn remember_covered(&mut self, new: Covered) {
        match self.covered.binary_search_by(|known| known.place().cmp(&new.place())) {
            Ok(place) => {
                let Some(known) = self.covered.get_mut(place) else { return };
                if known.ended || !new.ended {
                    return;
                }
                known.ended = true;
            }
            Err(place) => {
                self.covered.insert(place, new);
                if self.covered.len() > COVERED_MAX {
                    self.covered.remove(0);
                }
            }
        }
        self.changes += 1;
    }

    /// An alarm was acknowledged elsewhere and has ended there. What waits here for nothing but that ends too. What is present by the
    /// samples that came here stays as it is: it may have begun anew there. Once it is gone here as well, it ends.
    pub(crate) fn ended_elsewhere(
        &mut self,
        alarm: AlarmRef,
        action: &Action,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), Refused> {
        let call = self.meant(alarm, false).ok_or(Refused::Unknown)?;
        let waits = |one: &Occurrence| one.signal() == Signal::Latched || one.orphan;
        if !self.find(alarm.id.condition).is_some_and(waits) {
            return Ok(());
        }
        let said = (action.by.clone(), action.note.clone(), action.order.clone());
        self.acknowledge(alarm.id.condition, call, said, now, out)
    }

    /// What has latched and was acknowledged elsewhere before it was gone here ends now.
    pub(super) fn end_covered(
        &mut self,
        condition: Condition,
        now: Instant,
        out: &mut impl Output,
    ) {
        let Some(one) = self.find(condition) else { return };
        let (call, covers) = (one.call, |known: &&Covered| known.ended && known.covers(one));
        let Some(known) = self.covered.iter().find(covers).cloned() else { return };
        let Covered { by, note, order, alarm: _, ended: _ } = known;
        // It covers this call.
        let _done = self.acknowledge(condition, call, (by, note, order), now, out);
    }
}
