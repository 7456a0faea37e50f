//! The only reader of the clock: monotonic time for decisions, wall time for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ecmo_core::time::Instant;

/// What the clock shows at the start of the process: what was before a restart has a time too, and 0 can never be one.
const BASE: Duration = Duration::from_hours(30 * 24);

/// The monotonic clock of this process; copies agree with each other.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    // Tokio's instant is the system's monotonic one, and follows a test that pauses time.
    start: tokio::time::Instant,
}

impl Clock {
    /// Starts the clock. One per process: times of two clocks do not compare.
    #[must_use]
    pub fn start() -> Self {
        Self { start: tokio::time::Instant::now() }
    }

    /// Now, in nanoseconds since a month before the start; never goes back, never 0.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::default().plus(BASE).plus(self.start.elapsed())
    }

    /// Wall time in nanoseconds since 1970 UTC; for people and labels, never for a decision.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one reader of the wall clock")]
    pub fn wall_ns(&self) -> i64 {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_1970.as_nanos()).unwrap_or(i64::MAX)
    }

    /// The point to sleep until; a time before the start is the start.
    #[must_use]
    pub fn deadline(&self, at: Instant) -> tokio::time::Instant {
        let zero = Instant::default().plus(BASE);
        // What lies beyond the system's range is as good as never: a day ahead, then the caller looks again.
        let ahead = at.since(zero);
        self.start.checked_add(ahead).unwrap_or_else(|| self.start + Duration::from_secs(86_400))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_never_zero_and_never_goes_back() {
        let clock = Clock::start();
        let mut last = clock.now();
        assert!(last.as_nanos() > 0);
        for _ in 0..1_000 {
            let now = clock.now();
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn what_was_weeks_ago_has_a_time_and_every_time_is_exact_in_a_page_too() {
        let now = Clock::start().now();
        let weeks = Duration::from_hours(29 * 24);
        assert_eq!(now.since(now.minus(weeks)), weeks);
        // The numbers of a page are doubles: exact up to here. A process may run for two months.
        assert!(now.plus(Duration::from_hours(60 * 24)).as_nanos() < 1 << 53);
    }

    #[test]
    fn wall_time_is_after_2020() {
        assert!(Clock::start().wall_ns() > 1_577_836_800_000_000_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleep_until_a_time_ends_at_that_time() {
        let clock = Clock::start();
        let at = clock.now().plus(Duration::from_millis(250));
        tokio::time::sleep_until(clock.deadline(at)).await;
        let late = clock.now().since(at);
        assert!(clock.now() >= at && late <= Duration::from_millis(1), "{late:?} late");
        assert!(clock.deadline(Instant::from_nanos(0)) <= tokio::time::Instant::now());
    }

    #[test]
    fn the_end_of_the_range_can_be_slept_for() {
        let clock = Clock::start();
        assert!(clock.deadline(Instant::from_nanos(u64::MAX)) > clock.deadline(clock.now()));
    }
}
