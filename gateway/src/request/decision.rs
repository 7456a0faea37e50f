//! What samples decided, as sealed bytes without anything of a gateway's own clock: two gateways with the same rules say the same.

use bytes::Bytes;
use ecmo_core::alarm::condition::{Kind, Priority};
use ecmo_core::alarm::occurrence::{Occurrence, OccurrenceId, Transition};
use ecmo_core::alarm::{AlarmChange, Cause};
use ecmo_core::frame::BootId;
use ecmo_core::reading::NoData;
use ecmo_proto::sealed;
use ecmo_proto::v1;

/// A decision as others get it; `None` for a change that no sample decided.
#[must_use]
pub fn decision(pump: &str, change: &AlarmChange<'_>, profile_hash: u64) -> Option<Bytes> {
    let cause = change.cause?;
    let message = message(pump, change.occurrence, change.transition, cause, profile_hash);
    Some(sealed::seal(&message))
}

fn message(
    pump: &str,
    occurrence: &Occurrence,
    step: Transition,
    cause: Cause,
    profile_hash: u64,
) -> v1::AlarmDecision {
    let id = occurrence.id;
    let unit = occurrence.parameter.filter(|_| occurrence.limit.is_some());
    v1::AlarmDecision {
        pump: pump.to_owned(),
        alarm: Some(name(id, occurrence.call)),
        transition: transition(step).into(),
        kind: kind(occurrence.kind).into(),
        priority: priority(occurrence.priority).into(),
        frame_sequence: cause.sequence,
        sample_mono_ns: cause.sampled.as_nanos(),
        value: occurrence.value,
        worst: occurrence.worst,
        limit: occurrence.limit.map(|(_side, limit)| limit),
        unit: unit.map_or("", |parameter| parameter.info().unit).to_owned(),
        validity: occurrence.no_data.map_or(v1::Validity::Unspecified, validity).into(),
        profile_hash,
        crc32c: 0,
    }
}

/// The name of an alarm, with how often it has called.
pub(super) fn name(id: OccurrenceId, call: u32) -> v1::AlarmName {
    v1::AlarmName {
        condition: id.condition.to_string(),
        boot_id: id.boot.map_or(0, BootId::get),
        onset: id.onset,
        call,
    }
}

pub(super) const fn kind(of: Kind) -> v1::AlarmKind {
    match of {
        Kind::Physiological => v1::AlarmKind::Physiological,
        Kind::Technical => v1::AlarmKind::Technical,
    }
}

pub(super) const fn priority(of: Priority) -> v1::AlarmPriority {
    match of {
        Priority::Low => v1::AlarmPriority::Low,
        Priority::Medium => v1::AlarmPriority::Medium,
        Priority::High => v1::AlarmPriority::High,
        Priority::Information => v1::AlarmPriority::Information,
    }
}

const fn transition(step: Transition) -> v1::AlarmTransition {
    match step {
        Transition::Raised => v1::AlarmTransition::Raised,
        Transition::Returned => v1::AlarmTransition::Returned,
        Transition::Latched => v1::AlarmTransition::Latched,
        Transition::Acknowledged => v1::AlarmTransition::Acknowledged,
        Transition::DataLost => v1::AlarmTransition::DataLost,
        Transition::DataBack => v1::AlarmTransition::DataBack,
        Transition::Worsened => v1::AlarmTransition::Worsened,
        Transition::RuleChanged => v1::AlarmTransition::RuleChanged,
        Transition::AudioChanged => v1::AlarmTransition::AudioChanged,
        Transition::Reminded => v1::AlarmTransition::Reminded,
        Transition::Ended => v1::AlarmTransition::Ended,
    }
}

const fn validity(of: NoData) -> v1::Validity {
    match of {
        NoData::BelowRange => v1::Validity::BelowRange,
        NoData::AboveRange => v1::Validity::AboveRange,
        NoData::NotMeasured => v1::Validity::NotMeasured,
        NoData::SensorOff => v1::Validity::SensorOff,
        NoData::SensorFault => v1::Validity::SensorFault,
        NoData::Calibrating => v1::Validity::Calibrating,
        NoData::Stale => v1::Validity::Stale,
        NoData::Simulated => v1::Validity::Simulated,
        NoData::CommLost => v1::Validity::CommLost,
    }
}
