//! How large and old a log may grow, and how often it waits for the disk.

use core::time::Duration;
use std::path::PathBuf;

/// Segments that a log has when it is as large as it may be: the finer, the less goes at once.
const SEGMENTS: u64 = 64;

/// Bounds of a segment, in bytes: not so small that files are many, not so large that scanning the last one takes long.
const SEGMENT_BYTES: core::ops::RangeInclusive<u64> = 64 * 1024..=32 * 1024 * 1024;

/// How a log is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Its folder; made when it is missing. Nothing else belongs there.
    pub folder: PathBuf,
    /// Most bytes on disk; the oldest segments go first.
    pub bytes_max: u64,
    /// Greatest age of a segment's last record, in time for which the log was open; older segments go.
    pub age_max: Duration,
    /// A segment that is this long is followed by a new one.
    pub segment_bytes: u64,
    /// A segment that has been written for so long is followed by a new one: what is too old goes segment by segment.
    pub segment_for: Duration,
    /// Bytes that are kept when the disk is full because of others: with less, nothing old goes and the log is full.
    pub floor_bytes: u64,
    /// Least time between two waits for the disk: what a power loss may cost.
    pub sync_every: Duration,
    /// After the disk was full or failed: time until it is tried again.
    pub retry_after: Duration,
}

impl Options {
    /// A log of this size and age: 64 segments, synced each second, the newest quarter kept when the disk is full, tried again
    /// after 2 s.
    #[must_use]
    pub fn new(folder: PathBuf, bytes_max: u64, age_max: Duration) -> Self {
        Self {
            folder,
            bytes_max,
            age_max,
            segment_bytes: (bytes_max / SEGMENTS)
                .clamp(*SEGMENT_BYTES.start(), *SEGMENT_BYTES.end()),
            segment_for: Duration::MAX,
            floor_bytes: bytes_max / 4,
            sync_every: Duration::from_secs(1),
            retry_after: Duration::from_secs(2),
        }
    }
}
