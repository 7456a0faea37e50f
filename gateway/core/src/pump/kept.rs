//! What of a pump outlives a restart of the reader: its alarms, its shelves, who looks after it.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::Pump;
use super::ownership::Ownership;
use crate::alarm::action::{Action, Order, What};
use crate::alarm::condition::Condition;
use crate::alarm::occurrence::{Occurrence, Shelf};
use crate::alarm::{Covered, Output, Shelves, Waiting};
use crate::reading::NoData;
use crate::time::Instant;

/// A sensor that was doubted before a restart of the reader is believed again after this (prop): the slowest doubt needs a
/// minute to be found anew.
const DOUBTED_FOR: Duration = Duration::from_secs(62);

/// What is kept of a pump. Its times are of the clock of the reader that kept it: who hands it to another reader maps them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Kept {
    /// Every occurrence that has not ended.
    pub occurrences: Vec<Occurrence>,
    /// Conditions that are shelved.
    pub shelves: Vec<(Condition, Shelf)>,
    /// The last that a person did to the shelving of a condition, whether it is shelved or not.
    pub shelved: Vec<(Condition, Order)>,
    /// What people acknowledged, the last ones, whatever has become of it.
    pub covered: Vec<Covered>,
    /// Who looks after it.
    pub ownership: Ownership,
}

impl Kept {
    /// Whether somebody must know of the pump before it is heard again: something is told of it, or somebody looks after it.
    #[must_use]
    pub const fn is_of_concern(&self) -> bool {
        !self.occurrences.is_empty() || self.ownership.owner.is_some()
    }
}

impl Pump {
    /// Every action that still counts: see [`crate::alarm::Alarms::standing`]; ownership and bed last, where anybody said anything.
    #[must_use]
    pub fn standing(&self, now: Instant) -> Vec<Action> {
        let mut standing = self.alarms.standing(now);
        if self.ownership.order != Order::default() {
            let order = self.ownership.order.clone();
            let by = self.ownership.owner.clone().unwrap_or_default();
            let what = What::Own(self.ownership.state(now));
            standing.push(Action { order, by, note: String::new(), what });
        }
        if self.ownership.bed_order != Order::default() {
            let order = self.ownership.bed_order.clone();
            let what = What::Bed(self.ownership.bed.clone());
            standing.push(Action { order, by: String::new(), note: String::new(), what });
        }
        standing
    }

    /// Alarms that samples decided, are gone, and wait for a person since before a time. Not those that were told by another reader.
    pub fn waiting(&self, since: Instant) -> impl Iterator<Item = Waiting> {
        self.alarms.waiting(since)
    }

    /// An alarm waits for a person at another gateway. Where this one was not there when it came and went, it waits here too.
    pub fn adopt(&mut self, waiting: Waiting, now: Instant, out: &mut impl Output) {
        self.alarms.adopt(waiting, now, out);
    }

    /// What is to be kept of the pump now.
    #[must_use]
    pub fn kept(&self) -> Kept {
        let Shelves { shelves, shelved } = self.alarms.kept_shelves();
        Kept {
            occurrences: self.alarms.active().to_vec(),
            shelves,
            shelved,
            covered: self.alarms.kept_covered(),
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
        let mut occurrences = kept.occurrences;
        let known = self.alarms.active();
        occurrences.retain(|one| !known.iter().any(|it| it.id.condition == one.id.condition));
        for occurrence in occurrences.iter_mut().filter(|one| one.present && one.rule == 0) {
            occurrence.orphan = !self.resume(occurrence, now);
        }
        let shelves = Shelves { shelves: kept.shelves, shelved: kept.shelved };
        self.alarms.restore(occurrences, shelves, kept.covered, now, out);
        self.tell_ownership(now, out);
    }

    /// Tells whoever misses something that it was missing before; whether they can say when it is back.
    fn resume(&mut self, occurrence: &Occurrence, now: Instant) -> bool {
        if let Some(parameter) = occurrence.id.condition.sensor() {
            let doubted = occurrence.no_data == Some(NoData::SensorFault);
            let needed = if doubted { DOUBTED_FOR } else { Duration::ZERO };
            let channel = self.channels.get_mut(parameter.index());
            return channel.map(|channel| channel.resume_fault(needed)).is_some();
        }
        match occurrence.id.condition {
            Condition::COMM_STALE => self.flapping.restored = !self.silent,
            Condition::COMM_CONSOLE_SILENT => {
                self.console_restored = !self.console_silent;
                self.console_silent = true;
            }
            Condition::COMM_REDUNDANCY_LOST => self.redundancy.resume(),
            Condition::AGENT_NOT_SAMPLING => self.agent.resume_not_sampling(),
            Condition::AGENT_RECORDING => self.agent.resume_not_recording(),
            Condition::ALARM_VERDICT_DIFFERS => self.reconciler.resume(),
            Condition::CLOCK_SKEW => self.skew.resume(),
            Condition::SOURCE_DUPLICATE => self.duplicate_at = Some(now),
            Condition::COMM_DAMAGED => self.damage.resume(now),
            Condition::SENSOR_RATE => {
                let Some(parameter) = occurrence.parameter else { return false };
                self.rates.resume(parameter);
            }
            Condition::OWNERSHIP_UNANSWERED => {}
            _ => return false,
        }
        true
    }
}
