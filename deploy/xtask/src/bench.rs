//! Starts the bench in the release profile: latency beside the raw hops, and delivery to many displays.

use anyhow::{Context, Result};

use crate::process::{Project, run as run_command};

/// Builds bench and gateway, and runs it.
pub(crate) fn run(project: &Project, what: &str, options: &[&str]) -> Result<()> {
    // The gateway is measured as a process of its own; one build for both, so that they share their libraries.
    let packages = ["--package", "ecmo-gateway", "--package", "ecmo-bench"];
    project.cargo(&[["build", "--release"].as_slice(), &packages].concat())?;
    let bench = project.target.join("release").join("ecmo-bench");
    let options = [[what].as_slice(), options].concat();
    run_command(&mut project.command(bench, &options)).context("the bench")
}
