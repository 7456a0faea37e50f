//! The processes: two brokers, two gateways and one that watches them, three agents; each is killed and started again.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use ecmo_testkit::{Mosquitto, Program, free_port};

use crate::settings::{self, PUMPS};

/// The gateways: two that are killed, and one that never is, by which the others are judged.
pub(crate) const GATEWAYS: [&str; 3] = ["gateway-a", "gateway-b", "observer"];

/// Which of them is never killed.
pub(crate) const OBSERVER: usize = 2;

/// A process that may be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The agent of a pump.
    Agent(usize),
    /// A broker.
    Broker(usize),
    /// A gateway that displays are connected to.
    Gateway(usize),
}

/// The kinds of processes, in the order of the statistics.
pub(crate) const KINDS: [&str; 3] = ["agent", "broker", "gateway"];

impl Target {
    /// One of them. Agents are chosen less often: an agent that was killed begins its faults anew.
    pub(crate) fn choose(random: &mut fastrand::Rng) -> Self {
        match random.u8(..8) {
            0 | 1 => Self::Agent(random.usize(..PUMPS.len())),
            2..=4 => Self::Broker(random.usize(..2)),
            _ => Self::Gateway(random.usize(..OBSERVER)),
        }
    }

    /// Its kind.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Agent(_) => "agent",
            Self::Broker(_) => "broker",
            Self::Gateway(_) => "gateway",
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Agent(place) => write!(f, "agent of {}", PUMPS.get(*place).unwrap_or(&"?")),
            Self::Broker(place) => write!(f, "broker {}", if *place == 0 { "a" } else { "b" }),
            Self::Gateway(place) => f.write_str(GATEWAYS.get(*place).unwrap_or(&"?")),
        }
    }
}

/// One of our programs with its settings; it may be dead.
#[derive(Debug)]
struct Process {
    name: String,
    program: PathBuf,
    word: &'static str,
    settings: PathBuf,
    running: Option<Program>,
}

impl Process {
    fn start(&mut self, folder: &Path) -> anyhow::Result<()> {
        let mut command = Command::new(&self.program);
        command.arg(self.word).arg("--config").arg(&self.settings);
        self.running = Some(Program::start(command, &self.name, folder)?);
        Ok(())
    }

    fn kill(&mut self) -> anyhow::Result<()> {
        self.running.take().with_context(|| format!("{} is dead", self.name))?.kill()
    }

    /// Fails when it ended unasked.
    fn check(&mut self) -> anyhow::Result<()> {
        let Some(program) = &mut self.running else { return Ok(()) };
        match program.ended()? {
            None => Ok(()),
            Some(status) => {
                bail!("{} ended by itself ({status}):\n{}", self.name, program.log())
            }
        }
    }
}

/// Everything that runs; it ends with this.
#[derive(Debug)]
pub(crate) struct World {
    folder: PathBuf,
    brokers: Vec<Mosquitto>,
    agents: Vec<Process>,
    gateways: Vec<Process>,
    served: Vec<SocketAddr>,
}

impl World {
    /// Starts everything.
    pub(crate) fn start(
        folder: &Path,
        brokers: Vec<Mosquitto>,
        random: &mut fastrand::Rng,
    ) -> anyhow::Result<Self> {
        let programs = std::env::current_exe().context("cannot tell where this program lies")?;
        let reached: Vec<_> = brokers.iter().map(Mosquitto::addr).collect();
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let process = |name: &str, program: &str, word, text: String| {
            let settings = folder.join(format!("{name}.toml"));
            std::fs::write(&settings, text).with_context(|| format!("settings of {name}"))?;
            let program = programs.with_file_name(program);
            anyhow::ensure!(program.is_file(), "there is no {}; build it first", program.display());
            let name = name.to_owned();
            Ok(Process { name, program, word, settings, running: None })
        };
        let (mut gateways, mut served, mut agents) = (Vec::new(), Vec::new(), Vec::new());
        for name in GATEWAYS {
            let (serve, metrics) = (local(free_port()?), local(free_port()?));
            let text = settings::gateway(name, &reached, serve, metrics);
            gateways.push(process(name, "ecmo-gateway", "serve", text)?);
            served.push(serve);
        }
        for pump in PUMPS {
            let text = settings::agent(pump, &reached, random);
            agents.push(process(&format!("agent-{pump}"), "ecmo-agent", "run", text)?);
        }
        for process in gateways.iter_mut().chain(&mut agents) {
            process.start(folder)?;
        }
        Ok(Self { folder: folder.to_owned(), brokers, agents, gateways, served })
    }

    /// Where displays of a gateway connect.
    pub(crate) fn served(&self, gateway: usize) -> anyhow::Result<SocketAddr> {
        self.served.get(gateway).copied().context("there are three gateways")
    }

    fn process(&mut self, target: Target) -> anyhow::Result<&mut Process> {
        let process = match target {
            Target::Agent(place) => self.agents.get_mut(place),
            Target::Gateway(place) => self.gateways.get_mut(place),
            Target::Broker(_) => None,
        };
        process.with_context(|| format!("there is no {target}"))
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, target: Target) -> anyhow::Result<()> {
        match target {
            Target::Broker(place) => self.brokers.get_mut(place).context("two brokers")?.kill(),
            Target::Agent(_) | Target::Gateway(_) => self.process(target)?.kill(),
        }
    }

    /// Starts again what was killed.
    pub(crate) fn restart(&mut self, target: Target) -> anyhow::Result<()> {
        let folder = self.folder.clone();
        match target {
            Target::Broker(place) => self.brokers.get_mut(place).context("two brokers")?.restart(),
            Target::Agent(_) | Target::Gateway(_) => self.process(target)?.start(&folder),
        }
    }

    /// Fails when something ended unasked.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        self.gateways.iter_mut().chain(&mut self.agents).try_for_each(Process::check)
    }
}
