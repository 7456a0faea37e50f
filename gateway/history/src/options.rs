//! How much is kept, and where.

use core::time::Duration;
use std::path::PathBuf;

use ecmo_journal::{Disk, Files};

/// How long events are kept when nobody says: over a year, so that a yearly review has all of it.
const EVENTS_AGE: Duration = Duration::from_hours(24 * 400);

/// Most bytes of events: some millions of them.
const EVENTS_BYTES: u64 = 512 << 20;

/// How a history is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its folder; made when it is missing. Nothing else belongs there.
    pub folder: PathBuf,
    /// For how long samples are kept, in time for which the history was open.
    pub age_max: Duration,
    /// Most bytes of samples, over all pumps: they share it alike.
    pub bytes_max: u64,
    /// For how long events are kept, likewise.
    pub events_age_max: Duration,
    /// Most bytes of events.
    pub events_bytes_max: u64,
    /// What stands for the disk; a test may make it slow, full or broken.
    pub disk: fn() -> Box<dyn Disk>,
}

impl Options {
    /// Samples for this long and of this many bytes; events for 400 days, of 512 MiB at most.
    #[must_use]
    pub fn new(folder: PathBuf, age_max: Duration, bytes_max: u64) -> Self {
        Self {
            folder,
            age_max,
            bytes_max,
            events_age_max: EVENTS_AGE,
            events_bytes_max: EVENTS_BYTES,
            disk: || Box::new(Files),
        }
    }
}
