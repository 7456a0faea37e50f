//! One of our programs as a process of its own: started, frozen, thawed, killed; its log kept in a file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::wait::eventually_sync;

/// A program that was asked to end drains first; this covers a busy machine.
const END_DEADLINE: Duration = Duration::from_secs(20);

/// One build at a time in this process, however many tests ask.
static BUILDING: Mutex<()> = Mutex::new(());

/// The program of a package of this workspace, in the profile of the running test; built when it is not up to date, which may
/// take minutes: ask before anything is started that must not wait.
///
/// # Errors
/// It cannot be built or found.
pub fn built(package: &str) -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe().context("cannot find the running test")?;
    let folder = test.parent().and_then(Path::parent).context("the test lies in no target")?;
    let profile = folder.file_name().and_then(|name| name.to_str()).context("a strange target")?;
    let profile = if profile == "debug" { "dev" } else { profile };
    let _one_at_a_time = BUILDING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Beside it may lie an old one: cargo knows, and takes no time when it is new.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    // All targets: with fewer, libraries get other features, and everything is built twice.
    build.args(["build", "--quiet", "--workspace", "--all-targets", "--profile", profile]);
    let status =
        build.current_dir(env!("CARGO_MANIFEST_DIR")).status().context("cannot run cargo")?;
    ensure!(status.success(), "{package} is not built");
    let program = folder.join(package);
    ensure!(program.is_file(), "{} is missing", program.display());
    Ok(program)
}

/// A running program. It is killed when this is dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts a command; what it writes goes to a file named after `name` in `folder`, behind what is there.
    ///
    /// # Errors
    /// The file cannot be made, or the command cannot be started.
    pub fn start(mut command: Command, name: &str, folder: &Path) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        // A file, not a pipe: nobody reads, and a full pipe would stop the program.
        let file = File::options().create(true).append(true).open(&log);
        let file = file.with_context(|| format!("cannot make {}", log.display()))?;
        command.stdin(Stdio::null());
        command.stdout(file.try_clone().context("cannot share the log")?).stderr(file);
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self { name: name.to_owned(), child, log })
    }

    /// What it has logged, over all its runs.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_else(|error| format!("no log: {error}"))
    }

    /// Number of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it has ended, if it has.
    ///
    /// # Errors
    /// The system does not say.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("cannot ask after {}", self.name))
    }

    /// SIGKILL, and waits for the end.
    ///
    /// # Errors
    /// It had ended before by itself.
    pub fn kill(mut self) -> anyhow::Result<()> {
        if let Some(status) = self.ended()? {
            bail!("{} has ended by itself ({status}):\n{}", self.name, self.log());
        }
        self.child.kill().with_context(|| format!("cannot kill {}", self.name))?;
        self.child.wait().with_context(|| format!("cannot wait for {}", self.name))?;
        Ok(())
    }

    /// SIGTERM, and waits for the end.
    ///
    /// # Errors
    /// It had ended before, or does not end.
    pub fn terminate(mut self) -> anyhow::Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        let name = self.name.clone();
        eventually_sync(END_DEADLINE, &format!("{name} ends"), || self.ended().ok().flatten())
    }

    /// SIGSTOP: every thread has stopped when this returns.
    ///
    /// # Errors
    /// It has ended.
    pub fn freeze(&mut self) -> anyhow::Result<()> {
        let pid = self.signal(Signal::STOP)?;
        // NOWAIT leaves the news for the standard library, which waits for the same child.
        let news = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(pid), news).context("cannot wait for the freeze")?;
        ensure!(
            status.is_some_and(|status| status.stopped()),
            "{} ended instead of freezing:\n{}",
            self.name,
            self.log()
        );
        Ok(())
    }

    /// SIGCONT: goes on where it was frozen.
    ///
    /// # Errors
    /// It has ended.
    pub fn thaw(&mut self) -> anyhow::Result<()> {
        self.signal(Signal::CONT).map(drop)
    }

    /// The process can be no stranger: its number stays taken until we have waited for it.
    fn signal(&mut self, signal: Signal) -> anyhow::Result<Pid> {
        if let Some(status) = self.ended()? {
            bail!("{} has ended by itself ({status}):\n{}", self.name, self.log());
        }
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).with_context(|| format!("cannot send {signal:?}"))?;
        Ok(pid)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A test that failed must not fail a second time here; a program that has ended needs no end.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
