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

/// How fast two monotonic clocks may drift apart, as nanoseconds a second: the most that a time service slews a clock.
pub(crate) const DRIFT_NANOS_PER_SECOND: u64 = 500_000;

/// Maps the agent's clock to the reader's by the fastest word of the agent so far, a frame or the answer to a probe, or by what
/// probes estimate where this says that frames are older. No word arrives before it was said: the fastest is a certain bound,
/// and what it says is too old is too old, however long the others took.
///
/// The mapped time of a sample is late by the path's least delay, and by nothing else: a frame that waited somewhere is
/// older than it looks, and this shows it. The measure is not forgotten, only loosened by the drift that clocks may
/// have: a path that stays slow is not taken for a fast one.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClockMap {
    fastest: Option<Fastest>,
    /// What probes say, if they do: a path that was slow from the start has no fast frame to be compared with.
    probed: Option<Fastest>,
}

/// The least (reader - agent) difference, and when it was seen.
#[derive(Debug, Clone, Copy)]
struct Fastest {
    difference: i128,
    at: Instant,
}

impl Fastest {
    /// The difference that must be assumed now.
    fn at(self, now: Instant) -> i128 {
        let drift = now.since(self.at).as_secs().saturating_mul(DRIFT_NANOS_PER_SECOND);
        self.difference.saturating_add(i128::from(drift))
    }
}

impl ClockMap {
    /// Takes note of a word of the agent, a frame or an answer, that was published at `sent` by the agent's clock and arrived
    /// at `now`.
    pub fn observe(&mut self, sent: SampleTime, now: Instant) {
        let difference = i128::from(now.0) - i128::from(sent.0);
        if self.fastest.is_none_or(|fastest| difference <= fastest.at(now)) {
            self.fastest = Some(Fastest { difference, at: now });
        }
    }

    /// Takes note of what probes say now: reader's time less agent's time, in nanoseconds.
    pub fn probed(&mut self, offset_ns: i128, now: Instant) {
        self.probed = Some(Fastest { difference: offset_ns, at: now });
    }

    /// The difference that must be assumed now, reader's time less agent's time in nanoseconds: the lesser, by which data is
    /// older.
    pub(crate) fn difference(&self, now: Instant) -> Option<i128> {
        let fastest = self.fastest?.at(now);
        Some(self.probed.map_or(fastest, |probed| probed.at(now).min(fastest)))
    }

    /// The agent's time of a point on the reader's clock; `None` before the first frame.
    #[must_use]
    pub fn to_agent(&self, now: Instant) -> Option<SampleTime> {
        let mapped = i128::from(now.0) - self.difference(now)?;
        u64::try_from(mapped).ok().map(SampleTime)
    }

    /// The reader's time of a point on the agent's clock, never later than `now`; `now` before the first frame.
    #[must_use]
    pub fn to_reader(&self, time: SampleTime, now: Instant) -> Instant {
        let Some(difference) = self.difference(now) else { return now };
        let mapped = (i128::from(time.0) + difference).clamp(0, i128::from(now.0));
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
            map.observe(
                SampleTime::from_millis(tick * 20),
                Instant::from_millis(tick * 20 + 1_003),
            );
        }
        let sent = SampleTime::from_millis(2_000);
        let now = Instant::from_millis(7_000);
        map.observe(sent, now);
        // 4 s less the path's 3 ms and the 2 ms that the clocks may have drifted apart since the last fast frame.
        assert_eq!(now.since(map.to_reader(sent, now)), Duration::from_millis(3_995));
    }

    #[test]
    fn an_answer_that_took_a_minute_still_says_that_a_frame_is_older_than_it() {
        let mut map = ClockMap::default();
        let (held, now) = (SampleTime::from_millis(1_000), Instant::from_millis(100_000));
        map.observe(held, now);
        assert_eq!(map.to_reader(held, now), now, "nothing says better");
        // Said 80 s after the frame, and here 200 ms after it.
        let now = Instant::from_millis(100_200);
        map.observe(SampleTime::from_millis(81_000), now);
        assert_eq!(now.since(map.to_reader(held, now)), Duration::from_secs(80));
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
    fn a_path_that_stays_slow_is_not_taken_for_a_fast_one() {
        let mut map = ClockMap::default();
        map.observe(SampleTime::from_millis(0), Instant::from_millis(1));
        for second in 1..600 {
            let delay = 30_000;
            let now = Instant::from_millis(second * 1_000 + delay);
            map.observe(SampleTime::from_millis(second * 1_000), now);
        }
        let now = Instant::from_millis(630_000);
        let age = now.since(map.to_reader(SampleTime::from_millis(600_000), now));
        assert!(age > Duration::from_millis(29_600), "{age:?}");
    }

    #[test]
    fn probes_tell_of_a_path_that_was_slow_from_the_start_and_never_make_data_younger() {
        let mut map = ClockMap::default();
        let (sent, now) = (SampleTime::from_millis(1_000), Instant::from_millis(6_000));
        map.observe(sent, now);
        assert_eq!(map.to_reader(sent, now), now, "nothing says better");
        map.probed(1_000_000_000, now);
        assert_eq!(now.since(map.to_reader(sent, now)), Duration::from_secs(4));
        map.probed(60_000_000_000, now);
        assert_eq!(map.to_reader(sent, now), now, "the frame itself was here");
    }

    #[test]
    fn a_clock_that_drifts_slowly_does_not_make_data_look_old() {
        let mut map = ClockMap::default();
        for second in 0..3_600 {
            // The agent's clock runs 0.02 % slow: it falls back 0.72 s in the hour.
            let sent = SampleTime::from_nanos(second * 999_800_000);
            let now = Instant::from_millis(second * 1_000 + 2);
            map.observe(sent, now);
            assert!(now.since(map.to_reader(sent, now)) < Duration::from_millis(1));
        }
    }
}
