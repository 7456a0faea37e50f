//! Obstructed lines: the return (C3) and the drainage, or a patient who lacks volume (C4).

use core::time::Duration;

/// When the return counts as obstructed. Numbers of the reference, section 2.4 C3, proposals there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReturnObstruction {
    /// The resistance of the return is more than this many times what it was.
    pub resistance_ratio: f32,
    /// And the pressure after the membrane has risen by more than this, in mmHg.
    pub rise_min: f32,
    /// And, unless a roller drives the blood, the flow has fallen by at least this share (our own number).
    pub flow_fall: f32,
    /// Above this pressure after the membrane it is of high priority, in mmHg.
    pub post_high: f32,
    /// A change of the speed by this share or more is a change.
    pub speed_steady: f32,
    /// For so long after a change of the speed nothing is decided.
    pub speed_pause: Duration,
}

impl Default for ReturnObstruction {
    fn default() -> Self {
        Self {
            resistance_ratio: 1.5,
            rise_min: 30.0,
            flow_fall: 0.03,
            post_high: 300.0,
            speed_steady: 0.02,
            speed_pause: Duration::from_secs(2),
        }
    }
}

/// When the drainage counts as obstructed. Numbers of the reference, section 2.4 C4, proposals there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DrainObstruction {
    /// The drainage pressure has fallen by more than this, in mmHg.
    pub fall_min: f32,
    /// And, unless a roller drives the blood, the flow by at least this share.
    pub flow_fall: f32,
    /// A change of the speed by this share or more is a change.
    pub speed_steady: f32,
    /// For so long after a change of the speed nothing is decided.
    pub speed_pause: Duration,
}

impl Default for DrainObstruction {
    fn default() -> Self {
        Self {
            fall_min: 15.0,
            flow_fall: 0.1,
            speed_steady: 0.02,
            speed_pause: Duration::from_secs(2),
        }
    }
}
