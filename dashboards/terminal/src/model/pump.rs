//! Pumps as the display knows them: whether their data arrives, what may be shown of their readings.

use std::time::Duration;

use crate::age::GatewayTime;
use crate::model::agent::{Agent, ClockEstimate, PathSeen, VerdictDifference};
use crate::model::alarm::{Alarm, Validity};
use crate::model::watcher::Ownership;

/// A pump whose newest frame is older than this delivers nothing, whatever its link state says: the reader's own check.
pub(crate) const FRAME_AGE_MAX: Duration = Duration::from_secs(3);

/// An alarm thread that has not finished a round for this long does not judge; it finishes many each second.
pub(crate) const ALARM_ROUND_AGE_MAX: Duration = Duration::from_secs(2);

words! {
    /// Whether a pump's data arrives at the gateway.
    Link {
        /// Known, and no frame yet.
        NeverSeen = "never_seen",
        /// Frames arrive.
        Live = "live",
        /// Nothing arrives.
        Silent = "silent",
        /// The agent was stopped; nothing arrives.
        Stopped = "stopped",
    }
}

words! {
    /// Whether the pump turns.
    Turning {
        /// No speed is known now.
        Unknown = "unknown",
        /// Has not run yet.
        Standby = "standby",
        /// Turns.
        Running = "running",
        /// Does not turn although it should.
        Stopped = "stopped",
    }
}

words! {
    /// Where samples come from.
    Source {
        /// A sensor on a patient's circuit.
        Measured = "measured",
        /// A simulator.
        Simulated = "simulated",
        /// A recording.
        Replayed = "replayed",
    }
}

words! {
    /// What drives the blood.
    PumpKind {
        /// Not said.
        Unknown = "unknown",
        /// Centrifugal.
        Centrifugal = "centrifugal",
        /// Roller.
        Roller = "roller",
    }
}

words! {
    /// What is being done to the circuit or the patient.
    ContextKind {
        /// Something that this display does not know.
        Unknown = "unknown",
        /// The circuit is filled before use.
        Priming = "priming",
        /// Cannulae are placed.
        Cannulation = "cannulation",
        /// The circuit is clamped on trial.
        ClampTrial = "clamp_trial",
        /// Flow is reduced to wean the patient.
        Wean = "wean",
        /// Parts of the circuit are changed.
        CircuitChange = "circuit_change",
        /// The patient is moved.
        Transport = "transport",
        /// The airway is cleared.
        Suctioning = "suctioning",
        /// Transducers are zeroed.
        Zeroing = "zeroing",
    }
}

/// A pump's name: ids are unique within a ward.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PumpName {
    pub(crate) ward: String,
    pub(crate) pump: String,
}

impl std::str::FromStr for PumpName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((ward, pump)) if !ward.is_empty() && !pump.is_empty() && !pump.contains('/') => {
                Ok(Self { ward: ward.to_owned(), pump: pump.to_owned() })
            }
            Some(_) | None => {
                Err("use WARD/PUMP, such as nicu/pump-01; `ecmoctl pumps` lists them".to_owned())
            }
        }
    }
}

impl std::fmt::Display for PumpName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.ward, self.pump)
    }
}

/// What the gateway knows of one pump.
#[derive(Debug, Clone)]
pub(crate) struct Pump {
    pub(crate) name: PumpName,
    pub(crate) link: Link,
    /// Who looks after it, and where it stands.
    pub(crate) ownership: Ownership,
    pub(crate) turning: Turning,
    pub(crate) last_frame: Option<GatewayTime>,
    pub(crate) readings: Vec<Reading>,
    /// Most urgent first.
    pub(crate) alarms: Vec<Alarm>,
    pub(crate) counters: Counters,
    pub(crate) refused_channels: Vec<RefusedChannel>,
    pub(crate) device: String,
    pub(crate) agent_version: String,
    pub(crate) source: Source,
    pub(crate) kind: PumpKind,
    /// Version of the treatment whose rules judge the pump.
    pub(crate) treatment_version: u64,
    /// What is declared to be done now.
    pub(crate) contexts: Vec<ContextKind>,
    /// Rules that cannot be judged now.
    pub(crate) rules_not_evaluable: u32,
    /// True while no clinician has signed the rules.
    pub(crate) unreviewed: bool,
    /// Limits that differ from the profile's.
    pub(crate) limits_set: u32,
    /// The agent's clock, once it is known.
    pub(crate) clock: Option<ClockEstimate>,
    /// The ways of its frames to the gateway.
    pub(crate) paths: Vec<PathSeen>,
    /// What the agent last said of itself.
    pub(crate) agent: Option<Agent>,
    /// What alarm.verdict_differs is about.
    pub(crate) verdict_difference: Option<VerdictDifference>,
}

/// The newest sample of one parameter.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub(crate) parameter: String,
    pub(crate) unit: String,
    pub(crate) validity: Validity,
    /// Finite, and present only while the newest sample is a measurement.
    pub(crate) value: Option<f32>,
    pub(crate) sampled: Option<GatewayTime>,
    /// The last measurement and its time, where the newest sample is none.
    pub(crate) last: Option<(f32, GatewayTime)>,
}

/// Counts of one pump since the gateway started.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub(crate) struct Counters {
    pub(crate) frames_received: u64,
    pub(crate) frames_missing: u64,
    pub(crate) frames_duplicate: u64,
    pub(crate) frames_reordered: u64,
    pub(crate) frames_late: u64,
    pub(crate) frames_rejected: u64,
    pub(crate) samples_invalid: u64,
    pub(crate) boots: u64,
    pub(crate) clock_steps: u64,
    pub(crate) dropouts: u64,
}

/// A channel that the gateway does not read.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct RefusedChannel {
    pub(crate) parameter: String,
    pub(crate) reason: String,
}

/// One hop of the path, percentiles in nanoseconds; they mean nothing when `count` is 0.
#[derive(Debug, Clone)]
pub(crate) struct Hop {
    pub(crate) hop: String,
    pub(crate) count: u64,
    pub(crate) p50_ns: u64,
    pub(crate) p99_ns: u64,
    pub(crate) p999_ns: u64,
    pub(crate) max_ns: u64,
}

/// What may be shown of a reading at some time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shown {
    /// A measurement that holds now, with its age.
    Now { value: f32, age: Duration, doubted: bool },
    /// No value holds now.
    None { reason: Reason, last: Option<(f32, Duration)> },
}

/// Why no value holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The newest sample is no measurement.
    Sample(Validity),
    /// Nothing arrives from the pump.
    Silent,
    /// The pump's agent was stopped.
    AgentStopped,
    /// Nothing was ever sampled.
    NeverSeen,
    /// The gateway says that the pump is live, and its newest frame is too old.
    FrameTooOld,
}

impl Reason {
    /// In a word or two.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Sample(validity) => validity.to_string(),
            Self::Silent => "silent".to_owned(),
            Self::AgentStopped => "agent stopped".to_owned(),
            Self::NeverSeen => "never seen".to_owned(),
            Self::FrameTooOld => "data too old".to_owned(),
        }
    }
}

impl Pump {
    /// The same with the times that a display shows moved by so many nanoseconds, to be read on another clock.
    pub(crate) fn moved(mut self, by: i128) -> Self {
        self.last_frame = self.last_frame.map(|at| at.moved(by));
        for reading in &mut self.readings {
            reading.sampled = reading.sampled.map(|at| at.moved(by));
            reading.last = reading.last.map(|(value, at)| (value, at.moved(by)));
        }
        self.alarms = self.alarms.into_iter().map(|alarm| alarm.moved(by)).collect();
        self.ownership.since = self.ownership.since.map(|at| at.moved(by));
        self.ownership.offer_until = self.ownership.offer_until.map(|at| at.moved(by));
        self
    }

    /// Whether the pump's frames arrive at `now`, or why not.
    pub(crate) fn arrives(&self, now: GatewayTime) -> Result<(), Reason> {
        let age = self.frame_age(now);
        match self.link {
            Link::Live => match age {
                Some(age) if age <= FRAME_AGE_MAX => Ok(()),
                Some(_) => Err(Reason::FrameTooOld),
                None => Err(Reason::NeverSeen),
            },
            Link::Silent => Err(Reason::Silent),
            Link::Stopped => Err(Reason::AgentStopped),
            Link::NeverSeen => Err(Reason::NeverSeen),
        }
    }

    /// Whether the pump delivers live data: frames arrive, and at least one reading holds a value.
    pub(crate) fn is_live(&self, now: GatewayTime) -> bool {
        self.arrives(now).is_ok() && self.readings.iter().any(|reading| reading.value.is_some())
    }

    /// Age of the last frame; `None` when there was none.
    pub(crate) fn frame_age(&self, now: GatewayTime) -> Option<Duration> {
        self.last_frame.map(|frame| frame.age_at(now))
    }

    /// Whether the pump turns, as far as that is known at `now`.
    pub(crate) fn turning_now(&self, now: GatewayTime) -> Turning {
        if self.arrives(now).is_ok() { self.turning } else { Turning::Unknown }
    }

    /// What may be shown of one of the pump's readings at `now`.
    pub(crate) fn shown(&self, reading: &Reading, now: GatewayTime) -> Shown {
        let aged = |(value, at): (f32, GatewayTime)| (value, at.age_at(now));
        let newest = reading.value.zip(reading.sampled).map(aged);
        match (self.arrives(now), newest) {
            (Ok(()), Some((value, age))) => {
                Shown::Now { value, age, doubted: reading.validity == Validity::Questionable }
            }
            (Ok(()), None) => {
                let reason = if reading.sampled.is_none() && reading.value.is_none() {
                    Reason::NeverSeen
                } else {
                    // A value without a time cannot be shown; neither can "valid" without a value.
                    let measured = [Validity::Valid, Validity::Questionable];
                    let no_proof = measured.contains(&reading.validity);
                    Reason::Sample(if no_proof { Validity::SensorFault } else { reading.validity })
                };
                Shown::None { reason, last: reading.last.map(aged) }
            }
            (Err(reason), newest) => {
                Shown::None { reason, last: newest.or_else(|| reading.last.map(aged)) }
            }
        }
    }

    /// The alarm that matters most.
    pub(crate) fn worst_alarm(&self) -> Option<&Alarm> {
        self.alarms.iter().filter(|alarm| alarm.is_active()).min_by_key(|alarm| alarm.urgency())
    }
}
