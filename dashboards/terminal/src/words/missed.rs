//! A missed alarm as one line.

use super::{condition_text, priority_label};
use crate::clock::date_text;
use crate::model::MissedAlarm;

/// `2026-01-02 14:03 to 14:05 nicu/p1 high pump stop …`
pub(crate) fn missed_line(missed: &MissedAlarm) -> String {
    let until = missed.end_wall_ns.map_or_else(
        || "present at the end of the gap".to_owned(),
        |end| format!("until {}", date_text(end)),
    );
    let worst = match (missed.worst, missed.limit) {
        (Some(worst), Some(limit)) => {
            format!(", worst {worst} {} (limit {limit})", missed.unit)
        }
        (_, None) | (None, _) => String::new(),
    };
    let found = match (missed.found_by_gateway, missed.found_by_agent) {
        (true, true) => "found by gateway and agent",
        (true, false) => "found by the gateway afterwards",
        (false, _) => "found by the agent",
    };
    let sounded = if missed.sounded { "sounded at the bedside" } else { "did not sound" };
    format!(
        "{} {until}  {}/{}  {}  {}{worst}; {found}; {sounded}",
        date_text(missed.onset_wall_ns),
        missed.name.ward,
        missed.name.pump,
        priority_label(missed.priority),
        condition_text(&missed.condition),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Priority, PumpName};

    #[test]
    fn a_line_says_when_what_how_bad_and_who_noticed() {
        let missed = MissedAlarm {
            name: PumpName { ward: "nicu".into(), pump: "p1".into() },
            occurrence: "x".into(),
            condition: "flow.low".into(),
            priority: Priority::High,
            onset_wall_ns: 1_767_362_580_000_000_000,
            end_wall_ns: None,
            worst: Some(0.1),
            limit: Some(0.2),
            unit: "L/min".into(),
            found_by_gateway: true,
            found_by_agent: true,
            sounded: true,
        };
        let line = missed_line(&missed);
        for part in [
            "nicu/p1",
            priority_label(Priority::High),
            "blood flow low",
            "worst 0.1 L/min (limit 0.2)",
            "found by gateway and agent",
            "sounded at the bedside",
            "present at the end",
        ] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
}
