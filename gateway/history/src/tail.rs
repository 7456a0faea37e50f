//! Frames as they came, on disk at once: what chunks that are still open would lose in a crash.
//!
//! ```text
//! record   version u8 | names of pumps | ids of parameters | frames
//! frame    pump's place, run u64, number, published, wall less agent's clock, late u8 | blocks
//! block    parameter's place, first index, start less published, interval, count | codes | values
//! ```

use core::time::Duration;

use ecmo_core::frame::{BootId, Frame, FrameStamp};
use ecmo_core::parameter::Parameter;
use ecmo_core::time::{Instant, SampleTime};

use crate::bytes::{Cursor, put_bytes, put_number, put_signed};
use crate::value;

/// Version of the bytes.
const VERSION: u8 = 1;

/// Kind of the records.
pub(crate) const FRAMES: u8 = 1;

/// A record that is this long is followed by another one.
const RECORD_BYTES: usize = 256 * 1024;

/// A frame on its way into the history.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// The pump, as "ward/pump".
    pub pump: &'a str,
    /// The frame.
    pub frame: &'a Frame,
    /// The gateway's wall time less the agent's monotonic time, in nanoseconds.
    pub offset_ns: i64,
    /// Whether it came from the agent's spool.
    pub is_late: bool,
}

/// Puts names into a table, each once.
#[derive(Default)]
struct Names<'a>(Vec<&'a str>);

impl<'a> Names<'a> {
    fn place(&mut self, name: &'a str) -> u64 {
        let known = self.0.iter().position(|one| *one == name);
        known.unwrap_or_else(|| {
            self.0.push(name);
            self.0.len() - 1
        }) as u64
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_number(out, self.0.len() as u64);
        self.0.iter().for_each(|name| put_bytes(out, name.as_bytes()));
    }

    fn decode(cursor: &mut Cursor<'a>) -> Option<Self> {
        let count = cursor.count()?;
        (0..count).map(|_| cursor.text()).collect::<Option<_>>().map(Self)
    }

    fn at(&self, place: u64) -> Option<&'a str> {
        self.0.get(usize::try_from(place).ok()?).copied()
    }
}

/// Frames as payloads of records: one, or some if they are many.
pub(crate) fn encode(frames: &[Incoming<'_>]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    let (mut pumps, mut ids) = (Names::default(), Names::default());
    let (mut bytes, mut count) = (Vec::new(), 0);
    for one in frames {
        encode_frame(one, &mut pumps, &mut ids, &mut bytes);
        count += 1;
        if bytes.len() >= RECORD_BYTES {
            records.push(record(&pumps, &ids, count, &bytes));
            (pumps, ids) = (Names::default(), Names::default());
            count = 0;
            bytes.clear();
        }
    }
    if count > 0 {
        records.push(record(&pumps, &ids, count, &bytes));
    }
    records
}

fn record(pumps: &Names<'_>, ids: &Names<'_>, count: u64, frames: &[u8]) -> Vec<u8> {
    let mut out = vec![VERSION];
    pumps.encode(&mut out);
    ids.encode(&mut out);
    put_number(&mut out, count);
    out.extend_from_slice(frames);
    out
}

fn encode_frame<'a>(
    one: &Incoming<'a>,
    pumps: &mut Names<'a>,
    ids: &mut Names<'a>,
    out: &mut Vec<u8>,
) {
    let frame = one.frame;
    let published = frame.stamp.published.as_nanos();
    put_number(out, pumps.place(one.pump));
    out.extend(frame.boot.get().to_le_bytes());
    put_number(out, frame.sequence);
    put_number(out, published);
    put_signed(out, one.offset_ns);
    out.push(u8::from(one.is_late));
    put_number(out, frame.blocks().count() as u64);
    let (mut values, mut codes) = (Vec::new(), Vec::new());
    for (block, readings) in frame.blocks() {
        put_number(out, ids.place(block.parameter.info().id));
        put_number(out, block.first_index);
        put_signed(out, block.start.as_nanos().wrapping_sub(published).cast_signed());
        put_number(out, u64::try_from(block.interval.as_nanos()).unwrap_or(u64::MAX));
        put_number(out, readings.len() as u64);
        values.clear();
        codes.clear();
        values.extend(readings.iter().map(|reading| reading.value().unwrap_or_default()));
        codes.extend(readings.iter().map(|reading| value::code_of(*reading)));
        value::encode_codes(&codes, out);
        value::encode(&values, out);
    }
}

/// A frame that was read back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kept<'a> {
    pub(crate) pump: &'a str,
    pub(crate) frame: Frame,
    pub(crate) offset_ns: i64,
    pub(crate) is_late: bool,
}

/// Reads the frames of a record; `None`: it is of a later version.
pub(crate) fn decode(bytes: &[u8]) -> Option<Vec<Kept<'_>>> {
    let mut cursor = Cursor::new(bytes);
    if cursor.byte()? != VERSION {
        return None;
    }
    let (pumps, ids) = (Names::decode(&mut cursor)?, Names::decode(&mut cursor)?);
    let count = cursor.count()?;
    (0..count).map(|_| decode_frame(&mut cursor, &pumps, &ids)).collect()
}

fn decode_frame<'a>(
    cursor: &mut Cursor<'a>,
    pumps: &Names<'a>,
    ids: &Names<'a>,
) -> Option<Kept<'a>> {
    let pump = pumps.at(cursor.number()?)?;
    let boot = BootId::new(cursor.fixed()?)?;
    let (sequence, published) = (cursor.number()?, cursor.number()?);
    let (offset_ns, is_late) = (cursor.signed()?, cursor.byte()? != 0);
    let stamp = FrameStamp {
        published: SampleTime::from_nanos(published),
        published_wall_ns: 0,
        received: Instant::from_nanos(0),
    };
    let mut frame = Frame::new(boot, sequence, stamp);
    for _ in 0..cursor.count()? {
        let id = ids.at(cursor.number()?)?;
        let first_index = cursor.number()?;
        let start = published.wrapping_add(cursor.signed()?.cast_unsigned());
        let interval = Duration::from_nanos(cursor.number()?);
        let count = usize::try_from(cursor.number()?).ok()?;
        let codes = value::decode_codes(cursor, count)?;
        let values = value::decode(cursor, count)?;
        let readings: Option<Vec<_>> = codes
            .iter()
            .zip(&values)
            .map(|(code, value)| value::reading_of(*code, *value))
            .collect();
        // A parameter or a reason of a later version is left out.
        if let (Some(parameter), Some(readings)) = (Parameter::from_id(id), readings) {
            let start = SampleTime::from_nanos(start);
            frame.push(parameter, first_index, start, interval, readings);
        }
    }
    Some(Kept { pump, frame, offset_ns, is_late })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_core::reading::{NoData, Reading};
    use proptest::prelude::*;

    fn frame(run: u64, sequence: u64, readings: &[Reading]) -> Frame {
        let stamp = FrameStamp {
            published: SampleTime::from_nanos(sequence * 20_000_000),
            published_wall_ns: 0,
            received: Instant::from_nanos(0),
        };
        let mut frame = Frame::new(BootId::new(run).unwrap(), sequence, stamp);
        let start = SampleTime::from_nanos(sequence * 20_000_000 + 7);
        let interval = Duration::from_millis(10);
        for parameter in [Parameter::PressDrain, Parameter::SatPost] {
            frame.push(parameter, sequence * 2, start, interval, readings.iter().copied());
        }
        frame
    }

    fn reading() -> impl Strategy<Value = Reading> {
        prop_oneof![
            6 => (-2_000_i16..2_000).prop_map(|tenths| Reading::Value(f32::from(tenths) * 0.1)),
            1 => any::<f32>().prop_filter("finite", |one| one.is_finite()).prop_map(Reading::Questionable),
            1 => (0..NoData::WORDS.len()).prop_map(|one| Reading::NoData(NoData::WORDS[one].1)),
        ]
    }

    proptest! {
        #[test]
        fn frames_come_back_as_they_were(
            frames in proptest::collection::vec(
                (1_u64.., 0_u64..1 << 34, proptest::collection::vec(reading(), 1..5), any::<i64>(), any::<bool>()),
                1..20,
            ),
        ) {
            let made: Vec<Frame> =
                frames.iter().map(|(run, number, readings, ..)| frame(*run, *number, readings)).collect();
            let incoming: Vec<Incoming<'_>> = frames
                .iter()
                .zip(&made)
                .map(|((.., offset_ns, is_late), frame)| {
                    let pump = if *is_late { "nicu/late" } else { "nicu/live" };
                    Incoming { pump, frame, offset_ns: *offset_ns, is_late: *is_late }
                })
                .collect();
            let records = encode(&incoming);
            let back: Vec<Kept<'_>> = records.iter().flat_map(|one| decode(one).unwrap()).collect();
            prop_assert_eq!(back.len(), incoming.len());
            for (kept, one) in back.iter().zip(&incoming) {
                prop_assert_eq!((kept.pump, kept.offset_ns, kept.is_late), (one.pump, one.offset_ns, one.is_late));
                prop_assert_eq!(&kept.frame, one.frame);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 1..200)) {
            bytes[0] = VERSION;
            let _any = decode(&bytes);
        }
    }
}
