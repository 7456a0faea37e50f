//! The series of one pump. Made once, when the pump is first heard or expected.

use ecmo_proto::topic::PumpAddress;
use metrics::{Counter, Gauge, Histogram};

use super::handles::{By, Pair, Registrar};
use super::label::{
    AlarmPriority, BirthRejected, BrokerPath, FrameRejected, SampleInvalid, StatusRejected,
};
use super::name;

/// Handles of one pump's series.
#[derive(Debug, Clone)]
pub struct PumpMetrics {
    /// Frames that arrived, by path.
    pub frames_received: By<BrokerPath, Counter>,
    /// Their bytes, by path.
    pub frame_bytes_received: By<BrokerPath, Counter>,
    /// Frames that were judged.
    pub frames_accepted: Counter,
    /// Frames that never arrived.
    pub frames_missing: Counter,
    /// Frames that had arrived before, by path.
    pub frames_duplicate: By<BrokerPath, Counter>,
    /// Frames that came after a later one, in time to be used.
    pub frames_reordered: Counter,
    /// Frames that came too late to be used.
    pub frames_late: Counter,
    /// Frames that were refused.
    pub frames_rejected: By<FrameRejected, Counter>,
    /// Births that were refused.
    pub births_rejected: By<BirthRejected, Counter>,
    /// Statuses that were refused.
    pub statuses_rejected: By<StatusRejected, Counter>,
    /// Samples that are no measurement.
    pub samples_invalid: By<SampleInvalid, Counter>,
    /// Length of each dropout, in seconds.
    pub dropout_seconds: Histogram,
    /// 1 while frames are fresh.
    pub stream_up: Gauge,
    /// Wall time of the last accepted frame, in seconds since 1970.
    pub last_frame_timestamp_seconds: Gauge,
    /// Jumps of the agent's wall clock.
    pub clock_steps: Counter,
    /// Alarms raised or returned.
    pub alarms_raised: By<AlarmPriority, Counter>,
    /// Floods that began.
    pub alarm_floods: Counter,
    /// Times an alarm began to chatter.
    pub alarms_chattering: Counter,
    /// Reminders given.
    pub alarm_reminders: Counter,
    /// Rules that cannot be judged now.
    pub rules_not_evaluable: Gauge,
}

impl PumpMetrics {
    pub(super) fn new(registrar: &Registrar, labels: &[Pair], paths: &[BrokerPath]) -> Self {
        let by_path = |name| {
            By::new(|path| {
                if paths.contains(&path) {
                    registrar.counter(name, &super::handles::with(labels, path))
                } else {
                    Counter::noop()
                }
            })
        };
        Self {
            frames_received: by_path(&name::FRAMES_RECEIVED),
            frame_bytes_received: by_path(&name::FRAME_BYTES_RECEIVED),
            frames_accepted: registrar.counter(&name::FRAMES_ACCEPTED, labels),
            frames_missing: registrar.counter(&name::FRAMES_MISSING, labels),
            frames_duplicate: by_path(&name::FRAMES_DUPLICATE),
            frames_reordered: registrar.counter(&name::FRAMES_REORDERED, labels),
            frames_late: registrar.counter(&name::FRAMES_LATE, labels),
            frames_rejected: registrar.counters(&name::FRAMES_REJECTED, labels),
            births_rejected: registrar.counters(&name::BIRTHS_REJECTED, labels),
            statuses_rejected: registrar.counters(&name::STATUSES_REJECTED, labels),
            samples_invalid: registrar.counters(&name::SAMPLES_INVALID, labels),
            dropout_seconds: registrar.histogram(&name::DROPOUT_SECONDS, labels),
            stream_up: registrar.gauge(&name::STREAM_UP, labels),
            last_frame_timestamp_seconds: registrar.gauge(&name::LAST_FRAME, labels),
            clock_steps: registrar.counter(&name::CLOCK_STEPS, labels),
            alarms_raised: registrar.counters(&name::ALARMS_RAISED, labels),
            alarm_floods: registrar.counter(&name::ALARM_FLOODS, labels),
            alarms_chattering: registrar.counter(&name::ALARMS_CHATTERING, labels),
            alarm_reminders: registrar.counter(&name::ALARM_REMINDERS, labels),
            rules_not_evaluable: registrar.gauge(&name::RULES_NOT_EVALUABLE, labels),
        }
    }
}

/// The labels of a pump.
pub(super) fn labels(address: &PumpAddress) -> Vec<Pair> {
    pair(address.ward.as_str(), address.pump.as_str())
}

/// The labels of pumps that have no series of their own.
pub(super) fn shared_labels(pump: &str) -> Vec<Pair> {
    pair(pump, pump)
}

fn pair(ward: &str, pump: &str) -> Vec<Pair> {
    vec![("ward", ward.to_owned()), ("pump", pump.to_owned())]
}
