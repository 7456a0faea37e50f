//! The settings of one source of samples: one `[[source]]` table.

use core::ops::Range;
use std::path::{Path, PathBuf};

use ecmo_core::case::{PumpKind, Therapy};
use serde::{Deserialize, Deserializer};
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};

use super::Wrong;
use super::cdi::CdiSettings;
use super::fault::{Fault, FaultKind};
use super::iio::IioSettings;
use super::leviflow::LeviflowSettings;
use super::lines::LinesSettings;
use super::modbus::ModbusSettings;
use super::number::{PaceFactor, PlaySpeed, Rate, Speed, Weight};
use super::port::PortAddress;

/// Weight of a simulated patient when the settings name none, in kg.
const WEIGHT_DEFAULT_KG: f64 = 3.0;

/// Most faults that one simulated circuit takes.
const FAULTS_MAX: usize = 64;

/// Where samples come from.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceSettings {
    /// A simulated circuit.
    Simulated(SimulatedSettings),
    /// A recording.
    Replay(ReplaySettings),
    /// An em-tec BioProTT flow meter on a serial port.
    Emtec(EmtecSettings),
    /// A Terumo CDI 550 on a serial port.
    Cdi(CdiSettings),
    /// A Modbus slave with a register map.
    Modbus(ModbusSettings),
    /// A Levitronix LeviFlow flow meter.
    Leviflow(LeviflowSettings),
    /// Lines of samples from a file, FIFO or TCP server.
    Line(LinesSettings),
    /// A converter of the Linux Industrial I/O subsystem.
    Iio(IioSettings),
}

/// A simulated circuit.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "SimulatedKeys")]
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
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplaySettings {
    /// The recording; a relative path counts from the folder of the settings file.
    pub file: PathBuf,
    /// Samples per second of a recording that has no `t_s` column.
    #[serde(rename = "rate_hz")]
    pub rate: Option<Rate>,
    /// How many times faster than life it is played.
    pub speed: Option<PlaySpeed>,
    /// What happens after the last sample.
    #[serde(rename = "loop", default = "looped", deserialize_with = "at_end")]
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
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmtecSettings {
    /// The serial port, such as `/dev/ttyUSB0`, or the terminal server that the meter is connected to.
    #[serde(deserialize_with = "super::from_text")]
    pub port: PortAddress,
}

/// Why a source's settings are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
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

/// Reads the keys of one kind of source, those besides `kind`.
type ReadKeys = fn(ValueDeserializer<'_>) -> Result<SourceSettings, toml::de::Error>;

/// Every kind with what reads its keys. Each kind refuses the keys of the others, with the line.
const KINDS: &[(&str, ReadKeys)] = &[
    ("simulated", |keys| SimulatedSettings::deserialize(keys).map(SourceSettings::Simulated)),
    ("replay", |keys| ReplaySettings::deserialize(keys).map(SourceSettings::Replay)),
    ("emtec", |keys| EmtecSettings::deserialize(keys).map(SourceSettings::Emtec)),
    ("cdi", |keys| CdiSettings::deserialize(keys).map(SourceSettings::Cdi)),
    ("modbus", |keys| ModbusSettings::deserialize(keys).map(SourceSettings::Modbus)),
    ("leviflow", |keys| LeviflowSettings::deserialize(keys).map(SourceSettings::Leviflow)),
    ("line", |keys| LinesSettings::deserialize(keys).map(SourceSettings::Line)),
    ("iio", |keys| IioSettings::deserialize(keys).map(SourceSettings::Iio)),
];

impl SourceSettings {
    /// Reads one `[[source]]` table.
    pub(super) fn read(table: Spanned<DeValue<'_>>) -> Result<Self, Wrong> {
        let refuse = |place: Range<usize>, message| Wrong { at: place.start, message };
        let (place, mut value) = (table.span(), table.into_inner());
        let DeValue::Table(keys) = &mut value else {
            return Err(refuse(place, "a source is a table: write [[source]]".to_owned()));
        };
        let kinds = KINDS.iter().map(|(name, _read)| format!("\"{name}\"")).collect::<Vec<_>>();
        let kinds = kinds.join(", ");
        let Some(kind) = keys.remove("kind") else {
            return Err(refuse(place, format!("missing key \"kind\": use one of {kinds}")));
        };
        let named = kind.get_ref().as_str();
        let Some((_name, read)) = KINDS.iter().find(|(name, _read)| named == Some(name)) else {
            let what = named.map_or_else(|| "it".to_owned(), |name| format!("\"{name}\""));
            return Err(refuse(kind.span(), format!("{what} is no kind: use one of {kinds}")));
        };
        let begin = place.start;
        let read = read(ValueDeserializer::from(Spanned::new(place, value)));
        read.map_err(|error| Wrong::of(&error, begin))
    }

    /// Lets relative paths count from a folder.
    pub(super) fn in_folder(&mut self, folder: &Path) {
        match self {
            Self::Replay(replay) => replay.file = folder.join(&replay.file),
            Self::Line(lines) => lines.in_folder(folder),
            Self::Simulated(_)
            | Self::Emtec(_)
            | Self::Cdi(_)
            | Self::Modbus(_)
            | Self::Leviflow(_)
            | Self::Iio(_) => {}
        }
    }
}

/// A simulated circuit as it stands in the settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SimulatedKeys {
    seed: Option<u32>,
    speed_rpm: Option<Speed>,
    weight_kg: Option<Weight>,
    therapy: Option<String>,
    pace: Option<PaceFactor>,
    faults: Option<Vec<Fault>>,
}

impl TryFrom<SimulatedKeys> for SimulatedSettings {
    type Error = SourceError;

    fn try_from(keys: SimulatedKeys) -> Result<Self, SourceError> {
        let healthy = Self::healthy(keys.seed.unwrap_or(0).into());
        let faults = keys.faults.unwrap_or_default();
        if faults.len() > FAULTS_MAX {
            return Err(SourceError::FaultsTooMany(faults.len()));
        }
        let therapy = match keys.therapy {
            Some(id) => Therapy::from_id(&id).ok_or(SourceError::Therapy(id))?,
            None => healthy.therapy,
        };
        let settings = Self {
            therapy,
            weight_kg: keys.weight_kg.map_or(healthy.weight_kg, Weight::get),
            speed: keys.speed_rpm,
            pace: keys.pace.map_or(healthy.pace, PaceFactor::get),
            faults,
            ..healthy
        };
        match settings.impossible_fault() {
            Some(fault) => Err(SourceError::Impossible { fault, therapy: therapy.id() }),
            None => Ok(settings),
        }
    }
}

/// A replay goes on for ever unless told otherwise.
const fn looped() -> AtEnd {
    AtEnd::Loop
}

fn at_end<'a, D: Deserializer<'a>>(deserializer: D) -> Result<AtEnd, D::Error> {
    Ok(if bool::deserialize(deserializer)? { AtEnd::Loop } else { AtEnd::Stop })
}
