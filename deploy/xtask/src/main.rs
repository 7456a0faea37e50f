//! The project's chores: `cargo xtask ci`, `cargo xtask bench latency`, `cargo xtask generate`.

mod clock;

mod process;

mod http;

mod tools;

mod contract;

mod mosquitto;

mod demo;

mod ci;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::process::Project;

const USAGE: &str = "\
usage:
  cargo xtask ci [--list] [--only STEP]...   everything that must hold; installs what it needs
  cargo xtask bench latency [OPTION]...      our latency beside that of the raw hops, in the release profile
  cargo xtask generate                       makes proto/src/gen anew from the .proto files";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let project = Project::find()?;
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["ci", options @ ..] => ci::run(&project, options),
        ["bench", "latency", options @ ..] => {
            let bench = ["run", "--release", "--package", "ecmo-bench", "--", "latency"];
            project.cargo(&[bench.as_slice(), options].concat()).context("the yardstick")
        }
        ["generate"] => project.cargo(&["run", "--package", "ecmo-proto", "--example", "generate"]),
        ["--help" | "-h" | "help"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("unknown command {arguments:?}\n{USAGE}"),
    }
}
