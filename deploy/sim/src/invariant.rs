//! What must hold at every step, by number and name, and how it is told that it does not.

use std::fmt;

use crate::time::Nanos;

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invariant {
    /// I1: no true excursion beyond its bound without an alarm at every display that is connected.
    Told,
    /// I2: no value that is older than its bound is shown as one of now.
    Fresh,
    /// I3: nothing of one pump is shown at another.
    Own,
    /// I4: frames of a run are judged in strictly increasing order, and every gap is told.
    Ordered,
    /// I5: two gateways name alarms alike for the same frames.
    Alike,
    /// I6: no queue grows beyond its cap.
    Bounded,
    /// I7: what a person did and was told is done is never lost; what nobody did is never shown.
    Kept,
    /// I8: frames that were sent are frames that were judged, or are counted as missing.
    Counted,
    /// I9: an agent is quiet only while a gateway judges its data and shows its alarms.
    Quiet,
}

impl Invariant {
    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Told => 1,
            Self::Fresh => 2,
            Self::Own => 3,
            Self::Ordered => 4,
            Self::Alike => 5,
            Self::Bounded => 6,
            Self::Kept => 7,
            Self::Counted => 8,
            Self::Quiet => 9,
        }
    }
}

/// Something that must hold does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What.
    pub invariant: Invariant,
    /// When.
    pub at: Nanos,
    /// How, in words.
    pub what: String,
}

impl Violation {
    /// A violation.
    #[must_use]
    pub const fn new(invariant: Invariant, at: Nanos, what: String) -> Self {
        Self { invariant, at, what }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.at / crate::time::MS;
        let (seconds, millis) = (millis / 1_000, millis % 1_000);
        write!(formatter, "I{} at {seconds}.{millis:03} s: {}", self.invariant.number(), self.what)
    }
}

/// Whether something holds.
pub type Verdict = Result<(), Violation>;
