//! Alarms in words: the name of a condition, the line that says all that is known of an occurrence, and what is not
//! judged at all. Pure.

use crate::age::{GatewayTime, age_text};
use crate::format::{
    NO_VALUE, latency_text, limit_value_text, parameter_name, value_text, with_age_when_old,
};
use crate::model::{Alarm, AlarmPath, Audio, PauseScope, Priority, Pump, Side, Signal};

mod conditions;

mod treatment;

mod change;

mod report;

mod agent;

pub(crate) use agent::{agent_lines, clock_text};

mod missed;

mod past;

mod ownership;

pub(crate) use change::*;
pub(crate) use conditions::check_text;
pub(crate) use missed::missed_line;
pub(crate) use ownership::{ownership_line, ownership_text};
pub(crate) use past::{damage_line, past_alarm_line, trend_csv, trend_lines};
pub(crate) use report::report_lines;
pub(crate) use treatment::*;

/// A condition in words.
pub(crate) fn condition_text(id: &str) -> String {
    if let Some(parameter) = conditions::faulty_sensor(id) {
        return format!("sensor fault: {}", parameter_name(parameter));
    }
    // Counts name the faults of sensors together.
    if id == "sensor.fault" {
        return "faults of sensors".to_owned();
    }
    conditions::name(id).unwrap_or(id).to_owned()
}

/// The mark before an alarm's text; with the word beside it, colour is never the only sign.
pub(crate) const fn priority_mark(priority: Priority) -> &'static str {
    match priority {
        Priority::High => "***",
        Priority::Medium => "** ",
        Priority::Low => "*  ",
        Priority::Information => "i  ",
    }
}

/// The priority as a label of four letters at most.
pub(crate) const fn priority_label(priority: Priority) -> &'static str {
    match priority {
        Priority::High => "HIGH",
        Priority::Medium => "MED ",
        Priority::Low => "LOW ",
        Priority::Information => "INFO",
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
    let limit = alarm.limit.map(|limit| limit_value_text(&alarm.unit, limit));
    let limit = limit.filter(|limit| !limit.is_empty()).map(|limit| {
        let sign = match alarm.side {
            Some(Side::Below) => "<",
            Some(Side::Above) => ">",
            None => "",
        };
        format!("limit {sign}{limit}")
    });
    let worst = alarm.worst.map(|worst| format!("worst {}", text(worst)));
    [value, limit.unwrap_or_default(), worst.unwrap_or_default()]
}

/// Where the occurrence stands in its life, what is heard of it, and what is only last known: `ACTIVE, sound PAUSED by
/// Ann, 87 s left`, `ACKNOWLEDGED by Ann (kink removed), still present`.
pub(crate) fn standing_text(alarm: &Alarm, now: GatewayTime) -> String {
    let note = alarm.acknowledged_note.as_deref();
    let note = note.map_or_else(String::new, |note| format!(" ({note})"));
    let by = alarm.acknowledged_by.as_deref();
    let by = by.map_or_else(String::new, |by| format!(" by {by}{note}"));
    let mut standing = match alarm.signal {
        Signal::On => "ACTIVE".to_owned(),
        Signal::Latched => "LATCHED: gone, not acknowledged".to_owned(),
        Signal::Acknowledged => format!("ACKNOWLEDGED{by}, still present"),
        Signal::Off if alarm.present => "ACTIVE".to_owned(),
        Signal::Off => {
            format!("ENDED{}", if by.is_empty() { by } else { format!(", acknowledged{by}") })
        }
    };
    for more in [escalation_text(alarm), audio_text(alarm, now)].into_iter().flatten() {
        standing.push_str(", ");
        standing.push_str(&more);
    }
    if alarm.last_known {
        standing.push_str(", LAST KNOWN: its data is missing");
    }
    standing
}

/// What happened because nobody acknowledged it; `None` when nothing did.
pub(crate) fn escalation_text(alarm: &Alarm) -> Option<String> {
    let reminded = match alarm.reminders {
        0 => None,
        1 => Some("reminded once".to_owned()),
        times => Some(format!("reminded {times} times")),
    };
    match (alarm.escalated, reminded) {
        (true, Some(reminded)) => Some(format!("ESCALATED, {reminded}")),
        (true, None) => Some("ESCALATED".to_owned()),
        (false, reminded) => reminded,
    }
}

/// Why an alarm is not heard although nobody has acknowledged it, and for how long; `None` when it is heard, or when its
/// standing says why not.
pub(crate) fn audio_text(alarm: &Alarm, now: GatewayTime) -> Option<String> {
    let by = alarm.audio_by.as_deref().map_or_else(String::new, |by| format!(" by {by}"));
    let left = alarm.audio_left(now);
    let left = left.map_or_else(String::new, |left| format!(", {} left", age_text(left)));
    match alarm.audio {
        Audio::On | Audio::Off => None,
        Audio::Paused => {
            let scope = match alarm.pause_scope {
                Some(PauseScope::Ward) => " for the ward",
                Some(PauseScope::Pump) => " for the pump",
                Some(PauseScope::Alarm) | None => "",
            };
            Some(format!("sound PAUSED{scope}{by}{left}"))
        }
        Audio::Shelved => Some(format!("sound SHELVED{by}{left}")),
        Audio::Grouped => Some(match &alarm.led_by {
            Some(leader) => format!("sound GROUPED under {}", condition_text(leader)),
            None => "sound GROUPED".to_owned(),
        }),
    }
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
        standing_text(alarm, now),
    )
}

/// The line below an alarm that says what to look at; `None` for a condition that is not in the list.
pub(crate) fn check_line(alarm: &Alarm) -> Option<String> {
    check_text(&alarm.condition).map(|check| format!("check: {check}"))
}

/// Names the pumps whose rules no clinician has signed; `None` when there is none.
pub(crate) fn unreviewed_text<'a>(
    pumps: &[Pump],
    alarms: impl IntoIterator<Item = &'a Alarm>,
) -> Option<String> {
    let unsigned = |pump: &&Pump| pump.unreviewed || pump.alarms.iter().any(|each| each.unreviewed);
    let unsigned = pumps.iter().filter(unsigned);
    let named: Vec<String> = unsigned.map(|pump| pump.name.to_string()).collect();
    let of = match named.len() {
        0 if !alarms.into_iter().any(|alarm| alarm.unreviewed) => return None,
        0 => String::new(),
        all if all == pumps.len() => " of every pump".to_owned(),
        _ => format!(" of {}", named.join(", ")),
    };
    Some(format!("UNREVIEWED rules: no clinician has signed the alarm rules{of}"))
}

/// How many rules cannot be judged, by pump; `None` when all can.
pub(crate) fn not_evaluable_text(pumps: &[Pump]) -> Option<String> {
    let some = pumps.iter().filter(|pump| pump.rules_not_evaluable > 0);
    let counts: Vec<String> =
        some.map(|pump| format!("{} on {}", pump.rules_not_evaluable, pump.name)).collect();
    (!counts.is_empty()).then(|| {
        format!(
            "RULES NOT EVALUABLE: {}; `ecmoctl treatment WARD/PUMP` says why",
            counts.join(", ")
        )
    })
}

/// What a person has changed about the rules of a pump, and what cannot be judged: `WEAN, 2 limits set, 3 rules not
/// evaluable`; empty when nothing is special.
pub(crate) fn rules_text(pump: &Pump) -> String {
    let mut parts: Vec<String> =
        pump.contexts.iter().map(|context| context.to_string().to_uppercase()).collect();
    match pump.limits_set {
        0 => {}
        1 => parts.push("1 limit set".to_owned()),
        some => parts.push(format!("{some} limits set")),
    }
    match pump.rules_not_evaluable {
        0 => {}
        1 => parts.push("1 rule not evaluable".to_owned()),
        some => parts.push(format!("{some} rules not evaluable")),
    }
    parts.join(", ")
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
    use crate::model::{AlarmKind, ContextKind, RefusedChannel, Validity};
    use crate::verdict::tests::live_pump;

    /// A pump that stopped 14 s ago.
    pub(crate) fn pump_stop() -> Alarm {
        Alarm {
            occurrence: "pump.stop/1-1".to_owned(),
            revision: 1,
            ward: "nicu".to_owned(),
            pump: Some("pump-2".to_owned()),
            gateway: None,
            redirected: false,
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
            acknowledged_note: None,
            audio: Audio::On,
            audio_until: None,
            audio_by: None,
            pause_scope: None,
            led_by: None,
            escalated: false,
            reminders: 0,
            rule: Some("pump.stop".to_owned()),
            transition: None,
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
    fn a_violated_limit_is_not_rounded_and_a_detector_has_none() {
        let drain = Alarm {
            parameter: Some("press.drain".to_owned()),
            unit: "mm[Hg]".to_owned(),
            value: Some(-63.0),
            worst: None,
            limit: Some(-62.5),
            ..pump_stop()
        };
        assert_eq!(evidence_text(&drain, NOW), "-63 mmHg, limit <-62.5 mmHg");
        let air = Alarm {
            parameter: Some("air.bubble".to_owned()),
            unit: "{bool}".to_owned(),
            value: Some(1.0),
            limit: Some(0.5),
            side: Some(Side::Above),
            ..drain
        };
        assert_eq!(evidence_text(&air, NOW), "yes");
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
    fn the_standing_tells_who_acknowledged_what_is_heard_and_what_is_only_last_known() {
        let text = |alarm: Alarm| standing_text(&alarm, NOW);
        let acknowledged = Alarm {
            signal: Signal::Acknowledged,
            acknowledged_by: Some("Ann".to_owned()),
            audio: Audio::Off,
            last_known: true,
            ..pump_stop()
        };
        let noted = Alarm { acknowledged_note: Some("kink".to_owned()), ..acknowledged.clone() };
        let latched = Alarm { signal: Signal::Latched, present: false, ..pump_stop() };
        let paused = Alarm {
            audio: Audio::Paused,
            audio_by: Some("Ann".to_owned()),
            audio_until: Some(GatewayTime(102_500_000_000)),
            pause_scope: Some(PauseScope::Alarm),
            ..pump_stop()
        };
        let shelved = Alarm {
            audio: Audio::Shelved,
            audio_until: Some(GatewayTime(1_215_500_000_000)),
            ..paused.clone()
        };
        let ward = Alarm { pause_scope: Some(PauseScope::Ward), ..paused.clone() };
        let over = Alarm { audio_until: Some(GatewayTime(1)), ..paused.clone() };
        let grouped = Alarm {
            audio: Audio::Grouped,
            led_by: Some("circuit.disconnection".to_owned()),
            ..pump_stop()
        };
        let escalated = Alarm { escalated: true, reminders: 2, ..pump_stop() };
        let reminded = Alarm { reminders: 1, ..pump_stop() };
        for (alarm, expected) in [
            (acknowledged, "ACKNOWLEDGED by Ann, still present, LAST KNOWN: its data is missing"),
            (noted, "ACKNOWLEDGED by Ann (kink), still present, LAST KNOWN: its data is missing"),
            (latched, "LATCHED: gone, not acknowledged"),
            (paused, "ACTIVE, sound PAUSED by Ann, 87 s left"),
            (ward, "ACTIVE, sound PAUSED for the ward by Ann, 87 s left"),
            (over, "ACTIVE, sound PAUSED by Ann, 0.0 s left"),
            (shelved, "ACTIVE, sound SHELVED by Ann, 20 min 00 s left"),
            (grouped, "ACTIVE, sound GROUPED under possible open circuit"),
            (escalated, "ACTIVE, ESCALATED, reminded 2 times"),
            (reminded, "ACTIVE, reminded once"),
        ] {
            assert_eq!(text(alarm), expected);
        }
    }

    #[test]
    fn a_condition_that_is_not_in_the_table_is_shown_by_its_id() {
        assert_eq!(condition_text("some.newer.condition"), "some.newer.condition");
        let newer = Alarm { condition: "some.newer.condition".to_owned(), ..pump_stop() };
        assert_eq!(check_line(&newer), None);
        assert!(check_line(&pump_stop()).unwrap().starts_with("check: pump head and drive"));
    }

    #[test]
    fn a_card_is_marked_as_one_and_not_as_an_alarm() {
        let card = Alarm {
            condition: "bleeding.trend".to_owned(),
            priority: Priority::Information,
            ..pump_stop()
        };
        assert!(
            alarm_line(&card, NOW).starts_with(
                "i   INFO nicu/pump-2  possible loss of blood: a trend, no alarm  0 rpm"
            )
        );
    }

    #[test]
    fn rules_that_are_unsigned_changed_or_not_evaluable_are_told_by_pump() {
        let plain = live_pump();
        let mut special = live_pump();
        special.name.pump = "pump-2".to_owned();
        special.unreviewed = true;
        special.rules_not_evaluable = 3;
        special.limits_set = 1;
        special.contexts = vec![ContextKind::Wean, ContextKind::ClampTrial];
        assert_eq!(rules_text(&plain), "");
        assert_eq!(rules_text(&special), "WEAN, CLAMP TRIAL, 1 limit set, 3 rules not evaluable");
        assert_eq!(not_evaluable_text(std::slice::from_ref(&plain)), None);
        let both = [plain, special];
        assert_eq!(
            not_evaluable_text(&both).unwrap(),
            "RULES NOT EVALUABLE: 3 on nicu/pump-2; `ecmoctl treatment WARD/PUMP` says why"
        );
        let told = |pumps: &[Pump], alarms: &[Alarm]| unreviewed_text(pumps, alarms);
        let text = "UNREVIEWED rules: no clinician has signed the alarm rules";
        assert_eq!(told(&both[..1], &[]), None);
        assert_eq!(told(&both, &[]).unwrap(), format!("{text} of nicu/pump-2"));
        assert_eq!(told(&both[1..], &[]).unwrap(), format!("{text} of every pump"));
        assert_eq!(told(&[], &[pump_stop()]).unwrap(), text);
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
