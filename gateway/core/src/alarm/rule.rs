//! Rules as data: what is held against which limit, for how long, and how urgent it is.
//!
//! The starter values are the proposals of the project's clinical reference (section 2.2). No clinician has signed them:
//! every alarm that comes from them says so, and a site sets its own.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::parameter::Parameter;

/// A condition id: a stable name, for a sensor's fault followed by the parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Condition {
    name: &'static str,
    parameter: Option<Parameter>,
}

impl Condition {
    /// No frame arrives from the pump's agent.
    pub const COMM_STALE: Self = Self::named("comm.stale");
    /// Two agents publish as one pump.
    pub const SOURCE_DUPLICATE: Self = Self::named("source.duplicate");
    /// The gateway has no connection to its broker.
    pub const COMM_BROKER: Self = Self::named("comm.broker");

    /// Family of the faults of sensors.
    pub const SENSOR_FAULT_FAMILY: &'static str = "sensor.fault";

    /// A condition that is known by its name alone.
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        Self { name, parameter: None }
    }

    /// The fault of the sensor of one parameter.
    #[must_use]
    pub const fn sensor_fault(parameter: Parameter) -> Self {
        Self { name: Self::SENSOR_FAULT_FAMILY, parameter: Some(parameter) }
    }

    /// The name without a parameter: a label with few values.
    #[must_use]
    pub const fn family(self) -> &'static str {
        self.name
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parameter {
            None => formatter.write_str(self.name),
            Some(parameter) => write!(formatter, "{}.{}", self.name, parameter.info().id),
        }
    }
}

/// What a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The patient or the blood side of the circuit.
    Physiological,
    /// A device, a sensor, a link or this system.
    Technical,
}

/// How urgent a condition is; the greater the more urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// Awareness.
    Low,
    /// Prompt response.
    Medium,
    /// Immediate response.
    High,
}

/// Which side of a limit is the violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Values below the limit.
    Below,
    /// Values above the limit.
    Above,
}

impl Side {
    /// Whether a value lies beyond the limit; NaN lies beyond every limit, because it must never pass for "all well".
    #[must_use]
    pub fn is_violated(self, value: f32, limit: f32) -> bool {
        match self {
            Self::Below => value.is_nan() || value < limit,
            Self::Above => value.is_nan() || value > limit,
        }
    }

    /// Whether a value has come back by at least the hysteresis.
    #[must_use]
    pub fn is_recovered(self, value: f32, limit: f32, hysteresis: f32) -> bool {
        match self {
            Self::Below => value >= limit + hysteresis,
            Self::Above => value <= limit - hysteresis,
        }
    }

    /// The one of two values that lies further beyond the limit.
    #[must_use]
    pub fn worse(self, one: f32, other: f32) -> f32 {
        match self {
            Self::Below => one.min(other),
            Self::Above => one.max(other),
        }
    }
}

/// When a rule may raise. A gate never ends what is present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gate {
    /// At any time.
    Always,
    /// While the pump turns: a standing pump has other pressures.
    Running,
    /// While the pump ought to turn: its set speed is above zero, or it has turned before.
    MeantToRun,
}

/// A limit with its delays.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitRule {
    /// What it raises.
    pub condition: Condition,
    /// What it watches.
    pub parameter: Parameter,
    /// Which side of the limit is the violation.
    pub side: Side,
    /// The limit, in the parameter's unit.
    pub limit: f32,
    /// How far back beyond the limit counts as recovered, in the parameter's unit.
    pub hysteresis: f32,
    /// Samples are averaged over this time first; zero judges each sample.
    pub average: Duration,
    /// How long the limit must be violated, by sample time.
    pub delay: Duration,
    /// How long the value must be recovered, by sample time.
    pub clear_delay: Duration,
    /// How urgent.
    pub priority: Priority,
    /// What it is about.
    pub kind: Kind,
    /// Whether it stays until acknowledged.
    pub latching: bool,
    /// When it may raise.
    pub gate: Gate,
}

/// Rules about absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SilenceRules {
    /// No frame for this long, by the reader's clock, raises `comm.stale`.
    pub frame: Duration,
    /// As `frame`, once the broker has said that the agent is gone.
    pub frame_after_hint: Duration,
    /// Frames must come without a pause for this long until `comm.stale` ends.
    pub frame_clear: Duration,
    /// A channel that delivers no measurement for this long raises `sensor.fault`.
    pub channel: Duration,
    /// The least time after which a channel that sends nothing at all counts as silent; three periods if that is longer.
    pub channel_missing: Duration,
    /// Measurements must come for this long until `sensor.fault` ends.
    pub channel_clear: Duration,
    /// Time without a sign of a second agent until `source.duplicate` ends.
    pub duplicate_clear: Duration,
}

/// All rules of a pump.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    limits: Vec<LimitRule>,
    /// Rules about absence.
    pub silence: SilenceRules,
    /// Whether no clinician has signed them.
    pub unreviewed: bool,
}

/// A change of one rule by a site; what is `None` stays.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RuleChange {
    /// The limit, in the parameter's unit; finite.
    pub limit: Option<f32>,
    /// How far back counts as recovered, in the parameter's unit; finite, not negative.
    pub hysteresis: Option<f32>,
    /// How long the limit must be violated.
    pub delay: Option<Duration>,
    /// How long the value must be recovered.
    pub clear_delay: Option<Duration>,
    /// How urgent.
    pub priority: Option<Priority>,
}

impl Rules {
    /// Rules from a list of limits.
    #[must_use]
    pub fn new(mut limits: Vec<LimitRule>, silence: SilenceRules, unreviewed: bool) -> Self {
        limits.sort_by_key(|rule| rule.parameter);
        Self { limits, silence, unreviewed }
    }

    /// The limits, sorted by parameter.
    #[must_use]
    pub fn limits(&self) -> &[LimitRule] {
        &self.limits
    }

    /// Changes one rule; false when there is none of that id.
    pub fn change(&mut self, id: &str, change: RuleChange) -> bool {
        let Some(rule) = self.limits.iter_mut().find(|rule| rule.condition.name == id) else {
            return false;
        };
        rule.limit = change.limit.unwrap_or(rule.limit);
        rule.hysteresis = change.hysteresis.unwrap_or(rule.hysteresis);
        rule.delay = change.delay.unwrap_or(rule.delay);
        rule.clear_delay = change.clear_delay.unwrap_or(rule.clear_delay);
        rule.priority = change.priority.unwrap_or(rule.priority);
        true
    }

    /// Priority of the fault of a parameter's sensor: high where the gateway is blind without it.
    #[must_use]
    pub const fn sensor_fault_priority(parameter: Parameter) -> Priority {
        if matches!(
            parameter,
            Parameter::FlowBlood
                | Parameter::PressPre
                | Parameter::PressPost
                | Parameter::AirBubble
                | Parameter::AirVenous
                | Parameter::PumpSpeed
        ) {
            Priority::High
        } else {
            Priority::Medium
        }
    }
}
