//! One limit over one channel's samples: averaged, held against the limit in force, with the rule's delays.

use core::time::Duration;

use crate::alarm::average::Average;
use crate::alarm::hold::{Delays, Hold, Look, Onset, PULSE, Verdict};
use crate::alarm::rule::LimitRule;

/// The state of one limit rule.
#[derive(Debug, Clone)]
pub(crate) struct LimitState {
    average: Average,
    pub(crate) hold: Hold,
}

/// One sample as a limit sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// The number that is judged.
    pub(crate) value: f32,
    /// The limit in force, in the parameter's unit.
    pub(crate) limit: f32,
    /// When.
    pub(crate) at: Onset,
    /// Whether the rule may raise now.
    pub(crate) gate_open: bool,
}

impl LimitState {
    /// Nothing was judged yet; `present` when the condition is, from before.
    pub(crate) fn begin(present: bool) -> Self {
        let hold = if present { Hold::present() } else { Hold::new() };
        Self { average: Average::default(), hold }
    }

    /// Judges one sample; returns what changed and the value that was judged.
    pub(crate) fn on_sample(&mut self, rule: &LimitRule, sample: Measured) -> (Verdict, f32) {
        let Measured { value, limit, at, gate_open } = sample;
        let info = rule.parameter.info();
        let possible = (info.possible_low, info.possible_high);
        let judged = self.average.add(value, possible, at.time, rule.average);
        let hysteresis = rule.hysteresis + rule.hysteresis_share * limit.abs();
        let look = Look {
            violated: gate_open && rule.side.is_violated(judged, limit),
            recovered: rule.side.is_recovered(judged, limit, hysteresis),
            at,
            lag: rule.average / 2,
        };
        (self.hold.step(delays(rule), look), judged)
    }

    /// The agent has started anew: its clock begins again, what was the case is still the case.
    pub(crate) fn restart(&mut self) {
        self.average.restart();
        self.hold.restart();
    }
}

/// A mean over at least this has no pulse.
const WITHOUT_PULSE: Duration = Duration::from_secs(1);

/// A tenth of the delay, or one pulse if that is longer, and never more than half of the delay.
pub(crate) fn delays(rule: &LimitRule) -> Delays {
    let pulse = (rule.delay / 10).max(PULSE).min(rule.delay / 2);
    // A mean of a second has no pulse.
    let dip = if rule.average < WITHOUT_PULSE { pulse } else { Duration::ZERO };
    Delays { raise: rule.delay, clear: rule.clear_delay, cumulative: rule.cumulative, dip }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::condition::{Condition, Kind, Priority};
    use crate::alarm::rule::{Gate, Limit, Measure, RuleKey, Side};
    use crate::frame::BootId;
    use crate::parameter::Parameter;
    use crate::time::SampleTime;

    fn rule() -> LimitRule {
        LimitRule {
            key: RuleKey { condition: Condition::DRAIN_LOW_WARN, number: 1 },
            parameter: Parameter::PressDrain,
            measure: Measure::Value,
            side: Side::Below,
            limit: Limit::Fixed(-50.0),
            hysteresis: 5.0,
            hysteresis_share: 0.0,
            average: Duration::ZERO,
            delay: Duration::from_millis(300),
            cumulative: false,
            clear_delay: Duration::from_millis(200),
            priority: Priority::Medium,
            kind: Kind::Physiological,
            latching: false,
            gate: Gate::Always,
            escalate: None,
        }
    }

    fn measured(ms: u64, value: f32, gate_open: bool) -> Measured {
        Measured { value, limit: -50.0, at: at(ms), gate_open }
    }

    fn at(ms: u64) -> Onset {
        Onset { boot: BootId::new(1).unwrap(), time: SampleTime::from_millis(ms) }
    }

    /// Runs (ms, value) samples and compares with the (ms, verdict) pairs that changed something.
    fn check(rule: &LimitRule, samples: &[(u64, f32)], expected: &[(u64, Verdict)]) {
        let mut state = LimitState::begin(false);
        let mut changes = Vec::new();
        for (ms, value) in samples {
            let (verdict, _judged) = state.on_sample(rule, measured(*ms, *value, true));
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
        let mut state = LimitState::begin(false);
        state.on_sample(&rule(), measured(1_000, -60.0, true));
        state.on_sample(&rule(), measured(1_200, -60.0, true));
        state.restart();
        state.on_sample(&rule(), measured(0, -60.0, true));
        let (verdict, _) = state.on_sample(&rule(), measured(100, -60.0, true));
        assert_eq!(verdict, Verdict::Raise(at(1_000)));
    }

    #[test]
    fn a_closed_gate_stops_an_onset_and_never_ends_what_is_present() {
        let mut state = LimitState::begin(false);
        for ms in [0, 300, 600] {
            assert_eq!(state.on_sample(&rule(), measured(ms, -60.0, false)).0, Verdict::Unchanged);
        }
        state.on_sample(&rule(), measured(700, -60.0, true));
        assert_eq!(
            state.on_sample(&rule(), measured(1_000, -60.0, true)).0,
            Verdict::Raise(at(700))
        );
        assert_eq!(state.on_sample(&rule(), measured(1_100, -60.0, false)).0, Verdict::Unchanged);
        assert_eq!(state.on_sample(&rule(), measured(1_200, -40.0, false)).0, Verdict::Unchanged);
        assert_eq!(state.on_sample(&rule(), measured(1_400, -40.0, false)).0, Verdict::Clear);
    }
}
