//! The share of the network that backfill may have: so many bytes per second over all paths. Pure.

use core::time::Duration;

use ecmo_core::time::SampleTime;

/// A bucket that fills at a rate and may be overdrawn by one message, which is then waited for.
#[derive(Debug)]
pub(super) struct Bucket {
    bytes_per_s: f64,
    /// When all that was spent is paid for.
    paid: SampleTime,
}

impl Bucket {
    /// A bucket of a rate above 0, in bytes per second.
    pub(super) const fn new(bytes_per_s: f64) -> Self {
        Self { bytes_per_s, paid: SampleTime::from_nanos(0) }
    }

    /// Time until something may be spent; zero when it may.
    pub(super) fn wait(&self, now: SampleTime) -> Duration {
        self.paid.since(now)
    }

    /// Spends. What was not used in the past is gone: no burst follows a pause.
    pub(super) fn spend(&mut self, bytes: u32, now: SampleTime) {
        let costs = Duration::from_secs_f64(f64::from(bytes) / self.bytes_per_s);
        self.paid = self.paid.max(now).plus(costs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_kept_and_a_pause_is_not_made_up_for() {
        let mut bucket = Bucket::new(1000.0);
        let mut now = SampleTime::from_millis(5000);
        let mut spent = 0;
        let start = now;
        while now.since(start) < Duration::from_secs(60) {
            let wait = bucket.wait(now);
            if wait.is_zero() {
                bucket.spend(1600, now);
                spent += 1600;
            }
            now = now.plus(Duration::from_millis(7));
        }
        assert!((58_000..=61_600).contains(&spent), "{spent} bytes in 60 s");
        let later = now.plus(Duration::from_secs(100));
        bucket.spend(500, later);
        assert_eq!(bucket.wait(later), Duration::from_millis(500));
    }
}
