//! Two clocks as numbers handed in: the reader's own, and the agent's. They never mix by accident, because they are types.

use core::time::Duration;

/// A point on the monotonic clock of the program that decides, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

/// A point on the monotonic clock of the agent that sampled, in nanoseconds. Comparable within one boot only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SampleTime(u64);

/// Nanoseconds of a duration; more than 584 years is cut.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

macro_rules! monotonic {
    ($clock:ident) => {
        impl $clock {
            /// From nanoseconds since the clock's start.
            #[must_use]
            pub const fn from_nanos(nanos: u64) -> Self {
                Self(nanos)
            }

            /// From milliseconds since the clock's start; for tables and tests.
            #[must_use]
            pub const fn from_millis(millis: u64) -> Self {
                Self(millis.saturating_mul(1_000_000))
            }

            /// Nanoseconds since the clock's start.
            #[must_use]
            pub const fn as_nanos(self) -> u64 {
                self.0
            }

            /// Time passed since `earlier`; zero when `earlier` is later.
            #[must_use]
            pub const fn since(self, earlier: Self) -> Duration {
                Duration::from_nanos(self.0.saturating_sub(earlier.0))
            }

            /// This point moved on; stops at the end of the clock's range.
            #[must_use]
            pub fn plus(self, duration: Duration) -> Self {
                Self(self.0.saturating_add(nanos(duration)))
            }

            /// This point moved back; stops at the clock's start.
            #[must_use]
            pub fn minus(self, duration: Duration) -> Self {
                Self(self.0.saturating_sub(nanos(duration)))
            }
        }
    };
}

monotonic!(Instant);
monotonic!(SampleTime);

/// How long the fastest frame of a period is remembered as the measure of the path.
const FASTEST_PERIOD: Duration = Duration::from_secs(10);

/// Maps the agent's clock to the reader's by the fastest frame of the last 10 to 20 s.
///
/// The mapped time of a sample is late by the path's least delay, and by nothing else: a frame that waited somewhere is
/// older than it looks, and this shows it. Two clocks drift apart by less than 2 ms in 20 s.
#[derive(Debug, Clone, Default)]
pub struct ClockMap {
    /// Least (reader - agent) difference of the present and the previous period, in nanoseconds.
    present: Option<i128>,
    previous: Option<i128>,
    turned_at: Instant,
}

impl ClockMap {
    /// Takes note of a frame that was published at `sent` by the agent's clock and arrived at `now`.
    pub fn observe(&mut self, sent: SampleTime, now: Instant) {
        let difference = i128::from(now.0) - i128::from(sent.0);
        if self.present.is_none() || now.since(self.turned_at) >= FASTEST_PERIOD {
            self.previous = self.present;
            self.present = Some(difference);
            self.turned_at = now;
        } else if self.present.is_some_and(|least| difference < least) {
            self.present = Some(difference);
        }
    }

    /// The reader's time of a point on the agent's clock, never later than `now`; `now` before the first frame.
    #[must_use]
    pub fn to_reader(&self, time: SampleTime, now: Instant) -> Instant {
        let least = match (self.present, self.previous) {
            (Some(present), Some(previous)) => present.min(previous),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => return now,
        };
        let mapped = (i128::from(time.0) + least).clamp(0, i128::from(now.0));
        Instant(u64::try_from(mapped).unwrap_or(now.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_waited_is_shown_as_old_as_it_is() {
        let mut map = ClockMap::default();
        // Fastest path: 3 ms, with the agent's clock 1 s behind.
        for tick in 0..100 {
            map.observe(SampleTime::from_millis(tick * 20), Instant::from_millis(tick * 20 + 1_003));
        }
        let sent = SampleTime::from_millis(2_000);
        let now = Instant::from_millis(7_000);
        map.observe(sent, now);
        assert_eq!(now.since(map.to_reader(sent, now)), Duration::from_millis(3_997));
    }

    #[test]
    fn no_sample_lies_in_the_future_and_none_before_the_clock() {
        let mut map = ClockMap::default();
        let now = Instant::from_millis(10);
        assert_eq!(map.to_reader(SampleTime::from_millis(99), now), now);
        map.observe(SampleTime::from_millis(5_000), now);
        assert_eq!(map.to_reader(SampleTime::from_millis(9_000), now), now);
        assert_eq!(map.to_reader(SampleTime::from_millis(0), now), Instant::from_nanos(0));
    }

    #[test]
    fn a_path_that_became_slower_is_believed_after_two_periods() {
        let mut map = ClockMap::default();
        for second in 0..60 {
            let delay = if second < 10 { 1 } else { 50 };
            map.observe(
                SampleTime::from_millis(second * 1_000),
                Instant::from_millis(second * 1_000 + delay),
            );
        }
        let now = Instant::from_millis(59_050);
        assert_eq!(map.to_reader(SampleTime::from_millis(59_000), now), now);
    }
}
