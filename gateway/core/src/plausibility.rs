//! Whether what a sensor says can be (C11 b to e of the reference, section 2.4): flat lines, contradictions, zeroing, flushes.

mod cross;
mod flat;
mod lone;

use crate::case::PumpKind;
use crate::parameter::Parameter;
use crate::signal::Signals;
use crate::time::SampleTime;

use cross::{CHECKS, Cross};
use flat::{Flatness, WATCHED};
use lone::{COUNT, Lone};

/// Why a sensor is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Doubt {
    /// It does not move although its neighbours do.
    Flat,
    /// It contradicts another parameter.
    Disagrees(Parameter),
    /// A transducer is open to air, being zeroed or flushed; for 60 s at most, then it is flat or disagrees.
    Zeroing,
}

/// What is doubted at one pump.
#[derive(Debug)]
pub(crate) struct Plausibility {
    flat: [Flatness; WATCHED.len()],
    cross: [Cross; CHECKS.len()],
    lone: [Lone; COUNT],
    kind: Option<PumpKind>,
    spikes: u64,
}

impl Plausibility {
    pub(crate) fn new() -> Self {
        Self {
            flat: WATCHED.map(Flatness::new),
            cross: CHECKS.map(Cross::new),
            lone: Lone::all(),
            kind: None,
            spikes: 0,
        }
    }

    /// What drives the blood, as far as anybody has said.
    pub(crate) fn set_kind(&mut self, kind: Option<PumpKind>) {
        self.kind = kind;
    }

    /// Judges at a point of the grid; points come in order.
    pub(crate) fn judge(&mut self, signals: &Signals, tick: SampleTime) {
        for flat in &mut self.flat {
            flat.judge(signals, tick);
        }
        let kind = self.kind;
        let zeroing = |parameter| {
            self.flat.iter().any(|flat| flat.parameter() == parameter && flat.is_near_zero())
        };
        for cross in &mut self.cross {
            cross.judge(signals, tick, zeroing);
        }
        for lone in &mut self.lone {
            lone.judge(signals, tick, kind);
        }
        self.spikes = signals.spikes();
    }

    /// Why a parameter's sensor is not believed now; `None` where there is no reason.
    pub(crate) fn doubt(&self, parameter: Parameter) -> Option<Doubt> {
        // The flow of a roller is often computed from its speed: then it is as flat as that.
        let computed = parameter == Parameter::FlowBlood && self.kind == Some(PumpKind::Roller);
        let flat = self.flat.iter().find(|flat| flat.parameter() == parameter && !computed);
        flat.and_then(Flatness::doubt)
            .or_else(|| self.lone.iter().find_map(|lone| lone.doubt(parameter)))
            .or_else(|| self.cross.iter().find_map(|cross| cross.doubt(parameter)))
    }

    /// Whether no sensor is doubted.
    pub(crate) fn doubts_none(&self) -> bool {
        self.flat.iter().all(|flat| flat.doubt().is_none())
            && self.lone.iter().all(Lone::is_believed)
            && self.cross.iter().all(Cross::is_believed)
    }

    /// Spikes that were left out and counted (C11c), since the pump is known.
    pub(crate) const fn spikes(&self) -> u64 {
        self.spikes
    }
}

#[cfg(test)]
mod tests;
