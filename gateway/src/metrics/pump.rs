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
    /// Messages that were damaged, against the contract or at another's place, by path.
    pub messages_damaged: By<BrokerPath, Counter>,
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
    /// 1 while a treatment is expected at it.
    pub assigned: Gauge,
    /// Wall time of the last accepted frame, in seconds since 1970.
    pub last_frame_timestamp_seconds: Gauge,
    /// Jumps of the agent's wall clock.
    pub clock_steps: Counter,
    /// 1 while frames come, by path.
    pub path_up: By<BrokerPath, Gauge>,
    /// Heartbeats that were refused.
    pub heartbeats_rejected: Counter,
    /// Conditions that the agent names and that are not known here.
    pub agent_conditions_unknown: Counter,
    /// Gateway's clock less the agent's, in seconds.
    pub clock_offset_seconds: Gauge,
    /// Its greatest error, in seconds.
    pub clock_uncertainty_seconds: Gauge,
    /// Agent's wall clock less the gateway's, in seconds.
    pub clock_wall_difference_seconds: Gauge,
    /// 1 while the agent's wall clock follows a time service.
    pub clock_synchronized: Gauge,
    /// Answers to probes that were refused.
    pub probes_refused: Counter,
    /// Samples that the agent has delivered.
    pub agent_samples: Counter,
    /// Batches that it has lost between two threads.
    pub agent_overruns: Counter,
    /// Ticks that it has left out.
    pub agent_ticks_missed: Counter,
    /// Frames that it has dropped on its paths.
    pub agent_frames_dropped: Counter,
    /// Frames that it could not keep.
    pub agent_spool_lost: Counter,
    /// Frames that it keeps.
    pub agent_buffer_frames: Gauge,
    /// Greatest lateness of a tick, in seconds.
    pub agent_lateness_max_seconds: Gauge,
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
        let path_up = By::new(|path| {
            if paths.contains(&path) {
                registrar.gauge(&name::PATH_UP, &super::handles::with(labels, path))
            } else {
                Gauge::noop()
            }
        });
        let counter = |name| registrar.counter(name, labels);
        let gauge = |name| registrar.gauge(name, labels);
        Self {
            path_up,
            heartbeats_rejected: counter(&name::HEARTBEATS_REJECTED),
            agent_conditions_unknown: counter(&name::AGENT_CONDITIONS_UNKNOWN),
            clock_offset_seconds: gauge(&name::CLOCK_OFFSET),
            clock_uncertainty_seconds: gauge(&name::CLOCK_UNCERTAINTY),
            clock_wall_difference_seconds: gauge(&name::CLOCK_WALL_DIFFERENCE),
            clock_synchronized: gauge(&name::CLOCK_SYNCHRONIZED),
            probes_refused: counter(&name::PROBES_REFUSED),
            agent_samples: counter(&name::AGENT_SAMPLES),
            agent_overruns: counter(&name::AGENT_OVERRUNS),
            agent_ticks_missed: counter(&name::AGENT_TICKS_MISSED),
            agent_frames_dropped: counter(&name::AGENT_FRAMES_DROPPED),
            agent_spool_lost: counter(&name::AGENT_SPOOL_LOST),
            agent_buffer_frames: gauge(&name::AGENT_BUFFER_FRAMES),
            agent_lateness_max_seconds: gauge(&name::AGENT_LATENESS_MAX),
            frames_received: by_path(&name::FRAMES_RECEIVED),
            frame_bytes_received: by_path(&name::FRAME_BYTES_RECEIVED),
            frames_accepted: registrar.counter(&name::FRAMES_ACCEPTED, labels),
            frames_missing: registrar.counter(&name::FRAMES_MISSING, labels),
            frames_duplicate: by_path(&name::FRAMES_DUPLICATE),
            frames_reordered: registrar.counter(&name::FRAMES_REORDERED, labels),
            frames_late: registrar.counter(&name::FRAMES_LATE, labels),
            frames_rejected: registrar.counters(&name::FRAMES_REJECTED, labels),
            messages_damaged: by_path(&name::MESSAGES_DAMAGED),
            births_rejected: registrar.counters(&name::BIRTHS_REJECTED, labels),
            statuses_rejected: registrar.counters(&name::STATUSES_REJECTED, labels),
            samples_invalid: registrar.counters(&name::SAMPLES_INVALID, labels),
            dropout_seconds: registrar.histogram(&name::DROPOUT_SECONDS, labels),
            stream_up: registrar.gauge(&name::STREAM_UP, labels),
            assigned: registrar.gauge(&name::ASSIGNED, labels),
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
