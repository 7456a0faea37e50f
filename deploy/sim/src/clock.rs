//! The clocks of this machine: how long the runs really took. No run reads them.

use std::time::Duration;

/// When something began, by the wall and by the processor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    began: std::time::Instant,
}

impl Start {
    /// Now.
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the clock")]
    pub(crate) fn now() -> Self {
        Self { began: std::time::Instant::now() }
    }

    /// Time passed since.
    pub(crate) fn passed(self) -> Duration {
        self.began.elapsed()
    }
}

/// Processor time of this process.
pub(crate) fn cpu() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(used.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(used.tv_nsec).unwrap_or(0))
}

/// A seed that nobody has tried, from the time of day.
#[expect(clippy::disallowed_methods, reason = "the only place that reads the clock")]
pub(crate) fn seed_of_now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(1, |since| since.as_secs()) * 1_000
}
