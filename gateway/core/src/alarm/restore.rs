//! Goes on with the alarms that were there before a restart of the reader.

use alloc::vec::Vec;

use crate::alarm::action::Order;
use crate::alarm::condition::Condition;
use crate::alarm::occurrence::{Occurrence, Shelf};
use crate::alarm::{Alarms, Output};
use crate::time::Instant;

/// Conditions that are shelved, and the last that a person did to each.
pub(crate) type Shelves<A = Vec<(Condition, Shelf)>, B = Vec<(Condition, Order)>> = (A, B);

impl Alarms {
    pub(crate) fn kept_shelves(&self) -> Shelves<&[(Condition, Shelf)], &[(Condition, Order)]> {
        (self.register.shelves(), self.register.shelved())
    }

    pub(crate) fn changes(&self) -> u64 {
        self.register.changes
    }

    pub(crate) fn restore(
        &mut self,
        occurrences: Vec<Occurrence>,
        shelves: Shelves,
        now: Instant,
        out: &mut impl Output,
    ) {
        self.register.restore(occurrences, shelves, now, out);
    }
}
