//! What a person does to the signals of one pump: acknowledge, pause, resume, shelve.

use alloc::string::String;

use crate::alarm::condition::Condition;
use crate::alarm::occurrence::{Occurrence, OccurrenceId, Pause, PauseScope, Shelf};
use crate::alarm::{Alarms, Output, Refused};
use crate::time::Instant;

impl Alarms {
    /// Acknowledges an occurrence as far as it was shown; `person` is who, and their note.
    ///
    /// # Errors
    /// It has ended, or changed since the revision named.
    pub fn acknowledge(
        &mut self,
        id: &OccurrenceId,
        revision: u32,
        person: (String, String),
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), Refused> {
        self.register.acknowledge(id, revision, person, now, out)
    }

    /// Pauses the sound of one alarm, or of all that signal; never longer than the rules allow.
    ///
    /// # Errors
    /// Nothing of it signals.
    pub fn pause(
        &mut self,
        id: Option<&OccurrenceId>,
        pause: &Pause,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<u32, Refused> {
        let until = pause.until.min(now.plus(self.rules.signals.pause_max));
        let pause = Pause { until, ..pause.clone() };
        match self.register.pause(id, &pause, now, out) {
            0 if id.is_some_and(|id| !self.active().iter().any(|one| one.id == *id)) => {
                Err(Refused::Unknown)
            }
            0 => Err(Refused::NothingSounds),
            paused => Ok(paused),
        }
    }

    /// Ends pauses before their time: of one alarm, or all of a scope and those within it.
    pub fn resume(
        &mut self,
        id: Option<&OccurrenceId>,
        scopes: &[PauseScope],
        now: Instant,
        out: &mut impl Output,
    ) -> u32 {
        let meant = |one: &Occurrence, pause: &Pause| {
            id.is_none_or(|id| *id == one.id) && scopes.contains(&pause.scope)
        };
        self.register.end_pauses(meant, now, out)
    }

    /// Shelves the condition of an occurrence for a time.
    ///
    /// # Errors
    /// It has ended; it is of high priority or protected.
    pub fn shelve(
        &mut self,
        id: &OccurrenceId,
        shelf: Shelf,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), Refused> {
        let until = shelf.until.min(now.plus(self.rules.signals.shelve_max));
        self.register.shelve(id, Shelf { until, ..shelf }, now, out)
    }

    /// Ends the shelving of a condition.
    ///
    /// # Errors
    /// It is not shelved.
    pub fn unshelve(
        &mut self,
        condition: Condition,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), Refused> {
        self.register.unshelve(condition, now, out)
    }
}
