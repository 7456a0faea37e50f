//! The table of a run: gaps by the kind of process that was killed, and every violation.

use std::fmt::Write;
use std::time::Duration;

use crate::gaps::summary;
use crate::run::{Found, Gaps};
use crate::world::KINDS;

/// Whose gap.
type Pick = fn(&Gaps) -> Duration;

const SERIES: [(&str, Pick); 4] = [
    ("joined display", |gaps| gaps.joined),
    ("single display", |gaps| gaps.single),
    ("observer", |gaps| gaps.observer),
    ("whole after restart", |gaps| gaps.recovery),
];

/// The report for people.
pub(crate) fn table(found: &Found) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _cannot_fail = write_table(&mut text, found);
    text
}

fn write_table(out: &mut String, found: &Found) -> std::fmt::Result {
    writeln!(out, "\nlongest time without a view of a pump, for each kill")?;
    writeln!(out, "{:10}{:22}{:>7}{:>9}{:>9}{:>9}", "killed", "ms", "kills", "p50", "p99", "max")?;
    for kind in KINDS {
        for (name, pick) in SERIES {
            let gaps: Vec<_> =
                found.kills.iter().filter(|one| one.kind == kind).map(pick).collect();
            let count = gaps.len();
            let Some(three) = summary(gaps) else { continue };
            let [p50, p99, max] = three.map(|gap| gap.as_millis());
            writeln!(out, "{kind:10}{name:22}{count:>7}{p50:>9}{p99:>9}{max:>9}")?;
        }
    }
    writeln!(
        out,
        "{} kills in {:.0} s; {} calls for a person by the observer; {} acknowledged durably",
        found.kills.len(),
        found.lasted.as_secs_f64(),
        found.told,
        found.acknowledged
    )?;
    if found.violations.is_empty() {
        return writeln!(out, "no alarm lost, none doubled, none undone, no view held up");
    }
    for violation in &found.violations {
        writeln!(out, "VIOLATED: {violation}")?;
    }
    Ok(())
}
