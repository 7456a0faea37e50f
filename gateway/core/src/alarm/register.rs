//! The occurrences of one pump: raised, latched, acknowledged, paused, shelved, escalated, grouped, ended.
//!
//! Conditions come from the rules and signals from here: what a person does to a signal never changes a condition.

use alloc::string::String;
use alloc::vec::Vec;

use crate::alarm::condition::{Condition, Priority};
use crate::alarm::occurrence::{
    Acknowledgement, Audio, Occurrence, OccurrenceId, Pause, PauseScope, Shelf, Signal, Transition,
};
use crate::alarm::quality::Quality;
use crate::alarm::rule::Rules;
use crate::alarm::{AlarmChange, Cause, Output, Refused};
use crate::parameter::Parameter;
use crate::time::Instant;

/// Room for the alarms of a pump in trouble, so that a first storm does not wait for memory.
const ACTIVE_USUAL: usize = 16;

/// Every occurrence that has not ended, at most one a condition, and the conditions that are shelved.
#[derive(Debug)]
pub(crate) struct Register {
    active: Vec<Occurrence>,
    shelves: Vec<(Condition, Shelf)>,
    pub(crate) quality: Quality,
}

impl Register {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            active: Vec::with_capacity(ACTIVE_USUAL),
            shelves: Vec::new(),
            quality: Quality::new(now),
        }
    }

    pub(crate) fn active(&self) -> &[Occurrence] {
        &self.active
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
                latched.come_back(new);
                if latched.priority == Priority::High {
                    // What was shelved when it was less urgent is heard.
                    latched.shelf = None;
                    self.shelves.retain(|(shelved, _shelf)| *shelved != condition);
                }
                Transition::Returned
            }
            None => {
                let shelf = self.shelf_of(condition, priority, now);
                self.active.push(Occurrence { shelf, ..new });
                Transition::Raised
            }
        };
        self.quality.raised(condition, priority, now);
        self.join_group(condition, rules);
        self.arm(condition, rules, now);
        self.announce(condition, transition, now, cause, out);
        self.break_pauses_if_heard(condition, now, out);
        self.lead_group(condition, rules, now, out);
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
        let transition =
            if occurrence.has_ended() { Transition::Ended } else { Transition::Latched };
        self.announce(condition, transition, now, cause, out);
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
        occurrence.acknowledged = None;
        occurrence.pause = None;
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
                occurrence.revise(now);
                out.alarm(AlarmChange { occurrence, transition, cause: None });
            }
        }
    }

    /// Acknowledges an occurrence as far as it was shown.
    pub(crate) fn acknowledge(
        &mut self,
        id: &OccurrenceId,
        revision: u32,
        (by, note): (String, String),
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), Refused> {
        let found = self.active.iter_mut().find(|occurrence| occurrence.id == *id);
        let occurrence = found.ok_or(Refused::Unknown)?;
        if !(occurrence.covers_from..=occurrence.revision).contains(&revision) {
            return Err(Refused::Changed { revision: occurrence.revision });
        }
        if occurrence.acknowledged.is_none() {
            let worst = occurrence.worst;
            occurrence.acknowledged = Some(Acknowledgement { by, note, at: now, worst });
            occurrence.pause = None;
            occurrence.remind_at = None;
            occurrence.escalate_at = None;
            self.announce(id.condition, Transition::Acknowledged, now, None, out);
            self.free_urgent(id.condition, now, out);
        }
        Ok(())
    }

    /// Pauses the sound of the alarms that signal now: one, or all.
    pub(crate) fn pause(
        &mut self,
        id: Option<&OccurrenceId>,
        pause: &Pause,
        now: Instant,
        out: &mut impl Output,
    ) -> u32 {
        let mut paused = 0;
        for occurrence in &mut self.active {
            let meant = id.is_none_or(|id| *id == occurrence.id);
            let signals = matches!(occurrence.signal(), Signal::On | Signal::Latched);
            if meant && signals && occurrence.priority != Priority::Information {
                occurrence.pause = Some(pause.clone());
                occurrence.revise(now);
                let transition = Transition::AudioChanged;
                out.alarm(AlarmChange { occurrence, transition, cause: None });
                paused += 1;
            }
        }
        if let Some(id) = id {
            self.free_urgent(id.condition, now, out);
        }
        paused
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

    /// Shelves the condition of an occurrence for a time; never one of high priority.
    pub(crate) fn shelve(
        &mut self,
        id: &OccurrenceId,
        shelf: Shelf,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), Refused> {
        let found = self.active.iter_mut().find(|occurrence| occurrence.id == *id);
        let occurrence = found.ok_or(Refused::Unknown)?;
        if occurrence.priority == Priority::High || id.condition.is_protected() {
            return Err(Refused::NeverShelved);
        }
        occurrence.shelf = Some(shelf.clone());
        self.shelves.retain(|(condition, _shelf)| *condition != id.condition);
        self.shelves.push((id.condition, shelf));
        self.revise(id.condition, Transition::AudioChanged, now, out);
        // A cause that is not heard must not keep its consequences from being heard.
        self.free_group(id.condition, now, out);
        Ok(())
    }

    /// Ends the shelving of a condition.
    pub(crate) fn unshelve(
        &mut self,
        condition: Condition,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), Refused> {
        let before = self.shelves.len();
        self.shelves.retain(|(shelved, _shelf)| *shelved != condition);
        if self.shelves.len() == before {
            return Err(Refused::Unknown);
        }
        if let Some(occurrence) = self.find_mut(condition) {
            occurrence.shelf = None;
            self.revise(condition, Transition::AudioChanged, now, out);
        }
        Ok(())
    }

    /// Conditions that are shelved, whether present or not.
    pub(crate) fn shelves(&self) -> &[(Condition, Shelf)] {
        &self.shelves
    }

    /// When the next pause or shelving ends, or an alarm is recalled or escalates.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let of_occurrences = self.active.iter().flat_map(|one| {
            let pause = one.pause.as_ref().map(|pause| pause.until);
            [pause, one.escalate_at, one.remind_at]
        });
        let of_shelves = self.shelves.iter().map(|(_condition, shelf)| Some(shelf.until));
        of_occurrences.chain(of_shelves).flatten().min()
    }

    /// Does what the clock asks for.
    pub(crate) fn on_tick(&mut self, rules: &Rules, now: Instant, out: &mut impl Output) {
        if self.next_deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        self.end_pauses(|_one, pause| pause.until <= now, now, out);
        while let Some(place) = self.shelves.iter().position(|(_, shelf)| shelf.until <= now) {
            let (condition, _shelf) = self.shelves.swap_remove(place);
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

    /// A new alarm is the consequence of one that signals.
    fn join_group(&mut self, condition: Condition, rules: &Rules) {
        let leader = self.find(condition).and_then(|follower| {
            let leads = |leader: &&Occurrence| is_group(leader, follower, rules);
            self.active.iter().find(leads).map(|leader| leader.id.condition)
        });
        if let Some(occurrence) = self.find_mut(condition) {
            occurrence.leader = leader;
        }
    }

    /// A new alarm is the cause of ones that signal already.
    fn lead_group(
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
    fn free_group(&mut self, condition: Condition, now: Instant, out: &mut impl Output) {
        self.free(condition, |_follower| true, now, out);
    }

    /// A cause is less urgent than it was: a consequence that is more urgent speaks for itself.
    fn free_more_urgent(&mut self, condition: Condition, now: Instant, out: &mut impl Output) {
        if let Some(priority) = self.find(condition).map(|leader| leader.priority) {
            self.free(condition, |follower| follower.priority > priority, now, out);
        }
    }

    /// A cause is not heard any more: its consequences of high priority are.
    fn free_urgent(&mut self, condition: Condition, now: Instant, out: &mut impl Output) {
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

    /// A new or worse alarm that is heard ends the pauses of its pump.
    fn break_pauses_if_heard(&mut self, condition: Condition, now: Instant, out: &mut impl Output) {
        if self.find(condition).is_some_and(|new| new.audio() == Audio::On) {
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
            self.active.swap_remove(place);
            self.free_group(condition, now, out);
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

/// Whether an occurrence watches a parameter and is judged by its samples.
pub(crate) fn is_judged_by(occurrence: &Occurrence, parameter: Option<Parameter>) -> bool {
    let watched = occurrence
        .parameter
        .is_some_and(|watched| parameter.is_none_or(|parameter| parameter == watched));
    watched && occurrence.rule > 0
}
