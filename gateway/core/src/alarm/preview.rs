//! What a limit would have done over data that is no longer there sample by sample: bins of least, mean and greatest.
//!
//! The delays are the rule's own. A delay counts bins that were violated as a whole, so that a value which crosses the
//! limit within a bin counts for neither side; a rule without a delay is violated by any sample of a bin; one that
//! averages is judged by the mean. What lasted within two bins of the delay may be counted or not.

use crate::alarm::average::Average;
use crate::alarm::hold::{Hold, Look, Onset, Verdict};
use crate::alarm::limit::delays;
use crate::alarm::rule::{LimitRule, Side};
use crate::frame::BootId;
use crate::time::SampleTime;

/// The values of one parameter in a short time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Least value.
    pub min: f32,
    /// Mean value.
    pub mean: f32,
    /// Greatest value.
    pub max: f32,
}

/// A limit that is tried on data of the past.
#[derive(Debug)]
pub struct Preview<'a> {
    rule: &'a LimitRule,
    average: Average,
    hold: Hold,
    raised: u32,
}

/// The data has no boot of its own: it is of one clock.
const BOOT: BootId = match BootId::new(1) {
    Some(boot) => boot,
    None => unreachable!(),
};

impl<'a> Preview<'a> {
    /// Nothing is judged yet.
    #[must_use]
    pub fn new(rule: &'a LimitRule) -> Self {
        Self { rule, average: Average::default(), hold: Hold::new(), raised: 0 }
    }

    /// Judges one bin against the limit in the parameter's unit; `gate_open` tells whether the rule may raise.
    pub fn on_bin(&mut self, at: SampleTime, bin: Bin, limit: f32, gate_open: bool) {
        let rule = self.rule;
        let info = rule.parameter.info();
        let possible = (info.possible_low, info.possible_high);
        let (furthest, nearest) = match rule.side {
            Side::Below => (bin.min, bin.max),
            Side::Above => (bin.max, bin.min),
        };
        let (violating, recovering) = if !rule.average.is_zero() {
            let mean = self.average.add(bin.mean, possible, at, rule.average);
            (mean, mean)
        } else if rule.delay.is_zero() {
            (furthest, furthest)
        } else {
            (nearest, furthest)
        };
        let hysteresis = rule.hysteresis + rule.hysteresis_share * limit.abs();
        let look = Look {
            violated: gate_open && rule.side.is_violated(violating, limit),
            recovered: rule.side.is_recovered(recovering, limit, hysteresis),
            at: Onset { boot: BOOT, time: at },
            lag: rule.average / 2,
        };
        if matches!(self.hold.step(delays(rule), look), Verdict::Raise(_)) {
            self.raised = self.raised.saturating_add(1);
        }
    }

    /// There is no data, or nothing to hold it against: unknown time neither violates nor recovers.
    pub fn on_gap(&mut self) {
        self.hold.interrupt();
    }

    /// How often it would have raised its condition.
    #[must_use]
    pub const fn raised(&self) -> u32 {
        self.raised
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::alarm::condition::{Condition, Kind, Priority};
    use crate::alarm::rule::{Gate, Limit, Measure, RuleKey};
    use crate::parameter::Parameter;

    fn rule(side: Side, average_ms: u64, delay_ms: u64) -> LimitRule {
        LimitRule {
            key: RuleKey { condition: Condition::PRE_HIGH_WARN, number: 1 },
            parameter: Parameter::PressPre,
            measure: Measure::Value,
            side,
            limit: Limit::Fixed(100.0),
            hysteresis: 10.0,
            hysteresis_share: 0.0,
            average: Duration::from_millis(average_ms),
            delay: Duration::from_millis(delay_ms),
            cumulative: false,
            clear_delay: Duration::from_millis(200),
            priority: Priority::Medium,
            kind: Kind::Physiological,
            latching: false,
            gate: Gate::Always,
            escalate: None,
        }
    }

    /// How often the rule raises over bins of 100 ms with these extremes; the gate is open unless said.
    fn raised(rule: &LimitRule, bins: &[(f32, f32)], gate_open: bool) -> u32 {
        let mut preview = Preview::new(rule);
        for (tick, (min, max)) in (0..).zip(bins) {
            let bin = Bin { min: *min, mean: (min + max) / 2.0, max: *max };
            preview.on_bin(SampleTime::from_millis(tick * 100), bin, 100.0, gate_open);
        }
        preview.raised()
    }

    const HIGH: (f32, f32) = (110.0, 130.0);
    const CROSSING: (f32, f32) = (80.0, 130.0);
    const LOW: (f32, f32) = (60.0, 80.0);

    #[test]
    fn a_delay_counts_bins_that_are_violated_as_a_whole() {
        let above = rule(Side::Above, 0, 300);
        assert_eq!(raised(&above, &[HIGH, HIGH, HIGH, HIGH], true), 1);
        assert_eq!(raised(&above, &[HIGH, HIGH, HIGH], true), 0);
        // A pause of half the delay or more is one; a shorter one is the pulse.
        assert_eq!(raised(&above, &[HIGH, HIGH, CROSSING, CROSSING, HIGH, HIGH], true), 0);
        assert_eq!(raised(&above, &[HIGH, HIGH, CROSSING, HIGH, HIGH], true), 1);
        assert_eq!(raised(&above, &[HIGH, HIGH, HIGH, HIGH], false), 0);
        let below = rule(Side::Below, 0, 300);
        assert_eq!(raised(&below, &[LOW, LOW, LOW, LOW], true), 1);
        assert_eq!(raised(&below, &[LOW, LOW, LOW, CROSSING], true), 0);
    }

    #[test]
    fn a_rule_without_delay_sees_every_sample_of_a_bin() {
        assert_eq!(raised(&rule(Side::Above, 0, 0), &[LOW, CROSSING, LOW], true), 1);
        assert_eq!(raised(&rule(Side::Below, 0, 0), &[HIGH, CROSSING, HIGH], true), 1);
    }

    #[test]
    fn a_rule_that_averages_is_judged_by_the_mean() {
        let averaged = rule(Side::Above, 1_000, 300);
        assert_eq!(raised(&averaged, &[CROSSING; 20], true), 1, "the mean is 105");
        let lower = [(60.0, 130.0); 20];
        assert_eq!(raised(&averaged, &lower, true), 0, "the mean is 95");
    }

    #[test]
    fn it_raises_again_only_after_the_clear_delay() {
        let above = rule(Side::Above, 0, 0);
        assert_eq!(raised(&above, &[HIGH, LOW, HIGH, LOW, LOW, LOW, HIGH], true), 2);
    }

    #[test]
    fn a_gap_does_not_count_as_recovered() {
        let rule = rule(Side::Above, 0, 0);
        let mut preview = Preview::new(&rule);
        let bin = |(min, max): (f32, f32)| Bin { min, mean: min, max };
        preview.on_bin(SampleTime::from_millis(0), bin(HIGH), 100.0, true);
        preview.on_bin(SampleTime::from_millis(100), bin(LOW), 100.0, true);
        preview.on_gap();
        preview.on_bin(SampleTime::from_millis(9_000), bin(LOW), 100.0, true);
        preview.on_bin(SampleTime::from_millis(9_100), bin(HIGH), 100.0, true);
        assert_eq!(preview.raised(), 1);
    }
}
