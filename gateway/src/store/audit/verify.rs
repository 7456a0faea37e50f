//! Checks the whole chain of an audit log, and names the first place that is broken.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::files::{head, indices, lines, path_of};
use super::line::{self, Fault, Link};

/// Where a log is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The file.
    pub path: PathBuf,
    /// The line in it, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// What is wrong.
    pub why: Why,
}

/// What is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// A line is wrong.
    #[error(transparent)]
    Line(#[from] Fault),
    /// A file in between is not there.
    #[error("the file is missing")]
    Missing,
    /// A file that is not the last one ends within a line.
    #[error("the file ends within a line, and others follow")]
    CutShort,
    /// The line feed behind a whole line is another byte.
    #[error("the end of the line was changed")]
    LineFeed,
    /// The log had more lines.
    #[error(
        "the log ends at record {last}, and record {known} was written: lines were cut off at the end"
    )]
    EndsEarly {
        /// The last record that is there.
        last: u64,
        /// The record that was once there.
        known: u64,
    },
    /// The log has other lines than it had.
    #[error("record {0} is not the one that was written")]
    Rewritten(u64),
}

/// What was checked, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// Files that were read.
    pub files: usize,
    /// Records that are sound, from the first on.
    pub records: u64,
    /// Bytes of a last line that a crash tore: it was never confirmed, and the next start cuts it.
    pub torn_bytes: usize,
    /// The first place that is broken.
    pub broken: Option<Broken>,
}

impl fmt::Display for Checked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} records in {} files are sound", self.records, self.files)?;
        if self.torn_bytes > 0 {
            let bytes = self.torn_bytes;
            write!(out, "; the last line is torn ({bytes} bytes, never confirmed)")?;
        }
        if let Some(Broken { path, line, why }) = &self.broken {
            write!(out, "\nbroken: {}", path.display())?;
            if *line > 0 {
                write!(out, ", line {line}")?;
            }
            write!(out, ": {why}")?;
        }
        Ok(())
    }
}

/// Checks the log of a folder, from its first line to its last. It changes nothing.
///
/// # Errors
/// The folder or a file cannot be read.
pub fn verify(dir: &Path) -> io::Result<Checked> {
    // Listed first: a gateway that runs may write on meanwhile, but never less.
    let (known, listed) = (head(dir), indices(dir)?);
    let mut checked = Checked::default();
    let mut last = Link::START;
    let newest = listed.last().copied().unwrap_or(0);
    for (index, expected) in listed.into_iter().zip(1_u32..) {
        if index != expected {
            return Ok(checked.broken_at(path_of(dir, expected), 0, Why::Missing));
        }
        let path = path_of(dir, index);
        let bytes = fs::read(&path)?;
        checked.files += 1;
        let (whole, tail) = lines(&bytes);
        let mut count = 0;
        for one in whole {
            count += 1;
            last = match line::check(one, &last) {
                Ok(link) => link,
                Err(fault) => return Ok(checked.broken_at(path, count, fault.into())),
            };
            checked.records += 1;
            if known.is_some_and(|known| known.number == last.number && known.sum != last.sum) {
                return Ok(checked.broken_at(path, count, Why::Rewritten(last.number)));
            }
        }
        if line::lacks_line_feed(tail) {
            return Ok(checked.broken_at(path, count + 1, Why::LineFeed));
        }
        if !tail.is_empty() && index != newest {
            return Ok(checked.broken_at(path, count + 1, Why::CutShort));
        }
        checked.torn_bytes = tail.len();
    }
    if let Some(known) = known.filter(|known| known.number > last.number) {
        let why = Why::EndsEarly { last: last.number, known: known.number };
        return Ok(checked.broken_at(path_of(dir, newest), 0, why));
    }
    Ok(checked)
}

impl Checked {
    fn broken_at(mut self, path: PathBuf, line: usize, why: Why) -> Self {
        self.broken = Some(Broken { path, line, why });
        self
    }
}

#[cfg(test)]
mod tests;
