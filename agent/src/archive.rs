//! The spool as the publisher reads it: births and frames of this and of earlier runs, for what a gateway asks.

use core::ops::Range;
use std::io;
use std::sync::Arc;

use ecmo_proto::v1::Birth;
use prost::Message;

use crate::clock;
use crate::heartbeat::Vitals;
use crate::publish::{Archive, Kept};
use crate::spool::{Spool, SpoolView};

/// The spool of this agent.
#[derive(Debug)]
struct SpoolArchive(SpoolView);

/// What a heartbeat tells of a spool, and what answers a gateway; without a spool, neither.
pub(crate) fn of(spool: Option<&Spool>) -> (Vitals, Option<Arc<dyn Archive>>) {
    let Some(view) = spool.map(Spool::view) else { return (Vitals::default(), None) };
    let told = view.clone();
    let vitals =
        Vitals { spool: Box::new(move || Some(told.status(clock::now()))), ..Vitals::default() };
    (vitals, Some(Arc::new(SpoolArchive(view))))
}

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
