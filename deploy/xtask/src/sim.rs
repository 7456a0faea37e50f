//! Starts the simulation in the release profile: seeds by hand, some for continuous integration, and long ones for a soak.

use anyhow::{Context, Result, ensure};

use crate::process::{Project, run as run_command};

/// The package of the simulation.
const PACKAGE: &str = "ecmo-sim";

/// Seeds that every run of continuous integration tries, with how many simulated hours of each. Seeds that nobody has tried are for the
/// soak: what one of them finds has nothing to do with the change that would be refused.
const FIXED: [&str; 4] = ["--seeds", "1..151", "--hours", "1"];

/// A soak tries new seeds, and lasts for so many minutes unless it is told otherwise, with a day of each seed.
const SOAK: [&str; 4] = ["--minutes", "60", "--hours", "24"];

/// Runs the simulation with these options, where the user stands: a trace may be named from there.
pub(crate) fn run(project: &Project, options: &[&str]) -> Result<()> {
    project.cargo(&["build", "--release", "--package", PACKAGE])?;
    let program = project.target.join("release").join(PACKAGE);
    let mut command = project.command(program, options);
    command.current_dir(std::env::current_dir().context("the working directory is gone")?);
    run_command(&mut command).context("the simulation")
}

/// Long random seeds; options come instead of an hour of days.
pub(crate) fn soak(project: &Project, options: &[&str]) -> Result<()> {
    run(project, if options.is_empty() { &SOAK } else { options })
}

/// The step of continuous integration: fixed seeds, and the same steps in both builds.
pub(crate) fn check(project: &Project) -> Result<()> {
    run(project, &FIXED)?;
    project.cargo(&["build", "--package", PACKAGE])?;
    let replay = |build: &str| -> Result<String> {
        let program = project.target.join(build).join(PACKAGE);
        let options = ["--seed", "7", "--hours", "0.1"];
        let output = project.command(program, &options).output().context("the simulation")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.lines().next().unwrap_or_default().to_owned())
    };
    let (first, again) = (replay("release")?, replay("debug")?);
    ensure!(first.contains("digest") && first == again, "a replay differs: {first} / {again}");
    Ok(())
}
