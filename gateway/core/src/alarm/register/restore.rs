//! Takes back the occurrences of before a restart.

use alloc::vec::Vec;

use super::Register;
use super::covered::Covered;
use crate::alarm::action::{AlarmRef, Order};
use crate::alarm::condition::Condition;
use crate::alarm::occurrence::{Occurrence, Transition};
use crate::alarm::rule::Rules;
use crate::alarm::{AlarmChange, Output, Shelves, Waiting};
use crate::time::Instant;

impl Register {
    pub(crate) fn shelved(&self) -> &[(Condition, Order)] {
        &self.shelved
    }

    /// What waits at another gateway waits here too, unless it was here, or was acknowledged.
    pub(crate) fn adopt(
        &mut self,
        waiting: Waiting,
        rules: &Rules,
        now: Instant,
        out: &mut impl Output,
    ) {
        let AlarmRef { id, call } = waiting.alarm;
        let covers = |known: &Covered| known.alarm.id == id && known.alarm.call >= call;
        let is_known = self.find(id.condition).is_some() || self.has_ended(&id);
        if is_known || self.covered().iter().any(covers) {
            return;
        }
        let shelf = self.shelf_of(id.condition, waiting.priority, now);
        self.active.push(Occurrence { shelf, ..waiting.occurrence(now) });
        self.changes += 1;
        self.arm(id.condition, rules, now);
        self.announce(id.condition, Transition::Latched, now, None, out);
        self.break_pauses_if_heard(id.condition, now, out);
        self.act_on_new(id.condition, now, out);
    }

    /// What is here already is not touched.
    pub(crate) fn restore(
        &mut self,
        occurrences: Vec<Occurrence>,
        Shelves { shelves, shelved }: Shelves,
        covered: Vec<Covered>,
        now: Instant,
        out: &mut impl Output,
    ) {
        covered.into_iter().for_each(|one| self.remember_covered(one));
        for (condition, order) in shelved {
            if !self.shelved.iter().any(|(known, _order)| *known == condition) {
                self.shelved.push((condition, order));
                self.shelves.extend(shelves.iter().find(|(one, _)| *one == condition).cloned());
            }
        }
        for mut occurrence in occurrences {
            if self.find(occurrence.id.condition).is_some() {
                continue;
            }
            let shelf = self.shelves.iter().find(|(one, _)| *one == occurrence.id.condition);
            occurrence.shelf = shelf.map(|(_condition, shelf)| shelf.clone());
            // What people said is known as before.
            let is_said = occurrence.id.condition == Condition::OWNERSHIP_UNANSWERED;
            if occurrence.present && !occurrence.last_known && !is_said {
                occurrence.last_known = true;
                occurrence.revise(now);
                let transition = Transition::DataLost;
                out.alarm(AlarmChange { occurrence: &occurrence, transition, cause: None });
            }
            self.active.push(occurrence);
        }
        self.changes += 1;
        self.free_leaderless(now, out);
    }
}
