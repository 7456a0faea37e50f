//! Presence with delays: violated long enough it raises, recovered long enough it clears. Unknown changes nothing.

use core::time::Duration;

use crate::frame::BootId;
use crate::time::SampleTime;

/// How long something has been so without interruption, by sample time; goes on over a restart of the agent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Streak {
    since: Option<SampleTime>,
    last: SampleTime,
    /// Length before the first sample: in the boots before this one, or of what it rests on.
    carried: Duration,
}

impl Streak {
    /// Begins with a sample.
    pub(crate) const fn begin(time: SampleTime) -> Self {
        Self { since: Some(time), last: time, carried: Duration::ZERO }
    }

    /// Begins with a sample of what has been so for some time, however short the clock has run.
    const fn begin_after(time: SampleTime, already: Duration) -> Self {
        Self { carried: already, ..Self::begin(time) }
    }

    /// Takes one more sample and returns the length.
    pub(crate) fn extend(&mut self, time: SampleTime) -> Duration {
        // A time before the first one betrays that the first was wrong: it must not hold up the length.
        let since = self.since.map_or(time, |since| since.min(time));
        self.since = Some(since);
        self.last = time;
        self.carried.saturating_add(time.since(since))
    }

    /// The clock of the samples begins anew.
    pub(crate) fn restart(&mut self) {
        if let Some(since) = self.since.take() {
            self.carried = self.carried.saturating_add(self.last.since(since));
        }
    }
}

/// Time that adds up while something is so, and begins anew once it has recovered.
#[derive(Debug, Clone, Copy)]
struct Sum {
    total: Duration,
    last: Option<SampleTime>,
    recovering: Option<Streak>,
}

impl Sum {
    /// Between two samples further apart than this nothing is known of the time between.
    const STEP_MAX: Duration = Duration::from_secs(2);

    fn step(&mut self, violated: bool, time: SampleTime) -> Duration {
        let step = self.last.map_or(Duration::ZERO, |last| time.since(last)).min(Self::STEP_MAX);
        self.last = Some(time);
        if violated {
            self.total = self.total.saturating_add(step);
        }
        self.total
    }
}

/// Where an occurrence began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Onset {
    pub(crate) boot: BootId,
    pub(crate) time: SampleTime,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Normal,
    /// `dip`: since when it has not been violated, for shorter than counts.
    Pending {
        onset: Onset,
        violated: Streak,
        dip: Option<SampleTime>,
    },
    Adding {
        onset: Onset,
        sum: Sum,
    },
    Present {
        recovering: Option<Streak>,
    },
}

/// What a sample led to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Verdict {
    /// Nothing changed.
    Unchanged,
    /// The condition is present from the onset on.
    Raise(Onset),
    /// The condition is gone.
    Clear,
}

/// The delays.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delays {
    /// How long it must be violated.
    pub(crate) raise: Duration,
    /// How long it must be recovered.
    pub(crate) clear: Duration,
    /// Violated time adds up instead of beginning anew.
    pub(crate) cumulative: bool,
    /// A pause of the violation that is no longer than this is none.
    pub(crate) dip: Duration,
}

/// What is said of one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// It is violated, and may raise.
    pub(crate) violated: bool,
    /// It has come back far enough.
    pub(crate) recovered: bool,
    /// When.
    pub(crate) at: Onset,
    /// Half of the time over which it was looked: what is so in the mean of a window has been so since its middle.
    pub(crate) lag: Duration,
}

/// The pulse of a roller, or a heart, may take a value back over its limit for so long (own, prop).
pub(crate) const PULSE: Duration = Duration::from_millis(400);

/// The state of one rule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hold {
    phase: Phase,
    /// It was recovered at least once.
    was_well: bool,
    /// Present by what was kept, and never found other than recovered since.
    is_kept: bool,
}

impl Hold {
    pub(crate) const fn new() -> Self {
        Self { phase: Phase::Normal, was_well: false, is_kept: false }
    }

    /// Present from before.
    pub(crate) const fn present() -> Self {
        Self { phase: Phase::Present { recovering: None }, was_well: false, is_kept: false }
    }

    /// Present by what was kept of before a restart. Where it is found recovered from the first look on, for longer than a pulse, it is
    /// over: for how long it has been so nobody knows, and what comes after that is another one, that no acknowledgement of before
    /// covers. A mean that begins anew tells nothing so early: it waits for its delay.
    pub(crate) const fn kept() -> Self {
        Self { is_kept: true, ..Self::present() }
    }

    /// Whether it is violated, and not for long enough yet.
    pub(crate) const fn is_pending(&self) -> bool {
        matches!(self.phase, Phase::Pending { .. } | Phase::Adding { .. })
    }

    /// Whether it is present, and recovered for not long enough yet.
    pub(crate) const fn is_recovering(&self) -> bool {
        matches!(self.phase, Phase::Present { recovering: Some(_) })
    }

    /// Whether the condition is present.
    pub(crate) const fn is_present(&self) -> bool {
        matches!(self.phase, Phase::Present { .. })
    }

    /// Whether it is present by what was kept alone: every look since has found it recovered, for not long enough yet.
    pub(crate) const fn is_undecided(&self) -> bool {
        self.is_kept && self.is_present()
    }

    /// Whether it was recovered at least once: else what is present may have begun before the first look.
    pub(crate) const fn was_well(&self) -> bool {
        self.was_well
    }

    /// Takes one look.
    pub(crate) fn step(&mut self, delays: Delays, look: Look) -> Verdict {
        self.was_well |= look.recovered;
        if self.is_kept { self.step_kept(delays, look) } else { self.follow(delays, look) }
    }

    fn step_kept(&mut self, delays: Delays, look: Look) -> Verdict {
        let Phase::Present { recovering } = &mut self.phase else {
            self.is_kept = false;
            return self.follow(delays, look);
        };
        let is_alone = look.lag.is_zero();
        if look.recovered {
            let clear = if is_alone { delays.clear.min(PULSE) } else { delays.clear };
            return self.follow(Delays { clear, ..delays }, look);
        }
        self.is_kept = false;
        if !is_alone {
            return self.follow(delays, look);
        }
        let paused = recovering.take().map(|mut streak| streak.extend(look.at.time));
        if !look.violated || paused.is_none_or(|paused| paused < PULSE) {
            return Verdict::Unchanged;
        }
        // Its looks lie further apart than a pulse: it ended between them, and has begun anew.
        let violated = Streak::begin(look.at.time);
        self.phase = Phase::Pending { onset: look.at, violated, dip: None };
        Verdict::Clear
    }

    fn follow(&mut self, delays: Delays, look: Look) -> Verdict {
        let Look { violated, recovered, at, lag } = look;
        let since = Onset { time: at.time.minus(lag), ..at };
        match &mut self.phase {
            Phase::Normal if !violated => Verdict::Unchanged,
            Phase::Normal if delays.raise.is_zero() => self.raise(at),
            Phase::Normal if delays.cumulative => {
                let sum = Sum { total: lag, last: Some(at.time), recovering: None };
                self.phase = Phase::Adding { onset: since, sum };
                Verdict::Unchanged
            }
            Phase::Normal => {
                let violated = Streak::begin_after(at.time, lag);
                self.phase = Phase::Pending { onset: since, violated, dip: None };
                Verdict::Unchanged
            }
            Phase::Pending { dip, .. } if !violated => {
                let dipped = at.time.since(*dip.get_or_insert(at.time));
                if dipped > delays.dip || delays.dip.is_zero() {
                    self.phase = Phase::Normal;
                }
                Verdict::Unchanged
            }
            Phase::Pending { onset, violated, dip } => {
                if dip.take().is_some_and(|dip| at.time.since(dip) > delays.dip) {
                    // It paused for too long between two looks: it begins anew.
                    *onset = since;
                    *violated = Streak::begin_after(at.time, lag);
                }
                let onset = *onset;
                if violated.extend(at.time) < delays.raise {
                    return Verdict::Unchanged;
                }
                self.raise(onset)
            }
            Phase::Adding { onset, sum } => {
                let onset = *onset;
                let total = sum.step(violated, at.time);
                if !recovered {
                    sum.recovering = None;
                } else if sum
                    .recovering
                    .get_or_insert_with(|| Streak::begin(at.time))
                    .extend(at.time)
                    >= delays.clear
                {
                    self.phase = Phase::Normal;
                    return Verdict::Unchanged;
                }
                if total < delays.raise {
                    return Verdict::Unchanged;
                }
                self.raise(onset)
            }
            Phase::Present { recovering } => {
                if !recovered {
                    *recovering = None;
                    return Verdict::Unchanged;
                }
                let lasted =
                    recovering.get_or_insert_with(|| Streak::begin(at.time)).extend(at.time);
                if lasted < delays.clear {
                    return Verdict::Unchanged;
                }
                self.phase = Phase::Normal;
                Verdict::Clear
            }
        }
    }

    fn raise(&mut self, onset: Onset) -> Verdict {
        self.phase = Phase::Present { recovering: None };
        Verdict::Raise(onset)
    }

    /// The data is lost: unknown time does not count as recovered.
    pub(crate) fn interrupt(&mut self) {
        match &mut self.phase {
            Phase::Normal | Phase::Pending { .. } => {}
            Phase::Adding { sum, .. } => (sum.last, sum.recovering) = (None, None),
            Phase::Present { recovering } => *recovering = None,
        }
    }

    /// The agent has started anew: its clock begins again, what was the case is still the case.
    pub(crate) fn restart(&mut self) {
        match &mut self.phase {
            Phase::Normal | Phase::Present { recovering: None } => {}
            Phase::Adding { sum, .. } => (sum.last, sum.recovering) = (None, None),
            Phase::Pending { violated: streak, dip, .. } => {
                *dip = None;
                streak.restart();
            }
            Phase::Present { recovering: Some(streak) } => streak.restart(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Onset {
        Onset { boot: BootId::new(1).unwrap(), time: SampleTime::from_millis(ms) }
    }

    fn delays(cumulative: bool) -> Delays {
        Delays {
            raise: Duration::from_secs(60),
            clear: Duration::from_secs(5),
            cumulative,
            dip: Duration::ZERO,
        }
    }

    /// Violated in the given seconds of each minute; returns when it raised, in seconds.
    fn raised(cumulative: bool, violated_in: core::ops::Range<u64>) -> Option<u64> {
        let mut hold = Hold::new();
        (0..600).find(|second| {
            let violated = violated_in.contains(&(second % 60));
            let at = at(second * 1_000);
            let look = Look { violated, recovered: !violated, at, lag: Duration::ZERO };
            matches!(hold.step(delays(cumulative), look), Verdict::Raise(_))
        })
    }

    #[test]
    fn violated_time_adds_up_where_the_rule_says_so() {
        assert_eq!(raised(false, 0..45), None);
        // Recovered for 15 s: it begins anew.
        assert_eq!(raised(true, 0..45), None);
        // Pauses of 4 s are shorter than the clear delay of 5 s: 55 s of the first minute, and 5 s of the second, of which
        // the first is the second before it.
        assert_eq!(raised(true, 0..56), Some(64));
        assert_eq!(raised(true, 0..60), Some(60));
    }

    /// What looks in this order lead to: time in ms, and whether it is violated.
    fn kept(lag: Duration, looks: &[(u64, bool)]) -> Vec<(u64, Verdict)> {
        let mut hold = Hold::kept();
        let step = |(ms, violated): &(u64, bool)| {
            let look = Look { violated: *violated, recovered: !violated, at: at(*ms), lag };
            (*ms, hold.step(delays(false), look))
        };
        looks.iter().map(step).filter(|(_ms, verdict)| *verdict != Verdict::Unchanged).collect()
    }

    #[test]
    fn what_was_kept_is_over_where_it_is_found_recovered_for_longer_than_a_pulse() {
        let alone = Duration::ZERO;
        assert_eq!(kept(alone, &[(0, false), (399, false)]), []);
        assert_eq!(kept(alone, &[(0, false), (400, false)]), [(400, Verdict::Clear)]);
        // Once it was found as it was kept, its own delay of 5 s counts.
        let goes_on = [(0, true), (1_000, false), (5_999, false), (6_000, false)];
        assert_eq!(kept(alone, &goes_on), [(6_000, Verdict::Clear)]);
        let pulse = [(0, false), (399, true), (1_000, false), (5_999, false), (6_000, false)];
        assert_eq!(kept(alone, &pulse), [(6_000, Verdict::Clear)]);
        // It began anew between two looks: with the second of them.
        let anew = [(0, false), (1_000, true), (60_999, true), (61_000, true)];
        let expected = [(1_000, Verdict::Clear), (61_000, Verdict::Raise(at(1_000)))];
        assert_eq!(kept(alone, &anew), expected);
    }

    #[test]
    fn a_mean_that_was_kept_clears_after_its_delay_however_it_begins() {
        let looks = [(0, false), (4_999, false), (5_000, false)];
        assert_eq!(kept(Duration::from_secs(30), &looks), [(5_000, Verdict::Clear)]);
    }

    #[test]
    fn what_was_kept_is_undecided_until_it_is_found_to_go_on_or_to_be_over() {
        for lag in [Duration::ZERO, Duration::from_secs(30)] {
            let mut hold = Hold::kept();
            let mut look = |ms: u64, violated: bool| {
                let look = Look { violated, recovered: !violated, at: at(ms), lag };
                let _verdict = hold.step(delays(false), look);
                hold.is_undecided()
            };
            let undecided = [look(0, false), look(300, false), look(350, true), look(400, false)];
            assert_eq!(undecided, [true, true, false, false], "{lag:?}");
            let mut over = Hold::kept();
            for second in 0..6 {
                let at = at(second * 1_000);
                let _verdict =
                    over.step(delays(false), Look { violated: false, recovered: true, at, lag });
            }
            assert!(!over.is_undecided() && !over.is_present(), "{lag:?}");
        }
        assert!(!Hold::present().is_undecided());
    }

    #[test]
    fn a_gap_adds_at_most_two_seconds() {
        let mut hold = Hold::new();
        for second in [0, 58, 3_600] {
            let at = at(second * 1_000);
            let look = Look { violated: true, recovered: false, at, lag: Duration::ZERO };
            assert_eq!(hold.step(delays(true), look), Verdict::Unchanged);
        }
    }
}
