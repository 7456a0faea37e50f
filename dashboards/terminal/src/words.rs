//! Alarms in words: the name of a condition, the line that says all that is known of an occurrence, and what is not
//! judged at all. Pure.

use crate::age::{GatewayTime, age_text};
use crate::format::{NO_VALUE, latency_text, parameter_name, value_text, with_age_when_old};
use crate::model::{Alarm, AlarmPath, Priority, Pump, Side, Signal};

/// Conditions in words. What is not here is shown by its id, so that a newer gateway's condition is never lost.
const CONDITIONS: &[(&str, &str)] = &[
    ("air.arterial", "air on the arterial side"),
    ("air.venous", "air on the venous side"),
    ("battery.critical", "battery nearly empty"),
    ("battery.low", "battery low"),
    ("clock.skew", "clocks differ"),
    ("comm.broker", "gateway without its broker"),
    ("comm.console_silent", "console silent"),
    ("comm.stale", "no data from the pump"),
    ("delivery.unconfirmed", "no display has shown an alarm"),
    ("delta.high", "membrane pressure drop high"),
    ("drain.high", "drainage pressure high"),
    ("drain.low.alarm", "drainage pressure very low"),
    ("drain.low.warn", "drainage pressure low"),
    ("flow.high", "blood flow high"),
    ("flow.low", "blood flow low"),
    ("flow.min_oxygenator", "blood flow below the membrane's least"),
    ("flow.retrograde", "blood flows backwards"),
    ("flow.very_low", "blood flow very low"),
    ("gas.fdo2.dev", "oxygen fraction off its setting"),
    ("gas.sweep.low", "sweep gas low"),
    ("gateway.overload", "gateway overloaded: alarms late"),
    ("heater.over", "heater water too hot"),
    ("level.low", "reservoir level low"),
    ("post.high.alarm", "pressure after the membrane very high"),
    ("post.high.warn", "pressure after the membrane high"),
    ("post.low", "pressure after the membrane low: line open?"),
    ("power.mains_lost", "mains power lost"),
    ("pre.high.alarm", "pressure before the membrane very high"),
    ("pre.high.warn", "pressure before the membrane high"),
    ("pump.speed.high", "pump speed high"),
    ("pump.stop", "pump stopped"),
    ("sat.drain.low", "drainage saturation low"),
    ("sat.post.low", "saturation after the membrane low"),
    ("source.duplicate", "two agents send as one pump"),
    ("temp.return.high", "return temperature high"),
    ("temp.return.low", "return temperature low"),
];

/// A condition in words.
pub(crate) fn condition_text(id: &str) -> String {
    if let Some(parameter) = id.strip_prefix("sensor.fault.") {
        return format!("sensor fault: {}", parameter_name(parameter));
    }
    let known = CONDITIONS.iter().find(|(condition, _)| *condition == id);
    known.map_or_else(|| id.to_owned(), |(_, words)| (*words).to_owned())
}

/// The mark before an alarm's text; with the word beside it, colour is never the only sign.
pub(crate) const fn priority_mark(priority: Priority) -> &'static str {
    match priority {
        Priority::High => "***",
        Priority::Medium => "** ",
        Priority::Low => "*  ",
    }
}

/// The priority as a label of four letters at most.
pub(crate) const fn priority_label(priority: Priority) -> &'static str {
    match priority {
        Priority::High => "HIGH",
        Priority::Medium => "MED ",
        Priority::Low => "LOW ",
    }
}

/// Value, violated limit and worst: `0 rpm, limit <100 rpm, worst 0 rpm`. It claims no inequality: the value of a latched
/// alarm, or one within the hysteresis, lies on the good side of the limit.
pub(crate) fn evidence_text(alarm: &Alarm, now: GatewayTime) -> String {
    let parts = evidence_parts(alarm, now);
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The same as parts of a line that may be too narrow for all of them.
pub(crate) fn evidence_pieces(alarm: &Alarm, now: GatewayTime) -> impl Iterator<Item = String> {
    let parts = evidence_parts(alarm, now).into_iter().filter(|part| !part.is_empty());
    parts.enumerate().map(|(index, part)| if index == 0 { part } else { format!("· {part}") })
}

/// Value, violated limit and worst; empty where there is none.
fn evidence_parts(alarm: &Alarm, now: GatewayTime) -> [String; 3] {
    let parameter = alarm.parameter.as_deref().unwrap_or_default();
    let text = |value| value_text(parameter, &alarm.unit, value);
    let value = match (alarm.value, alarm.no_value) {
        (Some(value), _) => {
            format!("{}{}", text(value), with_age_when_old(alarm.value_at.age_at(now)))
        }
        (None, Some(why)) => format!("{NO_VALUE} {why}"),
        (None, None) if alarm.limit.is_some() => format!("{NO_VALUE} no value"),
        (None, None) => String::new(),
    };
    let limit = alarm.limit.map(|limit| {
        let sign = match alarm.side {
            Some(Side::Below) => "<",
            Some(Side::Above) => ">",
            None => "",
        };
        format!("limit {sign}{}", text(limit))
    });
    let worst = alarm.worst.map(|worst| format!("worst {}", text(worst)));
    [value, limit.unwrap_or_default(), worst.unwrap_or_default()]
}

/// Where the occurrence stands in its life: `ACTIVE`, `ACKNOWLEDGED by Ann`, `LATCHED`, `ENDED`, and `last known`.
pub(crate) fn standing_text(alarm: &Alarm) -> String {
    let by = alarm.acknowledged_by.as_deref().map_or_else(String::new, |by| format!(" by {by}"));
    let mut standing = match alarm.signal {
        Signal::On => "ACTIVE".to_owned(),
        Signal::Latched => "LATCHED: gone, not acknowledged".to_owned(),
        Signal::Acknowledged => format!("ACKNOWLEDGED{by}, still present"),
        Signal::Off if alarm.present => "ACTIVE".to_owned(),
        Signal::Off => {
            format!("ENDED{}", if by.is_empty() { by } else { format!(", acknowledged{by}") })
        }
    };
    if alarm.last_known {
        standing.push_str(", LAST KNOWN: its data is missing");
    }
    standing
}

/// All that is known of an occurrence in one line.
pub(crate) fn alarm_line(alarm: &Alarm, now: GatewayTime) -> String {
    let evidence = evidence_text(alarm, now);
    let evidence = if evidence.is_empty() { evidence } else { format!("  {evidence}") };
    format!(
        "{} {} {}  {}{evidence}  since {}  {}",
        priority_mark(alarm.priority),
        priority_label(alarm.priority),
        alarm.place(),
        condition_text(&alarm.condition),
        age_text(alarm.onset.age_at(now)),
        standing_text(alarm),
    )
}

/// Which channels of a pump the gateway does not read, and why; `None` when it reads them all. One line a pump, however
/// many channels.
pub(crate) fn not_read_text(pump: &Pump) -> Option<String> {
    let channels: Vec<String> = pump
        .refused_channels
        .iter()
        .map(|channel| format!("{} ({})", channel.parameter, channel.reason))
        .collect();
    let listed = channels.join(", ");
    let text = || format!("{}: NOT READ, so its limits are NOT JUDGED: {listed}", pump.name);
    (!channels.is_empty()).then(text)
}

/// What the path took for the sample that decided an alarm; `None` when no sample did.
pub(crate) fn path_text(path: Option<AlarmPath>) -> Option<String> {
    let path = path?;
    let hops = [
        ("sampled to published", path.sampled_to_published_ns),
        ("published to received", path.published_to_received_ns),
        ("received to decided", path.received_to_decided_ns),
    ];
    let hops = hops.map(|(hop, nanos)| {
        format!("{hop} {}", nanos.map_or_else(|| "unknown".to_owned(), latency_text))
    });
    Some(hops.join(", "))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::{AlarmKind, RefusedChannel, Validity};
    use crate::verdict::tests::live_pump;

    /// A pump that stopped 14 s ago.
    pub(crate) fn pump_stop() -> Alarm {
        Alarm {
            occurrence: "pump.stop/1-1".to_owned(),
            revision: 1,
            ward: "nicu".to_owned(),
            pump: Some("pump-2".to_owned()),
            condition: "pump.stop".to_owned(),
            kind: AlarmKind::Technical,
            priority: Priority::High,
            present: true,
            signal: Signal::On,
            last_known: false,
            parameter: Some("pump.speed".to_owned()),
            value: Some(0.0),
            worst: Some(0.0),
            limit: Some(100.0),
            side: Some(Side::Below),
            unit: "{rev}/min".to_owned(),
            no_value: None,
            onset: GatewayTime(1_000_000_000),
            onset_wall_ns: 0,
            value_at: GatewayTime(15_000_000_000),
            acknowledged_by: None,
            path: None,
            unreviewed: true,
        }
    }

    const NOW: GatewayTime = GatewayTime(15_500_000_000);

    #[test]
    fn an_alarm_line_says_priority_place_condition_evidence_age_and_standing() {
        assert_eq!(
            alarm_line(&pump_stop(), NOW),
            "*** HIGH nicu/pump-2  pump stopped  0 rpm, limit <100 rpm, worst 0 rpm  since 14 s  ACTIVE"
        );
    }

    #[test]
    fn an_alarms_value_that_is_old_carries_its_age() {
        let alarm = Alarm { value_at: GatewayTime(2_500_000_000), ..pump_stop() };
        assert_eq!(evidence_text(&alarm, NOW), "0 rpm (13 s ago), limit <100 rpm, worst 0 rpm");
    }

    #[test]
    fn an_alarm_without_a_value_says_why() {
        let alarm = Alarm {
            value: None,
            worst: None,
            limit: None,
            no_value: Some(Validity::SensorOff),
            condition: "sensor.fault.press.drain".to_owned(),
            ..pump_stop()
        };
        assert_eq!(evidence_text(&alarm, NOW), "--- sensor off");
        assert_eq!(condition_text(&alarm.condition), "sensor fault: drainage pressure");
    }

    #[test]
    fn the_standing_tells_who_acknowledged_and_what_is_only_last_known() {
        let acknowledged = Alarm {
            signal: Signal::Acknowledged,
            acknowledged_by: Some("Ann".to_owned()),
            last_known: true,
            ..pump_stop()
        };
        assert_eq!(
            standing_text(&acknowledged),
            "ACKNOWLEDGED by Ann, still present, LAST KNOWN: its data is missing"
        );
        let latched = Alarm { signal: Signal::Latched, present: false, ..pump_stop() };
        assert_eq!(standing_text(&latched), "LATCHED: gone, not acknowledged");
    }

    #[test]
    fn a_condition_that_is_not_in_the_table_is_shown_by_its_id() {
        assert_eq!(condition_text("some.newer.condition"), "some.newer.condition");
        assert!(CONDITIONS.is_sorted());
    }

    #[test]
    fn a_channel_that_is_not_read_is_named_with_its_pump_and_the_reason() {
        let mut pump = live_pump();
        assert_eq!(not_read_text(&pump), None);
        let refused = |parameter: &str, reason: &str| RefusedChannel {
            parameter: parameter.to_owned(),
            reason: reason.to_owned(),
        };
        pump.refused_channels =
            vec![refused("press.Drain", "unknown parameter"), refused("pt.abp", "unit bar")];
        assert_eq!(
            not_read_text(&pump).unwrap(),
            "nicu/pump-1: NOT READ, so its limits are NOT JUDGED: press.Drain (unknown parameter), \
             pt.abp (unit bar)"
        );
    }

    #[test]
    fn a_hop_that_is_not_known_is_said_to_be_unknown() {
        let path = AlarmPath {
            sampled_to_published_ns: Some(1_250_000),
            published_to_received_ns: None,
            received_to_decided_ns: Some(4_200),
        };
        assert_eq!(
            path_text(Some(path)).unwrap(),
            "sampled to published 1.25 ms, published to received unknown, received to decided 4.2 µs"
        );
        assert_eq!(path_text(None), None);
    }
}
