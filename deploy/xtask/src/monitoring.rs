//! Holds what operators get: rules with their tests, dashboards as they are generated, and every query against a real
//! Prometheus that reads a real unit; an alarm of the operators goes all the way to a receiver.

mod dashboard;

mod live;

mod query;

mod receiver;

use anyhow::{Context, Result, bail, ensure};

use crate::process::{Project, run as run_command};
use crate::tools;

/// Where the rules and their tests are.
const FOLDER: &str = "deploy/prometheus";

/// Cases for promtool, by how long they play.
const TESTS: [&str; 3] = ["tests/seconds.yml", "tests/minutes.yml", "tests/hours.yml"];

pub(crate) fn run(project: &Project, options: &[&str]) -> Result<()> {
    match options {
        [] => {
            project.cargo(&["build", "--locked", "--workspace", "--all-targets"])?;
            check(project)
        }
        ["--write"] => dashboard::write(project),
        _ => bail!("unknown option {options:?}; there is --write"),
    }
}

/// Checks with the programs that were built.
pub(crate) fn check(project: &Project) -> Result<()> {
    tools::ensure_installed(project, &[tools::MOSQUITTO, tools::PROMTOOL, tools::ALERTMANAGER])?;
    dashboard::check(project)?;
    rules(project)?;
    live::check(project)
}

/// What Prometheus and Alertmanager say of their files.
fn rules(project: &Project) -> Result<()> {
    let folder = project.root.join(FOLDER);
    let promtool = |arguments: &[&str]| {
        let mut command = project.command("promtool", arguments);
        run_command(command.current_dir(&folder))
    };
    promtool(&["check", "config", "prometheus.yml"])?;
    promtool(&["check", "rules", "rules/alerts.yml", "rules/objectives.yml"])?;
    promtool(&[&["test", "rules"], TESTS.as_slice()].concat())?;
    let settings = project.root.join("deploy/alertmanager/alertmanager.yml");
    let settings = settings.to_string_lossy();
    run_command(&mut project.command("amtool", &["check-config", &settings]))?;
    let known = std::fs::read_dir(folder.join("tests")).context("no tests")?.count();
    ensure!(known == TESTS.len(), "{known} files of tests, {} are run", TESTS.len());
    Ok(())
}
