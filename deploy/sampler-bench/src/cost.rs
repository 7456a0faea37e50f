//! What this process costs, as the kernel tells it: processor time, memory, and threads with a real-time priority.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use ecmo_agent::clock;
use ecmo_core::time::SampleTime;

/// Number of the scheduling policy FIFO.
const FIFO: &str = "1";

/// What the process had used at one moment.
#[derive(Debug)]
pub(crate) struct Used {
    at: SampleTime,
    cpu: Duration,
}

impl Used {
    pub(crate) fn now() -> Self {
        Self { at: clock::now(), cpu: clock::cpu_time() }
    }
}

/// The cost of a while.
#[derive(Debug)]
pub(crate) struct Cost {
    /// Share of one processor, of 1000.
    pub(crate) cpu_per_mille: u64,
    /// Memory now, and the most since the start.
    pub(crate) rss_kb: u64,
    pub(crate) rss_peak_kb: u64,
    /// Names of the threads with the policy FIFO, in order, joined by commas.
    pub(crate) realtime_threads: String,
}

impl Cost {
    /// From then until now.
    pub(crate) fn since(begun: &Used) -> Result<Self> {
        let ended = Used::now();
        let (cpu, time) = (ended.cpu.saturating_sub(begun.cpu), ended.at.since(begun.at));
        Ok(Self {
            cpu_per_mille: u64::try_from(cpu.as_nanos() * 1000 / time.as_nanos().max(1))?,
            rss_kb: memory_kb("VmRSS")?,
            rss_peak_kb: memory_kb("VmHWM")?,
            realtime_threads: realtime_threads()?,
        })
    }
}

/// A line of `/proc/self/status`, in kB.
fn memory_kb(name: &str) -> Result<u64> {
    let text = fs::read_to_string("/proc/self/status").context("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.with_context(|| format!("no {name}"))?.trim().trim_end_matches(" kB");
    number.parse().with_context(|| format!("{name} is {number}"))
}

/// Who of this process goes before everybody else of the machine.
fn realtime_threads() -> Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir("/proc/self/task").context("/proc/self/task")? {
        // A thread may end while it is looked at.
        let Ok(stat) = fs::read_to_string(entry?.path().join("stat")) else { continue };
        let (head, fields) = stat.rsplit_once(") ").context("stat")?;
        let policy = fields.split(' ').nth(38).context("no policy")?;
        if policy == FIFO {
            names.push(head.split_once('(').map_or(head, |(_, name)| name).to_owned());
        }
    }
    names.sort();
    Ok(names.join(","))
}

/// The value that so many of 1000 are not above.
pub(crate) fn quantile(sorted: &[u32], per_mille: usize) -> u32 {
    let at = (sorted.len() * per_mille).div_ceil(1000).saturating_sub(1);
    sorted.get(at).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_value_that_was_measured() {
        let sorted: Vec<u32> = (1..=1000).collect();
        for (per_mille, expected) in [(500, 500), (999, 999), (1000, 1000)] {
            assert_eq!(quantile(&sorted, per_mille), expected);
        }
        assert_eq!((quantile(&[7], 999), quantile(&[], 999)), (7, 0));
    }

    #[test]
    fn a_process_without_real_time_has_memory_and_no_thread_of_that_kind() {
        // The other way round, the memory could grow between the two looks.
        let now = memory_kb("VmRSS").unwrap();
        assert!(memory_kb("VmHWM").unwrap() >= now);
        assert_eq!(realtime_threads().unwrap(), "");
        assert!(memory_kb("VmNothing").is_err());
    }
}
