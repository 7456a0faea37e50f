//! The membrane does not oxygenate (C9), by its blood or by its gas. Blood flow plays no part: it is no pump fault.

use core::time::Duration;

/// When the membrane counts as not oxygenating. Numbers of the reference, section 2.4 C9, proposals there.
///
/// Its branches have delays of their own, so a rule's hold adds to them: zero is meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GasFailure {
    /// The saturation after the membrane is below this, in percent.
    pub sat_post_min: f32,
    /// While the gas holds at least this much oxygen, in percent.
    pub fdo2_min: f32,
    /// Or the membrane adds less than this, in points.
    pub gain_min: f32,
    /// While the blood before it is below this, in percent.
    pub sat_pre_max: f32,
    /// Either for so long.
    pub sat_for: Duration,
    /// Or the sweep gas is below this share of what is set.
    pub sweep_share: f32,
    /// For so long.
    pub sweep_for: Duration,
}

impl Default for GasFailure {
    fn default() -> Self {
        Self {
            sat_post_min: 95.0,
            fdo2_min: 40.0,
            gain_min: 5.0,
            sat_pre_max: 90.0,
            sat_for: Duration::from_secs(15),
            sweep_share: 0.5,
            sweep_for: Duration::from_secs(3),
        }
    }
}
