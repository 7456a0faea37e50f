//! The real gateway as a process of its own, with settings for one round.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use ecmo_profile::STARTER;
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::crossing::CONDITION;

/// Name of the profile beside the settings.
const PROFILE: &str = "profile.toml";

/// How long it may take to start, on a machine that is busy building too.
const START_MAX: Duration = Duration::from_secs(10);

/// How long it may take to end; it promises three seconds.
const STOP_MAX: Duration = Duration::from_secs(5);

/// The gateway's first line: where displays are served.
const DISPLAYS: &str = "displays: ";

/// Lines that the gateway writes before it is silent.
const LINES_MAX: usize = 8;

/// A running gateway; killed when dropped.
#[derive(Debug)]
pub(crate) struct Gateway {
    child: Child,
    /// Kept open: the gateway may write to it.
    _lines: Lines<BufReader<ChildStdout>>,
    folder: TempDir,
    url: String,
}

/// The gateway's program: as told, or beside this one.
pub(crate) fn find(told: Option<&Path>) -> anyhow::Result<PathBuf> {
    let profile = if cfg!(debug_assertions) { "" } else { "--release " };
    let program = match told {
        Some(path) => path.to_owned(),
        None => std::env::current_exe()
            .context("cannot tell where this program lies")?
            .with_file_name("ecmo-gateway"),
    };
    ensure!(
        program.is_file(),
        "there is no {}; run `cargo build {profile}-p ecmo-gateway`, or name another with --gateway",
        program.display()
    );
    Ok(program)
}

impl Gateway {
    /// Starts it for one ward; displays can connect when this returns.
    pub(crate) async fn start(
        program: &Path,
        broker: SocketAddr,
        ward: &str,
        displays: u32,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a folder for the gateway")?;
        let settings = folder.path().join("gateway.toml");
        std::fs::write(folder.path().join(PROFILE), profile_text()).context("the profile")?;
        std::fs::write(&settings, settings_text(broker, ward, displays))
            .context("cannot write the gateway's settings")?;
        let log = std::fs::File::create(log_of(&folder)).context("cannot make the log")?;
        let mut child = Command::new(program)
            .args(["serve", "--config"])
            .arg(&settings)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let output = child.stdout.take().context("the gateway has an output")?;
        let mut lines = BufReader::new(output).lines();
        let started = timeout(START_MAX, address(&mut lines)).await;
        let Ok(Ok(url)) = started else {
            let log = std::fs::read_to_string(log_of(&folder)).unwrap_or_default();
            bail!("the gateway does not start; it wrote:\n{log}");
        };
        Ok(Self { child, _lines: lines, folder, url })
    }

    /// Where displays are served.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(log_of(&self.folder)).unwrap_or_default()
    }

    /// Processor time that it has used so far; `None` where the system does not tell.
    pub(crate) fn processor_time(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()?)).ok()?;
        processor_time(&stat)
    }

    /// Memory that it holds, and the most that it has held; `None` where the system does not tell.
    pub(crate) fn memory_bytes(&self) -> Option<Memory> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        memory(&status)
    }

    /// Asks it to end and waits.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let Some(id) = id else { bail!("the gateway ended unasked; it wrote:\n{}", self.log()) };
        kill_process(id, Signal::TERM).context("cannot end the gateway")?;
        let ended = timeout(STOP_MAX, self.child.wait()).await;
        let status =
            ended.with_context(|| format!("the gateway does not end in {STOP_MAX:?}"))??;
        ensure!(status.success(), "the gateway ended with {status}; it wrote:\n{}", self.log());
        Ok(())
    }
}

fn log_of(folder: &TempDir) -> PathBuf {
    folder.path().join("gateway.log")
}

/// The starter profile, in which one limit is judged without delays, so that each frame that crosses it changes an alarm.
fn profile_text() -> String {
    let (before, rest) =
        STARTER.split_once(&format!("condition = \"{CONDITION}\"")).unwrap_or((STARTER, ""));
    let (rule, after) = rest.split_once("\n\n").unwrap_or((rest, ""));
    let at_once = |line: &str| match line.split_once(" = ") {
        Some((key @ ("delay_s" | "clear_s"), _)) => format!("{key} = 0.0"),
        Some(_) | None => line.to_owned(),
    };
    let rule: Vec<_> = rule.lines().map(at_once).collect();
    format!("{before}condition = \"{CONDITION}\"{}\n\n{after}", rule.join("\n"))
}

fn settings_text(broker: SocketAddr, ward: &str, displays: u32) -> String {
    format!(
        "wards = [\"{ward}\"]\n\
         [broker]\nurl = \"mqtt://{broker}\"\n\
         [serve]\nbind = \"127.0.0.1:0\"\ndisplays_max = {}\n\
         [metrics]\nbind = \"127.0.0.1:0\"\n\
         [alarms]\nprofile = \"{PROFILE}\"\n",
        // As many again: while they connect anew, the gateway may not have noticed yet that the others are gone.
        2 * displays.max(1) + 4
    )
}

/// Reads the gateway's first lines up to its address.
async fn address(lines: &mut Lines<BufReader<ChildStdout>>) -> anyhow::Result<String> {
    for _ in 0..LINES_MAX {
        let line = lines.next_line().await?.context("the gateway ended at once")?;
        if let Some(url) = line.strip_prefix(DISPLAYS) {
            return Ok(url.trim().to_owned());
        }
    }
    bail!("the gateway does not tell its address")
}

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Memory {
    /// Held now.
    pub(crate) now: u64,
    /// The most that was held.
    pub(crate) most: u64,
}

/// Resident memory in the text of `/proc/*/status`.
fn memory(status: &str) -> Option<Memory> {
    let bytes = |label: &str| {
        let rest = status.lines().find_map(|line| line.strip_prefix(label))?;
        Some(rest.split_whitespace().next()?.parse::<u64>().ok()? * 1_024)
    };
    Some(Memory { now: bytes("VmRSS:")?, most: bytes("VmHWM:")? })
}

/// User and system time of a line of `/proc/*/stat`, which counts in hundredths of a second.
fn processor_time(stat: &str) -> Option<Duration> {
    let (_name, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let (user, system) = (fields.next()?.parse::<u64>().ok()?, fields.next()?.parse::<u64>().ok()?);
    Some(Duration::from_millis((user + system) * 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_any_name() {
        let stat = "1 (a b) c) S 1 1 1 0 -1 4 1 0 0 0 25 17 0 0 20 0";
        assert_eq!(processor_time(stat), Some(Duration::from_millis(420)));
        assert_eq!(processor_time("1 (x) S 1"), None);
    }

    #[test]
    fn memory_is_read_from_the_status() {
        let status = "Name:\tx\nVmHWM:\t   30 kB\nVmRSS:\t   20 kB\n";
        assert_eq!(memory(status), Some(Memory { now: 20_480, most: 30_720 }));
        assert_eq!(memory("Name:\tx\n"), None);
    }

    #[test]
    fn a_missing_gateway_is_said_with_what_to_do() {
        let error = find(Some(Path::new("/nonexistent/ecmo-gateway"))).unwrap_err().to_string();
        assert!(error.contains("cargo build") && error.contains("--gateway"), "{error}");
    }
}
