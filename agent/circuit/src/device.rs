//! Heater and battery.

use crate::influence::Influence;
use crate::math::approach;

/// Share of the difference between water and blood that the exchanger makes up.
const EXCHANGE: f64 = 0.85;

/// Water without heating, and water that is heated without end, in degrees.
const COLD: f64 = 22.0;
const HOTTEST: f64 = 44.0;

/// Time that a full, new battery lasts, in minutes.
const BATTERY_MIN: f64 = 90.0;

/// Charge after a transport, in %.
const CHARGE_AFTER_TRANSPORT: f64 = 36.0;

/// Heater and battery; temperatures in degrees Celsius.
#[derive(Debug, Clone)]
pub(crate) struct Devices {
    heater_base: f64,
    pub(crate) heater_set: f64,
    pub(crate) water: f64,
    pub(crate) temp_drain: f64,
    pub(crate) temp_return: f64,
    pub(crate) mains: bool,
    /// Charge in %.
    pub(crate) charge: f64,
}

impl Devices {
    /// A warm circuit on mains power.
    pub(crate) fn new(after_transport: bool, temp: f64) -> Self {
        let heater = 37.0;
        Self {
            heater_base: heater,
            heater_set: heater,
            water: heater,
            temp_drain: temp,
            temp_return: temp + EXCHANGE * (heater - temp),
            mains: true,
            charge: if after_transport { CHARGE_AFTER_TRANSPORT } else { 100.0 },
        }
    }

    /// Moves on.
    pub(crate) fn step(&mut self, step_s: f64, pace: f64, influence: &Influence) {
        self.heater_set = self.heater_base + influence.heater_set;
        let (goal, constant_s) = if influence.heater_runs_away {
            (HOTTEST, 60.0)
        } else if influence.heater_off {
            (COLD, 240.0)
        } else {
            (self.heater_set, 40.0)
        };
        approach(&mut self.water, goal, step_s, constant_s);
        let warmed = self.temp_drain + EXCHANGE * (self.water - self.temp_drain);
        approach(&mut self.temp_return, warmed, step_s, 5.0);
        // The patient is large: half an hour.
        approach(&mut self.temp_drain, self.temp_return - 0.4, step_s, 1800.0);
        self.mains = !influence.mains_lost;
        let minutes = step_s * pace / 60.0;
        let change = if self.mains { 0.3 } else { -(100.0 / BATTERY_MIN + influence.battery_wear) };
        self.charge = (self.charge + change * minutes).clamp(0.0, 100.0);
    }

    /// Time left as a console computes it, which knows nothing of wear, in minutes.
    pub(crate) fn minutes_left(&self) -> f64 {
        self.charge / 100.0 * BATTERY_MIN
    }
}
