//! Patient, circuit, blood and devices together: one tick of physics, and the state that comes of it.

use core::time::Duration;

use ecmo_core::case::PumpKind;
use fastrand::Rng;

use crate::blood::Blood;
use crate::chatter::{EVERY, Window};
use crate::device::Devices;
use crate::hydraulics::Circuit;
use crate::influence::Influence;
use crate::math::approach;
use crate::patient::Patient;
use crate::schedule::{Sensed, TICK_MS, TICK_S, is_after_transport};
use crate::setup::Setup;
use crate::state::State;
use crate::truth::Usual;

/// Ticks between two steps of the slow processes, and the same in seconds.
const SLOW_EVERY: u64 = 10;
const SLOW_S: f64 = 0.1;

/// Ticks in which a new circuit finds its working point; the last of them with the speed that it keeps.
const SETTLING: u64 = 5_000;
const KEPT: u64 = 2_000;

/// Everything that is physical.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    pace: f64,
    pub(crate) patient: Patient,
    pub(crate) circuit: Circuit,
    pub(crate) blood: Blood,
    pub(crate) devices: Devices,
    pub(crate) means: Means,
}

/// Smoothed physics: for steered faults, and what is usual; pressures in mmHg, flow in mL/min.
#[derive(Debug, Clone, Default)]
pub(crate) struct Means {
    pub(crate) sensed: Sensed,
    pub(crate) flow_fast: f64,
    pub(crate) flow_slow: f64,
    pub(crate) drain_slow: f64,
    /// Over 10 s.
    pub(crate) usual: Usual,
    pub(crate) window: Window,
}

impl Body {
    /// A body at its working point.
    pub(crate) fn new(setup: &Setup, rng: &mut Rng) -> Self {
        let patient = Patient::new(setup, rng);
        let circuit = Circuit::new(setup, patient.distal(), rng);
        let blood = Blood::new(setup, rng);
        let temp = 36.4 + 0.4 * rng.f64();
        let mut body = Self {
            pace: setup.pace_taken(),
            patient,
            circuit,
            blood,
            devices: Devices::new(is_after_transport(setup), temp),
            means: Means::default(),
        };
        body.settle(setup);
        body
    }

    /// Finds the working point; where no speed is set, the one that reaches the target.
    fn settle(&mut self, setup: &Setup) {
        let quiet = Influence::default();
        let target = setup.flow_target();
        // A speed that a person would set.
        let step = match setup.kind {
            PumpKind::Centrifugal => 10.0,
            PumpKind::Roller => 0.5,
        };
        for tick in 0..SETTLING {
            self.tick(tick, &quiet);
            if setup.speed_set.is_some() {
                continue;
            }
            if tick > 300 && tick < SETTLING - KEPT {
                let missing = (target - self.means.sensed.flow) / target;
                self.circuit.speed_base *= 1.0 + 0.003 * missing.clamp(-0.5, 0.5);
            } else if tick == SETTLING - KEPT {
                self.circuit.speed_base = (self.circuit.speed_base / step).round() * step;
            }
        }
        // The patient's stores need longer than the circuit.
        for _ in 0..6_000 {
            self.blood.step(SLOW_S, self.means.flow_slow / 60.0, &self.patient, &quiet);
        }
    }

    /// One tick.
    pub(crate) fn tick(&mut self, tick: u64, influence: &Influence) {
        self.patient.waves(TICK_S, self.circuit.flow, influence);
        self.circuit.tick(&mut self.patient, influence);
        let flow = self.circuit.flow * 60.0;
        let means = &mut self.means;
        approach(&mut means.flow_fast, flow, TICK_S, 0.05);
        approach(&mut means.flow_slow, flow, TICK_S, 0.6);
        approach(&mut means.drain_slow, self.circuit.drain, TICK_S, 0.5);
        let sensed = &mut means.sensed;
        approach(&mut sensed.drain, self.circuit.drain, TICK_S, 0.4);
        approach(&mut sensed.pre, self.circuit.pre, TICK_S, 0.3);
        approach(&mut sensed.post, self.circuit.post, TICK_S, 0.3);
        approach(&mut sensed.flow, flow, TICK_S, 0.4);
        if tick.is_multiple_of(EVERY) {
            let collapsed = self.patient.is_collapsed;
            means.window.push(tick, self.circuit.drain, means.flow_fast, collapsed);
        }
        if tick.is_multiple_of(SLOW_EVERY) {
            self.slow(influence);
        }
    }

    /// One step of the slow processes.
    fn slow(&mut self, influence: &Influence) {
        self.patient.lose(SLOW_S, influence);
        self.blood.step(SLOW_S, self.means.flow_slow / 60.0, &self.patient, influence);
        self.devices.step(SLOW_S, self.pace, influence);
        self.circuit.clot(SLOW_S / 3600.0 * self.pace, influence);
        let usual = &mut self.means.usual;
        let pairs = [
            (&mut usual.speed, self.circuit.speed),
            (&mut usual.flow, self.means.flow_slow),
            (&mut usual.drain, self.means.drain_slow),
            (&mut usual.pre, self.means.sensed.pre),
            (&mut usual.post, self.means.sensed.post),
            (&mut usual.distal, self.patient.distal()),
            (&mut usual.current, self.circuit.current()),
            (&mut usual.quality, quality(influence)),
            (&mut usual.sat_drain, self.blood.drain),
            (&mut usual.spo2, self.blood.arterial),
            (&mut usual.hct, 3.0 * self.blood.hb),
            (&mut usual.mean, self.patient.mean),
            (&mut usual.heart_rate, self.patient.heart_rate),
        ];
        for (slow, now) in pairs {
            approach(slow, now, SLOW_S, 3.0);
        }
    }

    /// The physics now.
    pub(crate) fn state(&self, tick: u64, influence: &Influence) -> State {
        let (circuit, patient) = (&self.circuit, &self.patient);
        let (blood, devices) = (&self.blood, &self.devices);
        State {
            elapsed: Duration::from_millis(tick.saturating_mul(TICK_MS)),
            speed: circuit.speed,
            speed_set: circuit.speed_set,
            flow: circuit.flow * 60.0,
            drain: circuit.drain,
            pre: circuit.pre,
            post: circuit.post,
            current: circuit.current(),
            membrane_resistance: circuit.membrane * 1000.0 / 60.0,
            acoustic_quality: quality(influence),
            air: influence.air,
            is_collapsed: patient.is_collapsed,
            air_arterial: influence.air_arterial,
            air_venous: influence.air_venous,
            level_low: influence.level_low,
            sat_venous: blood.venous,
            sat_drain: blood.drain,
            sat_post: blood.post,
            po2_post: blood.po2_post,
            pco2_post: blood.pco2_post,
            sweep: blood.sweep,
            sweep_set: blood.sweep_set,
            fdo2: blood.fdo2,
            fdo2_set: blood.fdo2_set,
            co2_exhaust: blood.co2_exhaust,
            hct: 3.0 * blood.hb,
            temp_drain: devices.temp_drain,
            temp_return: devices.temp_return,
            heater_water: devices.water,
            heater_set: devices.heater_set,
            mains: devices.mains,
            battery_charge: devices.charge,
            battery_minutes: devices.minutes_left(),
            heart_rate: patient.heart_rate,
            spo2: blood.arterial,
            arterial: patient.arterial,
            arterial_systolic: patient.systolic,
            arterial_diastolic: patient.diastolic,
            arterial_mean: patient.mean,
            venous: patient.venous,
            volume: patient.volume,
        }
    }
}

/// Coupling of the flow sensor, in %.
fn quality(influence: &Influence) -> f64 {
    (94.0 - influence.quality).clamp(0.0, 100.0)
}
