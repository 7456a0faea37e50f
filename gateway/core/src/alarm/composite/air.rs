//! Early hints of air in the blood (C7); the detector's bit is a limit of its own.

use core::time::Duration;

/// When air is suspected. Numbers of the reference, section 2.4 C7, proposals there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AirEntrainment {
    /// The flow sensor's coupling has fallen by more than this, in points.
    pub quality_fall: f32,
    /// Or lies below this, in percent: too little to measure (our own number).
    pub quality_min: f32,
    /// The flow's noise is more than this many times its usual one, the median over 60 s.
    pub noise_ratio: f32,
    /// The motor current has fallen by more than this share at constant speed.
    pub current_fall: f32,
    /// The drainage pressure is below this, in mmHg.
    pub drain_low: f32,
    /// A change of the speed by this share or more is a change.
    pub speed_steady: f32,
    /// For so long after a change of the speed nothing is decided.
    pub speed_pause: Duration,
}

impl Default for AirEntrainment {
    fn default() -> Self {
        Self {
            quality_fall: 20.0,
            quality_min: 40.0,
            noise_ratio: 5.0,
            current_fall: 0.2,
            drain_low: -75.0,
            speed_steady: 0.02,
            speed_pause: Duration::from_secs(2),
        }
    }
}
