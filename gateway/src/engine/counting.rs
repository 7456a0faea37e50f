//! Alarms as they are counted.

use ecmo_core::alarm::AlarmChange;
use ecmo_core::alarm::condition::{Kind, Priority};
use ecmo_core::alarm::occurrence::{Occurrence, Signal, Transition};
use ecmo_core::time::Instant;

use super::rounds::Rounds;
use crate::metrics::{AlarmKind, AlarmPriority, Label as _, PumpMetrics};

impl Rounds {
    /// Tells since when the oldest alarm of each priority waits for a person.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a wall time in seconds, exact to a microsecond"
    )]
    pub(super) fn tell_unacknowledged(&self, now: Instant) {
        let of_pumps = self.ward.pumps.values().flat_map(|entry| entry.pump.alarms());
        let of_wards = self.attendance.ward_alarms().flat_map(|(_ward, alarms)| alarms);
        let all = of_pumps.chain(of_wards).chain(self.uplink.alarms());
        let waits = |one: &&Occurrence| matches!(one.signal(), Signal::On | Signal::Latched);
        let waiting: Vec<&Occurrence> = all.filter(waits).collect();
        let wall_s = self.clock.wall_ns() as f64 / 1e9;
        for label in AlarmPriority::ALL {
            let of_label = waiting.iter().filter(|one| priority_label(one.priority) == *label);
            let oldest = of_label.map(|one| one.onset_at).min();
            let since = oldest.map_or(0.0, |onset| wall_s - now.since(onset).as_secs_f64());
            self.metrics.unacknowledged_oldest_timestamp_seconds.get(*label).set(since);
        }
    }
}

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
