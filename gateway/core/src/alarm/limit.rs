//! One limit over one channel's samples: violated long enough it raises, recovered long enough it clears. Unknown changes nothing.

use core::time::Duration;

use crate::alarm::average::Average;
use crate::alarm::rule::LimitRule;
use crate::frame::BootId;
use crate::time::SampleTime;

/// How long something has been so without interruption, by sample time; goes on over a restart of the agent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Streak {
    since: Option<SampleTime>,
    last: SampleTime,
    /// Length in the boots before this one.
    carried: Duration,
}

impl Streak {
    /// Begins with a sample.
    pub(crate) const fn begin(time: SampleTime) -> Self {
        Self { since: Some(time), last: time, carried: Duration::ZERO }
    }

    /// Takes one more sample and returns the length.
    pub(crate) fn extend(&mut self, time: SampleTime) -> Duration {
        // A time before the first one betrays that the first was wrong: it must not hold up the length.
        let since = self.since.map_or(time, |since| since.min(time));
        self.since = Some(since);
        self.last = time;
        self.carried.saturating_add(time.since(since))
    }

    /// The clock of the samples begins anew.
    pub(crate) fn restart(&mut self) {
        if let Some(since) = self.since.take() {
            self.carried = self.carried.saturating_add(self.last.since(since));
        }
    }
}

/// Where an occurrence began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Onset {
    pub(crate) boot: BootId,
    pub(crate) time: SampleTime,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Normal,
    Pending { onset: Onset, violated: Streak },
    Present { recovering: Option<Streak> },
}

/// What a sample led to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Verdict {
    /// Nothing changed.
    Unchanged,
    /// The condition is present from the onset on.
    Raise(Onset),
    /// The condition is gone.
    Clear,
}

/// The state of one limit rule.
#[derive(Debug, Clone)]
pub(crate) struct LimitState {
    average: Average,
    phase: Phase,
}

impl LimitState {
    pub(crate) fn new() -> Self {
        Self { average: Average::default(), phase: Phase::Normal }
    }

    /// Judges one sample; returns what changed and the value that was judged.
    pub(crate) fn on_sample(
        &mut self,
        rule: &LimitRule,
        value: f32,
        at: Onset,
        gate_open: bool,
    ) -> (Verdict, f32) {
        let info = rule.parameter.info();
        let possible = (info.possible_low, info.possible_high);
        let judged = self.average.add(value, possible, at.time, rule.average);
        (self.step(rule, judged, at, gate_open), judged)
    }

    fn step(&mut self, rule: &LimitRule, value: f32, at: Onset, gate_open: bool) -> Verdict {
        let violated = rule.side.is_violated(value, rule.limit);
        match &mut self.phase {
            Phase::Normal | Phase::Pending { .. } if !(violated && gate_open) => {
                self.phase = Phase::Normal;
                Verdict::Unchanged
            }
            Phase::Normal if rule.delay.is_zero() => {
                self.phase = Phase::Present { recovering: None };
                Verdict::Raise(at)
            }
            Phase::Normal => {
                self.phase = Phase::Pending { onset: at, violated: Streak::begin(at.time) };
                Verdict::Unchanged
            }
            Phase::Pending { onset, violated } => {
                if violated.extend(at.time) < rule.delay {
                    return Verdict::Unchanged;
                }
                let onset = *onset;
                self.phase = Phase::Present { recovering: None };
                Verdict::Raise(onset)
            }
            Phase::Present { recovering } => {
                if !rule.side.is_recovered(value, rule.limit, rule.hysteresis) {
                    *recovering = None;
                    return Verdict::Unchanged;
                }
                let recovered = match recovering {
                    Some(streak) => streak.extend(at.time),
                    None => {
                        *recovering = Some(Streak::begin(at.time));
                        Duration::ZERO
                    }
                };
                if recovered < rule.clear_delay {
                    return Verdict::Unchanged;
                }
                self.phase = Phase::Normal;
                Verdict::Clear
            }
        }
    }

    /// The data is lost: unknown time does not count as recovered.
    pub(crate) fn interrupt(&mut self) {
        match &mut self.phase {
            Phase::Normal | Phase::Pending { .. } => {}
            Phase::Present { recovering } => *recovering = None,
        }
    }

    /// The agent has started anew: its clock begins again, what was the case is still the case.
    pub(crate) fn restart(&mut self) {
        self.average.restart();
        match &mut self.phase {
            Phase::Normal | Phase::Present { recovering: None } => {}
            Phase::Pending { violated: streak, .. }
            | Phase::Present { recovering: Some(streak) } => streak.restart(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::rule::{Condition, Gate, Kind, Priority, Side};
    use crate::parameter::Parameter;

    fn rule() -> LimitRule {
        LimitRule {
            condition: Condition::named("test.low"),
            parameter: Parameter::PressDrain,
            side: Side::Below,
            limit: -50.0,
            hysteresis: 5.0,
            average: Duration::ZERO,
            delay: Duration::from_millis(300),
            clear_delay: Duration::from_millis(200),
            priority: Priority::Medium,
            kind: Kind::Physiological,
            latching: false,
            gate: Gate::Always,
        }
    }

    fn at(ms: u64) -> Onset {
        Onset { boot: BootId::new(1).unwrap(), time: SampleTime::from_millis(ms) }
    }

    /// Runs (ms, value) samples and compares with the (ms, verdict) pairs that changed something.
    fn check(rule: &LimitRule, samples: &[(u64, f32)], expected: &[(u64, Verdict)]) {
        let mut state = LimitState::new();
        let mut changes = Vec::new();
        for (ms, value) in samples {
            let (verdict, _judged) = state.on_sample(rule, *value, at(*ms), true);
            if verdict != Verdict::Unchanged {
                changes.push((*ms, verdict));
            }
        }
        assert_eq!(changes, expected);
    }

    #[test]
    fn a_violation_raises_after_its_delay_and_names_its_first_sample() {
        check(
            &rule(),
            &[(0, -40.0), (100, -60.0), (200, -60.0), (399, -60.0), (400, -60.0), (500, -60.0)],
            &[(400, Verdict::Raise(at(100)))],
        );
    }

    #[test]
    fn a_value_on_the_limit_is_no_violation_and_a_short_dip_is_forgotten() {
        check(
            &rule(),
            &[(0, -50.0), (900, -50.0), (1_000, -60.0), (1_200, -49.0), (1_400, -60.0)],
            &[],
        );
    }

    #[test]
    fn it_clears_only_beyond_the_hysteresis_and_after_the_clear_delay() {
        check(
            &rule(),
            &[
                (0, -60.0),
                (300, -60.0),
                (400, -46.0),
                (900, -46.0),
                (1_000, -45.0),
                (1_199, -45.0),
                (1_200, -45.0),
            ],
            &[(300, Verdict::Raise(at(0))), (1_200, Verdict::Clear)],
        );
    }

    #[test]
    fn a_relapse_while_clearing_begins_the_clear_delay_anew() {
        check(
            &rule(),
            &[
                (0, -60.0),
                (300, -60.0),
                (400, -40.0),
                (500, -60.0),
                (600, -40.0),
                (799, -40.0),
                (800, -40.0),
            ],
            &[(300, Verdict::Raise(at(0))), (800, Verdict::Clear)],
        );
    }

    #[test]
    fn a_time_that_steps_back_does_not_hold_up_what_follows() {
        check(
            &rule(),
            &[(9_000, -60.0), (100, -60.0), (399, -60.0), (400, -60.0)],
            &[(400, Verdict::Raise(at(9_000)))],
        );
    }

    #[test]
    fn a_rule_without_delay_raises_with_the_first_sample() {
        let rule = LimitRule { delay: Duration::ZERO, ..rule() };
        check(&rule, &[(7, -60.0)], &[(7, Verdict::Raise(at(7)))]);
    }

    #[test]
    fn a_pause_without_samples_does_not_forget_a_violation() {
        check(&rule(), &[(0, -60.0), (60_000, -60.0)], &[(60_000, Verdict::Raise(at(0)))]);
    }

    #[test]
    fn what_is_no_number_is_a_violation_and_never_a_recovery() {
        check(&rule(), &[(0, f32::NAN), (300, f32::NAN)], &[(300, Verdict::Raise(at(0)))]);
        check(
            &rule(),
            &[(0, -60.0), (300, -60.0), (400, f32::NAN), (900, f32::NAN)],
            &[(300, Verdict::Raise(at(0)))],
        );
    }

    #[test]
    fn a_violation_goes_on_over_a_restart_of_the_agent() {
        let mut state = LimitState::new();
        state.on_sample(&rule(), -60.0, at(1_000), true);
        state.on_sample(&rule(), -60.0, at(1_200), true);
        state.restart();
        state.on_sample(&rule(), -60.0, at(0), true);
        let (verdict, _) = state.on_sample(&rule(), -60.0, at(100), true);
        assert_eq!(verdict, Verdict::Raise(at(1_000)));
    }

    #[test]
    fn a_closed_gate_stops_an_onset_and_never_ends_what_is_present() {
        let mut state = LimitState::new();
        for ms in [0, 300, 600] {
            assert_eq!(state.on_sample(&rule(), -60.0, at(ms), false).0, Verdict::Unchanged);
        }
        state.on_sample(&rule(), -60.0, at(700), true);
        assert_eq!(state.on_sample(&rule(), -60.0, at(1_000), true).0, Verdict::Raise(at(700)));
        assert_eq!(state.on_sample(&rule(), -60.0, at(1_100), false).0, Verdict::Unchanged);
        assert_eq!(state.on_sample(&rule(), -40.0, at(1_200), false).0, Verdict::Unchanged);
        assert_eq!(state.on_sample(&rule(), -40.0, at(1_400), false).0, Verdict::Clear);
    }
}
