//! How often somebody may try to sign in: a bucket for each name, one for all passwords together, one for the PIN. Pure.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use ecmo_core::time::Instant;

/// Buckets for names: two names may share one, and nobody can tell which.
const NAMES: usize = 256;

/// Attempts at one name at once, and the time after which there is one more.
const OF_A_NAME: Rate = Rate { most: 5, every: Duration::from_secs(12) };

/// Attempts at all names at once, and the time after which there is one more: a tenth of one core at most.
const OF_ALL: Rate = Rate { most: 32, every: Duration::from_millis(500) };

/// Attempts at the PIN at once, and the time after which there is one more. Never a lock: an emergency waits seconds at most.
const OF_THE_PIN: Rate = Rate { most: 10, every: Duration::from_secs(6) };

#[derive(Debug, Clone, Copy)]
struct Rate {
    most: u32,
    every: Duration,
}

/// Attempts that are left, as of a time.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: u32,
    since: Instant,
}

impl Bucket {
    const fn full(rate: Rate) -> Self {
        Self { left: rate.most, since: Instant::from_nanos(0) }
    }

    /// Takes one attempt, or tells how long to wait for it.
    fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        let passed = now.since(self.since);
        let more = passed.as_nanos().checked_div(rate.every.as_nanos()).unwrap_or(0);
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        if self.left.saturating_add(more) >= rate.most {
            (self.left, self.since) = (rate.most, now);
        } else {
            self.left += more;
            self.since = self.since.plus(rate.every.saturating_mul(more));
        }
        let Some(left) = self.left.checked_sub(1) else {
            return Err(rate.every.saturating_sub(now.since(self.since)));
        };
        self.left = left;
        Ok(())
    }
}

/// What an attempt is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At<'a> {
    /// The password of a name, whether there is such an account or not.
    Name(&'a str),
    /// The PIN.
    Pin,
}

/// The attempts of late.
#[derive(Debug)]
pub(super) struct Attempts {
    keys: RandomState,
    names: Vec<Bucket>,
    all: Bucket,
    pin: Bucket,
}

impl Attempts {
    pub(super) fn new() -> Self {
        Self {
            keys: RandomState::new(),
            names: vec![Bucket::full(OF_A_NAME); NAMES],
            all: Bucket::full(OF_ALL),
            pin: Bucket::full(OF_THE_PIN),
        }
    }

    /// Takes one attempt, before anything is computed.
    ///
    /// # Errors
    /// There is none left: how long to wait.
    pub(super) fn take(&mut self, at: At<'_>, now: Instant) -> Result<(), Duration> {
        match at {
            At::Pin => self.pin.take(OF_THE_PIN, now),
            At::Name(name) => {
                let place = self.place(name);
                if let Some(bucket) = self.names.get_mut(place) {
                    bucket.take(OF_A_NAME, now)?;
                }
                self.all.take(OF_ALL, now)
            }
        }
    }

    /// What was right costs no attempt.
    pub(super) fn give_back(&mut self, at: At<'_>) {
        let (bucket, rate) = match at {
            At::Pin => (Some(&mut self.pin), OF_THE_PIN),
            At::Name(name) => {
                let place = self.place(name);
                (self.names.get_mut(place), OF_A_NAME)
            }
        };
        if let Some(bucket) = bucket {
            bucket.left = rate.most.min(bucket.left + 1);
        }
    }

    fn place(&self, name: &str) -> usize {
        let hash = self.keys.hash_one(name.to_lowercase());
        usize::try_from(hash % NAMES as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_millis(2_592_000_000);

    #[test]
    fn a_name_has_five_attempts_and_then_one_in_twelve_seconds() {
        let mut attempts = Attempts::new();
        let ann = At::Name("Ann");
        for _ in 0..5 {
            assert_eq!(attempts.take(ann, NOW), Ok(()));
        }
        assert_eq!(attempts.take(At::Name("ANN"), NOW), Err(Duration::from_secs(12)));
        assert_eq!(
            attempts.take(ann, NOW.plus(Duration::from_secs(11))),
            Err(Duration::from_secs(1))
        );
        assert_eq!(attempts.take(ann, NOW.plus(Duration::from_secs(12))), Ok(()));
        assert!(attempts.take(ann, NOW.plus(Duration::from_secs(12))).is_err());
        // After a rest all of them are there again, and not more.
        let rested = NOW.plus(Duration::from_hours(1));
        let taken = (0..9).filter(|_| attempts.take(ann, rested).is_ok()).count();
        assert_eq!(taken, 5);
    }

    #[test]
    fn names_together_have_a_bound_that_the_pin_does_not_share() {
        let mut attempts = Attempts::new();
        let taken =
            (0..1_000).filter(|number| attempts.take(At::Name(&number.to_string()), NOW).is_ok());
        assert_eq!(taken.count(), 32);
        let taken = (0..1_000).filter(|_| attempts.take(At::Pin, NOW).is_ok()).count();
        assert_eq!(taken, 10);
    }

    #[test]
    fn what_was_right_costs_no_attempt() {
        let mut attempts = Attempts::new();
        for _ in 0..20 {
            assert_eq!(attempts.take(At::Pin, NOW), Ok(()));
            attempts.give_back(At::Pin);
        }
        for _ in 0..100 {
            attempts.give_back(At::Pin);
        }
        assert_eq!((0..1_000).filter(|_| attempts.take(At::Pin, NOW).is_ok()).count(), 10);
    }
}
