//! Kills any one process, again and again: no alarm lost, none doubled on the screen, no view held up, no acknowledgement undone.
//!
//! Real processes: two Mosquitto, two gateways that read both, agents whose circuits have faults now and then. A display with
//! both gateways and one with a single link run in this process; what they show is held against a third gateway that is never
//! killed. The seed repeats what is killed when, though not the timing of the machine.

mod settings;

mod world;

mod story;

mod judge;

mod gaps;

mod watch;

mod run;

mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use ecmo_testkit::Mosquitto;

/// Kills one process at a time, with SIGKILL, and starts it again.
///
/// Exit codes: 0 nothing was violated, or Mosquitto is not installed and nothing was tried; 1 something was violated, or the run
/// failed; 2 arguments.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Arguments {
    /// Seed of who is killed when, and of the faults; printed when it is not given.
    #[arg(long)]
    seed: Option<u64>,
    /// How many kills.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    count: u32,
    /// Folder in which settings, logs and states are left; without, nothing is left.
    #[arg(long)]
    keep: Option<PathBuf>,
}

fn main() -> ExitCode {
    match begin(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs; tells whether nothing was violated.
fn begin(arguments: &Arguments) -> anyhow::Result<bool> {
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    println!("{} kills, seed {seed}", arguments.count);
    let brokers = match (Mosquitto::start(), Mosquitto::start()) {
        (Ok(first), Ok(second)) => vec![first, second],
        (Err(error), _) | (_, Err(error)) => {
            println!("skipped: a broker of its own process is needed: {error:#}");
            return Ok(true);
        }
    };
    let scratch = tempfile::tempdir().context("no scratch folder")?;
    let folder = arguments.keep.clone().unwrap_or_else(|| scratch.path().to_owned());
    std::fs::create_dir_all(&folder).context("cannot make the folder")?;
    let found = run::run(&folder, brokers, seed, arguments.count)?;
    println!("{}", report::table(&found));
    if !found.violations.is_empty() {
        println!("repeat it with --seed {seed} --count {} --keep FOLDER", arguments.count);
    }
    Ok(found.violations.is_empty())
}
