//! What is exported: stretches of samples, times without any, and whose they are.

use std::sync::Arc;

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;

use crate::code::code;

/// One sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// The value in the parameter's unit; `None` where the sample is no measurement.
    pub value: Option<f32>,
    /// "valid", "questionable", or the reason for no value, such as "sensor_off".
    pub validity: &'static str,
}

impl From<Reading> for Cell {
    fn from(reading: Reading) -> Self {
        let validity = match reading {
            Reading::Value(_) => "valid",
            Reading::Questionable(_) => "questionable",
            Reading::NoData(reason) => reason.word(),
        };
        Self { value: reading.value(), validity }
    }
}

/// Consecutive samples of one parameter at equal distances.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// Id of the parameter; one that this version does not know has no unit.
    pub parameter: Arc<str>,
    /// The agent's run.
    pub boot: u64,
    /// Number of the first sample within run and channel: with both, the identity of a sample.
    pub first_index: u64,
    /// Time of the first sample: wall time in nanoseconds since 1970.
    pub start_ns: i64,
    /// Time between two samples, in nanoseconds; 0 for a single one.
    pub interval_ns: u64,
    /// The samples.
    pub cells: Vec<Cell>,
    /// Whether they came from the agent's spool.
    pub is_late: bool,
}

impl Stretch {
    /// Time of the sample at a place.
    pub(crate) fn at_ns(&self, place: usize) -> i64 {
        let step = i64::try_from(self.interval_ns).unwrap_or(i64::MAX);
        let places = i64::try_from(place).unwrap_or(i64::MAX);
        self.start_ns.saturating_add(step.saturating_mul(places))
    }
}

/// A time without samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Void {
    /// Its begin, in nanoseconds since 1970.
    pub from_ns: i64,
    /// Its end.
    pub to_ns: i64,
    /// Why, such as "not_received".
    pub reason: String,
}

/// Whose samples they are, and of which time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// What stands for the pump: its name, or a pseudonym.
    pub subject: String,
    /// Begin of the time, in nanoseconds since 1970.
    pub from_ns: i64,
    /// Its end.
    pub to_ns: i64,
    /// Times without samples in it, in the order of time.
    pub voids: Vec<Void>,
}

impl About {
    /// The times without samples, those that touch and have one reason as one.
    pub(crate) fn joined(&self) -> Vec<Void> {
        let mut joined: Vec<Void> = Vec::new();
        for void in &self.voids {
            match joined.last_mut() {
                Some(last) if last.reason == void.reason && void.from_ns <= last.to_ns => {
                    last.to_ns = last.to_ns.max(void.to_ns);
                }
                Some(_) | None => joined.push(void.clone()),
            }
        }
        joined
    }
}

/// The unit of a parameter as a UCUM code; empty for one that is not known.
pub(crate) fn unit(parameter: &str) -> &'static str {
    Parameter::from_id(parameter).map_or("", |known| known.info().unit)
}

/// The code of a parameter, if it is known and has one.
pub(crate) fn code_of(parameter: &str) -> Option<&'static str> {
    Parameter::from_id(parameter).and_then(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_one_gap_are_one_and_others_stay_apart() {
        let void =
            |from_ns, to_ns, reason: &str| Void { from_ns, to_ns, reason: reason.to_owned() };
        let voids = vec![void(0, 5, "a"), void(5, 9, "a"), void(9, 12, "b"), void(20, 21, "b")];
        let about = About { voids, ..About::default() };
        assert_eq!(about.joined(), [void(0, 9, "a"), void(9, 12, "b"), void(20, 21, "b")]);
    }
}
