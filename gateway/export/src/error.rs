//! Why a file of samples cannot be written.

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
