//! Conditions that are the absence of something: no sample decides them, whoever misses it does.

use alloc::sync::Arc;

use crate::alarm::condition::{Condition, Kind, Priority};
use crate::alarm::occurrence::{Occurrence, OccurrenceId};
use crate::alarm::{Alarms, Output};
use crate::parameter::Parameter;
use crate::reading::NoData;
use crate::time::Instant;

/// A condition that is the absence of something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Absence {
    pub(crate) id: OccurrenceId,
    pub(crate) priority: Priority,
    pub(crate) parameter: Option<Parameter>,
    pub(crate) no_data: Option<NoData>,
    pub(crate) onset_at: Instant,
}

impl Alarms {
    /// Raises a condition of absence; nothing but its priority changes when it is present already.
    pub(crate) fn raise_absence(&mut self, absence: Absence, now: Instant, out: &mut impl Output) {
        let condition = absence.id.condition;
        let rules = Arc::clone(&self.rules);
        if let Some(found) = self.register.find(condition).filter(|found| found.present) {
            if found.priority != absence.priority {
                self.register.set_priority(condition, absence.priority, &rules, now, None, out);
            }
            return;
        }
        let mut new =
            Occurrence::new(absence.id, Kind::Technical, absence.priority, absence.onset_at, now);
        new.parameter = absence.parameter;
        new.no_data = absence.no_data;
        new.unreviewed = rules.unreviewed;
        self.register.raise(new, &rules, now, None, out);
    }

    /// Raises something to be read, which is over already: it stays until a person acknowledges it.
    pub(crate) fn notice(&mut self, absence: Absence, now: Instant, out: &mut impl Output) {
        let condition = absence.id.condition;
        self.raise_absence(absence, now, out);
        if let Some(raised) = self.register.find_mut(condition) {
            raised.latching = true;
        }
        self.register.clear(condition, now, None, out);
    }

    /// Ends a condition of absence.
    pub(crate) fn clear(&mut self, condition: Condition, now: Instant, out: &mut impl Output) {
        self.register.clear(condition, now, None, out);
    }
}
