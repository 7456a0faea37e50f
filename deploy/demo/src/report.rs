//! What the demo prints: an alarm with its way, the state of the unit, the latency of every hop. Pure.

use std::fmt::Write as _;
use std::time::Duration;

use ecmo_proto::v1;

/// A duration as a person reads it.
fn time(nanos: u64) -> String {
    let nanos = Duration::from_nanos(nanos);
    if nanos < Duration::from_millis(1) {
        format!("{} us", nanos.as_micros())
    } else if nanos < Duration::from_secs(1) {
        format!("{:.1} ms", nanos.as_secs_f64() * 1e3)
    } else {
        format!("{:.2} s", nanos.as_secs_f64())
    }
}

fn or_unknown(nanos: Option<u64>) -> String {
    nanos.map_or_else(|| "?".to_owned(), time)
}

/// One line for an alarm change.
pub(crate) fn alarm(alarm: &v1::Alarm) -> String {
    let priority = match alarm.priority() {
        v1::AlarmPriority::High | v1::AlarmPriority::Unspecified => "HIGH  ",
        v1::AlarmPriority::Medium => "MEDIUM",
        v1::AlarmPriority::Low => "LOW   ",
        v1::AlarmPriority::Information => "INFO  ",
    };
    let state = match (alarm.signal(), alarm.last_known) {
        (v1::SignalPresence::Off, _) => "ended",
        (v1::SignalPresence::Latched, _) => "gone, waits for acknowledgement",
        (v1::SignalPresence::Acknowledged, _) => "acknowledged",
        (v1::SignalPresence::On | v1::SignalPresence::Unspecified, true) => "active, last known",
        (v1::SignalPresence::On | v1::SignalPresence::Unspecified, false) => "active",
    };
    let pump = if alarm.pump.is_empty() { "gateway" } else { &alarm.pump };
    let mut line = format!("ALARM {priority} {pump}: {} {state}", alarm.condition);
    if let (Some(value), Some(limit)) = (alarm.value, alarm.limit)
        && alarm.unit != "{bool}"
    {
        let side = if alarm.limit_side() == v1::LimitSide::Above { ">" } else { "<" };
        let _infallible = write!(line, ", {value:.0} {side} {limit:.0} {}", alarm.unit);
    }
    line
}

/// One line for the way of an alarm; `confirmed_ns` is the time from the decision to the display's confirmation. `None` for a
/// change that no sample decided.
pub(crate) fn way(alarm: &v1::Alarm, confirmed_ns: Option<u64>) -> Option<String> {
    let path = alarm.latency.as_ref()?;
    Some(format!(
        "      way: sampled -> published {}, -> received {}, -> decided {}, -> confirmed by display {}",
        or_unknown(path.sampled_to_published_ns),
        or_unknown(path.published_to_received_ns),
        or_unknown(path.received_to_decided_ns),
        or_unknown(confirmed_ns),
    ))
}

/// One line for the state of the unit after so many seconds.
pub(crate) fn state(seconds: u64, pumps: &[v1::Pump], expected: usize) -> String {
    let live = pumps.iter().filter(|pump| pump.link() == v1::LinkState::Live).count();
    let alarms: usize = pumps.iter().map(|pump| pump.alarms.len()).sum();
    format!("{seconds:>4} s  {live} of {expected} pumps live, {alarms} alarms")
}

/// The alarms that were raised, the table of hops, and what was lost.
pub(crate) fn end(
    raised: &[String],
    latency: &v1::GetLatencyResponse,
    pumps: &[v1::Pump],
) -> String {
    let mut text = String::from("\nalarms raised\n");
    for line in raised {
        // Writing to a text cannot fail.
        let _infallible = writeln!(text, "{line}");
    }
    if raised.is_empty() {
        text.push_str("none\n");
    }
    text.push_str("\nlatency of each hop      count        p50        p99      p99.9        max\n");
    for hop in &latency.hops {
        let figures = if hop.count == 0 {
            format!("{:>11}{:>11}{:>11}{:>11}", "-", "-", "-", "-")
        } else {
            let [p50, p99, p999, max] = [hop.p50_ns, hop.p99_ns, hop.p999_ns, hop.max_ns].map(time);
            format!("{p50:>11}{p99:>11}{p999:>11}{max:>11}")
        };
        let _infallible = writeln!(text, "{:<22}{:>8}{figures}", hop.hop, hop.count);
    }
    let _infallible =
        writeln!(text, "\npump         frames  missing  duplicate  late  refused  dropouts");
    for pump in pumps {
        let counters = pump.counters.unwrap_or_default();
        let _infallible = writeln!(
            text,
            "{:<10}{:>9}{:>9}{:>11}{:>6}{:>9}{:>10}",
            pump.pump,
            counters.frames_received,
            counters.frames_missing,
            counters.frames_duplicate,
            counters.frames_late,
            counters.frames_rejected,
            counters.dropouts,
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_tells_value_limit_and_the_time_of_every_hop() {
        let stop = v1::Alarm {
            pump: "pump-02".to_owned(),
            condition: "pump.stop".to_owned(),
            priority: v1::AlarmPriority::High.into(),
            signal: v1::SignalPresence::On.into(),
            value: Some(12.0),
            limit: Some(100.0),
            limit_side: v1::LimitSide::Below.into(),
            unit: "{rev}/min".to_owned(),
            latency: Some(v1::PathLatency {
                sampled_to_published_ns: Some(19_900_000),
                published_to_received_ns: None,
                received_to_decided_ns: Some(42_000),
            }),
            ..v1::Alarm::default()
        };
        assert_eq!(alarm(&stop), "ALARM HIGH   pump-02: pump.stop active, 12 < 100 {rev}/min");
        assert_eq!(
            way(&stop, Some(1_500_000)).unwrap(),
            "      way: sampled -> published 19.9 ms, -> received ?, -> decided 42 us, -> confirmed by display 1.5 ms"
        );
        assert_eq!(way(&v1::Alarm::default(), None), None);
    }

    #[test]
    fn a_hop_without_measurement_shows_none() {
        let latency = v1::GetLatencyResponse {
            hops: vec![v1::HopLatency {
                hop: "decided_to_confirmed".to_owned(),
                ..Default::default()
            }],
            discarded: 0,
        };
        let text = end(&[], &latency, &[]);
        assert!(text.contains("decided_to_confirmed         0          -"), "{text}");
    }
}
