//! What of a pump outlives a restart of the reader: its alarms, its shelves, who looks after it.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Pump;
use super::ownership::Ownership;
use crate::alarm::Output;
use crate::alarm::action::Order;
use crate::alarm::condition::Condition;
use crate::alarm::occurrence::{Occurrence, Shelf};
use crate::time::Instant;

/// What is kept of a pump. Its times are of the clock of the reader that kept it: who hands it to another reader maps them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Kept {
    /// Every occurrence that has not ended.
    pub occurrences: Vec<Occurrence>,
    /// Conditions that are shelved.
    pub shelves: Vec<(Condition, Shelf)>,
    /// The last that a person did to the shelving of a condition, whether it is shelved or not.
    pub shelved: Vec<(Condition, Order)>,
    /// Who looks after it.
    pub ownership: Ownership,
}

impl Pump {
    /// What is to be kept of the pump now.
    #[must_use]
    pub fn kept(&self) -> Kept {
        let (shelves, shelved) = self.alarms.kept_shelves();
        Kept {
            occurrences: self.alarms.active().to_vec(),
            shelves: shelves.to_vec(),
            shelved: shelved.to_vec(),
            ownership: Ownership::clone(&self.ownership),
        }
    }

    /// Goes up when what is to be kept has changed in more than its values.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.alarms.changes().wrapping_add(self.ownership.version)
    }

    /// Goes on with what was kept before a restart, before anything has arrived. What is here already is not touched.
    pub fn restore(&mut self, kept: Kept, now: Instant, out: &mut impl Output) {
        if kept.ownership.version > self.ownership.version {
            self.ownership = Arc::new(kept.ownership);
        }
        self.alarms.restore(kept.occurrences, (kept.shelves, kept.shelved), now, out);
    }
}
