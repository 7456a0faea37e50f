//! Whether what a sensor says can be (C11 b to e of the reference, section 2.4): flat lines, contradictions, zeroing.

use crate::parameter::Parameter;
use crate::signal::Signals;
use crate::time::SampleTime;

/// Why a sensor is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// It does not move although its neighbours do.
    Flat,
    /// It contradicts another parameter.
    Disagrees(Parameter),
    /// A transducer is open to air or being zeroed; for 60 s at most, then it is flat.
    Zeroing,
}

/// What is doubted at one pump.
#[derive(Debug)]
pub(crate) struct Plausibility;

impl Plausibility {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn judge(&mut self, _signals: &Signals, _tick: SampleTime) {}

    pub(crate) fn doubt(&self, _parameter: Parameter) -> Option<Doubt> {
        None
    }

    pub(crate) fn spikes(&self) -> u64 {
        0
    }
}
