//! A ward of real processes for the fault tests: brokers, a gateway, agents; each is killed, frozen or cut off by a test.
//!
//! The tests stand in `tests/it/`, one for each fault, named after it: `fault_f01_…`. They need Mosquitto, some of them root:
//! `cargo test` skips them and says so, `cargo xtask ci` runs them all.

pub mod network;

pub mod cgroup;

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use ecmo_testkit::program::built;
use ecmo_testkit::{Mosquitto, Program, free_port};
use tempfile::TempDir;

/// The ward of every test.
pub const WARD: &str = "nicu";

/// What runs in a ward. Everything ends with it.
#[derive(Debug)]
pub struct Ward {
    folder: TempDir,
    gateway: PathBuf,
    agent: PathBuf,
    /// The brokers: path a, and path b if there are two.
    pub brokers: Vec<Mosquitto>,
    displays_at: SocketAddr,
    metrics_at: SocketAddr,
}

/// How an agent is set up.
#[derive(Debug, Clone)]
pub struct AgentSetup<'a> {
    /// Pump id.
    pub pump: &'a str,
    /// Where each path leads: the brokers, or proxies before them.
    pub brokers: Vec<SocketAddr>,
    /// More settings: sources are expected, and tables as they stand in the file.
    pub settings: String,
    /// Environment of the process.
    pub environment: Vec<(&'a str, String)>,
    /// What stands before the command, such as what lets it run in another network.
    pub prefix: Vec<String>,
}

impl Ward {
    /// Starts brokers; gateway and agents are started by the test.
    ///
    /// # Errors
    /// Mosquitto is not installed or does not start.
    pub fn start(brokers: usize) -> anyhow::Result<Self> {
        let (gateway, agent) = (built("ecmo-gateway")?, built("ecmo-agent")?);
        let folder = tempfile::tempdir().context("cannot make a folder for the ward")?;
        let brokers = (0..brokers).map(|_| Mosquitto::start()).collect::<Result<_, _>>()?;
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (displays_at, metrics_at) = (local(free_port()?), local(free_port()?));
        Ok(Self { folder, gateway, agent, brokers, displays_at, metrics_at })
    }

    /// Where everything is kept.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where displays are served.
    #[must_use]
    pub const fn displays_at(&self) -> SocketAddr {
        self.displays_at
    }

    /// Where the gateway's metrics are served.
    #[must_use]
    pub const fn metrics_at(&self) -> SocketAddr {
        self.metrics_at
    }

    /// The addresses of the brokers.
    #[must_use]
    pub fn broker_addresses(&self) -> Vec<SocketAddr> {
        self.brokers.iter().map(Mosquitto::addr).collect()
    }

    /// The settings file of the gateway, reading these brokers; `more` stands behind.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn gateway_settings(&self, brokers: &[SocketAddr], more: &str) -> anyhow::Result<PathBuf> {
        let urls = ["url", "second_url"].iter().zip(brokers);
        let urls = urls.map(|(key, at)| format!("{key} = \"mqtt://{at}\"")).collect::<Vec<_>>();
        let text = format!(
            "[broker]\n{}\n[serve]\nbind = \"{}\"\n[metrics]\nbind = \"{}\"\n[state]\ndir = \"state\"\n[drill]\nevery_s = 0\n{more}\n",
            urls.join("\n"),
            self.displays_at,
            self.metrics_at
        );
        self.write("gateway.toml", &text)
    }

    /// Starts the gateway on settings that were written before.
    ///
    /// # Errors
    /// It cannot be built or started.
    pub fn gateway(&self, settings: &Path) -> anyhow::Result<Program> {
        self.gateway_in(settings, &[])
    }

    /// As [`Ward::gateway`], with more in its environment.
    ///
    /// # Errors
    /// It cannot be built or started.
    pub fn gateway_in(&self, settings: &Path, more: &[(&str, String)]) -> anyhow::Result<Program> {
        let mut command = Command::new(&self.gateway);
        command.arg("serve").arg("--config").arg(settings);
        command.envs(more.iter().map(|(name, value)| (*name, value.as_str())));
        Program::start(command, "gateway", self.folder())
    }

    /// Starts an agent.
    ///
    /// # Errors
    /// Its settings cannot be written, or it cannot be built or started.
    pub fn agent(&self, setup: &AgentSetup<'_>) -> anyhow::Result<Program> {
        let urls = setup.brokers.iter().map(|at| format!("\"mqtt://{at}\"")).collect::<Vec<_>>();
        let mut text = format!("ward = \"{WARD}\"\npump = \"{}\"\n", setup.pump);
        writeln!(text, "brokers = [{}]", urls.join(", ")).context("cannot write settings")?;
        text.push_str(&setup.settings);
        let settings = self.write(&format!("agent-{}.toml", setup.pump), &text)?;
        let mut command = match setup.prefix.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&self.agent);
                command
            }
            None => Command::new(&self.agent),
        };
        command.arg("run").arg("--config").arg(settings);
        command.envs(setup.environment.iter().map(|(name, value)| (*name, value.as_str())));
        Program::start(command, &format!("agent-{}", setup.pump), self.folder())
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder().join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

impl<'a> AgentSetup<'a> {
    /// A simulated circuit that publishes to these brokers and keeps a spool in the ward's folder.
    #[must_use]
    pub fn simulated(pump: &'a str, brokers: Vec<SocketAddr>) -> Self {
        let settings = format!(
            "[spool]\ndir = \"spool-{pump}\"\n[[source]]\nkind = \"simulated\"\nseed = 7\n"
        );
        Self { pump, brokers, settings, environment: Vec::new(), prefix: Vec::new() }
    }
}
