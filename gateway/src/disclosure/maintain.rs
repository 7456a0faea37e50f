//! What an operator does with a history: looks through it, copies it, puts a copy back, lets go of what is too old.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use ecmo_history::{
    Copied, CopyError, Fault, Options, PruneError, Pruned, Verified, forget, prune as prune_store,
};

use crate::config::Keep;

/// Why it could not be done.
#[derive(Debug, thiserror::Error)]
pub enum MaintainError {
    /// It cannot be read or written.
    #[error(transparent)]
    Disk(#[from] io::Error),
    /// It cannot be copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// Nothing can be let go.
    #[error(transparent)]
    Prune(#[from] PruneError),
}

/// Reads every record and names what is wrong; whether all is right.
///
/// # Errors
/// It cannot be read, or is no history.
pub fn verify(dir: &Path, out: &mut impl Write) -> Result<bool, MaintainError> {
    let found = ecmo_history::verify(dir)?;
    write_verified(dir, &found, out)?;
    Ok(found.faults.is_empty())
}

fn write_verified(dir: &Path, found: &Verified, out: &mut impl Write) -> io::Result<()> {
    for (path, fault) in &found.faults {
        let what = match fault {
            Fault::Unreadable(ecmo_history::SegmentTrouble::Version(version)) => {
                format!("of version {version}, which this program does not read")
            }
            Fault::Unreadable(ecmo_history::SegmentTrouble::Header) => {
                "its header is damaged".to_owned()
            }
            Fault::Unreadable(ecmo_history::SegmentTrouble::Disk) => {
                "the disk does not let it be read".to_owned()
            }
            Fault::Damaged(records) => format!("damaged records: {records}"),
            Fault::Foreign(records) => format!("records of another version: {records}"),
            Fault::Missing(records) => format!("records missing before it: {records}"),
        };
        writeln!(out, "{}: {what}", path.display())?;
    }
    let Verified { logs, segments, records, bytes, faults } = found;
    writeln!(
        out,
        "{}: logs={logs} segments={segments} records={records} bytes={bytes} faults={}",
        dir.display(),
        faults.len()
    )
}

/// Copies a history; whether all of the copy is right.
///
/// # Errors
/// It cannot be read, or not be written there.
pub fn backup(from: &Path, to: &Path, out: &mut impl Write) -> Result<bool, MaintainError> {
    write_copied(to, &ecmo_history::backup(from, to)?, out)
}

/// Puts a backup back; whether all of it is right.
///
/// # Errors
/// It is not whole, or something is there already.
pub fn restore(from: &Path, to: &Path, out: &mut impl Write) -> Result<bool, MaintainError> {
    write_copied(to, &ecmo_history::restore(from, to)?, out)
}

fn write_copied(to: &Path, copied: &Copied, out: &mut impl Write) -> Result<bool, MaintainError> {
    write_verified(to, &copied.verified, out)?;
    Ok(copied.verified.faults.is_empty())
}

/// Lets go of samples: those that are older than so many hours, or all of a pump.
///
/// # Errors
/// A gateway runs, there is no such pump, or the disk does not let it.
pub fn prune(
    keep: &Keep,
    hours: Option<u64>,
    pump: Option<&str>,
    out: &mut impl Write,
) -> Result<(), MaintainError> {
    let age_max = hours.map_or(keep.age_max, Duration::from_hours);
    let options = Options::new(keep.dir.clone(), age_max, keep.bytes_max);
    let Pruned { before, after } = match pump {
        Some(pump) => forget(options, pump)?,
        None => prune_store(options)?,
    };
    writeln!(out, "{}: before={before} after={after} bytes", keep.dir.display())?;
    Ok(())
}
