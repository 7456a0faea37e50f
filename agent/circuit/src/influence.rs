//! What events do to circuit, patient and sensors at one moment: one value that all parts of the model read.

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::NoData;

/// What is done to a sensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Tamper {
    /// It delivers no measurement.
    Silent(NoData),
    /// It repeats its last value.
    Frozen,
    /// It reads so much more.
    Shifted(f64),
    /// It reads this, without noise.
    Fixed(f64),
}

/// Everything that events do now; the default does nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Influence {
    /// The motor stands against its setting.
    pub(crate) motor_stopped: bool,
    /// Factor of the set speed.
    pub(crate) speed: f64,
    /// Factors of the resistances of drainage, membrane and return.
    pub(crate) drain: f64,
    pub(crate) membrane: f64,
    pub(crate) back: f64,
    /// Lines that lie open.
    pub(crate) return_open: bool,
    pub(crate) inlet_open: bool,
    pub(crate) drain_open: bool,
    /// Factor of the venous filling pressure.
    pub(crate) filling: f64,
    /// Share of the blood volume that is lost.
    pub(crate) volume_lost: f64,
    /// Blood lost and fluid given, in mL/kg a minute.
    pub(crate) bleeding: f64,
    pub(crate) fluid: f64,
    /// Height of the patient over the pump beyond the usual, in mmHg of blood.
    pub(crate) height: f64,
    /// Pressure in the chest beyond breathing, in mmHg.
    pub(crate) chest: f64,
    /// Share of the pump that is air, noise of the flow by froth, loss of coupling in points.
    pub(crate) air: f64,
    pub(crate) froth: f64,
    pub(crate) quality: f64,
    /// Detectors.
    pub(crate) air_arterial: bool,
    pub(crate) air_venous: bool,
    pub(crate) level_low: bool,
    /// Power.
    pub(crate) mains_lost: bool,
    /// Charge that a worn battery loses beside its load, in % a minute.
    pub(crate) battery_wear: f64,
    /// Share that recirculates beyond the usual.
    pub(crate) recirculation: f64,
    /// Factor of the sweep gas, share of air instead of the set gas, factor of the membrane's function.
    pub(crate) sweep: f64,
    pub(crate) gas_air: f64,
    pub(crate) exchange: f64,
    /// Factor of the oxygen uptake.
    pub(crate) uptake: f64,
    /// Heater: degrees beyond the usual setting; it does not heat; it does not stop heating.
    pub(crate) heater_set: f64,
    pub(crate) heater_off: bool,
    pub(crate) heater_runs_away: bool,
    /// Patient: beats a minute and mmHg beyond the usual, factor of the pulse.
    pub(crate) heart_rate: f64,
    pub(crate) arterial: f64,
    pub(crate) pulse: f64,
    /// Growth of the membrane's resistance, as a share an hour, and where it ends.
    pub(crate) clotting_per_hour: f64,
    pub(crate) clotting_end: f64,
    /// Shaking of the transducers, in mmHg.
    pub(crate) shake: f64,
    /// Sensors that are tampered with.
    pub(crate) tampers: Vec<(Parameter, Tamper)>,
}

impl Default for Influence {
    fn default() -> Self {
        Self {
            motor_stopped: false,
            speed: 1.0,
            drain: 1.0,
            membrane: 1.0,
            back: 1.0,
            return_open: false,
            inlet_open: false,
            drain_open: false,
            filling: 1.0,
            volume_lost: 0.0,
            bleeding: 0.0,
            fluid: 0.0,
            height: 0.0,
            chest: 0.0,
            air: 0.0,
            froth: 0.0,
            quality: 0.0,
            air_arterial: false,
            air_venous: false,
            level_low: false,
            mains_lost: false,
            battery_wear: 0.0,
            recirculation: 0.0,
            sweep: 1.0,
            gas_air: 0.0,
            exchange: 1.0,
            uptake: 1.0,
            heater_set: 0.0,
            heater_off: false,
            heater_runs_away: false,
            heart_rate: 0.0,
            arterial: 0.0,
            pulse: 1.0,
            clotting_per_hour: 0.0,
            clotting_end: 1.0,
            shake: 0.0,
            tampers: Vec::new(),
        }
    }
}

impl Influence {
    /// What is done to the sensor of a parameter; of several events the last one counts.
    pub(crate) fn tamper(&self, parameter: Parameter) -> Option<Tamper> {
        self.tampers.iter().rev().find(|(of, _)| *of == parameter).map(|(_, tamper)| *tamper)
    }
}
