//! How to sample: what the settings say, and what suits the sensors where they say nothing.

use core::time::Duration;

use super::lineup::Lineup;
use crate::config::SamplingSettings;
use crate::sensor::SourceKind;

/// How to sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Time between two ticks.
    pub tick: Duration,
    /// Whether to ask for a real-time priority and for memory that stays.
    pub realtime: bool,
    /// Why not, when not.
    pub why_not_realtime: &'static str,
    /// The processor to stay on.
    pub cpu: Option<u16>,
}

impl Plan {
    /// What the settings say, and what suits the sensors where they say nothing.
    #[must_use]
    pub fn new(settings: &SamplingSettings, lineup: &Lineup, frame_period: Duration) -> Self {
        let (suggested, why_not_realtime) = match lineup.source() {
            SourceKind::Measured => (true, "switched off in the settings"),
            // Nobody is harmed by a simulated sample that comes late, and a demonstration must not take the machine.
            SourceKind::Simulated | SourceKind::Replayed => {
                (false, "real-time priority is for measured samples")
            }
        };
        Self {
            tick: settings.tick.unwrap_or_else(|| lineup.tick()).min(frame_period),
            realtime: settings.realtime.unwrap_or(suggested),
            why_not_realtime,
            cpu: settings.cpu,
        }
    }
}
