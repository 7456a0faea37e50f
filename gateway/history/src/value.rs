//! Values of one parameter as bytes: exact to the last bit, and small where they are multiples of a decimal step.

use ecmo_core::reading::{NoData, Reading};
use pco::standalone::{simple_compress, simple_decompress_into};
use pco::{ChunkConfig, DEFAULT_COMPRESSION_LEVEL};

use crate::bytes::{Cursor, put_bytes, put_number, put_signed};

/// Most samples of one parameter in one block; what says more is damaged.
pub(crate) const SAMPLES_MAX: usize = 1 << 20;

/// Up to so many values plain differences are shorter than a compressed block.
const PLAIN_MAX: usize = 48;

/// Steps that instruments count in. Their places are part of the format: new ones go to the end.
const STEPS: [f64; 10] = [1.0, 0.1, 0.01, 0.001, 0.5, 0.25, 0.05, 0.02, 0.000_1, 0.000_01];

/// How the numbers of a block are written.
const SAME: u8 = 0;
const DIFFERENCES: u8 = 1;
const COMPRESSED: u8 = 2;

/// Stands for no step: the bits of the value itself are written.
const NO_STEP: u8 = 255;

/// What a reading is, as one byte on disk: a value, a doubted value, or the reason for none. Codes are never given twice.
pub(crate) const fn code_of(reading: Reading) -> u8 {
    match reading {
        Reading::Value(_) => 0,
        Reading::Questionable(_) => 1,
        Reading::NoData(reason) => match reason {
            NoData::BelowRange => 2,
            NoData::AboveRange => 3,
            NoData::NotMeasured => 4,
            NoData::SensorOff => 5,
            NoData::SensorFault => 6,
            NoData::Calibrating => 7,
            NoData::Stale => 8,
            NoData::Simulated => 9,
            NoData::CommLost => 10,
        },
    }
}

/// The reason of a code; `None` for values and for codes of a later version.
pub(crate) const fn reason_of(code: u8) -> Option<NoData> {
    Some(match code {
        2 => NoData::BelowRange,
        3 => NoData::AboveRange,
        4 => NoData::NotMeasured,
        5 => NoData::SensorOff,
        6 => NoData::SensorFault,
        7 => NoData::Calibrating,
        8 => NoData::Stale,
        9 => NoData::Simulated,
        10 => NoData::CommLost,
        _later => return None,
    })
}

/// The reading of a code and a value; `None`: a code of a later version.
pub(crate) fn reading_of(code: u8, value: f32) -> Option<Reading> {
    match code {
        0 => Some(Reading::Value(value)),
        1 => Some(Reading::Questionable(value)),
        other => reason_of(other).map(Reading::NoData),
    }
}

/// How often a step goes into a value, if the value is exactly that.
pub(crate) fn multiple(value: f32, step: f64) -> Option<i32> {
    let times = (f64::from(value) / step).round();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be within range, and to lead back"
    )]
    let (whole, back) = (times as i32, (times * step) as f32);
    let is_exact = times.abs() <= f64::from(i32::MAX) && back.to_bits() == value.to_bits();
    is_exact.then_some(whole)
}

/// The value of a multiple.
pub(crate) fn value_of(times: i32, step: f64) -> f32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the same that was checked when it was written"
    )]
    let value = (f64::from(times) * step) as f32;
    value
}

/// The step of which all values are multiples, with its code and the multiples.
pub(crate) fn steps_of(values: &[f32]) -> Option<(u8, Vec<i32>)> {
    (0_u8..).zip(STEPS).find_map(|(code, step)| {
        let times: Option<Vec<i32>> = values.iter().map(|value| multiple(*value, step)).collect();
        times.map(|times| (code, times))
    })
}

/// The step of a code.
pub(crate) fn step(code: u8) -> Option<f64> {
    STEPS.get(usize::from(code)).copied()
}

/// Writes values. Their number is not written.
pub(crate) fn encode(values: &[f32], out: &mut Vec<u8>) {
    let (code, times) = steps_of(values).unwrap_or_else(|| {
        (NO_STEP, values.iter().map(|value| value.to_bits().cast_signed()).collect())
    });
    out.push(code);
    let first = times.first().copied().unwrap_or_default();
    if times.iter().all(|one| *one == first) {
        out.push(SAME);
        put_signed(out, i64::from(first));
        return;
    }
    let config = ChunkConfig::default().with_compression_level(DEFAULT_COMPRESSION_LEVEL);
    let compressed = if times.len() <= PLAIN_MAX {
        None
    } else if code == NO_STEP {
        simple_compress(values, &config).ok()
    } else {
        simple_compress(&times, &config).ok()
    };
    if let Some(compressed) = compressed {
        out.push(COMPRESSED);
        put_bytes(out, &compressed);
        return;
    }
    out.push(DIFFERENCES);
    let mut before = 0;
    for one in times {
        put_signed(out, i64::from(one) - before);
        before = i64::from(one);
    }
}

/// Reads this many values.
pub(crate) fn decode(cursor: &mut Cursor<'_>, count: usize) -> Option<Vec<f32>> {
    if count > SAMPLES_MAX {
        return None;
    }
    let code = cursor.byte()?;
    let of = |times: i32| match step(code) {
        Some(step) => Some(value_of(times, step)),
        None if code == NO_STEP => Some(f32::from_bits(times.cast_unsigned())),
        None => None,
    };
    match cursor.byte()? {
        SAME => {
            let value = of(i32::try_from(cursor.signed()?).ok()?)?;
            Some(vec![value; count])
        }
        DIFFERENCES => {
            let mut before = 0_i64;
            let mut values = Vec::with_capacity(count);
            for _ in 0..count {
                before = before.checked_add(cursor.signed()?)?;
                values.push(of(i32::try_from(before).ok()?)?);
            }
            Some(values)
        }
        COMPRESSED if code == NO_STEP => decompressed(cursor.bytes()?, count),
        COMPRESSED => {
            let times: Vec<i32> = decompressed(cursor.bytes()?, count)?;
            let step = step(code)?;
            Some(times.into_iter().map(|times| value_of(times, step)).collect())
        }
        _later => None,
    }
}

fn decompressed<T: pco::data_types::Number + Default>(
    bytes: &[u8],
    count: usize,
) -> Option<Vec<T>> {
    let mut values = vec![T::default(); count];
    let progress = simple_decompress_into(bytes, &mut values).ok()?;
    (progress.n_processed == count && progress.finished).then_some(values)
}

/// Writes equal neighbours as one.
pub(crate) fn encode_codes(codes: &[u8], out: &mut Vec<u8>) {
    let runs: Vec<&[u8]> = codes.chunk_by(|one, next| one == next).collect();
    if let [only] = runs.as_slice()
        && only.first() == Some(&0)
    {
        put_number(out, 0);
        return;
    }
    put_number(out, runs.len() as u64);
    for run in runs {
        out.push(run.first().copied().unwrap_or_default());
        put_number(out, run.len() as u64);
    }
}

/// Reads this many codes.
pub(crate) fn decode_codes(cursor: &mut Cursor<'_>, count: usize) -> Option<Vec<u8>> {
    if count > SAMPLES_MAX {
        return None;
    }
    let runs = cursor.count()?;
    if runs == 0 {
        return Some(vec![0; count]);
    }
    let mut codes = Vec::with_capacity(count);
    for _ in 0..runs {
        let code = cursor.byte()?;
        let end = codes.len().checked_add(usize::try_from(cursor.number()?).ok()?)?;
        if end > count {
            return None;
        }
        codes.resize(end, code);
    }
    (codes.len() == count).then_some(codes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round(values: &[f32]) -> Vec<u32> {
        let mut out = Vec::new();
        encode(values, &mut out);
        let mut cursor = Cursor::new(&out);
        let back = decode(&mut cursor, values.len()).unwrap();
        assert!(cursor.is_empty());
        back.into_iter().map(f32::to_bits).collect()
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    proptest! {
        #[test]
        fn every_bit_of_every_value_comes_back(patterns in proptest::collection::vec(any::<u32>(), 0..200)) {
            let values: Vec<f32> = patterns.into_iter().map(f32::from_bits).collect();
            prop_assert_eq!(round(&values), bits(&values));
        }

        #[test]
        fn counts_of_an_instrument_come_back(
            counts in proptest::collection::vec(-20_000_i32..20_000, 0..2_000),
            step in 0_usize..STEPS.len(),
        ) {
            let values: Vec<f32> = counts.iter().map(|one| value_of(*one, STEPS[step])).collect();
            prop_assert_eq!(round(&values), bits(&values));
        }

        #[test]
        fn codes_come_back(codes in proptest::collection::vec(0_u8..11, 0..300)) {
            let mut out = Vec::new();
            encode_codes(&codes, &mut out);
            prop_assert_eq!(decode_codes(&mut Cursor::new(&out), codes.len()), Some(codes));
        }

        #[test]
        fn a_damaged_block_does_not_make_it_panic(
            seed in any::<u64>(),
            flips in proptest::collection::vec((any::<usize>(), 1_u8..=255), 1..6),
        ) {
            let mut random = fastrand::Rng::with_seed(seed);
            let values: Vec<f32> = (0..300).map(|_| value_of(random.i32(-900..900), 0.1)).collect();
            let mut out = Vec::new();
            encode(&values, &mut out);
            for (at, bits) in flips {
                let at = at % out.len();
                out[at] ^= bits;
            }
            let _any = decode(&mut Cursor::new(&out), values.len());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), count in 0_usize..4_000) {
            let _any = decode(&mut Cursor::new(&bytes), count);
            let _any = decode_codes(&mut Cursor::new(&bytes), count);
        }
    }

    #[test]
    fn a_code_leads_back_to_its_reading() {
        for (_word, reason) in NoData::WORDS {
            let reading = Reading::NoData(reason);
            assert_eq!(reading_of(code_of(reading), 0.0), Some(reading));
        }
        assert_eq!(reading_of(0, 1.5), Some(Reading::Value(1.5)));
        assert_eq!(reading_of(1, 1.5), Some(Reading::Questionable(1.5)));
        assert_eq!(reading_of(11, 1.5), None);
    }

    #[test]
    fn a_pressure_in_tenths_takes_less_than_a_byte_a_sample() {
        let mut random = fastrand::Rng::with_seed(7);
        let wave: Vec<f32> = (0_u16..1_000)
            .map(|at| {
                let pulse = (f32::from(at) * 0.145).sin() * 120.0 + random.f32() * 3.0;
                value_of(multiple(pulse.round(), 1.0).unwrap(), 0.1)
            })
            .collect();
        let mut out = Vec::new();
        encode(&wave, &mut out);
        assert!(out.len() < 1_000, "{} bytes", out.len());
    }
}
