//! The project's chores: `cargo xtask ci`, `cargo xtask bench latency`, `cargo xtask score`, `cargo xtask generate`.

mod clock;

mod process;

mod http;

mod tools;

mod contract;

mod mosquitto;

mod demo;

mod score;

mod outage;

mod instructions;

mod sampler;

mod sim;

mod packages;

mod cross;

mod ci;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::process::Project;

const USAGE: &str = "\
usage:
  cargo xtask ci [--list] [--only STEP]...   everything that must hold; installs what it needs
  cargo xtask bench latency [OPTION]...      our latency beside that of the raw hops, in the release profile
  cargo xtask bench sampler [--seconds N]    pace and cost of the agent at 1 kHz x 8 channels, in the release profile
  cargo xtask bench instructions             what judging one frame costs, in instructions (valgrind)
  cargo xtask score [OPTION]...              holds the alarm rules against runs whose truth is known; --help tells more
  cargo xtask outage [OPTION]...             an outage with random kills: no sample missing, none doubled; --help tells more
  cargo xtask sim [OPTION]...                agents, brokers, gateways and displays under one seed; --help tells more
  cargo xtask soak [OPTION]...               the same with long random seeds, for an hour
  cargo xtask cross aarch64                  the agent for a bedside computer with ARM, and a run of it under qemu
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
        ["bench", "latency", options @ ..] => {
            // The gateway is measured as a process of its own; one build for both, so that they share their libraries.
            let packages = ["--package", "ecmo-gateway", "--package", "ecmo-bench"];
            project.cargo(&[["build", "--release"].as_slice(), &packages].concat())?;
            let bench = project.target.join("release").join("ecmo-bench");
            let options = [["latency"].as_slice(), options].concat();
            process::run(&mut project.command(bench, &options)).context("the yardstick")
        }
        ["bench", "sampler", options @ ..] => sampler::run(&project, options),
        ["bench", "instructions"] => instructions::check(&project),
        ["sim", "--ci"] => sim::check(&project),
        ["sim", options @ ..] => sim::run(&project, options),
        ["soak", options @ ..] => sim::soak(&project, options),
        ["cross", options @ ..] => cross::run(&project, options),
        ["generate"] => project.cargo(&["run", "--package", "ecmo-proto", "--example", "generate"]),
        ["--help" | "-h" | "help"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("unknown command {arguments:?}\n{USAGE}"),
    };
    done.map(|()| ExitCode::SUCCESS)
}
