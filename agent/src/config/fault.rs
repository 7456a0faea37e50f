//! The faults that a simulated circuit can be told to have: their names, in settings and on command lines.

use core::time::Duration;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::number::Seconds;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The pump stops although it is set to run.
    PumpStop,
    /// The return line opens: disconnected, ruptured or pulled out.
    ReturnOpen,
    /// The drainage cannula is kinked, clotted or sucks itself to the wall.
    DrainageObstruction,
    /// The pressure sensor before the membrane and the flow sensor are unplugged.
    SensorOff,
    /// Air in the return line.
    AirBubble,
    /// Mains power is lost.
    MainsLoss,
}

impl FaultKind {
    /// Every fault.
    pub const ALL: [Self; 6] = [
        Self::PumpStop,
        Self::ReturnOpen,
        Self::DrainageObstruction,
        Self::SensorOff,
        Self::AirBubble,
        Self::MainsLoss,
    ];

    /// The name in settings and on command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PumpStop => "pump-stop",
            Self::ReturnOpen => "return-open",
            Self::DrainageObstruction => "drainage-obstruction",
            Self::SensorOff => "sensor-off",
            Self::AirBubble => "air-bubble",
            Self::MainsLoss => "mains-loss",
        }
    }

    /// What happens, in one line.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::PumpStop => "the pump stops although it is set to run: speed and flow fall to 0",
            Self::ReturnOpen => {
                "the return line opens: pressure after the membrane falls, flow rises"
            }
            Self::DrainageObstruction => {
                "the drainage line is obstructed: drainage pressure and flow fall"
            }
            Self::SensorOff => "the pre-membrane pressure and flow sensors are unplugged",
            Self::AirBubble => "the arterial bubble detector sees air",
            Self::MainsLoss => "mains power is lost; the circuit runs on its battery",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A name that is no fault's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no fault; use one of {}", FaultKind::ALL.map(FaultKind::name).join(", "))]
pub struct UnknownFault {
    name: String,
}

impl FromStr for FaultKind {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| UnknownFault { name: name.chars().take(64).collect() })
    }
}

/// A fault with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "FaultTable")]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// When it begins, from the first sample of the circuit.
    pub at: Duration,
    /// How long it lasts; `None`: until the end.
    pub lasts: Option<Duration>,
}

impl Fault {
    /// Whether the fault is there, `elapsed` after the first sample of the circuit.
    #[must_use]
    pub fn is_present(&self, elapsed: Duration) -> bool {
        let since = elapsed.checked_sub(self.at);
        since.is_some_and(|since| self.lasts.is_none_or(|lasts| since < lasts))
    }
}

/// A fault as it stands in the settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultTable {
    kind: String,
    at_s: Seconds,
    for_s: Option<Seconds>,
}

impl TryFrom<FaultTable> for Fault {
    type Error = UnknownFault;

    fn try_from(table: FaultTable) -> Result<Self, UnknownFault> {
        Ok(Self {
            kind: table.kind.parse()?,
            at: table.at_s.duration(),
            lasts: table.for_s.map(Seconds::duration),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_found_by_its_name_and_a_wrong_name_lists_them() {
        for kind in FaultKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
            assert!(!kind.description().is_empty());
        }
        let error = "pump_stop".parse::<FaultKind>().unwrap_err().to_string();
        assert!(error.contains("pump-stop, return-open, drainage-obstruction"), "{error}");
    }

    #[test]
    fn a_fault_is_present_from_its_start_to_its_end() {
        let second = Duration::from_secs;
        let lasting = Fault { kind: FaultKind::PumpStop, at: second(5), lasts: None };
        let short = Fault { lasts: Some(second(2)), ..lasting };
        for (at, expect_lasting, expect_short) in
            [(4, false, false), (5, true, true), (6, true, true), (7, true, false)]
        {
            assert_eq!(lasting.is_present(second(at)), expect_lasting, "{at} s");
            assert_eq!(short.is_present(second(at)), expect_short, "{at} s");
        }
    }
}
