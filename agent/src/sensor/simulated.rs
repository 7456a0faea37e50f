//! A simulated circuit as a sensor: what the transducers of a neonatal circuit would report, from a seed.
//!
//! The same seed gives the same samples, because its time is counted in samples and not read from a clock.

use core::time::Duration;

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::{NoData, Reading};
use ecmo_core::time::SampleTime;
use fastrand::Rng;

use super::circuit::{Circuit, Input, Patient, STEP_MS};
use super::pace::Pace;
use super::{Batch, Channel, Sensor, SourceKind};
use crate::config::{FaultKind, SimulatedSettings};

/// Time between two samples of a pressure wave: 100 Hz.
const WAVE_MS: u64 = 10;

/// Steps of the physics in one wave sample.
const STEPS: u64 = WAVE_MS / STEP_MS;
const _: () = assert!(STEPS * STEP_MS == WAVE_MS, "the steps fill the time between two samples");

/// Wave samples between two numerics of 10 Hz, and of 1 Hz.
const NUMERIC_EVERY: u64 = 10;
const SLOW_EVERY: u64 = 100;

/// Channels, in the order in which they are declared in the birth.
const DRAIN: usize = 0;
const PRE: usize = 1;
const POST: usize = 2;
const FLOW: usize = 3;
const SPEED: usize = 4;
const SPEED_SET: usize = 5;
const DELTA: usize = 6;
const CURRENT: usize = 7;
const SAT_DRAIN: usize = 8;
const SAT_POST: usize = 9;
const TEMP: usize = 10;
const SWEEP: usize = 11;
const FDO2: usize = 12;
const BUBBLE: usize = 13;
const MAINS: usize = 14;

/// A simulated circuit.
pub struct Simulated {
    device: String,
    channels: Vec<Channel>,
    settings: SimulatedSettings,
    pace: Pace,
    rng: Rng,
    circuit: Circuit,
    /// Wave samples since the start.
    ticks: u64,
    /// Sums since the last numeric: flow and pressure drop.
    flow_sum: f64,
    delta_sum: f64,
    /// Drainage saturation: it follows the flow slowly.
    sat_drain: f64,
    /// What the edge channels last said: bubble and mains.
    edges: [Option<bool>; 2],
}

impl Simulated {
    /// A circuit that already runs at its set speed.
    #[must_use]
    pub fn new(settings: SimulatedSettings) -> Self {
        let mut rng = Rng::with_seed(settings.seed);
        let mut around = |mean: f64, share: f64| mean * (1.0 + share * (2.0 * rng.f64() - 1.0));
        let patient = Patient {
            heart_hz: around(2.4, 0.1),
            breath_hz: around(0.6, 0.15),
            arterial_mmhg: around(45.0, 0.05),
            venous_mmhg: around(6.0, 0.2),
            resistance: around(1.0, 0.03),
        };
        let healthy = Input {
            speed_set: settings.speed.get(),
            is_stopped: false,
            is_return_open: false,
            is_obstructed: false,
        };
        Self {
            device: format!("simulated neonatal circuit, seed {}", settings.seed),
            channels: channels(),
            circuit: Circuit::settled(patient, healthy),
            settings,
            pace: Pace::default(),
            rng,
            ticks: 0,
            flow_sum: 0.0,
            delta_sum: 0.0,
            sat_drain: 72.0,
            edges: [None; 2],
        }
    }

    /// Whether a fault is there now.
    fn has(&self, kind: FaultKind) -> bool {
        let elapsed = self.elapsed();
        self.settings.faults.iter().any(|fault| fault.kind == kind && fault.is_present(elapsed))
    }

    /// Time since the first sample.
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.ticks.saturating_mul(WAVE_MS))
    }

    /// Noise around 0, about normal, with this standard deviation.
    fn noise(&mut self, deviation: f64) -> f64 {
        // The sum of three uniform numbers is near enough to a normal one, and cheap.
        let sum = self.rng.f64() + self.rng.f64() + self.rng.f64() - 1.5;
        2.0 * deviation * sum
    }

    /// One wave sample and the numerics that fall on it.
    fn tick(&mut self, time: SampleTime, out: &mut Batch) {
        let input = Input {
            speed_set: self.settings.speed.get(),
            is_stopped: self.has(FaultKind::PumpStop),
            is_return_open: self.has(FaultKind::ReturnOpen),
            is_obstructed: self.has(FaultKind::DrainageObstruction),
        };
        let is_off = self.has(FaultKind::SensorOff);
        for _ in 0..STEPS {
            self.circuit.step(input);
        }
        let [drain, pre, post] =
            [self.circuit.drain, self.circuit.pre, self.circuit.post].map(|exact| {
                // One line a transducer: noise of half a millimetre of mercury.
                exact + self.noise(0.5)
            });
        out.push(DRAIN, time, Reading::from_number(drain));
        out.push(PRE, time, unless_off(pre, is_off));
        out.push(POST, time, Reading::from_number(post));
        self.flow_sum += self.circuit.flow * 60.0;
        self.delta_sum += pre - post;
        if self.ticks.is_multiple_of(NUMERIC_EVERY) {
            self.numerics(time, is_off, out);
        }
        self.slow(time, out);
        self.ticks += 1;
    }

    /// The numerics of 10 Hz.
    fn numerics(&mut self, time: SampleTime, is_off: bool, out: &mut Batch) {
        // The first numeric is the mean of one wave sample, each later one of ten.
        #[expect(clippy::cast_precision_loss, reason = "at most ten")]
        let count = if self.ticks == 0 { 1.0 } else { NUMERIC_EVERY as f64 };
        let flow = self.flow_sum / count + self.noise(3.0);
        let delta = self.delta_sum / count;
        (self.flow_sum, self.delta_sum) = (0.0, 0.0);
        let speed = if self.circuit.speed < 10.0 { 0.0 } else { self.circuit.speed };
        let speed = if speed > 0.0 { (speed + self.noise(2.0)).max(0.0) } else { 0.0 };
        let current = (self.circuit.motor_current() + self.noise(0.005)).max(0.0);
        out.push(FLOW, time, unless_off(flow, is_off));
        out.push(SPEED, time, Reading::from_number(speed));
        out.push(SPEED_SET, time, Reading::from_number(self.settings.speed.get()));
        // What is computed from a sensor that is off has no value either.
        out.push(DELTA, time, unless_off(delta, is_off));
        out.push(CURRENT, time, Reading::from_number(current));
        // Over about 20 s the drained blood is the more desaturated, the less flows.
        let aim = (72.0 + (self.circuit.flow * 60.0 - 360.0) * 0.04).clamp(35.0, 80.0);
        self.sat_drain += (aim - self.sat_drain) / 200.0;
    }

    /// The numerics of 1 Hz, and the edges.
    fn slow(&mut self, time: SampleTime, out: &mut Batch) {
        let is_due = self.ticks.is_multiple_of(SLOW_EVERY);
        let bubble = self.has(FaultKind::AirBubble);
        let mains = !self.has(FaultKind::MainsLoss);
        for ((channel, state), last) in
            [(BUBBLE, bubble), (MAINS, mains)].into_iter().zip(&mut self.edges)
        {
            if is_due || *last != Some(state) {
                *last = Some(state);
                out.push(channel, time, Reading::Value(f32::from(u8::from(state))));
            }
        }
        if !is_due {
            return;
        }
        let values = [
            (SAT_DRAIN, (self.sat_drain + self.noise(0.3)).clamp(0.0, 100.0)),
            (SAT_POST, (99.2 + self.noise(0.2)).clamp(0.0, 100.0)),
            (TEMP, 36.6 + self.noise(0.05)),
            (SWEEP, 400.0 + self.noise(3.0)),
            (FDO2, 60.0 + self.noise(0.2)),
        ];
        for (channel, value) in values {
            out.push(channel, time, Reading::from_number(value));
        }
    }
}

/// The value, or that its sensor is off.
fn unless_off(value: f64, is_off: bool) -> Reading {
    if is_off { Reading::NoData(NoData::SensorOff) } else { Reading::from_number(value) }
}

/// The channels of the circuit.
fn channels() -> Vec<Channel> {
    let channel = |parameter, rate_hz, scale, range: Option<(f64, f64)>| Channel {
        range: range.map(|(low, high)| low..=high),
        ..Channel::new(parameter, rate_hz, scale)
    };
    let pressure = Some((-300.0, 600.0));
    vec![
        channel(Parameter::PressDrain, 100.0, 0.1, pressure),
        channel(Parameter::PressPre, 100.0, 0.1, pressure),
        channel(Parameter::PressPost, 100.0, 0.1, pressure),
        channel(Parameter::FlowBlood, 10.0, 1.0, None),
        channel(Parameter::PumpSpeed, 10.0, 1.0, Some((0.0, 6000.0))),
        channel(Parameter::PumpSpeedSet, 10.0, 1.0, Some((0.0, 6000.0))),
        channel(Parameter::PressDelta, 10.0, 0.1, None),
        channel(Parameter::MotorCurrent, 10.0, 0.01, Some((0.0, 10.0))),
        channel(Parameter::SatDrain, 1.0, 0.1, Some((0.0, 100.0))),
        channel(Parameter::SatPost, 1.0, 0.1, Some((0.0, 100.0))),
        channel(Parameter::TempReturn, 1.0, 0.1, Some((0.0, 50.0))),
        channel(Parameter::GasSweep, 1.0, 1.0, None),
        channel(Parameter::GasFdo2, 1.0, 1.0, None),
        channel(Parameter::AirBubble, 0.0, 1.0, Some((0.0, 1.0))),
        channel(Parameter::PowerMains, 0.0, 1.0, Some((0.0, 1.0))),
    ]
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
        while let Some(time) = self.pace.due(now, self.elapsed()) {
            self.tick(time, out);
        }
    }
}

#[cfg(test)]
mod tests;
