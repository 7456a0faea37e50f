//! What is true of a run: whether something was wrong, from when to when, and which alarm had to come within which time.

use core::fmt;
use core::time::Duration;

use ecmo_core::alarm::condition::{Condition, Priority};

/// A fault of which the truth is known. Times count from the start of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// From here on the fault was on its way; an alarm from here on is no false one. Not after the onset.
    pub begin: Duration,
    /// When the physical state fulfilled the criterion of the condition; `None`: it never did.
    pub onset: Option<Duration>,
    /// When nothing of it was left; `None`: it lasted to the end of the run.
    pub end: Option<Duration>,
    /// What had to be said.
    pub expected: Expected,
}

/// Which alarm had to come.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// One of these.
    pub any_of: Vec<Pattern>,
    /// At least this urgent.
    pub priority_floor: Priority,
    /// At most this long after the onset.
    pub within: Duration,
}

impl Expected {
    /// Whether an alarm is one of those.
    #[must_use]
    pub fn names(&self, condition: Condition) -> bool {
        self.any_of.iter().any(|pattern| pattern.matches(condition))
    }

    /// The patterns in words.
    #[must_use]
    pub fn words(&self) -> String {
        let words: Vec<String> = self.any_of.iter().map(Pattern::to_string).collect();
        words.join(", ")
    }
}

/// A condition id, or a family of them: `sensor.fault` and `sensor.fault.*` stand for the fault of any sensor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern {
    id: String,
    is_family: bool,
}

impl Pattern {
    /// From an id, with or without `.*`.
    #[must_use]
    pub fn new(id: &str) -> Self {
        let family = id.strip_suffix(".*");
        let is_family = family.is_some() || id == Condition::SENSOR_FAULT_FAMILY;
        Self { id: family.unwrap_or(id).to_owned(), is_family }
    }

    /// Whether a condition is meant.
    #[must_use]
    pub fn matches(&self, condition: Condition) -> bool {
        let name = condition.to_string();
        match name.strip_prefix(self.id.as_str()) {
            Some("") => true,
            Some(rest) => self.is_family && rest.starts_with('.'),
            None => false,
        }
    }

    /// Whether any condition of this system could be meant.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.is_family || Condition::from_id(&self.id).is_some()
    }

    /// The id, without `.*`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.id)?;
        formatter.write_str(if self.is_family { ".*" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_core::parameter::Parameter;

    #[test]
    fn an_id_means_one_condition_and_a_family_all_below_it() {
        let stale = Condition::COMM_STALE;
        let fault = Condition::sensor_fault(Parameter::PressDrain);
        for (id, of_stale, of_fault) in [
            ("comm.stale", true, false),
            ("comm", false, false),
            ("comm.*", true, false),
            ("com.*", false, false),
            ("sensor.fault", false, true),
            ("sensor.fault.*", false, true),
            ("sensor.fault.press.drain", false, true),
            ("sensor.fault.press", false, false),
        ] {
            let pattern = Pattern::new(id);
            assert_eq!(
                (pattern.matches(stale), pattern.matches(fault)),
                (of_stale, of_fault),
                "{id}"
            );
        }
        assert!(Pattern::new("comm.stale").is_known() && !Pattern::new("comm.stail").is_known());
    }
}
