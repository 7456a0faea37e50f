//! The agent for another processor at work: settings checked, frames at a broker, a clean end, a spool that can be read.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::clock::{Start, wait};
use crate::mosquitto;
use crate::process::{Background, Project, output};

const EXAMPLE: &str = "deploy/config/agent-simulated.toml";

/// One second of frames.
const FRAMES_MIN: usize = 50;

/// An emulated processor on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The broker by its name: a static program brings its own look-up of names, and that must work too.
const SETTINGS: &str = r#"ward = "smoke"
pump = "arm"
broker = "mqtt://localhost:PORT"
pump_kind = "centrifugal"

[spool]
dir = "spool"

[[source]]
kind = "simulated"
seed = 1
speed_rpm = 2000
"#;

pub(super) fn check(project: &Project, emulator: &Path, agent: &Path) -> Result<()> {
    let emulated = |arguments: &[&str]| -> Command {
        let agent = agent.to_string_lossy();
        project.command(emulator, &[&[&*agent], arguments].concat())
    };
    println!("{}", said(emulated(&["--version"]))?.trim());
    let plan = said(emulated(&["check", "--config", EXAMPLE]))?;
    ensure!(plan.contains("pump     nicu/pump-1"), "the check of {EXAMPLE} told:\n{plan}");

    let folder = project.scratch()?.join("cross");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot remove the last run's spool")?;
    }
    fs::create_dir_all(&folder).context("no folder for the spool")?;
    let broker = mosquitto::start(project)?;
    let port = broker.address.port().to_string();
    let settings = folder.join("agent.toml");
    fs::write(&settings, SETTINGS.replace("PORT", &port)).context("cannot write the settings")?;
    let settings = settings.to_string_lossy();

    let topics = "ecmo/v1/smoke/arm/#";
    let listen = ["-h", "127.0.0.1", "-p", &port, "-t", topics, "-F", "%t %l"];
    let mut listen = project.command("mosquitto_sub", &listen);
    let mut listener = Background::start(&mut listen, folder.join("received.log"))?;
    let mut run = emulated(&["run", "--config", &settings]);
    let mut running = Background::start(&mut run, folder.join("agent.log"))?;
    let frames = wait("birth and frames arrive", Start::now(), PATIENCE, || {
        running.still_runs()?;
        listener.still_runs()?;
        received(&listener.log())
    })
    .with_context(|| format!("the agent wrote:\n{}", running.log()))?;
    running.ask_to_end(project)?;
    let status = wait("the agent ends when asked", Start::now(), PATIENCE, || running.ended())?;
    ensure!(status.success(), "the agent ended with {status}; it wrote:\n{}", running.log());
    println!("birth and {frames} frames arrived under qemu; it ended with {status}");

    let verified = said(emulated(&["spool", "--config", &settings, "verify"]))?;
    let records = records_right(&verified).with_context(|| format!("it told:\n{verified}"))?;
    ensure!(records >= frames, "{records} records in the spool, {frames} frames at the broker");
    println!("spool: {}", verified.trim());
    Ok(())
}

/// What a program says that must succeed.
fn said(mut command: Command) -> Result<String> {
    let done = output(&mut command)?;
    let (said, errors) =
        (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    ensure!(done.status.success(), "{command:?} ended with {}:\n{said}{errors}", done.status);
    Ok(said.into_owned())
}

/// How many frames a listener got, which wrote a topic and a length in each line; an error before birth and enough of them.
fn received(log: &str) -> Result<usize> {
    let filled = |kind: &str| {
        let lines = log.lines().filter_map(|line| line.split_once(' '));
        lines.filter(|(topic, length)| topic.ends_with(kind) && *length != "0").count()
    };
    let (births, frames) = (filled("/birth"), filled("/frame"));
    ensure!(births >= 1 && frames >= FRAMES_MIN, "{births} births and {frames} frames so far");
    Ok(frames)
}

/// The count in `… 137 records right, …`.
fn records_right(verified: &str) -> Result<usize> {
    let before = verified.split_once(" records right").context("no count of records")?.0;
    before.rsplit(' ').next().context("no number")?.parse().context("no number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_without_a_birth_and_empty_messages_are_not_enough() {
        let frames = "ecmo/v1/smoke/arm/frame 300\n".repeat(FRAMES_MIN);
        let birth = "ecmo/v1/smoke/arm/birth 900\n";
        assert_eq!(received(&format!("{birth}{frames}")).unwrap(), FRAMES_MIN);
        assert!(received(&frames).is_err());
        assert!(received(&format!("ecmo/v1/smoke/arm/birth 0\n{frames}")).is_err());
        assert!(received(&birth.repeat(99)).is_err());
        assert!(received(&format!("{birth}{}", frames.replace("300", "0"))).is_err());
    }

    #[test]
    fn the_count_of_records_is_read_from_what_the_spool_tells() {
        let told = "1 segments, 9 bytes, 137 records right, 0 damaged, missing or torn\n";
        assert_eq!(records_right(told).unwrap(), 137);
        assert!(records_right("records").is_err());
    }
}
