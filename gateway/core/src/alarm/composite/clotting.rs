//! The membrane clots (C5): its resistance against the one it had when it was new, and how fast it grows.

use core::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// When the membrane counts as clotting. Numbers of the reference, section 2.4 C5, proposals there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clotting {
    /// A minute counts when its flow stays within this share of its median.
    pub flow_steady: f32,
    /// And above this, in mL/min.
    pub flow_min: f32,
    /// The baseline is the median of a circuit's life from here.
    pub baseline_from: Duration,
    /// To here; at most 6 h after `baseline_from`.
    pub baseline_until: Duration,
    /// Low priority: the resistance is at least this many times the baseline.
    pub low_ratio: f32,
    /// For so long.
    pub low_for: Duration,
    /// Low priority too: the resistance grows by more than this share of the baseline an hour, over 6 h or over 24 h.
    pub slope_per_hour: f32,
    /// Medium priority: the resistance is at least this many times the baseline.
    pub medium_ratio: f32,
    /// Medium priority too: the pressure drop is above this, in mmHg.
    pub medium_delta: f32,
    /// For so long.
    pub medium_for: Duration,
    /// Medium becomes high when the saturation after the membrane has fallen by this many points within an hour (our own
    /// number).
    pub sat_fall: f32,
}

impl Default for Clotting {
    fn default() -> Self {
        Self {
            flow_steady: 0.05,
            flow_min: 150.0,
            baseline_from: Duration::from_secs(HOUR),
            baseline_until: Duration::from_secs(6 * HOUR),
            low_ratio: 1.5,
            low_for: Duration::from_secs(30 * MINUTE),
            slope_per_hour: 0.05,
            medium_ratio: 2.5,
            medium_delta: 30.0,
            medium_for: Duration::from_secs(10 * MINUTE),
            sat_fall: 2.0,
        }
    }
}
