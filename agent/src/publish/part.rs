//! Makes one part of an answer from what is kept on disk. It blocks while the disk does.

use core::fmt;
use core::ops::Range;
use std::io;

use bytes::Bytes;
use ecmo_proto::sealed::{self, BACKFILL_BYTES_MAX, FRAME_BYTES_MAX, FrameBody};
use ecmo_proto::v1::{Backfill, Birth, SequenceRange};
use prost::Message;

use super::backlog::Open;

/// Bytes of frames in a part, nearly. What has been handed to the network cannot be overtaken: on a link of 1 Mbit/s a live
/// frame waits 0.13 s behind such a part, and 1.3 s behind the longest that is allowed.
pub(super) const PART_BYTES: usize = 16 * 1024;

/// Longest birth, so that the first part of an answer fits whatever its first frame is.
pub(super) const BIRTH_BYTES_MAX: usize = BACKFILL_BYTES_MAX - FRAME_BYTES_MAX - PART_BYTES;

/// Most frames in a part: even empty ones keep its size.
const PART_FRAMES_MAX: usize = 256;

/// Most ranges that are told as gone in one part.
const GONE_MAX: usize = 64;

/// Most bytes of a part besides its birth and frames: names, numbers, ranges, and the head of each frame.
const HEAD_BYTES_MAX: usize = 256 + GONE_MAX * 24 + PART_FRAMES_MAX * (5 + 27);

const _: () = assert!(
    BIRTH_BYTES_MAX + FRAME_BYTES_MAX + HEAD_BYTES_MAX < BACKFILL_BYTES_MAX
        && PART_BYTES < FRAME_BYTES_MAX,
    "a part with the longest birth and the longest frame is accepted by a receiver"
);

/// Frames of one run as an archive holds them.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// Frames by rising sequence, all in the range that was asked for.
    pub frames: Vec<(u64, FrameBody)>,
    /// Sequence from which to go on: what lies before it in the range and is not among the frames is gone for ever. At least the
    /// start of the range, and at most its end.
    pub next: u64,
}

/// What keeps the frames of this and of earlier runs.
pub trait Archive: fmt::Debug + Send + Sync {
    /// The birth of a run; `None` when the run is not known.
    ///
    /// # Errors
    /// The disk fails.
    fn birth(&self, boot_id: u64) -> io::Result<Option<Birth>>;

    /// Frames of a range of a run from its start, until their bytes would be more than `bytes_max`; at least one when there
    /// is one. May block.
    ///
    /// # Errors
    /// The disk fails.
    fn read(&self, boot_id: u64, range: Range<u64>, bytes_max: usize) -> io::Result<Kept>;
}

/// A part of an answer, ready to be sent.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) bytes: Bytes,
    pub(super) frames: u64,
    /// Where the answer goes on; `None` after the last part.
    pub(super) next: Option<u64>,
}

/// Makes the next part of an answer.
pub(super) fn make(archive: &dyn Archive, pump: &str, open: &Open) -> io::Result<Part> {
    let asked = &open.request;
    let range = open.next..asked.end_sequence.max(open.next);
    let birth = if open.is_first { archive.birth(asked.boot_id)? } else { None };
    let birth = birth.filter(|birth| birth.encoded_len() <= BIRTH_BYTES_MAX);
    let mut kept = archive.read(asked.boot_id, range.clone(), PART_BYTES)?;
    if let Some((sequence, _)) = kept.frames.get(PART_FRAMES_MAX) {
        kept.next = *sequence;
        kept.frames.truncate(PART_FRAMES_MAX);
    }
    if kept.next <= range.start && range.start < range.end {
        // It would be asked for ever; and what it holds is not gone, so nothing is said of it.
        return Err(io::Error::other("the archive does not move on"));
    }
    let mut next = kept.next.min(range.end);
    let mut gone = Vec::new();
    let mut expected = range.start;
    let mut taken = 0;
    for (sequence, _) in &kept.frames {
        if gone.len() + 1 >= GONE_MAX {
            next = expected;
            break;
        }
        if *sequence > expected {
            gone.push(SequenceRange { first_sequence: expected, end_sequence: *sequence });
        }
        expected = sequence.saturating_add(1);
        taken += 1;
    }
    kept.frames.truncate(taken);
    if next > expected {
        gone.push(SequenceRange { first_sequence: expected, end_sequence: next });
    }
    let last = next >= range.end;
    let part = Backfill {
        pump: pump.to_owned(),
        gateway: open.gateway.clone(),
        number: asked.number,
        boot_id: asked.boot_id,
        birth,
        frames: kept.frames.iter().map(|(_, body)| body.seal_historical()).collect(),
        gone,
        last,
        crc32c: 0,
    };
    let frames = part.frames.len() as u64;
    Ok(Part { bytes: sealed::seal(&part), frames, next: (!last).then_some(next) })
}

#[cfg(test)]
mod tests;
