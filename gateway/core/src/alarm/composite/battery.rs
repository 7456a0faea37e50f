//! The battery runs down (C10): when it will be empty, by its own slope.

use core::time::Duration;

/// When the battery counts as running down. Numbers of the reference, section 2.4 C10, proposals there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Depleting {
    /// The slope is taken over so long; at most 5 min.
    pub over: Duration,
    /// By it the battery is empty within less than this.
    pub empty_within: Duration,
}

impl Default for Depleting {
    fn default() -> Self {
        Self { over: Duration::from_secs(300), empty_within: Duration::from_secs(600) }
    }
}
