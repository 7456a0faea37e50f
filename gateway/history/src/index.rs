//! What is known of a segment without reading it: where its chunks, summaries and gaps are, and which frames it holds.

use std::collections::BTreeMap;

use ecmo_journal::{Digest, Ranges, Record};

use crate::bytes::{Cursor, put_number, put_signed};
use crate::chunk::{Head, put_ranges, ranges};
use crate::gap::Gap;
use crate::summary::Summary;

/// Version of the encoded index; another one is not read, and the segment is scanned instead.
const VERSION: u8 = 1;

/// Kinds of records.
pub(crate) const CHUNK: u8 = 1;
pub(crate) const SUMMARY: u8 = 2;
pub(crate) const GAP: u8 = 3;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Chunk,
    Summary,
    Gap,
}

/// A record and the time that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    pub(crate) at: u64,
    pub(crate) from_ns: i64,
    pub(crate) to_ns: i64,
}

impl Entry {
    pub(crate) const fn overlaps(&self, from_ns: i64, to_ns: i64) -> bool {
        self.from_ns < to_ns && self.to_ns >= from_ns
    }
}

/// The index of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Index {
    /// In the order of the log.
    pub(crate) entries: Vec<Entry>,
    /// Frames by run.
    pub(crate) frames: BTreeMap<u64, Ranges>,
    /// Records that this version cannot read.
    pub(crate) foreign: u64,
}

impl Digest for Index {
    fn add(&mut self, at: u64, record: &Record<'_>) {
        let read = match record.kind {
            CHUNK => Head::decode(&mut Cursor::new(record.payload)).map(|head| {
                self.frames.entry(head.boot).or_default().merge(&head.frames);
                (Kind::Chunk, head.from_ns, head.to_ns)
            }),
            SUMMARY => Summary::span(record.payload).map(|(from, to)| (Kind::Summary, from, to)),
            GAP => Gap::decode(record.payload).map(|gap| (Kind::Gap, gap.from_ns, gap.to_ns)),
            _later => None,
        };
        match read {
            Some((kind, from_ns, to_ns)) => {
                self.entries.push(Entry { kind, at, from_ns, to_ns });
            }
            None => self.foreign += 1,
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        put_number(&mut out, self.foreign);
        put_number(&mut out, self.frames.len() as u64);
        for (boot, frames) in &self.frames {
            out.extend(boot.to_le_bytes());
            put_ranges(&mut out, frames);
        }
        put_number(&mut out, self.entries.len() as u64);
        let (mut at, mut from_ns) = (0, 0);
        for entry in &self.entries {
            out.push(match entry.kind {
                Kind::Chunk => CHUNK,
                Kind::Summary => SUMMARY,
                Kind::Gap => GAP,
            });
            put_number(&mut out, entry.at - at);
            put_signed(&mut out, entry.from_ns.wrapping_sub(from_ns));
            put_signed(&mut out, entry.to_ns.wrapping_sub(entry.from_ns));
            (at, from_ns) = (entry.at, entry.from_ns);
        }
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        if cursor.byte()? != VERSION {
            return None;
        }
        let mut index = Self { foreign: cursor.number()?, ..Self::default() };
        for _ in 0..cursor.count()? {
            index.frames.insert(cursor.fixed()?, ranges(&mut cursor)?);
        }
        let (mut at, mut from_ns) = (0_u64, 0_i64);
        for _ in 0..cursor.count()? {
            let kind = match cursor.byte()? {
                CHUNK => Kind::Chunk,
                SUMMARY => Kind::Summary,
                GAP => Kind::Gap,
                _later => return None,
            };
            at = at.checked_add(cursor.number()?)?;
            from_ns = from_ns.wrapping_add(cursor.signed()?);
            let to_ns = from_ns.wrapping_add(cursor.signed()?);
            index.entries.push(Entry { kind, at, from_ns, to_ns });
        }
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_comes_back() {
        let entry = |kind, at, from_ns, to_ns| Entry { kind, at, from_ns, to_ns };
        let index = Index {
            entries: vec![
                entry(Kind::Chunk, 80, 1_000, 2_000),
                entry(Kind::Gap, 900, -5, i64::MAX),
                entry(Kind::Summary, 950, i64::MIN, 0),
            ],
            frames: BTreeMap::from([(u64::MAX, [3..9, 12..13].into_iter().collect())]),
            foreign: 4,
        };
        let bytes = index.encode();
        assert_eq!(Index::decode(&bytes), Some(index));
        for cut in 0..bytes.len() {
            assert_eq!(Index::decode(&bytes[..cut]), None, "{cut}");
        }
    }
}
