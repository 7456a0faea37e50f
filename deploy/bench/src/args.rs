//! What a run measures, as told on the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Measures latency: ours beside that of the raw hops, in one run.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// From a frame's publication to its alarm at every display, beside a raw broker hop and a raw gRPC hop.
    ///
    /// Exit codes: 0 measured, whatever the values; 1 an alarm was lost or invented, or the run failed; 2 arguments.
    Latency(Latency),
    /// Delivery to 1, 20 and 200 displays, beside one that is frozen, after all came back at once, at twice the rated input;
    /// processor time and memory.
    ///
    /// Exit codes: 0 measured, and no ratio far beyond its promise; 1 an alarm was lost or invented, a ratio is far beyond, or
    /// the run failed; 2 arguments.
    Delivery(Delivery),
    /// A fixed amount of work for an instruction counter: hands alarm changes to displays and encodes them, without sockets.
    #[command(hide = true)]
    Work(Work),
    /// A display in a process of its own; started by the others.
    #[command(hide = true)]
    Beside(Process),
}

/// Settings of a run; they are part of its report.
#[derive(Debug, Clone, Parser, serde::Serialize)]
pub(crate) struct Latency {
    /// Pumps that publish.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) pumps: u32,
    /// Frames of one pump in a second.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(10..=100))]
    pub(crate) rate: u32,
    /// Displays that watch all alarms.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(crate) displays: u32,
    /// Rounds; each measures the broker hop, the stream hop and ours.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// Measured seconds of each of the three in a round.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=600))]
    pub(crate) seconds: u32,
    /// The broker; without this Mosquitto if it is installed, else the embedded one.
    #[arg(long)]
    pub(crate) broker: Option<BrokerKind>,
    /// Where the report goes as JSON; without this target/bench/latency.json below the working directory.
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
    /// The gateway; without this the ecmo-gateway beside this program.
    #[arg(long)]
    pub(crate) gateway: Option<PathBuf>,
}

/// Settings of a run about delivery; they are part of its report.
#[derive(Debug, Clone, Parser, serde::Serialize)]
pub(crate) struct Delivery {
    /// A short run, within 90 s.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Measured seconds of each part; without this 10, and 2 in a short run.
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=600))]
    pub(crate) seconds: Option<u32>,
    /// Pairs of turns with and without a frozen display; without this 20, and 4 in a short run.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) pairs: Option<u32>,
    /// The broker; without this Mosquitto if it is installed, else the embedded one.
    #[arg(long)]
    pub(crate) broker: Option<BrokerKind>,
    /// Where the report goes as JSON; without this target/bench/delivery.json below the working directory.
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
    /// The gateway; without this the ecmo-gateway beside this program.
    #[arg(long)]
    pub(crate) gateway: Option<PathBuf>,
}

impl Delivery {
    /// Measured seconds of each part.
    pub(crate) fn seconds(&self) -> u32 {
        self.seconds.unwrap_or(if self.quick { 2 } else { 10 })
    }

    /// Pairs of turns with and without a frozen display.
    pub(crate) fn pairs(&self) -> u32 {
        self.pairs.unwrap_or(if self.quick { 4 } else { 20 })
    }
}

/// Settings of a display in a process of its own.
#[derive(Debug, Clone, Parser)]
pub(crate) struct Process {
    /// The gateway.
    #[arg(long)]
    pub(crate) url: String,
    /// The ward.
    #[arg(long)]
    pub(crate) ward: String,
    /// Pumps of the ward; it watches the waveforms of all.
    #[arg(long)]
    pub(crate) pumps: u32,
    /// Pause after each message of the ward, in milliseconds.
    #[arg(long, default_value_t = 0)]
    pub(crate) pause_ms: u64,
}

/// Sizes of the work for an instruction counter.
#[derive(Debug, Clone, Parser)]
pub(crate) struct Work {
    /// Alarm changes.
    pub(crate) changes: u32,
    /// Displays that get each.
    pub(crate) displays: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BrokerKind {
    /// A Mosquitto process.
    Mosquitto,
    /// The embedded broker, on threads of this process.
    Embedded,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_yardstick() {
        let Command::Latency(run) =
            Arguments::try_parse_from(["ecmo-bench", "latency"]).unwrap().command
        else {
            panic!("another command")
        };
        let sizes = (run.pumps, run.rate, run.displays, run.rounds, run.seconds);
        assert_eq!(sizes, (30, 50, 20, 5, 10));
    }

    #[test]
    fn impossible_sizes_are_refused() {
        for bad in [["--pumps", "0"], ["--rate", "5"], ["--seconds", "1"], ["--broker", "x"]] {
            let words = ["ecmo-bench", "latency"].into_iter().chain(bad);
            assert!(Arguments::try_parse_from(words).is_err(), "{bad:?}");
        }
    }
}
