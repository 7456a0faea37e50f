//! `cargo xtask sim`: runs seeds, and tells what did not hold.

mod clock;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use ecmo_sim::breaks::Break;
use ecmo_sim::run::{Order, Outcome, run};
use ecmo_sim::time::{MS, Nanos, SECOND};

use clock::Start;

/// Exit code for arguments that make no sense; clap uses it too.
const EXIT_CANNOT: u8 = 2;

/// Agents, brokers, gateways and displays under one seed: what must hold, holds whatever goes wrong.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask sim")]
struct Arguments {
    /// Runs this seed
    #[arg(long, conflicts_with_all = ["seeds", "minutes"])]
    seed: Option<u64>,
    /// Runs the seeds from A to below B
    #[arg(long, value_name = "A..B", value_parser = seeds, conflicts_with = "minutes")]
    seeds: Option<Range<u64>>,
    /// Runs seeds one after the other, from the time of day on, for so many minutes
    #[arg(long)]
    minutes: Option<f64>,
    /// Simulated hours of each seed
    #[arg(long, default_value_t = 1.0)]
    hours: f64,
    /// Writes every step of the seed into this file
    #[arg(long, requires = "seed")]
    trace: Option<PathBuf>,
    /// Plants a fault that must be found; --list-breaks names them
    #[arg(long = "break", value_name = "NAME", value_parser = planted)]
    planted: Option<Break>,
    /// Names the faults that can be planted
    #[arg(long)]
    list_breaks: bool,
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("write it as A..B, such as 1..100")?;
    let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text}: {error}"));
    Ok(number(from)?..number(to)?)
}

fn planted(name: &str) -> Result<Break, String> {
    Break::from_name(name).ok_or_else(|| "no such fault; see --list-breaks".to_owned())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run_all(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) if is_unheard(&error) => ExitCode::from(EXIT_CANNOT),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(EXIT_CANNOT)
        }
    }
}

/// Whether whoever read what is told has gone, as `head` does: then there is nobody to tell of it either.
fn is_unheard(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Does what was asked for; whether everything held.
fn run_all(arguments: &Arguments) -> Result<bool> {
    let mut out = io::stdout().lock();
    if arguments.list_breaks {
        for planted in Break::ALL {
            let number = planted.caught_by().number();
            writeln!(out, "{:20} I{number}  {}", planted.name(), planted.what())?;
        }
        return Ok(true);
    }
    let lasts = length(arguments.hours)?;
    let start = Start::now();
    let mut sum = Sum::default();
    let mut tell = |seed: u64, file: Option<Box<dyn Write>>| {
        let order = Order { seed, lasts, planted: arguments.planted };
        let outcome = run(order, file);
        sum.add(&outcome);
        outcome
    };
    if let Some(seed) = arguments.seed {
        let file = arguments.trace.as_ref().map(|path| -> Result<Box<dyn Write>> {
            let file = File::create(path).with_context(|| path.display().to_string())?;
            Ok(Box::new(BufWriter::new(file)))
        });
        let outcome = tell(seed, file.transpose()?);
        writeln!(out, "{}", one_line(&outcome))?;
        print_violation(&mut out, &outcome, arguments)?;
    } else {
        let time_is_up = |start: Start| {
            arguments.minutes.is_some_and(|minutes| start.passed().as_secs_f64() > minutes * 60.0)
        };
        let range = match (&arguments.seeds, arguments.minutes) {
            (Some(range), _) => range.clone(),
            (None, Some(_)) => clock::seed_of_now()..u64::MAX,
            (None, None) => bail!("name --seed, --seeds or --minutes"),
        };
        writeln!(out, "seeds from {}", range.start)?;
        for seed in range {
            let outcome = tell(seed, None);
            print_violation(&mut out, &outcome, arguments)?;
            if time_is_up(start) {
                break;
            }
        }
    }
    sum.print(&mut out, start)?;
    Ok(sum.failed == 0)
}

fn length(hours: f64) -> Result<Nanos> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bounded to a year, and above 0"
    )]
    let length = |hours: f64| (hours * 3_600.0) as u64 * SECOND;
    if hours > 0.0 && hours < 8_766.0 {
        Ok(length(hours))
    } else {
        bail!("hours: above 0, and below a year")
    }
}

fn one_line(outcome: &Outcome) -> String {
    let Outcome { seed, digest, steps, pump_hours, .. } = outcome;
    format!("seed {seed}: digest {digest:016x}, {steps} steps, {pump_hours:.2} pump-hours")
}

fn print_violation(
    out: &mut impl Write,
    outcome: &Outcome,
    arguments: &Arguments,
) -> io::Result<()> {
    let Some(violation) = &outcome.violation else { return Ok(()) };
    for step in &outcome.last {
        writeln!(out, "  {step}")?;
    }
    writeln!(out, "FAILED {}", one_line(outcome))?;
    writeln!(out, "  {violation}")?;
    writeln!(out, "  again: cargo xtask sim --seed {} --hours {}", outcome.seed, arguments.hours)
}

/// The sum of all runs.
#[derive(Debug, Default)]
struct Sum {
    seeds: u64,
    failed: u64,
    pump_hours: f64,
    steps: u64,
    frames: u64,
    raised: u64,
    faults: u64,
    shown: u64,
    compared: u64,
    accepted: u64,
    damaged: u64,
    untold: Nanos,
    oldest: Nanos,
}

impl Sum {
    fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.failed += u64::from(outcome.violation.is_some());
        self.pump_hours += outcome.pump_hours;
        self.steps += outcome.steps;
        self.frames += outcome.tally.frames;
        self.raised += outcome.tally.raised;
        self.faults += outcome.tally.faults;
        self.shown += outcome.tally.shown;
        self.compared += outcome.compared;
        self.accepted += outcome.answers.0;
        self.damaged += outcome.tally.wire.1;
        self.untold = self.untold.max(outcome.untold);
        self.oldest = self.oldest.max(outcome.tally.oldest);
    }

    fn print(&self, out: &mut impl Write, start: Start) -> io::Result<()> {
        let Self { seeds, failed, pump_hours, steps, frames, faults, .. } = self;
        writeln!(
            out,
            "{seeds} seeds, {failed} failed; {steps} steps, {frames} frames, {faults} faults"
        )?;
        writeln!(
            out,
            "{} alarms raised, {} compared between gateways, {} actions accepted, {} values shown as of now, {} damaged frames refused",
            self.raised, self.compared, self.accepted, self.shown, self.damaged
        )?;
        writeln!(
            out,
            "longest time untold {} ms; oldest value shown as of now {} ms",
            self.untold / MS,
            self.oldest / MS
        )?;
        let (wall, cpu) = (start.passed().as_secs_f64(), clock::cpu().as_secs_f64());
        writeln!(
            out,
            "{pump_hours:.1} pump-hours in {wall:.1} s ({cpu:.1} s of processor): {:.0} pump-hours a minute and core",
            pump_hours * 60.0 / cpu
        )
    }
}
