//! What a rule sees of the newest values, and what an occurrence shows of its rule.

use crate::alarm::Moment;
use crate::alarm::composite::Evidence;
use crate::alarm::condition::{Kind, Priority};
use crate::alarm::rule::{CompositeRule, Gate, Limit, LimitRule, Measure, Side};
use crate::parameter::Parameter;

/// Newest value of each parameter; NaN where there is none.
pub(crate) type Newest = [f32; Parameter::COUNT];

/// What an occurrence shows of the rule that it follows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) number: u8,
    pub(crate) kind: Kind,
    pub(crate) priority: Priority,
    pub(crate) latching: bool,
    pub(crate) parameter: Parameter,
    pub(crate) value: f32,
    pub(crate) limit: Option<(Side, f32)>,
    /// It may have begun before the reader did.
    pub(crate) late: bool,
}

impl Shown {
    /// Of a limit: the number that was judged, and against which.
    pub(crate) fn of(rule: &LimitRule, value: f32, limit: f32) -> Self {
        Self {
            number: rule.key.number,
            kind: rule.kind,
            priority: rule.priority,
            latching: rule.latching,
            parameter: rule.parameter,
            value,
            limit: limit.is_finite().then_some((rule.side, limit)),
            late: false,
        }
    }

    /// Of a composite: what it found.
    pub(crate) fn by(rule: &CompositeRule, evidence: &Evidence) -> Self {
        Self {
            number: rule.key.number,
            kind: rule.kind,
            priority: evidence.priority.unwrap_or(rule.priority),
            latching: rule.latching,
            parameter: evidence.parameter,
            value: evidence.value,
            limit: evidence.limit,
            // A composite looks back further than a reader does that has just begun.
            late: false,
        }
    }
}

fn newest(values: &Newest, parameter: Parameter) -> Option<f32> {
    values.get(parameter.index()).copied().filter(|value| !value.is_nan())
}

/// The limit in force, in the parameter's unit; `None` while what it is a share of is unknown.
pub(crate) fn limit_of(rule: &LimitRule, values: &Newest) -> Option<f32> {
    match rule.limit {
        Limit::Fixed(number) => Some(number),
        Limit::ShareOf(of, share) => newest(values, of).map(|value| value * share),
    }
}

/// The number that a rule judges and its limit; `None` while one of them is unknown.
pub(crate) fn measure(rule: &LimitRule, value: f32, values: &Newest) -> Option<(f32, f32)> {
    let limit = limit_of(rule, values)?;
    match rule.measure {
        Measure::Value => Some((value, limit)),
        Measure::DistanceFrom(other) => Some(((value - newest(values, other)?).abs(), limit)),
    }
}

/// Whether a rule may raise now. A speed that is unknown does not keep it from it.
pub(crate) fn is_open(gate: Gate, moment: &Moment<'_>, values: &Newest) -> bool {
    match gate {
        Gate::Always => true,
        Gate::Running => moment.running,
        Gate::MeantToRun => moment.meant_to_run,
        Gate::FasterThan(limit) => {
            newest(values, Parameter::PumpSpeed).is_none_or(|speed| speed > limit)
        }
    }
}

/// A value that a display can print.
pub(crate) fn finite(value: f32) -> Option<f32> {
    value.is_finite().then_some(value)
}
