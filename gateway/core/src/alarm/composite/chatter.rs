//! The drainage cannula sucks itself to the vein again and again (C6).

/// When the drainage counts as chattering. Numbers of the reference, section 2.4 C6, proposals there; the window is 4 s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chatter {
    /// The drainage pressure swings by more than this between its 5th and 95th percentile, in mmHg.
    pub swing_min: f32,
    /// And by more than this many times its usual swing, the median over 300 s.
    pub swing_ratio: f32,
    /// It falls this far below its median, in mmHg.
    pub dip: f32,
    /// At least so many times in 10 s.
    pub dips_per_10_s: f32,
    /// And the flow swings by more than this share of its median.
    pub flow_swing: f32,
    /// High priority: the flow is below this share of its target.
    pub target_share: f32,
    /// High priority too: the drainage pressure falls below this, in mmHg.
    pub drain_very_low: f32,
    /// The speed is constant while it stays within this share.
    pub speed_steady: f32,
}

impl Default for Chatter {
    fn default() -> Self {
        Self {
            swing_min: 30.0,
            swing_ratio: 3.0,
            dip: 20.0,
            dips_per_10_s: 3.0,
            flow_swing: 0.2,
            target_share: 0.5,
            drain_very_low: -100.0,
            speed_steady: 0.02,
        }
    }
}
