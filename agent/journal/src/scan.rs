//! Reads the records of one segment in order, and goes on behind damage.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::format::{
    FOOTER_KIND, RECORD_HEADER_BYTES, RECORD_MAGIC, RECORD_OVERHEAD, Record, RecordHeader,
};

/// Bytes that are read at once.
const READ_BYTES: usize = 128 * 1024;

/// The records of a segment from a place on. It has a file handle of its own and holds no lock: it disturbs no writer.
#[derive(Debug)]
pub struct Scan {
    file: File,
    seed: u32,
    /// Place of the next record.
    at: u64,
    /// Where the records end, as far as the reader knows.
    end: u64,
    window: Vec<u8>,
    window_at: u64,
    /// Number after the last right record; `None` before the first one.
    next_number: Option<u64>,
    /// Whether bytes were skipped since the last right record.
    is_lost: bool,
    /// Place after the last right record.
    right_end: u64,
    missing: u64,
}

impl Scan {
    pub(crate) fn new(file: File, seed: u32, at: u64, end: u64) -> Self {
        Self {
            file,
            seed,
            at,
            end,
            window: Vec::new(),
            window_at: 0,
            next_number: None,
            is_lost: false,
            right_end: at,
            missing: 0,
        }
    }

    /// The next right record and its place in the segment; `None` at the end.
    ///
    /// # Errors
    /// The disk cannot be read there.
    pub fn next_record(&mut self) -> io::Result<Option<(u64, Record<'_>)>> {
        let Some(header) = self.find()? else { return Ok(None) };
        let (at, bytes) = (self.at, header.record_bytes());
        self.count(header.number);
        self.at += bytes as u64;
        self.right_end = self.at;
        let record = self.held(at, bytes);
        let payload = record.get(RECORD_HEADER_BYTES..bytes - 4).unwrap_or_default();
        let RecordHeader { number, stamp_ns, kind, payload_bytes: _ } = header;
        Ok(Some((at, Record { number, stamp_ns, kind, payload })))
    }

    /// Records that are missing so far: damaged ones by the numbers around them, and one for a torn or damaged end.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.missing + u64::from(self.is_lost)
    }

    /// Place after the last right record so far.
    pub(crate) const fn right_end(&self) -> u64 {
        self.right_end
    }

    /// Moves to the next right record, which is then in the window whole.
    fn find(&mut self) -> io::Result<Option<RecordHeader>> {
        while self.at < self.end {
            let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
            if left < RECORD_OVERHEAD {
                break;
            }
            self.fill(RECORD_HEADER_BYTES)?;
            let header = RecordHeader::decode(self.held(self.at, RECORD_HEADER_BYTES), self.seed);
            // An older number is a stale record: it was overwritten once and is no part of this log.
            let header = header.filter(|header| {
                header.record_bytes() <= left
                    && self.next_number.is_none_or(|next| header.number >= next)
            });
            let Some(header) = header else {
                self.is_lost = true;
                self.skip_to_magic()?;
                continue;
            };
            self.fill(header.record_bytes())?;
            let record = self.held(self.at, header.record_bytes());
            let is_right = header.payload(record, self.seed).is_some();
            if is_right && header.kind == FOOTER_KIND {
                self.count(header.number);
                (self.end, self.at) = (self.at, self.at);
                return Ok(None);
            }
            if is_right {
                return Ok(Some(header));
            }
            // The header is proven, so the length is: the next record begins behind it.
            self.is_lost = true;
            self.at += header.record_bytes() as u64;
        }
        self.is_lost |= self.at < self.end;
        self.at = self.end;
        Ok(None)
    }

    /// Counts what is missing before a right record.
    fn count(&mut self, number: u64) {
        // Before the first record of a scan that began at a place in the middle, nothing is known to be missing.
        let jump = self.next_number.map_or(0, |next| number.saturating_sub(next));
        self.missing += jump.max(u64::from(self.is_lost));
        self.is_lost = false;
        self.next_number = Some(number.saturating_add(1));
    }

    /// Moves on by at least one byte, to what looks like the begin of a record.
    fn skip_to_magic(&mut self) -> io::Result<()> {
        self.at += 1;
        while self.at < self.end {
            self.fill(RECORD_MAGIC.len())?;
            let from = usize::try_from(self.at - self.window_at).unwrap_or(usize::MAX);
            let held = self.window.get(from..).unwrap_or_default();
            let found = held.windows(RECORD_MAGIC.len()).position(|bytes| bytes == RECORD_MAGIC);
            if let Some(found) = found {
                self.at += found as u64;
                return Ok(());
            }
            // The last bytes may be the begin of the magic.
            let beyond = held.len().saturating_sub(RECORD_MAGIC.len() - 1).max(1);
            self.at = (self.at + beyond as u64).min(self.end);
        }
        Ok(())
    }

    /// Makes the window hold this many bytes from `at` on, or what there is.
    fn fill(&mut self, bytes: usize) -> io::Result<()> {
        let held_to = self.window_at + self.window.len() as u64;
        let wanted_to = (self.at + bytes as u64).min(self.end);
        if self.at >= self.window_at && wanted_to <= held_to {
            return Ok(());
        }
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        self.window.clear();
        self.window.resize(bytes.max(READ_BYTES).min(left), 0);
        self.window_at = self.at;
        let mut filled = 0;
        while let Some(rest) = self.window.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, self.window_at + filled as u64) {
                // The file is shorter than was said: what is not there is not read as zeros.
                Ok(0) => {
                    self.window.truncate(filled);
                    self.end = self.window_at + filled as u64;
                }
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.window.clear();
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Bytes of the window; empty where it does not hold them.
    fn held(&self, at: u64, bytes: usize) -> &[u8] {
        let from = usize::try_from(at.saturating_sub(self.window_at)).unwrap_or(usize::MAX);
        self.window.get(from..from.saturating_add(bytes)).unwrap_or_default()
    }
}
