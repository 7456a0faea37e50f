//! Starts the outage with the programs of the debug profile: real brokers, agent and gateway, killed at random.

use anyhow::{Context, Result};

use crate::process::{Project, run as run_command};
use crate::tools;

/// Builds what is killed, with what the tests need, so that nothing is built twice.
pub(crate) fn build(project: &Project) -> Result<()> {
    project.cargo(&["build", "--locked", "--workspace", "--all-targets"])
}

/// Builds what is killed, and runs it.
pub(crate) fn run(project: &Project, options: &[&str]) -> Result<()> {
    tools::ensure_installed(project, &[tools::MOSQUITTO])?;
    build(project)?;
    check(project, options)
}

/// Runs what was built.
pub(crate) fn check(project: &Project, options: &[&str]) -> Result<()> {
    run_command(&mut project.command(project.built("ecmo-outage"), options)).context("the outage")
}
