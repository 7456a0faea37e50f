//! Samples as files that other people's programs read: Parquet for pandas, polars and DuckDB, `.vital` for VitalDB.
//!
//! Pure but for the file that is written: the caller brings the samples, in the order of time, and says whose they are. A sample
//! without a value is none in both forms, with its reason beside it; a time without samples is named with its reason.

mod code;

mod stretch;

mod table;

mod vital;

pub use code::code;
pub use stretch::{About, Cell, Stretch, Void};
pub use table::{ROWS_MAX, Table};
pub use vital::{Survey, Vital};

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The disk.
    #[error("cannot write the file: {0}")]
    Disk(#[from] std::io::Error),
    /// The writer of Parquet, which names the disk's error where there is one.
    #[error("cannot write the table: {0}")]
    Table(#[from] parquet::errors::ParquetError),
}
