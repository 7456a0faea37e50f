//! The alarms of one pump: limits judged sample by sample, occurrences from onset to end.
//!
//! `(state, rules, input, now) -> changes`: the same inputs give the same changes. Whoever calls hands in the time and
//! takes the changes through [`Output`].

pub mod occurrence;

pub mod rule;

pub mod starter;

mod average;

mod limit;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::frame::{BootId, Frame, FrameStamp};
use crate::parameter::Parameter;
use crate::reading::{NoData, Reading};
use crate::time::{ClockMap, Instant, SampleTime};

use limit::{LimitState, Onset, Verdict};
use occurrence::{Acknowledgement, Occurrence, OccurrenceId, Transition};
use rule::{Condition, Gate, Kind, LimitRule, Priority, Rules};

pub(crate) use limit::Streak;

/// The sample that decided a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// When it was taken, by the agent's clock.
    pub sampled: SampleTime,
    /// When its frame passed the hops.
    pub stamp: FrameStamp,
}

/// One change of one occurrence.
#[derive(Debug)]
pub struct AlarmChange<'a> {
    /// The occurrence as it is now.
    pub occurrence: &'a Occurrence,
    /// What changed.
    pub transition: Transition,
    /// The sample that decided it; `None` where silence, a person or a message did.
    pub cause: Option<Cause>,
}

/// Takes what the decisions produce, at once and in order.
pub trait Output {
    /// A frame was evaluated, in its place.
    fn evaluated(&mut self, frame: &Frame, clock: &ClockMap);
    /// An alarm changed.
    fn alarm(&mut self, change: AlarmChange<'_>);
}

/// Why an acknowledgement is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcknowledgeError {
    /// The occurrence has ended, or never was.
    Unknown,
    /// It changed since the revision that the person saw.
    Changed {
        /// The present revision.
        revision: u32,
    },
}

/// What is known while one frame is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) boot: BootId,
    pub(crate) stamp: FrameStamp,
    pub(crate) now: Instant,
    pub(crate) clock: &'a ClockMap,
    /// Whether a reading tells how things are now.
    pub(crate) fresh: bool,
    pub(crate) running: bool,
    pub(crate) meant_to_run: bool,
}

/// A condition that is the absence of something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Absence {
    pub(crate) id: OccurrenceId,
    pub(crate) priority: Priority,
    pub(crate) parameter: Option<Parameter>,
    pub(crate) no_data: Option<NoData>,
    pub(crate) onset_at: Instant,
}

/// All alarms of one pump; at most one occurrence a condition.
#[derive(Debug)]
pub struct Alarms {
    rules: Arc<Rules>,
    limits: Vec<LimitState>,
    active: Vec<Occurrence>,
}

impl Alarms {
    /// No alarm, under these rules.
    #[must_use]
    pub fn new(rules: Arc<Rules>) -> Self {
        let limits = rules.limits().iter().map(|_rule| LimitState::new()).collect();
        Self { rules, limits, active: Vec::new() }
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Every occurrence that has not ended.
    #[must_use]
    pub fn active(&self) -> &[Occurrence] {
        &self.active
    }

    /// Judges one reading by every rule of its parameter.
    pub(crate) fn on_reading(
        &mut self,
        parameter: Parameter,
        reading: Reading,
        sampled: SampleTime,
        moment: &Moment<'_>,
        out: &mut impl Output,
    ) {
        let Some(value) = reading.against_limits() else { return };
        let first = self.rules.limits().partition_point(|rule| rule.parameter < parameter);
        for place in first.. {
            let (Some(rule), Some(state)) =
                (self.rules.limits().get(place), self.limits.get_mut(place))
            else {
                break;
            };
            if rule.parameter != parameter {
                break;
            }
            let gate_open = match rule.gate {
                Gate::Always => true,
                Gate::Running => moment.running,
                Gate::MeantToRun => moment.meant_to_run,
            };
            let at = Onset { boot: moment.boot, time: sampled };
            let (verdict, judged) = state.on_sample(rule, value, at, gate_open);
            if verdict == Verdict::Unchanged {
                let taken_at = || moment.clock.to_reader(sampled, moment.now);
                follow(&mut self.active, rule, judged, taken_at);
            } else {
                self.change(place, verdict, judged, sampled, moment, out);
            }
        }
        if moment.fresh {
            self.data_back(parameter, moment.now, out);
        }
    }

    /// Acts on a verdict that changes something.
    fn change(
        &mut self,
        place: usize,
        verdict: Verdict,
        judged: f32,
        sampled: SampleTime,
        moment: &Moment<'_>,
        out: &mut impl Output,
    ) {
        let rules = Arc::clone(&self.rules);
        let Some(rule) = rules.limits().get(place) else { return };
        let cause = Cause { sampled, stamp: moment.stamp };
        match verdict {
            Verdict::Unchanged => {}
            Verdict::Raise(onset) => self.raise_limit(rule, judged, onset, moment, cause, out),
            Verdict::Clear => self.clear(rule.condition, moment.now, Some(cause), out),
        }
    }

    fn raise_limit(
        &mut self,
        rule: &LimitRule,
        judged: f32,
        onset: Onset,
        moment: &Moment<'_>,
        cause: Cause,
        out: &mut impl Output,
    ) {
        let onset_at = if onset.boot == moment.boot {
            moment.clock.to_reader(onset.time, moment.now)
        } else {
            moment.now
        };
        let occurrence = Occurrence {
            id: OccurrenceId {
                condition: rule.condition,
                boot: Some(onset.boot),
                onset: onset.time.as_nanos(),
            },
            revision: 0,
            kind: rule.kind,
            priority: rule.priority,
            present: true,
            latching: rule.latching,
            acknowledged: None,
            covers_from: 0,
            last_known: !moment.fresh,
            parameter: Some(rule.parameter),
            value: finite(judged),
            value_at: Some(moment.clock.to_reader(cause.sampled, moment.now)),
            worst: finite(judged),
            limit: Some((rule.side, rule.limit)),
            no_data: None,
            onset_at,
            changed_at: moment.now,
            unreviewed: self.rules.unreviewed,
        };
        self.raise(occurrence, moment.now, Some(cause), out);
    }

    /// Raises a condition of absence; nothing when it is present already.
    pub(crate) fn raise_absence(&mut self, absence: Absence, now: Instant, out: &mut impl Output) {
        let present = self.find_mut(absence.id.condition).is_some_and(|found| found.present);
        if present {
            return;
        }
        let occurrence = Occurrence {
            id: absence.id,
            revision: 0,
            kind: Kind::Technical,
            priority: absence.priority,
            present: true,
            latching: false,
            acknowledged: None,
            covers_from: 0,
            last_known: false,
            parameter: absence.parameter,
            value: None,
            value_at: None,
            worst: None,
            limit: None,
            no_data: absence.no_data,
            onset_at: absence.onset_at,
            changed_at: now,
            unreviewed: self.rules.unreviewed,
        };
        self.raise(occurrence, now, None, out);
    }

    fn raise(
        &mut self,
        new: Occurrence,
        now: Instant,
        cause: Option<Cause>,
        out: &mut impl Output,
    ) {
        let condition = new.id.condition;
        let transition = match self.find_mut(condition) {
            Some(latched) => {
                latched.present = true;
                latched.last_known = new.last_known;
                latched.value = new.value;
                latched.value_at = new.value_at;
                if let (Some((side, _limit)), Some(value)) = (latched.limit, new.value) {
                    latched.worst =
                        Some(latched.worst.map_or(value, |worst| side.worse(worst, value)));
                }
                Transition::Returned
            }
            None => {
                self.active.push(new);
                Transition::Raised
            }
        };
        self.announce(condition, transition, now, cause, out);
    }

    /// Ends a condition: its occurrence ends too, unless it latches and nobody has acknowledged it.
    pub(crate) fn clear(
        &mut self,
        condition: Condition,
        now: Instant,
        cause: Option<Cause>,
        out: &mut impl Output,
    ) {
        let Some(occurrence) = self.find_mut(condition) else { return };
        if !occurrence.present {
            return;
        }
        occurrence.present = false;
        occurrence.last_known = false;
        let transition =
            if occurrence.has_ended() { Transition::Ended } else { Transition::Latched };
        self.announce(condition, transition, now, cause, out);
    }

    /// The data of a parameter, or of all, is missing: what it raised stays, as last known.
    pub(crate) fn data_lost(
        &mut self,
        parameter: Option<Parameter>,
        now: Instant,
        out: &mut impl Output,
    ) {
        let is_lost = |watched| parameter.is_none_or(|parameter| parameter == watched);
        for (rule, state) in self.rules.limits().iter().zip(&mut self.limits) {
            if is_lost(rule.parameter) {
                state.interrupt();
            }
        }
        for occurrence in &mut self.active {
            let watched = occurrence.parameter.is_some_and(is_lost);
            let judged_by_samples = occurrence.limit.is_some();
            if watched && judged_by_samples && occurrence.present && !occurrence.last_known {
                occurrence.last_known = true;
                occurrence.revise(now);
                out.alarm(AlarmChange {
                    occurrence,
                    transition: Transition::DataLost,
                    cause: None,
                });
            }
        }
    }

    fn data_back(&mut self, parameter: Parameter, now: Instant, out: &mut impl Output) {
        for occurrence in &mut self.active {
            if occurrence.last_known && occurrence.parameter == Some(parameter) {
                occurrence.last_known = false;
                occurrence.revise(now);
                out.alarm(AlarmChange {
                    occurrence,
                    transition: Transition::DataBack,
                    cause: None,
                });
            }
        }
    }

    /// Acknowledges an occurrence as far as it was shown.
    ///
    /// # Errors
    /// It has ended, or changed since the revision named.
    pub fn acknowledge(
        &mut self,
        id: &OccurrenceId,
        revision: u32,
        by: String,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), AcknowledgeError> {
        let occurrence = self
            .active
            .iter_mut()
            .find(|occurrence| occurrence.id == *id)
            .ok_or(AcknowledgeError::Unknown)?;
        if !(occurrence.covers_from..=occurrence.revision).contains(&revision) {
            return Err(AcknowledgeError::Changed { revision: occurrence.revision });
        }
        if occurrence.acknowledged.is_none() {
            occurrence.acknowledged = Some(Acknowledgement { by, at: now });
            self.announce(id.condition, Transition::Acknowledged, now, None, out);
        }
        Ok(())
    }

    /// The agent has started anew.
    pub(crate) fn restart(&mut self) {
        self.limits.iter_mut().for_each(LimitState::restart);
    }

    fn find_mut(&mut self, condition: Condition) -> Option<&mut Occurrence> {
        self.active.iter_mut().find(|occurrence| occurrence.id.condition == condition)
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
        let Some(place) =
            self.active.iter().position(|occurrence| occurrence.id.condition == condition)
        else {
            return;
        };
        if let Some(occurrence) = self.active.get_mut(place) {
            occurrence.revise(now);
            occurrence.covers_from = occurrence.revision;
            out.alarm(AlarmChange { occurrence, transition, cause });
            if occurrence.has_ended() {
                self.active.swap_remove(place);
            }
        }
    }
}

/// Keeps value and worst value of a present occurrence up to date; no revision, because nothing changed in kind.
fn follow(
    active: &mut [Occurrence],
    rule: &LimitRule,
    judged: f32,
    taken_at: impl FnOnce() -> Instant,
) {
    let followed = active
        .iter_mut()
        .find(|occurrence| occurrence.present && occurrence.id.condition == rule.condition);
    let Some(occurrence) = followed else { return };
    occurrence.value = finite(judged);
    occurrence.value_at = Some(taken_at());
    if let Some(judged) = occurrence.value {
        occurrence.worst =
            Some(occurrence.worst.map_or(judged, |worst| rule.side.worse(worst, judged)));
    }
}

/// A value that a display can print.
fn finite(value: f32) -> Option<f32> {
    value.is_finite().then_some(value)
}
