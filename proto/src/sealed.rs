//! Seals an encoded message with its check sum, and checks the seal before anything is decoded.
//!
//! TCP and TLS protect a hop; the check sum protects the whole way, so that a broker, bridge or memory fault on it never
//! becomes a plausible value, limit or lease. It is the last field of the message, so the sealed bytes stay ordinary
//! protobuf.

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;
use prost::encoding::{bool, int64, uint64};

use crate::v1::{Action, AgentHeartbeat, AlarmDecision, Backfill, Frame, PeerHeartbeat, Request};

/// Longest sealed frame, in bytes: 64 channels of 100 samples stay below it; a receiver refuses more before decoding.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// Longest sealed heartbeat, in bytes: every list in it is bounded.
pub const HEARTBEAT_BYTES_MAX: usize = 32 * 1024;

/// Longest sealed request, in bytes: a lease with every limit and context stays far below it.
pub const REQUEST_BYTES_MAX: usize = 32 * 1024;

/// Longest sealed part of a backfill, in bytes: the longest frame with the longest birth, and room.
pub const BACKFILL_BYTES_MAX: usize = 160 * 1024;

/// Longest sealed action, in bytes: the record of a treatment with every change that is remembered, and room.
pub const ACTION_BYTES_MAX: usize = 96 * 1024;

/// Longest sealed decision or gateway's heartbeat, in bytes.
pub const SHORT_BYTES_MAX: usize = 4 * 1024;

/// A message whose last field is `fixed32 crc32c = 15`.
pub trait Sealable: Message + Default + Clone {
    /// Longest sealed message, in bytes.
    const BYTES_MAX: usize;

    /// Sets the field to zero, so that it is not encoded; whether it was something else.
    fn unseal(&mut self) -> bool;

    /// Whether the field is zero.
    fn is_unsealed(&self) -> bool;
}

macro_rules! sealable {
    ($($message:ident: $bytes_max:ident,)*) => {
        $(impl Sealable for $message {
            const BYTES_MAX: usize = $bytes_max;

            fn unseal(&mut self) -> bool {
                core::mem::take(&mut self.crc32c) != 0
            }

            fn is_unsealed(&self) -> bool {
                self.crc32c == 0
            }
        })*
    };
}

sealable! {
    Frame: FRAME_BYTES_MAX,
    AgentHeartbeat: HEARTBEAT_BYTES_MAX,
    Request: REQUEST_BYTES_MAX,
    Backfill: BACKFILL_BYTES_MAX,
    Action: ACTION_BYTES_MAX,
    AlarmDecision: SHORT_BYTES_MAX,
    PeerHeartbeat: SHORT_BYTES_MAX,
}

/// Tag of the field `crc32c`: number 15, wire type 5 (32 bits).
const SEAL_TAG: u8 = (15 << 3) | 5;

/// Bytes of the seal: its tag and the check sum.
const SEAL_BYTES: usize = 5;

/// Numbers of the fields of a frame that are said when it leaves.
const PUBLISH_MONO_FIELD: u32 = 5;
const PUBLISH_WALL_FIELD: u32 = 6;
const HISTORICAL_FIELD: u32 = 9;

/// Most bytes of those fields: two numbers of ten bytes, each with its tag.
const TAIL_BYTES_MAX: usize = 22;

/// Why a sealed message is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// More than [`Sealable::BYTES_MAX`].
    #[error("{0} bytes, at most {1} are allowed; send less in one message")]
    Oversize(usize, usize),
    /// No seal at the end, or another check sum than the bytes have.
    #[error("the check sum is missing or wrong; the message was damaged on its way or cut short")]
    Broken,
    /// The check sum is right and yet it is not the message: made by something that does not follow the contract.
    #[error("not such a message of ecmo.v1; the sender does not follow the contract")]
    Decode,
}

/// Encodes a message and seals it; the message's own `crc32c` is ignored.
#[must_use]
pub fn seal<M: Sealable>(message: &M) -> Bytes {
    let mut body = BytesMut::with_capacity(message.encoded_len() + SEAL_BYTES);
    if message.is_unsealed() {
        message.encode_raw(&mut body);
    } else {
        let mut plain = message.clone();
        plain.unseal();
        plain.encode_raw(&mut body);
    }
    let sum = crc32c::crc32c(&body);
    body.put_u8(SEAL_TAG);
    body.put_u32_le(sum);
    body.freeze()
}

/// Checks size and seal, then decodes.
///
/// # Errors
/// Too long, damaged, or another message.
pub fn open<M: Sealable>(bytes: &[u8]) -> Result<M, SealError> {
    let mut message = M::default();
    open_into(bytes, &mut message)?;
    Ok(message)
}

/// As [`open`], into a message whose buffers are used again.
///
/// # Errors
/// Too long, damaged, or another message; `message` is then empty.
pub fn open_into<M: Sealable>(bytes: &[u8], message: &mut M) -> Result<(), SealError> {
    message.clear();
    if bytes.len() > M::BYTES_MAX {
        return Err(SealError::Oversize(bytes.len(), M::BYTES_MAX));
    }
    let at = bytes.len().checked_sub(SEAL_BYTES).ok_or(SealError::Broken)?;
    let (body, end) = bytes.split_at_checked(at).ok_or(SealError::Broken)?;
    let [SEAL_TAG, sum @ ..] = end else { return Err(SealError::Broken) };
    if sum != crc32c::crc32c(body).to_le_bytes() {
        return Err(SealError::Broken);
    }
    message.merge(body).map_err(|_another_message| {
        message.clear();
        SealError::Decode
    })
}

/// A frame that is encoded but for what is said when it leaves: its publish time, or that it is history. It is encoded once,
/// however many brokers, disks and gateways want it; cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameBody {
    bytes: Bytes,
    sum: u32,
}

impl FrameBody {
    /// Encodes a frame; its publish times, `historical` and `crc32c` are left out.
    #[must_use]
    pub fn new(frame: &mut Frame) -> Self {
        (frame.publish_mono_ns, frame.publish_wall_ns) = (0, 0);
        (frame.historical, frame.crc32c) = (false, 0);
        Self::from_bytes(frame.encode_to_vec().into())
    }

    /// A body as it came from [`FrameBody::bytes`].
    #[must_use]
    pub fn from_bytes(bytes: Bytes) -> Self {
        let sum = crc32c::crc32c(&bytes);
        Self { bytes, sum }
    }

    /// The encoded frame without what is said when it leaves.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The live frame, handed to the network at these times of the agent's clocks, in nanoseconds.
    #[must_use]
    pub fn seal_live(&self, publish_mono_ns: u64, publish_wall_ns: i64) -> Bytes {
        self.seal(|tail| {
            uint64::encode(PUBLISH_MONO_FIELD, &publish_mono_ns, tail);
            int64::encode(PUBLISH_WALL_FIELD, &publish_wall_ns, tail);
        })
    }

    /// The frame as history.
    #[must_use]
    pub fn seal_historical(&self) -> Bytes {
        self.seal(|tail| bool::encode(HISTORICAL_FIELD, &true, tail))
    }

    /// Fields may stand in any order, so what is added comes behind what was encoded.
    fn seal(&self, add: impl FnOnce(&mut BytesMut)) -> Bytes {
        let mut sealed = BytesMut::with_capacity(self.bytes.len() + TAIL_BYTES_MAX + SEAL_BYTES);
        sealed.put_slice(&self.bytes);
        add(&mut sealed);
        let tail = sealed.get(self.bytes.len()..).unwrap_or_default();
        let sum = crc32c::crc32c_append(self.sum, tail);
        sealed.put_u8(SEAL_TAG);
        sealed.put_u32_le(sum);
        sealed.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame() -> Frame {
        Frame { pump: "p1".into(), boot_id: 7, sequence: 3, ..Frame::default() }
    }

    #[test]
    fn a_sealed_frame_opens_to_itself_and_decodes_as_plain_protobuf() {
        let bytes = seal(&frame());
        assert_eq!(open(&bytes), Ok(frame()));
        let request = Request { pump: "p1".into(), crc32c: 1, ..Request::default() };
        assert_eq!(open(&seal(&request)), Ok(Request { crc32c: 0, ..request }));
        let plain = Frame::decode(bytes.clone()).expect("sealed bytes are a frame");
        assert_ne!(plain.crc32c, 0);
        assert_eq!(seal(&plain), bytes, "an old check sum is not sealed in");
    }

    #[test]
    fn a_body_is_sealed_as_live_or_as_history_and_keeps_what_it_holds() {
        let mut whole = Frame { publish_mono_ns: 5, publish_wall_ns: -6, ..frame() };
        let body = FrameBody::new(&mut Frame { historical: true, crc32c: 9, ..whole.clone() });
        assert_eq!(open(&body.seal_live(5, -6)), Ok(whole.clone()));
        (whole.publish_mono_ns, whole.publish_wall_ns, whole.historical) = (0, 0, true);
        assert_eq!(open(&body.seal_historical()), Ok(whole));
        assert_eq!(FrameBody::from_bytes(body.bytes().clone()), body);
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_refused() {
        let bytes = seal(&frame());
        for end in 0..bytes.len() {
            assert!(open::<Frame>(&bytes[..end]).is_err(), "cut at {end}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open::<Frame>(&damaged), Err(SealError::Broken), "bit {bit}");
        }
    }

    #[test]
    fn an_oversized_frame_is_refused_before_it_is_read() {
        assert_eq!(
            open::<Frame>(&vec![0; FRAME_BYTES_MAX + 1]),
            Err(SealError::Oversize(FRAME_BYTES_MAX + 1, FRAME_BYTES_MAX))
        );
    }

    #[test]
    fn a_right_check_sum_over_garbage_is_no_frame() {
        let mut bytes = vec![0xff; 40];
        let sum = crc32c::crc32c(&bytes);
        bytes.push(SEAL_TAG);
        bytes.extend(sum.to_le_bytes());
        let mut frame = frame();
        assert_eq!(open_into(&bytes, &mut frame), Err(SealError::Decode));
        assert_eq!(frame, Frame::default(), "nothing half read is left behind");
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _either_is_fine = (open::<Frame>(&bytes), open::<Request>(&bytes), open::<Backfill>(&bytes));
        }
    }
}
