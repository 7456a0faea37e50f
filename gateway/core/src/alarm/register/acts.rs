//! What people do to signals, as actions that may come twice, late and in any order.

use alloc::string::String;
use core::time::Duration;

use super::{Covered, Register};
use crate::alarm::action::{AlarmRef, Order};
use crate::alarm::condition::{Condition, Priority};
use crate::alarm::occurrence::{
    Acknowledgement, Occurrence, OccurrenceId, Pause, PauseScope, Shelf, Transition,
};
use crate::alarm::{AlarmChange, Output, Refused};
use crate::time::Instant;

/// Actions about alarms that are not there yet, at one pump (prop). Beyond, the oldest is forgotten.
const PENDING_MAX: usize = 64;

/// How long an action waits for its alarm (prop): two gateways decide within a second of each other.
const PENDING_FOR: Duration = Duration::from_secs(60);

/// Ended alarms that are remembered at one pump (prop).
pub(super) const ENDED_MAX: usize = 64;

/// An alarm that began so soon after the first frame was judged may have begun earlier elsewhere (prop).
const JOINED_WITHIN: Duration = Duration::from_secs(30);

/// What a person did to one alarm.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// Acknowledged it.
    Acknowledge { by: String, note: String, order: Order },
    /// Paused its sound.
    Pause(Pause),
    /// Ended its pause.
    Resume(Order),
}

/// What a person did to an alarm that is not there yet.
#[derive(Debug)]
pub(super) struct Pending {
    alarm: AlarmRef,
    deed: Deed,
    until: Instant,
}

/// An alarm that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) id: OccurrenceId,
    /// The last call, where a person ended it who acknowledged that it was gone: elsewhere it may return before that is known.
    acknowledged: Option<u32>,
}

impl Register {
    /// Does something to the alarm that is meant; where it is not there, it waits for it.
    pub(crate) fn act(
        &mut self,
        alarm: AlarmRef,
        deed: Deed,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), Refused> {
        let is_here = self.active.iter().any(|one| one.id == alarm.id);
        let was_here = self.ended.iter().any(|ended| ended.id == alarm.id);
        let meant = self.meant(alarm, true);
        if !is_here && !was_here {
            self.wait(alarm, deed.clone(), now);
        }
        self.do_to(alarm.id.condition, meant.ok_or(Refused::Unknown)?, deed, now, out)
    }

    /// Which call is meant of the alarm that is here, if that is meant at all: it is the one that is named; or the named one
    /// is what it returned as, or what it was before a person ended it; or it was here already when the named one began, or
    /// when the reader joined, where it `may_differ`.
    pub(super) fn meant(&self, alarm: AlarmRef, may_differ: bool) -> Option<u32> {
        let AlarmRef { id, call } = alarm;
        let one = self.find(id.condition)?;
        if one.id == id {
            return Some(call);
        }
        if one.id.boot != id.boot {
            return None;
        }
        if let Some((_onset, first)) =
            one.returned.iter().flatten().find(|(onset, _first)| *onset == id.onset)
        {
            return Some(first.saturating_add(call).saturating_sub(1));
        }
        if let Some(ended) = self.ended.iter().find(|ended| ended.id == id) {
            let before = ended.acknowledged?;
            return call.checked_sub(before).filter(|call| *call > 0 && one.id.onset > id.onset);
        }
        let joined = |at: Instant| one.onset_at <= at.plus(JOINED_WITHIN);
        let was_here = one.id.onset < id.onset || self.joined_at.is_some_and(joined);
        (may_differ && was_here).then_some(call)
    }

    fn wait(&mut self, alarm: AlarmRef, deed: Deed, now: Instant) {
        self.pending.retain(|one| one.until > now);
        if self.pending.len() >= PENDING_MAX {
            self.pending.pop_front();
        }
        self.pending.push_back(Pending { alarm, deed, until: now.plus(PENDING_FOR) });
    }

    /// What was here already when the reader began, and was acknowledged at a gateway that had seen it begin: it is that one, by
    /// that one's name, and never calls here.
    pub(super) fn as_acknowledged(&mut self, new: Occurrence, now: Instant) -> Occurrence {
        let is_it = |one: &Pending| {
            let id = one.alarm.id;
            let same = id.condition == new.id.condition && id.boot == new.id.boot;
            same && id.onset <= new.id.onset && one.until > now
        };
        let acknowledges = |one: &Pending| matches!(one.deed, Deed::Acknowledge { .. });
        let place = self.pending.iter().rposition(|one| is_it(one) && acknowledges(one));
        let Some(Pending { alarm, deed, until: _ }) =
            place.and_then(|place| self.pending.remove(place))
        else {
            return new;
        };
        let Deed::Acknowledge { by, note, order } = deed else { return new };
        let AlarmRef { id, call } = alarm;
        let said = (by.clone(), note.clone(), order.clone());
        self.remember_covered(Covered { alarm, by, note, order, ended: false });
        let (by, note, order) = said;
        let acknowledged = Acknowledgement { by, note, at: now, worst: new.worst, call, order };
        Occurrence { id, call, acknowledged: Some(acknowledged), ..new }
    }

    /// A new alarm: what people did to it elsewhere takes effect.
    pub(super) fn act_on_new(&mut self, condition: Condition, now: Instant, out: &mut impl Output) {
        if self.pending.is_empty() {
            return;
        }
        let Some(id) = self.find(condition).map(|one| one.id) else { return };
        while let Some(place) = self.pending.iter().position(|one| one.alarm.id == id) {
            let Some(Pending { alarm, deed, until }) = self.pending.remove(place) else { break };
            if until > now {
                // It may have called again since: then it is not covered.
                let done = self.do_to(condition, alarm.call, deed.clone(), now, out);
                if let (Deed::Acknowledge { by, note, order }, Ok(())) = (deed, done) {
                    self.remember_covered(Covered { alarm, by, note, order, ended: false });
                }
            }
        }
    }

    fn do_to(
        &mut self,
        condition: Condition,
        call: u32,
        deed: Deed,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), Refused> {
        match deed {
            Deed::Acknowledge { by, note, order } => {
                self.acknowledge(condition, call, (by, note, order), now, out)
            }
            Deed::Pause(pause) => self.pause_one(condition, call, pause, now, out),
            Deed::Resume(order) => {
                self.resume_one(condition, order, now, out);
                Ok(())
            }
        }
    }

    /// Of several acknowledgements the one that covers most counts, and of these the first.
    pub(super) fn acknowledge(
        &mut self,
        condition: Condition,
        call: u32,
        (by, note, order): (String, String, Order),
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), Refused> {
        let occurrence = self.find_mut(condition).ok_or(Refused::Unknown)?;
        if call < occurrence.call {
            return Err(Refused::Changed { revision: occurrence.revision });
        }
        let (orphan, worst) = (occurrence.orphan, occurrence.worst);
        if let Some(before) = &occurrence.acknowledged {
            let counts = (call, core::cmp::Reverse(&order))
                > (before.call, core::cmp::Reverse(&before.order));
            let anew = orphan && order > before.order;
            if !counts && !anew {
                return Ok(());
            }
        }
        occurrence.acknowledged = Some(Acknowledgement { by, note, at: now, worst, call, order });
        occurrence.pause = None;
        occurrence.remind_at = None;
        occurrence.escalate_at = None;
        if orphan {
            // No rule will end it.
            occurrence.present = false;
            occurrence.last_known = false;
        }
        self.announce(condition, Transition::Acknowledged, now, None, out);
        self.free_urgent(condition, now, out);
        Ok(())
    }

    /// Pauses the sound of the alarms that are named, as far as they still signal. An alarm that came later is heard.
    pub(crate) fn pause(
        &mut self,
        scope: PauseScope,
        alarms: &[AlarmRef],
        (until, by, order): (Instant, &str, &Order),
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), Refused> {
        let mut done = Err(Refused::NothingSounds);
        for alarm in alarms {
            let pause = Pause { scope, until, by: by.into(), order: order.clone() };
            let paused = self.act(*alarm, Deed::Pause(pause), now, out);
            done = done.or(paused);
        }
        done
    }

    fn pause_one(
        &mut self,
        condition: Condition,
        call: u32,
        pause: Pause,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), Refused> {
        let occurrence = self.find_mut(condition).ok_or(Refused::Unknown)?;
        if pause.order <= occurrence.sound {
            return Ok(());
        }
        occurrence.sound = pause.order.clone();
        if call < occurrence.call || !occurrence.calls() {
            // An earlier pause than this one counts no longer either.
            if occurrence.pause.take().is_some() {
                self.revise(condition, Transition::AudioChanged, now, out);
            }
            return Err(Refused::NothingSounds);
        }
        let scope = pause.scope;
        occurrence.pause = Some(pause);
        self.revise(condition, Transition::AudioChanged, now, out);
        if scope == PauseScope::Alarm {
            self.free_urgent(condition, now, out);
        }
        Ok(())
    }

    fn resume_one(
        &mut self,
        condition: Condition,
        order: Order,
        now: Instant,
        out: &mut impl Output,
    ) {
        let Some(occurrence) = self.find_mut(condition) else { return };
        if order <= occurrence.sound {
            return;
        }
        occurrence.sound = order;
        if occurrence.pause.take().is_some() {
            self.revise(condition, Transition::AudioChanged, now, out);
        }
    }

    /// Shelves a condition until a time, or ends that; never one of high priority. The last that a person did counts.
    pub(crate) fn shelve(
        &mut self,
        condition: Condition,
        until: Option<Instant>,
        (by, reason, order): (&str, &str, &Order),
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), Refused> {
        if condition.is_protected() {
            return Err(Refused::NeverShelved);
        }
        match self.shelved.iter_mut().find(|(known, _order)| *known == condition) {
            Some((_known, last)) if *order <= *last => return Ok(()),
            Some((_known, last)) => *last = order.clone(),
            None => self.shelved.push((condition, order.clone())),
        }
        self.changes += 1;
        self.shelves.retain(|(shelved, _shelf)| *shelved != condition);
        let shelf = until.map(|until| Shelf {
            until,
            by: by.into(),
            reason: reason.into(),
            order: order.clone(),
        });
        if let Some(occurrence) = self.find_mut(condition) {
            if shelf.is_some() && occurrence.priority == Priority::High {
                return Err(Refused::NeverShelved);
            }
            if occurrence.shelf != shelf {
                occurrence.shelf.clone_from(&shelf);
                self.revise(condition, Transition::AudioChanged, now, out);
            }
        }
        if let Some(shelf) = shelf {
            self.shelves.push((condition, shelf));
            // A cause that is not heard must not keep its consequences from being heard.
            self.free_group(condition, now, out);
        }
        Ok(())
    }

    /// Ends every shelving.
    pub(crate) fn unshelve_all(&mut self, now: Instant, out: &mut impl Output) {
        self.shelves.clear();
        self.changes += 1;
        for occurrence in &mut self.active {
            if occurrence.shelf.take().is_some() {
                occurrence.revise(now);
                let transition = Transition::AudioChanged;
                out.alarm(AlarmChange { occurrence, transition, cause: None });
            }
        }
    }

    pub(super) fn remember_ended(&mut self, ended: &Occurrence, transition: Transition) {
        if self.ended.len() >= ENDED_MAX {
            self.ended.pop_front();
        }
        let by_person = transition == Transition::Acknowledged;
        let acknowledged = by_person.then_some(ended.call);
        self.ended.push_back(Ended { id: ended.id, acknowledged });
    }
}
