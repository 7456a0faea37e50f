//! An open circuit (C2): its signs in flow and pressures together, and the sudden fall of the return pressure alone.

use core::time::Duration;

/// When the circuit counts as open. Numbers of the reference, section 2.4 C2, proposals there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Disconnection {
    /// Return side: the pressure after the membrane has fallen by more than this share.
    pub fall_share: f32,
    /// And by more than this, in mmHg.
    pub fall_min: f32,
    /// While the flow is still at least this share of what it was.
    pub flow_share: f32,
    /// And the resistance of the return has fallen by more than this share.
    pub resistance_fall: f32,
    /// Before the membrane, and drainage side: the flow has fallen by more than this share.
    pub flow_fall: f32,
    /// Drainage side: the pressure has come within this of the room's, in mmHg.
    pub drain_near: f32,
    /// From below this, in mmHg.
    pub drain_from: f32,
    /// The motor current has fallen by more than this share.
    pub current_fall: f32,
    /// A change of the speed by this share or more is a change.
    pub speed_steady: f32,
    /// For so long after a change of the speed nothing is decided.
    pub speed_pause: Duration,
}

impl Default for Disconnection {
    fn default() -> Self {
        Self {
            fall_share: 0.3,
            fall_min: 25.0,
            flow_share: 0.95,
            resistance_fall: 0.4,
            flow_fall: 0.3,
            drain_near: 5.0,
            drain_from: -10.0,
            current_fall: 0.2,
            speed_steady: 0.02,
            speed_pause: Duration::from_secs(2),
        }
    }
}

/// When the return pressure counts as fallen (`post.low`). Numbers of the reference, section 2.4 C2, proposals there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PostFall {
    /// The pressure after the membrane has fallen by more than this share.
    pub fall_share: f32,
    /// And by more than this, in mmHg.
    pub fall_min: f32,
    /// A change of the speed by this share or more is a change.
    pub speed_steady: f32,
    /// For so long after a change of the speed nothing is decided.
    pub speed_pause: Duration,
}

impl Default for PostFall {
    fn default() -> Self {
        let Disconnection { fall_share, fall_min, speed_steady, speed_pause, .. } =
            Disconnection::default();
        Self { fall_share, fall_min, speed_steady, speed_pause }
    }
}
