//! The simulator as its users see it.
#![cfg(test)]

mod determinism;

mod disturbances;

mod expectations;

mod faults;

mod healthy;

use core::time::Duration;

use ecmo_circuit::{Event, Fault, Setup, What};
use ecmo_core::case::{PumpKind, Therapy};

/// Every kind of pump with every therapy.
fn circuits() -> impl Iterator<Item = (PumpKind, Therapy)> {
    PumpKind::ALL.into_iter().flat_map(|kind| Therapy::ALL.map(|therapy| (kind, therapy)))
}

/// A setup whose circuit has a fault from a second on.
fn with_fault(setup: Setup, fault: Fault, at_s: u64, lasts_s: Option<u64>) -> Setup {
    let event = Event {
        what: What::Fault(fault),
        at: Duration::from_secs(at_s),
        lasts: lasts_s.map(Duration::from_secs),
    };
    Setup { events: [setup.events, vec![event]].concat(), ..setup }
}
