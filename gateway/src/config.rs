//! Settings: read once from a TOML file, refused with file, line and what to do.

mod error;

mod file;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use ecmo_proto::topic::{Id, PumpAddress};

pub use error::ConfigError;

/// Most pumps that one gateway serves; every per-pump bound is computed from it.
pub const PUMPS_MAX: usize = 256;

/// Frames that a pump sends in a second: one each 20 ms.
pub const FRAMES_PER_SECOND: usize = 50;

/// Most wards that can be named; with three filters each, one SUBSCRIBE packet stays below 16 KiB.
pub const WARDS_MAX: usize = 32;

/// Everything that a gateway needs to be told. Values are checked when read: what is here is possible.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Wards to serve; empty for all.
    pub wards: Vec<Id>,
    /// Where frames come from.
    pub broker: Broker,
    /// Where displays are served.
    pub serve: Serve,
    /// Where `/metrics` is served.
    pub metrics_bind: SocketAddr,
    /// How alarms are judged.
    pub alarms: Alarms,
    /// Pumps that must be there: shown as never seen, and alarmed, until they are heard.
    pub pumps: Vec<PumpAddress>,
    /// Name of the file, for messages.
    file: String,
}

/// Where frames come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broker {
    /// A broker in this process.
    Embedded {
        /// Loopback only, because it asks nobody who he is. Port 0 takes any free port.
        bind: SocketAddr,
    },
    /// A broker elsewhere.
    External(BrokerAddress),
}

/// Host and port of an MQTT broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerAddress {
    /// Name or address; an IPv6 address stands in brackets.
    pub host: String,
    /// Never 0.
    pub port: u16,
}

impl std::fmt::Display for BrokerAddress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "mqtt://{}:{}", self.host, self.port)
    }
}

impl From<SocketAddr> for BrokerAddress {
    fn from(address: SocketAddr) -> Self {
        let host = match address {
            SocketAddr::V4(v4) => v4.ip().to_string(),
            SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
        };
        Self { host, port: address.port() }
    }
}

/// Where displays are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serve {
    /// Address of gRPC, gRPC-web, health and page. Port 0 takes any free port.
    pub bind: SocketAddr,
    /// Most displays at a time; one more is refused and told so.
    pub displays_max: usize,
}

/// How alarms are judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarms {
    /// Time without a frame after which a pump counts as silent.
    pub silence: Duration,
    /// Changes to the built-in rules.
    pub rules: Vec<RuleOverride>,
}

/// A change to one built-in rule. Absent fields keep the rule's own value.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleOverride {
    /// Id of the rule.
    pub id: String,
    /// Line of the id in the settings file, counted from 1.
    pub line: usize,
    /// The limit, in the parameter's unit; finite.
    pub limit: Option<f32>,
    /// How long the limit must be violated before the alarm is raised.
    pub delay: Option<Duration>,
    /// How long the limit must be kept before the condition counts as gone.
    pub clear_delay: Option<Duration>,
    /// How far inside the limit the value must return, in the parameter's unit; finite, not negative.
    pub hysteresis: Option<f32>,
    /// The priority.
    pub priority: Option<RulePriority>,
}

/// Priority as a settings file names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RulePriority {
    /// Immediate response.
    High,
    /// Prompt response.
    Medium,
    /// Awareness.
    Low,
}

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

impl Default for Settings {
    /// All wards, embedded broker, loopback addresses, built-in rules.
    fn default() -> Self {
        Self {
            wards: Vec::new(),
            broker: Broker::Embedded { bind: (LOOPBACK, 1883).into() },
            serve: Serve { bind: (LOOPBACK, 8080).into(), displays_max: 64 },
            metrics_bind: (LOOPBACK, 9464).into(),
            alarms: Alarms { silence: Duration::from_millis(800), rules: Vec::new() },
            pumps: Vec::new(),
            file: "built-in settings".to_owned(),
        }
    }
}

impl Settings {
    /// The defaults with every port free to choose, so that several gateways run in one process.
    #[must_use]
    pub fn on_free_ports() -> Self {
        let any: SocketAddr = (LOOPBACK, 0).into();
        let defaults = Self::default();
        Self {
            broker: Broker::Embedded { bind: any },
            serve: Serve { bind: any, ..defaults.serve },
            metrics_bind: any,
            ..defaults
        }
    }

    /// Reads and checks a file.
    ///
    /// # Errors
    /// The file cannot be read, or holds an unknown key or an impossible value.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Checks a text; `file` names it in messages.
    ///
    /// # Errors
    /// An unknown key or an impossible value.
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        file::parse(file, text)
    }

    /// Checks that every rule that is changed exists.
    ///
    /// # Errors
    /// The first override of a rule that is not among `known_rule_ids`.
    pub fn check(&self, known_rule_ids: &[&str]) -> Result<(), ConfigError> {
        let unknown = self.alarms.rules.iter().find(|rule| !known_rule_ids.contains(&&*rule.id));
        let Some(rule) = unknown else { return Ok(()) };
        Err(ConfigError::Wrong {
            file: self.file.clone(),
            line: rule.line,
            what: format!("there is no alarm rule {:?}", rule.id),
            todo: format!("use one of {}", known_rule_ids.join(", ")),
        })
    }
}

#[cfg(test)]
mod tests;
