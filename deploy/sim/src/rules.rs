//! The rules of the simulation: two limits, absence, signals. Their delays suit the pace of the frames.

use std::time::Duration;

use ecmo_core::alarm::condition::{Condition, Kind, Priority};
use ecmo_core::alarm::profile::{Applies, Bound, LimitSpec, Profile};
use ecmo_core::alarm::rule::{
    Gate, Limit, LimitRule, Measure, RuleKey, SensorRules, Side, SignalRules, SilenceRules,
};
use ecmo_core::parameter::Parameter;

use crate::time::{MS, Nanos, SECOND};

/// A channel that a limit watches.
#[derive(Debug, Clone, Copy)]
pub struct Watched {
    /// What it measures.
    pub parameter: Parameter,
    /// What its limit raises.
    pub condition: Condition,
    /// Which side of the limit is the violation.
    pub side: Side,
    /// The limit.
    pub limit: f32,
    /// A value that is well on the good side, and one that is well beyond.
    pub values: (f32, f32),
    /// Frames that the violation must last.
    delay_frames: u64,
}

/// The channels that limits watch, in the order of the frames' blocks.
pub const WATCHED: [Watched; 2] = [
    Watched {
        parameter: Parameter::SatDrain,
        condition: Condition::SAT_DRAIN_LOW,
        side: Side::Below,
        limit: 50.0,
        values: (65.0, 40.0),
        delay_frames: 2,
    },
    Watched {
        parameter: Parameter::TempReturn,
        condition: Condition::TEMP_RETURN_HIGH,
        side: Side::Above,
        limit: 38.5,
        values: (36.5, 39.5),
        delay_frames: 8,
    },
];

/// The channel whose values say which pump measured them and when.
pub const CODE: Parameter = Parameter::GasSweep;

/// How fast frames come, and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Time between two frames, and two samples of a channel.
    pub period: Nanos,
}

impl Pace {
    /// Frames a second.
    #[must_use]
    pub fn rate_hz(self) -> f64 {
        let micros = u32::try_from(self.period / 1_000).unwrap_or(u32::MAX);
        1_000_000.0 / f64::from(micros)
    }

    /// No fresh frame for this long is silence: what a ward has, or four frames.
    #[must_use]
    pub fn silence(self) -> Nanos {
        (800 * MS).max(self.period * 4)
    }

    /// A channel without a measurement for this long has failed.
    #[must_use]
    pub fn channel(self) -> Nanos {
        (2 * SECOND).max(self.period * 4)
    }

    /// How long a limit of a watched channel must be violated.
    #[must_use]
    pub const fn delay(self, watched: &Watched) -> Nanos {
        self.period * watched.delay_frames
    }
}

fn limit(pace: Pace, watched: &Watched) -> LimitSpec {
    let urgent = watched.delay_frames < 4;
    let rule = LimitRule {
        key: RuleKey { condition: watched.condition, number: 1 },
        parameter: watched.parameter,
        measure: Measure::Value,
        side: watched.side,
        limit: Limit::Fixed(watched.limit),
        hysteresis: 0.5,
        hysteresis_share: 0.0,
        average: Duration::ZERO,
        delay: Duration::from_nanos(pace.delay(watched)),
        cumulative: false,
        clear_delay: Duration::from_nanos(pace.period * 4),
        priority: if urgent { Priority::High } else { Priority::Medium },
        kind: Kind::Physiological,
        latching: urgent,
        gate: Gate::Always,
        escalate: (!urgent).then_some(Duration::from_secs(120)),
    };
    let applies = Applies { pump_kind: None, therapy: None };
    LimitSpec { rule, bound: Bound::Absolute(watched.limit), applies, span: None }
}

/// The rule set at a pace.
#[must_use]
pub fn profile(pace: Pace) -> Profile {
    let channel = Duration::from_nanos(pace.channel());
    Profile {
        name: "simulation".to_owned(),
        version: 1,
        reviewed_by: None,
        hash: 1,
        limits: WATCHED.iter().map(|watched| limit(pace, watched)).collect(),
        composites: Vec::new(),
        sensors: SensorRules { vital: vec![Parameter::SatDrain] },
        silence: SilenceRules {
            frame: Duration::from_nanos(pace.silence()),
            frame_after_hint: Duration::from_nanos(pace.silence() / 4),
            frame_clear: Duration::from_secs(3),
            channel,
            channel_missing: channel,
            channel_clear: Duration::from_secs(3),
            calibrating: Duration::from_secs(60),
            console: channel,
            duplicate_clear: Duration::from_secs(10),
            skew: (Duration::from_secs(1), Duration::from_secs(60)),
            skew_delay: Duration::from_secs(10),
        },
        signals: SignalRules {
            pause_max: Duration::from_secs(120),
            reminder: Duration::from_secs(60),
            shelve_max: Duration::from_secs(3_600),
            group_window: Duration::from_secs(10),
        },
        groups: Vec::new(),
        contexts: Vec::new(),
    }
}
