//! Goes on with the alarms that were there before a restart of the reader.

use alloc::vec::Vec;

use crate::alarm::action::Order;
use crate::alarm::condition::Condition;
use crate::alarm::hold::Hold;
use crate::alarm::occurrence::{Occurrence, Shelf};
use crate::alarm::register::Covered;
use crate::alarm::rule::RuleKey;
use crate::alarm::{Alarms, Output};
use crate::time::Instant;

/// Conditions that are shelved, and the last that a person did to each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelves {
    pub(crate) shelves: Vec<(Condition, Shelf)>,
    pub(crate) shelved: Vec<(Condition, Order)>,
}

impl Alarms {
    pub(crate) fn kept_shelves(&self) -> Shelves {
        let shelves = self.register.shelves().to_vec();
        Shelves { shelves, shelved: self.register.shelved().to_vec() }
    }

    pub(crate) fn kept_covered(&self) -> Vec<Covered> {
        self.register.covered().to_vec()
    }

    pub(crate) fn changes(&self) -> u64 {
        self.register.changes()
    }

    /// Goes on with what was there before a restart: its rules take it for present until their samples say otherwise. What no
    /// rule can judge is an orphan. What is here already is not touched.
    pub(crate) fn restore(
        &mut self,
        mut occurrences: Vec<Occurrence>,
        shelves: Shelves,
        covered: Vec<Covered>,
        now: Instant,
        out: &mut impl Output,
    ) {
        occurrences.retain(|one| self.register.find(one.id.condition).is_none());
        for occurrence in &mut occurrences {
            if occurrence.present && occurrence.rule > 0 {
                occurrence.orphan = !self.resume(occurrence);
            }
        }
        self.register.restore(occurrences, shelves, covered, now, out);
    }

    /// Tells the rule of an occurrence that it is present; whether the rule can say when it is not.
    fn resume(&mut self, occurrence: &Occurrence) -> bool {
        let key = RuleKey { condition: occurrence.id.condition, number: occurrence.rule };
        for (rule, state) in self.rules.limits().iter().zip(&mut self.limits) {
            if rule.key == key {
                state.hold = Hold::kept();
                return true;
            }
        }
        for (rule, state) in self.rules.composites().iter().zip(&mut self.composites) {
            if rule.key == key {
                let by_before = rule.composite.is_measured_by_before();
                state.resume(occurrence, by_before);
                return !by_before;
            }
        }
        // When the case allows to judge it again, it goes on.
        self.rules.not_evaluable.iter().any(|(rule, _why)| *rule == key)
    }
}
