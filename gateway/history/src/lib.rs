//! Every sample kept: all waveforms and numerics of every pump, gaps with their reasons, and what happened.
//!
//! ```text
//! frames ─► tail (at once) ─► open chunks (10 s) ─► log of the pump: chunks, gaps, summaries
//! events ─────────────────────────────────────────► log of events
//! ```
//!
//! # What holds
//! - What [`Store::ingest`] says is kept is read back to the last bit after the end of the process, however sudden; after a
//!   power loss it may lack the last second. A frame is kept once, however often it comes, and from whichever way.
//! - A frame from a spool lands at its own time. Nothing is ever written anew: summaries add up.
//! - A least and greatest value of any bucket of a trend is that of the samples themselves.
//! - A time without samples is a gap with a reason, never a line.
//! - The oldest go when the history is too old or too large; a segment that is damaged or of another version is named,
//!   counted and left where it is, and the rest is read.
//!
//! The crate reads no clock and starts no thread: the caller hands in monotonic time, and wall time as an offset of each
//! frame's clock. Writing blocks on the disk and belongs on a thread that nobody waits for; reading can be done from any.

mod bytes;

mod value;

mod row;

mod chunk;

mod gap;

mod summary;

mod index;

mod tail;

mod event;

mod options;

mod pump;

mod read;

mod trend;

mod wave;

mod store;

pub use chunk::WINDOW_NS;
pub use ecmo_journal::{Disk, Files, Handle, OpenError, State};
pub use event::{Event, EventPage, EventPlace, EventQuery};
pub use gap::{Gap, GapReason};
pub use options::Options;
pub use read::{BUCKETS_MAX, Extent, History, QueryError, Trouble};
pub use row::Row;
pub use store::{Counts, Opened, Store, Taken};
pub use tail::Incoming;
pub use trend::{Series, Trend, TrendQuery};
pub use wave::{Piece, Waves};
