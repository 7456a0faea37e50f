//! How long to wait before the next connection: longer each time, and never the same for two agents.

use core::time::Duration;

/// Bound of the first wait.
const FIRST: Duration = Duration::from_millis(100);

/// Bound of every later wait.
const LAST: Duration = Duration::from_secs(5);

/// Least wait: even an unlucky draw is no storm.
const LEAST: Duration = Duration::from_millis(20);

/// A connection that lasted so long was healthy: the next wait begins small again. A shorter one may have been accepted
/// and cut at once, as between two agents of one name that push each other out.
const HEALTHY: Duration = Duration::from_secs(5);

/// Waits with full jitter: anywhere between the least wait and a bound that doubles.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Takes note of how long a connection lasted that was lost or never came about.
    pub(super) fn note(&mut self, lasted: Duration) {
        self.failures = if lasted >= HEALTHY { 1 } else { self.failures.saturating_add(1) };
    }

    /// Failures in a row.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// Longest next wait.
    fn bound(&self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(16);
        FIRST.saturating_mul(1 << doublings).min(LAST)
    }

    /// The next wait.
    pub(super) fn wait(&self, rng: &mut fastrand::Rng) -> Duration {
        LEAST + (self.bound() - LEAST).mul_f64(rng.f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_bound_and_begin_small_after_a_healthy_connection() {
        let mut backoff = Backoff::default();
        let mut rng = fastrand::Rng::with_seed(7);
        let mut bounds = Vec::new();
        for _ in 0..100 {
            backoff.note(Duration::ZERO);
            bounds.push(backoff.bound().as_millis());
            let wait = backoff.wait(&mut rng);
            assert!(wait >= LEAST && wait <= backoff.bound());
        }
        assert_eq!(bounds[..7], [100, 200, 400, 800, 1600, 3200, 5000]);
        assert_eq!(bounds[99], 5000);
        backoff.note(HEALTHY);
        assert_eq!((backoff.bound(), backoff.failures()), (FIRST, 1));
    }

    #[test]
    fn agents_that_lost_one_broker_together_come_back_apart() {
        let mut backoff = Backoff::default();
        (0..10).for_each(|_| backoff.note(Duration::ZERO));
        let mut waits: Vec<_> =
            (0..100).map(|seed| backoff.wait(&mut fastrand::Rng::with_seed(seed))).collect();
        waits.sort();
        assert!(waits[90] - waits[10] > Duration::from_secs(3));
    }
}
