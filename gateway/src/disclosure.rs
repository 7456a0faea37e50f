//! Keeps every sample and every alarm: the thread that feeds the history, and the handle by which questions reach it. The alarm
//! thread hands over by a bounded channel, as to the journal, and waits for nothing.

mod recorder;

mod runs;

use std::sync::{Arc, OnceLock};

use ecmo_history::History;

pub use recorder::{DisclosureParts, DisclosureThread, WriteAlarm};

/// The history, once it is open.
pub type Disclosed = Arc<OnceLock<History>>;
