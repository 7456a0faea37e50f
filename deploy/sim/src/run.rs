//! One run of one seed, and what came of it.

use std::io::Write;

use crate::breaks::Break;
use crate::checks::Violation;
use crate::time::{HOUR, Nanos};
use crate::world::{Tally, World};

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// The seed.
    pub seed: u64,
    /// For how long, in true time.
    pub lasts: Nanos,
    /// A fault that is planted.
    pub planted: Option<Break>,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// Digest over every step.
    pub digest: u64,
    /// How many steps.
    pub steps: u64,
    /// Pumps of the world, times the time that it ran.
    pub pump_hours: f64,
    /// What was counted.
    pub tally: Tally,
    /// Alarms that were compared between two gateways.
    pub compared: u64,
    /// What people were told: accepted, refused.
    pub answers: (u64, u64),
    /// The longest time for which a display told nothing of what was really so.
    pub untold: Nanos,
    /// What did not hold, if anything.
    pub violation: Option<Violation>,
    /// The last steps before that, in words.
    pub last: Vec<String>,
}

/// Runs a seed; every step goes to `file` too.
#[must_use]
pub fn run(order: Order, file: Option<Box<dyn Write>>) -> Outcome {
    let mut world = World::new(order.seed, order.planted, file);
    let violation = world.run(order.lasts).err();
    // What cannot be written out is missing in the file, and nothing else.
    let _written = world.trace.flush();
    let pumps = u32::try_from(world.plan.pumps).unwrap_or(0);
    Outcome {
        seed: order.seed,
        digest: world.trace.digest(),
        steps: world.trace.steps(),
        pump_hours: f64::from(pumps) * hours(world.now()),
        tally: world.tally,
        compared: world.alike.iter().map(|alike| alike.compared).sum(),
        answers: world.ledger.answers,
        untold: world.untold.longest,
        last: if violation.is_some() { world.trace.last() } else { Vec::new() },
        violation,
    }
}

#[expect(clippy::cast_precision_loss, reason = "for a figure that people read")]
fn hours(time: Nanos) -> f64 {
    time as f64 / HOUR as f64
}
