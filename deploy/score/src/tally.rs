//! Adds verdicts up: per fault how many, how fast; false alarms by kind, priority and condition.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use ecmo_core::alarm::condition::{Kind, Priority};

use crate::target::{FALSE_ALARM_TARGETS, Target};
use crate::truth::Expected;
use crate::verdict::{Outcome, Raise, Verdict};

/// One row of the score: faults of one name.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which alarms were expected, in words.
    pub expected: String,
    /// What must be reached.
    pub target: Target,
    /// Runs.
    pub total: u64,
    /// Runs in which an expected alarm came before the fault had ended.
    pub caught: u64,
    /// Runs in which it came within the bound.
    pub within: u64,
    /// Runs in which it came before the onset.
    pub early: u64,
    /// Delays of those that were caught, early ones as zero; sorted by [`Tally::finish`].
    pub delays: Vec<Duration>,
    /// The greatest bound.
    pub bound: Duration,
    /// Runs that were not caught within the bound, and why.
    pub failures: Vec<(String, Outcome)>,
}

impl Row {
    /// The delay that so many per cent of the caught runs do not exceed.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> Option<Duration> {
        let rank = (self.delays.len() * percent).div_ceil(100).max(1);
        self.delays.get(rank - 1).copied()
    }

    /// Whether the target is reached.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.target.is_reached(self.within, self.total)
    }
}

/// False alarms of one condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offender {
    /// What they are about.
    pub kind: Kind,
    /// How many of low, medium and high priority.
    pub counts: [u64; 3],
}

impl Offender {
    /// How many of all priorities.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// Everything added up.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tally {
    /// By the name of the fault.
    pub rows: BTreeMap<String, Row>,
    /// By condition.
    pub offenders: BTreeMap<String, Offender>,
    /// By fault and condition: runs in which the condition was raised beside those expected.
    pub beside: BTreeMap<(String, String), u64>,
    /// Every false alarm with the name of its run, in the order of the runs.
    pub false_alarms: Vec<(String, Raise)>,
    /// Runs without a fault.
    pub harmless_runs: u64,
    /// Time without a fault, in all runs.
    pub fault_free: Duration,
}

impl Tally {
    /// Adds a run: its name, and for a run with a fault the fault's name and what was expected.
    pub fn add(&mut self, run: &str, fault: Option<(&str, &Expected)>, verdict: &Verdict) {
        self.fault_free += verdict.fault_free;
        for raise in &verdict.false_alarms {
            self.false_alarms.push((run.to_owned(), *raise));
            let offender = self
                .offenders
                .entry(raise.condition.to_string())
                .or_insert(Offender { kind: raise.kind, counts: [0; 3] });
            if let Some(count) = offender.counts.get_mut(rank(raise.priority)) {
                *count += 1;
            }
        }
        let (Some((name, expected)), Some(outcome)) = (fault, verdict.outcome) else {
            self.harmless_runs += 1;
            return;
        };
        let beside: BTreeSet<String> =
            verdict.beside.iter().map(|raise| raise.condition.to_string()).collect();
        for condition in beside {
            *self.beside.entry((name.to_owned(), condition)).or_default() += 1;
        }
        self.row(name, expected).add(run, expected, outcome);
    }

    fn row(&mut self, name: &str, expected: &Expected) -> &mut Row {
        self.rows.entry(name.to_owned()).or_insert_with(|| Row {
            expected: expected.words(),
            target: Target::of(expected),
            total: 0,
            caught: 0,
            within: 0,
            early: 0,
            delays: Vec::new(),
            bound: Duration::ZERO,
            failures: Vec::new(),
        })
    }

    /// To be called after the last run.
    pub fn finish(&mut self) {
        self.rows.values_mut().for_each(|row| row.delays.sort_unstable());
    }

    /// False alarms of one kind that are at least so urgent.
    #[must_use]
    pub fn count(&self, kind: Kind, at_least: Priority) -> u64 {
        let of_kind = self.offenders.values().filter(|offender| offender.kind == kind);
        of_kind.flat_map(|offender| offender.counts.iter().skip(rank(at_least))).sum()
    }

    /// So many in a patient-day; `None` while there was no time without a fault.
    #[must_use]
    pub fn per_day(&self, count: u64) -> Option<f64> {
        let days = self.fault_free.as_secs_f64() / 86_400.0;
        let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        (days > 0.0).then(|| count / days)
    }

    /// Whether every target is reached.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.rows.values().all(Row::is_reached)
            && FALSE_ALARM_TARGETS.iter().all(|(priority, _, most)| {
                self.per_day(self.count(Kind::Physiological, *priority))
                    .is_none_or(|rate| rate <= *most)
            })
    }
}

impl Row {
    fn add(&mut self, run: &str, expected: &Expected, outcome: Outcome) {
        self.total += 1;
        self.bound = self.bound.max(expected.within);
        match outcome {
            Outcome::Caught { delay, early } => {
                self.caught += 1;
                self.within += 1;
                self.early += u64::from(early);
                self.delays.push(delay);
            }
            Outcome::Late { delay } => {
                self.caught += 1;
                self.delays.push(delay);
            }
            Outcome::Missed | Outcome::NeverPresent => {}
        }
        match outcome {
            Outcome::Caught { .. } => {}
            Outcome::Late { .. } | Outcome::Missed | Outcome::NeverPresent => {
                self.failures.push((run.to_owned(), outcome));
            }
        }
    }
}

/// Place of a priority within counts: low, medium, high.
const fn rank(priority: Priority) -> usize {
    match priority {
        Priority::High => 2,
        Priority::Medium => 1,
        Priority::Low | Priority::Information => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::Pattern;
    use ecmo_core::alarm::condition::Condition;

    fn expected(within_ms: u64) -> Expected {
        Expected {
            any_of: vec![Pattern::new("return.obstruction")],
            priority_floor: Priority::Medium,
            within: Duration::from_millis(within_ms),
        }
    }

    fn of(outcome: Outcome) -> Verdict {
        let fault_free = Duration::from_secs(3_600);
        Verdict { outcome: Some(outcome), false_alarms: vec![], beside: vec![], fault_free }
    }

    #[test]
    fn a_row_counts_what_was_caught_and_how_fast() {
        let mut tally = Tally::default();
        let millis = Duration::from_millis;
        for (number, outcome) in [
            Outcome::Caught { delay: millis(900), early: false },
            Outcome::Caught { delay: millis(0), early: true },
            Outcome::Caught { delay: millis(300), early: false },
            Outcome::Late { delay: millis(5_000) },
            Outcome::Missed,
            Outcome::NeverPresent,
        ]
        .into_iter()
        .enumerate()
        {
            tally.add(
                &format!("r{number}"),
                Some(("return-obstruction", &expected(2_000))),
                &of(outcome),
            );
        }
        tally.finish();
        let row = &tally.rows["return-obstruction"];
        assert_eq!((row.total, row.caught, row.within, row.early), (6, 4, 3, 1));
        assert_eq!(
            (row.percentile(50), row.percentile(100)),
            (Some(millis(300)), Some(millis(5_000)))
        );
        let failed: Vec<&str> = row.failures.iter().map(|(run, _)| run.as_str()).collect();
        assert_eq!(failed, ["r3", "r4", "r5"]);
        assert!(!row.is_reached() && !tally.is_reached());
        assert_eq!(tally.fault_free, Duration::from_secs(6 * 3_600));
    }

    #[test]
    fn false_alarms_count_by_kind_and_priority_for_each_patient_day() {
        let mut tally = Tally::default();
        let raise =
            |condition, kind, priority| Raise { at: Duration::ZERO, condition, kind, priority };
        let verdict = Verdict {
            outcome: None,
            false_alarms: vec![
                raise(Condition::COMM_STALE, Kind::Technical, Priority::High),
                raise(
                    Condition::from_id("flow.low").unwrap(),
                    Kind::Physiological,
                    Priority::Medium,
                ),
                raise(
                    Condition::from_id("flow.low").unwrap(),
                    Kind::Physiological,
                    Priority::Medium,
                ),
            ],
            beside: vec![],
            fault_free: Duration::from_secs(86_400),
        };
        tally.add("h1", None, &verdict);
        assert_eq!(tally.count(Kind::Physiological, Priority::Low), 2);
        assert_eq!(tally.count(Kind::Physiological, Priority::High), 0);
        assert_eq!(tally.count(Kind::Technical, Priority::Medium), 1);
        assert!(tally.is_reached(), "two in a day are allowed");
        tally.add("h2", None, &Verdict { fault_free: Duration::ZERO, ..verdict });
        assert!(!tally.is_reached());
        assert_eq!(tally.harmless_runs, 2);
        assert_eq!(tally.offenders["flow.low"].counts, [0, 4, 0]);
    }
}
