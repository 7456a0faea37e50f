//! What a frame and a delivery cost, in instructions, against a baseline: the same on a busy machine as on an idle one, so it can
//! be a gate.

mod baseline;

use anyhow::{Context, Result, bail, ensure};

use crate::bench;
use crate::process::{Project, output, run};
use crate::tools;
use baseline::Costs;

/// Frames of the two runs; both are long enough for every window of the rules to be full.
const FRAMES: [u64; 2] = [2_000, 12_000];

/// Alarm changes of the two runs.
const CHANGES: [u64; 2] = [500, 2_500];

/// Displays that share the cost of a change.
const DISPLAYS: u64 = 20;

/// Most instructions a frame, in the mean over frames with and without a point of the grid, whatever the baseline says.
///
/// The promise is 5 us a frame at the median, and 1,000 pumps of 50 frames/s on half a core, which are 10 us a frame. When the
/// bound was set, 34,500 instructions took 3.1 us in the mean on a server core: 5 us are about 55,000 there. The bound
/// lies below, so that a rule that costs much more is noticed before the promise is broken.
const FRAME_MAX: u64 = 45_000;

/// Runs the count: held against the baseline, or written as the new one.
pub(crate) fn bench(project: &Project, options: &[&str]) -> Result<()> {
    match options {
        [] => check(project),
        ["--write"] => {
            let costs = measure(project)?;
            baseline::write(project, &costs)
        }
        other => bail!("unknown options {other:?}; there is --write"),
    }
}

/// Counts and holds the bounds.
pub(crate) fn check(project: &Project) -> Result<()> {
    let before = baseline::read(project)?;
    let costs = measure(project)?;
    println!("{}", before.table(&costs));
    ensure!(
        costs.frame <= FRAME_MAX,
        "judging a frame costs {} instructions, more than {FRAME_MAX}; see what grew with \
         valgrind --tool=callgrind {} judge 12000",
        costs.frame,
        frames(project).display()
    );
    before.hold(&costs)
}

fn measure(project: &Project) -> Result<Costs> {
    tools::ensure_installed(project, &[tools::C_COMPILER, tools::VALGRIND])?;
    let example = ["build", "--release", "--package", "ecmo-core", "--example", "instructions"];
    run(&mut project.cargo_command(&example))?;
    bench::build(project)?;
    let program = frames(project);
    let frame =
        |what: &str| slope(FRAMES, |frames| count(project, &program, &[what, &frames.to_string()]));
    let frame = frame("judge")?.saturating_sub(frame("make")?);
    let bench = project.target.join("release").join("ecmo-bench");
    let change = |displays: u64| {
        let displays = displays.to_string();
        slope(CHANGES, |changes| count(project, &bench, &["work", &changes.to_string(), &displays]))
    };
    let (first, many) = (change(1)?, change(DISPLAYS)?);
    let delivery = many.saturating_sub(first) / (DISPLAYS - 1);
    let costs = Costs { frame, change: first, delivery };
    for (name, cost) in costs.named() {
        ensure!(cost > 50, "{cost} instructions for {name} are too few to be true");
    }
    Ok(costs)
}

fn frames(project: &Project) -> std::path::PathBuf {
    project.target.join("release").join("examples").join("instructions")
}

/// Instructions for each: the difference of a long and a short run, so that the start does not count.
fn slope([short, long]: [u64; 2], count: impl Fn(u64) -> Result<u64>) -> Result<u64> {
    let (few, many) = (count(short)?, count(long)?);
    Ok(many.saturating_sub(few) / (long - short))
}

fn count(project: &Project, program: &std::path::Path, words: &[&str]) -> Result<u64> {
    let program = program.to_string_lossy();
    let tool = ["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"];
    let arguments = [tool.as_slice(), &[&program], words].concat();
    let ran = output(&mut project.command("valgrind", &arguments))?;
    let report = String::from_utf8_lossy(&ran.stderr);
    ensure!(ran.status.success(), "valgrind ended with {}:\n{report}", ran.status);
    let refs = parse(&report).with_context(|| format!("valgrind told no count:\n{report}"))?;
    let said = String::from_utf8_lossy(&ran.stdout);
    println!("{}: {refs} instructions; {}", words.join(" "), said.trim());
    Ok(refs)
}

/// The number behind "I refs:".
fn parse(report: &str) -> Option<u64> {
    let line = report.lines().find(|line| line.contains("I ") && line.contains("refs:"))?;
    let (_label, number) = line.split_once("refs:")?;
    number.trim().replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_the_report() {
        let report = "==7== Cachegrind\n==7== \n==7== I refs:        1,234,567\n";
        assert_eq!(parse(report), Some(1_234_567));
        assert_eq!(parse("==7== I   refs:      12\n"), Some(12));
        assert_eq!(parse("==7== nothing"), None);
    }

    #[test]
    fn what_the_start_costs_does_not_count() {
        assert_eq!(slope([10, 30], |number| Ok(1_000 + 7 * number)).unwrap(), 7);
    }
}
