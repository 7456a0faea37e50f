//! The starter rules: proposals from the project's clinical reference, section 2.2, unreviewed.
//!
//! Limits that need a patient's weight are left out: without a weight they cannot be judged. `post.low` stands in for
//! the composite "disconnection" with a plain limit; its number is a proposal of this project alone.

use core::time::Duration;

use crate::alarm::rule::Priority::High;
use crate::alarm::rule::Side::{Above, Below};
use crate::alarm::rule::{Condition, Gate, Kind, LimitRule, Priority, Rules, Side, SilenceRules};
use crate::parameter::Parameter as P;

/// Averaging of the drainage pressure: its pulsation crosses a limit with each beat.
const DRAIN_AVERAGE: Duration = Duration::from_secs(1);

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A physiological limit of medium priority that does not latch and is judged while the pump turns.
const fn limit(
    name: &'static str,
    parameter: P,
    side: Side,
    limit: f32,
    delay: Duration,
) -> LimitRule {
    LimitRule {
        condition: Condition::named(name),
        parameter,
        side,
        limit,
        hysteresis: 0.0,
        average: Duration::ZERO,
        delay,
        clear_delay: Duration::from_secs(1),
        priority: Priority::Medium,
        kind: Kind::Physiological,
        latching: false,
        gate: Gate::Running,
    }
}

/// The starter limits, in the order of the reference.
const STARTER_LIMITS: [LimitRule; 23] = [
    LimitRule {
        priority: High,
        kind: Kind::Technical,
        latching: true,
        gate: Gate::MeantToRun,
        hysteresis: 200.0,
        ..limit("pump.stop", P::PumpSpeed, Below, 100.0, millis(300))
    },
    LimitRule {
        priority: High,
        latching: true,
        hysteresis: 20.0,
        clear_delay: Duration::from_secs(3),
        gate: Gate::Always,
        ..limit("flow.retrograde", P::FlowBlood, Below, -20.0, millis(500))
    },
    LimitRule {
        hysteresis: 5.0,
        average: DRAIN_AVERAGE,
        ..limit("drain.low.warn", P::PressDrain, Below, -50.0, millis(2_000))
    },
    LimitRule {
        priority: High,
        hysteresis: 5.0,
        average: DRAIN_AVERAGE,
        ..limit("drain.low.alarm", P::PressDrain, Below, -75.0, millis(1_000))
    },
    LimitRule {
        priority: High,
        average: DRAIN_AVERAGE,
        ..limit("drain.high", P::PressDrain, Above, 20.0, millis(2_000))
    },
    LimitRule {
        hysteresis: 10.0,
        ..limit("pre.high.warn", P::PressPre, Above, 250.0, millis(1_000))
    },
    LimitRule {
        priority: High,
        hysteresis: 10.0,
        ..limit("pre.high.alarm", P::PressPre, Above, 350.0, millis(500))
    },
    LimitRule {
        hysteresis: 10.0,
        ..limit("post.high.warn", P::PressPost, Above, 200.0, millis(1_000))
    },
    LimitRule {
        priority: High,
        hysteresis: 10.0,
        ..limit("post.high.alarm", P::PressPost, Above, 300.0, millis(500))
    },
    LimitRule {
        priority: High,
        latching: true,
        hysteresis: 10.0,
        ..limit("post.low", P::PressPost, Below, 25.0, millis(500))
    },
    LimitRule {
        hysteresis: 3.0,
        ..limit("delta.high", P::PressDelta, Above, 50.0, millis(30_000))
    },
    LimitRule {
        priority: High,
        latching: true,
        gate: Gate::Always,
        ..limit("air.arterial", P::AirBubble, Above, 0.5, Duration::ZERO)
    },
    LimitRule {
        priority: High,
        latching: true,
        gate: Gate::Always,
        ..limit("air.venous", P::AirVenous, Above, 0.5, Duration::ZERO)
    },
    LimitRule {
        priority: High,
        gate: Gate::Always,
        ..limit("level.low", P::LevelReservoir, Above, 0.5, millis(500))
    },
    LimitRule {
        hysteresis: 2.0,
        ..limit("sat.drain.low", P::SatDrain, Below, 60.0, millis(20_000))
    },
    LimitRule {
        priority: High,
        hysteresis: 1.0,
        ..limit("sat.post.low", P::SatPost, Below, 95.0, millis(15_000))
    },
    LimitRule {
        priority: High,
        kind: Kind::Technical,
        ..limit("gas.sweep.low", P::GasSweep, Below, 50.0, millis(3_000))
    },
    LimitRule {
        hysteresis: 0.3,
        ..limit("temp.return.high", P::TempReturn, Above, 38.5, millis(30_000))
    },
    LimitRule {
        hysteresis: 0.3,
        ..limit("temp.return.low", P::TempReturn, Below, 35.0, millis(30_000))
    },
    LimitRule {
        priority: High,
        kind: Kind::Technical,
        gate: Gate::Always,
        ..limit("heater.over", P::HeaterWater, Above, 40.5, millis(5_000))
    },
    LimitRule {
        kind: Kind::Technical,
        gate: Gate::Always,
        ..limit("power.mains_lost", P::PowerMains, Below, 0.5, millis(2_000))
    },
    LimitRule {
        kind: Kind::Technical,
        gate: Gate::Always,
        ..limit("battery.low", P::BatteryTimeLeft, Below, 30.0, millis(5_000))
    },
    LimitRule {
        priority: High,
        kind: Kind::Technical,
        gate: Gate::Always,
        ..limit("battery.critical", P::BatteryTimeLeft, Below, 10.0, millis(5_000))
    },
];

/// The starter rules of a neonatal circuit with a centrifugal pump.
#[must_use]
pub fn starter_rules() -> Rules {
    Rules::new(STARTER_LIMITS.to_vec(), STARTER_SILENCE, true)
}

/// Silence: a loss is told to the displays within 1 s, so it is decided 0.2 s before that.
const STARTER_SILENCE: SilenceRules = SilenceRules {
    frame: millis(800),
    frame_after_hint: millis(200),
    frame_clear: Duration::from_secs(2),
    channel: Duration::from_secs(2),
    channel_missing: Duration::from_secs(1),
    channel_clear: Duration::from_secs(1),
    duplicate_clear: Duration::from_secs(10),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::rule::RuleChange;

    #[test]
    fn every_condition_is_named_once_and_every_limit_is_possible() {
        let rules = starter_rules();
        for (index, rule) in rules.limits().iter().enumerate() {
            assert!(rule.parameter.is_possible(rule.limit), "{}", rule.condition);
            assert!(rule.hysteresis >= 0.0 && rule.hysteresis.is_finite());
            for other in &rules.limits()[index + 1..] {
                assert_ne!(rule.condition, other.condition);
            }
        }
        assert!(rules.unreviewed);
    }

    #[test]
    fn a_site_changes_what_it_names_and_nothing_else() {
        let mut rules = starter_rules();
        let change = RuleChange { limit: Some(-80.0), ..RuleChange::default() };
        assert!(rules.change("drain.low.alarm", change));
        assert!(!rules.change("drain.low", change));
        let changed = rules
            .limits()
            .iter()
            .find(|rule| rule.condition == Condition::named("drain.low.alarm"))
            .unwrap();
        assert_eq!((changed.limit, changed.delay), (-80.0, millis(1_000)));
    }
}
