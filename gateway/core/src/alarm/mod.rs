//! The alarms of one pump: readings judged by limits, signals by composites, occurrences from onset to end.
//!
//! `(state, rules, input, now) -> changes`: the same inputs give the same changes. Whoever calls hands in the time and
//! takes the changes through [`Output`].

pub mod condition;

pub mod composite;

pub mod rule;

pub mod treatment;

mod waiting;

pub mod profile;

pub mod occurrence;

pub mod action;

pub mod quality;

mod average;

mod hold;

mod limit;

mod measure;

pub mod preview;

mod register;

mod absence;

mod grid;

mod operate;

mod restore;

mod standing;

#[cfg(test)]
pub(crate) mod blank;

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::frame::{BootId, Frame, FrameStamp};
use crate::parameter::Parameter;
use crate::reading::Reading;
use crate::time::{ClockMap, Instant, SampleTime};

use condition::Condition;
use grid::CompositeState;
use hold::{Onset, Verdict};
use limit::{LimitState, Measured};
use measure::{Newest, Shown, finite, is_open, limit_of, measure};
use occurrence::{Occurrence, OccurrenceId, Shelf, Transition};
use quality::Quality;
use register::{Register, is_judged_by};
use rule::{CompositeRule, LimitRule, RuleKey, Rules};

pub(crate) use absence::Absence;
pub(crate) use hold::Streak;
pub use register::{COVERED_MAX, Covered};
pub(crate) use restore::Shelves;
pub use waiting::Waiting;

/// The sample that decided a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// When it was taken, by the agent's clock.
    pub sampled: SampleTime,
    /// Sequence of its frame.
    pub sequence: u64,
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

/// Why what a person asked for is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The occurrence has ended, or never was; nothing is shelved.
    Unknown,
    /// It changed since the revision that the person saw.
    Changed {
        /// The present revision.
        revision: u32,
    },
    /// An alarm of high priority, or about loss of data, is never shelved.
    NeverShelved,
    /// Nothing signals that could be paused.
    NothingSounds,
    /// Somebody else looks after the pump, or it was offered to somebody else.
    NotTheirs,
}

/// What is known while one frame is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) boot: BootId,
    pub(crate) sequence: u64,
    pub(crate) stamp: FrameStamp,
    pub(crate) now: Instant,
    pub(crate) clock: &'a ClockMap,
    /// Whether a reading tells how things are now.
    pub(crate) fresh: bool,
    pub(crate) running: bool,
    pub(crate) meant_to_run: bool,
}

impl Moment<'_> {
    /// A sample of the frame as the cause of a change.
    pub(crate) const fn cause(&self, sampled: SampleTime) -> Cause {
        Cause { sampled, sequence: self.sequence, stamp: self.stamp }
    }
}

/// All alarms of one pump; at most one occurrence a condition.
#[derive(Debug)]
pub struct Alarms {
    rules: Arc<Rules>,
    limits: Vec<LimitState>,
    composites: Vec<CompositeState>,
    register: Register,
    /// Newest value of each parameter; NaN where there is none.
    newest: Newest,
}

impl Alarms {
    /// No alarm, under these rules.
    #[must_use]
    pub fn new(rules: Arc<Rules>, now: Instant) -> Self {
        Self {
            limits: rules.limits().iter().map(|_rule| LimitState::begin(false)).collect(),
            composites: rules.composites().iter().map(CompositeState::new).collect(),
            rules,
            register: Register::new(now),
            newest: [f32::NAN; Parameter::COUNT],
        }
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Every occurrence that has not ended.
    #[must_use]
    pub fn active(&self) -> &[Occurrence] {
        self.register.active()
    }

    /// Conditions that are shelved.
    #[must_use]
    pub fn shelves(&self) -> &[(Condition, Shelf)] {
        self.register.shelves()
    }

    /// How good the alarms were as alarms.
    pub fn quality(&mut self) -> &mut Quality {
        &mut self.register.quality
    }

    /// Puts other rules in force. What is present stays as far as its rule is still there.
    pub(crate) fn set_rules(&mut self, rules: Arc<Rules>, now: Instant, out: &mut impl Output) {
        let old = core::mem::replace(&mut self.rules, rules);
        let mut limits: Vec<_> = old.limits().iter().zip(self.limits.drain(..)).collect();
        let mut composites: Vec<_> =
            old.composites().iter().zip(self.composites.drain(..)).collect();
        for rule in self.rules.limits() {
            let same =
                |(one, _): &(&LimitRule, _)| one.key == rule.key && one.parameter == rule.parameter;
            let found = limits.iter().position(same);
            let state = found.map(|place| limits.swap_remove(place).1);
            let present = self.register.find(rule.key.condition);
            let goes_on = present.is_some_and(|one| one.present && one.rule == rule.key.number);
            self.limits.push(state.unwrap_or_else(|| LimitState::begin(goes_on)));
        }
        for rule in self.rules.composites() {
            let same = |(one, _): &(&CompositeRule, _)| {
                one.key == rule.key && one.composite == rule.composite
            };
            let found = composites.iter().position(same);
            let state = found.map(|place| composites.swap_remove(place).1);
            self.composites.push(state.unwrap_or_else(|| CompositeState::new(rule)));
        }
        let by_rules = self.active().iter().filter(|one| one.rule > 0 && !one.orphan);
        let concerned: Vec<_> =
            by_rules.map(|one| RuleKey { condition: one.id.condition, number: one.rule }).collect();
        for key in concerned {
            let unknown = self.rules.not_evaluable.iter().any(|(rule, _why)| *rule == key);
            if unknown && self.leading(key.condition).is_none() {
                // What cannot be judged any more has not ended.
                let it = |one: &Occurrence| one.id.condition == key.condition;
                self.register.set_last_known(it, true, now, out);
            } else {
                self.settle(key.condition, now, None, out);
            }
        }
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
        if let Some(newest) = self.newest.get_mut(parameter.index()) {
            *newest = reading.value().unwrap_or(f32::NAN);
        }
        let Some(value) = reading.against_limits() else { return };
        let at = Onset { boot: moment.boot, time: sampled };
        // A bit for each rule of the parameter that has recovered; a profile has far fewer than 64 of one.
        let mut recovered = 0_u64;
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
            let Some((value, limit)) = measure(rule, value, &self.newest) else {
                state.hold.interrupt();
                continue;
            };
            let gate_open = is_open(rule.gate, moment, &self.newest);
            let sample = Measured { value, limit, at, gate_open };
            let (verdict, judged) = state.on_sample(rule, sample);
            let condition = rule.key.condition;
            if verdict == Verdict::Clear {
                recovered |= 1_u64.checked_shl(bit(place - first)).unwrap_or(0);
            } else if state.hold.is_present() {
                let late = !state.hold.was_well();
                let shown = Shown { late, ..Shown::of(rule, judged, limit) };
                self.follow(condition, verdict, shown, sampled, moment, out);
            }
        }
        // Once every rule was judged: two rules of a condition may recover with one sample.
        while recovered != 0 {
            let place = first + usize::try_from(recovered.trailing_zeros()).unwrap_or(0);
            recovered &= recovered - 1;
            let condition = self.rules.limits().get(place).map(|rule| rule.key.condition);
            let cause = Some(moment.cause(sampled));
            if let Some(condition) = condition {
                self.settle(condition, moment.now, cause, out);
            }
        }
        if moment.fresh && !self.active().is_empty() {
            let rules = self.rules.limits().get(first..).unwrap_or_default();
            let states = self.limits.get(first..).unwrap_or_default();
            let judged = |one: &Occurrence| {
                let key = RuleKey { condition: one.id.condition, number: one.rule };
                let mut own =
                    rules.iter().zip(states).take_while(|(rule, _)| rule.parameter == parameter);
                // What was kept and is found recovered stays what was known before, until it is over or goes on.
                own.any(|(rule, state)| rule.key == key && !state.hold.is_undecided())
            };
            self.register.set_last_known(judged, false, moment.now, out);
        }
    }

    /// Judges again what a channel that is sent on change said last: it still stands, and a delay goes on.
    pub(crate) fn on_unchanged(
        &mut self,
        parameter: Parameter,
        time: SampleTime,
        moment: &Moment<'_>,
        out: &mut impl Output,
    ) {
        let first = self.rules.limits().partition_point(|rule| rule.parameter < parameter);
        let rules = self.rules.limits().iter().zip(&self.limits).skip(first);
        let mut own = rules.take_while(|(rule, _state)| rule.parameter == parameter);
        let waits = own.any(|(_, state)| state.hold.is_pending() || state.hold.is_recovering());
        let value = self.newest.get(parameter.index()).copied().filter(|value| !value.is_nan());
        if let Some(value) = value.filter(|_value| waits) {
            self.on_reading(parameter, Reading::Value(value), time, moment, out);
        }
    }

    /// Acts on what a rule says: raises, ends, or keeps the occurrence up to date.
    fn follow(
        &mut self,
        condition: Condition,
        verdict: Verdict,
        shown: Shown,
        sampled: SampleTime,
        moment: &Moment<'_>,
        out: &mut impl Output,
    ) {
        let cause = Some(moment.cause(sampled));
        let present = self.register.find(condition).is_some_and(|found| found.present);
        match verdict {
            Verdict::Raise(onset) if !present => {
                let new = self.new_occurrence(condition, shown, onset, sampled, moment);
                let rules = Arc::clone(&self.rules);
                self.register.raise(new, &rules, moment.now, cause, out);
            }
            Verdict::Raise(_) | Verdict::Clear => self.settle(condition, moment.now, cause, out),
            Verdict::Unchanged => {
                let taken_at = moment.clock.to_reader(sampled, moment.now);
                let Some(occurrence) = self.register.find_mut(condition) else { return };
                if !occurrence.present || occurrence.rule != shown.number {
                    return;
                }
                occurrence.value = finite(shown.value);
                occurrence.value_at = Some(taken_at);
                if occurrence.parameter != Some(shown.parameter) {
                    // Another sign of the same composite tells it now.
                    occurrence.parameter = Some(shown.parameter);
                    occurrence.limit = shown.limit;
                    occurrence.worst = occurrence.value;
                }
                if let (Some(value), Some((side, _limit))) = (occurrence.value, occurrence.limit) {
                    let worst = occurrence.worst.map_or(value, |worst| side.worse(worst, value));
                    occurrence.worst = Some(worst);
                }
                let outgrew = occurrence.outgrew_acknowledgement();
                let other = !occurrence.escalated && occurrence.priority != shown.priority;
                if other {
                    self.settle(condition, moment.now, cause, out);
                } else if outgrew {
                    let rules = Arc::clone(&self.rules);
                    self.register.worsened(condition, &rules, moment.now, cause, out);
                }
            }
        }
    }

    /// Lets an occurrence follow the most urgent of its rules that are present, or end when there is none.
    fn settle(
        &mut self,
        condition: Condition,
        now: Instant,
        cause: Option<Cause>,
        out: &mut impl Output,
    ) {
        let Some(leading) = self.leading(condition) else {
            return self.register.clear(condition, now, cause, out);
        };
        let Some(occurrence) = self.register.find_mut(condition) else { return };
        let limit = leading.limit.or(occurrence.limit);
        let same = occurrence.rule == leading.number && occurrence.limit == limit;
        if !same {
            occurrence.rule = leading.number;
            occurrence.parameter = Some(leading.parameter);
            occurrence.limit = limit;
            occurrence.latching |= leading.latching;
            if finite(leading.value).is_some() {
                occurrence.value = finite(leading.value);
                occurrence.worst = occurrence.value;
            }
        }
        let priority = if occurrence.escalated { occurrence.priority } else { leading.priority };
        if priority != occurrence.priority {
            let rules = Arc::clone(&self.rules);
            self.register.set_priority(condition, priority, &rules, now, cause, out);
        } else if !same {
            self.register.revise(condition, Transition::RuleChanged, now, out);
        }
    }

    /// The most urgent rule of a condition that is present.
    fn leading(&self, condition: Condition) -> Option<Shown> {
        let limits = self.rules.limits().iter().zip(&self.limits);
        let of_limits = limits
            .filter(|(rule, state)| rule.key.condition == condition && state.hold.is_present())
            .map(|(rule, _state)| {
                let limit = limit_of(rule, &self.newest);
                let value = self.newest.get(rule.parameter.index()).copied();
                Shown::of(rule, value.unwrap_or(f32::NAN), limit.unwrap_or(f32::NAN))
            });
        let composites = self.rules.composites().iter().zip(&self.composites);
        let of_composites = composites
            .filter(|(rule, state)| rule.key.condition == condition && state.hold.is_present())
            .filter_map(|(rule, state)| Some(Shown::by(rule, state.evidence.as_ref()?)));
        of_limits
            .chain(of_composites)
            .max_by_key(|shown| (shown.priority, core::cmp::Reverse(shown.number)))
    }

    fn new_occurrence(
        &self,
        condition: Condition,
        shown: Shown,
        onset: Onset,
        sampled: SampleTime,
        moment: &Moment<'_>,
    ) -> Occurrence {
        let onset_at = if onset.boot == moment.boot {
            moment.clock.to_reader(onset.time, moment.now)
        } else {
            moment.now
        };
        let id = OccurrenceId { condition, boot: Some(onset.boot), onset: onset.time.as_nanos() };
        let mut new = Occurrence::new(id, shown.kind, shown.priority, onset_at, moment.now);
        new.latching = shown.latching;
        new.last_known = !moment.fresh;
        new.parameter = Some(shown.parameter);
        new.value = finite(shown.value);
        new.value_at = Some(moment.clock.to_reader(sampled, moment.now));
        new.worst = new.value;
        new.limit = shown.limit;
        new.unreviewed = self.rules.unreviewed;
        new.rule = shown.number;
        new.late = shown.late;
        new
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
                state.hold.interrupt();
            }
        }
        if parameter.is_none() {
            self.composites.iter_mut().for_each(|state| state.hold.interrupt());
        }
        for (known, newest) in Parameter::ALL.iter().zip(&mut self.newest) {
            if is_lost(*known) {
                *newest = f32::NAN;
            }
        }
        self.register.set_last_known(|one| is_judged_by(one, parameter), true, now, out);
    }

    /// The agent has started anew.
    pub(crate) fn restart(&mut self) {
        self.limits.iter_mut().for_each(LimitState::restart);
        for state in &mut self.composites {
            state.hold.restart();
            state.memory.restart();
        }
    }

    /// When the clock alone changes an alarm.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.register.next_deadline()
    }

    /// Does what the clock asks for.
    pub(crate) fn on_tick(&mut self, now: Instant, out: &mut impl Output) {
        let rules = Arc::clone(&self.rules);
        self.register.on_tick(&rules, now, out);
    }
}

fn bit(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
