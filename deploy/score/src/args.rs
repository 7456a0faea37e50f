//! What a score is made of, as told on the command line.

use std::path::PathBuf;

use clap::Parser;
use ecmo_circuit::Fault;

/// Runs with a fault in a score.
const RUNS: u32 = 640;

/// Hours without a fault in a score.
const HOURS: f64 = 500.0;

/// Hours without a fault in a quick score.
const QUICK_HOURS: f64 = 24.0;

/// Holds the alarm rules against runs whose truth is known: simulated ones, or recordings that were made elsewhere.
///
/// Exit codes: 0 every target is reached; 1 a target is missed; 2 arguments, files or a run that cannot be judged.
#[derive(Debug, Clone, PartialEq, Parser)]
#[command(name = "cargo xtask score", version, about)]
pub(crate) struct Arguments {
    /// Runs with a fault, at least; every fault on every circuit comes once at least [default: 640].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) runs: Option<u32>,
    /// Patient-hours without a fault [default: 500].
    #[arg(long, value_parser = hours)]
    pub(crate) hours: Option<f64>,
    /// Another seed makes another set of runs.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Every fault once, and a few hours without one: what continuous integration has time for.
    #[arg(long, conflicts_with_all = ["runs", "hours", "write"])]
    pub(crate) quick: bool,
    /// Only this fault, and no run without one.
    #[arg(long)]
    pub(crate) fault: Option<Fault>,
    /// Writes the table into gateway/docs/alarm-score.md.
    #[arg(long, conflicts_with_all = ["fault", "recordings", "export", "explain", "list"])]
    pub(crate) write: bool,
    /// Lists the runs and judges none.
    #[arg(long, conflicts_with = "recordings")]
    pub(crate) list: bool,
    /// Tells one run moment by moment: its number, or the name of a recording.
    #[arg(long, value_name = "RUN")]
    pub(crate) explain: Option<String>,
    /// Judges the recordings of a folder instead of simulated runs: NAME.csv and NAME.json for each.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["runs", "hours", "seed", "quick", "fault", "export"])]
    pub(crate) recordings: Option<PathBuf>,
    /// Writes simulated runs as recordings into a folder and judges none: one of each fault, or the first --runs of the
    /// score, and --hours without one.
    #[arg(long, value_name = "DIR")]
    pub(crate) export: Option<PathBuf>,
    /// Judges by this profile instead of the shipped one.
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
}

impl Arguments {
    /// Runs with a fault.
    pub(crate) fn fault_runs(&self) -> u32 {
        self.runs.unwrap_or(RUNS)
    }

    /// Hours without a fault.
    pub(crate) fn free_hours(&self) -> f64 {
        match (self.hours, self.quick, &self.export) {
            (Some(hours), _, _) => hours,
            (None, true, _) => QUICK_HOURS,
            (None, false, Some(_)) => 0.0,
            (None, false, None) => HOURS,
        }
    }

    /// Whether every fault comes once only.
    pub(crate) fn is_short(&self) -> bool {
        self.quick || (self.export.is_some() && self.runs.is_none())
    }
}

fn hours(text: &str) -> Result<f64, String> {
    let hours: f64 = text.parse().map_err(|_no_number| format!("{text:?} is no number"))?;
    if (0.0..=100_000.0).contains(&hours) { Ok(hours) } else { Err("0 to 100000 hours".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(["score"].into_iter().chain(words.split_whitespace()))
    }

    #[test]
    fn the_defaults_are_the_score_that_is_promised() {
        let arguments = parse("").unwrap();
        assert!(arguments.fault_runs() >= 300 && arguments.free_hours() >= 500.0);
        assert!(!arguments.is_short() && parse("--quick").unwrap().is_short());
        let export = parse("--export x --runs 3").unwrap();
        assert!(!export.is_short() && export.free_hours() <= 0.0);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in [
            "--runs 0",
            "--hours -1",
            "--hours nan",
            "--fault pump_stop",
            "--recordings x --quick",
            "--write --quick",
            "--write --fault pump-stop",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse("--fault pump-stop --runs 10 --explain 3").is_ok());
    }
}
