//! Trends: least, greatest, mean and count in buckets of any width, from the coarsest rows that are fine enough.

use std::collections::BTreeMap;
use std::io;

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;

use crate::chunk::{Chunk, WINDOW_NS, wall_ns};
use crate::gap::Gap;
use crate::index::{Entry, Kind};
use crate::read::{BUCKETS_MAX, History, QueryError, Snapshot, check_range, gaps, gone, window_of};
use crate::row::Row;
use crate::summary::{Level, MINUTE_NS, Summary, TEN_MINUTES_NS};

/// Times from 1970 to 2116, in nanoseconds: no sum of two of them overflows.
const TIME_MAX_NS: i64 = 1 << 62;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrendQuery {
    /// The pump, as "ward/pump".
    pub pump: String,
    /// Which parameters.
    pub parameters: Vec<Parameter>,
    /// From this wall time on, in nanoseconds since 1970.
    pub from_ns: i64,
    /// Before this wall time.
    pub to_ns: i64,
    /// At most so many buckets, and one more where the range does not begin with one; 1 to [`BUCKETS_MAX`].
    pub buckets: usize,
}

/// One parameter's buckets.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The parameter.
    pub parameter: Parameter,
    /// A row for each bucket; one without a value is a gap.
    pub rows: Vec<Row>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// Begin of the first bucket: at or before the begin of the range.
    pub from_ns: i64,
    /// Width of a bucket: what was asked for, or wider, up to whole rows.
    pub width_ns: i64,
    /// In the order of the question.
    pub series: Vec<Series>,
    /// Times without samples of the pump, with their reasons.
    pub gaps: Vec<Gap>,
    /// Records that are damaged: what was in them is missing.
    pub damaged: u64,
}

/// From what a trend is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Samples,
    Chunks,
    Rows(Level),
}

impl From {
    /// The coarsest that a bucket of this width is a multiple of, or nearly.
    const fn of_width(width_ns: i64) -> Self {
        if width_ns >= TEN_MINUTES_NS {
            Self::Rows(Level::TenMinutes)
        } else if width_ns >= MINUTE_NS {
            Self::Rows(Level::Minute)
        } else if width_ns >= WINDOW_NS {
            Self::Chunks
        } else {
            Self::Samples
        }
    }

    const fn grain_ns(self) -> i64 {
        match self {
            Self::Samples => 1,
            Self::Chunks => WINDOW_NS,
            Self::Rows(level) => level.ns(),
        }
    }
}

/// The buckets that are being filled.
struct Grid<'a> {
    query: &'a TrendQuery,
    from_ns: i64,
    width_ns: i64,
    series: Vec<Series>,
    damaged: u64,
}

impl Grid<'_> {
    fn wants(&self, parameter: Parameter) -> bool {
        self.query.parameters.contains(&parameter)
    }

    /// The row of the bucket in which a time lies.
    fn row(&mut self, parameter: Parameter, at_ns: i64) -> Option<&mut Row> {
        let place = usize::try_from((at_ns - self.from_ns).div_euclid(self.width_ns)).ok()?;
        let series = self.series.iter_mut().find(|series| series.parameter == parameter)?;
        series.rows.get_mut(place)
    }

    fn add_row(&mut self, parameter: Parameter, at_ns: i64, row: &Row) {
        if let Some(bucket) = self.row(parameter, at_ns) {
            bucket.merge(row);
        }
    }

    fn add_chunk_rows(&mut self, window: i64, rows: impl IntoIterator<Item = (Parameter, Row)>) {
        for (parameter, row) in rows {
            self.add_row(parameter, window.saturating_mul(WINDOW_NS), &row);
        }
    }

    fn add_samples(&mut self, chunk: &Chunk) {
        let (from_ns, to_ns) = (self.query.from_ns, self.query.to_ns);
        for column in
            chunk.columns.iter().filter(|column| self.query.parameters.contains(&column.parameter))
        {
            let mut readings = column.readings();
            for span in &column.spans {
                let start_ns = wall_ns(span.start_ns, chunk.head.offset_ns);
                let step = i64::try_from(span.interval_ns).unwrap_or(i64::MAX);
                for (place, reading) in (0..).zip(readings.by_ref().take(count(span.count))) {
                    let at_ns = start_ns.saturating_add(step.saturating_mul(place));
                    if (from_ns..to_ns).contains(&at_ns) {
                        self.add_sample(column.parameter, at_ns, reading);
                    }
                }
            }
        }
    }

    fn add_sample(&mut self, parameter: Parameter, at_ns: i64, reading: Reading) {
        if let Some(bucket) = self.row(parameter, at_ns) {
            bucket.add(reading);
        }
    }
}

/// A count of samples as a length.
pub(crate) fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl History {
    /// A trend. Blocks on the disk.
    ///
    /// # Errors
    /// The range is empty or not within 1970 to 2116, the buckets are too many, the pump is not known, or the disk cannot be read.
    pub fn trend(&self, query: &TrendQuery) -> Result<Trend, QueryError> {
        if !(1..=BUCKETS_MAX).contains(&query.buckets) {
            return Err(QueryError::Buckets(query.buckets));
        }
        let query = &TrendQuery {
            from_ns: query.from_ns.clamp(0, TIME_MAX_NS),
            to_ns: query.to_ns.clamp(0, TIME_MAX_NS),
            ..query.clone()
        };
        check_range(query.from_ns, query.to_ns)?;
        let buckets = i64::try_from(query.buckets).unwrap_or(i64::MAX);
        let wanted_ns = query.to_ns.saturating_sub(query.from_ns).div_euclid(buckets).max(1);
        // Rounding down made the last bucket one too many.
        let wanted_ns =
            wanted_ns + i64::from(wanted_ns.saturating_mul(buckets) < query.to_ns - query.from_ns);
        let source = From::of_width(wanted_ns);
        let grain = source.grain_ns();
        let width_ns = wanted_ns.saturating_add(grain - 1).div_euclid(grain) * grain;
        let from_ns = query.from_ns.div_euclid(grain) * grain;
        let length = (query.to_ns - from_ns + width_ns - 1).div_euclid(width_ns);
        let rows = vec![Row::default(); usize::try_from(length).unwrap_or_default()];
        let series =
            query.parameters.iter().map(|one| Series { parameter: *one, rows: rows.clone() });
        let mut grid = Grid { query, from_ns, width_ns, series: series.collect(), damaged: 0 };
        let end_ns = from_ns.saturating_add(width_ns.saturating_mul(length));
        let snapshot = self.pump(&query.pump)?.snapshot(|entry| match entry.kind {
            Kind::Chunk | Kind::Gap => entry.overlaps(from_ns, end_ns),
            // All of them, to know which chunks no summary holds.
            Kind::Summary => matches!(source, From::Rows(_)),
        });
        match source {
            From::Samples => from_chunks(&snapshot, &mut grid, true)?,
            From::Chunks => from_chunks(&snapshot, &mut grid, false)?,
            From::Rows(level) => from_rows(&snapshot, &mut grid, level, (from_ns, end_ns))?,
        }
        let gaps = gaps(&snapshot, query.from_ns, query.to_ns)?;
        let Grid { series, damaged, .. } = grid;
        Ok(Trend { from_ns, width_ns, series, gaps, damaged })
    }
}

fn from_chunks(snapshot: &Snapshot, grid: &mut Grid<'_>, by_sample: bool) -> io::Result<()> {
    for segment in &snapshot.segments {
        let Some(mut pick) = gone(segment.pick())? else { continue };
        for entry in segment.digest.iter().filter(|entry| entry.kind == Kind::Chunk) {
            let record = pick.record(entry.at)?;
            let is_read = record.is_some_and(|record| take_chunk(record.payload, grid, by_sample));
            grid.damaged += u64::from(!is_read);
        }
    }
    for chunk in &snapshot.open {
        if by_sample {
            grid.add_samples(chunk);
        } else {
            let rows = chunk.columns.iter().map(|column| (column.parameter, column.row));
            grid.add_chunk_rows(chunk.head.window(), rows);
        }
    }
    Ok(())
}

fn take_chunk(payload: &[u8], grid: &mut Grid<'_>, by_sample: bool) -> bool {
    if by_sample {
        let chunk = Chunk::decode(payload, |parameter| grid.wants(parameter));
        chunk.map(|chunk| grid.add_samples(&chunk)).is_some()
    } else {
        let rows = Chunk::rows(payload);
        rows.map(|(head, rows)| grid.add_chunk_rows(head.window(), rows)).is_some()
    }
}

/// From summaries; where one is damaged, from the chunks that it is of.
fn from_rows(
    snapshot: &Snapshot,
    grid: &mut Grid<'_>,
    level: Level,
    (from_ns, end_ns): (i64, i64),
) -> io::Result<()> {
    // Chunks since the last summary.
    let mut since: Vec<(usize, Entry)> = Vec::new();
    for (place, segment) in snapshot.segments.iter().enumerate() {
        let mut pick = None;
        for entry in &segment.digest {
            match entry.kind {
                Kind::Gap => continue,
                Kind::Chunk => {
                    since.push((place, *entry));
                    continue;
                }
                Kind::Summary => {}
            }
            if entry.overlaps(from_ns, end_ns) {
                if pick.is_none() {
                    pick = gone(segment.pick())?;
                }
                let Some(pick) = pick.as_mut() else { break };
                let read = pick
                    .record(entry.at)?
                    .and_then(|record| take_rows(record.payload, grid, level));
                if read.is_none() {
                    grid.damaged += 1;
                    rows_of(snapshot, &since, grid)?;
                }
            }
            since.clear();
        }
    }
    // What follows the last summary is in memory, and so are the chunks that are open.
    for parameter in grid.query.parameters.clone() {
        for (at_ns, row) in snapshot.summary.rows(level, parameter) {
            grid.add_row(parameter, at_ns, &row);
        }
    }
    for chunk in &snapshot.open {
        let rows = chunk.columns.iter().map(|column| (column.parameter, column.row));
        grid.add_chunk_rows(chunk.head.window(), rows);
    }
    Ok(())
}

fn take_rows(payload: &[u8], grid: &mut Grid<'_>, level: Level) -> Option<()> {
    let wanted: Vec<Parameter> = grid.query.parameters.clone();
    // Gathered first: half a summary and then its chunks would count twice.
    let mut rows: BTreeMap<(Parameter, i64), Row> = BTreeMap::new();
    Summary::read(
        payload,
        level,
        |one| wanted.contains(&one),
        |parameter, at_ns, row| {
            rows.entry((parameter, at_ns)).or_default().merge(row);
        },
    )?;
    for ((parameter, at_ns), row) in rows {
        grid.add_row(parameter, at_ns, &row);
    }
    Some(())
}

fn rows_of(snapshot: &Snapshot, chunks: &[(usize, Entry)], grid: &mut Grid<'_>) -> io::Result<()> {
    for (place, entry) in chunks {
        let Some(segment) = snapshot.segments.get(*place) else { continue };
        let Some(mut pick) = gone(segment.pick())? else { continue };
        let record = pick.record(entry.at)?;
        let rows = record.and_then(|record| Chunk::rows(record.payload));
        match rows {
            Some((_head, rows)) => grid.add_chunk_rows(window_of(entry.from_ns), rows),
            None => grid.damaged += 1,
        }
    }
    Ok(())
}
