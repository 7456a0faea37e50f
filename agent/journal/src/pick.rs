//! Reads single records of a segment by their places, and nothing around them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::format::{RECORD_HEADER_BYTES, Record, RecordHeader};

/// Reads records of one segment by place. It has a file handle of its own and holds no lock.
#[derive(Debug)]
pub struct Pick {
    file: File,
    seed: u32,
    buffer: Vec<u8>,
}

impl Pick {
    pub(crate) const fn new(file: File, seed: u32) -> Self {
        Self { file, seed, buffer: Vec::new() }
    }

    /// The record at a place that [`Digest::add`](crate::Digest::add) was told; `None`: it is damaged or torn.
    ///
    /// # Errors
    /// The disk cannot be read there.
    pub fn record(&mut self, at: u64) -> io::Result<Option<Record<'_>>> {
        let mut head = [0; RECORD_HEADER_BYTES];
        if !self.read(&mut head, at)? {
            return Ok(None);
        }
        let Some(header) = RecordHeader::decode(&head, self.seed) else { return Ok(None) };
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(header.record_bytes(), 0);
        let is_there = self.read(&mut buffer, at);
        self.buffer = buffer;
        if !is_there? {
            return Ok(None);
        }
        let RecordHeader { number, stamp_ns, kind, payload_bytes: _ } = header;
        let payload = header.payload(&self.buffer, self.seed);
        Ok(payload.map(|payload| Record { number, stamp_ns, kind, payload }))
    }

    /// Fills the bytes; false when the file ends before.
    fn read(&self, bytes: &mut [u8], at: u64) -> io::Result<bool> {
        match self.file.read_exact_at(bytes, at) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }
}
