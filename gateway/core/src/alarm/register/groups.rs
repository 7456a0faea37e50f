//! First-out groups: while a cause signals, its consequences make no sound of their own.

use super::Register;
use crate::alarm::condition::{Condition, Priority};
use crate::alarm::occurrence::{Audio, Occurrence, Transition};
use crate::alarm::rule::Rules;
use crate::alarm::{AlarmChange, Output};
use crate::time::Instant;

impl Register {
    /// A new alarm is the consequence of one that signals.
    pub(super) fn join_group(&mut self, condition: Condition, rules: &Rules) {
        let leader = self.find(condition).and_then(|follower| {
            let leads = |leader: &&Occurrence| is_group(leader, follower, rules);
            self.active.iter().find(leads).map(|leader| leader.id.condition)
        });
        if let Some(occurrence) = self.find_mut(condition) {
            occurrence.leader = leader;
        }
    }

    /// A new alarm is the cause of ones that signal already.
    pub(super) fn lead_group(
        &mut self,
        condition: Condition,
        rules: &Rules,
        now: Instant,
        out: &mut impl Output,
    ) {
        let Some(leader) = self.find(condition).cloned() else { return };
        for follower in &mut self.active {
            if follower.leader.is_none() && is_group(&leader, follower, rules) {
                follower.leader = Some(condition);
                follower.revise(now);
                let transition = Transition::AudioChanged;
                out.alarm(AlarmChange { occurrence: follower, transition, cause: None });
            }
        }
    }

    /// A cause has ended: what is left of its consequences speaks for itself.
    pub(super) fn free_group(&mut self, condition: Condition, now: Instant, out: &mut impl Output) {
        self.free(condition, |_follower| true, now, out);
    }

    /// A cause is less urgent than it was: a consequence that is more urgent speaks for itself.
    pub(super) fn free_more_urgent(
        &mut self,
        condition: Condition,
        now: Instant,
        out: &mut impl Output,
    ) {
        if let Some(priority) = self.find(condition).map(|leader| leader.priority) {
            self.free(condition, |follower| follower.priority > priority, now, out);
        }
    }

    /// A cause is not heard any more: its consequences of high priority are.
    pub(super) fn free_urgent(
        &mut self,
        condition: Condition,
        now: Instant,
        out: &mut impl Output,
    ) {
        self.free(condition, |follower| follower.priority == Priority::High, now, out);
    }

    fn free(
        &mut self,
        condition: Condition,
        is_meant: impl Fn(&Occurrence) -> bool,
        now: Instant,
        out: &mut impl Output,
    ) {
        for follower in &mut self.active {
            if follower.leader == Some(condition) && is_meant(follower) {
                follower.leader = None;
                follower.revise(now);
                let transition = Transition::AudioChanged;
                out.alarm(AlarmChange { occurrence: follower, transition, cause: None });
            }
        }
    }
}

/// Whether one alarm is the cause of another that began within the window and is no more urgent.
fn is_group(leader: &Occurrence, follower: &Occurrence, rules: &Rules) -> bool {
    let between =
        leader.onset_at.since(follower.onset_at) + follower.onset_at.since(leader.onset_at);
    leader.audio() == Audio::On
        && follower.priority <= leader.priority
        && between <= rules.signals.group_window
        && rules.follows(follower.id.condition, leader.id.condition)
}
