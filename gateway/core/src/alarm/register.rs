//! The occurrences of one pump: raised, latched, acknowledged, paused, shelved, escalated, grouped, ended.
//!
//! Conditions come from the rules and signals from here: what a person does to a signal never changes a condition.

mod acts;

mod covered;

mod groups;

mod restore;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::alarm::action::Order;
use crate::alarm::condition::{Condition, Priority};
use crate::alarm::occurrence::{Audio, Occurrence, Pause, PauseScope, Shelf, Transition};
use crate::alarm::quality::Quality;
use crate::alarm::rule::Rules;
use crate::alarm::{AlarmChange, Cause, Output};
use crate::parameter::Parameter;
use crate::time::Instant;

use acts::{ENDED_MAX, Ended, Pending};

pub(crate) use acts::Deed;
pub use covered::{COVERED_MAX, Covered};

/// Room for the alarms of a pump in trouble, so that a first storm does not wait for memory.
const ACTIVE_USUAL: usize = 16;

/// Every occurrence that has not ended, at most one a condition, and the conditions that are shelved.
#[derive(Debug)]
pub(crate) struct Register {
    active: Vec<Occurrence>,
    shelves: Vec<(Condition, Shelf)>,
    /// The last that a person did to the shelving of a condition.
    shelved: Vec<(Condition, Order)>,
    /// What people did to alarms that are not there yet.
    pending: VecDeque<Pending>,
    /// Alarms that have ended, the last ones: what comes late is not about another.
    ended: VecDeque<Ended>,
    /// Acknowledgements, the earliest first.
    covered: Vec<Covered>,
    /// When the first frame of the agent's run was judged.
    pub(crate) joined_at: Option<Instant>,
    /// Goes up with each alarm that begins or ends, and with each change of a shelf.
    changes: u64,
    pub(crate) quality: Quality,
}

impl Register {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            active: Vec::with_capacity(ACTIVE_USUAL),
            shelves: Vec::new(),
            shelved: Vec::new(),
            pending: VecDeque::new(),
            ended: VecDeque::with_capacity(ENDED_MAX),
            covered: Vec::new(),
            joined_at: None,
            changes: 0,
            quality: Quality::new(now),
        }
    }

    pub(crate) fn active(&self) -> &[Occurrence] {
        &self.active
    }

    /// Another number when an alarm or a shelf has changed in more than its values.
    pub(crate) fn changes(&self) -> u64 {
        // While no alarm begins or ends, the sum of the revisions goes up with each change.
        let revisions = self.active.iter().map(|one| u64::from(one.revision)).sum::<u64>();
        (self.changes << 32).wrapping_add(revisions)
    }

    pub(crate) fn find(&self, condition: Condition) -> Option<&Occurrence> {
        self.active.iter().find(|occurrence| occurrence.id.condition == condition)
    }

    pub(crate) fn find_mut(&mut self, condition: Condition) -> Option<&mut Occurrence> {
        self.active.iter_mut().find(|occurrence| occurrence.id.condition == condition)
    }

    /// A condition has become present: a new occurrence, or one that latched returns.
    pub(crate) fn raise(
        &mut self,
        new: Occurrence,
        rules: &Rules,
        now: Instant,
        cause: Option<Cause>,
        out: &mut impl Output,
    ) {
        let condition = new.id.condition;
        let priority = new.priority;
        let transition = match self.find_mut(condition) {
            Some(latched) => {
                latched.come_back(new, now);
                if latched.priority == Priority::High {
                    // What was shelved when it was less urgent is heard.
                    latched.shelf = None;
                    self.shelves.retain(|(shelved, _shelf)| *shelved != condition);
                }
                Transition::Returned
            }
            None => {
                let shelf = self.shelf_of(condition, priority, now);
                let new = if new.late { self.as_acknowledged(new, now) } else { new };
                self.active.push(Occurrence { shelf, ..new });
                self.changes += 1;
                Transition::Raised
            }
        };
        self.quality.raised(condition, priority, now);
        self.join_group(condition, rules);
        self.arm(condition, rules, now);
        self.announce(condition, transition, now, cause, out);
        self.break_pauses_if_heard(condition, now, out);
        self.lead_group(condition, rules, now, out);
        if transition == Transition::Raised {
            self.act_on_new(condition, now, out);
        }
    }

    /// A condition is gone: its occurrence ends too, unless it latches and nobody has acknowledged it.
    pub(crate) fn clear(
        &mut self,
        condition: Condition,
        now: Instant,
        cause: Option<Cause>,
        out: &mut impl Output,
    ) {
        let Some(occurrence) = self.find_mut(condition).filter(|found| found.present) else {
            return;
        };
        occurrence.present = false;
        occurrence.last_known = false;
        occurrence.orphan = false;
        let transition =
            if occurrence.has_ended() { Transition::Ended } else { Transition::Latched };
        self.announce(condition, transition, now, cause, out);
        if transition == Transition::Latched {
            self.end_covered(condition, now, out);
        }
    }

    /// The rule of an occurrence says another priority or limit now.
    pub(crate) fn set_priority(
        &mut self,
        condition: Condition,
        priority: Priority,
        rules: &Rules,
        now: Instant,
        cause: Option<Cause>,
        out: &mut impl Output,
    ) {
        let Some(occurrence) = self.find_mut(condition) else { return };
        let worse = priority > occurrence.priority;
        occurrence.priority = priority;
        occurrence.escalated = false;
        if worse {
            self.worsened(condition, rules, now, cause, out);
        } else {
            self.arm(condition, rules, now);
            self.revise(condition, Transition::RuleChanged, now, out);
            self.free_more_urgent(condition, now, out);
        }
    }

    /// An occurrence is worse than what was acknowledged, paused or shelved: it comes back.
    pub(crate) fn worsened(
        &mut self,
        condition: Condition,
        rules: &Rules,
        now: Instant,
        cause: Option<Cause>,
        out: &mut impl Output,
    ) {
        let Some(occurrence) = self.find_mut(condition) else { return };
        occurrence.call_again(now);
        if occurrence.priority == Priority::High {
            occurrence.shelf = None;
            self.shelves.retain(|(shelved, _shelf)| *shelved != condition);
        }
        self.join_group(condition, rules);
        self.arm(condition, rules, now);
        self.announce(condition, Transition::Worsened, now, cause, out);
        self.break_pauses_if_heard(condition, now, out);
        self.lead_group(condition, rules, now, out);
    }

    /// Marks an occurrence anew without a change that a person would have to see.
    pub(crate) fn revise(
        &mut self,
        condition: Condition,
        transition: Transition,
        now: Instant,
        out: &mut impl Output,
    ) {
        if let Some(occurrence) = self.find_mut(condition) {
            occurrence.revise(now);
            out.alarm(AlarmChange { occurrence, transition, cause: None });
        }
    }

    /// The data of what an occurrence watches is missing, or back.
    pub(crate) fn set_last_known(
        &mut self,
        is_concerned: impl Fn(&Occurrence) -> bool,
        last_known: bool,
        now: Instant,
        out: &mut impl Output,
    ) {
        let transition = if last_known { Transition::DataLost } else { Transition::DataBack };
        for occurrence in &mut self.active {
            let changes = occurrence.last_known != last_known && occurrence.present;
            if changes && is_concerned(occurrence) {
                occurrence.last_known = last_known;
                occurrence.orphan &= last_known;
                occurrence.revise(now);
                out.alarm(AlarmChange { occurrence, transition, cause: None });
            }
        }
    }

    /// Ends pauses before their time.
    pub(crate) fn end_pauses(
        &mut self,
        is_meant: impl Fn(&Occurrence, &Pause) -> bool,
        now: Instant,
        out: &mut impl Output,
    ) -> u32 {
        let mut ended = 0;
        for occurrence in &mut self.active {
            if occurrence.pause.as_ref().is_some_and(|pause| is_meant(occurrence, pause)) {
                occurrence.pause = None;
                occurrence.revise(now);
                let transition = Transition::AudioChanged;
                out.alarm(AlarmChange { occurrence, transition, cause: None });
                ended += 1;
            }
        }
        ended
    }

    /// Conditions that are shelved, whether present or not.
    pub(crate) fn shelves(&self) -> &[(Condition, Shelf)] {
        &self.shelves
    }

    /// When the next pause or shelving ends, or an alarm is recalled or escalates.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        // Asked for at every event of a pump: one pass, and no more.
        let mut first = None;
        let mut look = |at: Option<Instant>| {
            if let Some(at) = at
                && first.is_none_or(|first| at < first)
            {
                first = Some(at);
            }
        };
        for one in &self.active {
            look(one.pause.as_ref().map(|pause| pause.until));
            look(one.escalate_at);
            look(one.remind_at);
        }
        for (_condition, shelf) in &self.shelves {
            look(Some(shelf.until));
        }
        first
    }

    /// Does what the clock asks for.
    pub(crate) fn on_tick(&mut self, rules: &Rules, now: Instant, out: &mut impl Output) {
        if self.next_deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        self.end_pauses(|_one, pause| pause.until <= now, now, out);
        while let Some(place) = self.shelves.iter().position(|(_, shelf)| shelf.until <= now) {
            let (condition, _shelf) = self.shelves.swap_remove(place);
            self.changes += 1;
            if let Some(occurrence) = self.find_mut(condition) {
                occurrence.shelf = None;
                self.revise(condition, Transition::AudioChanged, now, out);
            }
        }
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        for place in 0..self.active.len() {
            let Some(occurrence) = self.active.get_mut(place) else { break };
            let condition = occurrence.id.condition;
            if due(occurrence.escalate_at) {
                occurrence.escalate_at = None;
                occurrence.priority = Priority::High;
                occurrence.escalated = true;
                self.quality.escalated(now);
                self.worsened(condition, rules, now, None, out);
            } else if due(occurrence.remind_at) {
                occurrence.reminders = occurrence.reminders.saturating_add(1);
                occurrence.remind_at = Some(now.plus(rules.signals.reminder));
                self.quality.reminded(now);
                self.revise(condition, Transition::Reminded, now, out);
            }
        }
    }

    fn shelf_of(
        &mut self,
        condition: Condition,
        priority: Priority,
        now: Instant,
    ) -> Option<Shelf> {
        if priority == Priority::High {
            self.shelves.retain(|(shelved, _shelf)| *shelved != condition);
        }
        let shelf = self.shelves.iter().find(|(shelved, _shelf)| *shelved == condition);
        shelf.map(|(_condition, shelf)| shelf.clone()).filter(|shelf| shelf.until > now)
    }

    /// Sets when an alarm that nobody acknowledges is recalled and goes up.
    fn arm(&mut self, condition: Condition, rules: &Rules, now: Instant) {
        let escalate = rules.escalation(condition);
        let Some(occurrence) = self.find_mut(condition) else { return };
        let waits = occurrence.acknowledged.is_none();
        let high = occurrence.priority == Priority::High;
        occurrence.remind_at = (waits && high)
            .then(|| occurrence.remind_at.unwrap_or_else(|| now.plus(rules.signals.reminder)));
        let may_go_up = waits && !high && occurrence.priority != Priority::Information;
        occurrence.escalate_at = escalate
            .filter(|_after| may_go_up)
            .map(|after| occurrence.escalate_at.unwrap_or_else(|| now.plus(after)));
    }

    /// A new or worse alarm that is heard ends the pauses of its pump.
    fn break_pauses_if_heard(&mut self, condition: Condition, now: Instant, out: &mut impl Output) {
        // That a person asks for another is no news of the patient; and it may come before the pause elsewhere.
        let is_said = condition == Condition::OWNERSHIP_UNANSWERED;
        if !is_said && self.find(condition).is_some_and(|new| new.audio() == Audio::On) {
            self.end_pauses(|_one, pause| pause.scope != PauseScope::Alarm, now, out);
        }
    }

    /// Makes the new revision, tells it, and forgets the occurrence when it has ended.
    fn announce(
        &mut self,
        condition: Condition,
        transition: Transition,
        now: Instant,
        cause: Option<Cause>,
        out: &mut impl Output,
    ) {
        let is_it = |occurrence: &Occurrence| occurrence.id.condition == condition;
        let Some(place) = self.active.iter().position(is_it) else { return };
        let Some(occurrence) = self.active.get_mut(place) else { return };
        occurrence.revise(now);
        occurrence.covers_from = occurrence.revision;
        out.alarm(AlarmChange { occurrence, transition, cause });
        if occurrence.has_ended() {
            let ended = self.active.swap_remove(place);
            self.changes += 1;
            self.remember_ended(&ended, transition);
            self.free_group(condition, now, out);
        }
    }
}

/// Whether an occurrence watches a parameter and is judged by its samples.
pub(crate) fn is_judged_by(occurrence: &Occurrence, parameter: Option<Parameter>) -> bool {
    let watched = occurrence
        .parameter
        .is_some_and(|watched| parameter.is_none_or(|parameter| parameter == watched));
    watched && occurrence.rule > 0
}
