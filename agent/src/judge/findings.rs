//! What the rules say, as the local alarm needs it: present, or gone and still to be recalled.

use ecmo_core::alarm::condition::Priority;
use ecmo_core::alarm::occurrence::{Occurrence, OccurrenceId, Transition};
use ecmo_core::alarm::{AlarmChange, Output};
use ecmo_core::frame::Frame;
use ecmo_core::time::{ClockMap, SampleTime};

use crate::local_alarm::sound::{Finding, LATCHED_FOR};

/// One condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) id: OccurrenceId,
    /// As it was raised: that nobody at the bedside can acknowledge makes nothing more urgent.
    pub(super) priority: Priority,
    /// Agent's time of the onset.
    pub(super) onset: SampleTime,
    /// When it is recalled no more; `None` while it is present.
    pub(super) until: Option<SampleTime>,
}

/// A condition that is gone, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gone {
    pub(super) id: OccurrenceId,
    pub(super) onset: SampleTime,
    pub(super) at: SampleTime,
}

/// Collects what the rules say; at most one entry a condition.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) found: Vec<Found>,
    pub(super) gone: Vec<Gone>,
    /// What latched, with its revision: here it is acknowledged at once, so that a return is a new occurrence.
    pub(super) latched: Vec<(OccurrenceId, u32)>,
    /// Something changed since this was taken.
    pub(super) has_changed: bool,
    /// Now, for changes that no sample caused.
    pub(super) now: SampleTime,
}

/// Onset by the agent's clock. Where a rule raised it, the id says so; else the reader's time does, which is the agent's here.
fn onset(of: &Occurrence) -> SampleTime {
    match of.rule {
        0 => SampleTime::from_nanos(of.onset_at.as_nanos()),
        _ => SampleTime::from_nanos(of.id.onset),
    }
}

impl Findings {
    /// What is present.
    pub(super) fn present(&self) -> impl Iterator<Item = &Found> {
        self.found.iter().filter(|found| found.until.is_none())
    }

    /// What may sound.
    pub(super) fn audible(&self) -> impl Iterator<Item = Finding> {
        self.found.iter().map(|found| Finding {
            condition: found.id.condition,
            priority: found.priority,
            onset: found.onset,
        })
    }

    /// Forgets what need not be recalled any more: its time is over, or a gateway listens.
    pub(super) fn forget(&mut self, is_leased: bool) {
        let now = self.now;
        self.found.retain(|found| found.until.is_none_or(|until| !is_leased && now < until));
    }

    fn set(&mut self, of: &Occurrence, until: Option<SampleTime>) {
        let known = self.found.iter_mut().find(|one| one.id.condition == of.id.condition);
        match known {
            Some(known) => {
                if known.until.is_some() && until.is_none() {
                    (known.id, known.onset, known.priority) = (of.id, onset(of), of.priority);
                }
                if !of.escalated {
                    known.priority = of.priority;
                }
                known.until = until;
            }
            None => {
                let (id, priority) = (of.id, of.priority);
                self.found.push(Found { id, priority, onset: onset(of), until });
            }
        }
    }
}

impl Output for Findings {
    fn evaluated(&mut self, _frame: &Frame, _clock: &ClockMap) {}

    fn alarm(&mut self, change: AlarmChange<'_>) {
        self.has_changed = true;
        let of = change.occurrence;
        let at = change.cause.map_or(self.now, |cause| cause.sampled);
        match change.transition {
            Transition::Raised
            | Transition::Returned
            | Transition::Worsened
            | Transition::RuleChanged => self.set(of, (!of.present).then_some(self.now)),
            Transition::Latched => {
                self.set(of, Some(self.now.plus(LATCHED_FOR)));
                self.gone.push(Gone { id: of.id, onset: onset(of), at });
                self.latched.push((of.id, of.revision));
            }
            Transition::Ended => {
                // What latched was acknowledged here and is still to be recalled; it was gone before.
                let is_present =
                    |found: &Found| found.id.condition == of.id.condition && found.until.is_none();
                if self.found.iter().any(is_present) {
                    self.found.retain(|found| !is_present(found));
                    self.gone.push(Gone { id: of.id, onset: onset(of), at });
                }
            }
            Transition::Acknowledged
            | Transition::DataLost
            | Transition::DataBack
            | Transition::AudioChanged
            | Transition::Reminded => {}
        }
    }
}
