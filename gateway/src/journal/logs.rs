//! The logs on disk, one a pump: opens them, writes frames, remembers what goes because it is the oldest.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ecmo_core::time::Instant;
use ecmo_journal::{AppendError, Disk, Journal, OpenError, Options, Ranges, Reader, State};
use ecmo_proto::topic::{Id, PumpAddress};

use super::plan::{Restored, Source};
use super::record::{self, Contents, Entry};
use crate::config::Keep;

/// Marks of the folders, so that no id can be taken for a path.
const WARD_MARK: &str = "ward-";
const PUMP_MARK: &str = "pump-";

/// The journal is divided by at least so many pumps.
const SHARES_MIN: u64 = 8;

/// Least share of a pump, in bytes: 64 segments of the least size.
const SHARE_BYTES_MIN: u64 = 4 * 1024 * 1024;

/// Runs whose birth is written again at the head of every segment, so that it does not go before its frames.
const BIRTHS_MAX: usize = 16;

/// Runs of which it is remembered what was kept.
const FORGOTTEN_BOOTS_MAX: usize = 128;

/// What a power loss may cost here: the agent's spool still has it.
const SYNC_EVERY: Duration = Duration::from_secs(5);

/// Time until a log that could not be opened is tried again.
const OPEN_AGAIN: Duration = Duration::from_secs(5);

/// The log of one pump.
#[derive(Debug)]
struct Log {
    journal: Journal<Contents>,
    births: BTreeMap<u64, Vec<u8>>,
    forgotten: BTreeMap<u64, Ranges>,
    /// The newest of that, which the plan does not know yet.
    untold: BTreeMap<u64, Ranges>,
}

/// The logs of all pumps.
#[derive(Debug)]
pub struct Logs {
    keep: Keep,
    share_bytes: u64,
    logs: HashMap<PumpAddress, Log>,
    /// Logs that cannot be opened, and when they are tried again.
    closed: HashMap<PumpAddress, Instant>,
    /// Stands for the disk in tests.
    disk: Option<fn() -> Box<dyn Disk>>,
    buffer: Vec<u8>,
    /// Writes that failed.
    pub errors: u64,
}

/// A log as it was found.
#[derive(Debug)]
pub struct Found {
    /// Whose.
    pub pump: PumpAddress,
    /// What it holds, by run.
    pub kept: BTreeMap<u64, Restored>,
}

/// Time for the logs, which have no clock.
fn time(now: Instant) -> Duration {
    Duration::from_nanos(now.as_nanos())
}

impl Logs {
    /// Logs for at least this many pumps.
    #[must_use]
    pub fn new(keep: Keep, pumps: usize) -> Self {
        let shares = (pumps as u64).max(SHARES_MIN);
        let share_bytes = (keep.bytes_max / shares).max(SHARE_BYTES_MIN);
        Self {
            keep,
            share_bytes,
            logs: HashMap::new(),
            closed: HashMap::new(),
            disk: None,
            buffer: Vec::new(),
            errors: 0,
        }
    }

    /// The same with something that stands for the disk.
    #[cfg(test)]
    pub(super) fn on_disk(mut self, disk: fn() -> Box<dyn Disk>) -> Self {
        self.disk = Some(disk);
        self
    }

    /// Opens every log that is there. Blocks on the disk. A log that cannot be opened is tried again with its first frame.
    pub fn open_all(&mut self, now: Instant) -> Vec<Found> {
        let pumps = pumps_in(&self.keep.dir).unwrap_or_default();
        let shares = (pumps.len() as u64).max(SHARES_MIN);
        self.share_bytes = self.share_bytes.min(self.keep.bytes_max / shares).max(SHARE_BYTES_MIN);
        pumps.into_iter().filter_map(|pump| self.open(&pump, now)).collect()
    }

    /// Opens the log of a pump, or makes it; what was in it. `None` when it is open already or cannot be opened.
    pub fn open(&mut self, pump: &PumpAddress, now: Instant) -> Option<Found> {
        let waits = self.closed.get(pump).is_some_and(|again_at| now < *again_at);
        if waits || self.logs.contains_key(pump) {
            return None;
        }
        match self.try_open(pump, now) {
            Ok(log) => {
                self.closed.remove(pump);
                let kept = contents(&log.journal.reader(), &log.forgotten);
                self.logs.insert(pump.clone(), log);
                Some(Found { pump: pump.clone(), kept })
            }
            Err(error) => {
                if self.closed.insert(pump.clone(), now.plus(OPEN_AGAIN)).is_none() {
                    tracing::error!(%pump, error = ?error, "the journal cannot be opened; frames are not kept");
                }
                self.errors += 1;
                None
            }
        }
    }

    fn try_open(&self, pump: &PumpAddress, now: Instant) -> Result<Log, OpenError> {
        let mut options =
            Options::new(folder(&self.keep.dir, pump), self.share_bytes, self.keep.age_max);
        options.sync_every = SYNC_EVERY;
        let journal: Journal<Contents> = match self.disk {
            None => Journal::open(options, time(now))?,
            Some(disk) => Journal::open_on(disk(), options, time(now))?,
        };
        let reader = journal.reader();
        let mut forgotten: BTreeMap<u64, Ranges> = BTreeMap::new();
        for segment in reader.digests(|contents| contents.forgotten.clone()) {
            merge(&mut forgotten, &segment);
        }
        Ok(Log { births: births(&reader), journal, forgotten, untold: BTreeMap::new() })
    }

    /// Keeps a frame; false when it cannot be kept now. Blocks on the disk.
    pub fn keep(
        &mut self,
        pump: &PumpAddress,
        (boot, sequence): (u64, u64),
        source: Source,
        sealed: &[u8],
        now: Instant,
    ) -> bool {
        let Some(log) = self.logs.get_mut(pump) else { return false };
        let kind = record::frame(boot, sequence, source, sealed, &mut self.buffer);
        let kept = log.append(kind, &self.buffer, now);
        self.errors += u64::from(kept.is_err());
        kept.is_ok()
    }

    /// Keeps the birth of a run, once.
    pub fn keep_birth(&mut self, pump: &PumpAddress, boot: u64, message: &[u8], now: Instant) {
        let Some(log) = self.logs.get_mut(pump) else { return };
        if log.births.get(&boot).is_some_and(|known| known == message) {
            return;
        }
        let (kind, payload) = record::birth(boot, message);
        if log.append(kind, &payload, now).is_ok() {
            log.births.insert(boot, message.to_vec());
        } else {
            self.errors += 1;
        }
    }

    /// What went from a pump's log because it was the oldest, since the last call.
    pub fn take_forgotten(&mut self, pump: &PumpAddress) -> BTreeMap<u64, Ranges> {
        self.logs.get_mut(pump).map(|log| std::mem::take(&mut log.untold)).unwrap_or_default()
    }

    /// Makes durable what waits for it. Blocks on the disk.
    pub fn sync(&mut self, now: Instant) {
        for log in self.logs.values_mut() {
            self.errors += u64::from(log.journal.sync_if_due(time(now)).is_err());
        }
    }

    /// The worst state of a log.
    #[must_use]
    pub fn state(&self) -> State {
        if !self.closed.is_empty() {
            return State::Failed;
        }
        let has = |state| self.logs.values().any(|log| log.journal.state() == state);
        [State::Failed, State::Full].into_iter().find(|one| has(*one)).unwrap_or(State::Recording)
    }

    /// Bytes on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.logs.values().map(|log| log.journal.reader().bytes()).sum()
    }

    /// Whether a pump's share is used up to nine tenths.
    #[must_use]
    pub fn is_full(&self, pump: &PumpAddress) -> bool {
        let used = self.logs.get(pump).map_or(0, |log| log.journal.reader().bytes());
        used >= self.share_bytes / 10 * 9
    }

    /// Reads a pump's log from any thread.
    #[must_use]
    pub fn reader(&self, pump: &PumpAddress) -> Option<Reader<Contents>> {
        self.logs.get(pump).map(|log| log.journal.reader())
    }

    /// The birth of a run, as a message.
    #[must_use]
    pub fn birth(&self, pump: &PumpAddress, boot: u64) -> Option<&[u8]> {
        self.logs.get(pump)?.births.get(&boot).map(Vec::as_slice)
    }
}

impl Log {
    fn append(&mut self, kind: u8, payload: &[u8], now: Instant) -> Result<(), AppendError> {
        if self.journal.begin_segment_if_due(time(now), payload.len())? {
            self.write_head(now)?;
        }
        self.journal.append(time(now), kind, payload)?;
        if self.take_evicted() {
            // At once: after a crash it would be asked for again. What cannot be written now is with the next segment.
            let _next_time = self.write_forgotten(now).is_err();
        }
        Ok(())
    }

    /// Takes note of what went because it was the oldest; whether something did.
    fn take_evicted(&mut self) -> bool {
        let evicted = self.journal.take_evicted();
        for contents in &evicted {
            merge(&mut self.forgotten, &contents.forgotten);
            merge(&mut self.forgotten, &contents.frames);
            merge(&mut self.untold, &contents.frames);
        }
        while self.forgotten.len() > FORGOTTEN_BOOTS_MAX {
            self.forgotten.pop_first();
        }
        !evicted.is_empty()
    }

    fn write_forgotten(&mut self, now: Instant) -> Result<(), AppendError> {
        if !self.forgotten.is_empty() {
            let (kind, payload) = record::forgotten(&self.forgotten);
            self.journal.append(time(now), kind, &payload)?;
        }
        Ok(())
    }

    /// What a segment must know of those before it, which go first.
    fn write_head(&mut self, now: Instant) -> Result<(), AppendError> {
        self.take_evicted();
        let held = self
            .journal
            .reader()
            .digests(|contents| contents.frames.keys().copied().collect::<Vec<_>>());
        let mut runs: Vec<u64> = Vec::new();
        for boot in held.into_iter().rev().flatten() {
            if !runs.contains(&boot) {
                runs.push(boot);
            }
        }
        runs.truncate(BIRTHS_MAX);
        for boot in runs {
            if let Some(message) = self.births.get(&boot) {
                let (kind, payload) = record::birth(boot, message);
                self.journal.append(time(now), kind, &payload)?;
            }
        }
        self.write_forgotten(now)
    }
}

fn merge(into: &mut BTreeMap<u64, Ranges>, other: &BTreeMap<u64, Ranges>) {
    for (boot, ranges) in other {
        into.entry(*boot).or_default().merge(ranges);
    }
}

/// What a log holds and held, by run.
#[must_use]
pub fn contents(
    reader: &Reader<Contents>,
    forgotten: &BTreeMap<u64, Ranges>,
) -> BTreeMap<u64, Restored> {
    let mut kept: BTreeMap<u64, Restored> = BTreeMap::new();
    for (boot, ranges) in forgotten {
        kept.entry(*boot).or_default().forgotten.merge(ranges);
    }
    for (frames, backfilled) in
        reader.digests(|contents| (contents.frames.clone(), contents.backfilled.clone()))
    {
        for (boot, ranges) in &frames {
            kept.entry(*boot).or_default().have.merge(ranges);
        }
        for (boot, ranges) in &backfilled {
            kept.entry(*boot).or_default().backfilled.merge(ranges);
        }
    }
    kept
}

/// The births in a log.
fn births(reader: &Reader<Contents>) -> BTreeMap<u64, Vec<u8>> {
    let mut found = BTreeMap::new();
    for segment in reader.segments().iter().rev() {
        let wanted: Vec<u64> =
            segment.digest.births.iter().filter(|one| !found.contains_key(*one)).copied().collect();
        let mut left = wanted.len();
        let Ok(mut scan) = segment.scan(0) else { continue };
        while left > 0 {
            let Ok(Some((_at, record))) = scan.next_record() else { break };
            if let Entry::Birth { boot, message } = record::read(&record) {
                left -= usize::from(found.insert(boot, message.to_vec()).is_none());
            }
        }
    }
    found
}

/// The folder of a pump.
#[must_use]
pub fn folder(dir: &Path, pump: &PumpAddress) -> PathBuf {
    dir.join(format!("{WARD_MARK}{}", pump.ward)).join(format!("{PUMP_MARK}{}", pump.pump))
}

/// The pumps that have a folder.
///
/// # Errors
/// The folder cannot be read.
pub fn pumps_in(dir: &Path) -> io::Result<Vec<PumpAddress>> {
    let mut pumps = Vec::new();
    for ward in std::fs::read_dir(dir)? {
        let ward = ward?;
        let Some(id) = id_of(&ward.file_name(), WARD_MARK) else { continue };
        for pump in std::fs::read_dir(ward.path())? {
            let Some(pump) = id_of(&pump?.file_name(), PUMP_MARK) else { continue };
            pumps.push(PumpAddress { ward: id.clone(), pump });
        }
    }
    pumps.sort();
    Ok(pumps)
}

fn id_of(name: &std::ffi::OsStr, mark: &str) -> Option<Id> {
    Id::new(name.to_str()?.strip_prefix(mark)?).ok()
}

#[cfg(test)]
mod tests;
