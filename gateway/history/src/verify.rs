//! Looks through every record of a history, whether a gateway writes it or not; changes nothing and takes no lock.

use std::io;
use std::path::{Path, PathBuf};

use ecmo_core::parameter::Parameter;
use ecmo_journal::{Reader, Record, View};

use crate::chunk::Chunk;
use crate::event::{EVENT, Event};
use crate::gap::Gap;
use crate::index::{CHUNK, GAP, SUMMARY};
use crate::place::{Log, logs_in};
use crate::read::gone;
use crate::summary::Summary;
use crate::tail::{self, FRAMES};

/// What is wrong with a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It cannot be read at all.
    Unreadable(ecmo_journal::Trouble),
    /// So many of its records are damaged or missing.
    Damaged(u64),
    /// So many of its records are whole, and of a form that this version does not know.
    Foreign(u64),
    /// So many records before its first one are missing: a segment between two others is gone.
    Missing(u64),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Logs: pumps, events, tail.
    pub logs: usize,
    /// Segments.
    pub segments: usize,
    /// Records that are right.
    pub records: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Each segment with something wrong, and what.
    pub faults: Vec<(PathBuf, Fault)>,
}

/// Reads every record of a history.
///
/// # Errors
/// The folder cannot be read, or is no history's.
pub fn verify(folder: &Path) -> io::Result<Verified> {
    let mut found = Verified::default();
    for (log, folder) in logs_in(folder)? {
        found.logs += 1;
        let (reader, _damaged) = Reader::<()>::open(&folder)?;
        for (path, trouble) in reader.troubles() {
            found.faults.push((path, Fault::Unreadable(trouble)));
        }
        let troubled: Vec<PathBuf> = found.faults.iter().map(|(path, _)| path.clone()).collect();
        let mut next = None;
        for segment in reader.segments() {
            found.segments += 1;
            found.bytes += segment.bytes;
            if !troubled.iter().any(|path| path == segment.path()) {
                check(log, &segment, &mut next, &mut found)?;
            }
        }
    }
    Ok(found)
}

fn check(
    log: Log,
    segment: &View<()>,
    next: &mut Option<u64>,
    found: &mut Verified,
) -> io::Result<()> {
    let Some(mut scan) = gone(segment.scan(0))? else { return Ok(()) };
    let (mut foreign, mut first) = (0, None);
    while let Some((_at, record)) = scan.next_record()? {
        found.records += 1;
        foreign += u64::from(!is_known(log, &record));
        first.get_or_insert(record.number);
        let after = record.number.saturating_add(1);
        if first == Some(record.number) {
            let missing = next.map_or(0, |next: u64| record.number.saturating_sub(next));
            if missing > 0 {
                found.faults.push((segment.path().to_owned(), Fault::Missing(missing)));
            }
        }
        *next = Some(after);
    }
    let damaged = scan.missing();
    let faults = [(damaged, Fault::Damaged(damaged)), (foreign, Fault::Foreign(foreign))];
    for (_count, fault) in faults.into_iter().filter(|(count, _)| *count > 0) {
        found.faults.push((segment.path().to_owned(), fault));
    }
    Ok(())
}

/// Whether a record of a log can be read to its end.
fn is_known(log: Log, record: &Record<'_>) -> bool {
    let payload = record.payload;
    match (log, record.kind) {
        (Log::Tail, FRAMES) => tail::decode(payload).is_some(),
        (Log::Events, EVENT) => Event::decode(payload).is_some(),
        (Log::Pump, CHUNK) => Chunk::decode(payload, |_any: Parameter| true).is_some(),
        (Log::Pump, SUMMARY) => Summary::span(payload).is_some(),
        (Log::Pump, GAP) => Gap::decode(payload).is_some(),
        (Log::Tail | Log::Events | Log::Pump, _later) => false,
    }
}
