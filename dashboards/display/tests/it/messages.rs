//! Messages as a gateway makes them, short to write.

use ecmo_display::{LinkId, LocalTime, Screen};
use ecmo_proto::v1;
use v1::watch_alarms_response::Update;

/// The links of a display.
pub(crate) const A: LinkId = LinkId(0);
pub(crate) const B: LinkId = LinkId(1);

pub(crate) const fn ms(ms: u64) -> LocalTime {
    LocalTime(ms * 1_000_000)
}

/// A high alarm of a pump that signals.
pub(crate) fn alarm(condition: &str, revision: u32, call: u32) -> v1::Alarm {
    v1::Alarm {
        occurrence: format!("nicu/p1/{condition}/1-1"),
        revision,
        call,
        ward: "nicu".to_owned(),
        pump: "p1".to_owned(),
        condition: condition.to_owned(),
        priority: v1::AlarmPriority::High.into(),
        present: true,
        signal: v1::SignalPresence::On.into(),
        audio: v1::AudioState::On.into(),
        ..v1::Alarm::default()
    }
}

pub(crate) fn acknowledged(alarm: &v1::Alarm, by: &str) -> v1::Alarm {
    v1::Alarm {
        revision: alarm.revision + 1,
        signal: v1::SignalPresence::Acknowledged.into(),
        audio: v1::AudioState::Off.into(),
        acknowledged_by: by.to_owned(),
        ..alarm.clone()
    }
}

pub(crate) fn ended(alarm: &v1::Alarm) -> v1::Alarm {
    v1::Alarm {
        revision: alarm.revision + 1,
        present: false,
        signal: v1::SignalPresence::Off.into(),
        ..alarm.clone()
    }
}

pub(crate) fn message(sequence: u64, now_ms: u64, update: Update) -> v1::WatchAlarmsResponse {
    let now_mono_ns = now_ms * 1_000_000;
    v1::WatchAlarmsResponse { sequence, epoch: 1, now_mono_ns, update: Some(update) }
}

pub(crate) fn snapshot(now_ms: u64, alarms: &[v1::Alarm]) -> v1::WatchAlarmsResponse {
    let alarms = alarms.to_vec();
    let snapshot = v1::AlarmSnapshot { alarms, ..v1::AlarmSnapshot::default() };
    message(0, now_ms, Update::Snapshot(snapshot))
}

pub(crate) fn beat(sequence: u64, now_ms: u64) -> v1::WatchAlarmsResponse {
    message(sequence, now_ms, Update::Heartbeat(v1::Heartbeat { wall_ns: 7 }))
}

/// A pump whose frame and only reading were sampled then.
pub(crate) fn pump(sampled_ms: u64) -> v1::Pump {
    let reading = v1::Reading {
        parameter: "flow.blood".to_owned(),
        value: Some(400.0),
        sampled_mono_ns: Some(sampled_ms * 1_000_000),
        ..v1::Reading::default()
    };
    v1::Pump {
        ward: "nicu".to_owned(),
        pump: "p1".to_owned(),
        link: v1::LinkState::Live.into(),
        last_frame_mono_ns: Some(sampled_ms * 1_000_000),
        readings: vec![reading],
        ..v1::Pump::default()
    }
}

pub(crate) fn pumps(sequence: u64, now_ms: u64, pumps: &[v1::Pump]) -> v1::WatchPumpsResponse {
    v1::WatchPumpsResponse {
        pumps: pumps.to_vec(),
        now_mono_ns: now_ms * 1_000_000,
        epoch: 1,
        sequence,
        alarm_thread_mono_ns: now_ms * 1_000_000,
    }
}

/// The rows in short: condition, whether it signals, whether nobody is heard of it.
pub(crate) fn rows(screen: &Screen) -> Vec<(String, bool, bool)> {
    let short = |row: &ecmo_display::Row| (row.key.condition.clone(), row.signals(), row.unheard);
    screen.rows().into_iter().map(short).collect()
}
