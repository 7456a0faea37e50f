//! A simulated circuit as a sensor: what the transducers of a neonatal circuit would report, from a seed.
//!
//! The same seed gives the same samples, because its time is counted in samples and not read from a clock.

use ecmo_circuit::{Feed, Setup, Simulation};
use ecmo_core::case::Case;
use ecmo_core::parameter::Parameter;
use ecmo_core::time::SampleTime;

use super::pace::Pace;
use super::{Batch, Channel, Sensor, SourceKind};
use crate::config::{Fault, SimulatedSettings};

/// Flow that the circuit is set up for, in mL/min for each kg.
const TARGET_ML_MIN_KG: f64 = 120.0;

/// A simulated circuit.
pub struct Simulated {
    device: String,
    channels: Vec<Channel>,
    /// Position of each parameter in the list of channels.
    places: [Option<usize>; Parameter::COUNT],
    pace: Pace,
    simulation: Simulation,
}

impl Simulated {
    /// A circuit that already runs at its working point.
    #[must_use]
    pub fn new(settings: &SimulatedSettings) -> Self {
        let simulation = Simulation::new(setup(settings));
        let channels: Vec<Channel> = simulation.channels().iter().map(channel).collect();
        let mut places = [None; Parameter::COUNT];
        for (number, channel) in channels.iter().enumerate() {
            if let Some(place) = places.get_mut(channel.parameter.index()) {
                *place = Some(number);
            }
        }
        Self {
            device: format!("simulated neonatal circuit, seed {}", settings.seed),
            channels,
            places,
            pace: Pace::default(),
            simulation,
        }
    }

    /// One tick of the circuit, whose samples were taken at a time.
    fn tick(&mut self, time: SampleTime, out: &mut Batch) {
        let start = self.simulation.passed();
        let places = &self.places;
        self.simulation.tick(&mut |parameter, at, reading| {
            if let Some(Some(place)) = places.get(parameter.index()) {
                out.push(*place, time.plus(at.saturating_sub(start)), reading);
            }
        });
    }
}

/// What a ward would enter as the case of the simulated circuit.
#[must_use]
pub fn case(settings: &SimulatedSettings) -> Case {
    let setup = setup(settings);
    #[expect(clippy::cast_possible_truncation, reason = "a person enters a few digits")]
    let entered = |number: f64| Some(number as f32);
    Case {
        pump_kind: Some(setup.kind),
        therapy: Some(setup.therapy),
        weight_kg: entered(setup.weight_kg()),
        flow_target: entered(setup.flow_target()),
        oxygenator_flow_min: entered(setup.oxygenator_flow_min()),
        speed_max: entered(setup.speed_max()),
    }
}

/// The circuit that the settings describe.
fn setup(settings: &SimulatedSettings) -> Setup {
    Setup {
        seed: settings.seed,
        kind: settings.kind,
        therapy: settings.therapy,
        kg: settings.weight_kg,
        target_ml_min: TARGET_ML_MIN_KG * settings.weight_kg,
        speed_set: settings.speed.map(|speed| speed.get()),
        feed: Feed::Raw,
        pace: settings.pace,
        events: settings.faults.iter().copied().map(Fault::event).collect(),
    }
}

/// A channel of the simulator as the birth declares it.
fn channel(simulated: &ecmo_circuit::Channel) -> Channel {
    let (low, high) = simulated.range;
    let rate_hz = simulated.interval.map_or(0.0, |interval| 1.0 / interval.as_secs_f64());
    Channel {
        range: Some(low..=high),
        ..Channel::new(simulated.parameter, rate_hz, simulated.resolution)
    }
}

impl Sensor for Simulated {
    fn device(&self) -> &str {
        &self.device
    }

    fn source(&self) -> SourceKind {
        SourceKind::Simulated
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn poll(&mut self, now: SampleTime, out: &mut Batch) {
        while let Some(time) = self.pace.due(now, self.simulation.passed()) {
            self.tick(time, out);
        }
    }
}

#[cfg(test)]
mod tests;
