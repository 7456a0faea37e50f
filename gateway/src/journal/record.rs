//! The records of a pump's journal as bytes, and what is known of a segment without reading it.

use std::collections::BTreeMap;

use ecmo_journal::{Digest, Ranges, Record};

use super::plan::Source;

/// A frame as it came live; the payload is its run, its sequence, and the sealed message.
const LIVE: u8 = 1;
/// A frame from the spool; as above.
const SPOOL: u8 = 2;
/// A birth: its run and the message.
const BIRTH: u8 = 3;
/// Frames that were kept and went because they were the oldest: they are not asked for again.
const FORGOTTEN: u8 = 4;

/// Bytes before a sealed frame.
const FRAME_HEAD: usize = 16;

/// A record that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A frame.
    Frame {
        /// The run.
        boot: u64,
        /// Its number.
        sequence: u64,
        /// Where it came from.
        source: Source,
        /// The sealed message.
        sealed: &'a [u8],
    },
    /// A birth.
    Birth {
        /// The run.
        boot: u64,
        /// The message.
        message: &'a [u8],
    },
    /// Something that is none of a frame's.
    Other,
}

/// A record to be written: its kind and payload.
pub type Written = (u8, Vec<u8>);

fn number(bytes: &[u8], place: usize) -> Option<u64> {
    let bytes = bytes.get(place * 8..place * 8 + 8)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// Reads a record.
#[must_use]
pub fn read<'a>(record: &Record<'a>) -> Entry<'a> {
    let payload = record.payload;
    let frame = |source| {
        Some(Entry::Frame {
            boot: number(payload, 0)?,
            sequence: number(payload, 1)?,
            source,
            sealed: payload.get(FRAME_HEAD..)?,
        })
    };
    let entry = match record.kind {
        LIVE => frame(Source::Live),
        SPOOL => frame(Source::Spool),
        BIRTH => number(payload, 0)
            .zip(payload.get(8..))
            .map(|(boot, message)| Entry::Birth { boot, message }),
        _another => None,
    };
    entry.unwrap_or(Entry::Other)
}

/// Writes a frame into a buffer that is used again; its kind.
pub fn frame(boot: u64, sequence: u64, source: Source, sealed: &[u8], into: &mut Vec<u8>) -> u8 {
    into.clear();
    into.extend(boot.to_le_bytes());
    into.extend(sequence.to_le_bytes());
    into.extend(sealed);
    match source {
        Source::Live => LIVE,
        Source::Spool => SPOOL,
    }
}

/// A birth.
#[must_use]
pub fn birth(boot: u64, message: &[u8]) -> Written {
    (BIRTH, [&boot.to_le_bytes(), message].concat())
}

/// Frames that were kept.
#[must_use]
pub fn forgotten(boots: &BTreeMap<u64, Ranges>) -> Written {
    let mut bytes = Vec::new();
    encode(boots, &mut bytes);
    (FORGOTTEN, bytes)
}

/// What a segment holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contents {
    /// Frames by run.
    pub frames: BTreeMap<u64, Ranges>,
    /// Those of them that came from the spool.
    pub backfilled: BTreeMap<u64, Ranges>,
    /// Frames that were in segments before it.
    pub forgotten: BTreeMap<u64, Ranges>,
    /// Runs whose birth is in it.
    pub births: Vec<u64>,
}

impl Digest for Contents {
    fn add(&mut self, _at: u64, record: &Record<'_>) {
        match read(record) {
            Entry::Frame { boot, sequence, source, .. } => {
                let frame = sequence..sequence.saturating_add(1);
                self.frames.entry(boot).or_default().insert(frame.clone());
                if source == Source::Spool {
                    self.backfilled.entry(boot).or_default().insert(frame);
                }
            }
            Entry::Birth { boot, .. } if !self.births.contains(&boot) => self.births.push(boot),
            Entry::Birth { .. } => {}
            Entry::Other if record.kind == FORGOTTEN => {
                let before = decode(record.payload).map(|(boots, _rest)| boots);
                for (boot, ranges) in before.unwrap_or_default() {
                    self.forgotten.entry(boot).or_default().merge(&ranges);
                }
            }
            Entry::Other => {}
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for boots in [&self.frames, &self.backfilled, &self.forgotten] {
            encode(boots, &mut bytes);
        }
        bytes.extend((self.births.len() as u64).to_le_bytes());
        bytes.extend(self.births.iter().flat_map(|boot| boot.to_le_bytes()));
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (frames, rest) = decode(bytes)?;
        let (backfilled, rest) = decode(rest)?;
        let (forgotten, rest) = decode(rest)?;
        let count = usize::try_from(number(rest, 0)?).ok()?;
        if rest.len() != count.checked_add(1)?.checked_mul(8)? {
            return None;
        }
        let births = (1..=count).filter_map(|place| number(rest, place)).collect();
        Some(Self { frames, backfilled, forgotten, births })
    }
}

/// Numbers of 8 bytes, the least first: how many runs; for each the run, how many ranges, and their begins and ends.
fn encode(boots: &BTreeMap<u64, Ranges>, into: &mut Vec<u8>) {
    let mut put = |number: u64| into.extend(number.to_le_bytes());
    put(boots.len() as u64);
    for (boot, ranges) in boots {
        put(*boot);
        put(ranges.parts() as u64);
        for range in ranges.iter() {
            put(range.start);
            put(range.end);
        }
    }
}

fn decode(bytes: &[u8]) -> Option<(BTreeMap<u64, Ranges>, &[u8])> {
    let mut place = 0;
    let mut next = || {
        place += 1;
        number(bytes, place - 1)
    };
    let mut boots = BTreeMap::new();
    for _ in 0..next()? {
        let (boot, parts) = (next()?, next()?);
        let mut ranges = Ranges::default();
        for _ in 0..parts {
            ranges.insert(next()?..next()?);
        }
        boots.insert(boot, ranges);
    }
    Some((boots, bytes.get(place * 8..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(kind: u8, payload: &[u8]) -> Record<'_> {
        Record { number: 0, stamp_ns: 0, kind, payload }
    }

    #[test]
    fn records_are_read_as_they_were_written_and_counted_in_the_contents() {
        let mut bytes = Vec::new();
        let mut contents = Contents::default();
        for (sequence, source) in [(5, Source::Live), (6, Source::Spool)] {
            let kind = frame(9, sequence, source, b"sealed", &mut bytes);
            let read = read(&record(kind, &bytes));
            assert_eq!(read, Entry::Frame { boot: 9, sequence, source, sealed: b"sealed" });
            contents.add(0, &record(kind, &bytes));
        }
        let (kind, payload) = birth(9, b"birth");
        assert_eq!(read(&record(kind, &payload)), Entry::Birth { boot: 9, message: b"birth" });
        contents.add(0, &record(kind, &payload));
        contents.add(0, &record(kind, &payload));
        let gone = BTreeMap::from([(8, Ranges::from_iter([0..4, 7..9]))]);
        let (kind, payload) = forgotten(&gone);
        contents.add(0, &record(kind, &payload));
        assert_eq!(
            contents.frames,
            BTreeMap::from([(9, Ranges::from_iter(std::iter::once(5..7)))])
        );
        assert_eq!(contents.backfilled[&9].count(), 1);
        assert_eq!(contents.forgotten, gone);
        assert_eq!(contents.births, [9]);
        assert_eq!(Contents::decode(&contents.encode()), Some(contents));
    }

    proptest! {
        #[test]
        fn any_bytes_are_contents_or_none_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _either_is_fine = Contents::decode(&bytes);
            let _either_is_fine = read(&record(1, &bytes));
        }
    }
}
