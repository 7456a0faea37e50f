//! Messages at the pump's place that could not be read: told when they are many, whatever else arrives.

use super::Pump;
use crate::alarm::condition::{Condition, Priority};
use crate::alarm::occurrence::OccurrenceId;
use crate::alarm::{Absence, Output};
use crate::path::Path;
use crate::time::Instant;

impl Pump {
    /// A frame, or another message, came that is damaged, against the contract or of another pump. It is no sign of life, and
    /// none of its values is ever looked at.
    pub fn on_damaged(&mut self, path: Path, now: Instant, out: &mut impl Output) {
        // One whose end was due before it came is another.
        self.check_damage(now, out);
        if !self.damage.note(path, now) {
            return;
        }
        let began = self.damage.since().unwrap_or(now);
        // No frame names it: there may be none that can be read, and two that follow each other must have two names.
        let id = OccurrenceId {
            condition: Condition::COMM_DAMAGED,
            boot: self.boot,
            onset: now.as_nanos(),
        };
        let absence = Absence { id, priority: Priority::Low, ..self.absence(id.condition, began) };
        self.alarms.raise_absence(absence, now, out);
    }

    /// Ends the alarm when all has been well for long enough.
    pub(super) fn check_damage(&mut self, now: Instant, out: &mut impl Output) {
        if self.damage.on_tick(now) {
            self.alarms.clear(Condition::COMM_DAMAGED, now, out);
        }
    }
}
