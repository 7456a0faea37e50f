//! Conditions that several signals tell together (C1 to C10, C12, C13 of the reference, section 2.4).
//!
//! A composite says how it is at one point of the grid: present with its evidence, absent, or not to be judged and why.
//! How long that must last, latching and occurrences are the rule's (`alarm/hold.rs`).

mod inputs;

mod frozen;

mod branches;

mod history;

mod no_flow;

mod opening;

mod obstruction;

mod clotting;

mod chatter;

mod air;

mod recirculation;

mod gas;

mod battery;

mod trend;

use alloc::boxed::Box;

use crate::alarm::condition::Priority;
use crate::alarm::rule::{NotEvaluable, Side};
use crate::case::Case;
use crate::parameter::Parameter;
use crate::signal::Signals;
use crate::time::SampleTime;

use air::AirState;
use battery::BatteryState;
use chatter::ChatterState;
use clotting::ClottingState;
use gas::GasState;
use no_flow::NoFlowState;
use obstruction::ObstructionState;
use opening::{DisconnectionState, PostFallState};
use recirculation::RecirculationState;
use trend::BleedingState;

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

impl Composite {
    /// Whether it tells a fault by what was usual before: who begins in the midst of the fault cannot tell.
    pub(crate) const fn is_measured_by_before(&self) -> bool {
        match self {
            Self::PumpNoFlow(_)
            | Self::Disconnection(_)
            | Self::PostFall(_)
            | Self::ReturnObstruction(_)
            | Self::DrainObstruction(_)
            | Self::Clotting(_)
            | Self::AirEntrainment(_)
            | Self::Recirculation(_)
            | Self::BleedingTrend(_) => true,
            Self::Chatter(_) | Self::GasFailure(_) | Self::Depleting(_) | Self::PulseLow(_) => {
                false
            }
        }
    }
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
pub(crate) struct Memory {
    circuit: Option<u32>,
    state: State,
}

/// By composite; large ones lie elsewhere, so that a small one stays small.
#[derive(Debug)]
enum State {
    NoFlow(NoFlowState),
    Disconnection(Box<DisconnectionState>),
    PostFall(Box<PostFallState>),
    Obstruction(Box<ObstructionState>),
    Clotting(Box<ClottingState>),
    Chatter(Box<ChatterState>),
    Air(Box<AirState>),
    Recirculation(Box<RecirculationState>),
    Gas(Box<GasState>),
    Battery(Box<BatteryState>),
    Bleeding(Box<BleedingState>),
    Pulse,
}

impl State {
    fn new(composite: &Composite) -> Self {
        match composite {
            Composite::PumpNoFlow(_) => Self::NoFlow(NoFlowState::new()),
            Composite::Disconnection(_) => Self::Disconnection(Box::new(DisconnectionState::new())),
            Composite::PostFall(_) => Self::PostFall(Box::new(PostFallState::new())),
            Composite::ReturnObstruction(_) | Composite::DrainObstruction(_) => {
                Self::Obstruction(Box::new(ObstructionState::new()))
            }
            Composite::Clotting(_) => Self::Clotting(Box::new(ClottingState::new())),
            Composite::Chatter(_) => Self::Chatter(Box::new(ChatterState::new())),
            Composite::AirEntrainment(_) => Self::Air(Box::new(AirState::new())),
            Composite::Recirculation(_) => Self::Recirculation(Box::new(RecirculationState::new())),
            Composite::GasFailure(_) => Self::Gas(Box::new(GasState::new())),
            Composite::Depleting(_) => Self::Battery(Box::new(BatteryState::new())),
            Composite::BleedingTrend(_) => Self::Bleeding(Box::new(BleedingState::new())),
            Composite::PulseLow(_) => Self::Pulse,
        }
    }

    /// Empties it in place, for another circuit.
    fn clear(&mut self) {
        match self {
            Self::NoFlow(state) => *state = NoFlowState::new(),
            Self::Disconnection(state) => **state = DisconnectionState::new(),
            Self::PostFall(state) => **state = PostFallState::new(),
            Self::Obstruction(state) => **state = ObstructionState::new(),
            Self::Clotting(state) => **state = ClottingState::new(),
            Self::Chatter(state) => **state = ChatterState::new(),
            Self::Air(state) => **state = AirState::new(),
            Self::Recirculation(state) => **state = RecirculationState::new(),
            Self::Gas(state) => **state = GasState::new(),
            // Battery and patient are not the circuit's.
            Self::Battery(_) | Self::Bleeding(_) | Self::Pulse => {}
        }
    }
}

impl Memory {
    /// Nothing is remembered yet. Whatever is needed later is allocated here.
    pub(crate) fn new(composite: &Composite) -> Self {
        Self { circuit: None, state: State::new(composite) }
    }

    /// How it is at this point of the grid. Points come in order.
    pub(crate) fn judge(&mut self, composite: &Composite, scene: &Scene<'_>) -> Finding {
        if self.circuit.replace(scene.circuit).is_some_and(|before| before != scene.circuit) {
            self.state.clear();
        }
        match (composite, &mut self.state) {
            (Composite::PumpNoFlow(rule), State::NoFlow(state)) => state.judge(rule, scene),
            (Composite::Disconnection(rule), State::Disconnection(state)) => {
                state.judge(rule, scene)
            }
            (Composite::PostFall(rule), State::PostFall(state)) => state.judge(rule, scene),
            (Composite::ReturnObstruction(rule), State::Obstruction(state)) => {
                state.judge_return(rule, scene)
            }
            (Composite::DrainObstruction(rule), State::Obstruction(state)) => {
                state.judge_drain(rule, scene)
            }
            (Composite::Clotting(rule), State::Clotting(state)) => state.judge(rule, scene),
            (Composite::Chatter(rule), State::Chatter(state)) => state.judge(rule, scene),
            (Composite::AirEntrainment(rule), State::Air(state)) => state.judge(rule, scene),
            (Composite::Recirculation(rule), State::Recirculation(state)) => {
                state.judge(rule, scene)
            }
            (Composite::GasFailure(rule), State::Gas(state)) => state.judge(rule, scene),
            (Composite::Depleting(rule), State::Battery(state)) => state.judge(rule, scene),
            (Composite::BleedingTrend(rule), State::Bleeding(state)) => state.judge(rule, scene),
            (Composite::PulseLow(rule), State::Pulse) => rule.judge(scene),
            // Another rule than the memory was made for: it has nothing to go by.
            (_, _) => Finding::Unknown(NotEvaluable::NoReference),
        }
    }

    /// A new boot of the agent: its clock begins anew, the circuit is the same.
    pub(crate) fn restart(&mut self) {
        match &mut self.state {
            State::NoFlow(state) => state.restart(),
            State::Disconnection(state) => state.restart(),
            State::PostFall(state) => state.restart(),
            State::Obstruction(state) => state.restart(),
            State::Clotting(state) => state.restart(),
            State::Air(state) => state.restart(),
            State::Recirculation(state) => state.restart(),
            State::Gas(state) => state.restart(),
            State::Battery(state) => state.restart(),
            State::Bleeding(state) => state.restart(),
            // What they remember has no time.
            State::Chatter(_) | State::Pulse => {}
        }
    }

    /// Membrane resistance of the circuit when it was new, in mmHg.min/L, once it has been learnt.
    pub(crate) const fn membrane_baseline(&self) -> Option<f32> {
        match &self.state {
            State::Clotting(state) => state.baseline(),
            State::NoFlow(_)
            | State::Disconnection(_)
            | State::PostFall(_)
            | State::Obstruction(_)
            | State::Chatter(_)
            | State::Air(_)
            | State::Recirculation(_)
            | State::Gas(_)
            | State::Battery(_)
            | State::Bleeding(_)
            | State::Pulse => None,
        }
    }
}

#[cfg(test)]
mod tests;
