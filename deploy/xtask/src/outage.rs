//! Starts the outage with the programs of the debug profile: real brokers, agent and gateway, killed at random.

use anyhow::{Context, Result};

use crate::process::{Project, run as run_command};
use crate::tools;

const PROGRAMS: [&str; 3] = ["ecmo-agent", "ecmo-gateway", "ecmo-outage"];

/// Builds what is killed, and runs it.
pub(crate) fn run(project: &Project, options: &[&str]) -> Result<()> {
    tools::ensure_installed(project, &[tools::MOSQUITTO])?;
    let packages = PROGRAMS.iter().flat_map(|name| ["--package", *name]);
    let build: Vec<&str> = ["build", "--locked"].into_iter().chain(packages).collect();
    project.cargo(&build)?;
    run_command(&mut project.command(project.built("ecmo-outage"), options)).context("the outage")
}

/// Ten minutes of it, unattended.
pub(crate) fn check(project: &Project) -> Result<()> {
    run(project, &[])
}
