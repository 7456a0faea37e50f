//! Cards to read, no alarms: signs that go together with a loss of blood (C12), and a heart that hardly ejects (C13).

use core::time::Duration;

/// When the bleeding card is shown. The reference (2.4 C12) gives the window and the haematocrit; the rest is our own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BleedingTrend {
    /// Everything against so long ago; at most 30 min.
    pub over: Duration,
    /// The drainage pressure has fallen by at least this, in mmHg.
    pub drain_fall: f32,
    /// The mean arterial pressure has fallen by at least this, in mmHg.
    pub arterial_fall: f32,
    /// The heart rate has risen by at least this, in beats a minute.
    pub heart_rise: f32,
    /// The haematocrit has fallen by at least this, in points.
    pub hct_fall: f32,
}

impl Default for BleedingTrend {
    fn default() -> Self {
        Self {
            over: Duration::from_secs(30 * 60),
            drain_fall: 5.0,
            arterial_fall: 5.0,
            heart_rise: 10.0,
            hct_fall: 3.0,
        }
    }
}

/// When the low-pulse card is shown. Numbers of the reference, section 2.4 C13, from adult teaching.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PulseLow {
    /// Systolic less diastolic pressure is below this, as a median over 60 s, in mmHg.
    pub pulse_min: f32,
}

impl Default for PulseLow {
    fn default() -> Self {
        Self { pulse_min: 10.0 }
    }
}
