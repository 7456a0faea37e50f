//! What people say about a pump: its treatment, its limits, contexts, and what they do to the signals of its alarms.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Pump;
use crate::alarm::action::{Action, Ask, What};
use crate::alarm::condition::Condition;
use crate::alarm::occurrence::Shelf;
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

    /// What `by` asks for, as an action that every gateway understands alike. Changes nothing.
    ///
    /// # Errors
    /// The alarm has ended, changed since the revision named, or is never shelved; nothing signals; the pump is somebody else's.
    pub fn prepare(&self, ask: Ask<'_>, by: &str, now: Instant) -> Result<What, Refused> {
        match ask {
            Ask::Acknowledge { .. }
            | Ask::Pause { .. }
            | Ask::Resume { .. }
            | Ask::Shelve { .. }
            | Ask::Unshelve(_) => self.alarms.prepare(ask),
            Ask::Accept | Ask::HandOver { .. } | Ask::Reject | Ask::AssignBed(_) => {
                self.prepare_ownership(ask, by, now)
            }
        }
    }

    /// Lets an action take effect, of a person here or as another gateway tells it. Actions merge as a set: one that took
    /// effect before, or that a later one has overtaken, changes nothing and is no error; one about an alarm that is not
    /// there yet waits for it for a minute.
    ///
    /// # Errors
    /// The alarm is not there, or has called again since; it is never shelved; nothing that was meant signals.
    pub fn apply(
        &mut self,
        action: &Action,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), Refused> {
        match &action.what {
            What::Own(state) => {
                self.own(state, &action.order, now, out);
                Ok(())
            }
            What::Bed(bed) => {
                self.assign_bed(bed, &action.order);
                Ok(())
            }
            What::Acknowledge(_)
            | What::AcknowledgeEnded(_)
            | What::Pause { .. }
            | What::Resume { .. }
            | What::Shelve { .. } => self.alarms.apply(action, now, out),
        }
    }

    /// Every shelving ends: the pump is another patient's.
    pub fn unshelve_all(&mut self, now: Instant, out: &mut impl Output) {
        self.alarms.unshelve_all(now, out);
    }

    /// A new alarm is heard in the ward: pauses that a person made of the ward end. How many.
    pub fn break_pauses(&mut self, now: Instant, out: &mut impl Output) -> u32 {
        self.alarms.break_pauses(now, out)
    }
}
