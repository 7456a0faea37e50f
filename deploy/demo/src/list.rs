//! The list of faults: what each does, and what should alarm within which time.

use std::fmt::Write as _;

use ecmo_circuit::{Expectation, Fault};
use ecmo_core::alarm::condition::Priority;
use ecmo_core::case::{PumpKind, Therapy};

/// Every fault, with two lines each.
pub(crate) fn faults() -> String {
    let mut text = String::from("Faults, for --fault KIND@PUMP:SECONDS:\n");
    for fault in Fault::ALL {
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "  {:<30} {}", fault.name(), fault.description());
        let _infallible = writeln!(text, "  {:<30}   alarms: {}", "", alarms(*fault));
    }
    text.push_str("Times count from the moment at which the circuit fulfils the condition, not from the switch.\n");
    text
}

/// What should alarm, how urgently, and how soon.
fn alarms(fault: Fault) -> String {
    let Expectation { any_of, priority_floor, within } = fault.expectation();
    let word = match priority_floor {
        Priority::High => "high",
        Priority::Medium => "medium",
        Priority::Low => "low",
        Priority::Information => "information",
    };
    let mut text = format!("{} ({word}, within {:.1} s", any_of.join(" or "), within.as_secs_f64());
    if !fault.applies_to(PumpKind::Centrifugal, Therapy::VenoArterial) {
        text.push_str("; the pump becomes veno-venous");
    }
    let pace = fault.demonstration_pace();
    if pace > 1.0 {
        let _infallible = write!(text, "; runs {pace} times faster here");
    }
    text.push(')');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_listed_with_what_should_alarm() {
        let text = faults();
        for fault in Fault::ALL {
            assert!(text.contains(&format!("  {:<30} ", fault.name())), "{fault}");
        }
        assert!(text.contains("alarms: pump.stop (high, within 0.5 s)"), "{text}");
    }
}
