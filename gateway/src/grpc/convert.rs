//! What displays read, as messages. With `decode`, the only place where generated types meet ours.

use std::time::Duration;

use ecmo_core::alarm::action::OfferEnd;
use ecmo_core::alarm::condition::{Kind, Priority};
use ecmo_core::alarm::occurrence::{Audio, Occurrence, PauseScope, Signal, Transition};
use ecmo_core::alarm::rule::{RuleKey, Side};
use ecmo_core::frame::BootId;
use ecmo_core::path::Path;
use ecmo_core::pump::ownership::Ownership;
use ecmo_core::pump::{Link, PumpState, ToldDifference};
use ecmo_core::reading::{NoData, Reading};
use ecmo_core::reconcile::{Difference, Finder};
use ecmo_core::view::{ClockView, PathSeen, ReadingView, View};
use ecmo_proto::topic::PumpAddress;
use ecmo_proto::v1;

use super::treatment;
use crate::decode::{Birth, PumpKind, SourceKind};
use crate::fanout::{AlarmUpdate, Completeness, PathTimes, PumpSlot, RuleBook, WaveformBlock};
use crate::journal::MissedAlarm;

/// Who looks after a pump.
pub(super) fn ownership(of: &Ownership) -> v1::Ownership {
    let end = |end| match end {
        OfferEnd::Accepted => v1::OfferEnd::Accepted,
        OfferEnd::Rejected => v1::OfferEnd::Rejected,
        OfferEnd::Lapsed => v1::OfferEnd::Lapsed,
    };
    v1::Ownership {
        owner: of.owner.clone().unwrap_or_default(),
        since_mono_ns: of.since.map(|at| at.as_nanos()),
        offered_to: of.offer.as_ref().map(|(to, _until)| to.clone()).unwrap_or_default(),
        offer_until_mono_ns: of.offer.as_ref().map(|(_to, until)| until.as_nanos()),
        last_offer: of.last_offer.map_or(v1::OfferEnd::Unspecified, end).into(),
        unanswered: of.unanswered,
        bed: of.bed.clone(),
        version: of.version,
    }
}

/// A pump as displays see it.
pub(super) fn pump(slot: &PumpSlot, view: &View, book: &RuleBook) -> v1::Pump {
    let birth = slot.birth();
    let birth = birth.as_deref();
    let heartbeat = slot.heartbeat();
    let frames = view.counters.frames;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let contexts = book.treatment.contexts.iter().map(|it| treatment::context_kind(it.kind).into());
    v1::Pump {
        ownership: Some(ownership(&view.ownership)),
        ward: slot.address.ward.to_string(),
        pump: slot.address.pump.to_string(),
        link: link(view.link).into(),
        state: pump_state(view.state).into(),
        last_frame_mono_ns: view.fresh_at.map(|at| at.as_nanos()),
        readings: view.readings.iter().map(reading).collect(),
        alarms: view.alarms.iter().map(|one| alarm_of_view(slot, one)).collect(),
        counters: Some(v1::PumpCounters {
            frames_received: slot.received(),
            frames_missing: frames.missing,
            frames_duplicate: frames.duplicate,
            frames_reordered: frames.reordered,
            frames_late: frames.late,
            frames_rejected: slot.rejected(),
            samples_invalid: slot.invalid(),
            boots: view.counters.boots,
            clock_steps: view.counters.clock_steps,
            dropouts: view.counters.dropouts,
        }),
        refused_channels: birth.map(refused).unwrap_or_default(),
        device: birth.map(|birth| birth.device.clone()).unwrap_or_default(),
        agent_version: birth.map(|birth| birth.agent_version.clone()).unwrap_or_default(),
        source: birth.map_or(v1::SourceKind::Unspecified, |birth| source(birth.source)).into(),
        pump_kind: birth.map_or(v1::PumpKind::Unspecified, |birth| kind(birth.pump_kind)).into(),
        boot_id: view.boot.map_or(0, BootId::get),
        treatment_version: book.treatment.version,
        contexts: contexts.collect(),
        rules_not_evaluable: count(book.not_evaluable.len()),
        unreviewed: book.rules.unreviewed,
        limits_set: count(book.treatment.overrides.len()),
        clock: view.clock.map(clock),
        age_unproven: !view.age_proven,
        paths: view.paths.iter().flatten().map(path).collect(),
        agent: heartbeat.as_ref().map(|heard| heard.0.message().clone()),
        agent_mono_ns: heartbeat.as_ref().map(|heard| heard.1.as_nanos()),
        completeness: slot.completeness().map(completeness),
        verdict_difference: view.verdict_difference.map(verdict_difference),
    }
}

fn verdict_difference(told: ToldDifference) -> v1::VerdictDifference {
    let (kind, condition) = match told.difference {
        Difference::Profile => (v1::VerdictDifferenceKind::Profile, None),
        Difference::Treatment => (v1::VerdictDifferenceKind::Treatment, None),
        Difference::Condition(condition, Finder::Agent) => {
            (v1::VerdictDifferenceKind::AgentAlone, Some(condition))
        }
        Difference::Condition(condition, Finder::Gateway) => {
            (v1::VerdictDifferenceKind::GatewayAlone, Some(condition))
        }
    };
    let condition = condition.map(|one| one.to_string()).unwrap_or_default();
    v1::VerdictDifference { kind: kind.into(), condition, afterwards: told.afterwards }
}

const fn completeness(has: Completeness) -> v1::Completeness {
    v1::Completeness {
        frames_kept: has.kept,
        frames_missing: has.missing,
        frames_backfilled: has.backfilled,
        frames_lost: has.lost,
        recording: has.recording,
    }
}

/// What was missed at a pump, as displays see it.
pub(super) fn missed(address: &PumpAddress, missed: &MissedAlarm) -> v1::MissedAlarm {
    v1::MissedAlarm {
        occurrence: format!("{address}/{}", missed.id),
        ward: address.ward.to_string(),
        pump: address.pump.to_string(),
        condition: missed.id.condition.to_string(),
        priority: priority(missed.priority).into(),
        onset_wall_ns: missed.onset_wall_ns,
        end_wall_ns: missed.end_wall_ns,
        worst: missed.worst,
        limit: missed.limit,
        unit: missed.parameter.map(|one| one.info().unit.to_owned()).unwrap_or_default(),
        found_by_gateway: missed.found_by_gateway,
        found_by_agent: missed.found_by_agent,
        sounded: missed.sounded,
    }
}

fn clock(of: ClockView) -> v1::ClockEstimate {
    let signed =
        |nanos: i128| i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX });
    v1::ClockEstimate {
        offset_ns: signed(of.offset.offset_ns),
        uncertainty_ns: of.offset.uncertainty_ns,
        drift_ppm: of.drift_ppm,
        round_trip_ns: nanos(of.offset.round_trip),
        measured_mono_ns: of.offset.measured_at.as_nanos(),
        wall_difference_ns: of.wall_difference_ns.map(signed),
    }
}

fn path(seen: &PathSeen) -> v1::PathView {
    v1::PathView {
        name: match seen.path {
            Path::A => "a".to_owned(),
            Path::B => "b".to_owned(),
        },
        connected: seen.connected,
        last_frame_mono_ns: seen.frame_at.map(|at| at.as_nanos()),
    }
}

fn refused(birth: &Birth) -> Vec<v1::RefusedChannel> {
    birth
        .refused
        .iter()
        .map(|channel| v1::RefusedChannel { id: channel.id.clone(), reason: channel.why.clone() })
        .collect()
}

fn reading(view: &ReadingView) -> v1::Reading {
    let info = view.parameter.info();
    v1::Reading {
        parameter: info.id.to_owned(),
        unit: info.unit.to_owned(),
        value: view.reading.value(),
        validity: validity(view.reading).into(),
        sampled_mono_ns: view.sampled_at.map(|at| at.as_nanos()),
        last_value: view.last_value.map(|(value, _at)| value),
        last_value_mono_ns: view.last_value.map(|(_value, at)| at.as_nanos()),
    }
}

/// An alarm as displays see it.
pub(super) fn alarm(update: &AlarmUpdate) -> v1::Alarm {
    let address = update.address.as_ref();
    let own = address.is_none().then(|| update.gateway.to_string());
    v1::Alarm {
        ward: update.of_ward().unwrap_or_default().to_owned(),
        pump: address.map(|address| address.pump.to_string()).unwrap_or_default(),
        gateway: own.unwrap_or_default(),
        redirected: update.redirected,
        onset_wall_ns: update.onset_wall_ns,
        latency: path_latency(update.path),
        transition: transition(update.transition).into(),
        ..occurrence(update.id(), &update.occurrence)
    }
}

fn alarm_of_view(slot: &PumpSlot, one: &Occurrence) -> v1::Alarm {
    v1::Alarm {
        ward: slot.address.ward.to_string(),
        pump: slot.address.pump.to_string(),
        ..occurrence(format!("{}/{}", slot.address, one.id), one)
    }
}

fn occurrence(id: String, one: &Occurrence) -> v1::Alarm {
    let unit = one.parameter.filter(|_| one.limit.is_some()).map_or("", |it| it.info().unit);
    v1::Alarm {
        occurrence: id,
        revision: one.revision,
        call: one.call,
        condition: one.id.condition.to_string(),
        kind: match one.kind {
            Kind::Physiological => v1::AlarmKind::Physiological,
            Kind::Technical => v1::AlarmKind::Technical,
        }
        .into(),
        priority: priority(one.priority).into(),
        present: one.present,
        signal: match one.signal() {
            Signal::On => v1::SignalPresence::On,
            Signal::Off => v1::SignalPresence::Off,
            Signal::Latched => v1::SignalPresence::Latched,
            Signal::Acknowledged => v1::SignalPresence::Acknowledged,
        }
        .into(),
        last_known: one.last_known,
        parameter: one.parameter.map(|it| it.info().id.to_owned()).unwrap_or_default(),
        value: one.value,
        value_mono_ns: one.value.and(one.value_at).map(|at| at.as_nanos()),
        worst: one.worst,
        limit: one.limit.map(|(_side, limit)| limit),
        limit_side: one
            .limit
            .map_or(v1::LimitSide::Unspecified, |(side, _limit)| limit_side(side))
            .into(),
        unit: unit.to_owned(),
        validity: one
            .no_data
            .map_or(v1::Validity::Unspecified, |why| validity(Reading::NoData(why)))
            .into(),
        onset_mono_ns: one.onset_at.as_nanos(),
        changed_mono_ns: one.changed_at.as_nanos(),
        unreviewed: one.unreviewed,
        rule: rule_id(one),
        escalated: one.escalated,
        reminders: one.reminders,
        covers_from: one.covers_from,
        ..signals(one)
    }
}

/// Id of the rule that it follows; empty where it follows none.
fn rule_id(one: &Occurrence) -> String {
    let key = RuleKey { condition: one.id.condition, number: one.rule };
    if one.rule == 0 { String::new() } else { key.to_string() }
}

/// What people, and other alarms, have done to its signals.
fn signals(one: &Occurrence) -> v1::Alarm {
    let seen = one.acknowledged.as_ref();
    let (audio, until) = match one.audio() {
        Audio::On => (v1::AudioState::On, None),
        Audio::Off => (v1::AudioState::Off, None),
        Audio::Paused { until } => (v1::AudioState::Paused, Some(until)),
        Audio::Shelved { until } => (v1::AudioState::Shelved, Some(until)),
        Audio::Grouped { .. } => (v1::AudioState::Grouped, None),
    };
    let paused = one.pause.as_ref().filter(|_| audio == v1::AudioState::Paused);
    let shelved = one.shelf.as_ref().filter(|_| audio == v1::AudioState::Shelved);
    let by = paused.map(|pause| &pause.by).or_else(|| shelved.map(|shelf| &shelf.by));
    v1::Alarm {
        acknowledged_by: seen.map(|it| it.by.clone()).unwrap_or_default(),
        acknowledged_note: seen.map(|it| it.note.clone()).unwrap_or_default(),
        acknowledged_mono_ns: seen.map(|it| it.at.as_nanos()),
        audio: audio.into(),
        audio_until_mono_ns: until.map(|until| until.as_nanos()),
        audio_by: by.cloned().unwrap_or_default(),
        pause_scope: paused
            .map_or(v1::PauseScope::Unspecified, |pause| match pause.scope {
                PauseScope::Alarm => v1::PauseScope::Alarm,
                PauseScope::Pump => v1::PauseScope::Pump,
                PauseScope::Ward => v1::PauseScope::Ward,
            })
            .into(),
        led_by: one.leader.map(|leader| leader.to_string()).unwrap_or_default(),
        ..v1::Alarm::default()
    }
}

pub(super) const fn priority(priority: Priority) -> v1::AlarmPriority {
    match priority {
        Priority::High => v1::AlarmPriority::High,
        Priority::Medium => v1::AlarmPriority::Medium,
        Priority::Low => v1::AlarmPriority::Low,
        Priority::Information => v1::AlarmPriority::Information,
    }
}

pub(super) const fn limit_side(side: Side) -> v1::LimitSide {
    match side {
        Side::Below => v1::LimitSide::Below,
        Side::Above => v1::LimitSide::Above,
    }
}

const fn transition(transition: Option<Transition>) -> v1::AlarmTransition {
    match transition {
        None => v1::AlarmTransition::Unspecified,
        Some(Transition::Raised) => v1::AlarmTransition::Raised,
        Some(Transition::Returned) => v1::AlarmTransition::Returned,
        Some(Transition::Latched) => v1::AlarmTransition::Latched,
        Some(Transition::Acknowledged) => v1::AlarmTransition::Acknowledged,
        Some(Transition::DataLost) => v1::AlarmTransition::DataLost,
        Some(Transition::DataBack) => v1::AlarmTransition::DataBack,
        Some(Transition::Worsened) => v1::AlarmTransition::Worsened,
        Some(Transition::RuleChanged) => v1::AlarmTransition::RuleChanged,
        Some(Transition::AudioChanged) => v1::AlarmTransition::AudioChanged,
        Some(Transition::Reminded) => v1::AlarmTransition::Reminded,
        Some(Transition::Ended) => v1::AlarmTransition::Ended,
    }
}

fn path_latency(path: PathTimes) -> Option<v1::PathLatency> {
    (path != PathTimes::default()).then(|| v1::PathLatency {
        sampled_to_published_ns: path.sampled_to_published.map(nanos),
        published_to_received_ns: path.published_to_received.map(nanos),
        received_to_decided_ns: path.received_to_decided.map(nanos),
    })
}

/// A block of samples as displays see it.
pub(super) fn waveform(block: &WaveformBlock) -> v1::WaveformBlock {
    v1::WaveformBlock {
        parameter: block.parameter.info().id.to_owned(),
        first_index: block.first_index,
        start_mono_ns: block.start.as_nanos(),
        interval_ns: nanos(block.interval),
        values: values(&block.readings),
        validity: validity_runs(&block.readings),
    }
}

/// The values of samples, with a place holder where there is none: the validity says that it means nothing.
pub(super) fn values(readings: &[Reading]) -> Vec<f32> {
    readings.iter().map(|it| it.value().unwrap_or_default()).collect()
}

/// The validity of samples; none when all are valid.
pub(super) fn validity_runs(readings: &[Reading]) -> Vec<v1::ValidityRun> {
    let mut runs: Vec<v1::ValidityRun> = Vec::new();
    if readings.iter().all(|it| matches!(it, Reading::Value(_))) {
        return runs;
    }
    for reading in readings {
        let validity = validity(*reading).into();
        match runs.last_mut() {
            Some(run) if run.validity == validity => run.count += 1,
            Some(_) | None => runs.push(v1::ValidityRun { validity, count: 1 }),
        }
    }
    runs
}

pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

const fn link(link: Link) -> v1::LinkState {
    match link {
        Link::NeverSeen => v1::LinkState::NeverSeen,
        Link::Live => v1::LinkState::Live,
        Link::Silent => v1::LinkState::Silent,
        Link::Stopped => v1::LinkState::Stopped,
    }
}

const fn pump_state(state: PumpState) -> v1::PumpState {
    match state {
        PumpState::Unknown => v1::PumpState::Unknown,
        PumpState::Standby => v1::PumpState::Standby,
        PumpState::Running => v1::PumpState::Running,
        PumpState::Stopped => v1::PumpState::Stopped,
    }
}

const fn source(source: SourceKind) -> v1::SourceKind {
    match source {
        SourceKind::Measured => v1::SourceKind::Measured,
        SourceKind::Simulated => v1::SourceKind::Simulated,
        SourceKind::Replayed => v1::SourceKind::Replayed,
    }
}

const fn kind(kind: PumpKind) -> v1::PumpKind {
    match kind {
        PumpKind::Unknown => v1::PumpKind::Unspecified,
        PumpKind::Centrifugal => v1::PumpKind::Centrifugal,
        PumpKind::Roller => v1::PumpKind::Roller,
    }
}

pub(super) const fn validity(reading: Reading) -> v1::Validity {
    match reading {
        Reading::Value(_) => v1::Validity::Valid,
        Reading::Questionable(_) => v1::Validity::Questionable,
        Reading::NoData(why) => match why {
            NoData::BelowRange => v1::Validity::BelowRange,
            NoData::AboveRange => v1::Validity::AboveRange,
            NoData::NotMeasured => v1::Validity::NotMeasured,
            NoData::SensorOff => v1::Validity::SensorOff,
            NoData::SensorFault => v1::Validity::SensorFault,
            NoData::Calibrating => v1::Validity::Calibrating,
            NoData::Stale => v1::Validity::Stale,
            NoData::Simulated => v1::Validity::Simulated,
            NoData::CommLost => v1::Validity::CommLost,
        },
    }
}
