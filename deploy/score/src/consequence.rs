//! What a fault does beside its own alarm: which other alarms are consequences of it, and which name a wrong cause.

/// Conditions that say how blood flows, what it carries, or how fast the pump was set to hold its flow, whatever the cause.
const EFFECTS: [&str; 17] = [
    "flow.low",
    "flow.very_low",
    "flow.high",
    "flow.retrograde",
    "flow.min_oxygenator",
    "drain.low.warn",
    "drain.low.alarm",
    "drain.high",
    "pre.high.warn",
    "pre.high.alarm",
    "post.high.warn",
    "post.high.alarm",
    "delta.high",
    "sat.drain.low",
    "sat.post.low",
    "pulse.low",
    "pump.speed.high",
];

/// Beginnings of what is expected, and of other causes that come true with it: air is drawn into an open line and the
/// pump then moves no blood; a bent cannula or a lack of volume obstructs the drainage; and so on.
const FOLLOWS: [(&str, &str); 18] = [
    ("circuit.disconnection", "air."),
    ("circuit.disconnection", "post.low"),
    ("circuit.disconnection", "pump.stop"),
    ("pump.stop", "post.low"),
    ("pump.stop", "sensor.fault.pump.speed"),
    ("pump.stop", "sensor.fault.motor."),
    ("flow.retrograde", "pump.stop"),
    ("drain.low", "drain.obstruction"),
    ("drain.chatter", "drain.obstruction"),
    ("flow.high", "drain.obstruction"),
    ("post.high", "return.obstruction"),
    ("pre.high", "return.obstruction"),
    ("battery.", "power."),
    ("battery.", "battery."),
    ("heater.over", "temp.return.high"),
    ("temp.return.high", "heater.over"),
    ("delta.high", "oxygenator.clotting"),
    ("sensor.fault.", "sensor.fault."),
];

/// Beginnings of the conditions whose causes touch neither blood nor sweep gas.
const ELSEWHERE: [&str; 5] = ["power.", "battery.", "heater.", "temp.", "comm."];

/// Whether a condition, raised beside those that a fault must raise, is a consequence of it. `expected` are the ids of
/// the latter, separated by commas.
///
/// A fault of a sensor alone changes nothing in the circuit; what its wrong values raise follows from it all the same.
#[must_use]
pub(crate) fn is_consequence(condition: &str, expected: &str) -> bool {
    let expected = || expected.split(',').map(str::trim);
    let follows = FOLLOWS
        .iter()
        .any(|(of, other)| condition.starts_with(other) && expected().any(|id| id.starts_with(of)));
    let touches_blood =
        expected().any(|id| !ELSEWHERE.iter().any(|elsewhere| id.starts_with(elsewhere)));
    follows || (touches_blood && EFFECTS.contains(&condition))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_follows_from_what_touches_the_blood_and_a_cause_from_nothing() {
        for (condition, expected, follows) in [
            ("flow.low", "pump.stop", true),
            ("sat.post.low", "gas.failure, gas.sweep.low", true),
            ("circuit.disconnection", "pump.stop", false),
            ("flow.low", "power.mains_lost", false),
            ("flow.low", "battery.low, power.depleting", false),
            ("sensor.fault.flow.blood", "return.obstruction", false),
            ("air.venous", "circuit.disconnection", true),
            ("air.venous", "return.obstruction", false),
            ("post.high.warn", "pump.speed.high", true),
            ("power.mains_lost", "battery.low, power.depleting", true),
        ] {
            assert_eq!(is_consequence(condition, expected), follows, "{condition} by {expected}");
        }
    }

    #[test]
    fn every_effect_is_a_condition() {
        for effect in EFFECTS {
            assert!(ecmo_core::alarm::condition::Condition::from_id(effect).is_some(), "{effect}");
        }
    }
}
