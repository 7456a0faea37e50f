//! Messages of the wire into checked types: the only place that judges what a gateway sent.
//!
//! What is not said or not known here is taken at its worst: a link as silent, a priority as high, a signal as on.

use ecmo_proto::v1 as wire;

use crate::age::GatewayTime;
use crate::model::{
    Alarm, AlarmKind, AlarmPath, Audio, ContextKind, Counters, Hop, Link, MissedAlarm, PauseScope,
    Priority, Pump, PumpKind, PumpName, Reading, RefusedChannel, Side, Signal, Source, Transition,
    Turning, Validity,
};

mod agent;

mod treatment;

mod watcher;

mod past;

pub(crate) use past::*;
pub(crate) use treatment::*;
pub(crate) use watcher::*;

/// Longest text taken from a gateway, in characters; the rest is cut.
const TEXT_CHARS_MAX: usize = 200;

/// A text that cannot move a terminal's cursor or change its colours.
fn text(raw: &str) -> String {
    let clean = |letter: char| if letter.is_control() { '\u{fffd}' } else { letter };
    raw.chars().take(TEXT_CHARS_MAX).map(clean).collect()
}

fn text_or_none(raw: &str) -> Option<String> {
    Some(text(raw)).filter(|text| !text.is_empty())
}

/// One pump.
pub(crate) fn pump(raw: wire::Pump) -> Pump {
    let mut alarms: Vec<Alarm> = raw.alarms.into_iter().map(alarm).collect();
    alarms.sort_by_key(Alarm::urgency);
    Pump {
        name: PumpName { ward: text(&raw.ward), pump: text(&raw.pump) },
        link: link(raw.link),
        ownership: ownership(raw.ownership.unwrap_or_default()),
        turning: turning(raw.state),
        last_frame: raw.last_frame_mono_ns.map(GatewayTime),
        readings: raw.readings.iter().map(reading).collect(),
        alarms,
        counters: counters(raw.counters.unwrap_or_default()),
        refused_channels: raw
            .refused_channels
            .iter()
            .map(|channel| RefusedChannel {
                parameter: text(&channel.id),
                reason: text(&channel.reason),
            })
            .collect(),
        device: text(&raw.device),
        agent_version: text(&raw.agent_version),
        source: match wire::SourceKind::try_from(raw.source) {
            Ok(wire::SourceKind::Simulated) => Source::Simulated,
            Ok(wire::SourceKind::Replayed) => Source::Replayed,
            Ok(wire::SourceKind::Measured | wire::SourceKind::Unspecified) | Err(_) => {
                Source::Measured
            }
        },
        kind: pump_kind(raw.pump_kind),
        treatment_version: raw.treatment_version,
        contexts: raw.contexts.iter().map(|context| context_kind(*context)).collect(),
        rules_not_evaluable: raw.rules_not_evaluable,
        unreviewed: raw.unreviewed,
        limits_set: raw.limits_set,
        clock: raw.clock.map(agent::clock),
        paths: raw.paths.iter().map(agent::path).collect(),
        agent: raw.agent.as_ref().map(|said| agent::agent(said, raw.agent_mono_ns)),
        verdict_difference: raw.verdict_difference.as_ref().map(agent::verdict_difference),
    }
}

fn pump_kind(raw: i32) -> PumpKind {
    match wire::PumpKind::try_from(raw) {
        Ok(wire::PumpKind::Centrifugal) => PumpKind::Centrifugal,
        Ok(wire::PumpKind::Roller) => PumpKind::Roller,
        Ok(wire::PumpKind::Unspecified) | Err(_) => PumpKind::Unknown,
    }
}

fn context_kind(raw: i32) -> ContextKind {
    match wire::ContextKind::try_from(raw) {
        Ok(wire::ContextKind::Priming) => ContextKind::Priming,
        Ok(wire::ContextKind::Cannulation) => ContextKind::Cannulation,
        Ok(wire::ContextKind::ClampTrial) => ContextKind::ClampTrial,
        Ok(wire::ContextKind::Wean) => ContextKind::Wean,
        Ok(wire::ContextKind::CircuitChange) => ContextKind::CircuitChange,
        Ok(wire::ContextKind::Transport) => ContextKind::Transport,
        Ok(wire::ContextKind::Suctioning) => ContextKind::Suctioning,
        Ok(wire::ContextKind::Zeroing) => ContextKind::Zeroing,
        Ok(wire::ContextKind::Unspecified) | Err(_) => ContextKind::Unknown,
    }
}

fn priority(raw: i32) -> Priority {
    match wire::AlarmPriority::try_from(raw) {
        Ok(wire::AlarmPriority::Information) => Priority::Information,
        Ok(wire::AlarmPriority::Low) => Priority::Low,
        Ok(wire::AlarmPriority::Medium) => Priority::Medium,
        Ok(wire::AlarmPriority::High | wire::AlarmPriority::Unspecified) | Err(_) => Priority::High,
    }
}

fn side(raw: i32) -> Option<Side> {
    match wire::LimitSide::try_from(raw) {
        Ok(wire::LimitSide::Below) => Some(Side::Below),
        Ok(wire::LimitSide::Above) => Some(Side::Above),
        Ok(wire::LimitSide::Unspecified) | Err(_) => None,
    }
}

fn audio(raw: i32) -> Audio {
    match wire::AudioState::try_from(raw) {
        Ok(wire::AudioState::Off) => Audio::Off,
        Ok(wire::AudioState::Paused) => Audio::Paused,
        Ok(wire::AudioState::Shelved) => Audio::Shelved,
        Ok(wire::AudioState::Grouped) => Audio::Grouped,
        Ok(wire::AudioState::On | wire::AudioState::Unspecified) | Err(_) => Audio::On,
    }
}

fn pause_scope(raw: i32) -> Option<PauseScope> {
    match wire::PauseScope::try_from(raw) {
        Ok(wire::PauseScope::Alarm) => Some(PauseScope::Alarm),
        Ok(wire::PauseScope::Pump) => Some(PauseScope::Pump),
        Ok(wire::PauseScope::Ward) => Some(PauseScope::Ward),
        Ok(wire::PauseScope::Unspecified) | Err(_) => None,
    }
}

fn transition(raw: i32) -> Option<Transition> {
    match wire::AlarmTransition::try_from(raw) {
        Ok(wire::AlarmTransition::Raised) => Some(Transition::Raised),
        Ok(wire::AlarmTransition::Returned) => Some(Transition::Returned),
        Ok(wire::AlarmTransition::Latched) => Some(Transition::Latched),
        Ok(wire::AlarmTransition::Acknowledged) => Some(Transition::Acknowledged),
        Ok(wire::AlarmTransition::DataLost) => Some(Transition::DataLost),
        Ok(wire::AlarmTransition::DataBack) => Some(Transition::DataBack),
        Ok(wire::AlarmTransition::Worsened) => Some(Transition::Worsened),
        Ok(wire::AlarmTransition::RuleChanged) => Some(Transition::RuleChanged),
        Ok(wire::AlarmTransition::AudioChanged) => Some(Transition::AudioChanged),
        Ok(wire::AlarmTransition::Reminded) => Some(Transition::Reminded),
        Ok(wire::AlarmTransition::Ended) => Some(Transition::Ended),
        Ok(wire::AlarmTransition::Unspecified) | Err(_) => None,
    }
}

fn link(raw: i32) -> Link {
    match wire::LinkState::try_from(raw) {
        Ok(wire::LinkState::Live) => Link::Live,
        Ok(wire::LinkState::NeverSeen) => Link::NeverSeen,
        Ok(wire::LinkState::Stopped) => Link::Stopped,
        Ok(wire::LinkState::Silent | wire::LinkState::Unspecified) | Err(_) => Link::Silent,
    }
}

fn turning(raw: i32) -> Turning {
    match wire::PumpState::try_from(raw) {
        Ok(wire::PumpState::Running) => Turning::Running,
        Ok(wire::PumpState::Standby) => Turning::Standby,
        Ok(wire::PumpState::Stopped) => Turning::Stopped,
        Ok(wire::PumpState::Unknown | wire::PumpState::Unspecified) | Err(_) => Turning::Unknown,
    }
}

fn reading(raw: &wire::Reading) -> Reading {
    let said = validity(raw.validity);
    let measured = matches!(said, Validity::Valid | Validity::Questionable);
    let value = raw.value.filter(|value| measured && value.is_finite());
    Reading {
        parameter: text(&raw.parameter),
        unit: text(&raw.unit),
        // "Valid" without a number is what no sensor can measure.
        validity: if measured && value.is_none() { Validity::SensorFault } else { said },
        value,
        sampled: raw.sampled_mono_ns.map(GatewayTime),
        last: raw
            .last_value
            .filter(|value| value.is_finite())
            .zip(raw.last_value_mono_ns.map(GatewayTime)),
    }
}

/// A validity of the wire; what is not said is a sensor fault.
pub(crate) fn validity(raw: i32) -> Validity {
    match wire::Validity::try_from(raw) {
        Ok(wire::Validity::Valid) => Validity::Valid,
        Ok(wire::Validity::Questionable) => Validity::Questionable,
        Ok(wire::Validity::BelowRange) => Validity::BelowRange,
        Ok(wire::Validity::AboveRange) => Validity::AboveRange,
        Ok(wire::Validity::NotMeasured) => Validity::NotMeasured,
        Ok(wire::Validity::SensorOff) => Validity::SensorOff,
        Ok(wire::Validity::Calibrating) => Validity::Calibrating,
        Ok(wire::Validity::Stale) => Validity::Stale,
        Ok(wire::Validity::Simulated) => Validity::Simulated,
        Ok(wire::Validity::CommLost) => Validity::CommLost,
        Ok(wire::Validity::SensorFault | wire::Validity::Unspecified) | Err(_) => {
            Validity::SensorFault
        }
    }
}

const fn counters(raw: wire::PumpCounters) -> Counters {
    Counters {
        frames_received: raw.frames_received,
        frames_missing: raw.frames_missing,
        frames_duplicate: raw.frames_duplicate,
        frames_reordered: raw.frames_reordered,
        frames_late: raw.frames_late,
        frames_rejected: raw.frames_rejected,
        samples_invalid: raw.samples_invalid,
        boots: raw.boots,
        clock_steps: raw.clock_steps,
        dropouts: raw.dropouts,
    }
}

/// One occurrence.
pub(crate) fn alarm(raw: wire::Alarm) -> Alarm {
    Alarm {
        revision: raw.revision,
        gateway: text_or_none(&raw.gateway),
        redirected: raw.redirected,
        ward: text(&raw.ward),
        pump: text_or_none(&raw.pump),
        condition: text(&raw.condition),
        kind: match wire::AlarmKind::try_from(raw.kind) {
            Ok(wire::AlarmKind::Physiological) => AlarmKind::Physiological,
            Ok(wire::AlarmKind::Technical | wire::AlarmKind::Unspecified) | Err(_) => {
                AlarmKind::Technical
            }
        },
        priority: priority(raw.priority),
        present: raw.present,
        signal: match wire::SignalPresence::try_from(raw.signal) {
            Ok(wire::SignalPresence::Off) => Signal::Off,
            Ok(wire::SignalPresence::Latched) => Signal::Latched,
            Ok(wire::SignalPresence::Acknowledged) => Signal::Acknowledged,
            Ok(wire::SignalPresence::On | wire::SignalPresence::Unspecified) | Err(_) => Signal::On,
        },
        last_known: raw.last_known,
        parameter: text_or_none(&raw.parameter),
        value: raw.value.filter(|value| value.is_finite()),
        worst: raw.worst.filter(|worst| worst.is_finite()),
        limit: raw.limit.filter(|limit| limit.is_finite()),
        side: side(raw.limit_side),
        unit: text(&raw.unit),
        no_value: no_value(&raw),
        onset: GatewayTime(raw.onset_mono_ns),
        onset_wall_ns: raw.onset_wall_ns,
        value_at: GatewayTime(raw.value_mono_ns.unwrap_or(raw.changed_mono_ns)),
        acknowledged_by: text_or_none(&raw.acknowledged_by),
        acknowledged_note: text_or_none(&raw.acknowledged_note),
        audio: audio(raw.audio),
        audio_until: raw.audio_until_mono_ns.map(GatewayTime),
        audio_by: text_or_none(&raw.audio_by),
        pause_scope: pause_scope(raw.pause_scope),
        led_by: text_or_none(&raw.led_by),
        escalated: raw.escalated,
        reminders: raw.reminders,
        rule: text_or_none(&raw.rule),
        transition: transition(raw.transition),
        path: raw.latency.map(|path| AlarmPath {
            sampled_to_published_ns: path.sampled_to_published_ns,
            published_to_received_ns: path.published_to_received_ns,
            received_to_decided_ns: path.received_to_decided_ns,
        }),
        unreviewed: raw.unreviewed,
        // Whole and unchanged: the gateway knows the occurrence by it. Nothing prints it but JSON, which escapes it.
        occurrence: raw.occurrence,
    }
}

/// Why an alarm has no value; a value beyond the sensor's range is held as infinite against the limit.
fn no_value(raw: &wire::Alarm) -> Option<Validity> {
    match raw.value {
        Some(value) if value.is_finite() => None,
        Some(value) if value.is_nan() => Some(Validity::SensorFault),
        Some(value) if value < 0.0 => Some(Validity::BelowRange),
        Some(_) => Some(Validity::AboveRange),
        None => match wire::Validity::try_from(raw.validity) {
            Ok(wire::Validity::Unspecified | wire::Validity::Valid) => None,
            Ok(_) | Err(_) => Some(validity(raw.validity)),
        },
    }
}

/// One hop.
pub(crate) fn hop(raw: wire::HopLatency) -> Hop {
    Hop {
        hop: text(&raw.hop),
        count: raw.count,
        p50_ns: raw.p50_ns,
        p99_ns: raw.p99_ns,
        p999_ns: raw.p999_ns,
        max_ns: raw.max_ns,
    }
}

/// A missed alarm.
pub(crate) fn missed(raw: wire::MissedAlarm) -> MissedAlarm {
    MissedAlarm {
        name: PumpName { ward: raw.ward, pump: raw.pump },
        occurrence: raw.occurrence,
        condition: raw.condition,
        priority: priority(raw.priority),
        onset_wall_ns: raw.onset_wall_ns,
        end_wall_ns: raw.end_wall_ns,
        worst: raw.worst,
        limit: raw.limit,
        unit: raw.unit,
        found_by_gateway: raw.found_by_gateway,
        found_by_agent: raw.found_by_agent,
        sounded: raw.sounded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_taken_at_its_worst() {
        let pump = pump(wire::Pump::default());
        assert_eq!(pump.link, Link::Silent);
        assert_eq!(pump.turning, Turning::Unknown);
        let alarm =
            alarm(wire::Alarm { priority: 99, signal: 99, audio: 99, ..wire::Alarm::default() });
        assert_eq!((alarm.priority, alarm.signal), (Priority::High, Signal::On));
        assert!(alarm.is_active());
        assert_eq!((alarm.audio, alarm.transition), (Audio::On, None));
    }

    #[test]
    fn a_value_counts_only_where_the_sample_is_a_measurement_and_a_number() {
        let raw = |value, validity: wire::Validity| wire::Reading {
            value,
            validity: validity.into(),
            ..wire::Reading::default()
        };
        for (raw, value, validity) in [
            (raw(Some(4.0), wire::Validity::Valid), Some(4.0), Validity::Valid),
            (raw(Some(4.0), wire::Validity::SensorOff), None, Validity::SensorOff),
            (raw(Some(4.0), wire::Validity::Unspecified), None, Validity::SensorFault),
            (raw(Some(f32::NAN), wire::Validity::Valid), None, Validity::SensorFault),
            (raw(None, wire::Validity::Valid), None, Validity::SensorFault),
        ] {
            let reading = reading(&raw);
            assert_eq!((reading.value, reading.validity), (value, validity));
        }
    }

    #[test]
    fn a_value_beyond_range_says_so_instead_of_printing_infinity() {
        let low = wire::Alarm { value: Some(f32::NEG_INFINITY), ..wire::Alarm::default() };
        let low = alarm(low);
        assert_eq!((low.value, low.no_value), (None, Some(Validity::BelowRange)));
    }

    #[test]
    fn no_text_of_a_gateway_can_steer_the_terminal() {
        let raw =
            wire::Pump { device: "\u{1b}[2J\r\nall well".to_owned(), ..wire::Pump::default() };
        assert_eq!(pump(raw).device, "\u{fffd}[2J\u{fffd}\u{fffd}all well");
    }
}
