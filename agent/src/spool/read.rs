//! Reads the spool while it is written: which frames are there, and the frames themselves.

use core::ops::Range;
use std::io;

use bytes::Bytes;
use ecmo_journal::Reader;
use ecmo_proto::sealed::FrameBody;

use super::index::{BootPart, Index};
use super::record::{self, Entry};

/// Most extents that are told.
pub const EXTENTS_MAX: usize = 64;

/// Bytes that a frame takes in a message beside its body.
const FRAME_OVERHEAD: usize = 32;

/// Frames of one boot that the spool holds. A bounding range: frames within it may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// The agent run.
    pub boot_id: u64,
    /// Number of the run among the runs of this disk; 0 when it is not known.
    pub boot_number: u64,
    /// Frames that are there.
    pub frames: u64,
    /// Sequence of the first frame.
    pub first_sequence: u64,
    /// Sequence after the last frame.
    pub end_sequence: u64,
    /// Wall time of the first frame, in nanoseconds since 1970 UTC; for people.
    pub first_wall_ns: i64,
    /// Wall time of the last frame, in nanoseconds since 1970 UTC; for people.
    pub last_wall_ns: i64,
}

/// A part of one boot's frames.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Part {
    /// The encoded birth of that boot, without which the counts of its frames mean nothing; empty when the spool holds no frame
    /// of it.
    pub birth: Bytes,
    /// Frames with their sequence, rising.
    pub frames: Vec<(u64, FrameBody)>,
    /// Sequences before `next` that the spool does not hold: lost for ever.
    pub gone: Vec<Range<u64>>,
    /// Sequence to go on with.
    pub next: u64,
    /// Whether nothing more of the range is there now. Of the boot that runs, what was not recorded yet is no gap: it is not
    /// told as gone.
    pub is_last: bool,
}

/// Reads a spool from any thread. Blocks on the disk: call it where blocking is allowed.
#[derive(Debug, Clone)]
pub struct SpoolReader {
    pub(super) journal: Reader<Index>,
    /// The boot that is being written; 0 when nothing is.
    pub(super) running: u64,
}

impl SpoolReader {
    /// What is there: one extent a boot, the newest boot first, at most [`EXTENTS_MAX`]. Reads no file.
    #[must_use]
    pub fn extents(&self) -> Vec<Extent> {
        let mut extents: Vec<Extent> = Vec::new();
        let parts = self.journal.digests(|index| {
            index.boots.iter().filter(|part| part.frames > 0).map(extent).collect::<Vec<_>>()
        });
        for part in parts.into_iter().flatten() {
            match extents.iter_mut().rev().find(|extent| extent.boot_id == part.boot_id) {
                Some(extent) => {
                    extent.boot_number = extent.boot_number.max(part.boot_number);
                    extent.frames += part.frames;
                    extent.end_sequence = part.end_sequence;
                    extent.last_wall_ns = part.last_wall_ns;
                }
                None => extents.push(part),
            }
        }
        extents.reverse();
        extents.truncate(EXTENTS_MAX);
        extents
    }

    /// Reads frames of a boot from the disk, until they take `bytes_max`; at least one if there is any.
    ///
    /// # Errors
    /// A file cannot be opened. One that went because it was the oldest is no error: its frames are gone.
    pub fn read(&self, boot_id: u64, range: Range<u64>, bytes_max: usize) -> io::Result<Part> {
        let mut reading = Reading::new(boot_id, range, bytes_max);
        let views = self.journal.segments_where(|index| index.boot(boot_id).is_some());
        let mut recorded_end = 0;
        for view in &views {
            let Some(part) = view.digest.boot(boot_id) else { continue };
            if part.frames > 0 {
                recorded_end = part.end_sequence;
            }
            if !part.overlaps(reading.part.next, reading.end) || reading.is_full {
                continue;
            }
            match view.scan(part.place(reading.part.next)) {
                Ok(mut scan) => {
                    // A disk that fails in the middle loses the rest of this segment.
                    while let Ok(Some((_, record))) = scan.next_record() {
                        if !reading.take(Entry::read(record.kind, record.payload)) {
                            break;
                        }
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        if reading.part.frames.is_empty() {
            return Ok(reading.finish(self.running == boot_id, recorded_end));
        }
        for view in views.iter().rev() {
            let Some(part) = view.digest.boot(boot_id).filter(|part| part.birth_at > 0) else {
                continue;
            };
            if let Some(birth) = view.scan(part.birth_at).ok().and_then(|scan| birth(scan, boot_id))
            {
                reading.part.birth = birth;
                break;
            }
        }
        if reading.part.birth.is_empty() {
            // Counts without their birth mean nothing.
            reading.forget();
        }
        Ok(reading.finish(self.running == boot_id, recorded_end))
    }

    /// Bytes on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.journal.bytes()
    }
}

fn extent(part: &BootPart) -> Extent {
    Extent {
        boot_id: part.boot_id,
        boot_number: part.boot_number,
        frames: part.frames,
        first_sequence: part.first_sequence,
        end_sequence: part.end_sequence,
        first_wall_ns: part.first_wall_ns,
        last_wall_ns: part.last_wall_ns,
    }
}

/// The birth of a boot, if the record at the scan's place is it.
fn birth(mut scan: ecmo_journal::Scan, wanted: u64) -> Option<Bytes> {
    let (_, record) = scan.next_record().ok()??;
    match Entry::read(record.kind, record.payload)? {
        Entry::Birth { boot_id, birth, .. } if boot_id == wanted => {
            Some(Bytes::copy_from_slice(birth))
        }
        Entry::Birth { .. } | Entry::Frame { .. } => None,
    }
}

/// A part that is being read.
#[derive(Debug)]
struct Reading {
    boot_id: u64,
    first: u64,
    end: u64,
    bytes_left: usize,
    is_full: bool,
    part: Part,
}

impl Reading {
    fn new(boot_id: u64, range: Range<u64>, bytes_max: usize) -> Self {
        let part = Part { next: range.start, ..Part::default() };
        let (first, end) = (range.start, range.end.max(range.start));
        Self { boot_id, first, end, bytes_left: bytes_max, is_full: false, part }
    }

    /// Takes a record; whether more are wanted.
    fn take(&mut self, entry: Option<Entry<'_>>) -> bool {
        let Some(Entry::Frame { boot_id, sequence, body, .. }) = entry else { return true };
        if boot_id != self.boot_id || sequence < self.part.next {
            return true;
        }
        if sequence >= self.end {
            return false;
        }
        let bytes = body.len() + FRAME_OVERHEAD;
        if bytes > self.bytes_left && !self.part.frames.is_empty() {
            self.is_full = true;
            return false;
        }
        self.skip_to(sequence);
        self.part.frames.push((sequence, record::body(body)));
        self.part.next = sequence + 1;
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        true
    }

    /// What is before a sequence and was not read is gone.
    fn skip_to(&mut self, sequence: u64) {
        if self.part.next < sequence {
            self.part.gone.push(self.part.next..sequence);
            self.part.next = sequence;
        }
    }

    /// Everything that was read is gone.
    fn forget(&mut self) {
        self.part.frames.clear();
        self.part.gone.clear();
        let next = core::mem::replace(&mut self.part.next, self.first);
        self.skip_to(next);
    }

    /// The part, when nothing more will be read.
    fn finish(mut self, is_running: bool, recorded_end: u64) -> Part {
        if !self.is_full {
            let end = if is_running { self.end.min(recorded_end) } else { self.end };
            self.skip_to(end);
            self.part.is_last = true;
        }
        self.part
    }
}
