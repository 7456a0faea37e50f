//! Alarms as they are counted.

use ecmo_core::alarm::AlarmChange;
use ecmo_core::alarm::condition::{Kind, Priority};
use ecmo_core::alarm::occurrence::Transition;

use crate::metrics::{AlarmKind, AlarmPriority, PumpMetrics};

/// Counts what is counted at each pump.
pub(super) fn count_at_pump(series: &PumpMetrics, change: &AlarmChange<'_>) {
    match change.transition {
        Transition::Raised | Transition::Returned => {
            let priority = priority_label(change.occurrence.priority);
            series.alarms_raised.get(priority).increment(1);
        }
        Transition::Reminded => series.alarm_reminders.increment(1),
        Transition::Latched
        | Transition::Acknowledged
        | Transition::DataLost
        | Transition::DataBack
        | Transition::Worsened
        | Transition::RuleChanged
        | Transition::AudioChanged
        | Transition::Ended => {}
    }
}

/// A priority as it is counted.
pub(super) const fn priority_label(priority: Priority) -> AlarmPriority {
    match priority {
        Priority::High => AlarmPriority::High,
        Priority::Medium => AlarmPriority::Medium,
        Priority::Low => AlarmPriority::Low,
        Priority::Information => AlarmPriority::Information,
    }
}

/// A kind as it is counted.
pub(super) const fn kind_label(kind: Kind) -> AlarmKind {
    match kind {
        Kind::Physiological => AlarmKind::Physiological,
        Kind::Technical => AlarmKind::Technical,
    }
}
