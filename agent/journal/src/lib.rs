//! An append-only log on disk: checked record by record, bounded by age and size, whole after a crash.
//!
//! Records go into segment files; a segment is never changed once the next one has begun, and the oldest segment is
//! unlinked when the log grows too old or too large. There is nothing to compact, so nothing ever stalls a writer but the
//! disk itself. The crate reads no clock: the caller hands in a monotonic time.
//!
//! # What holds
//! - [`Journal::append`] hands the record to the operating system before it returns: it survives the end of the process,
//!   however sudden. It does not wait for the disk; [`Journal::sync`] does, and [`Journal::sync_if_due`] does so at most
//!   once each [`Options::sync_every`]: a power loss costs what came since.
//! - A record is read back as it was written or not at all. Its header and its payload have a check sum each, seeded by a
//!   random number of the segment, so that neither a flipped bit, nor an old block of the disk, nor a payload that looks
//!   like a record is ever taken for one. A length is believed only when the check sum over it is right.
//! - A torn tail is cut off when the log is opened. A damaged record in the middle costs itself: reading goes on at the
//!   next right one. Records are numbered without holes, so what is missing between two of them is counted exactly; after
//!   the last one it cannot be known how many there were, and one is counted.
//! - Opening reads the footers of finished segments and scans only what has none, normally the last segment.
//! - One process at a time: a second one is refused ([`OpenError::Locked`]).
//! - Disk full: the oldest segments go as long as [`Options::floor_bytes`] are left, then the state is [`State::Full`].
//!   Disk failing: [`State::Failed`], and a new segment is tried after [`Options::retry_after`]. A file whose sync failed
//!   once is never written again, because the kernel may have dropped its pages.
//!
//! # Age
//! The age of a record is the time for which the log was open since: the caller's monotonic time, summed over all runs. A
//! wall clock that jumps by years deletes nothing, and neither does a machine that was off over a weekend. The other bound,
//! the size, holds always.
//!
//! # Why no library
//! Looked at in November 2026, against: a tail that is found by check sum, bounds of age and size by unlinking, no compaction
//! stall, few dependencies, and a durable append that costs one sync.
//! - `commitlog` 0.2: keeps segments, but panics on a segment whose memory-mapped index is missing or behind, which a
//!   crash between two files leaves; it has no bound by age, and no lock.
//! - `okaywal` 0.3: calls its own format unstable; it is a log that is checkpointed and used again, so it keeps nothing for
//!   a day. `wal-db`, `raft-engine`: one file, or the engine of a consensus; neither is bounded by age.
//! - `fjall` 3.1 and `redb` 4.5 lost nothing in crashes, but `fjall` brings 43 crates and compacts, and the file of `redb` never
//!   shrinks; on one quiet machine a durable small record took them 1.6 ms, SQLite as well, and a plain segment file 0.15 ms.
//!   `cargo bench -p ecmo-journal` measures this one.

mod ranges;

mod format;

mod scan;

mod disk;

mod segment;

mod pick;

mod reader;

mod options;

mod outcome;

mod journal;

pub use disk::{Disk, Files, Handle};
pub use format::{KIND_MAX, PAYLOAD_BYTES_MAX, RECORD_OVERHEAD, Record};
pub use journal::Journal;
pub use options::Options;
pub use outcome::{AppendError, Counts, OpenError, Place, State};
pub use pick::Pick;
pub use ranges::Ranges;
pub use reader::{Reader, View};
pub use scan::Scan;
pub use segment::{Digest, Trouble};
