//! The nurse station: its types, lints, unit tests and build; then the same page in a real browser; and in the program.

use anyhow::{Context, Result, bail, ensure};

use crate::process::{Project, output, run};

/// Oldest Node, major and minor, that builds the page.
const NODE_MIN: (u32, u32) = (20, 19);

const FOLDER: &str = "dashboards/nurse-station";

/// The page's own checks, in the order in which they fail soonest; each prints its own summary.
const CHECKS: [&[&str]; 5] =
    [INSTALL, &["run", "check"], &["run", "lint"], &["run", "unit"], BUILD];

const INSTALL: &[&str] = &["ci", "--no-audit", "--no-fund"];
const BUILD: &[&str] = &["run", "build"];

pub(crate) fn check(project: &Project) -> Result<()> {
    ensure_node(project)?;
    CHECKS.iter().try_for_each(|arguments| npm(project, arguments))
}

/// Every state by its real cause, in chromium, against programs that are built already.
pub(crate) fn browse(project: &Project) -> Result<()> {
    ensure_node(project)?;
    let dist = project.root.join(FOLDER).join("dist/index.html");
    ensure!(dist.is_file(), "the page is not built; run step page first");
    npm(project, &["run", "browser"])
}

/// What thirty pumps cost the page as it is now, with the programs of a release and nothing beside it.
pub(crate) fn measure(project: &Project) -> Result<()> {
    ensure_node(project)?;
    for arguments in [INSTALL, BUILD] {
        npm(project, arguments)?;
    }
    let programs = ["--package", "ecmo-gateway", "--package", "ecmo-agent"];
    project.cargo(&[&["build", "--locked", "--release"], programs.as_slice()].concat())?;
    let mut command = project.command("node", &["tests/browser/run.js", "frames"]);
    command.current_dir(project.root.join(FOLDER));
    run(command.env("ECMO_PROGRAMS", project.target.join("release")))
}

/// The page that a release carries in the program.
pub(crate) fn embedded(project: &Project) -> Result<()> {
    let gateway = ["--package", "ecmo-gateway", "--features", "embedded-ui"];
    project.cargo(&[&["test", "--locked"], gateway.as_slice(), &["--lib", "--", "ui::"]].concat())
}

fn npm(project: &Project, arguments: &[&str]) -> Result<()> {
    let mut command = project.command("npm", arguments);
    command.current_dir(project.root.join(FOLDER));
    // Where the programs are that the browser's tests start.
    run(command.env("ECMO_PROGRAMS", project.target.join("debug")))
}

/// Node is not installed by us: Debian's own is too old on some releases.
fn ensure_node(project: &Project) -> Result<()> {
    const ADVICE: &str = "the nurse station needs Node 20.19 or newer with npm; install it, or run the other steps by --only";
    if !project.has("node") || !project.has("npm") {
        bail!("there is no node or no npm here: {ADVICE}");
    }
    let said = output(&mut project.command("node", &["--version"]))?;
    let version = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    ensure!(is_new_enough(&version), "this is Node {version}: {ADVICE}");
    Ok(())
}

fn is_new_enough(version: &str) -> bool {
    let numbers: Result<Vec<u32>> = version
        .trim_start_matches('v')
        .split('.')
        .map(|number| number.parse().context("no number"))
        .collect();
    numbers.is_ok_and(|numbers| match numbers.as_slice() {
        [major, minor, ..] => (*major, *minor) >= NODE_MIN,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_is_too_old_is_told_from_one_that_is_not() {
        for version in ["v20.19.0", "v20.20.2", "v22.0.0"] {
            assert!(is_new_enough(version), "{version}");
        }
        for version in ["v20.18.9", "v18.20.0", "", "v20", "node"] {
            assert!(!is_new_enough(version), "{version}");
        }
    }
}
