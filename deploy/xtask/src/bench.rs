//! Starts the bench in the release profile: latency beside the raw hops, and delivery to many displays.

use anyhow::{Context, Result};

use crate::process::{Project, run as run_command};

/// Builds bench and gateway: it is measured as a process of its own, and one build for both lets them share their libraries.
pub(crate) fn build(project: &Project) -> Result<()> {
    project.cargo(&["build", "--release", "--package", "ecmo-gateway", "--package", "ecmo-bench"])
}

/// Builds both, and runs the bench.
pub(crate) fn run(project: &Project, what: &str, options: &[&str]) -> Result<()> {
    build(project)?;
    let bench = project.target.join("release").join("ecmo-bench");
    let options = [[what].as_slice(), options].concat();
    run_command(&mut project.command(bench, &options)).context("the bench")
}
