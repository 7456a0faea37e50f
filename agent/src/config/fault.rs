//! The faults that a simulated circuit can be told to have: their names, in settings and on command lines, and their times.

use core::time::Duration;

use ecmo_circuit::{Event, What};
use serde::Deserialize;

use super::number::Seconds;

pub use ecmo_circuit::{Fault as FaultKind, UnknownFault};

/// A fault with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "FaultTable")]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// When it begins, from the first sample of the circuit.
    pub at: Duration,
    /// How long it lasts; `None`: until the end.
    pub lasts: Option<Duration>,
}

impl Fault {
    /// The same as an event of a simulated circuit.
    #[must_use]
    pub const fn event(self) -> Event {
        Event { what: What::Fault(self.kind), at: self.at, lasts: self.lasts }
    }
}

/// A fault as it stands in the settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultTable {
    kind: String,
    at_s: Seconds,
    for_s: Option<Seconds>,
}

impl TryFrom<FaultTable> for Fault {
    type Error = UnknownFault;

    fn try_from(table: FaultTable) -> Result<Self, UnknownFault> {
        Ok(Self {
            kind: table.kind.parse()?,
            at: table.at_s.duration(),
            lasts: table.for_s.map(Seconds::duration),
        })
    }
}
