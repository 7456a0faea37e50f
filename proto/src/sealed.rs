//! Seals an encoded frame with its check sum, and checks the seal before anything is decoded.
//!
//! TCP and TLS protect a hop; the check sum protects the whole way, so that a broker, bridge or memory fault on it never
//! becomes a plausible value. It is the last field of the message, so the sealed bytes stay an ordinary protobuf frame.

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;

use crate::v1::Frame;

/// Longest sealed frame, in bytes: 64 channels of 100 samples stay below it; a receiver refuses more before decoding.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// Tag of the field `crc32c`: number 15, wire type 5 (32 bits).
const SEAL_TAG: u8 = (15 << 3) | 5;

/// Bytes of the seal: its tag and the check sum.
const SEAL_BYTES: usize = 5;

/// Why a sealed frame is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// More than [`FRAME_BYTES_MAX`].
    #[error("{0} bytes, at most {FRAME_BYTES_MAX} are allowed; send fewer samples a frame")]
    Oversize(usize),
    /// No seal at the end, or another check sum than the bytes have.
    #[error("the check sum is missing or wrong; the frame was damaged on its way or cut short")]
    Broken,
    /// The check sum is right and yet it is no frame: made by something that does not follow the contract.
    #[error("not a frame of ecmo.v1; the sender does not follow the contract")]
    Decode,
}

/// Encodes a frame and seals it; the frame's own `crc32c` is ignored.
#[must_use]
pub fn seal(frame: &Frame) -> Bytes {
    let mut body = BytesMut::with_capacity(frame.encoded_len() + SEAL_BYTES);
    if frame.crc32c == 0 {
        frame.encode_raw(&mut body);
    } else {
        Frame { crc32c: 0, ..frame.clone() }.encode_raw(&mut body);
    }
    let sum = crc32c::crc32c(&body);
    body.put_u8(SEAL_TAG);
    body.put_u32_le(sum);
    body.freeze()
}

/// Checks size and seal, then decodes.
///
/// # Errors
/// Too long, damaged, or no frame.
pub fn open(bytes: &[u8]) -> Result<Frame, SealError> {
    let mut frame = Frame::default();
    open_into(bytes, &mut frame)?;
    Ok(frame)
}

/// As [`open`], into a frame whose buffers are used again.
///
/// # Errors
/// Too long, damaged, or no frame; `frame` is then empty.
pub fn open_into(bytes: &[u8], frame: &mut Frame) -> Result<(), SealError> {
    frame.clear();
    if bytes.len() > FRAME_BYTES_MAX {
        return Err(SealError::Oversize(bytes.len()));
    }
    let at = bytes.len().checked_sub(SEAL_BYTES).ok_or(SealError::Broken)?;
    let (body, end) = bytes.split_at_checked(at).ok_or(SealError::Broken)?;
    let [SEAL_TAG, sum @ ..] = end else { return Err(SealError::Broken) };
    if sum != crc32c::crc32c(body).to_le_bytes() {
        return Err(SealError::Broken);
    }
    frame.merge(body).map_err(|_not_a_frame| {
        frame.clear();
        SealError::Decode
    })
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
        let plain = Frame::decode(bytes.clone()).expect("sealed bytes are a frame");
        assert_ne!(plain.crc32c, 0);
        assert_eq!(seal(&plain), bytes, "an old check sum is not sealed in");
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_refused() {
        let bytes = seal(&frame());
        for end in 0..bytes.len() {
            assert!(open(&bytes[..end]).is_err(), "cut at {end}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&damaged), Err(SealError::Broken), "bit {bit}");
        }
    }

    #[test]
    fn an_oversized_frame_is_refused_before_it_is_read() {
        assert_eq!(
            open(&vec![0; FRAME_BYTES_MAX + 1]),
            Err(SealError::Oversize(FRAME_BYTES_MAX + 1))
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
            let _either_is_fine = open(&bytes);
        }
    }
}
