//! The parameters that exist: id, unit, what is physically possible. One list for agent, gateway and displays.
//!
//! Ids, units and ranges follow the project's clinical reference; ranges marked there as proposals are proposals here too.

/// What is known of one parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParameterInfo {
    /// Stable id, used on the wire and in settings.
    pub id: &'static str,
    /// Unit as a UCUM code.
    pub unit: &'static str,
    /// Least physically possible value; below it the sensor is at fault.
    pub possible_low: f32,
    /// Greatest physically possible value; above it the sensor is at fault.
    pub possible_high: f32,
    /// Digits behind the point that a display shows.
    pub decimals: u8,
    /// Name in words.
    pub name: &'static str,
}

macro_rules! parameters {
    ($($variant:ident: $id:literal, $unit:literal, $low:literal .. $high:literal, $decimals:literal, $name:literal;)*) => {
        /// A measured or derived quantity.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Parameter {
            $(#[doc = concat!($name, ", in `", $unit, "`, possible ", $low, " to ", $high, ".")] $variant,)*
        }

        impl Parameter {
            /// Every parameter, in the order of display.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Number of parameters.
            pub const COUNT: usize = Self::ALL.len();

            /// What is known of the parameter.
            #[must_use]
            pub const fn info(self) -> &'static ParameterInfo {
                match self {
                    $(Self::$variant => &ParameterInfo {
                        id: $id, unit: $unit, possible_low: $low, possible_high: $high, decimals: $decimals, name: $name,
                    },)*
                }
            }
        }
    };
}

parameters! {
    PumpSpeed: "pump.speed", "{rev}/min", 0.0 .. 6000.0, 0, "pump speed";
    PumpSpeedSet: "pump.speed.set", "{rev}/min", 0.0 .. 6000.0, 0, "pump speed, set";
    FlowBlood: "flow.blood", "mL/min", -1000.0 .. 2000.0, 0, "circuit blood flow";
    PressDrain: "press.drain", "mm[Hg]", -700.0 .. 400.0, 0, "drainage pressure";
    PressPre: "press.pre", "mm[Hg]", -100.0 .. 900.0, 0, "pressure before the membrane";
    PressPost: "press.post", "mm[Hg]", -100.0 .. 900.0, 0, "pressure after the membrane";
    PressDelta: "press.delta", "mm[Hg]", -20.0 .. 400.0, 0, "membrane pressure drop";
    PressAux: "press.aux", "mm[Hg]", -100.0 .. 900.0, 0, "auxiliary pressure";
    SatDrain: "sat.drain", "%", 0.0 .. 100.0, 0, "drainage saturation";
    SatPost: "sat.post", "%", 0.0 .. 100.0, 0, "saturation after the membrane";
    Hb: "hb", "g/dL", 2.0 .. 25.0, 1, "haemoglobin";
    Hct: "hct", "%", 5.0 .. 75.0, 0, "haematocrit";
    TempDrain: "temp.drain", "Cel", 10.0 .. 45.0, 1, "drainage temperature";
    TempReturn: "temp.return", "Cel", 10.0 .. 45.0, 1, "return temperature";
    HeaterWater: "heater.water", "Cel", 0.0 .. 45.0, 1, "heater water temperature";
    GasSweep: "gas.sweep", "mL/min", 0.0 .. 15000.0, 0, "sweep gas flow";
    GasSweepSet: "gas.sweep.set", "mL/min", 0.0 .. 15000.0, 0, "sweep gas flow, set";
    GasFdo2: "gas.fdo2", "%", 20.0 .. 101.0, 0, "oxygen fraction of the sweep gas";
    AirBubble: "air.bubble", "{bool}", 0.0 .. 1.0, 0, "arterial bubble detector";
    AirVenous: "air.venous", "{bool}", 0.0 .. 1.0, 0, "venous bubble detector";
    LevelReservoir: "level.reservoir", "{bool}", 0.0 .. 1.0, 0, "reservoir level low";
    FlowAcousticQuality: "flow.acoustic_quality", "%", 0.0 .. 100.0, 0, "flow sensor coupling";
    MotorCurrent: "motor.current", "A", 0.0 .. 50.0, 2, "motor current";
    PowerMains: "power.mains", "{bool}", 0.0 .. 1.0, 0, "mains power present";
    BatteryCharge: "battery.charge", "%", 0.0 .. 100.0, 0, "battery charge";
    BatteryTimeLeft: "battery.time_left", "min", 0.0 .. 6000.0, 0, "battery time left";
    BoardTemp: "board.temp", "Cel", -40.0 .. 125.0, 0, "sensor board temperature";
    PatientHr: "pt.hr", "/min", 0.0 .. 350.0, 0, "heart rate";
    PatientSpo2: "pt.spo2", "%", 0.0 .. 100.0, 0, "patient oxygen saturation";
    PatientAbp: "pt.abp", "mm[Hg]", -50.0 .. 300.0, 0, "patient arterial pressure";
    PatientAbpMean: "pt.abp.mean", "mm[Hg]", -50.0 .. 300.0, 0, "patient arterial pressure, mean";
    PatientCvp: "pt.cvp", "mm[Hg]", -30.0 .. 60.0, 0, "patient central venous pressure";
}

impl Parameter {
    /// The parameter of an id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|parameter| parameter.info().id == id)
    }

    /// Position in a table of all parameters, below [`Self::COUNT`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether a value is physically possible.
    #[must_use]
    pub const fn is_possible(self, value: f32) -> bool {
        let info = self.info();
        value >= info.possible_low && value <= info.possible_high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_found_by_its_id_and_has_a_sane_range() {
        for (index, parameter) in Parameter::ALL.iter().enumerate() {
            let info = parameter.info();
            assert_eq!(Parameter::from_id(info.id), Some(*parameter));
            assert_eq!(parameter.index(), index);
            assert!(info.possible_low < info.possible_high, "{}", info.id);
        }
        assert_eq!(Parameter::from_id("press.Drain"), None);
    }

    #[test]
    fn what_is_no_number_is_not_possible() {
        assert!(!Parameter::PressDrain.is_possible(f32::NAN));
        assert!(Parameter::PressDrain.is_possible(-700.0));
        assert!(!Parameter::PressDrain.is_possible(-701.0));
    }
}
