//! What is known of the wall clock: whether the system says that it follows a time service, and when it jumped.
//!
//! The agent decides nothing by it. It tells what it knows, so that a person who compares a time in the history with a watch
//! knows how far to trust it. The kernel is asked (`adjtimex`, reading only), because every time service reports to it.

use core::ffi::c_long;
use core::time::Duration;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ecmo_proto::v1::{self, ClockQuality};
use tokio::time::sleep;

use crate::clock::{self, Stamp};

/// A jump of the wall clock against the monotonic one that is more than a time service corrects by slewing.
const STEP_NS: i64 = 100_000_000;

/// Time between two looks at the clocks. A slewing clock moves 0.1 ms against the other in it, at most 500 ppm.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Two reads that are further apart do not belong together: the thread was held up between them.
const APART_MAX: Duration = Duration::from_millis(10);

/// The kernel's flag that no time service has set the clock (`STA_UNSYNC` of `timex.h`).
const UNSYNCHRONIZED: i32 = 0x0040;

/// The kernel's word for a clock that is not synchronised (`TIME_ERROR` of `timex.h`).
const TIME_ERROR: i32 = 5;

/// Finds jumps of the wall clock against the monotonic clock. Pure: it is told what the clocks show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StepDetector {
    /// Wall less monotonic time at the last look.
    offset_ns: Option<i64>,
    steps: u64,
    last_step_ns: i64,
}

impl StepDetector {
    /// Takes a look; the jump since the last one, in nanoseconds, positive when the clock was set ahead.
    pub fn look(&mut self, stamp: Stamp) -> Option<i64> {
        let mono_ns = i64::try_from(stamp.mono.as_nanos()).unwrap_or(i64::MAX);
        let offset_ns = stamp.wall_ns.saturating_sub(mono_ns);
        // A slow drift is followed, so that it never adds up to a step.
        let step_ns = offset_ns.saturating_sub(self.offset_ns.replace(offset_ns)?);
        if step_ns.saturating_abs() <= STEP_NS {
            return None;
        }
        self.steps += 1;
        self.last_step_ns = step_ns;
        Some(step_ns)
    }
}

/// What the operating system says of its wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemClock {
    quality: ClockQuality,
    error_max_us: Option<u64>,
}

impl SystemClock {
    /// Nothing is known.
    const UNKNOWN: Self = Self { quality: ClockQuality::Unspecified, error_max_us: None };

    /// Asks the kernel; changes nothing, and needs no privilege.
    fn read() -> Self {
        // A zeroed structure sets no mode, which makes the call a question.
        let mut timex = rtime_clock::adjtime::Timex::new();
        match rtime_clock::adjtime::adjtimex(&mut timex) {
            Ok(state) => Self::of(state, timex.0.status, timex.0.maxerror),
            Err(_refused_by_a_sandbox) => Self::UNKNOWN,
        }
    }

    /// The kernel's answer in words of the contract.
    fn of(state: i32, status: i32, error_max_us: c_long) -> Self {
        if state == TIME_ERROR || status & UNSYNCHRONIZED != 0 {
            // Without a time service the kernel's bound is a mere ceiling and says nothing.
            return Self { quality: ClockQuality::FreeRunning, error_max_us: None };
        }
        Self { quality: ClockQuality::Synchronized, error_max_us: u64::try_from(error_max_us).ok() }
    }
}

/// What is known of the wall clock, shared by everything that tells it.
#[derive(Debug, Default)]
pub struct WallClock {
    /// A `ClockQuality`, readable from the sampling thread without waiting.
    quality: AtomicU8,
    is_asked: AtomicBool,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    steps: StepDetector,
    error_max_us: Option<u64>,
}

impl WallClock {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Nothing in here can panic half way.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the clocks and asks the system, again and again.
    pub async fn watch(&self) {
        loop {
            self.look();
            sleep(LOOK_EVERY).await;
        }
    }

    /// One look.
    pub fn look(&self) {
        self.note(SystemClock::read(), clock::close_stamp(APART_MAX));
    }

    fn note(&self, system: SystemClock, stamp: Option<Stamp>) {
        let step_ns = {
            let mut seen = self.seen();
            seen.error_max_us = system.error_max_us;
            stamp.and_then(|stamp| seen.steps.look(stamp))
        };
        self.quality.store(word(system.quality), Ordering::Relaxed);
        self.is_asked.store(true, Ordering::Relaxed);
        if let Some(step_ns) = step_ns {
            tracing::warn!(step_ns, "the wall clock jumped; nothing that is decided depends on it");
        }
    }

    /// Whether a time service is followed.
    #[must_use]
    pub fn quality(&self) -> ClockQuality {
        ClockQuality::try_from(i32::from(self.quality.load(Ordering::Relaxed)))
            .unwrap_or(ClockQuality::Unspecified)
    }

    /// Everything, for a heartbeat; `None` before the first look.
    #[must_use]
    pub fn told(&self) -> Option<v1::WallClock> {
        if !self.is_asked.load(Ordering::Relaxed) {
            return None;
        }
        let seen = self.seen();
        Some(v1::WallClock {
            quality: self.quality().into(),
            error_max_us: seen.error_max_us,
            steps: seen.steps.steps,
            last_step_ns: seen.steps.last_step_ns,
        })
    }
}

const fn word(quality: ClockQuality) -> u8 {
    match quality {
        ClockQuality::Unspecified => 0,
        ClockQuality::Synchronized => 1,
        ClockQuality::FreeRunning => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_core::time::SampleTime;

    const HOUR_NS: i64 = 3_600_000_000_000;

    fn at(mono_ms: u64, wall_ns: i64) -> Stamp {
        Stamp { mono: SampleTime::from_millis(mono_ms), wall_ns }
    }

    #[test]
    fn jumps_are_counted_with_their_sign_and_slewing_is_none() {
        let mut detector = StepDetector::default();
        let ms = 1_000_000;
        // (monotonic ms, wall ns, jump)
        for (mono_ms, wall_ns, step_ns) in [
            (1000, 50_000 * ms, None),
            (1250, 50_250 * ms, None),
            // Slewed by 100 ms in a quarter of a second: fast, and no step yet.
            (1500, 50_600 * ms, None),
            (1750, 50_850 * ms + HOUR_NS, Some(HOUR_NS)),
            (2000, 51_100 * ms + HOUR_NS, None),
            (2250, 51_350 * ms - HOUR_NS, Some(-2 * HOUR_NS)),
            // A sleep of the machine moves both clocks.
            (9_000_000, 9_049_100 * ms - HOUR_NS, None),
        ] {
            assert_eq!(detector.look(at(mono_ms, wall_ns)), step_ns, "{mono_ms}");
        }
        assert_eq!((detector.steps, detector.last_step_ns), (2, -2 * HOUR_NS));
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let mut detector = StepDetector::default();
        for wall_ns in [i64::MIN, i64::MAX, 0, i64::MIN] {
            detector.look(at(u64::MAX / 1_000_000, wall_ns));
        }
        assert_eq!((detector.steps, detector.last_step_ns), (2, i64::MIN + 1));
    }

    #[test]
    fn the_kernels_words_are_understood() {
        let known = |quality, error_max_us| SystemClock { quality, error_max_us };
        for (state, status, error, expected) in [
            (0, 0x2001, 1500, known(ClockQuality::Synchronized, Some(1500))),
            (1, 0x0001, 0, known(ClockQuality::Synchronized, Some(0))),
            (5, 0x0040, 16_000_000, known(ClockQuality::FreeRunning, None)),
            (0, 0x0040, 16_000_000, known(ClockQuality::FreeRunning, None)),
            (5, 0x1000, 10, known(ClockQuality::FreeRunning, None)),
            (0, 0x0001, -1, known(ClockQuality::Synchronized, None)),
        ] {
            assert_eq!(SystemClock::of(state, status, error), expected, "{state} {status:#x}");
        }
    }

    #[test]
    fn what_is_known_is_told_and_nothing_before_the_first_look() {
        let wall_clock = WallClock::default();
        assert_eq!(wall_clock.told(), None);
        let system = SystemClock::of(0, 0, 700);
        wall_clock.note(system, Some(at(0, 0)));
        wall_clock.note(system, None);
        wall_clock.note(system, Some(at(1000, 1_000_000_000 + HOUR_NS)));
        let told = wall_clock.told().unwrap();
        assert_eq!((told.steps, told.last_step_ns, told.error_max_us), (1, HOUR_NS, Some(700)));
        assert_eq!(told.quality(), ClockQuality::Synchronized);
        assert_eq!(wall_clock.quality(), ClockQuality::Synchronized);
        assert_ne!(SystemClock::read(), SystemClock::UNKNOWN, "Linux answers every process");
    }
}
