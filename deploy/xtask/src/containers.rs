//! The files for containers, held against their rules: nothing is built from them here, because that needs a registry.

use std::path::PathBuf;

use anyhow::Result;

use crate::process::{Project, run as run_command};
use crate::tools;

const WARD: &str = "deploy/compose/ward.yaml";
const IMAGES: [&str; 2] = ["deploy/docker/Dockerfile.gateway", "deploy/docker/Dockerfile.agent"];

pub(crate) fn check(project: &Project) -> Result<()> {
    let folder = tools::container_checkers(project)?;
    let program = |name: &str| -> PathBuf { folder.join("bin").join(name) };
    let schema = ["--builtin-schema", "vendor.compose-spec", WARD];
    run_command(&mut project.command(program("check-jsonschema"), &schema))?;
    run_command(&mut project.command(program("hadolint"), &IMAGES))
}
