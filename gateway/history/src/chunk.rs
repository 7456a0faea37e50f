//! Samples of one run of an agent in ten seconds: how they are gathered, and what they are as bytes.
//!
//! ```text
//! chunk    version u8 | boot u64 | wall less agent's clock, from, to: signed | late u8 | frames | columns
//! frames   number of ranges, then begin and length of each
//! column   id of the parameter, length, then: summary | spans | codes | values
//! span     first index, start (both as difference to what was expected), interval, count
//! ```

use ecmo_core::frame::{Block, Frame};
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;
use ecmo_journal::Ranges;

use crate::bytes::{Cursor, put_bytes, put_number, put_signed};
use crate::row::Row;
use crate::value;

/// Length of a chunk, in nanoseconds of wall time.
pub const WINDOW_NS: i64 = 10_000_000_000;

/// Version of the bytes of chunks, summaries and gaps.
pub(crate) const VERSION: u8 = 1;

/// A chunk that may take so many bytes is closed early: with another frame it must still fit into a record.
const WEIGHT_MAX: usize = 500_000;

/// Most bytes that a sample and a span take.
const SAMPLE_BYTES: usize = 7;
const SPAN_BYTES: usize = 40;

/// How far a sample may lie from where its span expects it, in nanoseconds; for slow channels this part of the interval.
const SPAN_TOLERANCE_NS: u64 = 100_000;
const SPAN_TOLERANCE_PART: u64 = 500;

/// Longest interval within a span: two samples that are further apart have nothing to do with each other.
const INTERVAL_NS_MAX: u64 = 120_000_000_000;

/// Consecutive samples at equal distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// Number of the first sample within run and channel.
    pub(crate) first_index: u64,
    /// Time of the first sample by the agent's clock, in nanoseconds.
    pub(crate) start_ns: u64,
    /// Time between two samples, in nanoseconds; 0 for a single one.
    pub(crate) interval_ns: u64,
    pub(crate) count: u64,
}

impl Span {
    /// Time of the sample after the last one.
    pub(crate) const fn next_ns(&self) -> u64 {
        self.start_ns.saturating_add(self.interval_ns.saturating_mul(self.count))
    }

    const fn next_index(&self) -> u64 {
        self.first_index.saturating_add(self.count)
    }

    /// Takes another span in, if it goes on where this one ends.
    fn join(&mut self, other: &Self) -> bool {
        if other.first_index != self.next_index() {
            return false;
        }
        let apart = other.start_ns.saturating_sub(self.start_ns);
        let interval_ns = match (self.count, other.count) {
            (1, 1) => apart,
            (1, _many) => other.interval_ns,
            (_many, _any) => self.interval_ns,
        };
        let tolerance = (interval_ns / SPAN_TOLERANCE_PART).max(SPAN_TOLERANCE_NS);
        let expected = self.start_ns.saturating_add(interval_ns.saturating_mul(self.count));
        let fits = other.count == 1 || other.interval_ns == interval_ns;
        let is_near = expected.abs_diff(other.start_ns) <= tolerance;
        if !fits || !is_near || interval_ns == 0 || interval_ns > INTERVAL_NS_MAX {
            return false;
        }
        self.interval_ns = interval_ns;
        self.count += other.count;
        true
    }
}

/// The samples of one parameter in a chunk.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    pub(crate) parameter: Parameter,
    pub(crate) spans: Vec<Span>,
    /// A value for each sample; where there is none, the one before.
    values: Vec<f32>,
    codes: Vec<u8>,
    pub(crate) row: Row,
}

impl Column {
    const fn new(parameter: Parameter) -> Self {
        Self {
            parameter,
            spans: Vec::new(),
            values: Vec::new(),
            codes: Vec::new(),
            row: Row::EMPTY,
        }
    }

    fn add(&mut self, block: &Block, readings: &[Reading]) {
        let count = readings.len() as u64;
        let interval_ns = u64::try_from(block.interval.as_nanos()).unwrap_or(u64::MAX);
        let span = Span {
            first_index: block.first_index,
            start_ns: block.start.as_nanos(),
            interval_ns: if count > 1 { interval_ns } else { 0 },
            count,
        };
        if !self.spans.last_mut().is_some_and(|last| last.join(&span)) {
            self.spans.push(span);
        }
        for reading in readings {
            let held = self.values.last().copied().unwrap_or_default();
            self.values.push(reading.value().unwrap_or(held));
            self.codes.push(value::code_of(*reading));
            self.row.add(*reading);
        }
    }

    /// The samples, as readings.
    pub(crate) fn readings(&self) -> impl Iterator<Item = Reading> {
        // A code of a later version cannot be here: such a column is not read.
        let each = self.codes.iter().zip(&self.values);
        each.filter_map(|(code, value)| value::reading_of(*code, *value))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.row.encode(out);
        put_number(out, self.spans.len() as u64);
        let (mut index, mut at) = (0_u64, 0_u64);
        for span in &self.spans {
            put_signed(out, span.first_index.wrapping_sub(index).cast_signed());
            put_signed(out, span.start_ns.wrapping_sub(at).cast_signed());
            put_number(out, span.interval_ns);
            put_number(out, span.count);
            (index, at) = (span.next_index(), span.next_ns());
        }
        value::encode_codes(&self.codes, out);
        value::encode(&self.values, out);
    }

    fn decode(parameter: Parameter, bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let row = Row::decode(&mut cursor)?;
        let (mut index, mut at, mut samples) = (0_u64, 0_u64, 0_u64);
        let mut spans = Vec::new();
        for _ in 0..cursor.count()? {
            let first_index = index.wrapping_add(cursor.signed()?.cast_unsigned());
            let start_ns = at.wrapping_add(cursor.signed()?.cast_unsigned());
            let (interval_ns, count) = (cursor.number()?, cursor.number()?);
            let span = Span { first_index, start_ns, interval_ns, count };
            (index, at) = (span.next_index(), span.next_ns());
            samples = samples.checked_add(count)?;
            spans.push(span);
        }
        let samples = usize::try_from(samples).ok()?;
        let codes = value::decode_codes(&mut cursor, samples)?;
        let known = codes.iter().all(|code| value::reading_of(*code, 0.0).is_some());
        let values = value::decode(&mut cursor, samples)?;
        (known && cursor.is_empty()).then_some(Self { parameter, spans, values, codes, row })
    }
}

/// What is known of a chunk without its samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// The agent's run.
    pub(crate) boot: u64,
    /// Wall time less the agent's clock, in nanoseconds.
    pub(crate) offset_ns: i64,
    /// Whether it came from a spool.
    pub(crate) is_late: bool,
    /// Wall time of its begin, in nanoseconds since 1970.
    pub(crate) from_ns: i64,
    /// Wall time of its end.
    pub(crate) to_ns: i64,
    /// Frames that are in it.
    pub(crate) frames: Ranges,
}

impl Head {
    /// The window that it belongs to.
    pub(crate) const fn window(&self) -> i64 {
        self.from_ns.div_euclid(WINDOW_NS)
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        out.extend(self.boot.to_le_bytes());
        put_signed(out, self.offset_ns);
        put_signed(out, self.from_ns);
        put_signed(out, self.to_ns.saturating_sub(self.from_ns));
        out.push(u8::from(self.is_late));
        put_ranges(out, &self.frames);
    }

    pub(crate) fn decode(cursor: &mut Cursor<'_>) -> Option<Self> {
        if cursor.byte()? != VERSION {
            return None;
        }
        let boot = cursor.fixed()?;
        let (offset_ns, from_ns) = (cursor.signed()?, cursor.signed()?);
        let to_ns = from_ns.checked_add(cursor.signed()?)?;
        let is_late = cursor.byte()? != 0;
        Some(Self { boot, offset_ns, is_late, from_ns, to_ns, frames: ranges(cursor)? })
    }
}

pub(crate) fn put_ranges(out: &mut Vec<u8>, ranges: &Ranges) {
    put_number(out, ranges.parts() as u64);
    let mut before = 0;
    for range in ranges.iter() {
        put_number(out, range.start - before);
        put_number(out, range.end - range.start);
        before = range.end;
    }
}

pub(crate) fn ranges(cursor: &mut Cursor<'_>) -> Option<Ranges> {
    let mut ranges = Ranges::default();
    let mut before = 0_u64;
    for _ in 0..cursor.count()? {
        let start = before.checked_add(cursor.number()?)?;
        before = start.checked_add(cursor.number()?)?;
        ranges.insert(start..before);
    }
    Some(ranges)
}

/// Samples of one run in one window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chunk {
    pub(crate) head: Head,
    pub(crate) columns: Vec<Column>,
    samples: usize,
}

/// Wall time of a point on the agent's clock.
pub(crate) fn wall_ns(agent_ns: u64, offset_ns: i64) -> i64 {
    i64::try_from(agent_ns).unwrap_or(i64::MAX).saturating_add(offset_ns)
}

/// From when to when a frame reaches, by the agent's clock: its samples, and the moment at which it was published.
pub(crate) fn reach(frame: &Frame) -> (u64, u64) {
    let published = frame.stamp.published.as_nanos();
    frame.blocks().fold((published, published), |(from, to), (block, readings)| {
        let last = block.time_of(readings.len().saturating_sub(1)).as_nanos();
        let interval = u64::try_from(block.interval.as_nanos()).unwrap_or_default();
        let end = if readings.len() > 1 { last.saturating_add(interval) } else { last };
        (from.min(block.start.as_nanos()), to.max(end))
    })
}

impl Chunk {
    /// A chunk that begins with this frame; it holds nothing yet.
    pub(crate) fn new(frame: &Frame, offset_ns: i64, is_late: bool) -> Self {
        let from_ns = wall_ns(reach(frame).0, offset_ns);
        let (boot, frames) = (frame.boot.get(), Ranges::default());
        let head = Head { boot, offset_ns, is_late, from_ns, to_ns: from_ns, frames };
        Self { head, columns: Vec::new(), samples: 0 }
    }

    /// Takes the samples of a frame in.
    pub(crate) fn add(&mut self, frame: &Frame) {
        self.head.frames.insert(frame.sequence..frame.sequence.saturating_add(1));
        let (from, to) = reach(frame);
        self.head.from_ns = self.head.from_ns.min(wall_ns(from, self.head.offset_ns));
        self.head.to_ns = self.head.to_ns.max(wall_ns(to, self.head.offset_ns));
        for (block, readings) in frame.blocks() {
            self.samples += readings.len();
            let known = self.columns.iter_mut().find(|one| one.parameter == block.parameter);
            if let Some(column) = known {
                column.add(block, readings);
            } else {
                let mut column = Column::new(block.parameter);
                column.add(block, readings);
                self.columns.push(column);
            }
        }
    }

    /// Whether it takes no more.
    pub(crate) fn is_full(&self) -> bool {
        let spans: usize = self.columns.iter().map(|column| column.spans.len()).sum();
        self.samples * SAMPLE_BYTES + spans * SPAN_BYTES >= WEIGHT_MAX
    }

    /// Samples in it.
    pub(crate) const fn samples(&self) -> usize {
        self.samples
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.head.encode(&mut out);
        put_number(&mut out, self.columns.len() as u64);
        let mut bytes = Vec::new();
        for column in &self.columns {
            bytes.clear();
            column.encode(&mut bytes);
            put_bytes(&mut out, column.parameter.info().id.as_bytes());
            put_bytes(&mut out, &bytes);
        }
        out
    }

    /// Reads a chunk, of which only these parameters are wanted. `None`: it is damaged or of a later version. Parameters
    /// of a later version are left out.
    pub(crate) fn decode(bytes: &[u8], wanted: impl Fn(Parameter) -> bool) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let head = Head::decode(&mut cursor)?;
        let (mut columns, mut samples) = (Vec::new(), 0);
        for _ in 0..cursor.count()? {
            let (id, bytes) = (cursor.text()?, cursor.bytes()?);
            let parameter = Parameter::from_id(id).filter(|one| wanted(*one));
            if let Some(parameter) = parameter {
                let column = Column::decode(parameter, bytes)?;
                samples += column.values.len();
                columns.push(column);
            }
        }
        Some(Self { head, columns, samples })
    }

    /// The summaries of a chunk's columns, without reading its samples.
    pub(crate) fn rows(bytes: &[u8]) -> Option<(Head, Vec<(Parameter, Row)>)> {
        let mut cursor = Cursor::new(bytes);
        let head = Head::decode(&mut cursor)?;
        let mut rows = Vec::new();
        for _ in 0..cursor.count()? {
            let (id, bytes) = (cursor.text()?, cursor.bytes()?);
            if let Some(parameter) = Parameter::from_id(id) {
                rows.push((parameter, Row::decode(&mut Cursor::new(bytes))?));
            }
        }
        Some((head, rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn span(first_index: u64, start_ns: u64, interval_ns: u64, count: u64) -> Span {
        Span { first_index, start_ns, interval_ns, count }
    }

    #[test]
    fn a_span_goes_on_with_what_follows_it_and_with_nothing_else() {
        let ms = 1_000_000;
        for (first, next, expected) in [
            (span(0, 0, 10 * ms, 2), span(2, 20 * ms, 10 * ms, 2), Some(span(0, 0, 10 * ms, 4))),
            (span(5, 0, 0, 1), span(6, 1_000 * ms, 0, 1), Some(span(5, 0, 1_000 * ms, 2))),
            (span(5, 0, 1_000 * ms, 2), span(7, 2_001 * ms, 0, 1), Some(span(5, 0, 1_000 * ms, 3))),
            // One is missing; it is too late; another rate; much later; the clock stood.
            (span(0, 0, 10 * ms, 2), span(3, 30 * ms, 10 * ms, 2), None),
            (span(0, 0, 10 * ms, 2), span(2, 21 * ms, 10 * ms, 2), None),
            (span(0, 0, 10 * ms, 2), span(2, 20 * ms, 20 * ms, 2), None),
            (span(0, 0, 0, 1), span(1, 200_000 * ms, 0, 1), None),
            (span(0, 7, 0, 1), span(1, 7, 0, 1), None),
        ] {
            let mut joined = first;
            let is_joined = joined.join(&next);
            assert_eq!(is_joined.then_some(joined), expected, "{first:?} {next:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 1..300)) {
            bytes[0] = VERSION;
            let _any = Chunk::decode(&bytes, |_one| true);
            let _any = Chunk::rows(&bytes);
        }
    }
}
