//! Looks into a journal while no gateway runs: what is kept of each pump and run, whether all of it is right, which samples it holds.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use ecmo_journal::{Journal, OpenError, Options, Reader};
use ecmo_proto::topic::PumpAddress;

use super::logs::{contents, folder, pumps_in};
use super::plan::{Restored, Source};
use super::record::{self, Contents, Entry};
use crate::config::Keep;
use crate::decode;

/// Why a journal cannot be looked into.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The folder, or something in it, cannot be read.
    #[error("cannot read the journal; check dir under [journal], its permissions and its disk")]
    Read(#[from] io::Error),
    /// One log cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no such pump.
    #[error("the journal has no pump {name:?}; it has: {known}")]
    UnknownPump {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
}

/// What a look through every record found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Check {
    /// Frames that are right.
    pub frames: u64,
    /// Frames that are there more than once.
    pub doubled: u64,
    /// Frames whose seal is broken, and records that are damaged or missing.
    pub damaged: u64,
}

/// The identity of the samples of one block of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Samples {
    /// The run.
    pub boot: u64,
    /// The frame.
    pub sequence: u64,
    /// The channel, by its place in the birth.
    pub channel: u32,
    /// Number of the first sample.
    pub first_index: u64,
    /// How many.
    pub count: usize,
}

/// The log of one pump.
#[derive(Debug)]
pub struct Opened {
    /// Whose it is.
    pub pump: PumpAddress,
    journal: Journal<Contents>,
}

/// Opens the logs of all pumps, or of one by its name or "ward/name". While a gateway writes them they are refused.
///
/// # Errors
/// Nothing can be read, a gateway runs, or there is no such pump.
pub fn open(keep: &Keep, name: Option<&str>) -> Result<Vec<Opened>, InspectError> {
    let pumps = pumps_in(&keep.dir)?;
    let is_meant = |pump: &&PumpAddress| {
        name.is_none_or(|name| pump.pump.as_str() == name || pump.to_string() == name)
    };
    let opened: Result<Vec<_>, InspectError> =
        pumps.iter().filter(is_meant).map(|pump| open_one(&keep.dir, pump)).collect();
    let opened = opened?;
    if let Some(name) = name.filter(|_name| opened.is_empty()) {
        let known = pumps.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(InspectError::UnknownPump { name: name.to_owned(), known });
    }
    Ok(opened)
}

fn open_one(dir: &Path, pump: &PumpAddress) -> Result<Opened, InspectError> {
    // Bounds that nothing exceeds: looking must not let anything go.
    let options = Options::new(folder(dir, pump), u64::MAX, Duration::MAX);
    let journal = Journal::open(options, Duration::ZERO)?;
    Ok(Opened { pump: pump.clone(), journal })
}

impl Opened {
    /// What is kept, by run.
    #[must_use]
    pub fn extents(&self) -> BTreeMap<u64, Restored> {
        let reader = self.journal.reader();
        let mut forgotten = BTreeMap::new();
        for segment in reader.digests(|contents| contents.forgotten.clone()) {
            forgotten.extend(segment);
        }
        contents(&reader, &forgotten)
    }

    /// Reads every record.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn verify(&self) -> io::Result<Check> {
        let mut check = Check::default();
        let mut seen = HashSet::new();
        let damaged = self.each(|boot, sequence, _source, sealed| {
            check.frames += 1;
            check.damaged += u64::from(decode::sample_spans(sealed).is_none());
            check.doubled += u64::from(!seen.insert((boot, sequence)));
            Ok(())
        })?;
        check.damaged += damaged;
        Ok(check)
    }

    /// The samples of every frame, in the order of the log.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn samples(&self) -> io::Result<Vec<Samples>> {
        let mut samples = Vec::new();
        self.each(|boot, sequence, _source, sealed| {
            let spans = decode::sample_spans(sealed).unwrap_or_default();
            samples.extend(spans.into_iter().map(|(channel, first_index, count)| Samples {
                boot,
                sequence,
                channel,
                first_index,
                count,
            }));
            Ok(())
        })?;
        Ok(samples)
    }

    /// Looks at every frame; how many records are damaged or missing.
    fn each(
        &self,
        mut look: impl FnMut(u64, u64, Source, &[u8]) -> io::Result<()>,
    ) -> io::Result<u64> {
        let reader: Reader<Contents> = self.journal.reader();
        let mut damaged = 0;
        for segment in reader.segments() {
            let mut scan = segment.scan(0)?;
            while let Some((_at, record)) = scan.next_record()? {
                if let Entry::Frame { boot, sequence, source, sealed } = record::read(&record) {
                    look(boot, sequence, source, sealed)?;
                }
            }
            damaged += scan.missing();
        }
        Ok(damaged)
    }
}

/// Writes what is kept of each pump and run, and the holes in it.
///
/// # Errors
/// It cannot be written.
pub fn write_extents(opened: &[Opened], out: &mut impl Write) -> io::Result<()> {
    for log in opened {
        for (boot, kept) in log.extents() {
            let Some(hull) = kept.have.hull() else { continue };
            let holes = kept.have.missing(hull.clone()).without(&kept.forgotten);
            writeln!(
                out,
                "{} boot={boot:016x} first={} end={} frames={} backfilled={} missing={} holes={}",
                log.pump,
                hull.start,
                hull.end,
                kept.have.count(),
                kept.backfilled.count(),
                holes.count(),
                holes.parts(),
            )?;
            for hole in holes.iter() {
                writeln!(out, "{} boot={boot:016x} hole={}..{}", log.pump, hole.start, hole.end)?;
            }
        }
    }
    Ok(())
}

/// Writes the identities of samples: run, frame, channel, number of the first sample, count.
///
/// # Errors
/// It cannot be read or written.
pub fn write_samples(opened: &[Opened], out: &mut impl Write) -> io::Result<()> {
    for log in opened {
        for one in log.samples()? {
            let Samples { boot, sequence, channel, first_index, count } = one;
            writeln!(out, "{} {boot:016x} {sequence} {channel} {first_index} {count}", log.pump)?;
        }
    }
    Ok(())
}
