//! How late the ticks of the sampling thread began, in the buckets of the contract.

use core::time::Duration;

use super::Counter;

/// Upper bounds of the buckets in microseconds, as the contract lists them; the last bucket has no bound.
pub const BOUNDS_US: [u64; 11] = [10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000];

/// Buckets, the one without a bound included.
pub(super) const BUCKETS: usize = BOUNDS_US.len() + 1;

/// Counts of ticks by their lateness. One thread adds, any thread reads.
#[derive(Debug, Default)]
pub struct Lateness {
    buckets: [Bucket; BUCKETS],
    max_us: Counter,
}

/// The ticks of one bucket.
#[derive(Debug, Default)]
struct Bucket {
    ticks: Counter,
    /// All their lateness. With it the mean of a bucket is known, and the sum over all is exact.
    sum_ns: Counter,
}

/// A bucket at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BucketCount {
    /// Ticks.
    pub ticks: u64,
    /// Sum of their lateness, in nanoseconds.
    pub sum_ns: u64,
}

impl Lateness {
    /// Counts a tick that began so late.
    pub fn add(&self, late: Duration) {
        let at = BOUNDS_US.iter().position(|bound| late <= Duration::from_micros(*bound));
        if let Some(bucket) = self.buckets.get(at.unwrap_or(BOUNDS_US.len())) {
            bucket.ticks.add(1);
            bucket.sum_ns.add(u64::try_from(late.as_nanos()).unwrap_or(u64::MAX));
        }
        self.max_us.raise_to(u64::try_from(late.as_micros()).unwrap_or(u64::MAX));
    }

    /// The buckets in the order of [`BOUNDS_US`].
    #[must_use]
    pub fn buckets(&self) -> [BucketCount; BUCKETS] {
        self.buckets
            .each_ref()
            .map(|bucket| BucketCount { ticks: bucket.ticks.get(), sum_ns: bucket.sum_ns.get() })
    }

    /// The greatest lateness, in microseconds.
    #[must_use]
    pub fn max_us(&self) -> u64 {
        self.max_us.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_falls_into_the_first_bucket_that_holds_it() {
        for (late_us, at) in [(0, 0), (10, 0), (11, 1), (1000, 6), (1001, 7), (25_000, 10)] {
            let lateness = Lateness::default();
            lateness.add(Duration::from_micros(late_us));
            let filled = lateness.buckets().iter().position(|bucket| bucket.ticks == 1);
            assert_eq!(filled, Some(at), "{late_us} us");
        }
        let lateness = Lateness::default();
        lateness.add(Duration::from_micros(25_001));
        lateness.add(Duration::from_secs(9));
        let sum_ns = 9_025_001_000;
        assert_eq!(lateness.buckets()[11], BucketCount { ticks: 2, sum_ns });
        assert_eq!(lateness.max_us(), 9_000_000);
    }
}
