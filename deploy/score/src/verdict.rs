//! Holds what the core said of a run against what is true of it: caught and when, false alarms, alarms beside.

use core::time::Duration;

use ecmo_core::alarm::condition::{Condition, Kind, Priority};

use crate::judge::{Judged, Told};
use crate::truth::{Expected, Truth};

/// So long after the end of a fault an alarm may still come of it: what it left in windows of a minute.
pub const TOLERANCE: Duration = Duration::from_secs(60);

/// What became of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// An expected alarm came within its bound.
    Caught {
        /// From the onset to the alarm; zero for one that came before.
        delay: Duration,
        /// The alarm came before the onset.
        early: bool,
    },
    /// An expected alarm came while the fault lasted, but after its bound.
    Late {
        /// From the onset to the alarm.
        delay: Duration,
    },
    /// No expected alarm came.
    Missed,
    /// The physical state never fulfilled the criterion: the run proves nothing, and does not count as caught.
    NeverPresent,
}

/// An alarm as a person would hear it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raise {
    /// When, since the start of the run.
    pub at: Duration,
    /// What.
    pub condition: Condition,
    /// Physiological or technical.
    pub kind: Kind,
    /// How urgent.
    pub priority: Priority,
}

/// What a run shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What became of the fault; `None` for a harmless run.
    pub outcome: Option<Outcome>,
    /// Alarms without a fault.
    pub false_alarms: Vec<Raise>,
    /// Alarms during the fault that are not those expected.
    pub beside: Vec<Raise>,
    /// Time without a fault.
    pub fault_free: Duration,
}

/// Holds a judged run against its truth; `None` is a harmless run.
#[must_use]
pub fn verdict(judged: &Judged, truth: Option<&Truth>) -> Verdict {
    let Some(truth) = truth else {
        return Verdict {
            outcome: None,
            false_alarms: alarms(judged).collect(),
            beside: Vec::new(),
            fault_free: judged.length,
        };
    };
    let from = truth.begin.min(judged.length);
    let until = truth.end.map_or(judged.length, |end| (end + TOLERANCE).min(judged.length));
    // A fault without an end lasts to the last sample and what is decided at it.
    let in_fault = |raise: &Raise| raise.at >= from && (truth.end.is_none() || raise.at <= until);
    let (during, outside): (Vec<Raise>, Vec<Raise>) = alarms(judged).partition(in_fault);
    let expected = &truth.expected;
    Verdict {
        outcome: Some(outcome(judged, truth)),
        false_alarms: outside,
        beside: during.into_iter().filter(|raise| !expected.names(raise.condition)).collect(),
        fault_free: from + judged.length.saturating_sub(until.max(from)),
    }
}

fn outcome(judged: &Judged, truth: &Truth) -> Outcome {
    let Some(onset) = truth.onset else { return Outcome::NeverPresent };
    let expected = &truth.expected;
    let last = truth.end.unwrap_or(judged.length).max(onset + expected.within);
    let first = judged.told.iter().find(|told| {
        told.raised && meets(told, expected) && (truth.begin..=last).contains(&told.at)
    });
    match first {
        _ if stands_at(judged, expected, truth.begin) => {
            Outcome::Caught { delay: Duration::ZERO, early: true }
        }
        None => Outcome::Missed,
        Some(told) => {
            let delay = told.at.saturating_sub(onset);
            if delay <= expected.within {
                Outcome::Caught { delay, early: told.at < onset }
            } else {
                Outcome::Late { delay }
            }
        }
    }
}

fn meets(told: &Told, expected: &Expected) -> bool {
    told.priority >= expected.priority_floor && expected.names(told.condition)
}

/// Whether an expected alarm was raised before a moment and is present at it: whoever looks then, sees it.
fn stands_at(judged: &Judged, expected: &Expected, at: Duration) -> bool {
    let before = || judged.told.iter().filter(|told| told.at < at);
    before().any(|told| {
        let newest = before().rfind(|other| other.condition == told.condition);
        newest.is_some_and(|newest| newest.present && meets(newest, expected))
    })
}

/// Every alarm of a run, without what is information only.
fn alarms(judged: &Judged) -> impl Iterator<Item = Raise> {
    let is_alarm = |told: &&Told| told.raised && told.priority >= Priority::Low;
    judged.told.iter().filter(is_alarm).map(|told| Raise {
        at: told.at,
        condition: told.condition,
        kind: told.kind,
        priority: told.priority,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::Pattern;
    use ecmo_core::alarm::occurrence::Transition;

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// Changes as (s, condition, priority, present, raised), in a run of 300 s.
    fn judged(changes: &[(f64, &str, Priority, bool, bool)]) -> Judged {
        let told =
            |&(seconds, id, priority, present, raised): &(f64, &str, Priority, bool, bool)| Told {
                at: at(seconds),
                condition: Condition::from_id(id).unwrap(),
                kind: Kind::Physiological,
                priority,
                present,
                transition: Transition::Raised,
                raised,
                value: None,
                limit: None,
            };
        Judged { told: changes.iter().map(told).collect(), length: at(300.0) }
    }

    fn truth(begin: f64, onset: Option<f64>, end: Option<f64>) -> Truth {
        let expected = Expected {
            any_of: vec![Pattern::new("pump.stop")],
            priority_floor: Priority::Medium,
            within: at(0.5),
        };
        Truth { begin: at(begin), onset: onset.map(at), end: end.map(at), expected }
    }

    #[test]
    fn a_fault_is_caught_late_missed_or_was_never_there() {
        use Priority::{High, Low, Medium};
        let (stop, drain) = ("pump.stop", "drain.low.warn");
        let caught = |seconds, early| Outcome::Caught { delay: at(seconds), early };
        for (changes, onset, expected) in [
            (vec![(100.3, stop, High, true, true)], Some(100.0), caught(0.3, false)),
            (vec![(100.5, stop, Medium, true, true)], Some(100.0), caught(0.5, false)),
            (vec![(99.0, stop, High, true, true)], Some(100.0), caught(0.0, true)),
            (vec![(101.0, stop, High, true, true)], Some(100.0), Outcome::Late { delay: at(1.0) }),
            // Less urgent than it must be, or another alarm, or only a change of one.
            (vec![(100.3, stop, Low, true, true)], Some(100.0), Outcome::Missed),
            (vec![(100.3, drain, High, true, true)], Some(100.0), Outcome::Missed),
            (vec![(100.3, stop, High, true, false)], Some(100.0), Outcome::Missed),
            // After the end of the fault, and of the bound.
            (vec![(121.0, stop, High, true, true)], Some(100.0), Outcome::Missed),
            (vec![(100.3, stop, High, true, true)], None, Outcome::NeverPresent),
            // It stands since before the fault began; or it had ended.
            (vec![(10.0, stop, High, true, true)], Some(100.0), caught(0.0, true)),
            (
                vec![(10.0, stop, High, true, true), (20.0, stop, High, false, false)],
                Some(100.0),
                Outcome::Missed,
            ),
        ] {
            let found = verdict(&judged(&changes), Some(&truth(98.0, onset, Some(120.0))));
            assert_eq!(found.outcome, Some(expected), "{changes:?}");
        }
    }

    #[test]
    fn an_alarm_is_false_without_a_fault_and_beside_within_one() {
        use Priority::{High, Information, Low};
        let changes = [
            (10.0, "flow.low", Low, true, true),
            (100.2, "pump.stop", High, true, true),
            (101.0, "flow.low", Low, true, true),
            (102.0, "pulse.low", Information, true, true),
            (179.0, "flow.high", Low, true, true),
            (181.0, "flow.high", Low, true, true),
        ];
        let found = verdict(&judged(&changes), Some(&truth(100.0, Some(100.0), Some(120.0))));
        let times =
            |raises: &[Raise]| raises.iter().map(|raise| raise.at.as_secs()).collect::<Vec<_>>();
        assert_eq!(times(&found.false_alarms), [10, 181]);
        assert_eq!(times(&found.beside), [101, 179]);
        assert_eq!(found.fault_free, at(100.0 + 120.0));
        // A fault that lasts leaves nothing free behind its beginning.
        let lasting = verdict(&judged(&changes), Some(&truth(100.0, Some(100.0), None)));
        assert_eq!((lasting.fault_free, times(&lasting.false_alarms)), (at(100.0), vec![10]));
        let harmless = verdict(&judged(&changes), None);
        assert_eq!(times(&harmless.false_alarms), [10, 100, 101, 179, 181]);
        assert_eq!((harmless.outcome, harmless.fault_free), (None, at(300.0)));
    }
}
