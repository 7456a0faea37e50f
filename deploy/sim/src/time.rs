//! Time of the simulation, and the clocks of the hosts in it: each runs at its own rate from its own start.

use ecmo_core::time::{Instant, SampleTime};

/// True time since the start of the run, or a length of time, in nanoseconds.
pub type Nanos = u64;

/// A millisecond.
pub const MS: Nanos = 1_000_000;

/// A second.
pub const SECOND: Nanos = 1_000 * MS;

/// A minute.
pub const MINUTE: Nanos = 60 * SECOND;

/// An hour.
pub const HOUR: Nanos = 60 * MINUTE;

/// The clocks of one host.
#[derive(Debug, Clone, Copy)]
pub struct HostClock {
    /// What its monotonic clock showed when the run began.
    started: u64,
    /// How fast it gains, in parts per million.
    ppm: i64,
    /// Its wall clock less true wall time, in nanoseconds.
    pub wall_offset: i64,
}

/// True wall time at the start of a run, in nanoseconds since 1970.
const WALL_START: i64 = 1_900_000_000_000_000_000;

impl HostClock {
    /// A host that has been up for `started`, whose clock gains `ppm` and whose wall clock is off by `wall_offset`.
    #[must_use]
    pub const fn new(started: u64, ppm: i64, wall_offset: i64) -> Self {
        Self { started, ppm, wall_offset }
    }

    fn mono(&self, now: Nanos) -> u64 {
        // Whole seconds and the rest of them apart: no product is greater than 64 bits hold, for hundreds of years.
        let ppm = self.ppm.unsigned_abs();
        let gained = now / SECOND * (ppm * 1_000) + now % SECOND * ppm / 1_000_000;
        let passed = self.started.saturating_add(now);
        if self.ppm < 0 { passed.saturating_sub(gained) } else { passed.saturating_add(gained) }
    }

    /// The monotonic clock, of a host that decides.
    #[must_use]
    pub fn instant(&self, now: Nanos) -> Instant {
        Instant::from_nanos(self.mono(now))
    }

    /// The monotonic clock, of a host that samples.
    #[must_use]
    pub fn sample_time(&self, now: Nanos) -> SampleTime {
        SampleTime::from_nanos(self.mono(now))
    }

    /// The wall clock, in nanoseconds since 1970.
    #[must_use]
    pub fn wall(&self, now: Nanos) -> i64 {
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        WALL_START.saturating_add(now).saturating_add(self.wall_offset)
    }

    /// A true time at which the monotonic clock shows `shown` or more: the first, or two nanoseconds later.
    #[must_use]
    pub fn when(&self, shown: u64) -> Nanos {
        let passed = shown.saturating_sub(self.started);
        let rate = 1_000_000_u64.saturating_add_signed(self.ppm).max(1);
        let mut at = (passed / rate).saturating_mul(1_000_000) + passed % rate * 1_000_000 / rate;
        while self.mono(at) < shown {
            at += 1;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_true_time_of_a_reading_is_no_earlier_and_at_most_two_nanoseconds_later() {
        for ppm in [-180, -1, 0, 1, 180] {
            let clock = HostClock::new(17 * SECOND, ppm, 0);
            for at in [0, 1, 999_999_999, 3 * HOUR + 1] {
                let shown = clock.instant(at).as_nanos();
                let when = clock.when(shown);
                assert!(when <= at + 2 && clock.instant(when).as_nanos() >= shown, "{ppm} {at}");
            }
        }
    }
}
