//! The shape of `--output json`: one object a pump, alarm or hop. What is unknown is null, never a made-up number.

use serde::Serialize;

use crate::age::{GatewayTime, age_ms};
use crate::clock::rfc3339;
use crate::model::{Alarm, AlarmPath, Counters, Hop, Pump, Reading, Reason, RefusedChannel, Shown};
use crate::words::{check_text, condition_text};

mod treatment;

mod agent;

pub(crate) use agent::AgentJson;

mod missed;

mod past;

mod watcher;

pub(crate) use missed::MissedJson;
pub(crate) use past::{PastAlarmJson, TrendJson};
pub(crate) use treatment::{PreviewJson, ReportJson, TreatmentJson};
pub(crate) use watcher::{ConfirmationsJson, DisplayJson, OwnershipJson};

/// One pump.
#[derive(Debug, Serialize)]
pub(crate) struct PumpJson<'a> {
    ward: &'a str,
    pump: &'a str,
    link: &'static str,
    /// Frames arrive, and at least one reading holds a value.
    live: bool,
    state: &'static str,
    age_ms: Option<u64>,
    /// Of the worst active alarm.
    condition: Option<&'a str>,
    priority: Option<&'static str>,
    readings: Vec<ReadingJson<'a>>,
    alarms: Vec<AlarmJson<'a>>,
    counters: Counters,
    refused_channels: &'a [RefusedChannel],
    device: &'a str,
    agent_version: &'a str,
    source: &'static str,
    pump_kind: &'static str,
    /// Version of the treatment whose rules judge the pump.
    treatment_version: u64,
    contexts: Vec<&'static str>,
    rules_not_evaluable: u32,
    limits_set: u32,
    /// True while no clinician has signed the rules.
    unreviewed: bool,
    ownership: OwnershipJson<'a>,
}

/// One reading. `value` is null as soon as it does not hold; the last one then stands beside its age.
#[derive(Debug, Serialize)]
struct ReadingJson<'a> {
    parameter: &'a str,
    value: Option<f32>,
    unit: &'a str,
    validity: &'static str,
    /// In words, why there is no value.
    reason: Option<String>,
    age_ms: Option<u64>,
    last_value: Option<f32>,
    last_value_age_ms: Option<u64>,
}

/// One alarm.
#[derive(Debug, Serialize)]
pub(crate) struct AlarmJson<'a> {
    pump: Option<&'a str>,
    ward: Option<&'a str>,
    /// Name of the gateway whose own condition it is.
    gateway: Option<&'a str>,
    /// Of another ward, where no display has confirmed it.
    redirected: bool,
    condition: &'a str,
    text: String,
    priority: &'static str,
    age_ms: u64,
    onset: Option<String>,
    kind: &'static str,
    present: bool,
    signal: &'static str,
    last_known: bool,
    parameter: Option<&'a str>,
    value: Option<f32>,
    /// Age of `value`.
    value_age_ms: Option<u64>,
    worst: Option<f32>,
    limit: Option<f32>,
    limit_side: Option<&'static str>,
    unit: Option<&'a str>,
    validity: Option<&'static str>,
    acknowledged_by: Option<&'a str>,
    acknowledged_note: Option<&'a str>,
    audio: &'static str,
    /// How long the sound stays away by itself.
    audio_left_ms: Option<u64>,
    audio_by: Option<&'a str>,
    pause_scope: Option<&'static str>,
    led_by: Option<&'a str>,
    escalated: bool,
    reminders: u32,
    rule: Option<&'a str>,
    transition: Option<&'static str>,
    check: Option<&'static str>,
    unreviewed: bool,
    occurrence: &'a str,
    revision: u32,
    /// What `ecmoctl ack` takes: the occurrence at the revision that is told here.
    id: String,
    latency: Option<AlarmPath>,
}

/// One hop; percentiles are null when nothing was measured.
#[derive(Debug, Serialize)]
pub(crate) struct HopJson<'a> {
    hop: &'a str,
    count: u64,
    p50_ns: Option<u64>,
    p99_ns: Option<u64>,
    p999_ns: Option<u64>,
    max_ns: Option<u64>,
}

fn not_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

impl<'a> PumpJson<'a> {
    /// A pump as it may be shown at `now`.
    pub(crate) fn new(pump: &'a Pump, now: GatewayTime) -> Self {
        let worst = pump.worst_alarm();
        Self {
            ward: &pump.name.ward,
            pump: &pump.name.pump,
            link: pump.link.id(),
            live: pump.is_live(now),
            state: pump.turning_now(now).id(),
            age_ms: pump.frame_age(now).map(age_ms),
            condition: worst.map(|alarm| alarm.condition.as_str()),
            priority: worst.map(|alarm| alarm.priority.id()),
            readings: pump.readings.iter().map(|each| ReadingJson::new(pump, each, now)).collect(),
            alarms: pump.alarms.iter().map(|alarm| AlarmJson::new(alarm, now)).collect(),
            counters: pump.counters,
            refused_channels: &pump.refused_channels,
            device: &pump.device,
            agent_version: &pump.agent_version,
            source: pump.source.id(),
            pump_kind: pump.kind.id(),
            treatment_version: pump.treatment_version,
            contexts: pump.contexts.iter().map(|context| context.id()).collect(),
            rules_not_evaluable: pump.rules_not_evaluable,
            limits_set: pump.limits_set,
            unreviewed: pump.unreviewed,
            ownership: OwnershipJson::new(&pump.ownership, Some(now)),
        }
    }
}

impl<'a> ReadingJson<'a> {
    fn new(pump: &Pump, reading: &'a Reading, now: GatewayTime) -> Self {
        let sampled = reading.sampled.map(|at| age_ms(at.age_at(now)));
        let shown = pump.shown(reading, now);
        let (value, validity, reason, last) = match shown {
            Shown::Now { value, .. } => (Some(value), reading.validity.id(), None, None),
            Shown::None { reason, last } => {
                let validity = match reason {
                    Reason::Sample(validity) => validity.id(),
                    Reason::NeverSeen => "never_seen",
                    Reason::Silent | Reason::AgentStopped | Reason::FrameTooOld => "stale",
                };
                (None, validity, Some(reason.words()), last)
            }
        };
        Self {
            parameter: &reading.parameter,
            value,
            unit: &reading.unit,
            validity,
            reason,
            age_ms: sampled,
            last_value: last.map(|(value, _)| value),
            last_value_age_ms: last.map(|(_, age)| age_ms(age)),
        }
    }
}

impl<'a> AlarmJson<'a> {
    /// An alarm at `now`.
    pub(crate) fn new(alarm: &'a Alarm, now: GatewayTime) -> Self {
        Self {
            pump: alarm.pump.as_deref(),
            ward: not_empty(&alarm.ward),
            gateway: alarm.gateway.as_deref(),
            redirected: alarm.redirected,
            condition: &alarm.condition,
            text: condition_text(&alarm.condition),
            priority: alarm.priority.id(),
            age_ms: age_ms(alarm.onset.age_at(now)),
            onset: rfc3339(alarm.onset_wall_ns),
            kind: alarm.kind.id(),
            present: alarm.present,
            signal: alarm.signal.id(),
            last_known: alarm.last_known,
            parameter: alarm.parameter.as_deref(),
            value: alarm.value,
            value_age_ms: alarm.value.map(|_| age_ms(alarm.value_at.age_at(now))),
            worst: alarm.worst,
            limit: alarm.limit,
            limit_side: alarm.side.map(crate::model::Side::id),
            unit: not_empty(&alarm.unit),
            validity: alarm.no_value.map(crate::model::Validity::id),
            acknowledged_by: alarm.acknowledged_by.as_deref(),
            acknowledged_note: alarm.acknowledged_note.as_deref(),
            audio: alarm.audio.id(),
            audio_left_ms: alarm.audio_left(now).map(age_ms),
            audio_by: alarm.audio_by.as_deref(),
            pause_scope: alarm.pause_scope.map(crate::model::PauseScope::id),
            led_by: alarm.led_by.as_deref(),
            escalated: alarm.escalated,
            reminders: alarm.reminders,
            rule: alarm.rule.as_deref(),
            transition: alarm.transition.map(crate::model::Transition::id),
            check: check_text(&alarm.condition),
            unreviewed: alarm.unreviewed,
            occurrence: &alarm.occurrence,
            revision: alarm.revision,
            id: alarm.seen_id(),
            latency: alarm.path,
        }
    }
}

impl<'a> HopJson<'a> {
    /// A hop.
    pub(crate) fn new(hop: &'a Hop) -> Self {
        let measured = |nanos| (hop.count > 0).then_some(nanos);
        Self {
            hop: &hop.hop,
            count: hop.count,
            p50_ns: measured(hop.p50_ns),
            p99_ns: measured(hop.p99_ns),
            p999_ns: measured(hop.p999_ns),
            max_ns: measured(hop.max_ns),
        }
    }
}
