//! Looks at every record of the spool: where frames are missing, and whether all is right.

use core::ops::Range;
use std::io;

use super::read::SpoolReader;
use super::record::Entry;

/// Most holes that are told of one boot.
const HOLES_MAX: usize = 10_000;

/// Frames that are missing between two that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// Their sequences.
    pub sequences: Range<u64>,
    /// Wall time of the frame before, in nanoseconds since 1970 UTC.
    pub after_wall_ns: i64,
    /// Wall time of the frame behind, in nanoseconds since 1970 UTC.
    pub before_wall_ns: i64,
}

/// What a look at every record found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Check {
    /// Segments.
    pub segments: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Records that are right.
    pub records: u64,
    /// Records that are damaged, missing or torn.
    pub damaged: u64,
}

impl SpoolReader {
    /// Where frames of a boot are missing; the first 10,000 holes. Reads every record of the boot's segments.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn holes(&self, boot_id: u64) -> io::Result<Vec<Hole>> {
        let mut holes = Vec::new();
        let mut last: Option<(u64, i64)> = None;
        for view in self.journal.segments_where(|index| index.boot(boot_id).is_some()) {
            let mut scan = view.scan(0)?;
            while let Some((_, record)) = scan.next_record()? {
                let entry = Entry::read(record.kind, record.payload);
                let Some(Entry::Frame { boot_id: of, sequence, wall_ns, .. }) = entry else {
                    continue;
                };
                if of != boot_id {
                    continue;
                }
                if let Some((before, after_wall_ns)) = last
                    && before + 1 < sequence
                    && holes.len() < HOLES_MAX
                {
                    let sequences = before + 1..sequence;
                    holes.push(Hole { sequences, after_wall_ns, before_wall_ns: wall_ns });
                }
                last = Some((sequence, wall_ns));
            }
        }
        Ok(holes)
    }

    /// Reads every record.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn verify(&self) -> io::Result<Check> {
        let mut check = Check::default();
        for view in self.journal.segments() {
            check.segments += 1;
            check.bytes += view.bytes;
            let mut scan = view.scan(0)?;
            while scan.next_record()?.is_some() {
                check.records += 1;
            }
            check.damaged += scan.missing();
        }
        Ok(check)
    }
}
