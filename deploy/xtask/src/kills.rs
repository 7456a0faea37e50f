//! Starts the kills with the programs of the debug profile: real brokers, gateways and agents, any one killed at a time.

use anyhow::{Context, Result};

use crate::process::{Project, run as run_command};
use crate::tools;

/// Builds what is killed, and runs it.
pub(crate) fn run(project: &Project, options: &[&str]) -> Result<()> {
    tools::ensure_installed(project, &[tools::MOSQUITTO])?;
    project.cargo(&["build", "--locked", "--workspace", "--all-targets"])?;
    check(project, options)
}

/// Runs what was built.
pub(crate) fn check(project: &Project, options: &[&str]) -> Result<()> {
    run_command(&mut project.command(project.built("ecmo-kills"), options)).context("the kills")
}
