//! A program that is killed, frozen, thawed and started again, and is never left behind.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::clock::Start;

/// How long a program may take to end when it is asked to.
const END_MAX: Duration = Duration::from_secs(10);

/// A program with its arguments; killed when dropped.
#[derive(Debug)]
pub(crate) struct Program {
    path: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    child: Option<Child>,
}

impl Program {
    /// Named, not started.
    pub(crate) fn new(path: PathBuf, arguments: &[&str], log: PathBuf) -> Result<Self> {
        ensure!(path.is_file(), "there is no {}; build it first", path.display());
        let arguments = arguments.iter().map(|&word| word.to_owned()).collect();
        Ok(Self { path, arguments, log, child: None })
    }

    /// Starts it, if it does not run.
    pub(crate) fn start(&mut self) -> Result<()> {
        if self.child.is_some() {
            return Ok(());
        }
        let log: File = OpenOptions::new().append(true).create(true).open(&self.log)?;
        let child = Command::new(&self.path)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", self.path.display()))?;
        self.child = Some(child);
        Ok(())
    }

    /// SIGKILL, and waits for the end.
    pub(crate) fn kill(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        child.kill().context("cannot kill")?;
        child.wait().context("cannot wait for the end")?;
        Ok(())
    }

    /// SIGSTOP.
    pub(crate) fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT.
    pub(crate) fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// SIGTERM, and waits for the end.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        let asked = Start::now();
        while let Some(child) = self.child.as_mut() {
            if child.try_wait()?.is_some() {
                self.child = None;
            } else if asked.passed() > END_MAX {
                bail!("{} does not end", self.path.display());
            } else {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(())
    }

    /// An error when it has ended by itself.
    pub(crate) fn check(&mut self) -> Result<()> {
        let Some(child) = self.child.as_mut() else { return Ok(()) };
        match child.try_wait()? {
            None => Ok(()),
            Some(status) => {
                self.child = None;
                bail!("{} ended with {status}; its log:\n{}", self.path.display(), self.tail())
            }
        }
    }

    /// The last lines that it wrote.
    pub(crate) fn tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(30)..).unwrap_or_default().join("\n")
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let Some(child) = &self.child else { return Ok(()) };
        // Nobody has waited for it, so that its number is its own.
        kill_process(Pid::from_child(child), signal).context("cannot send a signal")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A run that failed must not fail a second time here.
        self.kill().ok();
    }
}
