//! What people say about a treatment: validated, with its history, kept over a restart. Pure but for `file` and `store`.

mod record;

mod change;

mod file;

mod store;

pub use change::ChangeError;
pub use record::{
    CaseEntry, ChangeEntry, ContextEntry, Indication, LimitEntry, Person, Record, Stamp,
};
pub use store::{Damaged, Restored, Store as Earlier, StoreError};
