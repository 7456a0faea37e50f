//! A control group of the test's own: so much memory, or so much processor time, for one process; or a thread that stands still.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Where the controllers of version 1 are mounted.
const ROOT: &str = "/sys/fs/cgroup";

/// The period of a quota of processor time, in microseconds: the kernel's own default.
const PERIOD_US: u64 = 100_000;

/// A group of one controller; its processes go back when it is dropped.
#[derive(Debug)]
pub struct Group {
    controller: &'static str,
    folder: PathBuf,
}

impl Group {
    fn make(controller: &'static str) -> anyhow::Result<Self> {
        let folder = Path::new(ROOT).join(controller);
        if !folder.join("cgroup.procs").is_file() {
            bail!("{} is not mounted: these tests need cgroups of version 1", folder.display());
        }
        let folder = folder.join(format!("ecmo{}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}; run as root", folder.display()))?;
        Ok(Self { controller, folder })
    }

    /// A group for memory, without a limit yet.
    ///
    /// # Errors
    /// Not root, or the controller is not mounted.
    pub fn memory() -> anyhow::Result<Self> {
        Self::make("memory")
    }

    /// A group that gets so many hundredths of one processor.
    ///
    /// # Errors
    /// Not root, or the controller is not mounted.
    pub fn processor(percent: u64) -> anyhow::Result<Self> {
        let group = Self::make("cpu")?;
        group.write("cpu.cfs_period_us", &PERIOD_US.to_string())?;
        group.write("cpu.cfs_quota_us", &(PERIOD_US * percent / 100).to_string())?;
        Ok(group)
    }

    /// A group whose threads can be stopped one by one: a signal would stop their whole process.
    ///
    /// # Errors
    /// Not root, or the controller is not mounted.
    pub fn freezer() -> anyhow::Result<Self> {
        Self::make("freezer")
    }

    /// Puts one thread of a process into the group, by its name.
    ///
    /// # Errors
    /// There is no such thread.
    pub fn take_thread(&self, process: u32, name: &str) -> anyhow::Result<()> {
        let threads = std::fs::read_dir(format!("/proc/{process}/task")).context("no threads")?;
        let named = threads.filter_map(Result::ok).find(|thread| {
            std::fs::read_to_string(thread.path().join("comm")).is_ok_and(|it| it.trim() == name)
        });
        let thread = named.with_context(|| format!("no thread {name:?} in {process}"))?;
        self.write("tasks", &thread.file_name().to_string_lossy())
    }

    /// Stops what is in the group, or lets it go on.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn freeze(&self, freeze: bool) -> anyhow::Result<()> {
        self.write("freezer.state", if freeze { "FROZEN" } else { "THAWED" })
    }

    /// Puts a process with all its threads into the group.
    ///
    /// # Errors
    /// It has ended.
    pub fn take(&self, process: u32) -> anyhow::Result<()> {
        self.write("cgroup.procs", &process.to_string())
    }

    /// Memory in use, in bytes.
    ///
    /// # Errors
    /// The kernel does not say.
    pub fn memory_used(&self) -> anyhow::Result<u64> {
        let text = std::fs::read_to_string(self.folder.join("memory.usage_in_bytes"))
            .context("cannot read the memory in use")?;
        text.trim().parse().context("a strange amount of memory")
    }

    /// In how many periods the group had to wait, because its quota was used up.
    ///
    /// # Errors
    /// The kernel does not say.
    pub fn throttled(&self) -> anyhow::Result<u64> {
        let text = std::fs::read_to_string(self.folder.join("cpu.stat"))
            .context("cannot read how often the quota was used up")?;
        let number = text.lines().find_map(|line| line.strip_prefix("nr_throttled "));
        number.context("no count of waits")?.trim().parse().context("a strange count of waits")
    }

    /// Limits memory to so many bytes. Whoever needs more is killed by the kernel.
    ///
    /// # Errors
    /// More is in use and cannot be freed.
    pub fn limit_memory(&self, bytes: u64) -> anyhow::Result<()> {
        self.write("memory.limit_in_bytes", &bytes.to_string())
    }

    fn write(&self, file: &str, text: &str) -> anyhow::Result<()> {
        let path = self.folder.join(file);
        std::fs::write(&path, text)
            .with_context(|| format!("cannot write {text} to {}", path.display()))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // What is frozen could not go back; other controllers have no such file.
        std::fs::write(self.folder.join("freezer.state"), "THAWED").ok();
        let root = Path::new(ROOT).join(self.controller);
        for list in ["cgroup.procs", "tasks"] {
            let inside = std::fs::read_to_string(self.folder.join(list)).unwrap_or_default();
            for one in inside.lines() {
                // One that has ended need not go back.
                std::fs::write(root.join(list), one).ok();
            }
        }
        std::fs::remove_dir(&self.folder).ok();
    }
}
