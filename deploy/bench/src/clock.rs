//! The only reader of the clocks. Monotonic times of all processes of one machine compare.

use std::num::NonZeroU64;

use rustix::thread::{clock_nanosleep_absolute, set_current_timer_slack};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Nanoseconds of a second.
pub(crate) const SECOND_NS: u64 = 1_000_000_000;

/// Now, on the monotonic clock, in nanoseconds.
pub(crate) fn now_ns() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(SECOND_NS).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}

/// What the wall clock shows at a monotonic time, in nanoseconds since 1970.
pub(crate) fn wall_ns_at(mono_ns: u64) -> i64 {
    let wall = clock_gettime(ClockId::Realtime);
    let wall_ns = wall.tv_sec.saturating_mul(1_000_000_000).saturating_add(wall.tv_nsec);
    let ago = i64::try_from(now_ns().saturating_sub(mono_ns)).unwrap_or(i64::MAX);
    wall_ns.saturating_sub(ago)
}

/// Lets this thread wake up as exactly as the kernel can; it may otherwise be 50 us late on purpose. Threads and
/// processes that this thread starts inherit it.
pub(crate) fn wake_exactly() -> bool {
    set_current_timer_slack(NonZeroU64::new(1)).is_ok()
}

/// Blocks the thread until a monotonic time; returns at once when it has passed.
pub(crate) fn sleep_until(at_ns: u64) {
    let request = Timespec {
        tv_sec: i64::try_from(at_ns / SECOND_NS).unwrap_or(i64::MAX),
        tv_nsec: i64::try_from(at_ns % SECOND_NS).unwrap_or(0),
    };
    // A signal interrupts the sleep; the deadline stays what it was, so sleeping again is right.
    while clock_nanosleep_absolute(ClockId::Monotonic, &request)
        .is_err_and(|error| error == rustix::io::Errno::INTR)
    {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_ends_after_its_deadline_and_a_past_one_at_once() {
        let start = now_ns();
        sleep_until(start + 2_000_000);
        assert!(now_ns() >= start + 2_000_000);
        sleep_until(start);
    }

    #[test]
    fn the_wall_time_of_a_moment_moves_with_the_moment() {
        let now = now_ns();
        let apart = wall_ns_at(now) - wall_ns_at(now - 1_000_000_000);
        assert!((apart - 1_000_000_000).abs() < 100_000_000, "{apart} ns");
    }
}
