//! Keeps every frame on disk, asks agents for what is missing, and looks afterwards for what was missed. All of it on threads of
//! its own: the alarm thread hands over by a bounded channel and waits for nothing.

pub mod plan;

pub mod record;

pub mod logs;

mod intake;

mod compare;

mod missed;

mod again;

mod ending;

mod keeper;

pub mod inspect;

pub use ending::end_thread;
pub use intake::{Feeder, ITEMS_MAX, Intake, Item, Outtake, RecordingState, What, intake};
pub use keeper::{BackfillPart, JournalParts, JournalThread, Notice};
pub use missed::{MISSED_MAX, Missed, MissedAlarm};
