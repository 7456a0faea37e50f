//! What the display knows of pumps and alarms: checked types, free of the wire and of drawing.

use std::cmp::Reverse;
use std::time::Duration;

use crate::age::GatewayTime;

/// A pump whose newest frame is older than this delivers nothing, whatever its link state says: the reader's own check.
pub(crate) const FRAME_AGE_MAX: Duration = Duration::from_secs(3);

/// An alarm thread that has not finished a round for this long does not judge; it finishes many each second.
pub(crate) const ALARM_ROUND_AGE_MAX: Duration = Duration::from_secs(2);

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $id:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Stable id, for programs.
            pub(crate) const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }
        }

        /// The id in words, for people.
        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.id().replace('_', " "))
            }
        }
    };
}

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
    /// Whether a sample is a measurement, or why it is none.
    Validity {
        /// A measurement.
        Valid = "valid",
        /// A measurement that the device doubts.
        Questionable = "questionable",
        /// Below what the sensor can measure.
        BelowRange = "below_range",
        /// Above what the sensor can measure.
        AboveRange = "above_range",
        /// The device does not measure now.
        NotMeasured = "not_measured",
        /// Unplugged or off.
        SensorOff = "sensor_off",
        /// The sensor reports a fault.
        SensorFault = "sensor_fault",
        /// Being zeroed or calibrated.
        Calibrating = "calibrating",
        /// The device repeats an old value.
        Stale = "stale",
        /// Simulated by the device, not measured.
        Simulated = "simulated",
        /// The agent hears nothing from the device.
        CommLost = "comm_lost",
    }
}

words! {
    /// What an alarm is about.
    AlarmKind {
        /// The patient or the circuit's blood side.
        Physiological = "physiological",
        /// A device, a sensor, a link or the system.
        Technical = "technical",
    }
}

words! {
    /// How urgent an alarm is; the greater the more urgent.
    Priority {
        /// Awareness.
        Low = "low",
        /// Prompt response.
        Medium = "medium",
        /// Immediate response.
        High = "high",
    }
}

words! {
    /// What the signal of an alarm does.
    Signal {
        /// Present and not acknowledged.
        On = "on",
        /// Gone and not acknowledged.
        Latched = "latched",
        /// Present and acknowledged.
        Acknowledged = "acknowledged",
        /// Ended.
        Off = "off",
    }
}

words! {
    /// Which side of a limit is the violation.
    Side {
        /// Values below it.
        Below = "below",
        /// Values above it.
        Above = "above",
    }
}

/// A pump's name: ids are unique within a ward.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PumpName {
    pub(crate) ward: String,
    pub(crate) pump: String,
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

/// One occurrence of an alarm condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alarm {
    pub(crate) occurrence: String,
    pub(crate) revision: u32,
    pub(crate) ward: String,
    /// `None` for a condition of the gateway itself.
    pub(crate) pump: Option<String>,
    pub(crate) condition: String,
    pub(crate) kind: AlarmKind,
    pub(crate) priority: Priority,
    pub(crate) present: bool,
    pub(crate) signal: Signal,
    /// True while the condition cannot be judged because its data is missing.
    pub(crate) last_known: bool,
    pub(crate) parameter: Option<String>,
    /// Newest value; finite.
    pub(crate) value: Option<f32>,
    pub(crate) worst: Option<f32>,
    pub(crate) limit: Option<f32>,
    pub(crate) side: Option<Side>,
    pub(crate) unit: String,
    /// Why there is no value, where that is the condition.
    pub(crate) no_value: Option<Validity>,
    pub(crate) onset: GatewayTime,
    /// Nanoseconds since 1970 UTC; 0 when unknown.
    pub(crate) onset_wall_ns: i64,
    /// When `value` was taken; where the gateway does not say, when the alarm last changed.
    pub(crate) value_at: GatewayTime,
    pub(crate) acknowledged_by: Option<String>,
    pub(crate) path: Option<AlarmPath>,
    pub(crate) unreviewed: bool,
}

/// What the path took for the sample that decided an alarm, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(crate) struct AlarmPath {
    pub(crate) sampled_to_published_ns: Option<u64>,
    pub(crate) published_to_received_ns: Option<u64>,
    pub(crate) received_to_decided_ns: Option<u64>,
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

impl Alarm {
    /// Whether the occurrence has not ended.
    pub(crate) fn is_active(&self) -> bool {
        self.present || self.signal != Signal::Off
    }

    /// Whether somebody still has to acknowledge it.
    pub(crate) const fn is_unacknowledged(&self) -> bool {
        match self.signal {
            Signal::On | Signal::Latched => true,
            Signal::Acknowledged | Signal::Off => false,
        }
    }

    /// Order of a list: priority, then the older first; the rest makes it stable.
    pub(crate) fn listed(&self) -> (Reverse<Priority>, GatewayTime, String) {
        (Reverse(self.priority), self.onset, self.occurrence.clone())
    }

    /// Order of a short list: what nobody has acknowledged before what somebody has, then as in a list.
    pub(crate) fn urgency(&self) -> (bool, Reverse<Priority>, GatewayTime, String) {
        let (priority, onset, occurrence) = self.listed();
        (!self.is_unacknowledged(), priority, onset, occurrence)
    }

    /// The pump as `ward/pump`, or `gateway` for a condition of its own.
    pub(crate) fn place(&self) -> String {
        self.pump.as_ref().map_or_else(
            || "gateway".to_owned(),
            |pump| {
                if self.ward.is_empty() { pump.clone() } else { format!("{}/{pump}", self.ward) }
            },
        )
    }
}
