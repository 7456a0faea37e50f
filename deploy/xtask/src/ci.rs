//! Everything that must hold, as named steps in one order: what fails soonest comes first, what was built is used again.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::bench;
use crate::clock::Start;
use crate::containers;
use crate::contract;
use crate::cross;
use crate::demo;
use crate::instructions;
use crate::kills;
use crate::monitoring;
use crate::mosquitto;
use crate::outage;
use crate::page;
use crate::process::{Project, run as run_command};
use crate::sampler;
use crate::score;
use crate::sim;
use crate::tools;

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn(&Project) -> Result<()>,
}

const STEPS: &[Step] = &[
    Step {
        name: "tools",
        what: "installs servers, chromium, measuring and network tools, Buf, pymodbus where missing",
        run: install,
    },
    Step { name: "fmt", what: "every file is formatted", run: format },
    Step {
        name: "buf",
        what: "the contract follows Buf's rules and breaks no release",
        run: contract::check,
    },
    Step {
        name: "mosquitto",
        what: "a real Mosquitto serves with deploy/mosquitto",
        run: mosquitto::check,
    },
    Step {
        name: "containers",
        what: "files for containers follow their schema and rules",
        run: containers::check,
    },
    Step {
        name: "page",
        what: "the nurse station: types, lints, unit tests, build",
        run: page::check,
    },
    Step { name: "clippy", what: "no lint, in any target", run: clippy },
    Step { name: "core", what: "the core builds alone, without std", run: core },
    Step {
        name: "no-broker",
        what: "the gateway builds without the embedded broker",
        run: no_broker,
    },
    Step { name: "doc", what: "the documentation builds without a warning", run: doc },
    Step { name: "test", what: "every test, those that need tools too", run: test },
    Step {
        name: "faults",
        what: "each fault by its real cause, one after the other: they measure times",
        run: faults,
    },
    Step {
        name: "kills",
        what: "any one process killed, 25 times: no alarm lost, none doubled",
        run: short_kills,
    },
    Step {
        name: "demo",
        what: "the demo's alarm reaches a display; promtool accepts the metrics",
        run: run_demo,
    },
    Step {
        name: "browser",
        what: "the nurse station in chromium: every state by its real cause",
        run: browse,
    },
    Step {
        name: "outage",
        what: "ten minutes of outage and random kills lose and double no sample; meanwhile what takes no times: the agent for ARM, \
               the release build, the simulation, a short score of the alarm rules, the page within the program, \
               what operators get",
        run: outage_and_beside,
    },
    Step {
        name: "bench-latency",
        what: "the yardstick runs (its values are not judged here)",
        run: bench_latency,
    },
    Step {
        name: "bench-delivery",
        what: "delivery to many displays: no alarm lost, no ratio far beyond its promise (other values are printed only)",
        run: bench_delivery,
    },
    Step {
        name: "instructions",
        what: "a frame and a delivery cost at most 5 % more instructions than in the baseline",
        run: instructions::check,
    },
    Step { name: "bench-core", what: "cost of one frame in the core", run: bench_core },
    Step {
        name: "bench-sampler",
        what: "an agent at 1 kHz x 8 channels keeps its pace, its share of a core and its memory",
        run: bench_sampler,
    },
];

/// The package whose tests have a step of their own.
const FAULTS: &str = "ecmo-faults";

/// What one call of `ci` does.
#[derive(Debug, PartialEq)]
enum Wish {
    List,
    Run(Vec<&'static str>),
}

pub(crate) fn run(project: &Project, options: &[&str]) -> Result<()> {
    match parse(options)? {
        Wish::List => {
            for step in STEPS {
                println!("{:14} {}", step.name, step.what);
            }
            Ok(())
        }
        Wish::Run(names) => run_steps(project, &names),
    }
}

fn parse(options: &[&str]) -> Result<Wish> {
    let mut only = Vec::new();
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        match *option {
            "--list" => return Ok(Wish::List),
            "--only" => {
                let wanted = rest.next().context("--only needs a step; see --list")?;
                let step = STEPS.iter().find(|step| step.name == *wanted);
                only.push(step.with_context(|| format!("no step {wanted:?}; see --list"))?.name);
            }
            other => bail!("unknown option {other:?}; there are --list and --only STEP"),
        }
    }
    let all = STEPS.iter().map(|step| step.name);
    Ok(Wish::Run(if only.is_empty() { all.collect() } else { only }))
}

fn run_steps(project: &Project, names: &[&str]) -> Result<()> {
    let start = Start::now();
    let mut done: Vec<(&str, Duration)> = Vec::new();
    let mut failure = None;
    for step in STEPS.iter().filter(|step| names.contains(&step.name)) {
        println!("\n=== {}: {}", step.name, step.what);
        let begun = Start::now();
        let result = (step.run)(project);
        println!("=== {}: {:.1} s", step.name, begun.passed().as_secs_f64());
        done.push((step.name, begun.passed()));
        if let Err(error) = result {
            failure = Some(error.context(format!("step {} failed", step.name)));
            break;
        }
    }
    println!("\n=== summary");
    for (index, (name, duration)) in (1..).zip(&done) {
        let word = if failure.is_some() && index == done.len() { "FAILED" } else { "ok" };
        println!("{name:14} {:8.1} s  {word}", duration.as_secs_f64());
    }
    let word = if failure.is_some() { "FAILED" } else { "ok" };
    println!(
        "{:14} {:8.1} s  {word}: {} of {} steps",
        "all",
        start.passed().as_secs_f64(),
        done.len(),
        names.len()
    );
    failure.map_or(Ok(()), Err)
}

fn short_score(project: &Project) -> Result<()> {
    let code = score::run(project, &["--quick"])?;
    ensure!(code == ExitCode::SUCCESS, "the score missed a target; its output says which");
    Ok(())
}

fn install(project: &Project) -> Result<()> {
    tools::ensure_installed(project, &tools::ALL)?;
    tools::pymodbus(project)?;
    tools::container_checkers(project)?;
    tools::buf(project).map(|_installed| ())
}

fn format(project: &Project) -> Result<()> {
    project.cargo(&["fmt", "--all", "--check"])
}

fn clippy(project: &Project) -> Result<()> {
    project.cargo(&["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"])
}

/// Alone and not as a test: only then does the core really do without `std`.
fn core(project: &Project) -> Result<()> {
    project.cargo(&["build", "--locked", "--package", "ecmo-core", "--lib"])
}

fn no_broker(project: &Project) -> Result<()> {
    let gateway = ["--package", "ecmo-gateway", "--no-default-features"];
    project
        .cargo(&[&["clippy", "--locked"], gateway.as_slice(), &["--", "-D", "warnings"]].concat())
}

/// All targets in one build: the programs that later steps start come from the same libraries as the tests.
fn build(project: &Project) -> Result<()> {
    project.cargo(&["build", "--locked", "--workspace", "--all-targets"])
}

fn test(project: &Project) -> Result<()> {
    // Downloading waits for the network, and compilers do not mind it.
    std::thread::scope(|both| {
        let readers = both.spawn(|| tools::readers(project));
        let built = build(project);
        readers.join().map_err(|_panic| anyhow::anyhow!("installing panicked"))?.and(built)
    })?;
    let all = ["test", "--locked", "--workspace", "--exclude", FAULTS, "--", "--include-ignored"];
    project.cargo(&all)
}

/// Times of real processes: what runs beside them would be measured too.
fn faults(project: &Project) -> Result<()> {
    build(project)?;
    let alone = ["--include-ignored", "--nocapture", "--test-threads", "1"];
    // Of the workspace: its package alone would build every library once more, with other features.
    let test = ["test", "--locked", "--workspace", "--test", "faults", "--"];
    project.cargo(&[test.as_slice(), &alone].concat())
}

/// The kills of one seed: the whole number is for `cargo xtask kills`.
fn short_kills(project: &Project) -> Result<()> {
    build(project)?;
    kills::check(project, &["--seed", "7", "--count", "25"])
}

fn run_demo(project: &Project) -> Result<()> {
    build(project)?;
    demo::check(project)
}

fn browse(project: &Project) -> Result<()> {
    build(project)?;
    page::browse(project)
}

fn bench_core(project: &Project) -> Result<()> {
    project.cargo(&["bench", "--locked", "--package", "ecmo-core"])
}

fn bench_latency(project: &Project) -> Result<()> {
    build(project)?;
    let arguments = ["latency", "--rounds", "1", "--seconds", "2"];
    run_command(&mut project.command(project.built("ecmo-bench"), &arguments))
}

fn bench_delivery(project: &Project) -> Result<()> {
    bench::run(project, "delivery", &["--quick"])
}

fn bench_sampler(project: &Project) -> Result<()> {
    sampler::run(project, &["--seconds", "10"])
}

/// An outage waits most of the time, and neither compilers nor checks without a clock mind it.
fn outage_and_beside(project: &Project) -> Result<()> {
    outage::build(project)?;
    std::thread::scope(|both| {
        let outage = both.spawn(|| outage::check(project, &[]));
        let beside = beside_outage(project);
        outage.join().map_err(|_panic| anyhow::anyhow!("the outage panicked"))?.and(beside)
    })
}

fn beside_outage(project: &Project) -> Result<()> {
    cross::check(project)?;
    bench::build(project)?;
    sim::check(project)?;
    short_score(project)?;
    monitoring::check(project)?;
    page::embedded(project)
}

fn doc(project: &Project) -> Result<()> {
    let mut command = project.cargo_command(&["doc", "--locked", "--workspace", "--no-deps"]);
    run_command(command.env("RUSTDOCFLAGS", "-D warnings"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_choose_steps_and_unknown_ones_are_refused() {
        assert_eq!(parse(&["--list"]).unwrap(), Wish::List);
        assert_eq!(
            parse(&["--only", "fmt", "--only", "doc"]).unwrap(),
            Wish::Run(vec!["fmt", "doc"])
        );
        assert!(matches!(parse(&[]).unwrap(), Wish::Run(names) if names.len() == STEPS.len()));
        for bad in [&["--only"][..], &["--only", "nothing"], &["--fast"]] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
