//! What stands in the spool's records: births and frames, each with its boot.

use bytes::{BufMut, Bytes};
use ecmo_proto::sealed::FrameBody;

/// Kinds of records.
pub(super) const BIRTH: u8 = 1;
pub(super) const FRAME: u8 = 2;

/// One record, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    Birth { boot_id: u64, boot_number: u64, birth: &'a [u8] },
    Frame { boot_id: u64, sequence: u64, wall_ns: i64, body: &'a [u8] },
}

impl<'a> Entry<'a> {
    /// Reads a record; `None` for one of a kind or length that this program does not write.
    pub(super) fn read(kind: u8, payload: &'a [u8]) -> Option<Self> {
        let (boot_id, rest) = take(payload)?;
        let (number, rest) = take(rest)?;
        match kind {
            BIRTH => Some(Self::Birth { boot_id, boot_number: number, birth: rest }),
            FRAME => {
                let (wall, body) = take(rest)?;
                let wall_ns = wall.cast_signed();
                Some(Self::Frame { boot_id, sequence: number, wall_ns, body })
            }
            _ => None,
        }
    }

    /// The kind, and the payload in `out`.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> u8 {
        out.clear();
        match *self {
            Self::Birth { boot_id, boot_number, birth } => {
                out.put_u64_le(boot_id);
                out.put_u64_le(boot_number);
                out.put_slice(birth);
                BIRTH
            }
            Self::Frame { boot_id, sequence, wall_ns, body } => {
                out.put_u64_le(boot_id);
                out.put_u64_le(sequence);
                out.put_i64_le(wall_ns);
                out.put_slice(body);
                FRAME
            }
        }
    }
}

/// A body of its own.
pub(super) fn body(bytes: &[u8]) -> FrameBody {
    FrameBody::from_bytes(Bytes::copy_from_slice(bytes))
}

/// The number at the begin, and what follows.
pub(super) fn take(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*number), rest))
}
