//! Tells one run moment by moment: when its fault came and went, and every change of every alarm.

use core::fmt::Write as _;
use core::time::Duration;

use ecmo_core::alarm::rule::Side;

use crate::judge::{Judged, Told};
use crate::report::priority;
use crate::truth::Truth;
use crate::verdict::verdict;

/// Every change of one run in the order of time, below what is true of it.
#[must_use]
pub fn explain(name: &str, circuit: &str, judged: &Judged, truth: Option<&Truth>) -> String {
    let mut text = format!("{name}: {circuit}\n");
    let mut moments: Vec<(Duration, String)> = Vec::new();
    if let Some(truth) = truth {
        let expected = &truth.expected;
        _ = writeln!(
            text,
            "expected: {} of at least {} priority within {} s of the onset",
            expected.words(),
            priority(expected.priority_floor),
            expected.within.as_secs_f64()
        );
        moments.push((truth.begin, "--- the fault begins".to_owned()));
        moments.extend(truth.onset.map(|onset| (onset, "--- true onset".to_owned())));
        moments.extend(truth.end.map(|end| (end, "--- the fault has ended".to_owned())));
    }
    let told = |told: &Told| (told.at, change(told));
    moments.extend(judged.told.iter().map(told));
    moments.push((judged.length, "--- the run ends".to_owned()));
    moments.sort_by_key(|(at, _)| *at);
    for (at, what) in moments {
        _ = writeln!(text, "{:>12.3} s  {what}", at.as_secs_f64());
    }
    let found = verdict(judged, truth);
    if let Some(outcome) = found.outcome {
        _ = writeln!(text, "outcome: {outcome:?}");
    }
    _ = writeln!(text, "false alarms: {}", found.false_alarms.len());
    text
}

fn change(told: &Told) -> String {
    let mark = if told.raised { "ALARM" } else { "     " };
    let mut text =
        format!("{mark} {} {:?}, {}", told.condition, told.transition, priority(told.priority));
    match (told.value, told.limit) {
        (Some(value), Some((Side::Below, limit))) => _ = write!(text, ", {value:.2} < {limit:.2}"),
        (Some(value), Some((Side::Above, limit))) => _ = write!(text, ", {value:.2} > {limit:.2}"),
        (Some(value), None) => _ = write!(text, ", {value:.2}"),
        (None, _) => {}
    }
    if let Some(rule) = told.condition.sensor() {
        _ = write!(text, " ({})", rule.info().name);
    }
    text
}
