//! The project's chores: `cargo xtask ci`, `cargo xtask bench latency`, `cargo xtask score`, `cargo xtask generate`.

mod clock;

mod process;

mod http;

mod tools;

mod contract;

mod containers;

mod mosquitto;

mod page;

mod demo;

mod score;

mod outage;

mod monitoring;

mod kills;

mod bench;

mod instructions;

mod sampler;

mod sim;

mod packages;

mod cross;

mod dependencies;

mod ci;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::process::Project;

const USAGE: &str = "\
usage:
  cargo xtask ci [--list] [--only STEP]...   everything that must hold; installs what it needs
  cargo xtask bench latency [OPTION]...      our latency beside that of the raw hops, in the release profile
  cargo xtask bench delivery [--quick]       1, 20 and 200 displays, a frozen one, all at once, too much input; cost and memory
  cargo xtask bench sampler [--seconds N]    pace and cost of the agent at 1 kHz x 8 channels, in the release profile
  cargo xtask bench instructions [--write]   what a frame and a delivery cost, in instructions (valgrind), against the baseline
  cargo xtask bench page                     frames a second and cost of thirty pumps at the nurse station, in the release profile
  cargo xtask bench store [--dir FOLDER]     how long a durable action takes, beside a flush of the same disk
  cargo xtask bench history [--quick]        the history of 30 pumps: cost of writing, size, time of a question and of a start
  cargo xtask score [OPTION]...              holds the alarm rules against runs whose truth is known; --help tells more
  cargo xtask outage [OPTION]...             an outage with random kills: no sample missing, none doubled; --help tells more
  cargo xtask sim [OPTION]...                agents, brokers, gateways and displays under one seed; --help tells more
  cargo xtask soak [OPTION]...               the same with long random seeds, for an hour
  cargo xtask kills [OPTION]...              any one process killed, 200 times: no alarm lost, none doubled; --help tells more
  cargo xtask cross aarch64                  the agent for a bedside computer with ARM, and a run of it under qemu
  cargo xtask monitoring [--write]           rules, dashboards and runbooks against a real Prometheus; --write makes dashboards anew
  cargo xtask page                           the nurse station: types, lints, unit tests, build (needs Node)
  cargo xtask browser                        the built nurse station in chromium: every state by its real cause
  cargo xtask generate                       makes proto/src/gen anew from the .proto files";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let project = Project::find()?;
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["score", options @ ..] => return score::run(&project, options),
        ["outage", options @ ..] => outage::run(&project, options),
        ["ci", options @ ..] => ci::run(&project, options),
        ["kills", options @ ..] => kills::run(&project, options),
        ["bench", "page"] => page::measure(&project),
        ["bench", what @ ("latency" | "delivery"), options @ ..] => {
            bench::run(&project, what, options)
        }
        ["bench", "sampler", options @ ..] => sampler::run(&project, options),
        ["bench", "store", options @ ..] => {
            let bench = ["bench", "--package", "ecmo-gateway", "--bench", "store"];
            project.cargo(&[bench.as_slice(), &["--"], options].concat())
        }
        ["bench", "history", options @ ..] => {
            let bench = ["bench", "--package", "ecmo-history", "--bench", "volume"];
            project.cargo(&[bench.as_slice(), &["--"], options].concat())
        }
        ["bench", "instructions", options @ ..] => instructions::bench(&project, options),
        ["sim", "--ci"] => sim::check(&project),
        ["sim", options @ ..] => sim::run(&project, options),
        ["soak", options @ ..] => sim::soak(&project, options),
        ["cross", options @ ..] => cross::run(&project, options),
        ["monitoring", options @ ..] => monitoring::run(&project, options),
        ["page"] => page::check(&project),
        ["browser"] => page::browse(&project),
        ["generate"] => project.cargo(&["run", "--package", "ecmo-proto", "--example", "generate"]),
        ["--help" | "-h" | "help"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("unknown command {arguments:?}\n{USAGE}"),
    };
    done.map(|()| ExitCode::SUCCESS)
}
