//! The settings of one agent: read from TOML, checked once, and then right.

mod broker;
mod cdi;
mod fault;
mod local_alarm;
mod number;
mod port;
mod sampling;
mod tls;
mod unit;

mod scaling;

mod modbus;

mod leviflow;

mod lines;

mod iio;

mod source;
mod spool;

use core::time::Duration;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ecmo_proto::topic::{Id, PumpAddress};
use serde::{Deserialize, Deserializer};
use toml::de::{DeTable, DeValue};

pub use broker::{BROKERS_MAX, BrokerUrl, BrokerUrlError, Brokers, BrokersError};
pub use cdi::{Asking, CdiError, CdiFormat, CdiSettings, GasUnit, Reply};
pub use fault::{Fault, FaultKind, UnknownFault};
pub use iio::{IioChannel, IioError, IioMode, IioSettings};
pub use leviflow::LeviflowSettings;
pub use lines::{LineChannel, LinesError, LinesSettings};
pub use local_alarm::{GpioSettings, LocalAlarmSettings};
pub use modbus::{
    Invalid, ModbusChannel, ModbusError, ModbusSettings, Number, Place, RegisterTable, Status,
    WordOrder,
};
pub use number::{
    BackfillKib, FrameMillis, ModbusRate, OutOfRange, PaceFactor, PlaySpeed, Rate, Seconds, Speed,
    SpoolHours, SpoolMib, SyncMillis, TickMicros, TimeoutMillis, Weight,
};
pub use port::{DataBits, LineSettings, Parity, PortAddress, StopBits, WrongAddress};
pub use sampling::{MetricsSettings, SamplingSettings};
pub use scaling::{Scaling, ScalingError, ScalingKeys, count_step};
pub use source::{
    AtEnd, EmtecSettings, ReplaySettings, SimulatedSettings, SourceError, SourceSettings,
};
pub use spool::SpoolSettings;
pub use tls::TlsSettings;
pub use unit::UnknownUnit;

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
    /// The brokers; every frame goes to each.
    pub brokers: Brokers,
    /// By what brokers know the agent, and it knows them; `None`: no broker is reached by TLS.
    pub tls: Option<TlsSettings>,
    /// What drives the blood.
    pub pump_kind: PumpKind,
    /// Nominal time between two frames.
    pub frame_period: Duration,
    /// How to sample.
    pub sampling: SamplingSettings,
    /// Where metrics can be read; `None`: nowhere.
    pub metrics: Option<MetricsSettings>,
    /// Where samples come from; at least one.
    pub sources: Vec<SourceSettings>,
    /// How frames are kept on disk; `None`: they are not.
    pub spool: Option<SpoolSettings>,
    /// The alarm that the agent raises by itself.
    pub local_alarm: LocalAlarmSettings,
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
            brokers: Brokers::one(broker),
            tls: None,
            pump_kind: PumpKind::Centrifugal,
            frame_period: FRAME_PERIOD_DEFAULT,
            sampling: SamplingSettings::default(),
            metrics: None,
            sources: vec![source],
            spool: None,
            local_alarm: LocalAlarmSettings::default(),
        }
    }

    /// The same with a second broker.
    #[must_use]
    pub fn with_second_broker(mut self, second: BrokerUrl) -> Self {
        self.brokers = self.brokers.and(second);
        self
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
            SourceSettings::Replay(_)
            | SourceSettings::Emtec(_)
            | SourceSettings::Cdi(_)
            | SourceSettings::Modbus(_)
            | SourceSettings::Leviflow(_)
            | SourceSettings::Line(_)
            | SourceSettings::Iio(_) => None,
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
        settings.sources.iter_mut().for_each(|source| source.in_folder(folder));
        settings.spool.iter_mut().for_each(|spool| spool.below(folder));
        settings.local_alarm.in_folder(folder);
        settings.tls.iter_mut().for_each(|tls| tls.in_folder(folder));
        Ok(settings)
    }

    /// Checks the text of a settings file; `name` stands in errors.
    ///
    /// # Errors
    /// A line that is wrong: with name, line and what to do.
    pub fn parse(text: &str, name: &str) -> Result<Self, SettingsError> {
        let (table, sources) = read(text).map_err(|wrong| {
            let before = text.get(..wrong.at).unwrap_or(text);
            SettingsError::Line {
                name: name.to_owned(),
                line: before.matches('\n').count() + 1,
                message: plain(&wrong.message),
            }
        })?;
        let mut settings = Self {
            address: PumpAddress { ward: table.ward, pump: table.pump },
            brokers: table.brokers,
            tls: table.tls,
            pump_kind: table.pump_kind,
            frame_period: table.frame_period_ms.map_or(FRAME_PERIOD_DEFAULT, FrameMillis::duration),
            sampling: table.sampling,
            metrics: table.metrics,
            sources,
            spool: table.spool,
            local_alarm: table.local_alarm,
        };
        // A simulated pump is of the kind that the agent says its pump is.
        let kind = settings.pump_kind.simulated();
        settings.simulated_sources().for_each(|simulated| simulated.kind = kind);
        Ok(settings)
    }
}

/// What is wrong with a text, and where it is.
#[derive(Debug)]
struct Wrong {
    /// Byte of the text.
    at: usize,
    message: String,
}

impl Wrong {
    /// An error of the parser; one that has no place is at `otherwise`.
    fn of(error: &toml::de::Error, otherwise: usize) -> Self {
        let at = error.span().map_or(otherwise, |span| span.start);
        Self { at, message: error.message().to_owned() }
    }
}

/// Takes the text apart: the sources, each of its own kind, and everything else.
fn read(text: &str) -> Result<(Table, Vec<SourceSettings>), Wrong> {
    let wrong = |error| Wrong::of(&error, 0);
    let mut document = DeTable::parse(text).map_err(wrong)?;
    let sources = document.get_mut().remove("source");
    let place = |key: &str| document.get_ref().get(key).map(|value| value.span().start);
    let brokers_at = place("brokers").or_else(|| place("broker")).unwrap_or(0);
    let tls_at = place("tls").unwrap_or(0);
    let table = Table::deserialize(toml::de::Deserializer::from(document)).map_err(wrong)?;
    secured(&table).map_err(|wrong| match wrong {
        Unsecured::Brokers(message) => Wrong { at: brokers_at, message },
        Unsecured::Tls(message) => Wrong { at: tls_at, message },
    })?;
    let (at, sources) = match sources.map(|sources| (sources.span().start, sources.into_inner())) {
        Some((at, DeValue::Array(sources))) => (at, sources),
        Some((at, _)) => {
            return Err(Wrong { at, message: "source is no list: write [[source]]".to_owned() });
        }
        None => {
            let message = "missing key \"source\": add a [[source]]".to_owned();
            return Err(Wrong { at: 0, message });
        }
    };
    if sources.is_empty() || sources.len() > SOURCES_MAX {
        let count = sources.len();
        let message = format!("{count} sources: use 1 to {SOURCES_MAX} [[source]] tables");
        return Err(Wrong { at, message });
    }
    let sources = sources.into_iter().map(SourceSettings::read).collect::<Result<_, _>>()?;
    Ok((table, sources))
}

/// What does not go together about brokers and TLS, by where it stands.
enum Unsecured {
    Brokers(String),
    Tls(String),
}

/// Whether brokers and certificates go together.
fn secured(table: &Table) -> Result<(), Unsecured> {
    let brokers: Vec<&BrokerUrl> = table.brokers.paths().map(|(_, broker)| broker).collect();
    let by_tls = brokers.iter().filter(|broker| broker.is_secured()).count();
    match (by_tls, &table.tls) {
        (0, Some(_)) => Err(Unsecured::Tls(
            "[tls] is set and no broker is reached by it: use mqtts://host:port".to_owned(),
        )),
        (1.., None) => Err(Unsecured::Brokers(
            "mqtts:// needs certificates: set ca, certificate and key under [tls]".to_owned(),
        )),
        // The certificate's name is the id at each broker: both sessions would throw each other out.
        (2, Some(_)) if brokers.first() == brokers.get(1) => Err(Unsecured::Brokers(
            "both paths lead to the same broker: name another one, or only one".to_owned(),
        )),
        (_, Some(_)) | (0, None) => Ok(()),
    }
}

/// The words of the settings instead of the words of the parser.
fn plain(message: &str) -> String {
    message
        .replace("unknown field", "unknown key")
        .replace("missing field", "missing key")
        .replace("duplicate field", "duplicate key")
        .replace("unknown variant", "unknown value")
        .replace('`', "\"")
}

/// The settings as they stand in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(deserialize_with = "own_id")]
    ward: Id,
    #[serde(deserialize_with = "own_id")]
    pump: Id,
    /// One address as `broker`, or a list of them as `brokers`.
    #[serde(alias = "broker")]
    brokers: Brokers,
    tls: Option<TlsSettings>,
    #[serde(default = "centrifugal")]
    pump_kind: PumpKind,
    frame_period_ms: Option<FrameMillis>,
    spool: Option<SpoolSettings>,
    #[serde(default)]
    sampling: SamplingSettings,
    metrics: Option<MetricsSettings>,
    #[serde(default)]
    local_alarm: LocalAlarmSettings,
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

/// Reads the id of a ward or pump; what the contract keeps for itself would be taken for no pump.
fn own_id<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Id, D::Error> {
    let id: Id = from_text(deserializer)?;
    if id.is_reserved() {
        let what = format!(
            "\"{id}\" begins with '_', and such ids are kept for the system itself: choose another"
        );
        return Err(serde::de::Error::custom(what));
    }
    Ok(id)
}

#[cfg(test)]
mod tests;
