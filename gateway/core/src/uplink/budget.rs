//! Whether each hop of the alarm path keeps its latency budget: the share of what was slow over the last ten seconds, and
//! single alarms that were far too slow.

use core::time::Duration;

use crate::alarm::condition::{Condition, Priority};
use crate::time::Instant;

/// From the arrival of a frame to its decision (clinical reference, section 4.3: 10 ms at the 99.9th percentile, prop).
pub const BUDGET: Duration = Duration::from_millis(10);

/// Seconds that are looked at.
const WINDOW: usize = 10;

/// A part of the alarm path that has a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hop {
    /// Sample taken → frame handed to the network.
    Agent,
    /// Handed to the network → arrived, by the probes' estimate of the clocks.
    Network,
    /// Arrived → decided.
    Decision,
    /// Decided → confirmed by the first display.
    Display,
}

impl Hop {
    /// Every hop, in the order of the path.
    pub const ALL: [Self; 4] = [Self::Agent, Self::Network, Self::Decision, Self::Display];

    /// What 99 in 100 must keep over ten seconds (prop).
    #[must_use]
    pub const fn budget(self) -> Duration {
        match self {
            Self::Agent => Duration::from_millis(100),
            Self::Network => Duration::from_millis(500),
            Self::Decision => BUDGET,
            Self::Display => Duration::from_secs(1),
        }
    }

    /// What no single alarm may exceed (prop); `None` where there is no such rule.
    #[must_use]
    pub const fn alarm_max(self) -> Option<Duration> {
        match self {
            Self::Agent => Some(Duration::from_millis(500)),
            Self::Display => Some(Duration::from_secs(1)),
            Self::Network | Self::Decision => None,
        }
    }

    /// What is raised when it is not kept.
    #[must_use]
    pub const fn condition(self) -> Condition {
        match self {
            Self::Agent => Condition::LATENCY_AGENT,
            Self::Network => Condition::LATENCY_NETWORK,
            Self::Decision => Condition::GATEWAY_OVERLOAD,
            Self::Display => Condition::LATENCY_DISPLAY,
        }
    }

    pub(super) const fn priority(self) -> Priority {
        Priority::Medium
    }

    /// Fewer measures than this in the window say nothing about a percentile (prop).
    const fn least(self) -> u64 {
        match self {
            Self::Agent | Self::Network | Self::Decision => 200,
            Self::Display => 10,
        }
    }

    /// Whether having nothing to measure is how it is when all is well: then a broken budget is over after a quiet window.
    const fn is_sporadic(self) -> bool {
        match self {
            Self::Agent | Self::Network | Self::Decision => false,
            Self::Display => true,
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Agent => 0,
            Self::Network => 1,
            Self::Decision => 2,
            Self::Display => 3,
        }
    }
}

/// Measures of one hop, and how many of them were over the budget.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    all: u32,
    over: u32,
}

/// What was measured since the last look: a handful of instructions a frame.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tallies([Tally; 4]);

impl Tallies {
    /// Takes note of one measure.
    pub fn note(&mut self, hop: Hop, took: Duration) {
        if let Some(tally) = self.0.get_mut(hop.index()) {
            tally.all = tally.all.saturating_add(1);
            tally.over = tally.over.saturating_add(u32::from(took > hop.budget()));
        }
    }
}

/// Measures of one second, and how many of them were over the budget.
#[derive(Debug, Clone, Copy, Default)]
struct Second {
    number: u64,
    all: u64,
    over: u64,
}

/// The last seconds of one hop.
#[derive(Debug, Default, Clone, Copy)]
struct Window {
    seconds: [Second; WINDOW],
    /// When a single alarm last was far too slow.
    slow_alarm_at: Option<Instant>,
}

impl Window {
    fn add(&mut self, tally: Tally, now: Instant) {
        let number = number(now);
        let place = usize::try_from(number).unwrap_or(0) % WINDOW;
        if let Some(second) = self.seconds.get_mut(place) {
            if second.number != number {
                *second = Second { number, all: 0, over: 0 };
            }
            second.all += u64::from(tally.all);
            second.over += u64::from(tally.over);
        }
    }

    fn is_missed(&self, hop: Hop, now: Instant) -> Option<bool> {
        let window = Duration::from_secs(WINDOW as u64);
        if self.slow_alarm_at.is_some_and(|at| now.since(at) < window) {
            return Some(true);
        }
        let recent = self.seconds.iter().filter(|second| {
            number(now).saturating_sub(second.number) < WINDOW as u64
                && second.number <= number(now)
        });
        let (all, over) =
            recent.fold((0, 0), |(all, over), second| (all + second.all, over + second.over));
        let judged = (all >= hop.least()).then_some(over * 100 > all);
        judged.or_else(|| hop.is_sporadic().then_some(false))
    }
}

/// The budgets of all hops.
#[derive(Debug, Default)]
pub(super) struct Budgets([Window; 4]);

impl Budgets {
    /// Takes what was measured.
    pub(super) fn add(&mut self, tallies: &Tallies, now: Instant) {
        for (window, tally) in self.0.iter_mut().zip(&tallies.0).filter(|(_, one)| one.all > 0) {
            window.add(*tally, now);
        }
    }

    /// What a hop took for a single alarm.
    pub(super) fn on_alarm(&mut self, hop: Hop, took: Duration, now: Instant) {
        let too_slow = hop.alarm_max().is_some_and(|most| took > most);
        if let Some(window) = self.0.get_mut(hop.index()).filter(|_| too_slow) {
            window.slow_alarm_at = Some(now);
        }
    }

    /// Whether more than one measure in a hundred was over the budget, or an alarm was far too slow; `None` with too few
    /// measures to say.
    pub(super) fn is_missed(&self, hop: Hop, now: Instant) -> Option<bool> {
        self.0.get(hop.index()).and_then(|window| window.is_missed(hop, now))
    }
}

fn number(now: Instant) -> u64 {
    now.as_nanos() / 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn note(budgets: &mut Budgets, hop: Hop, took: Duration, now: Instant) {
        let mut tallies = Tallies::default();
        tallies.note(hop, took);
        budgets.add(&tallies, now);
    }

    /// A hundred measures a second, so many of them slow, for some seconds.
    fn run(budgets: &mut Budgets, hop: Hop, seconds: core::ops::Range<u64>, slow: u64) -> Instant {
        let last = seconds.end;
        for second in seconds {
            for number in 0..100 {
                let over = if number < slow { Duration::from_nanos(1) } else { Duration::ZERO };
                let now = Instant::from_millis(second * 1_000 + number);
                note(budgets, hop, hop.budget() + over, now);
            }
        }
        Instant::from_millis(last * 1_000 - 1)
    }

    #[test]
    fn two_slow_ones_in_a_hundred_miss_it_and_one_does_not() {
        for hop in Hop::ALL {
            for (slow, expected) in [(0, false), (1, false), (2, true)] {
                let mut budgets = Budgets::default();
                let now = run(&mut budgets, hop, 5..15, slow);
                assert_eq!(budgets.is_missed(hop, now), Some(expected), "{hop:?} {slow}");
                for other in Hop::ALL.into_iter().filter(|other| *other != hop) {
                    assert_ne!(budgets.is_missed(other, now), Some(true), "{other:?}");
                }
            }
        }
    }

    #[test]
    fn ten_good_seconds_forget_and_few_measures_say_nothing() {
        let (mut budgets, hop) = (Budgets::default(), Hop::Decision);
        let now = run(&mut budgets, hop, 0..1, 100);
        assert_eq!(budgets.is_missed(hop, now), None);
        run(&mut budgets, hop, 1..10, 0);
        assert_eq!(budgets.is_missed(hop, Instant::from_millis(9_999)), Some(true));
        let now = run(&mut budgets, hop, 10..11, 0);
        assert_eq!(budgets.is_missed(hop, now), Some(false));
        assert_eq!(budgets.is_missed(hop, Instant::from_millis(60_000)), None);
    }

    #[test]
    fn a_single_alarm_that_is_far_too_slow_breaks_it_for_ten_seconds() {
        let at = Instant::from_millis;
        for (hop, most) in [(Hop::Agent, 500), (Hop::Display, 1_000)] {
            let mut budgets = Budgets::default();
            budgets.on_alarm(hop, Duration::from_millis(most), at(1_000));
            assert_ne!(budgets.is_missed(hop, at(1_000)), Some(true), "{hop:?}");
            budgets.on_alarm(hop, Duration::from_millis(most + 1), at(2_000));
            assert_eq!(budgets.is_missed(hop, at(11_999)), Some(true), "{hop:?}");
            assert_ne!(budgets.is_missed(hop, at(12_000)), Some(true), "{hop:?}");
        }
        // Where frames are the rule, none is not all well: what was said stays. Confirmations are an exception.
        let budgets = Budgets::default();
        assert_eq!(budgets.is_missed(Hop::Agent, at(12_000)), None);
        assert_eq!(budgets.is_missed(Hop::Display, at(12_000)), Some(false));
        let mut budgets = Budgets::default();
        budgets.on_alarm(Hop::Network, Duration::from_secs(9), at(0));
        assert_eq!(budgets.is_missed(Hop::Network, at(0)), None, "it has no such rule");
    }

    proptest! {
        /// Against all samples kept: the share over the budget within the seconds of the window.
        #[test]
        fn it_says_what_every_sample_kept_would_say(
            took in proptest::collection::vec((0_u64..25, 0_u64..30), 200..900),
        ) {
            let (hop, mut budgets, mut all, mut now_ms) = (Hop::Decision, Budgets::default(), Vec::new(), 0);
            for (ms, pause) in took {
                now_ms += pause;
                let (took, now) = (Duration::from_micros(ms * 500), Instant::from_millis(now_ms));
                note(&mut budgets, hop, took, now);
                all.push((now_ms / 1_000, took));
            }
            let recent: Vec<_> = all.iter().filter(|(second, _)| now_ms / 1_000 - second < 10).collect();
            let over = recent.iter().filter(|(_, took)| *took > BUDGET).count();
            let expected = (recent.len() >= 200).then_some(over * 100 > recent.len());
            prop_assert_eq!(budgets.is_missed(hop, Instant::from_millis(now_ms)), expected);
        }
    }
}
