//! How long the machine itself held up this process: a promise of a second is not broken by a second that was stolen.
#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::time::Instant;

/// Between two looks at the clock.
const LOOK: Duration = Duration::from_millis(5);

/// What a look may be late on a machine that does its work.
const USUAL: Duration = Duration::from_millis(15);

/// Measures, on a thread of its own that does nothing else, how much later than asked it wakes up.
pub(crate) struct HeldUp {
    lost_ns: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl HeldUp {
    pub(crate) fn watch() -> Self {
        let (lost_ns, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (lost, stopped) = (Arc::clone(&lost_ns), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let asked = Instant::now() + LOOK;
                std::thread::sleep(LOOK);
                let late = Instant::now().saturating_duration_since(asked);
                if late > USUAL {
                    lost.fetch_add(u64::try_from(late.as_nanos()).unwrap(), Ordering::Relaxed);
                }
            }
        });
        Self { lost_ns, stop, thread: Some(thread) }
    }

    /// Time that was lost since the watch began; zero on a machine that does its work.
    pub(crate) fn lost(&self) -> Duration {
        Duration::from_nanos(self.lost_ns.load(Ordering::Relaxed))
    }
}

impl Drop for HeldUp {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// A moment from which on a promise counts.
pub(crate) struct Since {
    began: Instant,
    held_up: HeldUp,
}

impl Since {
    /// From now on.
    pub(crate) fn now() -> Self {
        Self { began: Instant::now(), held_up: HeldUp::watch() }
    }

    /// How long that was.
    pub(crate) fn passed(&self, then: Instant) -> Duration {
        then.saturating_duration_since(self.began)
    }

    /// Checks that no more time passed until then than was promised, but for what the machine took.
    pub(crate) fn is_within(&self, promise: Duration, then: Instant, what: &str) {
        let took = then.saturating_duration_since(self.began);
        let lost = self.held_up.lost();
        assert!(
            took <= promise + lost,
            "{what} took {took:?}; the machine held it up for {lost:?}"
        );
    }
}
