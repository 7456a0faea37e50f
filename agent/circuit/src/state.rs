//! The noise-free physics of one moment: what truth is decided by.

use core::time::Duration;

/// What is really there, whatever the sensors say; pressures in mmHg, flows in mL/min, saturations in %.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct State {
    /// Since the first sample.
    pub elapsed: Duration,
    /// Pump speed, in rev/min.
    pub speed: f64,
    /// Set speed, in rev/min.
    pub speed_set: f64,
    /// Flow in the return limb, negative backwards.
    pub flow: f64,
    /// Pressure at the pump's inlet.
    pub drain: f64,
    /// Pressure before the membrane.
    pub pre: f64,
    /// Pressure after the membrane.
    pub post: f64,
    /// Motor current, in A.
    pub current: f64,
    /// Resistance of the membrane, in mmHg min/L.
    pub membrane_resistance: f64,
    /// Coupling of the flow sensor, in %.
    pub acoustic_quality: f64,
    /// Share of the pump's volume that is air, 0 to 1.
    pub air: f64,
    /// The vein is closed around the drainage cannula.
    pub is_collapsed: bool,
    /// Air at the arterial detector.
    pub air_arterial: bool,
    /// Air at the venous detector.
    pub air_venous: bool,
    /// The reservoir's level is low.
    pub level_low: bool,
    /// Saturation of the patient's mixed venous blood.
    pub sat_venous: f64,
    /// Saturation in the drainage limb; before the membrane it is the same.
    pub sat_drain: f64,
    /// Saturation after the membrane.
    pub sat_post: f64,
    /// Oxygen pressure after the membrane.
    pub po2_post: f64,
    /// Carbon dioxide pressure after the membrane.
    pub pco2_post: f64,
    /// Sweep gas flow, in mL/min.
    pub sweep: f64,
    /// Set sweep gas flow, in mL/min.
    pub sweep_set: f64,
    /// Oxygen fraction of the sweep gas, in %.
    pub fdo2: f64,
    /// Set oxygen fraction, in %.
    pub fdo2_set: f64,
    /// Carbon dioxide pressure in the exhaust.
    pub co2_exhaust: f64,
    /// Haematocrit, in %.
    pub hct: f64,
    /// Blood temperature in the drainage limb, in degrees Celsius.
    pub temp_drain: f64,
    /// Blood temperature in the return limb, in degrees Celsius.
    pub temp_return: f64,
    /// Temperature of the heater's water, in degrees Celsius.
    pub heater_water: f64,
    /// The heater's setting, in degrees Celsius.
    pub heater_set: f64,
    /// Mains power is there.
    pub mains: bool,
    /// Charge of the battery, in %.
    pub battery_charge: f64,
    /// Time left as the console computes it, from the charge of a new battery, in minutes.
    pub battery_minutes: f64,
    /// Heart rate, in beats a minute.
    pub heart_rate: f64,
    /// The patient's arterial saturation.
    pub spo2: f64,
    /// Arterial pressure now.
    pub arterial: f64,
    /// Arterial pressure of the last beats: highest, lowest, mean.
    pub arterial_systolic: f64,
    /// See [`Self::arterial_systolic`].
    pub arterial_diastolic: f64,
    /// See [`Self::arterial_systolic`].
    pub arterial_mean: f64,
    /// Central venous pressure.
    pub venous: f64,
    /// Blood volume, as a share of the healthy one.
    pub volume: f64,
}
