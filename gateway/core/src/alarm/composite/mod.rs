//! Conditions that several signals tell together (C1 to C10, C12, C13 of the reference, section 2.4).
//!
//! A composite says how it is at one point of the grid: present with its evidence, absent, or not to be judged and why.
//! How long that must last, latching and occurrences are the rule's (see [`super::hold`]).

pub mod air;
pub mod battery;
pub mod chatter;
pub mod clotting;
pub mod gas;
pub mod no_flow;
pub mod obstruction;
pub mod opening;
pub mod recirculation;
pub mod trend;

use crate::alarm::condition::Priority;
use crate::alarm::rule::{NotEvaluable, Side};
use crate::case::Case;
use crate::parameter::Parameter;
use crate::signal::Signals;
use crate::time::SampleTime;

pub use air::AirEntrainment;
pub use battery::Depleting;
pub use chatter::Chatter;
pub use clotting::Clotting;
pub use gas::GasFailure;
pub use no_flow::NoFlow;
pub use obstruction::{DrainObstruction, ReturnObstruction};
pub use opening::{Disconnection, PostFall};
pub use recirculation::Recirculation;
pub use trend::{BleedingTrend, PulseLow};

/// Which signs are looked for, with their thresholds.
#[derive(Debug, Clone, PartialEq)]
pub enum Composite {
    /// The pump does not move blood, whatever its speed says (C1).
    PumpNoFlow(NoFlow),
    /// The circuit is open (C2).
    Disconnection(Disconnection),
    /// The pressure after the membrane has fallen suddenly (C2, pressures alone).
    PostFall(PostFall),
    /// The return line is obstructed (C3).
    ReturnObstruction(ReturnObstruction),
    /// The drainage is obstructed, or the patient lacks volume (C4).
    DrainObstruction(DrainObstruction),
    /// The membrane's resistance grows (C5).
    Clotting(Clotting),
    /// The drainage cannula sucks itself to the vein again and again (C6).
    Chatter(Chatter),
    /// Flow sensor and motor behave as with air in the blood (C7).
    AirEntrainment(AirEntrainment),
    /// Oxygenated blood is drained again (C8).
    Recirculation(Recirculation),
    /// The membrane does not oxygenate (C9).
    GasFailure(GasFailure),
    /// The battery will be empty soon (C10).
    Depleting(Depleting),
    /// Signs that go together with a loss of blood (C12).
    BleedingTrend(BleedingTrend),
    /// The arterial pressure hardly pulsates (C13).
    PulseLow(PulseLow),
}

/// What is known at one point of the grid.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    /// The signals up to now.
    pub(crate) signals: &'a Signals,
    /// What the rules know of the treatment.
    pub(crate) case: &'a Case,
    /// Number of the circuit; another number means another membrane.
    pub(crate) circuit: u32,
    /// Membrane resistance of this circuit when it was new, in mmHg.min/L, where it is known from before.
    pub(crate) membrane_baseline: Option<f32>,
    /// Whether the pump ought to turn.
    pub(crate) meant_to_run: bool,
    /// The point of the grid.
    pub(crate) tick: SampleTime,
}

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Finding {
    /// It cannot be judged.
    Unknown(NotEvaluable),
    /// It is not so.
    Absent,
    /// It is so.
    Present(Evidence),
}

/// What a finding rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// The parameter that tells it best.
    pub parameter: Parameter,
    /// Its value, in its unit.
    pub value: f32,
    /// The threshold that it has passed, in the same unit, where one number says it.
    pub limit: Option<(Side, f32)>,
    /// The priority, where the evidence says more than the rule.
    pub priority: Option<Priority>,
}

/// What one composite rule remembers beyond the signals.
#[derive(Debug)]
pub(crate) struct Memory;

impl Memory {
    pub(crate) fn new(_composite: &Composite) -> Self {
        Self
    }

    pub(crate) fn judge(&mut self, _composite: &Composite, _scene: &Scene<'_>) -> Finding {
        Finding::Unknown(NotEvaluable::NoReference)
    }

    pub(crate) fn restart(&mut self) {}

    pub(crate) fn membrane_baseline(&self) -> Option<f32> {
        None
    }
}
