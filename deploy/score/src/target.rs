//! What the score must reach: by the condition that is expected, and for false alarms.

use ecmo_core::alarm::condition::Priority;

use crate::truth::{Expected, Pattern};

/// How many of the faults of one row must be caught within their bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// All of them: pump stop, disconnection, air, power, over-limit.
    All,
    /// 98 %: obstruction, chatter, gas failure, clotting, sensor fault.
    Most,
    /// None is set: recirculation, trends and information.
    Unset,
}

/// Conditions of which every one must be caught, whatever else would do too.
const ALWAYS: [&str; 13] = [
    "pump.stop",
    "circuit.disconnection",
    "post.low",
    "air.arterial",
    "air.venous",
    "air.suspected",
    "power.mains_lost",
    "power.depleting",
    "battery.low",
    "battery.critical",
    "level.low",
    "flow.retrograde",
    "comm.stale",
];

/// Conditions that are inferred, and may be missed now and then.
const MOSTLY: [&str; 6] = [
    "return.obstruction",
    "drain.obstruction",
    "drain.chatter",
    "gas.failure",
    "oxygenator.clotting",
    "sensor.fault",
];

/// Conditions that nobody has set a target for.
const UNSET: [&str; 3] = ["recirculation", "bleeding.trend", "pulse.low"];

impl Target {
    /// The target of what is expected: that of its most binding condition.
    #[must_use]
    pub fn of(expected: &Expected) -> Self {
        let has = |list: &[&str]| {
            let one_of = |pattern: &Pattern| {
                list.iter().any(|id| {
                    let below = |rest: &str| rest.is_empty() || rest.starts_with('.');
                    pattern.id().strip_prefix(id).is_some_and(below)
                })
            };
            expected.any_of.iter().any(one_of)
        };
        match () {
            () if has(&ALWAYS) => Self::All,
            () if has(&MOSTLY) => Self::Most,
            () if has(&UNSET) => Self::Unset,
            () => Self::All,
        }
    }

    /// Whether so many of so many reach it.
    #[must_use]
    pub fn is_reached(self, within: u64, total: u64) -> bool {
        match self {
            Self::All => within == total,
            Self::Most => within * 100 >= total * 98,
            Self::Unset => true,
        }
    }

    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Most => ">= 98 %",
            Self::Unset => "none set",
        }
    }
}

/// Most physiological false alarms in a patient-day, of high priority and of any.
const HIGH_MAX: f64 = 0.1;
const ANY_MAX: f64 = 2.0;

/// The least that counts as urgent, in words, and how many false physiological alarms of it a patient-day may have.
pub const FALSE_ALARM_TARGETS: [(Priority, &str, f64); 2] =
    [(Priority::High, "high", HIGH_MAX), (Priority::Low, "any", ANY_MAX)];

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn the_most_binding_condition_sets_the_target() {
        for (ids, target) in [
            (vec!["pump.stop", "sensor.fault.pump.speed"], Target::All),
            (vec!["return.obstruction", "post.high.warn"], Target::Most),
            (vec!["sensor.fault.*"], Target::Most),
            (vec!["sensor.fault.press.drain"], Target::Most),
            (vec!["drain.low.alarm"], Target::All),
            (vec!["gas.sweep.low", "gas.failure"], Target::Most),
            (vec!["recirculation"], Target::Unset),
            (vec!["pulse.lower"], Target::All),
        ] {
            let expected = Expected {
                any_of: ids.iter().map(|id| Pattern::new(id)).collect(),
                priority_floor: Priority::Low,
                within: Duration::ZERO,
            };
            assert_eq!(Target::of(&expected), target, "{ids:?}");
        }
    }

    #[test]
    fn a_target_is_reached_or_not() {
        assert!(Target::All.is_reached(7, 7) && !Target::All.is_reached(99, 100));
        assert!(Target::Most.is_reached(98, 100) && !Target::Most.is_reached(48, 49));
        assert!(Target::Unset.is_reached(0, 5));
    }
}
