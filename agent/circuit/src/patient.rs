//! The patient: heart, breath, blood volume, and the vein that the circuit drains.
//!
//! Assumptions: blood volume 85 mL/kg, of which three tenths fill the veins; the drained vein is one small compliance
//! between the filling pressure behind it and the heart ahead of it. When its pressure falls below 0 it closes around the
//! cannula, and it opens again when it has filled: that is what makes the cannula chatter. An open line is not followed
//! by the loss of volume that it would bring: alarms are judged in the seconds before.

use ecmo_core::case::Therapy;
use fastrand::Rng;

use crate::influence::Influence;
use crate::math::{Phase, Shape, approach};
use crate::setup::Setup;

/// Blood volume, in mL/kg.
const VOLUME_ML_KG: f64 = 85.0;

/// Share of the blood volume that fills the veins beyond their slack.
const STRESSED_SHARE: f64 = 0.3;

/// Filling pressure over the central venous one, in mmHg.
const FILLING_MMHG: f64 = 6.0;

/// Venous return to the drained vein, as a multiple of the circuit's target.
const RETURN_SHARE: f64 = 1.25;

/// Compliance of the drained vein, in mL/mmHg for each mL/s of target: it empties in a fraction of a second.
const VEIN_COMPLIANCE: f64 = 0.2;

/// Venous pressures at which the vein closes and opens again.
const CLOSES_MMHG: f64 = 0.0;
const OPENS_MMHG: f64 = 1.2;

/// Below this the vein narrows.
const NARROWS_MMHG: f64 = 3.0;

/// The patient.
#[derive(Debug, Clone)]
pub(crate) struct Patient {
    therapy: Therapy,
    kg: f64,
    target: f64,
    heart_base: f64,
    arterial_base: f64,
    pulse_base: f64,
    breath_hz: f64,
    filling_base: f64,
    return_resistance: f64,
    onward: f64,
    heart: Phase,
    breath: Phase,
    sway: Phase,
    shapes: [Shape; 2],
    arterial_slow: f64,
    own_volume: f64,
    own_cells: f64,
    beat: (f64, f64, f64, f64),
    /// Heart rate, in beats a minute.
    pub(crate) heart_rate: f64,
    /// Blood volume and red cells, as a share of the healthy ones.
    pub(crate) volume: f64,
    pub(crate) red_cells: f64,
    /// Pressure of the drained vein without waves, in mmHg.
    pub(crate) vein: f64,
    pub(crate) is_collapsed: bool,
    /// Arterial and venous pressure at the cannulae now.
    pub(crate) arterial: f64,
    pub(crate) venous: f64,
    /// Highest, lowest and mean arterial pressure of the last beat.
    pub(crate) systolic: f64,
    pub(crate) diastolic: f64,
    pub(crate) mean: f64,
}

impl Patient {
    /// A patient with some variety.
    pub(crate) fn new(setup: &Setup, rng: &mut Rng) -> Self {
        let kg = setup.weight_kg();
        let target = setup.flow_target() / 60.0;
        let mut around = |mean: f64, share: f64| mean * (1.0 + share * (2.0 * rng.f64() - 1.0));
        let venous = around(6.0, 0.15);
        let arterial = around(38.0 + 2.5 * kg, 0.06);
        // With an artery returned to, the heart ejects the less.
        let pulse = match setup.therapy {
            Therapy::VenoArterial => around(18.0, 0.15),
            Therapy::VenoVenous => around(25.0, 0.15),
        };
        let heart_base = around(150.0 - 5.0 * kg, 0.08);
        let breath_hz = around(0.6, 0.15);
        let wanted = RETURN_SHARE * target;
        Self {
            therapy: setup.therapy,
            kg,
            target,
            heart_base,
            arterial_base: arterial,
            pulse_base: pulse,
            breath_hz,
            filling_base: venous + FILLING_MMHG,
            return_resistance: FILLING_MMHG / wanted,
            onward: (wanted - target) / venous,
            heart: Phase(rng.u32(..)),
            breath: Phase(rng.u32(..)),
            sway: Phase(rng.u32(..)),
            shapes: [Shape::pulse(), Shape::sine()],
            arterial_slow: arterial,
            own_volume: 1.0,
            own_cells: 1.0,
            beat: (arterial, arterial, 0.0, 0.0),
            heart_rate: heart_base,
            volume: 1.0,
            red_cells: 1.0,
            vein: venous,
            is_collapsed: false,
            arterial,
            venous,
            systolic: arterial + 0.5 * pulse,
            diastolic: arterial - 0.5 * pulse,
            mean: arterial,
        }
    }

    /// Where the blood returns to.
    pub(crate) const fn therapy(&self) -> Therapy {
        self.therapy
    }

    /// Mean pressure where the blood returns to, in mmHg, without waves.
    pub(crate) fn distal(&self) -> f64 {
        match self.therapy {
            Therapy::VenoArterial => self.arterial_slow,
            Therapy::VenoVenous => self.vein,
        }
    }

    /// Pressures of this tick: heart, breath, and what is done to them.
    pub(crate) fn waves(&mut self, step_s: f64, flow: f64, influence: &Influence) {
        let lost = 1.0 - self.volume;
        self.breath.advance(self.breath_hz, step_s);
        // A slow wave of a few minutes' length that every pressure follows.
        self.sway.advance(0.012, step_s);
        let [pulse, sine] = &self.shapes;
        let breath = sine.at(self.breath);
        let sway = sine.at(self.sway);
        let rate = self.heart_base + 150.0 * lost + influence.heart_rate + 2.0 * sway;
        // The heart follows within seconds.
        approach(&mut self.heart_rate, rate.clamp(60.0, 220.0), step_s, 3.0);
        // What the circuit adds to the arterial pressure with an artery returned to.
        let added = match self.therapy {
            Therapy::VenoArterial => 6.0 * (flow / self.target - 1.0),
            Therapy::VenoVenous => 0.0,
        };
        let goal = self.arterial_base + added.clamp(-12.0, 8.0) - 60.0 * lost + influence.arterial;
        approach(&mut self.arterial_slow, goal.max(12.0), step_s, 8.0);
        let wave = self.pulse_base * influence.pulse * pulse.at(self.heart);
        self.arterial =
            self.arterial_slow + wave + 1.0 * breath + 0.8 * sway + 0.6 * influence.chest;
        self.venous = self.vein + 1.2 * breath + 0.5 * sine.at(self.heart) + influence.chest;
        let has_beaten = self.heart.advance(self.heart_rate / 60.0, step_s);
        self.count_beat(has_beaten);
    }

    /// Highest, lowest and mean pressure from beat to beat.
    fn count_beat(&mut self, has_beaten: bool) {
        let (high, low, sum, count) = self.beat;
        if has_beaten && count > 0.0 {
            (self.systolic, self.diastolic, self.mean) = (high, low, sum / count);
            self.beat = (self.arterial, self.arterial, self.arterial, 1.0);
        } else {
            let now = self.arterial;
            self.beat = (high.max(now), low.min(now), sum + now, count + 1.0);
        }
    }

    /// Factor of the drainage resistance by the vein around the cannula.
    pub(crate) fn narrowing(&self) -> f64 {
        if self.is_collapsed { 30.0 } else { 1.0 + 0.08 * (NARROWS_MMHG - self.vein).max(0.0) }
    }

    /// The vein after a step in which the circuit drained so much, in mL/s.
    pub(crate) fn drain(&mut self, drained: f64, step_s: f64, influence: &Influence) {
        let share = 1.0 - (1.0 - self.volume) / STRESSED_SHARE;
        let filling = self.filling_base * influence.filling * share.clamp(0.05, 1.3);
        let inflow = (filling - self.vein) / self.return_resistance;
        let onward = self.onward * self.vein.max(0.0);
        let compliance = VEIN_COMPLIANCE * self.target;
        self.vein += (inflow - onward - drained) * step_s / compliance;
        self.vein = self.vein.clamp(-20.0, 30.0);
        self.is_collapsed =
            if self.is_collapsed { self.vein < OPENS_MMHG } else { self.vein < CLOSES_MMHG };
    }

    /// Volume and red cells after a while.
    pub(crate) fn lose(&mut self, step_s: f64, influence: &Influence) {
        let minutes = step_s / 60.0;
        let lost = influence.bleeding * minutes / VOLUME_ML_KG;
        let given = influence.fluid * minutes / VOLUME_ML_KG;
        self.own_cells -= lost * self.own_cells / self.own_volume;
        self.own_volume = (self.own_volume - lost + given).clamp(0.6, 1.2);
        // Volume that is lost as whole blood takes its red cells along.
        self.volume = (self.own_volume - influence.volume_lost).max(0.5);
        self.red_cells = self.own_cells * self.volume / self.own_volume;
    }

    /// Output of the heart beside the circuit, in mL/s.
    pub(crate) fn native_flow(&self) -> f64 {
        match self.therapy {
            Therapy::VenoArterial => self.onward * self.vein.max(0.0),
            // With the blood returned to a vein the heart moves it all.
            Therapy::VenoVenous => 200.0 * self.kg / 60.0,
        }
    }
}
