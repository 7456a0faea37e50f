//! Samples as files that other people's programs read: Parquet for pandas, polars and DuckDB, `.vital` for VitalDB.
//!
//! Pure but for the file that is written: the caller brings the samples, in the order of time, and says whose they are. A sample
//! without a value is none in both forms, with its reason beside it; a time without samples is named with its reason.

mod error;

mod code;

mod stretch;

mod table;

mod vital;

pub use code::code;
pub use error::ExportError;
pub use stretch::{About, Cell, Stretch, Void};
pub use table::{ROWS_MAX, Table};
pub use vital::{Survey, Vital};
