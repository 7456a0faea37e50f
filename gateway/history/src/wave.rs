//! Samples of a range at full resolution, window by window in the order of time: as much at once as ten seconds hold.

use std::collections::BTreeMap;
use std::io;

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;

use crate::chunk::{Chunk, Column, wall_ns};
use crate::index::{Entry, Kind};
use crate::read::{History, QueryError, Snapshot, check_range, gone, is_wanted, window_of};
use crate::trend::count;

/// Consecutive samples of one parameter at equal distances.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// What was measured.
    pub parameter: Parameter,
    /// The agent's run.
    pub boot: u64,
    /// Number of the first sample within run and channel: with both, the identity of a sample.
    pub first_index: u64,
    /// Time of the first sample: the gateway's wall time in nanoseconds since 1970.
    pub start_ns: i64,
    /// Time between two samples, in nanoseconds; 0 for a single one.
    pub interval_ns: u64,
    /// The samples.
    pub readings: Vec<Reading>,
    /// Whether they came from the agent's spool.
    pub is_late: bool,
}

/// The samples of a range, as they were at one moment.
pub struct Waves {
    snapshot: Snapshot,
    /// Places of the chunks by window: segment and record.
    windows: BTreeMap<i64, Vec<(usize, Entry)>>,
    wanted: Vec<Parameter>,
    from_ns: i64,
    to_ns: i64,
    damaged: u64,
}

impl History {
    /// Samples of a range; no parameters means all. What comes after this call is not among them.
    ///
    /// # Errors
    /// The range is empty, or the pump is not known.
    pub fn waves(
        &self,
        pump: &str,
        parameters: &[Parameter],
        (from_ns, to_ns): (i64, i64),
    ) -> Result<Waves, QueryError> {
        check_range(from_ns, to_ns)?;
        let snapshot = self
            .pump(pump)?
            .snapshot(|entry| entry.kind == Kind::Chunk && entry.overlaps(from_ns, to_ns));
        let mut windows: BTreeMap<i64, Vec<(usize, Entry)>> = BTreeMap::new();
        for (place, segment) in snapshot.segments.iter().enumerate() {
            for entry in &segment.digest {
                windows.entry(window_of(entry.from_ns)).or_default().push((place, *entry));
            }
        }
        for chunk in &snapshot.open {
            windows.entry(chunk.head.window()).or_default();
        }
        let wanted = parameters.to_vec();
        Ok(Waves { snapshot, windows, wanted, from_ns, to_ns, damaged: 0 })
    }
}

impl Waves {
    /// The pieces of the next window that has some, in the order of time; `None`: that was all. Blocks on the disk.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn next_window(&mut self) -> io::Result<Option<Vec<Piece>>> {
        while let Some((window, entries)) = self.windows.pop_first() {
            let mut pieces = Vec::new();
            for (place, entry) in entries {
                let Some(segment) = self.snapshot.segments.get(place) else { continue };
                let Some(mut pick) = gone(segment.pick())? else { continue };
                let record = pick.record(entry.at)?;
                let chunk = record.and_then(|record| {
                    Chunk::decode(record.payload, |one| is_wanted(&self.wanted, one))
                });
                match chunk {
                    Some(chunk) => self.cut(&chunk, &mut pieces),
                    None => self.damaged += 1,
                }
            }
            for chunk in self.snapshot.open.iter().filter(|chunk| chunk.head.window() == window) {
                self.cut(chunk, &mut pieces);
            }
            if !pieces.is_empty() {
                pieces.sort_by_key(|piece| (piece.start_ns, piece.parameter));
                return Ok(Some(pieces));
            }
        }
        Ok(None)
    }

    /// Records that are damaged so far: what was in them is missing.
    #[must_use]
    pub const fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Windows that are left.
    #[must_use]
    pub fn windows_left(&self) -> usize {
        self.windows.len()
    }

    /// The parts of a chunk that lie in the range.
    fn cut(&self, chunk: &Chunk, pieces: &mut Vec<Piece>) {
        for column in chunk.columns.iter().filter(|one| is_wanted(&self.wanted, one.parameter)) {
            self.cut_column(chunk, column, pieces);
        }
    }

    fn cut_column(&self, chunk: &Chunk, column: &Column, pieces: &mut Vec<Piece>) {
        let mut readings = column.readings();
        for span in &column.spans {
            let start_ns = wall_ns(span.start_ns, chunk.head.offset_ns);
            let of_span: Vec<Reading> = readings.by_ref().take(count(span.count)).collect();
            let skipped = steps_before(start_ns, span.interval_ns, self.from_ns).min(span.count);
            let end = steps_before(start_ns, span.interval_ns, self.to_ns).min(span.count);
            let kept = of_span.get(count(skipped)..count(end)).unwrap_or_default();
            if kept.is_empty() {
                continue;
            }
            let skipped_ns = span.interval_ns.saturating_mul(skipped);
            pieces.push(Piece {
                parameter: column.parameter,
                boot: chunk.head.boot,
                first_index: span.first_index.saturating_add(skipped),
                start_ns: start_ns.saturating_add(i64::try_from(skipped_ns).unwrap_or(i64::MAX)),
                interval_ns: span.interval_ns,
                readings: kept.to_vec(),
                is_late: chunk.head.is_late,
            });
        }
    }
}

/// How many samples from a start on lie before a time.
fn steps_before(start_ns: i64, interval_ns: u64, at_ns: i64) -> u64 {
    let before = u64::try_from(at_ns.saturating_sub(start_ns)).unwrap_or_default();
    if before == 0 {
        return 0;
    }
    if interval_ns == 0 { u64::MAX } else { before.div_ceil(interval_ns) }
}
