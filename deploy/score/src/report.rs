//! Puts a tally into words: Markdown tables that read as well on a terminal.

use core::fmt::Write as _;
use core::time::Duration;

use ecmo_core::alarm::condition::{Kind, Priority};

use crate::consequence::is_consequence;
use crate::tally::{Row, Tally};
use crate::target::FALSE_ALARM_TARGETS;
use crate::verdict::{Outcome, TOLERANCE};

/// Most names of runs that a list of failures repeats.
const NAMES_MAX: usize = 6;

/// Most conditions in the list of offenders.
const OFFENDERS_MAX: usize = 20;

/// A report of everything that was added up, below lines that say how it came about.
#[must_use]
pub fn report(heading: &str, tally: &Tally) -> String {
    let mut text = heading.to_owned();
    faults(tally, &mut text);
    failures(tally, &mut text);
    false_alarms(tally, &mut text);
    beside(tally, &mut text);
    verdict(tally, &mut text);
    text
}

fn faults(tally: &Tally, text: &mut String) {
    if tally.rows.is_empty() {
        return;
    }
    text.push_str("\n## Faults\n\n");
    text.push_str("Caught: an expected alarm of sufficient priority came before the fault had ended. Delay: from the onset of\n");
    text.push_str("the physical state to the sample that decided, or to the decision where silence decides; an alarm before the\n");
    text.push_str("onset counts as early, with delay zero.\n\n");
    let head = [
        "fault", "expected", "runs", "caught", "within", "early", "p50", "max", "bound", "target",
        "",
    ];
    let row = |(name, row): (&String, &Row)| {
        let delay = |percent| row.percentile(percent).map_or_else(|| "-".to_owned(), seconds);
        [
            name.clone(),
            row.expected.clone(),
            row.total.to_string(),
            row.caught.to_string(),
            row.within.to_string(),
            row.early.to_string(),
            delay(50),
            delay(100),
            seconds(row.bound),
            row.target.words().to_owned(),
            reached(row.is_reached()).to_owned(),
        ]
    };
    table(&head, &tally.rows.iter().map(row).collect::<Vec<_>>(), text);
}

fn failures(tally: &Tally, text: &mut String) {
    let failed: Vec<_> = tally.rows.iter().filter(|(_, row)| !row.failures.is_empty()).collect();
    if failed.is_empty() {
        return;
    }
    text.push_str("\nNot caught within the bound:\n\n");
    for (name, row) in failed {
        let words = |(run, outcome): &(String, Outcome)| match outcome {
            Outcome::Late { delay } => format!("{run} late, {}", seconds(*delay)),
            Outcome::Missed | Outcome::Caught { .. } => format!("{run} missed"),
            Outcome::NeverPresent => format!("{run} without a true onset"),
        };
        let some: Vec<String> = row.failures.iter().take(NAMES_MAX).map(words).collect();
        let more = row.failures.len().saturating_sub(NAMES_MAX);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        _ = writeln!(text, "- {name}: {}{more}", some.join("; "));
    }
}

fn false_alarms(tally: &Tally, text: &mut String) {
    text.push_str("\n## False alarms\n\n");
    let hours = tally.fault_free.as_secs_f64() / 3_600.0;
    _ = writeln!(
        text,
        "Raised without a fault in {hours:.1} patient-hours without one: harmless runs, the time before a fault, and the\n\
         time from {} s after its end.\n",
        TOLERANCE.as_secs()
    );
    let mut rows = Vec::new();
    for (kind, words) in [(Kind::Physiological, "physiological"), (Kind::Technical, "technical")] {
        for (priority, name, most) in FALSE_ALARM_TARGETS {
            let count = tally.count(kind, priority);
            let rate = tally.per_day(count);
            let has_target = kind == Kind::Physiological;
            let is_reached = rate.map(|rate| rate <= most).filter(|_rate| has_target);
            rows.push([
                words.to_owned(),
                name.to_owned(),
                count.to_string(),
                rate.map_or_else(|| "not measured".to_owned(), |rate| format!("{rate:.2}")),
                if has_target { format!("<= {most}") } else { "none set".to_owned() },
                is_reached.map_or("", reached).to_owned(),
            ]);
        }
    }
    table(&["kind", "priority", "alarms", "per patient-day", "target", ""], &rows, text);
    offenders(tally, text);
}

fn offenders(tally: &Tally, text: &mut String) {
    if tally.offenders.is_empty() {
        return;
    }
    let mut offenders: Vec<_> = tally.offenders.iter().collect();
    offenders
        .sort_by_key(|(name, offender)| (core::cmp::Reverse(offender.total()), (*name).clone()));
    let row = |(name, offender): &(&String, &crate::tally::Offender)| {
        let [low, medium, high] = offender.counts;
        let rate = tally.per_day(offender.total());
        [
            (*name).clone(),
            high.to_string(),
            medium.to_string(),
            low.to_string(),
            rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.2}")),
        ]
    };
    text.push_str("\nBy condition, the most frequent first:\n\n");
    let rows: Vec<_> = offenders.iter().take(OFFENDERS_MAX).map(row).collect();
    table(&["condition", "high", "medium", "low", "per patient-day"], &rows, text);
}

fn beside(tally: &Tally, text: &mut String) {
    if tally.beside.is_empty() {
        return;
    }
    text.push_str("\n## Alarms beside the expected ones\n\n");
    text.push_str(
        "Raised while the fault was there, or shortly after it. A consequence says what the fault does to flow, pressure or\n\
         saturation, or names what comes true with it; what names another cause than the true one is unexpected.\n\n",
    );
    let row = |((fault, condition), runs): (&(String, String), &u64)| {
        let total = tally.rows.get(fault).map_or(0, |row| row.total);
        let expected = tally.rows.get(fault).map_or("", |row| row.expected.as_str());
        let class = if is_consequence(condition, expected) { "consequence" } else { "unexpected" };
        [fault.clone(), condition.clone(), format!("{runs} of {total}"), class.to_owned()]
    };
    table(&["fault", "alarm", "runs", ""], &tally.beside.iter().map(row).collect::<Vec<_>>(), text);
}

fn verdict(tally: &Tally, text: &mut String) {
    let missed = tally.rows.iter().filter(|(_, row)| !row.is_reached());
    let mut missed: Vec<String> = missed.map(|(name, _)| name.clone()).collect();
    for (priority, name, most) in FALSE_ALARM_TARGETS {
        let rate = tally.per_day(tally.count(Kind::Physiological, priority));
        if rate.is_some_and(|rate| rate > most) {
            missed.push(format!("physiological false alarms of {name} priority"));
        }
    }
    text.push('\n');
    if missed.is_empty() {
        text.push_str("Every target is reached.\n");
    } else {
        _ = writeln!(text, "Targets MISSED: {}.", missed.join(", "));
    }
}

/// Every false alarm, one a line.
#[must_use]
pub fn false_alarm_list(tally: &Tally) -> String {
    let mut text = String::new();
    for (run, raise) in &tally.false_alarms {
        let priority = priority(raise.priority);
        _ = writeln!(
            text,
            "false alarm: {run} at {} s: {} ({priority})",
            exact(raise.at),
            raise.condition
        );
    }
    text
}

/// A priority in words.
#[must_use]
pub const fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::High => "high",
        Priority::Medium => "medium",
        Priority::Low => "low",
        Priority::Information => "information",
    }
}

const fn reached(is_reached: bool) -> &'static str {
    if is_reached { "reached" } else { "MISSED" }
}

/// A delay as a person reads it.
fn seconds(duration: Duration) -> String {
    if duration >= Duration::from_secs(600) {
        format!("{:.1} min", duration.as_secs_f64() / 60.0)
    } else {
        format!("{:.2} s", duration.as_secs_f64())
    }
}

/// A time to the millisecond.
fn exact(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64())
}

/// A table with its columns padded to one width.
fn table<const N: usize>(head: &[&str; N], rows: &[[String; N]], text: &mut String) {
    let mut widths = head.map(|word| word.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut line = |cells: [&str; N]| {
        text.push('|');
        for (cell, width) in cells.iter().zip(widths) {
            _ = write!(text, " {cell:width$} |");
        }
        text.push('\n');
    };
    line(*head);
    let rule = widths.map(|width| "-".repeat(width));
    line(rule.each_ref().map(String::as_str));
    for row in rows {
        line(row.each_ref().map(String::as_str));
    }
}
