//! The settings of one source of samples: one `[[source]]` table.

use std::path::PathBuf;

use ecmo_core::case::{PumpKind, Therapy};
use serde::Deserialize;

use super::fault::{Fault, FaultKind};
use super::number::{PaceFactor, Rate, Speed, Weight};

/// Weight of a simulated patient when the settings name none, in kg.
const WEIGHT_DEFAULT_KG: f64 = 3.0;

/// Most faults that one simulated circuit takes.
const FAULTS_MAX: usize = 64;

/// Where samples come from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "SourceTable")]
pub enum SourceSettings {
    /// A simulated circuit.
    Simulated(SimulatedSettings),
    /// A recording.
    Replay(ReplaySettings),
    /// An em-tec BioProTT flow meter on a serial port.
    Emtec(EmtecSettings),
}

/// A simulated circuit.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatedSettings {
    /// The same seed gives the same samples.
    pub seed: u64,
    /// What drives the blood; the agent's own `pump_kind`.
    pub kind: PumpKind,
    /// Where the blood returns to.
    pub therapy: Therapy,
    /// Weight of the patient, in kg.
    pub weight_kg: f64,
    /// Set speed of the pump; `None`: the one at which 120 mL/kg/min flow.
    pub speed: Option<Speed>,
    /// How many times faster than life slow processes run.
    pub pace: f64,
    /// What goes wrong, and when.
    pub faults: Vec<Fault>,
}

impl SimulatedSettings {
    /// A healthy veno-arterial circuit of a newborn of 3 kg.
    #[must_use]
    pub const fn healthy(seed: u64) -> Self {
        Self {
            seed,
            kind: PumpKind::Centrifugal,
            therapy: Therapy::VenoArterial,
            weight_kg: WEIGHT_DEFAULT_KG,
            speed: None,
            pace: 1.0,
            faults: Vec::new(),
        }
    }

    /// Adds a fault. One that only a veno-venous circuit can have makes it veno-venous.
    pub fn add_fault(&mut self, fault: Fault) {
        if !fault.kind.applies_to(self.kind, self.therapy) {
            self.therapy = Therapy::VenoVenous;
        }
        self.faults.push(fault);
    }

    /// The first fault that such a circuit cannot have.
    #[must_use]
    pub fn impossible_fault(&self) -> Option<FaultKind> {
        let kinds = self.faults.iter().map(|fault| fault.kind);
        kinds.into_iter().find(|kind| !kind.applies_to(self.kind, self.therapy))
    }
}

/// A recording.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplaySettings {
    /// The recording; a relative path counts from the folder of the settings file.
    pub file: PathBuf,
    /// Samples per second of a recording that has no `t_s` column.
    pub rate: Option<Rate>,
    /// What happens after the last sample.
    pub at_end: AtEnd,
}

/// What a replay does after its last sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtEnd {
    /// Begins again.
    Loop,
    /// Says "not measured" from then on.
    Stop,
}

/// An em-tec BioProTT flow meter.
#[derive(Debug, Clone, PartialEq)]
pub struct EmtecSettings {
    /// The serial port, such as `/dev/ttyUSB0`.
    pub port: PathBuf,
}

/// Why a source's settings are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// A key of another kind of source.
    #[error("key \"{key}\" does not belong to a source of kind \"{kind}\": remove it")]
    Foreign {
        /// The key.
        key: &'static str,
        /// The kind of the source.
        kind: &'static str,
    },
    /// A key that this kind needs.
    #[error("a source of kind \"{kind}\" needs the key \"{key}\": add it")]
    Missing {
        /// The key.
        key: &'static str,
        /// The kind of the source.
        kind: &'static str,
    },
    /// A therapy that does not exist.
    #[error("{0:?} is no therapy: use \"VA\" or \"VV\"")]
    Therapy(String),
    /// A fault that such a circuit cannot have.
    #[error("a {therapy} circuit cannot have {fault}: remove it, or set another therapy")]
    Impossible {
        /// The fault.
        fault: FaultKind,
        /// The therapy.
        therapy: &'static str,
    },
    /// Too many faults.
    #[error("{0} faults, at most {FAULTS_MAX} are allowed: remove some")]
    FaultsTooMany(usize),
}

/// The kinds, as they stand in the settings.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Simulated,
    Replay,
    Emtec,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Simulated => "simulated",
            Self::Replay => "replay",
            Self::Emtec => "emtec",
        }
    }
}

/// A source as it stands in the settings: flat, so that an unknown key is refused with its own line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceTable {
    kind: Kind,
    seed: Option<u32>,
    speed_rpm: Option<Speed>,
    weight_kg: Option<Weight>,
    therapy: Option<String>,
    pace: Option<PaceFactor>,
    faults: Option<Vec<Fault>>,
    file: Option<PathBuf>,
    rate_hz: Option<Rate>,
    #[serde(rename = "loop")]
    looped: Option<bool>,
    port: Option<PathBuf>,
}

impl SourceTable {
    /// Refuses keys that are set and belong to other kinds.
    fn refuse_foreign(&self) -> Result<(), SourceError> {
        let kind = self.kind;
        let simulated = matches!(kind, Kind::Simulated);
        let replay = matches!(kind, Kind::Replay);
        let emtec = matches!(kind, Kind::Emtec);
        let keys = [
            ("seed", self.seed.is_some(), simulated),
            ("speed_rpm", self.speed_rpm.is_some(), simulated),
            ("weight_kg", self.weight_kg.is_some(), simulated),
            ("therapy", self.therapy.is_some(), simulated),
            ("pace", self.pace.is_some(), simulated),
            ("faults", self.faults.is_some(), simulated),
            ("file", self.file.is_some(), replay),
            ("rate_hz", self.rate_hz.is_some(), replay),
            ("loop", self.looped.is_some(), replay),
            ("port", self.port.is_some(), emtec),
        ];
        let foreign = keys.into_iter().find(|(_, is_set, belongs)| *is_set && !belongs);
        match foreign {
            Some((key, _, _)) => Err(SourceError::Foreign { key, kind: kind.name() }),
            None => Ok(()),
        }
    }
}

impl SourceTable {
    /// The settings of a simulated circuit.
    fn simulated(self) -> Result<SimulatedSettings, SourceError> {
        let healthy = SimulatedSettings::healthy(self.seed.unwrap_or(0).into());
        let faults = self.faults.unwrap_or_default();
        if faults.len() > FAULTS_MAX {
            return Err(SourceError::FaultsTooMany(faults.len()));
        }
        let therapy = match self.therapy {
            Some(id) => Therapy::from_id(&id).ok_or(SourceError::Therapy(id))?,
            None => healthy.therapy,
        };
        let settings = SimulatedSettings {
            therapy,
            weight_kg: self.weight_kg.map_or(healthy.weight_kg, Weight::get),
            speed: self.speed_rpm,
            pace: self.pace.map_or(healthy.pace, PaceFactor::get),
            faults,
            ..healthy
        };
        match settings.impossible_fault() {
            Some(fault) => Err(SourceError::Impossible { fault, therapy: therapy.id() }),
            None => Ok(settings),
        }
    }
}

impl TryFrom<SourceTable> for SourceSettings {
    type Error = SourceError;

    fn try_from(table: SourceTable) -> Result<Self, SourceError> {
        table.refuse_foreign()?;
        let missing = |key| SourceError::Missing { key, kind: table.kind.name() };
        Ok(match table.kind {
            Kind::Simulated => Self::Simulated(table.simulated()?),
            Kind::Replay => Self::Replay(ReplaySettings {
                file: table.file.ok_or_else(|| missing("file"))?,
                rate: table.rate_hz,
                at_end: if table.looped.unwrap_or(true) { AtEnd::Loop } else { AtEnd::Stop },
            }),
            Kind::Emtec => {
                Self::Emtec(EmtecSettings { port: table.port.ok_or_else(|| missing("port"))? })
            }
        })
    }
}
