//! The bytes of a segment: its header, its records, its footer.
//!
//! All numbers are little endian.
//!
//! ```text
//! segment  header, header again, records, and when it is finished: footer record, trailer
//! header   "ECMOJRNL" | version u32 | seed u32 | id u64 | zero u64 | crc32c of these u32 | zero u32
//! record   magic u32 | payload length u32 | number u64 | stamp u64 | kind u8, zero x 3 | crc32c of these u32
//!          | payload | crc32c of the header and the payload u32
//! trailer  "ECMOJEND" | place of the footer record u64 | crc32c of these u32
//! ```
//!
//! The check sums of records and trailer go on from the segment's seed.

/// Version of the format.
const VERSION: u32 = 1;

const SEGMENT_MAGIC: [u8; 8] = *b"ECMOJRNL";
const TRAILER_MAGIC: [u8; 8] = *b"ECMOJEND";

/// First bytes of a record. Not text, so that they are rare in payloads; a payload that has them is no record all the same.
pub(crate) const RECORD_MAGIC: [u8; 4] = [0xec, 0x90, 0x1e, 0xd5];

/// Bytes of one copy of the segment's header.
const HEADER_BYTES: usize = 40;

/// Bytes before the first record: the header is there twice, because without its seed no record can be read.
pub(crate) const RECORDS_AT: usize = 2 * HEADER_BYTES;

/// Bytes of a record before its payload.
pub(crate) const RECORD_HEADER_BYTES: usize = 32;

/// Bytes of a record beside its payload.
pub const RECORD_OVERHEAD: usize = RECORD_HEADER_BYTES + 4;

/// Bytes of the trailer.
pub(crate) const TRAILER_BYTES: usize = 20;

/// Longest payload, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;

/// Greatest kind that a caller may use.
pub const KIND_MAX: u8 = 254;

/// Kind of the footer.
pub(crate) const FOOTER_KIND: u8 = 255;

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Number in the log, from 0, without holes.
    pub number: u64,
    /// Age base: nanoseconds for which the log was open before this record, over all runs.
    pub stamp_ns: u64,
    /// What the payload is, in the caller's words; 0 to [`KIND_MAX`].
    pub kind: u8,
    /// The caller's bytes.
    pub payload: &'a [u8],
}

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) id: u64,
    pub(crate) seed: u32,
}

impl SegmentHeader {
    /// Both copies.
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(RECORDS_AT);
        bytes.extend(SEGMENT_MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(self.seed.to_le_bytes());
        bytes.extend(self.id.to_le_bytes());
        bytes.extend(0u64.to_le_bytes());
        let sum = crc32c::crc32c(&bytes);
        bytes.extend(sum.to_le_bytes());
        bytes.extend(0u32.to_le_bytes());
        bytes.extend_from_within(..);
        bytes
    }

    /// From either copy.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.chunks_exact(HEADER_BYTES).take(2).find_map(Self::decode_copy)
    }

    /// The version that a whole header of another version names.
    pub(crate) fn foreign_version(bytes: &[u8]) -> Option<u32> {
        bytes.chunks_exact(HEADER_BYTES).take(2).find_map(|copy| {
            let covered = copy.get(..32)?;
            let is_whole =
                covered.starts_with(&SEGMENT_MAGIC) && u32_at(copy, 32)? == crc32c::crc32c(covered);
            u32_at(copy, 8).filter(|version| is_whole && *version != VERSION)
        })
    }

    fn decode_copy(copy: &[u8]) -> Option<Self> {
        let covered = copy.get(..32)?;
        let is_right = covered.starts_with(&SEGMENT_MAGIC)
            && u32_at(copy, 8)? == VERSION
            && u32_at(copy, 32)? == crc32c::crc32c(covered);
        if !is_right {
            return None;
        }
        Some(Self { id: u64_at(copy, 16)?, seed: u32_at(copy, 12)? })
    }
}

/// What a record's header says; only made when its check sum is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) number: u64,
    pub(crate) stamp_ns: u64,
    pub(crate) kind: u8,
    pub(crate) payload_bytes: usize,
}

impl RecordHeader {
    pub(crate) fn decode(bytes: &[u8], seed: u32) -> Option<Self> {
        let covered = bytes.get(..28)?;
        let is_right = covered.starts_with(&RECORD_MAGIC)
            && u32_at(bytes, 28)? == crc32c::crc32c_append(seed, covered);
        let payload_bytes = usize::try_from(u32_at(bytes, 4)?).ok()?;
        if !is_right || payload_bytes > PAYLOAD_BYTES_MAX {
            return None;
        }
        let (number, stamp_ns) = (u64_at(bytes, 8)?, u64_at(bytes, 16)?);
        Some(Self { number, stamp_ns, kind: *bytes.get(24)?, payload_bytes })
    }

    /// Bytes of the whole record.
    pub(crate) const fn record_bytes(&self) -> usize {
        self.payload_bytes + RECORD_OVERHEAD
    }

    /// The payload of a whole record, if its check sum is right.
    pub(crate) fn payload<'a>(&self, record: &'a [u8], seed: u32) -> Option<&'a [u8]> {
        let (covered, sum) = record.split_at_checked(RECORD_HEADER_BYTES + self.payload_bytes)?;
        if u32_at(sum, 0)? != crc32c::crc32c_append(seed, covered) {
            return None;
        }
        covered.get(RECORD_HEADER_BYTES..)
    }
}

/// Adds a record to `out`. The payload is at most [`PAYLOAD_BYTES_MAX`] long.
pub(crate) fn encode_record(record: Record<'_>, seed: u32, out: &mut Vec<u8>) {
    let start = out.len();
    let length = u32::try_from(record.payload.len()).expect("a payload is at most 1 MiB");
    out.extend(RECORD_MAGIC);
    out.extend(length.to_le_bytes());
    out.extend(record.number.to_le_bytes());
    out.extend(record.stamp_ns.to_le_bytes());
    out.extend([record.kind, 0, 0, 0]);
    let sum = crc32c::crc32c_append(seed, out.get(start..).unwrap_or_default());
    out.extend(sum.to_le_bytes());
    out.extend_from_slice(record.payload);
    let sum = crc32c::crc32c_append(seed, out.get(start..).unwrap_or_default());
    out.extend(sum.to_le_bytes());
}

/// Adds the trailer that says where the footer is.
pub(crate) fn encode_trailer(footer_at: u64, seed: u32, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend(TRAILER_MAGIC);
    out.extend(footer_at.to_le_bytes());
    let sum = crc32c::crc32c_append(seed, out.get(start..).unwrap_or_default());
    out.extend(sum.to_le_bytes());
}

/// Where the footer is, by the last bytes of a segment.
pub(crate) fn decode_trailer(bytes: &[u8], seed: u32) -> Option<u64> {
    let covered = bytes.get(..16)?;
    let is_right = covered.starts_with(&TRAILER_MAGIC)
        && u32_at(bytes, 16)? == crc32c::crc32c_append(seed, covered);
    if is_right { u64_at(bytes, 8) } else { None }
}

/// The number at a place.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// The number at a place.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_le_bytes)
}
