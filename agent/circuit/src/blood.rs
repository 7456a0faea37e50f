//! Gas exchange: saturations and gases of patient and circuit, with the times that they take.
//!
//! Assumptions: newborns take up 5.9 mL/kg of oxygen a minute; sick lungs make up two fifths of what is missing to full
//! saturation; the patient's stores follow within about 45 s; a membrane whose gas has stopped washes out within about
//! 20 s. Dissolved oxygen is left out.

use ecmo_core::case::Therapy;
use fastrand::Rng;

use crate::influence::Influence;
use crate::math::{approach, between};
use crate::patient::Patient;
use crate::setup::Setup;

/// Oxygen uptake, in mL/kg a minute.
const UPTAKE: f64 = 5.9;

/// Oxygen that a gram of haemoglobin binds, in mL.
const BINDING: f64 = 1.34;

/// Share of the missing saturation that the patient's own lungs add.
const LUNGS: f64 = 0.4;

/// Blood gases; saturations in %, gases in mmHg, flows of gas in mL/min.
#[derive(Debug, Clone)]
pub(crate) struct Blood {
    kg: f64,
    hb_base: f64,
    recirculation: f64,
    gas: f64,
    pub(crate) hb: f64,
    pub(crate) sweep_set: f64,
    pub(crate) sweep: f64,
    pub(crate) fdo2_set: f64,
    pub(crate) fdo2: f64,
    pub(crate) venous: f64,
    pub(crate) arterial: f64,
    pub(crate) drain: f64,
    pub(crate) post: f64,
    pub(crate) po2_post: f64,
    pub(crate) pco2_post: f64,
    pub(crate) co2_exhaust: f64,
}

impl Blood {
    /// Blood before the circuit has run.
    pub(crate) fn new(setup: &Setup, rng: &mut Rng) -> Self {
        let mut around = |mean: f64, share: f64| mean * (1.0 + share * (2.0 * rng.f64() - 1.0));
        let hb = around(13.8, 0.12);
        // One to one with the blood, in steps of 50 mL/min.
        let sweep = (around(setup.flow_target(), 0.1) / 50.0).round() * 50.0;
        let fdo2 = around(60.0, 0.15).round();
        Self {
            kg: setup.weight_kg(),
            hb_base: hb,
            recirculation: around(0.15, 0.3),
            gas: 1.0,
            hb,
            sweep_set: sweep,
            sweep,
            fdo2_set: fdo2,
            fdo2,
            venous: 74.0,
            arterial: 95.0,
            drain: 74.0,
            post: 99.5,
            po2_post: 200.0,
            pco2_post: 38.0,
            co2_exhaust: 30.0,
        }
    }

    /// Moves on; the circuit's flow is in mL/s.
    pub(crate) fn step(
        &mut self,
        step_s: f64,
        flow: f64,
        patient: &Patient,
        influence: &Influence,
    ) {
        self.hb = self.hb_base * patient.red_cells / patient.volume;
        approach(&mut self.sweep, self.sweep_set * influence.sweep, step_s, 0.7);
        let fdo2 = between(self.fdo2_set, 21.0, influence.gas_air);
        approach(&mut self.fdo2, fdo2, step_s, 2.0);
        let fresh = (self.sweep / (0.3 * self.sweep_set)).min(1.0);
        let wash_s = if fresh > self.gas { 4.0 } else { 20.0 };
        approach(&mut self.gas, fresh, step_s, wash_s);

        let own = patient.native_flow();
        let forward = flow.max(0.0);
        let recirculated = (self.recirculation + influence.recirculation).clamp(0.0, 0.95);
        let (total, effective) = match patient.therapy() {
            Therapy::VenoArterial => (own + forward, forward),
            Therapy::VenoVenous => (own, (forward * (1.0 - recirculated)).min(0.95 * own)),
        };
        let total = total.max(0.3);
        let lungs = self.venous + LUNGS * (100.0 - self.venous);
        let arterial = (effective * self.post + (total - effective) * lungs) / total;
        approach(&mut self.arterial, arterial, step_s, 6.0);
        // mL/s over mL of oxygen in a mL of blood at full saturation, in %.
        let uptake = UPTAKE * self.kg / 60.0 * influence.uptake;
        let spent = 100.0 * uptake / (total * BINDING * self.hb / 100.0);
        approach(&mut self.venous, (self.arterial - spent).max(12.0), step_s, 45.0);
        let drain = match patient.therapy() {
            Therapy::VenoArterial => self.venous,
            Therapy::VenoVenous => between(self.venous, self.post, recirculated),
        };
        approach(&mut self.drain, drain, step_s, 3.0);
        self.membrane(step_s, influence);
    }

    /// What the membrane makes of the drained blood.
    fn membrane(&mut self, step_s: f64, influence: &Influence) {
        let works = (self.gas * influence.exchange).clamp(0.0, 1.0);
        let full = 97.3 + 2.4 * ((self.fdo2 - 21.0) / 19.0).clamp(0.0, 1.0);
        let post = self.drain + (full - self.drain).max(0.0) * works;
        approach(&mut self.post, post, step_s, 2.0);
        let oxygen = 40.0 + 0.5 * (7.13 * self.fdo2 - 85.0).max(0.0) * works * works;
        approach(&mut self.po2_post, oxygen, step_s, 3.0);
        let ratio = (self.sweep / self.sweep_set).min(1.3);
        let dioxide = 47.0 - 9.0 * works * ratio;
        approach(&mut self.pco2_post, dioxide, step_s, 8.0);
        approach(&mut self.co2_exhaust, 0.8 * self.pco2_post * works, step_s, 4.0);
    }
}
