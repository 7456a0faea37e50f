//! What the whole rule set costs a frame, in instructions: the same on a busy machine as on an idle one, so it can be a gate.

use anyhow::{Context, Result, ensure};

use crate::process::{Project, output, run};
use crate::tools;

/// Frames of the two runs; both are long enough for every window of the rules to be full.
const FRAMES: [u64; 2] = [2_000, 12_000];

/// Most instructions a frame, in the mean over frames with and without a point of the grid.
///
/// The promise is 5 us a frame at the median, and 1,000 pumps of 50 frames/s on half a core, which are 10 us a frame. When the
/// bound was set, 34,500 instructions took 3.1 us in the mean on a server core: 5 us are about 55,000 there. The bound
/// lies below, so that a rule that costs much more is noticed before the promise is broken.
const INSTRUCTIONS_MAX: u64 = 45_000;

/// Counts and holds the bound.
pub(crate) fn check(project: &Project) -> Result<()> {
    tools::ensure_installed(project, &[tools::C_COMPILER, tools::VALGRIND])?;
    let example = ["build", "--release", "--package", "ecmo-core", "--example", "instructions"];
    run(&mut project.cargo_command(&example))?;
    let made = slope(project, "make")?;
    let judged = slope(project, "judge")?;
    let cost = judged.saturating_sub(made);
    println!("a frame of 12 channels, 14 samples, all rules: {cost} instructions to judge it");
    println!("bound: {INSTRUCTIONS_MAX}");
    ensure!(cost > 100, "{cost} instructions are too few to be true: the count is broken");
    ensure!(
        cost <= INSTRUCTIONS_MAX,
        "judging a frame costs {cost} instructions, more than {INSTRUCTIONS_MAX}; see what grew with \
         valgrind --tool=callgrind {} judge 12000",
        program(project).display()
    );
    Ok(())
}

fn program(project: &Project) -> std::path::PathBuf {
    project.target.join("release").join("examples").join("instructions")
}

/// Instructions a frame: the difference of a long and a short run, so that the start does not count.
fn slope(project: &Project, what: &str) -> Result<u64> {
    let [short, long] = FRAMES;
    let (few, many) = (count(project, what, short)?, count(project, what, long)?);
    Ok(many.saturating_sub(few) / (long - short))
}

fn count(project: &Project, what: &str, frames: u64) -> Result<u64> {
    let program = program(project);
    let program = program.to_string_lossy();
    let frames = frames.to_string();
    let arguments = [
        "--tool=cachegrind",
        "--cache-sim=no",
        "--cachegrind-out-file=/dev/null",
        &program,
        what,
        &frames,
    ];
    let ran = output(&mut project.command("valgrind", &arguments))?;
    let report = String::from_utf8_lossy(&ran.stderr);
    ensure!(ran.status.success(), "valgrind ended with {}:\n{report}", ran.status);
    let refs = parse(&report).with_context(|| format!("valgrind told no count:\n{report}"))?;
    println!(
        "{what} {frames}: {refs} instructions; {}",
        String::from_utf8_lossy(&ran.stdout).trim()
    );
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
}
