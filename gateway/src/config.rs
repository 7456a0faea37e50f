//! Settings: read once from a TOML file, refused with file, line and what to do.

mod among;

mod error;

mod kept;

mod file;

mod people;

mod secured;

mod ui;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ecmo_core::alarm::profile::Profile;
use ecmo_identity::{ClientFiles, ServerFiles};
use ecmo_proto::topic::{Id, PumpAddress};

use crate::people::PeopleSettings;

pub use error::ConfigError;
pub use ui::{ORIGINS_MAX, Origin, Ui};

/// Most pumps that one gateway serves; every per-pump bound is computed from it.
pub const PUMPS_MAX: usize = 256;

/// Frames that a pump sends in a second: one each 20 ms.
pub const FRAMES_PER_SECOND: usize = 50;

/// Most other gateways that one may know; every bound of what they say is computed from it.
pub use ecmo_core::uplink::PEERS_MAX;

/// Most wards that can be named; with six filters each, one SUBSCRIBE packet stays below 20 KiB.
pub const WARDS_MAX: usize = 32;

/// Everything that a gateway needs to be told. Values are checked when read: what is here is possible.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name of this gateway among others of its unit; not reserved.
    pub name: Id,
    /// Other gateways that must be there, at most [`PEERS_MAX`]; one that was heard must be there from then on.
    pub peers: Vec<Id>,
    /// Time between two drills, 1 s to 1 h; zero: there is none.
    pub drill: Duration,
    /// Wards to serve; empty for all.
    pub wards: Vec<Id>,
    /// Where frames come from.
    pub broker: Broker,
    /// Where the same frames come from a second time, independently; `None`: there is no second broker.
    pub second_broker: Option<Broker>,
    /// Who this gateway is towards brokers with TLS, and whom it believes; `None`: no broker is reached by it.
    pub tls: Option<ClientFiles>,
    /// Where displays are served.
    pub serve: Serve,
    /// Where `/metrics` is served.
    pub metrics_bind: SocketAddr,
    /// How alarms are judged.
    pub alarms: Alarms,
    /// Pumps that must be there: shown as never seen, and alarmed, until they are heard.
    pub pumps: Vec<PumpAddress>,
    /// Folder in which what people have said survives a restart; `None`: nothing does.
    pub state_dir: Option<PathBuf>,
    /// How far back a preview of a limit looks, 0 to 2 hours; zero: there is no preview.
    pub history: Duration,
    /// How long and where every sample is kept; `None`: it is not.
    pub disclosure: Option<Keep>,
    /// Which frames are kept on disk; `None`: none, and nothing is asked of agents' spools.
    pub journal: Option<Keep>,
    /// The nurse station, and which pages may reach this gateway.
    pub ui: Ui,
    /// How people are asked who they are; `None`: nobody is, and names are taken as they are said.
    pub people: Option<PeopleSettings>,
}

/// How much is kept on disk, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// The folder.
    pub dir: PathBuf,
    /// For how long.
    pub age_max: Duration,
    /// Most bytes, over all pumps.
    pub bytes_max: u64,
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

impl Broker {
    /// Whether what is said to it leaves this machine without encryption.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        match self {
            Self::Embedded { .. } => false,
            Self::External(address) => !address.tls && !secured::is_here(&address.host),
        }
    }
}

/// Host and port of an MQTT broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerAddress {
    /// Name or address; an IPv6 address stands in brackets.
    pub host: String,
    /// Never 0.
    pub port: u16,
    /// Whether it is reached by TLS.
    pub tls: bool,
}

impl std::fmt::Display for BrokerAddress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.tls { "mqtts" } else { "mqtt" };
        write!(formatter, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl From<SocketAddr> for BrokerAddress {
    fn from(address: SocketAddr) -> Self {
        let host = match address {
            SocketAddr::V4(v4) => v4.ip().to_string(),
            SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
        };
        Self { host, port: address.port(), tls: false }
    }
}

/// Where displays are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serve {
    /// Address of gRPC, gRPC-web, health and page. Port 0 takes any free port.
    pub bind: SocketAddr,
    /// Most displays at a time; one more is refused and told so.
    pub displays_max: usize,
    /// Who serves, and who may connect; `None`: without TLS.
    pub tls: Option<ServerFiles>,
    /// Whether displays beyond this machine may be served without TLS.
    pub insecure: bool,
}

impl Serve {
    /// Whether displays beyond this machine are served without TLS.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        self.tls.is_none() && !self.bind.ip().is_loopback()
    }
}

/// How alarms are judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarms {
    /// The rules of the site.
    pub profile: Arc<Profile>,
    /// Time without a frame after which a pump counts as silent; `None`: as the profile has it.
    pub silence: Option<Duration>,
}

impl Alarms {
    /// The profile with what the settings change.
    #[must_use]
    pub fn in_force(&self) -> Arc<Profile> {
        let Some(frame) = self.silence else { return Arc::clone(&self.profile) };
        let mut profile = Profile::clone(&self.profile);
        profile.silence.frame = frame;
        profile.silence.frame_after_hint = profile.silence.frame_after_hint.min(frame);
        Arc::new(profile)
    }
}

/// Long enough for what a shift remembers, at some 0.3 MB a fast channel.
const HISTORY_DEFAULT: Duration = Duration::from_mins(30);

/// So often the whole alarm path is tried (prop): a person hears within two minutes that it is broken.
const DRILL_DEFAULT: Duration = Duration::from_mins(1);

/// Name of a gateway that stands alone.
const NAME_DEFAULT: &str = "gateway";

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

impl Default for Settings {
    /// All wards, embedded broker, loopback addresses, the built-in profile, nothing durable.
    fn default() -> Self {
        Self {
            name: Id::new(NAME_DEFAULT).expect("it is an id"),
            peers: Vec::new(),
            drill: DRILL_DEFAULT,
            wards: Vec::new(),
            broker: Broker::Embedded { bind: (LOOPBACK, 1883).into() },
            second_broker: None,
            tls: None,
            serve: Serve {
                bind: (LOOPBACK, 8080).into(),
                displays_max: 64,
                tls: None,
                insecure: false,
            },
            metrics_bind: (LOOPBACK, 9464).into(),
            alarms: Alarms { profile: Arc::new(ecmo_profile::starter()), silence: None },
            pumps: Vec::new(),
            state_dir: None,
            history: HISTORY_DEFAULT,
            disclosure: None,
            journal: None,
            ui: Ui::default(),
            people: None,
        }
    }
}

impl Settings {
    /// The brokers, one or two; at most one of them is embedded.
    pub fn brokers(&self) -> impl Iterator<Item = &Broker> {
        std::iter::once(&self.broker).chain(&self.second_broker)
    }

    /// The defaults with every port free to choose and without a drill, so that several gateways run in one process.
    #[must_use]
    pub fn on_free_ports() -> Self {
        let any: SocketAddr = (LOOPBACK, 0).into();
        let defaults = Self::default();
        Self {
            broker: Broker::Embedded { bind: any },
            serve: Serve { bind: any, ..defaults.serve },
            metrics_bind: any,
            drill: Duration::ZERO,
            ..defaults
        }
    }

    /// Reads and checks a file, and the profile that it names.
    ///
    /// # Errors
    /// A file cannot be read, or holds an unknown key or an impossible value.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Checks a text, and reads the profile that it names; `file` names it in messages, and paths start from its folder.
    ///
    /// # Errors
    /// An unknown key or an impossible value, here or in the profile.
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        file::parse(file, text)
    }
}

#[cfg(test)]
mod tests;
