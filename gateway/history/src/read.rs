//! The reader: trends, samples and events, asked for from any thread while the writer writes.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use ecmo_core::parameter::Parameter;
use ecmo_journal::{Digest, Reader, View};

use crate::chunk::{Chunk, Head, WINDOW_NS};
use crate::event::{self, Event, EventIndex, EventPage, EventQuery};
use crate::gap::{Gap, uncovered};
use crate::index::{Entry, Index, Kind};
use crate::pump::Live;
use crate::summary::Summary;

/// Time without a chunk that is no gap unless one was noted: a console may speak each six seconds.
const GAP_UNNOTED_NS: i64 = 10_000_000_000;

/// Most buckets of a trend: more than any screen has columns.
pub const BUCKETS_MAX: usize = 10_000;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// There is no such pump.
    #[error("nothing is kept of pump {0}: check its name")]
    UnknownPump(String),
    /// The range is empty or lies the wrong way round.
    #[error("the range from {from_ns} to {to_ns} is empty: begin before the end")]
    EmptyRange {
        /// Its begin.
        from_ns: i64,
        /// Its end.
        to_ns: i64,
    },
    /// Too many or too few buckets.
    #[error("{0} buckets: ask for 1 to {max}", max = BUCKETS_MAX)]
    Buckets(usize),
    /// The disk.
    #[error("the history cannot be read: check the disk")]
    Disk(#[from] io::Error),
}

/// A segment that cannot be read. It is left where it is until it is the oldest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Its file.
    pub path: PathBuf,
    /// Why.
    pub why: ecmo_journal::Trouble,
}

pub(crate) fn troubles_of<D: Digest>(reader: &Reader<D>) -> Vec<Trouble> {
    reader.troubles().into_iter().map(|(path, why)| Trouble { path, why }).collect()
}

/// What is read of one pump.
#[derive(Debug, Clone)]
pub(crate) struct PumpReader {
    reader: Reader<Index>,
    live: Arc<Live>,
}

/// What there is of a pump at one moment.
pub(crate) struct Snapshot {
    /// The wanted records, by segment, in the order of the log.
    pub(crate) segments: Vec<View<Vec<Entry>>>,
    /// Chunks that are in no record yet.
    pub(crate) open: Vec<Chunk>,
    /// Rows that are in no record yet.
    pub(crate) summary: Summary,
}

impl PumpReader {
    pub(crate) const fn new(reader: Reader<Index>, live: Arc<Live>) -> Self {
        Self { reader, live }
    }

    /// The records that are wanted, and what is in none yet: all of one moment.
    pub(crate) fn snapshot(&self, wanted: impl Fn(&Entry) -> bool) -> Snapshot {
        let parts = self.live.parts();
        let segments = self.reader.segments_with(|index| {
            let entries: Vec<Entry> =
                index.entries.iter().filter(|one| wanted(one)).copied().collect();
            (!entries.is_empty()).then_some(entries)
        });
        let open = parts.open.iter().map(|open| open.chunk.clone()).collect();
        Snapshot { segments, open, summary: parts.summary.clone() }
    }
}

/// From when to when something is kept of a pump, and how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// The pump, as "ward/pump".
    pub pump: String,
    /// Begin and end of what is kept, in wall time; `None`: nothing is.
    pub span_ns: Option<(i64, i64)>,
    /// Bytes on disk.
    pub bytes: u64,
    /// Records that this version cannot read.
    pub foreign: u64,
}

/// Answers questions while the writer writes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct History {
    pumps: Arc<RwLock<BTreeMap<String, PumpReader>>>,
    events: Reader<EventIndex>,
}

impl History {
    pub(crate) fn new(events: Reader<EventIndex>) -> Self {
        Self { pumps: Arc::default(), events }
    }

    pub(crate) fn insert(&self, pump: &str, reader: PumpReader) {
        let mut pumps = self.pumps.write().unwrap_or_else(PoisonError::into_inner);
        pumps.insert(pump.to_owned(), reader);
    }

    pub(crate) fn pump(&self, pump: &str) -> Result<PumpReader, QueryError> {
        let pumps = self.pumps.read().unwrap_or_else(PoisonError::into_inner);
        pumps.get(pump).cloned().ok_or_else(|| QueryError::UnknownPump(pump.to_owned()))
    }

    /// What is kept, pump by pump.
    #[must_use]
    pub fn extents(&self) -> Vec<Extent> {
        let pumps = self.pumps.read().unwrap_or_else(PoisonError::into_inner);
        pumps.iter().map(|(pump, reader)| extent(pump, reader)).collect()
    }

    /// Events, the newest first.
    ///
    /// # Errors
    /// The range is empty, or the disk cannot be read.
    pub fn events(
        &self,
        query: &EventQuery,
        is_wanted: impl FnMut(&Event) -> bool,
    ) -> Result<EventPage, QueryError> {
        check_range(query.from_ns, query.to_ns)?;
        Ok(event::page(&self.events, query, is_wanted)?)
    }

    /// Times without samples within a range, with their reasons.
    ///
    /// # Errors
    /// The range is empty, the pump is not known, or the disk cannot be read.
    pub fn gaps(&self, pump: &str, from_ns: i64, to_ns: i64) -> Result<Vec<Gap>, QueryError> {
        check_range(from_ns, to_ns)?;
        let snapshot = self
            .pump(pump)?
            .snapshot(|entry| entry.kind != Kind::Summary && entry.overlaps(from_ns, to_ns));
        Ok(gaps(&snapshot, from_ns, to_ns)?)
    }
}

pub(crate) const fn check_range(from_ns: i64, to_ns: i64) -> Result<(), QueryError> {
    if from_ns >= to_ns {
        return Err(QueryError::EmptyRange { from_ns, to_ns });
    }
    Ok(())
}

fn extent(pump: &str, reader: &PumpReader) -> Extent {
    let mut span_ns: Option<(i64, i64)> = None;
    let mut widen = |from_ns: i64, to_ns: i64| {
        let (first, last) = span_ns.unwrap_or((from_ns, to_ns));
        span_ns = Some((first.min(from_ns), last.max(to_ns)));
    };
    let parts = reader.live.parts();
    for open in &parts.open {
        widen(open.chunk.head.from_ns, open.chunk.head.to_ns);
    }
    let foreign = reader.reader.digests(|index| {
        for entry in index.entries.iter().filter(|entry| entry.kind == Kind::Chunk) {
            widen(entry.from_ns, entry.to_ns);
        }
        index.foreign
    });
    let foreign = foreign.iter().sum();
    Extent { pump: pump.to_owned(), span_ns, bytes: reader.reader.bytes(), foreign }
}

/// The gaps of a snapshot that holds the chunks and gaps of the range.
pub(crate) fn gaps(snapshot: &Snapshot, from_ns: i64, to_ns: i64) -> io::Result<Vec<Gap>> {
    let span = |head: &Head| (head.from_ns, head.to_ns);
    let mut covered: Vec<_> = snapshot.open.iter().map(|chunk| span(&chunk.head)).collect();
    let mut known = Vec::new();
    for segment in &snapshot.segments {
        let chunks = segment.digest.iter().filter(|entry| entry.kind == Kind::Chunk);
        covered.extend(chunks.map(|entry| (entry.from_ns, entry.to_ns)));
        let noted: Vec<_> = segment.digest.iter().filter(|entry| entry.kind == Kind::Gap).collect();
        if noted.is_empty() {
            continue;
        }
        let Some(mut pick) = gone(segment.pick())? else { continue };
        for entry in noted {
            let record = pick.record(entry.at)?;
            known.extend(record.and_then(|record| Gap::decode(record.payload)));
        }
    }
    Ok(uncovered((from_ns, to_ns), covered, &known, GAP_UNNOTED_NS))
}

/// A segment that went because it was the oldest is no fault.
pub(crate) fn gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The window of a time.
pub(crate) const fn window_of(at_ns: i64) -> i64 {
    at_ns.div_euclid(WINDOW_NS)
}

/// Whether a parameter is among those that are wanted; none wanted means all.
pub(crate) fn is_wanted(wanted: &[Parameter], parameter: Parameter) -> bool {
    wanted.is_empty() || wanted.contains(&parameter)
}
