//! What a person does to the signals of one pump: what they ask for becomes an action, and an action takes effect.

use alloc::vec::Vec;

use crate::alarm::action::{Action, AlarmRef, Ask, What};
use crate::alarm::condition::{Condition, Priority};
use crate::alarm::hold::Hold;
use crate::alarm::occurrence::{Occurrence, OccurrenceId, PauseScope};
use crate::alarm::register::Deed;
use crate::alarm::{Alarms, Output, Refused};
use crate::time::Instant;

impl Alarms {
    /// What a person asks for, as an action that every gateway understands alike. Changes nothing.
    ///
    /// # Errors
    /// The alarm has ended, changed since the revision named, or is never shelved; nothing signals; it is about ownership,
    /// of which alarms know nothing.
    pub fn prepare(&self, ask: Ask<'_>) -> Result<What, Refused> {
        match ask {
            Ask::Acknowledge { id, revision } => {
                let found = self.named(&id)?;
                if !(found.covers_from..=found.revision).contains(&revision) {
                    return Err(Refused::Changed { revision: found.revision });
                }
                Ok(What::Acknowledge(found.named()))
            }
            Ask::Pause { id, scope, lasts } => {
                if let Some(id) = &id {
                    self.named(id)?;
                }
                let alarms = self.names(id.as_ref(), Occurrence::calls);
                if alarms.is_empty() {
                    return Err(Refused::NothingSounds);
                }
                let left = lasts.min(self.rules.signals.pause_max);
                Ok(What::Pause { scope, alarms, left })
            }
            Ask::Resume { id, scope } => {
                let alarms = self.names(id.as_ref(), |one| one.pause.is_some());
                Ok(What::Resume { scope, alarms })
            }
            Ask::Shelve { id, lasts } => {
                let found = self.named(&id)?;
                if found.priority == Priority::High || id.condition.is_protected() {
                    return Err(Refused::NeverShelved);
                }
                let left = lasts.min(self.rules.signals.shelve_max);
                Ok(What::Shelve { condition: id.condition, left })
            }
            Ask::Unshelve(condition) => {
                let mut shelved = self.shelves().iter().map(|(shelved, _shelf)| *shelved);
                if !shelved.any(|shelved| shelved == condition) {
                    return Err(Refused::Unknown);
                }
                Ok(What::Shelve { condition, left: core::time::Duration::ZERO })
            }
            Ask::Accept | Ask::HandOver { .. } | Ask::Reject | Ask::AssignBed(_) => {
                Err(Refused::Unknown)
            }
        }
    }

    fn named(&self, id: &OccurrenceId) -> Result<&Occurrence, Refused> {
        self.active().iter().find(|one| one.id == *id).ok_or(Refused::Unknown)
    }

    /// The alarms that are meant, one or all, as an action names them.
    fn names(
        &self,
        id: Option<&OccurrenceId>,
        is_meant: impl Fn(&Occurrence) -> bool,
    ) -> Vec<AlarmRef> {
        let meant = |one: &&Occurrence| id.is_none_or(|id| *id == one.id) && is_meant(one);
        self.active().iter().filter(meant).map(Occurrence::named).collect()
    }

    /// Lets an action take effect. One that took effect before, or that a later one has overtaken, changes nothing and is no
    /// error. One about an alarm that is not there yet waits for it for a minute.
    ///
    /// # Errors
    /// The alarm is not there, or has called again since; it is never shelved; nothing that was meant signals.
    pub fn apply(
        &mut self,
        action: &Action,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), Refused> {
        let Action { order, by, note, what } = action;
        match what {
            What::Acknowledge(alarm) => {
                let (by, note, order) = (by.clone(), note.clone(), order.clone());
                let done =
                    self.register.act(*alarm, Deed::Acknowledge { by, note, order }, now, out);
                // One that waits for its alarm is told again until that is here.
                if done.is_ok() || self.register.has_ended(&alarm.id) {
                    self.register.cover(*alarm, false, action);
                }
                self.forget_orphan(alarm.id.condition);
                done
            }
            What::AcknowledgeEnded(alarm) => {
                self.register.cover(*alarm, true, action);
                let done = self.register.ended_elsewhere(*alarm, action, now, out);
                self.forget_orphan(alarm.id.condition);
                done
            }
            What::Pause { scope, alarms, left } => {
                let until = now.plus((*left).min(self.rules.signals.pause_max));
                self.register.pause(*scope, alarms, (until, by, order), now, out)
            }
            What::Resume { scope: _, alarms } => {
                for alarm in alarms {
                    // One that is not there makes no sound either.
                    let _not_there =
                        self.register.act(*alarm, Deed::Resume(order.clone()), now, out);
                }
                Ok(())
            }
            What::Shelve { condition, left } => {
                let until = now.plus((*left).min(self.rules.signals.shelve_max));
                let until = (!left.is_zero()).then_some(until);
                self.register.shelve(*condition, until, (by, note, order), now, out)
            }
            // Ownership is no signal.
            What::Own(_) | What::Bed(_) => Ok(()),
        }
    }

    /// Every shelving ends: the pump is another patient's.
    pub(crate) fn unshelve_all(&mut self, now: Instant, out: &mut impl Output) {
        self.register.unshelve_all(now, out);
    }

    /// A new alarm is heard in the ward: pauses that a person made of the ward end. How many.
    pub fn break_pauses(&mut self, now: Instant, out: &mut impl Output) -> u32 {
        let of_ward = |pause: &crate::alarm::occurrence::Pause| pause.scope == PauseScope::Ward;
        self.register.end_pauses(|_one, pause| of_ward(pause), now, out)
    }

    /// The first frame of the agent's run was judged now: what was there already began later here than elsewhere.
    pub(crate) fn joined(&mut self, now: Instant) {
        self.register.joined_at = Some(now);
    }

    /// An orphan that was acknowledged is gone: its rules begin anew, and can raise again.
    fn forget_orphan(&mut self, condition: Condition) {
        if self.register.find(condition).is_some() {
            return;
        }
        for (rule, state) in self.rules.limits().iter().zip(&mut self.limits) {
            if rule.key.condition == condition && state.hold.is_present() {
                state.hold = Hold::new();
            }
        }
        for (rule, state) in self.rules.composites().iter().zip(&mut self.composites) {
            if rule.key.condition == condition && state.hold.is_present() {
                state.hold = Hold::new();
                state.unproven = false;
            }
        }
    }
}
