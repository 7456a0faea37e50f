//! Sizes of a round: how many frames, which of them are measured.

use crate::args::Latency;
use crate::clock::SECOND_NS;
use crate::crossing::Crossings;

/// Between the decision to begin and the first event, in nanoseconds.
pub(crate) const LEAD_NS: u64 = 50_000_000;

/// Seconds before the measured ones: connections, caches and the gateway's views settle.
pub(crate) const WARM_SECONDS: u32 = 1;

/// Sizes of a round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) pumps: u32,
    pub(crate) rate: u32,
    pub(crate) displays: u32,
    pub(crate) seconds: u32,
}

impl Plan {
    pub(crate) const fn of(run: &Latency) -> Self {
        let Latency { pumps, rate, displays, seconds, .. } = *run;
        Self { pumps, rate, displays, seconds }
    }

    /// Which frames are measured, and which of them cross the limit.
    pub(crate) fn crossings(&self) -> Crossings {
        Crossings {
            pumps: self.pumps,
            rate: self.rate,
            first: u64::from(WARM_SECONDS) * u64::from(self.rate),
            frames: u64::from(self.seconds) * u64::from(self.rate),
        }
    }

    /// Frames of all pumps, those before the measured ones included.
    pub(crate) fn frames_of_all(&self) -> u64 {
        let crossings = self.crossings();
        (crossings.first + crossings.frames) * u64::from(self.pumps)
    }

    /// Alarm changes of one pump in a second: raised and cleared.
    pub(crate) const CHANGES_PER_SECOND: u32 = 2;

    /// Alarm changes of all pumps before the measured ones, when they come at an even pace.
    pub(crate) fn warm_changes(&self) -> u64 {
        u64::from(WARM_SECONDS) * u64::from(self.pumps) * u64::from(Self::CHANGES_PER_SECOND)
    }

    /// The same for those that are measured.
    pub(crate) fn measured_changes(&self) -> u64 {
        u64::from(self.seconds) * u64::from(self.pumps) * u64::from(Self::CHANGES_PER_SECOND)
    }

    /// Time between two frames of a pump, in nanoseconds.
    pub(crate) fn period_ns(&self) -> u64 {
        SECOND_NS / u64::from(self.rate)
    }
}
