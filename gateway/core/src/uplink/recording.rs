//! Whether the gateway keeps what arrives: a failure counts once it has lasted, and is over once all has been well for a while.

use core::time::Duration;

use crate::time::Instant;

/// How long nothing may be kept before it is an alarm (own proposal): a slow disk catches up within it.
pub const RECORDING_GRACE: Duration = Duration::from_secs(2);

/// How long everything must be kept before the alarm ends (own proposal).
pub const RECORDING_CLEAR: Duration = Duration::from_secs(5);

/// What is known of the recording.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Recording {
    bad_since: Option<Instant>,
    /// Since when all has been well although a failure is not over yet.
    good_since: Option<Instant>,
}

impl Recording {
    /// It keeps what arrives, or does not.
    pub(super) fn on_word(&mut self, keeps: bool, now: Instant) {
        if !keeps {
            self.good_since = None;
            self.bad_since.get_or_insert(now);
            return;
        }
        let Some(bad_since) = self.bad_since else { return };
        let good_since = *self.good_since.get_or_insert(now);
        let is_short = good_since.since(bad_since) < RECORDING_GRACE;
        if is_short || now.since(good_since) >= RECORDING_CLEAR {
            *self = Self::default();
        }
    }

    /// Since when it has failed, if that has lasted.
    pub(super) fn is_failed(&self, now: Instant) -> Option<Instant> {
        self.bad_since.filter(|since| now.since(*since) >= RECORDING_GRACE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_counts_after_two_seconds_and_is_over_after_five_good_ones() {
        let at = Instant::from_millis;
        let mut recording = Recording::default();
        for (ms, keeps, failed) in [
            (0, true, false),
            (1_000, false, false),
            (2_900, false, false),
            (2_950, true, false),
            (3_500, false, false),
            (5_499, false, false),
            (5_500, false, true),
            (6_000, true, true),
            (10_000, false, true),
            (11_000, true, true),
            (15_999, true, true),
            (16_000, true, false),
        ] {
            recording.on_word(keeps, at(ms));
            assert_eq!(recording.is_failed(at(ms)).is_some(), failed, "{ms} ms");
        }
    }
}
