//! Whether the alarm path keeps its latency budget: the share of slow decisions over the last ten seconds.

use core::time::Duration;

use crate::time::Instant;

/// From the arrival of a frame to its decision (clinical reference, section 4.3: 10 ms at the 99.9th percentile, prop).
pub const BUDGET: Duration = Duration::from_millis(10);

/// Seconds that are looked at.
const WINDOW: usize = 10;

/// Fewer decisions than this in the window say nothing about a percentile.
const DECISIONS_MIN: u64 = 200;

/// Decisions of one second, and how many of them were over the budget.
#[derive(Debug, Clone, Copy, Default)]
struct Second {
    number: u64,
    all: u64,
    over: u64,
}

/// The decisions of the last seconds.
#[derive(Debug, Default)]
pub(super) struct Budget {
    seconds: [Second; WINDOW],
}

impl Budget {
    /// Takes note of a decision.
    pub(super) fn decided(&mut self, took: Duration, now: Instant) {
        let number = number(now);
        let place = usize::try_from(number).unwrap_or(0) % WINDOW;
        if let Some(second) = self.seconds.get_mut(place) {
            if second.number != number {
                *second = Second { number, all: 0, over: 0 };
            }
            second.all += 1;
            second.over += u64::from(took > BUDGET);
        }
    }

    /// Whether more than one decision in a hundred was over the budget; `None` with too few to say.
    pub(super) fn is_missed(&self, now: Instant) -> Option<bool> {
        let recent = self.seconds.iter().filter(|second| {
            number(now).saturating_sub(second.number) < WINDOW as u64
                && second.number <= number(now)
        });
        let (all, over) =
            recent.fold((0, 0), |(all, over), second| (all + second.all, over + second.over));
        (all >= DECISIONS_MIN).then_some(over * 100 > all)
    }
}

fn number(now: Instant) -> u64 {
    now.as_nanos() / 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Duration = Duration::from_micros(20);
    const SLOW: Duration = Duration::from_millis(11);

    /// A hundred decisions a second, so many of them slow, for some seconds.
    fn run(budget: &mut Budget, seconds: core::ops::Range<u64>, slow: u64) -> Instant {
        let last = seconds.end;
        for second in seconds {
            for decision in 0..100 {
                let took = if decision < slow { SLOW } else { FAST };
                budget.decided(took, Instant::from_millis(second * 1_000 + decision));
            }
        }
        Instant::from_millis(last * 1_000 - 1)
    }

    #[test]
    fn two_slow_ones_in_a_hundred_miss_it_and_one_does_not() {
        for (slow, expected) in [(0, false), (1, false), (2, true)] {
            let mut budget = Budget::default();
            let now = run(&mut budget, 5..15, slow);
            assert_eq!(budget.is_missed(now), Some(expected), "{slow}");
        }
    }

    #[test]
    fn ten_good_seconds_forget_and_few_decisions_say_nothing() {
        let mut budget = Budget::default();
        let now = run(&mut budget, 0..1, 100);
        assert_eq!(budget.is_missed(now), None);
        run(&mut budget, 1..10, 0);
        assert_eq!(budget.is_missed(Instant::from_millis(9_999)), Some(true));
        let now = run(&mut budget, 10..11, 0);
        assert_eq!(budget.is_missed(now), Some(false));
        assert_eq!(budget.is_missed(Instant::from_millis(60_000)), None);
    }
}
