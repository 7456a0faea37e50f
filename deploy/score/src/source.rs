//! What is judged: timed samples with the channels that a birth would declare, whoever made them.

use core::time::Duration;

use anyhow::Result;
use ecmo_core::case::{PumpKind, Therapy};
use ecmo_core::channel::ChannelSpec;
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;

/// One sample of one parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// What was measured.
    pub parameter: Parameter,
    /// When, since the start of the run.
    pub at: Duration,
    /// The value, or why there is none.
    pub reading: Reading,
}

/// Samples of one run, in the order of time.
pub trait Source {
    /// The channels, as a birth declares them.
    fn channels(&self) -> Vec<ChannelSpec>;

    /// Delivers the next stretch of time: appends its samples and returns up to when, inclusive, all have been
    /// delivered; `None` after the end.
    ///
    /// # Errors
    /// The samples cannot be read.
    fn advance(&mut self, out: &mut Vec<Sample>) -> Result<Option<Duration>>;
}

/// What the rules are told of a run's treatment; what is not known is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Subject {
    /// Weight in kg.
    pub kg: Option<f64>,
    /// Intended blood flow in mL/min.
    pub target_ml_min: Option<f64>,
    /// What drives the blood.
    pub kind: Option<PumpKind>,
    /// Where the blood returns to.
    pub therapy: Option<Therapy>,
    /// Least blood flow that the oxygenator's maker allows, in mL/min.
    pub oxygenator_flow_min: Option<f64>,
    /// Greatest pump speed that the site allows, in rev/min.
    pub speed_max: Option<f64>,
    /// Resistance of the membrane when it was new, in mmHg.min/L, where it was measured before the run.
    pub membrane_baseline: Option<f64>,
}

/// Whether a channel is a detector's bit: a change leaves the agent at once instead of with the next frame.
#[must_use]
pub fn is_edge(parameter: Parameter) -> bool {
    matches!(
        parameter,
        Parameter::AirBubble
            | Parameter::AirVenous
            | Parameter::LevelReservoir
            | Parameter::PowerMains
    )
}
