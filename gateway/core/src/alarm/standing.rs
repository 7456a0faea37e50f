//! What people did that still counts, as actions: for a gateway that was not there.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use crate::alarm::Alarms;
use crate::alarm::action::{Action, AlarmRef, Order, What};
use crate::alarm::occurrence::{Occurrence, PauseScope};
use crate::alarm::register::Covered;
use crate::time::Instant;

impl Alarms {
    /// Every action that still counts, each with its own order and with the time that is left of it: whoever applies them, in
    /// any order, ends in the same state. In the order of the alarms.
    #[must_use]
    pub fn standing(&self, now: Instant) -> Vec<Action> {
        let mut standing = Vec::new();
        standing.extend(self.covered());
        for one in self.active() {
            standing.extend(acknowledgement(one));
            standing.extend(sound(one, now));
        }
        for (condition, order) in self.register.shelved() {
            let shelf = self.shelves().iter().find(|(shelved, _shelf)| shelved == condition);
            let (by, note, left) = match shelf {
                Some((_, shelf)) => (&*shelf.by, &*shelf.reason, shelf.until.since(now)),
                None => ("", "", Duration::ZERO),
            };
            let what = What::Shelve { condition: *condition, left };
            standing.push(Action { order: order.clone(), by: by.into(), note: note.into(), what });
        }
        standing
    }
}

impl Alarms {
    /// Acknowledgements of what has ended here, or will have when its samples say so. Not of what has called again since.
    fn covered(&self) -> impl Iterator<Item = Action> {
        let told = |covered: &&Covered| {
            let of_condition = |one: &&Occurrence| one.id.condition == covered.alarm.id.condition;
            self.active().iter().find(of_condition).is_none_or(|one| {
                let is_its = one.acknowledged.as_ref().is_some_and(|it| it.order == covered.order);
                !is_its && (one.id != covered.alarm.id || covered.alarm.call >= one.call)
            })
        };
        self.register.covered().iter().filter(told).map(|covered| {
            let is_here = self.active().iter().any(|one| one.id == covered.alarm.id);
            let what = if is_here && !covered.ended {
                What::Acknowledge(covered.alarm)
            } else {
                What::AcknowledgeEnded(covered.alarm)
            };
            let Covered { by, note, order, .. } = covered.clone();
            Action { order, by, note, what }
        })
    }
}

fn acknowledgement(one: &Occurrence) -> Option<Action> {
    let seen = one.acknowledged.clone()?;
    let what = What::Acknowledge(AlarmRef { id: one.id, call: seen.call });
    Some(Action { order: seen.order, by: seen.by, note: seen.note, what })
}

fn sound(one: &Occurrence, now: Instant) -> Option<Action> {
    if one.sound == Order::default() {
        return None;
    }
    let alarms = vec![one.named()];
    let (by, what) = match &one.pause {
        Some(pause) => {
            let left = pause.until.since(now);
            (pause.by.clone(), What::Pause { scope: pause.scope, alarms, left })
        }
        None => (String::new(), What::Resume { scope: PauseScope::Alarm, alarms }),
    };
    Some(Action { order: one.sound.clone(), by, note: String::new(), what })
}
