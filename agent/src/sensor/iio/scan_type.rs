//! How the kernel packs an input into a buffer: `le:s24/32>>8`, and where it stands in a scan. Pure.

use core::str::FromStr;

/// The format of one input, or of the time stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanType {
    is_big_endian: bool,
    is_signed: bool,
    /// Bits of the number.
    bits: u32,
    /// Bytes that it takes.
    bytes: usize,
    /// Bits below it.
    shift: u32,
}

/// A format that this program does not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no format of a buffer such as le:s24/32>>8")]
pub struct WrongScanType(String);

impl FromStr for ScanType {
    type Err = WrongScanType;

    fn from_str(text: &str) -> Result<Self, WrongScanType> {
        read(text.trim()).ok_or_else(|| WrongScanType(text.chars().take(64).collect()))
    }
}

fn read(text: &str) -> Option<ScanType> {
    let (endian, rest) = text.split_once(':')?;
    let is_big_endian = match endian {
        "be" => true,
        "le" => false,
        _ => return None,
    };
    let is_signed = match rest.get(..1)? {
        "s" => true,
        "u" => false,
        _ => return None,
    };
    let (bits, rest) = rest.get(1..)?.split_once('/')?;
    // A repeated element ("16X2") is a vector, and no single measurement.
    let (storage, shift) = rest.split_once(">>").unwrap_or((rest, "0"));
    let (bits, storage, shift) =
        (bits.parse::<u32>().ok()?, storage.parse::<u32>().ok()?, shift.parse::<u32>().ok()?);
    let is_size = matches!(storage, 8 | 16 | 32 | 64);
    let fits = bits > 0 && bits.checked_add(shift).is_some_and(|used| used <= storage);
    let bytes = usize::try_from(storage / 8).ok()?;
    (is_size && fits).then_some(ScanType { is_big_endian, is_signed, bits, bytes, shift })
}

impl ScanType {
    /// Bytes that it takes; 1, 2, 4 or 8.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number in bytes; `None` when they are not as many as it takes.
    #[must_use]
    pub fn number(&self, bytes: &[u8]) -> Option<i64> {
        if bytes.len() != self.bytes {
            return None;
        }
        let join = |word: u64, byte: &u8| word << 8 | u64::from(*byte);
        let word = if self.is_big_endian {
            bytes.iter().fold(0, join)
        } else {
            bytes.iter().rev().fold(0, join)
        };
        let unused = 64 - self.bits;
        let moved = word >> self.shift << unused;
        // An unsigned number of 64 bits has no place in an i64: it is cut to the greatest one.
        Some(if self.is_signed {
            moved.cast_signed() >> unused
        } else {
            i64::try_from(moved >> unused).unwrap_or(i64::MAX)
        })
    }
}

/// Where each input stands in a scan: each on a multiple of its own size, in the order of the kernel's indices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Offset in bytes of each, in the order given.
    pub offsets: Vec<usize>,
    /// Bytes of a whole scan.
    pub bytes: usize,
}

impl Layout {
    /// The layout of inputs, each with its index.
    #[must_use]
    pub fn new(inputs: &[(u32, ScanType)]) -> Self {
        let mut order: Vec<usize> = (0..inputs.len()).collect();
        order.sort_by_key(|number| inputs.get(*number).map(|(index, _)| *index));
        let mut offsets = vec![0; inputs.len()];
        let (mut end, mut widest) = (0_usize, 1);
        for number in order {
            let Some((_, scan_type)) = inputs.get(number) else { continue };
            let begin = end.next_multiple_of(scan_type.bytes);
            if let Some(offset) = offsets.get_mut(number) {
                *offset = begin;
            }
            end = begin + scan_type.bytes;
            widest = widest.max(scan_type.bytes);
        }
        Self { offsets, bytes: end.next_multiple_of(widest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formats_of_the_kernel_are_read_and_others_refused() {
        for (text, bytes, expected) in [
            ("le:s24/32>>8", vec![0xff, 0x00, 0x00, 0x80], -8_388_608),
            ("le:s24/32>>8\n", vec![0x12, 0xff, 0xff, 0xff], -1),
            ("be:u12/16>>4", vec![0xab, 0xc0], 0xabc),
            ("be:s16/16", vec![0xff, 0xd3], -45),
            ("le:u8/8", vec![200], 200),
            ("le:s64/64>>0", vec![1, 0, 0, 0, 0, 0, 0, 0x80], i64::MIN + 1),
            ("le:u64/64", vec![0xff; 8], i64::MAX),
        ] {
            let scan_type: ScanType = text.parse().unwrap();
            assert_eq!(scan_type.number(&bytes), Some(expected), "{text}");
            assert_eq!(scan_type.number(&bytes[1..]), None);
        }
        for wrong in [
            "",
            "le",
            "le:",
            "xe:s8/8",
            "le:f32/32",
            "le:s24/24",
            "le:s16/16>>1",
            "le:s0/8",
            "le:s16/16X2",
            "le:s8/8>>-1",
        ] {
            assert!(wrong.parse::<ScanType>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn inputs_stand_on_multiples_of_their_size_in_the_order_of_the_index() {
        let of = |text: &str| text.parse::<ScanType>().unwrap();
        let layout =
            Layout::new(&[(9, of("le:s64/64")), (0, of("le:s16/16")), (1, of("le:s24/32>>8"))]);
        assert_eq!(layout, Layout { offsets: vec![8, 0, 4], bytes: 16 });
        let layout = Layout::new(&[(0, of("le:s32/32")), (1, of("le:u8/8"))]);
        assert_eq!(layout, Layout { offsets: vec![0, 4], bytes: 8 });
    }

    proptest! {
        #[test]
        fn a_number_is_found_again_whatever_its_packing(
            value in any::<i64>(), signed in any::<bool>(), big in any::<bool>(), size in 0usize..4, bits in 0u32..64, shift in 0u32..64,
        ) {
            let storage: u32 = [8, 16, 32, 64][size];
            // An unsigned number of 64 bits has no place in an i64.
            let bits = 1 + bits % if signed { storage } else { storage.min(63) };
            let shift = shift % (storage - bits + 1);
            let unused = 64 - bits;
            let cut = value << unused >> unused;
            let number = if signed { cut } else { (cut.cast_unsigned() << unused >> unused).cast_signed() };
            let packed = (number.cast_unsigned() << unused >> unused) << shift;
            let count = usize::try_from(storage / 8).unwrap();
            let mut bytes = packed.to_le_bytes()[..count].to_vec();
            if big { bytes.reverse(); }
            let text = format!("{}:{}{bits}/{storage}>>{shift}", if big { "be" } else { "le" }, if signed { "s" } else { "u" });
            prop_assert_eq!(text.parse::<ScanType>().unwrap().number(&bytes), Some(number));
        }

        #[test]
        fn no_text_panics(text in ".{0,30}") {
            let _read = text.parse::<ScanType>().is_ok();
        }
    }
}
