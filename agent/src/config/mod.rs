//! The settings of one agent: read from TOML, checked once, and then right.

mod broker;
mod fault;
mod number;
mod source;

use core::time::Duration;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ecmo_proto::topic::{Id, PumpAddress};
use serde::{Deserialize, Deserializer};

pub use broker::{BrokerUrl, BrokerUrlError};
pub use fault::{Fault, FaultKind, UnknownFault};
pub use number::{FrameMillis, OutOfRange, PaceFactor, Rate, Seconds, Speed, Weight};
pub use source::{
    AtEnd, EmtecSettings, ReplaySettings, SimulatedSettings, SourceError, SourceSettings,
};

/// Time between two frames when the settings name none.
pub const FRAME_PERIOD_DEFAULT: Duration = Duration::from_millis(20);

/// Longest settings file, in bytes: a hundred times what an agent needs.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Most sources of one agent.
const SOURCES_MAX: usize = 8;

/// All settings of one agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Ward and pump.
    pub address: PumpAddress,
    /// The broker.
    pub broker: BrokerUrl,
    /// What drives the blood.
    pub pump_kind: PumpKind,
    /// Nominal time between two frames.
    pub frame_period: Duration,
    /// Where samples come from; at least one.
    pub sources: Vec<SourceSettings>,
}

/// What drives the blood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PumpKind {
    /// Flow depends on speed, preload and afterload.
    Centrifugal,
    /// Flow follows speed.
    Roller,
}

impl PumpKind {
    /// The kind as the simulator names it.
    const fn simulated(self) -> ecmo_core::case::PumpKind {
        match self {
            Self::Centrifugal => ecmo_core::case::PumpKind::Centrifugal,
            Self::Roller => ecmo_core::case::PumpKind::Roller,
        }
    }
}

/// Why settings are refused.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read settings from {}: check the path and its permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is far too long to be settings.
    #[error("{}: more than {FILE_BYTES_MAX} bytes are no settings: check the path", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// A line is wrong.
    #[error("{name}:{line}: {message}")]
    Line {
        /// Name of the file.
        name: String,
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong and what to do.
        message: String,
    },
}

impl Settings {
    /// Settings of an agent with a healthy simulated circuit.
    #[must_use]
    pub fn simulated(address: PumpAddress, broker: BrokerUrl, seed: u64) -> Self {
        Self::new(address, broker, SourceSettings::Simulated(SimulatedSettings::healthy(seed)))
    }

    /// Settings of an agent with one source and the defaults for everything else.
    #[must_use]
    pub fn new(address: PumpAddress, broker: BrokerUrl, source: SourceSettings) -> Self {
        Self {
            address,
            broker,
            pump_kind: PumpKind::Centrifugal,
            frame_period: FRAME_PERIOD_DEFAULT,
            sources: vec![source],
        }
    }

    /// The same with a fault in every simulated circuit; without one, nothing changes. A circuit that cannot have the
    /// fault becomes veno-venous.
    #[must_use]
    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.simulated_sources().for_each(|simulated| simulated.add_fault(fault));
        self
    }

    /// The same with slow processes that run at least so many times faster than life in every simulated circuit.
    #[must_use]
    pub fn with_pace(mut self, pace: f64) -> Self {
        self.simulated_sources().for_each(|simulated| simulated.pace = simulated.pace.max(pace));
        self
    }

    fn simulated_sources(&mut self) -> impl Iterator<Item = &mut SimulatedSettings> {
        self.sources.iter_mut().filter_map(|source| match source {
            SourceSettings::Simulated(simulated) => Some(simulated),
            SourceSettings::Replay(_) | SourceSettings::Emtec(_) => None,
        })
    }

    /// Reads and checks a settings file.
    ///
    /// # Errors
    /// Unreadable, too long, or a line that is wrong: with file, line and what to do.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let read = |source| SettingsError::Read { path: path.to_owned(), source };
        if std::fs::metadata(path).map_err(read)?.len() > FILE_BYTES_MAX {
            return Err(SettingsError::TooLong { path: path.to_owned() });
        }
        let text = std::fs::read_to_string(path).map_err(read)?;
        let mut settings = Self::parse(&text, &path.display().to_string())?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        for source in &mut settings.sources {
            match source {
                SourceSettings::Replay(replay) => replay.file = folder.join(&replay.file),
                SourceSettings::Simulated(_) | SourceSettings::Emtec(_) => {}
            }
        }
        Ok(settings)
    }

    /// Checks the text of a settings file; `name` stands in errors.
    ///
    /// # Errors
    /// A line that is wrong: with name, line and what to do.
    pub fn parse(text: &str, name: &str) -> Result<Self, SettingsError> {
        let table: Table = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let before = text.get(..at).unwrap_or(text);
            SettingsError::Line {
                name: name.to_owned(),
                line: before.matches('\n').count() + 1,
                message: plain(error.message()),
            }
        })?;
        let mut settings = Self {
            address: PumpAddress { ward: table.ward, pump: table.pump },
            broker: table.broker,
            pump_kind: table.pump_kind,
            frame_period: table.frame_period_ms.map_or(FRAME_PERIOD_DEFAULT, FrameMillis::duration),
            sources: table.source,
        };
        // A simulated pump is of the kind that the agent says its pump is.
        let kind = settings.pump_kind.simulated();
        settings.simulated_sources().for_each(|simulated| simulated.kind = kind);
        Ok(settings)
    }
}

/// The words of the settings instead of the words of the parser.
fn plain(message: &str) -> String {
    message
        .replace("unknown field", "unknown key")
        .replace("missing field", "missing key")
        .replace("unknown variant", "unknown value")
        .replace('`', "\"")
}

/// The settings as they stand in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(deserialize_with = "from_text")]
    ward: Id,
    #[serde(deserialize_with = "from_text")]
    pump: Id,
    #[serde(deserialize_with = "from_text")]
    broker: BrokerUrl,
    #[serde(default = "centrifugal")]
    pump_kind: PumpKind,
    frame_period_ms: Option<FrameMillis>,
    #[serde(deserialize_with = "some_sources")]
    source: Vec<SourceSettings>,
}

/// The kind of most pumps.
const fn centrifugal() -> PumpKind {
    PumpKind::Centrifugal
}

/// Reads a type that is written as text.
fn from_text<'a, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'a>,
    T: FromStr<Err: std::fmt::Display>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// Reads a bounded list of sources.
fn some_sources<'a, D>(deserializer: D) -> Result<Vec<SourceSettings>, D::Error>
where
    D: Deserializer<'a>,
{
    let sources = Vec::<SourceSettings>::deserialize(deserializer)?;
    if sources.is_empty() || sources.len() > SOURCES_MAX {
        return Err(serde::de::Error::custom(format!(
            "{} sources: use 1 to {SOURCES_MAX} [[source]] tables",
            sources.len()
        )));
    }
    Ok(sources)
}

#[cfg(test)]
mod tests;
