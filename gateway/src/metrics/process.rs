//! What the system says of this process and of the disks that it writes to.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use metrics::{Counter, Gauge};

use super::handles::Registrar;
use super::name;

/// The series, and the folders whose disks are looked at.
#[derive(Debug)]
pub(super) struct Series {
    memory: Gauge,
    cpu: Counter,
    open_files: Gauge,
    folders: Mutex<Vec<(PathBuf, Gauge)>>,
}

impl Series {
    pub(super) fn new(registrar: &Registrar) -> Self {
        Self {
            memory: registrar.gauge(&name::MEMORY, &[]),
            cpu: registrar.counter(&name::CPU, &[]),
            open_files: registrar.gauge(&name::OPEN_FILES, &[]),
            folders: Mutex::default(),
        }
    }

    pub(super) fn add_folder(&self, path: &Path, free: Gauge) {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        folders.push((path.to_owned(), free));
    }

    /// Asks the system. What it does not tell keeps its value, but for the room on a disk: unknown is none.
    pub(super) fn look(&self) {
        if let Some(bytes) = resident_bytes() {
            self.memory.set(as_gauge(bytes));
        }
        if let Some(seconds) = cpu_seconds() {
            self.cpu.absolute(seconds);
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            // The one that reads the list is not counted.
            let count = files.count().saturating_sub(1);
            self.open_files.set(as_gauge(u64::try_from(count).unwrap_or(u64::MAX)));
        }
        for (path, free) in &*self.folders.lock().unwrap_or_else(PoisonError::into_inner) {
            free.set(as_gauge(free_bytes(path).unwrap_or(0)));
        }
    }
}

fn resident_bytes() -> Option<u64> {
    let pages: u64 =
        fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    pages.checked_mul(u64::try_from(rustix::param::page_size()).ok()?)
}

fn cpu_seconds() -> Option<u64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in brackets, may hold anything.
    let (_name, rest) = stat.rsplit_once(") ")?;
    let mut ticks = rest.split(' ').skip(11).map(|word| word.parse::<u64>().ok());
    let (user, system) = (ticks.next()??, ticks.next()??);
    (user + system).checked_div(rustix::param::clock_ticks_per_second())
}

fn free_bytes(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

#[expect(clippy::cast_precision_loss, reason = "exact to 8 PiB")]
const fn as_gauge(value: u64) -> f64 {
    value as f64
}
