//! The spool as the publisher reads it: births and frames of this and of earlier runs, for what a gateway asks.

use core::ops::Range;
use std::io;

use ecmo_proto::v1::Birth;
use prost::Message;

use crate::publish::{Archive, Kept};
use crate::spool::SpoolView;

/// The spool of this agent.
#[derive(Debug)]
pub(crate) struct SpoolArchive(pub(crate) SpoolView);

impl Archive for SpoolArchive {
    fn birth(&self, boot_id: u64) -> io::Result<Option<Birth>> {
        let Some(reader) = self.0.reader() else { return Err(not_open()) };
        let extents = reader.extents();
        let Some(extent) = extents.iter().find(|extent| extent.boot_id == boot_id) else {
            return Ok(None);
        };
        // A birth comes with the frames that need it.
        let part = reader.read(boot_id, extent.first_sequence..extent.end_sequence, 1)?;
        Ok(Birth::decode(part.birth).ok().filter(|birth| birth.boot_id == boot_id))
    }

    fn read(&self, boot_id: u64, range: Range<u64>, bytes_max: usize) -> io::Result<Kept> {
        let Some(reader) = self.0.reader() else { return Err(not_open()) };
        let part = reader.read(boot_id, range, bytes_max)?;
        Ok(Kept { frames: part.frames, next: part.next })
    }
}

fn not_open() -> io::Error {
    io::Error::other("the spool is not open yet")
}
