//! A profile without rules, for tests of what has none.

use alloc::vec::Vec;
use core::time::Duration;

use crate::alarm::profile::Profile;
use crate::alarm::rule::{SensorRules, SignalRules, SilenceRules};

/// Every time is a second, but for the reminder's minute.
pub(crate) fn blank() -> Profile {
    let second = Duration::from_secs(1);
    Profile {
        name: "test".into(),
        version: 1,
        reviewed_by: None,
        hash: 0,
        limits: Vec::new(),
        composites: Vec::new(),
        sensors: SensorRules::default(),
        silence: SilenceRules {
            frame: second,
            frame_after_hint: second,
            frame_clear: second,
            channel: second,
            channel_missing: second,
            channel_clear: second,
            calibrating: second,
            console: second,
            duplicate_clear: second,
            skew: (second, second),
            skew_delay: second,
        },
        signals: SignalRules {
            pause_max: second,
            reminder: Duration::from_secs(60),
            shelve_max: second,
            group_window: second,
        },
        groups: Vec::new(),
        contexts: Vec::new(),
    }
}
