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
    PumpFlowSet: "pump.flow.set", "mL/min", 0.0 .. 9990.0, 0, "pump flow, set";
    FlowBlood: "flow.blood", "mL/min", -1000.0 .. 2000.0, 0, "circuit blood flow";
    FlowBloodIndexed: "flow.blood.indexed", "mL/kg/min", -2000.0 .. 5000.0, 0, "circuit blood flow by weight";
    PressDrain: "press.drain", "mm[Hg]", -700.0 .. 400.0, 0, "drainage pressure";
    PressPre: "press.pre", "mm[Hg]", -100.0 .. 900.0, 0, "pressure before the membrane";
    PressPost: "press.post", "mm[Hg]", -100.0 .. 900.0, 0, "pressure after the membrane";
    PressDelta: "press.delta", "mm[Hg]", -20.0 .. 400.0, 0, "membrane pressure drop";
    PressAux: "press.aux", "mm[Hg]", -100.0 .. 900.0, 0, "auxiliary pressure";
    SatDrain: "sat.drain", "%", 0.0 .. 100.0, 0, "drainage saturation";
    SatPre: "sat.pre", "%", 0.0 .. 100.0, 0, "saturation before the membrane";
    SatPost: "sat.post", "%", 0.0 .. 100.0, 0, "saturation after the membrane";
    Po2Pre: "po2.pre", "mm[Hg]", 0.0 .. 760.0, 0, "oxygen pressure before the membrane";
    Po2Post: "po2.post", "mm[Hg]", 0.0 .. 760.0, 0, "oxygen pressure after the membrane";
    Pco2Pre: "pco2.pre", "mm[Hg]", 0.0 .. 200.0, 0, "carbon dioxide pressure before the membrane";
    Pco2Post: "pco2.post", "mm[Hg]", 0.0 .. 200.0, 0, "carbon dioxide pressure after the membrane";
    PhPost: "ph.post", "[pH]", 6.5 .. 8.0, 2, "pH after the membrane";
    Hb: "hb", "g/dL", 2.0 .. 25.0, 1, "haemoglobin";
    Hct: "hct", "%", 5.0 .. 75.0, 0, "haematocrit";
    TempDrain: "temp.drain", "Cel", 10.0 .. 45.0, 1, "drainage temperature";
    TempReturn: "temp.return", "Cel", 10.0 .. 45.0, 1, "return temperature";
    HeaterWater: "heater.water", "Cel", 0.0 .. 45.0, 1, "heater water temperature";
    HeaterSet: "heater.set", "Cel", 0.0 .. 45.0, 1, "heater water temperature, set";
    GasSweep: "gas.sweep", "mL/min", 0.0 .. 15000.0, 0, "sweep gas flow";
    GasSweepSet: "gas.sweep.set", "mL/min", 0.0 .. 15000.0, 0, "sweep gas flow, set";
    GasFdo2: "gas.fdo2", "%", 20.0 .. 101.0, 0, "oxygen fraction of the sweep gas";
    GasFdo2Set: "gas.fdo2.set", "%", 20.0 .. 101.0, 0, "oxygen fraction of the sweep gas, set";
    GasCo2Exhaust: "gas.co2_exhaust", "mm[Hg]", 0.0 .. 150.0, 0, "carbon dioxide in the exhaust gas";
    GasPressure: "gas.pressure", "kPa", 0.0 .. 1000.0, 0, "gas supply pressure";
    AirBubble: "air.bubble", "{bool}", 0.0 .. 1.0, 0, "arterial bubble detector";
    AirVenous: "air.venous", "{bool}", 0.0 .. 1.0, 0, "venous bubble detector";
    LevelReservoir: "level.reservoir", "{bool}", 0.0 .. 1.0, 0, "reservoir level low";
    FlowAcousticQuality: "flow.acoustic_quality", "%", 0.0 .. 100.0, 0, "flow sensor coupling";
    MotorCurrent: "motor.current", "A", 0.0 .. 50.0, 2, "motor current";
    MotorTorque: "motor.torque", "N.m", 0.0 .. 10.0, 3, "motor torque";
    MotorPower: "motor.power", "W", 0.0 .. 1000.0, 1, "motor power";
    PowerMains: "power.mains", "{bool}", 0.0 .. 1.0, 0, "mains power present";
    BatteryCharge: "battery.charge", "%", 0.0 .. 100.0, 0, "battery charge";
    BatteryTimeLeft: "battery.time_left", "min", 0.0 .. 6000.0, 0, "battery time left";
    BoardTemp: "board.temp", "Cel", -40.0 .. 125.0, 0, "sensor board temperature";
    PatientHr: "pt.hr", "/min", 0.0 .. 350.0, 0, "heart rate";
    PatientPulse: "pt.pulse", "/min", 0.0 .. 350.0, 0, "pulse rate";
    PatientSpo2: "pt.spo2", "%", 0.0 .. 100.0, 0, "patient oxygen saturation";
    PatientSpo2Preductal: "pt.spo2.preductal", "%", 0.0 .. 100.0, 0, "patient oxygen saturation, preductal";
    PatientSpo2Postductal: "pt.spo2.postductal", "%", 0.0 .. 100.0, 0, "patient oxygen saturation, postductal";
    PatientAbp: "pt.abp", "mm[Hg]", -50.0 .. 300.0, 0, "patient arterial pressure";
    PatientAbpSys: "pt.abp.sys", "mm[Hg]", -50.0 .. 300.0, 0, "patient arterial pressure, systolic";
    PatientAbpDia: "pt.abp.dia", "mm[Hg]", -50.0 .. 300.0, 0, "patient arterial pressure, diastolic";
    PatientAbpMean: "pt.abp.mean", "mm[Hg]", -50.0 .. 300.0, 0, "patient arterial pressure, mean";
    PatientCvp: "pt.cvp", "mm[Hg]", -30.0 .. 60.0, 0, "patient central venous pressure";
    PatientNirsCerebralLeft: "pt.nirs.cerebral.l", "%", 0.0 .. 100.0, 0, "cerebral oxygenation, left";
    PatientNirsCerebralRight: "pt.nirs.cerebral.r", "%", 0.0 .. 100.0, 0, "cerebral oxygenation, right";
    PatientNirsSomatic: "pt.nirs.somatic", "%", 0.0 .. 100.0, 0, "somatic oxygenation";
    PatientTempCore: "pt.temp.core", "Cel", 20.0 .. 45.0, 1, "patient core temperature";
    PatientWeight: "pt.weight", "kg", 0.3 .. 10.0, 2, "patient weight";
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
