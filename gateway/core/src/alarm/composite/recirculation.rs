//! Oxygenated blood is drained again (C8, veno-venous): only a trend, because the true venous saturation is unknown.

use core::time::Duration;

/// When recirculation is suspected. Numbers of the reference, section 2.4 C8, proposals there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recirculation {
    /// The saturation before the membrane has risen by at least this, in points.
    pub sat_rise: f32,
    /// While the patient's has fallen by at least this, in points.
    pub spo2_fall: f32,
    /// And the flow is at least this share of what it was.
    pub flow_share: f32,
    /// Against so long ago; at most 5 min.
    pub over: Duration,
}

impl Default for Recirculation {
    fn default() -> Self {
        Self { sat_rise: 8.0, spo2_fall: 4.0, flow_share: 0.95, over: Duration::from_secs(300) }
    }
}
