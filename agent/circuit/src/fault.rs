//! The faults that a simulated circuit can have: their names, what happens, and where they make sense.

use core::fmt;
use core::str::FromStr;

use ecmo_core::case::{PumpKind, Therapy};

macro_rules! faults {
    ($($variant:ident: $name:literal, $text:literal;)*) => {
        /// What goes wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Fault {
            $(#[doc = concat!("`", $name, "`: ", $text, ".")] $variant,)*
        }

        impl Fault {
            /// Every fault, in the order of the clinical reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in settings and on command lines.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What happens, in one line.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

faults! {
    PumpStop: "pump-stop", "the pump stops although it is set to run: speed and flow fall to 0, or below";
    PumpSpeedUnknown: "pump-speed-unknown", "the drive falls silent and the pump stops: no speed is reported, nothing flows forwards";
    ReturnOpen: "return-open", "the return line opens: pressure after the membrane falls, flow does not";
    MembraneInletOpen: "membrane-inlet-open", "the line between pump and membrane opens: both pressures and the flow behind it fall";
    DrainageOpen: "drainage-open", "the drainage line opens: suction is lost, the pump fills with air";
    ReturnObstruction: "return-obstruction", "the return line is obstructed: pressure after the membrane rises, a centrifugal pump's flow falls";
    DrainageObstruction: "drainage-obstruction", "the drainage line is obstructed: drainage pressure and flow fall";
    Hypovolaemia: "hypovolaemia", "the patient slowly loses volume: the vein closes around the cannula, drainage pressure and flow fall";
    Clotting: "clotting", "the membrane clots over hours: its resistance grows by 12 % an hour";
    Chatter: "chatter", "the vein gives less than the pump takes: the cannula sucks itself to the wall and lets go, about once a second";
    AirBubble: "air-bubble", "the arterial bubble detector sees air";
    AirVenous: "air-venous", "the venous bubble detector sees air";
    AirEntrainment: "air-entrainment", "froth gathers in the pump and no detector sees it: coupling, current and head fall, the flow gets noisy";
    Recirculation: "recirculation", "the drainage cannula takes in what was just returned: its saturation rises, the patient's falls";
    GasFailure: "gas-failure", "the sweep gas stops: the membrane washes out and oxygenates no more";
    OxygenFailure: "oxygen-failure", "the blender delivers air instead of what is set";
    MembraneFailure: "membrane-failure", "the membrane hardly oxygenates although its gas flows";
    MainsLoss: "mains-loss", "mains power is lost; the circuit runs on its battery";
    BatteryLow: "battery-low", "after a transport mains power is lost again: the battery runs below 30 %";
    BatteryCritical: "battery-critical", "mains power is lost on a worn battery: it runs below 10 % within minutes";
    SensorOff: "sensor-off", "the pre-membrane pressure and flow sensors are unplugged";
    SensorFlatline: "sensor-flatline", "one pressure sensor repeats its last value";
    SensorDriftImpossible: "sensor-drift-impossible", "the pre-membrane sensor drifts down until it reads below the post-membrane one";
    SensorRange: "sensor-range", "the post-membrane sensor reads what no pressure can be";
    FlowLow: "flow-low", "the pump is set too slow: about 70 % of the target flows";
    FlowVeryLow: "flow-very-low", "the pump is set far too slow: about 40 % of the target flows";
    FlowHigh: "flow-high", "the pump is set too fast after volume was given: over 180 mL/kg/min flow";
    FlowRetrograde: "flow-retrograde", "the pump turns too slowly against the arterial pressure: blood runs backwards";
    DrainLow: "drain-low", "the drainage cannula bends: drainage pressure below -50 mmHg";
    DrainVeryLow: "drain-very-low", "the drainage cannula is kinked: drainage pressure below -75 mmHg";
    DrainHigh: "drain-high", "the bed is raised far above the pump: suction is lost, drainage pressure is positive";
    PreHigh: "pre-high", "resistance behind the pump grows and the flow is held: above 250 mmHg before the membrane";
    PreVeryHigh: "pre-very-high", "resistance behind the pump grows and the flow is held: above 350 mmHg before the membrane";
    PostHigh: "post-high", "the return line is tight and the flow is held: above 200 mmHg after the membrane";
    PostVeryHigh: "post-very-high", "the return line is very tight and the flow is held: above 300 mmHg after the membrane";
    DeltaHigh: "delta-high", "a large clot in the membrane: more than 50 mmHg are lost in it";
    LevelLow: "level-low", "the level sensor says low";
    SatDrainLow: "sat-drain-low", "the patient takes up two to three times the oxygen: drainage saturation below 60 %";
    SatPostLow: "sat-post-low", "water in the membrane's gas side: saturation behind it below 95 %";
    TempHigh: "temp-high", "the heater is set too warm: blood returns above 38.5 degrees";
    TempLow: "temp-low", "the heater fails: blood returns below 35 degrees";
    HeaterOver: "heater-over", "the heater runs away: water above 40.5 degrees";
    SpeedHigh: "speed-high", "the pump is set faster than the site allows";
    FlowBelowOxygenatorMinimum: "flow-below-oxygenator-minimum", "less flows than the oxygenator needs";
    Bleeding: "bleeding", "the patient bleeds over half an hour and is given fluid: haematocrit and pressure fall, the heart beats faster";
    LowPulsePressure: "low-pulse-pressure", "the heart hardly ejects: the arterial pressure hardly pulsates";
}

impl Fault {
    /// Whether the fault can be on such a circuit.
    #[must_use]
    pub const fn applies_to(self, kind: PumpKind, therapy: Therapy) -> bool {
        let is_arterial = matches!(therapy, Therapy::VenoArterial);
        if matches!(self, Self::FlowRetrograde) {
            // Only a pump that does not occlude lets blood back, and only an artery drives it.
            return matches!(kind, PumpKind::Centrifugal) && is_arterial;
        }
        match therapy {
            Therapy::VenoArterial => !matches!(self, Self::Recirculation),
            Therapy::VenoVenous => !matches!(self, Self::LowPulsePressure),
        }
    }
}

impl Fault {
    /// The pace at which a slow fault shows within two minutes or so; 1 for the others.
    #[must_use]
    pub fn demonstration_pace(self) -> f64 {
        let slow = [
            (Self::Hypovolaemia, 8.0),
            (Self::Clotting, 300.0),
            (Self::BatteryLow, 10.0),
            (Self::BatteryCritical, 10.0),
            (Self::Bleeding, 20.0),
        ];
        slow.into_iter().find(|(fault, _)| *fault == self).map_or(1.0, |(_, pace)| pace)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A name that is no fault's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFault {
    name: String,
}

impl fmt::Display for UnknownFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} is no fault; use one of ", self.name)?;
        for (place, fault) in Fault::ALL.iter().enumerate() {
            let separator = if place == 0 { "" } else { ", " };
            write!(formatter, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl core::error::Error for UnknownFault {}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        let found = Self::ALL.iter().copied().find(|fault| fault.name() == name);
        found.ok_or_else(|| UnknownFault { name: name.chars().take(64).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_found_by_its_name_and_a_wrong_name_lists_them() {
        for (place, fault) in Fault::ALL.iter().enumerate() {
            assert_eq!(fault.name().parse(), Ok(*fault));
            assert!(!fault.description().is_empty());
            assert!(fault.name().bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase()));
            assert!(Fault::ALL[place + 1..].iter().all(|other| other.name() != fault.name()));
        }
        let error = "pump_stop".parse::<Fault>().unwrap_err().to_string();
        assert!(error.contains("use one of pump-stop, pump-speed-unknown, return-open"), "{error}");
    }

    #[test]
    fn every_fault_applies_somewhere() {
        for fault in Fault::ALL {
            let somewhere = PumpKind::ALL
                .iter()
                .any(|kind| Therapy::ALL.iter().any(|therapy| fault.applies_to(*kind, *therapy)));
            assert!(somewhere, "{fault}");
        }
    }
}
