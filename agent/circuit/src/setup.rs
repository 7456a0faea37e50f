//! What a simulated circuit is told: patient, pump, feed, and what will happen to it.

use core::time::Duration;

use ecmo_core::case::{PumpKind, Therapy};

use crate::disturbance::Disturbance;
use crate::fault::Fault;

/// A circuit and what will happen to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// The same setup with the same seed gives the same samples, to the bit, on every machine.
    pub seed: u64,
    /// What drives the blood.
    pub kind: PumpKind,
    /// Where the blood returns to.
    pub therapy: Therapy,
    /// Weight of the patient in kg; the model is meant for 2 to 5, others are taken as the nearest of these.
    pub kg: f64,
    /// Flow in mL/min that cannulae and speed are chosen for; taken into 40 to 200 mL/kg/min.
    pub target_ml_min: f64,
    /// Set speed in rev/min instead of the one that reaches the target.
    pub speed_set: Option<f64>,
    /// What the sensors deliver.
    pub feed: Feed,
    /// How many times faster than life the slow processes run (clotting, loss of volume, battery); hydraulics do not.
    pub pace: f64,
    /// Faults and disturbances.
    pub events: Vec<Event>,
}

impl Setup {
    /// A healthy circuit of 120 mL/kg/min with raw sensors.
    #[must_use]
    pub fn healthy(seed: u64, kind: PumpKind, therapy: Therapy, kg: f64) -> Self {
        Self {
            seed,
            kind,
            therapy,
            kg,
            target_ml_min: 120.0 * kg,
            speed_set: None,
            feed: Feed::Raw,
            pace: 1.0,
            events: Vec::new(),
        }
    }

    /// The weight that the model takes, in kg.
    #[must_use]
    pub fn weight_kg(&self) -> f64 {
        if self.kg.is_finite() { self.kg.clamp(2.0, 5.0) } else { 3.0 }
    }

    /// The target that the model takes, in mL/min.
    #[must_use]
    pub fn flow_target(&self) -> f64 {
        let kg = self.weight_kg();
        let target = if self.target_ml_min.is_finite() { self.target_ml_min } else { 120.0 * kg };
        target.clamp(40.0 * kg, 200.0 * kg)
    }

    /// Least flow of this circuit's oxygenator, in mL/min: 250 as one infant device has (reference, section 1.1), less
    /// where the target is so small that a smaller device is taken.
    #[must_use]
    pub fn oxygenator_flow_min(&self) -> f64 {
        (0.7 * self.flow_target()).min(250.0)
    }

    /// Greatest speed that the site allows this circuit, in rev/min: about a quarter more than the target needs.
    #[must_use]
    pub fn speed_max(&self) -> f64 {
        let target = self.flow_target();
        match self.kind {
            PumpKind::Centrifugal => 2500.0 + 1.6 * (target - 360.0),
            PumpKind::Roller => 0.21 * target,
        }
    }

    /// The pace that the model takes, 0.1 to 1000.
    #[must_use]
    pub fn pace_taken(&self) -> f64 {
        if self.pace.is_finite() { self.pace.clamp(0.1, 1000.0) } else { 1.0 }
    }
}

/// What the sensors deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Feed {
    /// Transducers of our own: pressures 100 times a second, flow, speed and current 10 times, the rest each second.
    Raw,
    /// The console's serial record: everything once a second, whole mmHg, steps of 10 mL/min, its own ranges.
    Console,
}

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub what: What,
    /// When it begins, since the first sample.
    pub at: Duration,
    /// How long; `None`: a fault to the end, a disturbance as long as it usually lasts.
    pub lasts: Option<Duration>,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Something that should alarm.
    Fault(Fault),
    /// Something that should not.
    Disturbance(Disturbance),
}
