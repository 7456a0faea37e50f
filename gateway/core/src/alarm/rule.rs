//! Rules as they are in force at one pump: limits with their numbers, composites, silence, groups.
//!
//! They are made from a profile, a case and what a person has set (see [`super::profile`]), and swapped as a whole.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::alarm::composite::Composite;
use crate::alarm::condition::{Condition, Kind, Priority};
use crate::parameter::Parameter;

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

    /// How far a value lies beyond a limit; negative on the good side.
    #[must_use]
    pub fn excess(self, value: f32, limit: f32) -> f32 {
        match self {
            Self::Below => limit - value,
            Self::Above => value - limit,
        }
    }
}

/// When a rule may raise. A gate never ends what is present.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Gate {
    /// At any time.
    Always,
    /// While the pump turns: a standing pump has other pressures.
    Running,
    /// While the pump ought to turn: its set speed is above zero, or it has turned before.
    MeantToRun,
    /// While the pump turns faster than this, in rev/min.
    FasterThan(f32),
}

/// Names a rule: several may raise one condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleKey {
    /// What it raises.
    pub condition: Condition,
    /// Number among the rules of the condition, from 1.
    pub number: u8,
}

impl RuleKey {
    /// The rule of an id such as `flow.low` or `flow.low#2`.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        let (name, number) = match id.split_once('#') {
            Some((name, number)) => (name, number.parse().ok().filter(|number| *number > 1)?),
            None => (id, 1),
        };
        Some(Self { condition: Condition::from_id(name)?, number })
    }
}

impl fmt::Display for RuleKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.number == 1 {
            self.condition.fmt(formatter)
        } else {
            write!(formatter, "{}#{}", self.condition, self.number)
        }
    }
}

/// What of a parameter is held against the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The value.
    Value,
    /// Its distance from another parameter, without sign.
    DistanceFrom(Parameter),
}

/// A limit in force.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// A number in the parameter's unit.
    Fixed(f32),
    /// A share of another parameter's newest value.
    ShareOf(Parameter, f32),
}

/// A limit with its delays, as it is in force.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitRule {
    /// Its name.
    pub key: RuleKey,
    /// What it watches.
    pub parameter: Parameter,
    /// What of it is judged.
    pub measure: Measure,
    /// Which side of the limit is the violation.
    pub side: Side,
    /// The limit.
    pub limit: Limit,
    /// How far back beyond the limit counts as recovered, in the parameter's unit.
    pub hysteresis: f32,
    /// The same as a share of the limit; both are added.
    pub hysteresis_share: f32,
    /// Samples are averaged over this time first; zero judges each sample.
    pub average: Duration,
    /// How long the limit must be violated, by sample time.
    pub delay: Duration,
    /// Violated time adds up and recovered time wears it off, instead of beginning anew.
    pub cumulative: bool,
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
    /// After this long present and unacknowledged its priority goes up to high.
    pub escalate: Option<Duration>,
}

/// A composite with its delays, as it is in force.
#[derive(Debug, Clone, PartialEq)]
pub struct CompositeRule {
    /// Its name.
    pub key: RuleKey,
    /// How it is judged.
    pub composite: Composite,
    /// How long the finding must last.
    pub hold: Duration,
    /// How long it must be absent until the condition ends.
    pub clear_delay: Duration,
    /// How urgent, unless the finding says more.
    pub priority: Priority,
    /// What it is about.
    pub kind: Kind,
    /// Whether it stays until acknowledged.
    pub latching: bool,
    /// After this long present and unacknowledged its priority goes up to high.
    pub escalate: Option<Duration>,
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
    /// A channel that is being zeroed or calibrated for this long raises `sensor.fault`; its limits are not judged meanwhile.
    pub calibrating: Duration,
    /// Every channel silent for this long, or three periods if that is longer, raises `comm.console_silent`.
    pub console: Duration,
    /// Time without a sign of a second agent until `source.duplicate` ends.
    pub duplicate_clear: Duration,
    /// Difference of the wall clocks that raises `clock.skew` with low and with medium priority.
    pub skew: (Duration, Duration),
    /// How long the difference must last.
    pub skew_delay: Duration,
}

/// Rules about signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalRules {
    /// Longest audio pause; at most 120 s.
    pub pause_max: Duration,
    /// A high alarm that nobody acknowledges is recalled so often.
    pub reminder: Duration,
    /// Longest time for which an alarm of low or medium priority may be shelved.
    pub shelve_max: Duration,
    /// Leader and follower of a group must begin within this time of each other.
    pub group_window: Duration,
}

/// A first-out group: while a leader signals, its followers make no sound of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The causes.
    pub leaders: Vec<Condition>,
    /// Their consequences.
    pub followers: Vec<Condition>,
}

/// Why a rule cannot be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotEvaluable {
    /// Nobody has entered a weight.
    NoWeight,
    /// Nobody has entered a flow target.
    NoFlowTarget,
    /// Nobody has entered the oxygenator's least flow.
    NoOxygenatorMinimum,
    /// Nobody has entered the site's greatest speed.
    NoSpeedMaximum,
    /// Nobody has said where the blood returns to.
    NoTherapy,
    /// The agent delivers no such channel.
    NoSensor(Parameter),
    /// The channel is too slow for the rule.
    TooSlow(Parameter),
    /// The channel has no measurement now.
    NoData(Parameter),
    /// There is no reference yet: it has not been steady for long enough.
    NoReference,
}

impl NotEvaluable {
    /// Stable id of the reason.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::NoWeight => "no_weight",
            Self::NoFlowTarget => "no_flow_target",
            Self::NoOxygenatorMinimum => "no_oxygenator_minimum",
            Self::NoSpeedMaximum => "no_speed_maximum",
            Self::NoTherapy => "no_therapy",
            Self::NoSensor(_) => "no_sensor",
            Self::TooSlow(_) => "too_slow",
            Self::NoData(_) => "no_data",
            Self::NoReference => "no_reference",
        }
    }

    /// The parameter that it is about.
    #[must_use]
    pub const fn parameter(self) -> Option<Parameter> {
        match self {
            Self::NoSensor(parameter) | Self::TooSlow(parameter) | Self::NoData(parameter) => {
                Some(parameter)
            }
            Self::NoWeight
            | Self::NoFlowTarget
            | Self::NoOxygenatorMinimum
            | Self::NoSpeedMaximum
            | Self::NoTherapy
            | Self::NoReference => None,
        }
    }
}

/// Rules about faults of sensors.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SensorRules {
    /// Sensors without which the gateway is blind: their fault is of high priority, that of others of medium.
    pub vital: Vec<Parameter>,
}

impl SensorRules {
    /// Priority of the fault of a parameter's sensor.
    #[must_use]
    pub fn priority(&self, parameter: Parameter) -> Priority {
        if self.vital.contains(&parameter) { Priority::High } else { Priority::Medium }
    }
}

/// All rules of a pump, as they are in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    limits: Vec<LimitRule>,
    composites: Vec<CompositeRule>,
    /// Rules that the case does not allow to judge, and why.
    pub not_evaluable: Vec<(RuleKey, NotEvaluable)>,
    /// Rules about absence.
    pub silence: SilenceRules,
    /// Rules about signals.
    pub signals: SignalRules,
    /// Rules about sensors.
    pub sensors: SensorRules,
    /// First-out groups.
    pub groups: Vec<Group>,
    /// Whether no clinician has signed the profile.
    pub unreviewed: bool,
}

impl Rules {
    /// Rules with these limits and composites.
    #[must_use]
    pub fn new(
        mut limits: Vec<LimitRule>,
        composites: Vec<CompositeRule>,
        silence: SilenceRules,
        signals: SignalRules,
        unreviewed: bool,
    ) -> Self {
        limits.sort_by_key(|rule| rule.parameter);
        Self {
            limits,
            composites,
            not_evaluable: Vec::new(),
            silence,
            signals,
            sensors: SensorRules::default(),
            groups: Vec::new(),
            unreviewed,
        }
    }

    /// The limits, sorted by parameter.
    #[must_use]
    pub fn limits(&self) -> &[LimitRule] {
        &self.limits
    }

    /// The composites, in the order of their judgement.
    #[must_use]
    pub fn composites(&self) -> &[CompositeRule] {
        &self.composites
    }

    /// After which time an unacknowledged alarm of a condition goes up to high priority.
    #[must_use]
    pub fn escalation(&self, condition: Condition) -> Option<Duration> {
        let of_limits = self.limits.iter().filter(|rule| rule.key.condition == condition);
        let of_composites = self.composites.iter().filter(|rule| rule.key.condition == condition);
        let limits = of_limits.filter_map(|rule| rule.escalate);
        limits.chain(of_composites.filter_map(|rule| rule.escalate)).min()
    }

    /// Whether a condition is a consequence of another within a first-out group.
    #[must_use]
    pub fn follows(&self, follower: Condition, leader: Condition) -> bool {
        self.groups.iter().any(|group| {
            group.leaders.contains(&leader)
                && group.followers.iter().any(|one| one.family() == follower.family())
        })
    }
}
