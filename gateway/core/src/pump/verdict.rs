//! What the agent's own rules find, against what is found here.

use alloc::vec::Vec;

use super::Pump;
use crate::alarm::condition::{Condition, Priority};
use crate::alarm::{Absence, Output};
use crate::frame::BootId;
use crate::reconcile::{Circumstances, Difference, RuleSet, Verdict};
use crate::time::Instant;

/// A difference as people are told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToldDifference {
    /// Which.
    pub difference: Difference,
    /// Whether it was found afterwards, in frames that had not arrived in time; else it is there now.
    pub afterwards: bool,
}

impl Pump {
    /// Takes what the agent's rules find, as one of its heartbeats says; one of another run says nothing. A difference that
    /// lasts is an alarm.
    pub fn on_local_verdict(
        &mut self,
        boot: BootId,
        agent: Verdict<'_>,
        now: Instant,
        out: &mut impl Output,
    ) {
        if self.boot != Some(boot) || !self.is_live(now) {
            return;
        }
        let present = self.alarms.active().iter().filter(|one| one.present);
        let present: Vec<Condition> = present.map(|one| one.id.condition).collect();
        let rules =
            RuleSet { profile_hash: self.profile.hash, treatment_version: self.treatment.version };
        let counters = self.counters();
        let composites = self.alarms.rules().composites().iter();
        let composites: Vec<Condition> = composites.map(|rule| rule.key.condition).collect();
        let circumstances = Circumstances {
            boot,
            losses: counters.frames.missing + counters.frames.late + counters.dropouts,
            composites: &composites,
        };
        let gateway = Verdict { rules, present: &present };
        match self.reconciler.compare(agent, gateway, circumstances, now) {
            Some(_) => {
                let condition = Condition::ALARM_VERDICT_DIFFERS;
                self.notice(condition, Priority::Medium, now, now, out);
            }
            None if self.reconciler.may_differ() => {}
            None => self.alarms.clear(Condition::ALARM_VERDICT_DIFFERS, now, out),
        }
    }

    /// Takes what one side alone has found in frames that had not arrived in time: an alarm that stays until somebody has
    /// seen it, because what differed is past.
    pub fn on_difference_afterwards(
        &mut self,
        difference: Difference,
        now: Instant,
        out: &mut impl Output,
    ) {
        self.differed = Some(difference);
        let condition = Condition::ALARM_VERDICT_DIFFERS;
        let absence = Absence { priority: Priority::Medium, ..self.absence(condition, now) };
        self.alarms.notice(absence, now, out);
    }

    /// How the agent's verdict differs from the one here, now or in what was judged afterwards and nobody has acknowledged;
    /// `None` while it does not, or nobody can say.
    #[must_use]
    pub fn verdict_difference(&self) -> Option<ToldDifference> {
        let now = self.reconciler.told();
        let is_told = || {
            let condition = Condition::ALARM_VERDICT_DIFFERS;
            self.alarms
                .active()
                .iter()
                .any(|one| one.id.condition == condition && one.acknowledged.is_none())
        };
        let then = || self.differed.filter(|_differed| is_told());
        match now {
            Some(difference) => Some(ToldDifference { difference, afterwards: false }),
            None => then().map(|difference| ToldDifference { difference, afterwards: true }),
        }
    }
}
