//! One ward as the gateway watches over its displays: nobody watches, nobody is heard, one is lost.

use alloc::sync::Arc;
use core::time::Duration;

use crate::alarm::condition::{Condition, Priority};
use crate::alarm::occurrence::{Occurrence, OccurrenceId};
use crate::alarm::rule::Rules;
use crate::alarm::{Absence, AlarmChange, Alarms, Output};
use crate::frame::Frame;
use crate::time::{ClockMap, Instant};

use super::WardOutput;

/// How long a ward may be without a display that attends, or without one that is heard (prop).
pub const UNWATCHED_AFTER: Duration = Duration::from_secs(10);

/// What is so of the displays of a ward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// Whether it has pumps that are to be watched.
    pub(super) has_pumps: bool,
    /// Whether a display attends it.
    pub(super) attended: bool,
    /// Whether one of those can be heard.
    pub(super) heard: bool,
    /// Since when a display of it is lost.
    pub(super) lost_since: Option<Instant>,
}

/// One ward.
#[derive(Debug)]
pub(super) struct WardWatch {
    pub(super) name: Arc<str>,
    pub(super) alarms: Alarms,
    unattended_since: Option<Instant>,
    silent_since: Option<Instant>,
    raised: u64,
}

/// Tells of which ward an alarm is.
struct OfWard<'a, O>(&'a Arc<str>, &'a mut O);

impl<O: WardOutput> Output for OfWard<'_, O> {
    fn evaluated(&mut self, _frame: &Frame, _clock: &ClockMap) {}

    fn alarm(&mut self, change: AlarmChange<'_>) {
        self.1.ward_alarm(self.0, change);
    }
}

impl WardWatch {
    pub(super) fn new(name: Arc<str>, rules: Arc<Rules>, now: Instant) -> Self {
        Self {
            name,
            alarms: Alarms::new(rules, now),
            unattended_since: None,
            silent_since: None,
            raised: 0,
        }
    }

    /// Judges the ward.
    pub(super) fn on_tick(&mut self, seen: Seen, now: Instant, out: &mut impl WardOutput) {
        let name = Arc::clone(&self.name);
        let out = &mut OfWard(&name, out);
        self.alarms.on_tick(now, out);
        let since = |is: bool, since: Option<Instant>| is.then(|| since.unwrap_or(now));
        self.unattended_since = since(seen.has_pumps && !seen.attended, self.unattended_since);
        let silent = seen.has_pumps && seen.attended && !seen.heard;
        self.silent_since = since(silent, self.silent_since);
        let lost = seen.lost_since.filter(|_| seen.has_pumps);
        for (condition, priority, since, after) in [
            (Condition::DISPLAY_NONE, Priority::Medium, self.unattended_since, UNWATCHED_AFTER),
            (Condition::DISPLAY_SILENT, Priority::Low, self.silent_since, UNWATCHED_AFTER),
            (Condition::DISPLAY_LOST, Priority::Low, lost, Duration::ZERO),
        ] {
            match since {
                Some(since) if now >= since.plus(after) => {
                    self.raise(condition, priority, since, now, out);
                }
                Some(_) => {}
                None => self.alarms.clear(condition, now, out),
            }
        }
    }

    fn raise(
        &mut self,
        condition: Condition,
        priority: Priority,
        onset_at: Instant,
        now: Instant,
        out: &mut impl Output,
    ) {
        let it = |one: &Occurrence| one.present && one.id.condition == condition;
        if self.alarms.active().iter().any(it) {
            return;
        }
        self.raised += 1;
        let id = OccurrenceId { condition, boot: None, onset: self.raised };
        let absence = Absence { id, priority, parameter: None, no_data: None, onset_at };
        self.alarms.raise_absence(absence, now, out);
    }

    /// When it has something to do, besides what displays change.
    pub(super) fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let since = [self.unattended_since, self.silent_since];
        let due = since.into_iter().flatten().map(|since| since.plus(UNWATCHED_AFTER));
        due.filter(|at| *at > now).chain(self.alarms.next_deadline()).min()
    }
}
