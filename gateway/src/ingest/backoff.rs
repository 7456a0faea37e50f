//! How long to wait before the next connection: soon after a healthy one, ever longer while it fails, never in step.

use std::time::Duration;

/// After the first failure. Short, because every pump is dark meanwhile.
const FIRST: Duration = Duration::from_millis(50);

/// The longest, so that a broker that comes back is found within two seconds.
const LONGEST: Duration = Duration::from_secs(2);

/// The pause before the next attempt.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after a connection that was up for this long. One that ended soon counts as a failure: a broker that
    /// grants and cuts at once is not stormed either.
    pub(super) fn next(&mut self, up_for: Duration) -> Duration {
        if up_for >= LONGEST {
            self.failures = 0;
        }
        let pause = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        // Gateways that lost the same broker do not all come back in the same moment.
        pause.mul_f64(0.5 + 0.5 * fastrand::f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_healthy_connection_is_renewed_soon_and_a_failing_one_ever_more_seldom() {
        let mut backoff = Backoff::default();
        let mut pauses = Vec::new();
        for _ in 0..40 {
            pauses.push(backoff.next(Duration::from_millis(100)));
        }
        assert!(pauses[0] <= FIRST, "{pauses:?}");
        assert!(pauses.iter().all(|pause| (FIRST / 2..=LONGEST).contains(pause)), "{pauses:?}");
        assert!(pauses[10..].iter().all(|pause| *pause >= LONGEST / 2), "{pauses:?}");
        assert!(backoff.next(Duration::from_secs(60)) <= FIRST);
    }

    #[test]
    fn a_broker_that_cuts_at_once_is_asked_at_most_twice_a_second_on_average() {
        let mut backoff = Backoff::default();
        let total: Duration = (0..60).map(|_| backoff.next(Duration::ZERO)).sum();
        assert!(total >= Duration::from_secs(30), "{total:?} for 60 attempts");
    }
}
