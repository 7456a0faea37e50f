//! The only reader of the clocks: monotonic for everything that is decided, wall for people.
//!
//! The monotonic clock is the one that goes on while the machine sleeps: with the other one, all data after a sleep would
//! look as old as the sleep was long. The wall clock is read through the standard library, as every other program of the
//! machine reads it.

use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use ecmo_core::time::SampleTime;
use rustix::thread::clock_nanosleep_absolute;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Nanoseconds of a second.
const SECOND_NS: u64 = 1_000_000_000;

/// Now, on the agent's monotonic clock.
#[must_use]
pub fn now() -> SampleTime {
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    SampleTime::from_nanos(seconds.saturating_mul(SECOND_NS).saturating_add(nanos))
}

/// Now, on the wall clock, in nanoseconds since 1970 UTC. A label for people: it may jump.
#[must_use]
pub fn wall_ns() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "this is the file that reads the clocks")]
    let now = SystemTime::now();
    let nanos = |span: Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
    match now.duration_since(UNIX_EPOCH) {
        Ok(after) => nanos(after),
        Err(before) => nanos(before.duration()).saturating_neg(),
    }
}

/// One moment on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Monotonic.
    pub mono: SampleTime,
    /// Wall, in nanoseconds since 1970 UTC.
    pub wall_ns: i64,
}

/// Now, on both clocks.
#[must_use]
pub fn stamp() -> Stamp {
    Stamp { mono: now(), wall_ns: wall_ns() }
}

/// Now, on both clocks, or `None` when more than `apart` passed between the two reads: such a pair does not belong together.
#[must_use]
pub fn close_stamp(apart: Duration) -> Option<Stamp> {
    let stamp = stamp();
    (now().since(stamp.mono) <= apart).then_some(stamp)
}

/// Blocks the thread until a point on the monotonic clock; returns at once when it has passed.
///
/// The deadline is absolute, so that being late once does not make every later wake-up late.
pub fn sleep_until(deadline: SampleTime) {
    let nanos = deadline.as_nanos();
    let request = Timespec {
        tv_sec: i64::try_from(nanos / SECOND_NS).unwrap_or(i64::MAX),
        tv_nsec: i64::try_from(nanos % SECOND_NS).unwrap_or(0),
    };
    // A signal interrupts the sleep; the deadline stays what it was, so sleeping again is right.
    while clock_nanosleep_absolute(ClockId::Boottime, &request)
        .is_err_and(|error| error == rustix::io::Errno::INTR)
    {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_ends_after_its_deadline_and_a_past_one_at_once() {
        let start = now();
        let deadline = start.plus(Duration::from_millis(5));
        sleep_until(deadline);
        assert!(now() >= deadline);
        sleep_until(start);
        assert!(wall_ns() > 1_600_000_000_000_000_000, "the wall clock is after 2020");
    }
}
