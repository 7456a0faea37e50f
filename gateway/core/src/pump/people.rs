//! What people say about a pump: its treatment, its limits, contexts, and what they do to the signals of its alarms.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Pump;
use crate::alarm::condition::Condition;
use crate::alarm::occurrence::{OccurrenceId, Pause, PauseScope, Shelf};
use crate::alarm::profile::Profile;
use crate::alarm::quality::Quality;
use crate::alarm::rule::{Limit, Measure, NotEvaluable, RuleKey, Rules};
use crate::alarm::treatment::Treatment;
use crate::alarm::{Output, Refused};
use crate::case::Case;
use crate::parameter::Parameter;
use crate::time::Instant;

impl Pump {
    /// Puts a treatment in force: case, limits, contexts. A treatment of another patient forgets that the pump ran.
    pub fn set_treatment(&mut self, treatment: Treatment, now: Instant, out: &mut impl Output) {
        if treatment.patient != self.treatment.patient {
            self.at_work = false;
            self.signals.forget();
        } else if treatment.circuit != self.treatment.circuit {
            self.signals.forget();
        }
        self.treatment = treatment;
        self.treatment.expire(now);
        self.apply_treatment(now, out);
    }

    /// Puts the treatment in force that was before a restart of the reader. That its pump ran is not known any more: one
    /// that stands now may have stopped meanwhile.
    pub fn restore_treatment(&mut self, treatment: Treatment, now: Instant, out: &mut impl Output) {
        let treated = treatment.patient > 0;
        self.set_treatment(treatment, now, out);
        self.at_work = treated;
    }

    /// Puts another profile in force.
    pub fn set_profile(&mut self, profile: Arc<Profile>, now: Instant, out: &mut impl Output) {
        self.profile = profile;
        self.apply_treatment(now, out);
    }

    pub(super) fn apply_treatment(&mut self, now: Instant, out: &mut impl Output) {
        let effective = Treatment { case: self.case(), ..self.treatment.clone() };
        self.alarms.set_rules(Arc::new(self.profile.resolve(&effective)), now, out);
    }

    pub(super) fn expire_contexts(&mut self, now: Instant, out: &mut impl Output) {
        if self.treatment.expire(now) {
            self.apply_treatment(now, out);
        }
    }

    /// The case, with what the birth says where nobody has said more.
    #[must_use]
    pub fn case(&self) -> Case {
        let case = self.treatment.case;
        Case { pump_kind: case.pump_kind.or(self.birth_kind), ..case }
    }

    /// What people have said.
    #[must_use]
    pub const fn treatment(&self) -> &Treatment {
        &self.treatment
    }

    /// The rules in force.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        self.alarms.rules()
    }

    /// Membrane resistance of the circuit when it was new, once known, in mmHg.min/L.
    #[must_use]
    pub fn membrane_baseline(&self) -> Option<f32> {
        self.alarms.membrane_baseline()
    }

    /// Rules that cannot be judged now, and why; sorted.
    #[must_use]
    pub fn not_evaluable(&self) -> Vec<(RuleKey, NotEvaluable)> {
        let rules = self.alarms.rules();
        let mut found = rules.not_evaluable.clone();
        for rule in rules.limits() {
            let other = match (rule.measure, rule.limit) {
                (Measure::DistanceFrom(other), _) | (Measure::Value, Limit::ShareOf(other, _)) => {
                    Some(other)
                }
                (Measure::Value, Limit::Fixed(_)) => None,
            };
            let watched = [Some(rule.parameter), other].into_iter().flatten();
            found.extend(watched.filter_map(|one| Some((rule.key, self.without(one)?))).take(1));
        }
        found.extend(self.alarms.unknown_composites());
        found.sort_unstable_by_key(|(key, _reason)| *key);
        found.dedup_by_key(|(key, _reason)| *key);
        found
    }

    fn without(&self, parameter: Parameter) -> Option<NotEvaluable> {
        let channel = self.channels.get(parameter.index())?;
        if !channel.is_declared() {
            return Some(NotEvaluable::NoSensor(parameter));
        }
        let has_value = channel.newest().is_some_and(|newest| newest.reading.is_informative());
        (self.silent || !has_value).then_some(NotEvaluable::NoData(parameter))
    }

    /// How good the alarms were as alarms.
    pub fn quality(&mut self) -> &mut Quality {
        self.alarms.quality()
    }

    /// Samples that jumped away and back, and were left out of averages (C11).
    #[must_use]
    pub fn spikes(&self) -> u64 {
        self.plausibility.spikes()
    }

    /// Conditions that are shelved.
    #[must_use]
    pub fn shelves(&self) -> &[(Condition, Shelf)] {
        self.alarms.shelves()
    }

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
        self.alarms.acknowledge(id, revision, person, now, out)
    }

    /// Pauses the sound of one alarm, or of all that signal; how many.
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
        self.alarms.pause(id, pause, now, out)
    }

    /// Ends pauses of these scopes before their time; how many.
    pub fn resume(
        &mut self,
        id: Option<&OccurrenceId>,
        scopes: &[PauseScope],
        now: Instant,
        out: &mut impl Output,
    ) -> u32 {
        self.alarms.resume(id, scopes, now, out)
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
        self.alarms.shelve(id, shelf, now, out)
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
        self.alarms.unshelve(condition, now, out)
    }
}
