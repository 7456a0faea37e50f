//! Starts the score in the release profile, and hands its verdict on as the exit code.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::process::Project;

/// Exit code of a score that did not come to an end by itself.
const EXIT_CANNOT: u8 = 2;

/// Runs the score where the user stands, so that folders may be named from there.
pub(crate) fn run(project: &Project, options: &[&str]) -> Result<ExitCode> {
    let manifest = project.root.join("Cargo.toml");
    let manifest = manifest.to_string_lossy();
    let cargo = ["run", "--quiet", "--release", "--manifest-path", &manifest];
    let arguments = [cargo.as_slice(), &["--package", "ecmo-score", "--"], options].concat();
    let mut command = project.cargo_command(&arguments);
    command.current_dir(std::env::current_dir().context("the working directory is gone")?);
    let status = command.status().context("cannot start cargo")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(EXIT_CANNOT)))
}
