//! An outage with random kills of agent, brokers and gateway, then the proof: no sample missing, none doubled.
//!
//! Real processes: two Mosquitto, an agent with a spool, a gateway with a journal. The seed repeats what is killed when, though
//! not the timing of the machine.

mod clock;

mod process;

mod metrics;

mod compare;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use ecmo_gateway::config::Keep;
use ecmo_testkit::{Mosquitto, free_port};

use crate::metrics::{BACKFILLED, INGEST, KEPT, MISSING, Page, slowest};
use clock::Start;
use process::Program;

/// Kills agent, brokers and gateway at random during an outage of both brokers, waits for the backfill, and compares the
/// agent's spool with the gateway's journal, sample by sample.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// Length of the outage, in minutes.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// An outage of one minute.
    #[arg(long)]
    quick: bool,
    /// Seed of the chaos; printed when it is not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Folder in which settings, logs, spool and journal are left; without, nothing is left.
    #[arg(long)]
    keep: Option<PathBuf>,
}

/// Before the outage: everything runs, and some seconds are recorded.
const CALM: Duration = Duration::from_secs(8);

/// The backfill of ten minutes takes less than one at the default rate; a busy machine takes longer.
const BACKFILL_MAX: Duration = Duration::from_mins(5);

/// Nothing may be missing for so long before the backfill counts as complete: longer than a word of the agent takes to settle.
const COMPLETE_FOR: Duration = Duration::from_secs(6);

const LOOK: Duration = Duration::from_millis(250);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    let minutes = if arguments.quick { 1 } else { arguments.minutes };
    println!("outage of {minutes} min, seed {seed}");
    let scratch = tempfile::tempdir().context("no scratch folder")?;
    let folder = arguments.keep.clone().unwrap_or_else(|| scratch.path().to_owned());
    std::fs::create_dir_all(&folder).context("cannot make the folder")?;
    let mut world = World::start(&folder, seed)?;
    std::thread::sleep(CALM);
    world.check().context("before the outage")?;
    world.outage(Duration::from_mins(minutes))?;
    world.heal()?;
    let backfilled = world.wait_for_backfill();
    if let Err(error) = backfilled {
        eprintln!("agent:\n{}\ngateway:\n{}", world.agent.tail(), world.gateway.tail());
        return Err(error);
    }
    // The agent first: the gateway takes what it sends at the end.
    world.agent.stop()?;
    std::thread::sleep(Duration::from_secs(1));
    world.gateway.stop()?;
    let keep =
        Keep { dir: folder.join("journal"), age_max: Duration::from_hours(24), bytes_max: 1 << 30 };
    let found = compare::compare(&folder.join("spool"), &keep)?;
    found.judge(world.agent_kills)?;
    println!("nothing is missing and nothing doubled");
    Ok(())
}

/// Everything that runs.
#[derive(Debug)]
struct World {
    random: fastrand::Rng,
    brokers: [Mosquitto; 2],
    broker_runs: [bool; 2],
    agent: Program,
    gateway: Program,
    scraped: SocketAddr,
    agent_kills: u64,
    kills: u64,
    freezes: u64,
}

/// What is done to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    KillAgent,
    KillGateway,
    FreezeAgent,
    FreezeGateway,
    FlapBroker(usize),
}

const BLOWS: [Blow; 6] = [
    Blow::KillAgent,
    Blow::KillGateway,
    Blow::FreezeAgent,
    Blow::FreezeGateway,
    Blow::FlapBroker(0),
    Blow::FlapBroker(1),
];

impl World {
    fn start(folder: &Path, seed: u64) -> Result<Self> {
        let brokers = [Mosquitto::start()?, Mosquitto::start()?];
        let serve = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let metrics = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let url = |broker: &Mosquitto| format!("mqtt://{}", broker.addr());
        let [first, second] = [url(&brokers[0]), url(&brokers[1])];
        let agent_toml = folder.join("agent.toml");
        std::fs::write(&agent_toml, agent_settings(&first, &second))?;
        let gateway_toml = folder.join("gateway.toml");
        std::fs::write(&gateway_toml, gateway_settings(&first, &second, serve, metrics))?;
        let programs = std::env::current_exe().context("cannot tell where this program lies")?;
        let program = |name: &str, word: &str, settings: &Path| {
            let settings = settings.to_string_lossy();
            let log = folder.join(format!("{name}.log"));
            Program::new(programs.with_file_name(name), &[word, "--config", &settings], log)
        };
        let mut world = Self {
            random: fastrand::Rng::with_seed(seed),
            brokers,
            broker_runs: [true, true],
            agent: program("ecmo-agent", "run", &agent_toml)?,
            gateway: program("ecmo-gateway", "serve", &gateway_toml)?,
            scraped: metrics,
            agent_kills: 0,
            kills: 0,
            freezes: 0,
        };
        world.gateway.start()?;
        world.agent.start()?;
        Ok(world)
    }

    /// Everything runs, and frames are kept.
    fn check(&mut self) -> Result<()> {
        self.agent.check()?;
        self.gateway.check()?;
        let kept = Page::get(self.scraped)?.sum(KEPT);
        ensure!(kept > 0.0, "the gateway keeps no frame; its log:\n{}", self.gateway.tail());
        Ok(())
    }

    /// Both brokers are gone but for moments, and everything is killed and frozen at random.
    fn outage(&mut self, lasts: Duration) -> Result<()> {
        let begun = Start::now();
        self.set_broker(0, false)?;
        self.set_broker(1, false)?;
        while begun.passed() < lasts {
            let pause = Duration::from_millis(self.random.u64(2_000..12_000));
            std::thread::sleep(pause.min(lasts.saturating_sub(begun.passed())));
            self.agent.check()?;
            self.gateway.check()?;
            let blow = self.random.choice(BLOWS).context("there are blows")?;
            println!("{:6.1} s  {blow:?}", begun.passed().as_secs_f64());
            self.deal(blow)?;
        }
        Ok(())
    }

    fn deal(&mut self, blow: Blow) -> Result<()> {
        let moment = Duration::from_millis(self.random.u64(200..4_000));
        match blow {
            Blow::KillAgent => {
                self.agent.kill()?;
                self.agent_kills += 1;
                self.kills += 1;
                std::thread::sleep(moment);
                self.agent.start()
            }
            Blow::KillGateway => {
                self.gateway.kill()?;
                self.kills += 1;
                std::thread::sleep(moment);
                self.gateway.start()
            }
            Blow::FreezeAgent => {
                self.agent.freeze()?;
                self.freezes += 1;
                std::thread::sleep(moment);
                self.agent.thaw()
            }
            Blow::FreezeGateway => {
                self.gateway.freeze()?;
                self.freezes += 1;
                std::thread::sleep(moment);
                self.gateway.thaw()
            }
            Blow::FlapBroker(place) => {
                self.kills += 1;
                self.set_broker(place, true)?;
                std::thread::sleep(moment * 2);
                self.set_broker(place, false)
            }
        }
    }

    fn set_broker(&mut self, place: usize, runs: bool) -> Result<()> {
        let (Some(broker), Some(is_running)) =
            (self.brokers.get_mut(place), self.broker_runs.get_mut(place))
        else {
            bail!("there are two brokers");
        };
        if *is_running == runs {
            return Ok(());
        }
        *is_running = runs;
        if runs { broker.restart() } else { broker.kill() }
    }

    fn heal(&mut self) -> Result<()> {
        self.set_broker(0, true)?;
        self.set_broker(1, true)?;
        self.agent.start()?;
        self.gateway.start()
    }

    fn wait_for_backfill(&mut self) -> Result<()> {
        let begun = Start::now();
        let (mut before, mut complete_since) = (None, None);
        loop {
            ensure!(begun.passed() < BACKFILL_MAX, "the backfill is not complete in time");
            std::thread::sleep(LOOK);
            self.agent.check()?;
            self.gateway.check()?;
            let Ok(page) = Page::get(self.scraped) else { continue };
            let first = before.get_or_insert_with(|| page.buckets(INGEST));
            let (missing, backfilled) = (page.sum(MISSING), page.sum(BACKFILLED));
            if missing > 0.0 || backfilled < 1.0 {
                complete_since = None;
                continue;
            }
            let since = *complete_since.get_or_insert_with(|| begun.passed());
            if begun.passed().saturating_sub(since) < COMPLETE_FOR {
                continue;
            }
            let slowest = slowest(first, &page.buckets(INGEST));
            println!(
                "backfill complete after {:.1} s: {backfilled} frames, {:.0} a second; live frames took at most {} s from publication to arrival meanwhile; {} kills, {} freezes",
                since.as_secs_f64(),
                backfilled / since.as_secs_f64().max(0.001),
                slowest.as_deref().unwrap_or("-"),
                self.kills,
                self.freezes,
            );
            return Ok(());
        }
    }
}

fn agent_settings(first: &str, second: &str) -> String {
    format!(
        "ward = \"nicu\"\npump = \"outage\"\nbrokers = [\"{first}\", \"{second}\"]\n\n\
         [spool]\ndir = \"spool\"\n\n\
         [[source]]\nkind = \"simulated\"\nseed = 1\nspeed_rpm = 2000\n"
    )
}

fn gateway_settings(first: &str, second: &str, serve: SocketAddr, metrics: SocketAddr) -> String {
    format!(
        "[broker]\nurl = \"{first}\"\nsecond_url = \"{second}\"\n\n\
         [serve]\nbind = \"{serve}\"\n\n[metrics]\nbind = \"{metrics}\"\n\n\
         [journal]\ndir = \"journal\"\nmax_mib = 1024\n\n\
         [[pump]]\nward = \"nicu\"\npump = \"outage\"\n"
    )
}
