//! How opening and appending end, and what a log counts.

use std::io;
use std::path::PathBuf;

use crate::format::PAYLOAD_BYTES_MAX;

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{} is in use by another process: stop it, or use another folder", folder.display())]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// The disk.
    #[error("cannot open the log in {}: check the path, its permissions and the disk", folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Why a record is not kept.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The payload is too long, or the kind is reserved: a fault of the caller.
    #[error(
        "{bytes} bytes of kind {kind}: at most {PAYLOAD_BYTES_MAX} bytes of kind 0 to 254 are kept"
    )]
    Unfit {
        /// Length of the payload.
        bytes: usize,
        /// Kind of the record.
        kind: u8,
    },
    /// The disk is full. Old segments went already as far as the floor allows.
    #[error("the disk is full: free some room")]
    Full,
    /// The disk fails.
    #[error("the disk fails: check it")]
    Failed(#[source] io::Error),
    /// The disk was full or failed a moment ago and is not tried again yet.
    #[error("the disk was full or failed a moment ago; it is tried again soon")]
    Waiting,
}

/// Whether a log records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Every record is kept.
    Recording,
    /// The disk is full.
    Full,
    /// The disk fails.
    Failed,
}

/// What a log counted since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Records that were appended.
    pub appended: u64,
    /// Records that went because they were the oldest.
    pub evicted: u64,
    /// Records that were found damaged, missing or torn at opening.
    pub damaged: u64,
    /// Records that were appended and whose sync then failed: they may or may not be there after a power loss.
    pub unsure: u64,
}

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The segment.
    pub segment: u64,
    /// Place in the segment, for [`View::scan`](crate::View::scan).
    pub at: u64,
    /// Number of the record.
    pub number: u64,
}
