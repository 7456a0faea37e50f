//! The writer: takes frames and events in, keeps them, and says how the disk does. It has one thread and reads no clock.

use core::time::Duration;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ecmo_journal::{AppendError, Journal, OpenError, State};

use crate::event::{EVENT, Event, EventIndex};
use crate::gap::GapReason;
use crate::options::Options;
use crate::pump::{self, PumpLog};
use crate::read::{History, PumpReader, Trouble, troubles_of};
use crate::tail::{self, FRAMES, Incoming};

/// Marks of the folders, so that no id can be taken for a path.
const WARD_MARK: &str = "ward-";
const PUMP_MARK: &str = "pump-";

/// The log of events, and the tail.
const EVENTS: &str = "events";
const TAIL: &str = "tail";

/// How long frames stay in the tail: twice as long as a chunk is open, and until it has been synced.
const TAIL_AGE: Duration = Duration::from_secs(60);

/// Most bytes of the tail: a minute of 64 pumps, many times over.
const TAIL_BYTES: u64 = 64 << 20;

/// A segment of the tail: what is read in vain at a start, at most.
const TAIL_SEGMENT_BYTES: u64 = 1 << 20;

/// How long a chunk may wait for the disk to make it durable: the tail holds its frames until then.
const SYNC_EVERY: Duration = Duration::from_secs(10);

/// Least share of a pump, in bytes.
const SHARE_BYTES_MIN: u64 = 4 << 20;

/// Longest segment of a pump's log, in bytes: what is scanned after a crash, at most.
const SEGMENT_BYTES_MAX: u64 = 4 << 20;

/// What is too old goes in parts of this many of what is kept.
const SEGMENTS_OF_AGE: u32 = 24;

/// A pump's log that could not be opened is tried again after this.
const OPEN_AGAIN: Duration = Duration::from_secs(5);

/// What became of some frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// Frames that are kept: on their way to the disk, and there after the end of this process.
    pub kept: u64,
    /// Frames that were there already.
    pub repeated: u64,
    /// Frames that are in memory alone, because the disk does not take them.
    pub unsure: u64,
    /// Frames that cannot be kept.
    pub lost: u64,
}

/// What was counted since the history was opened, and what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Bytes on disk.
    pub bytes: u64,
    /// Times that the disk did not do what it should.
    pub errors: u64,
    /// Samples that were lost to the disk.
    pub lost_samples: u64,
}

/// What was found at opening.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opened {
    /// Pumps.
    pub pumps: usize,
    /// Bytes on disk.
    pub bytes: u64,
    /// Frames that the tail brought back.
    pub brought_back: u64,
    /// Records that were damaged or torn.
    pub damaged: u64,
    /// Segments that cannot be read, and why.
    pub troubles: Vec<Trouble>,
}

/// The writer.
#[derive(Debug)]
pub struct Store {
    options: Options,
    pumps: BTreeMap<String, PumpLog>,
    /// Logs that cannot be opened, and when they are tried again.
    closed: HashMap<String, Duration>,
    tail: Journal<()>,
    events: Journal<EventIndex>,
    history: History,
    errors: u64,
    synced: Duration,
}

impl Store {
    /// Opens a history, or makes it, and takes back what the tail holds. `now` is the caller's monotonic time, as in all
    /// other calls.
    ///
    /// # Errors
    /// Another process has it, or the disk does not let it be read.
    pub fn open(options: Options, now: Duration) -> Result<(Self, Opened), OpenError> {
        let tail = Journal::open_on((options.disk)(), tail_options(&options), now)?;
        let events: Journal<EventIndex> =
            Journal::open_on((options.disk)(), events_options(&options), now)?;
        let history = History::new(events.reader());
        let mut opened = Opened::default();
        opened.damaged += tail.counts().damaged + events.counts().damaged;
        opened.troubles.extend(troubles_of(&tail.reader()));
        opened.troubles.extend(troubles_of(&events.reader()));
        let mut store = Self {
            options,
            pumps: BTreeMap::new(),
            closed: HashMap::new(),
            tail,
            events,
            history,
            errors: 0,
            synced: now,
        };
        for pump in pumps_in(&store.options.folder).unwrap_or_default() {
            if store.ensure(&pump, now)
                && let Some(log) = store.pumps.get(&pump)
            {
                opened.damaged += log.journal.counts().damaged;
                opened.troubles.extend(troubles_of(&log.journal.reader()));
            }
        }
        opened.brought_back = store.take_back(now);
        for log in store.pumps.values_mut() {
            log.excuse(GapReason::NotRunning);
        }
        opened.pumps = store.pumps.len();
        opened.bytes = store.counts().bytes;
        Ok((store, opened))
    }

    /// Takes back the frames of the tail that are in no chunk.
    fn take_back(&mut self, now: Duration) -> u64 {
        let mut count = 0;
        for segment in self.tail.reader().segments() {
            let Ok(mut scan) = segment.scan(0) else { continue };
            while let Ok(Some((_at, record))) = scan.next_record() {
                let Some(kept) = tail::decode(record.payload) else {
                    self.errors += 1;
                    continue;
                };
                for one in kept {
                    if self.ensure(one.pump, now)
                        && let Some(log) = self.pumps.get_mut(one.pump)
                    {
                        let is_new = log.add(&one.frame, one.offset_ns, one.is_late, now);
                        count += u64::from(is_new);
                    }
                }
            }
        }
        count
    }

    /// Makes sure that the log of a pump is open; false when it cannot be.
    fn ensure(&mut self, pump: &str, now: Duration) -> bool {
        if self.pumps.contains_key(pump) {
            return true;
        }
        if self.closed.get(pump).is_some_and(|again_at| now < *again_at) {
            return false;
        }
        let Some(folder) = folder_of(&self.options.folder, pump) else { return false };
        let share = self.share(self.pumps.len() + 1);
        let mut options = ecmo_journal::Options::new(folder, share, self.options.age_max);
        options.segment_bytes = options.segment_bytes.min(SEGMENT_BYTES_MAX);
        options.segment_for = self.options.age_max / SEGMENTS_OF_AGE;
        match pump::open((self.options.disk)(), options, now) {
            Ok(log) => {
                self.closed.remove(pump);
                let reader = PumpReader::new(log.journal.reader(), Arc::clone(&log.live));
                self.history.insert(pump, reader);
                self.pumps.insert(pump.to_owned(), log);
                let share = self.share(self.pumps.len());
                self.pumps.values_mut().for_each(|log| log.journal.set_bytes_max(share));
                true
            }
            Err(_) => {
                self.errors += 1;
                self.closed.insert(pump.to_owned(), now + OPEN_AGAIN);
                false
            }
        }
    }

    fn share(&self, pumps: usize) -> u64 {
        (self.options.bytes_max / (pumps.max(1) as u64)).max(SHARE_BYTES_MIN)
    }

    /// Keeps frames, each once. What is [kept](Taken::kept) is there after the end of this process, however sudden. Blocks on
    /// the disk.
    pub fn ingest(&mut self, frames: &[Incoming<'_>], now: Duration) -> Taken {
        let mut taken = Taken::default();
        let mut new = Vec::with_capacity(frames.len());
        for one in frames {
            if !self.ensure(one.pump, now) {
                taken.lost += 1;
            } else if self.pumps.get(one.pump).is_some_and(|log| log.has(one.frame)) {
                taken.repeated += 1;
            } else {
                new.push(*one);
            }
        }
        let mut is_sure = true;
        for record in tail::encode(&new) {
            is_sure &= self.keep_in_tail(&record, now);
        }
        for one in new {
            let Some(log) = self.pumps.get_mut(one.pump) else { continue };
            // The same frame twice in one call is one frame.
            if !log.add(one.frame, one.offset_ns, one.is_late, now) {
                taken.repeated += 1;
            } else if is_sure {
                taken.kept += 1;
            } else {
                taken.unsure += 1;
            }
        }
        taken
    }

    fn keep_in_tail(&mut self, record: &[u8], now: Duration) -> bool {
        let result = self.tail.append(now, FRAMES, record);
        self.count(result.map(|_place| ()))
    }

    /// Keeps an event; whether the disk took it.
    pub fn note(&mut self, event: &Event, now: Duration) -> bool {
        let result = self.events.append(now, EVENT, &event.encode());
        self.count(result.map(|_place| ()))
    }

    fn count(&mut self, result: Result<(), AppendError>) -> bool {
        let is_new = matches!(&result, Err(error) if !matches!(error, AppendError::Waiting));
        self.errors += u64::from(is_new);
        result.is_ok()
    }

    /// Frames of this pump, or of all, were lost on their way here: a gap that follows is one of the recording.
    pub fn note_loss(&mut self, pump: Option<&str>) {
        for (_name, log) in
            self.pumps.iter_mut().filter(|(name, _)| pump.is_none_or(|pump| pump == *name))
        {
            log.excuse(GapReason::NotRecorded);
        }
    }

    /// To be called a few times a second: closes chunks, lets go what is too old, makes durable what waits for it. Blocks on
    /// the disk.
    pub fn on_time(&mut self, now: Duration) {
        self.pumps.values_mut().for_each(|log| log.on_time(now));
        let tail = self.tail.sync_if_due(now);
        self.count(tail);
        let events = self.events.sync_if_due(now);
        self.count(events);
        self.events.evict_if_due(now);
        if now.saturating_sub(self.synced) >= SYNC_EVERY {
            self.synced = now;
            self.sync_chunks(now);
        }
    }

    fn sync_chunks(&mut self, now: Duration) {
        let mut errors = 0;
        for log in self.pumps.values_mut() {
            errors += u64::from(log.journal.sync_if_due(now).is_err());
        }
        self.errors += errors;
    }

    /// Writes what is open and makes all durable. Blocks on the disk.
    pub fn close(&mut self, now: Duration) {
        self.pumps.values_mut().for_each(|log| log.close(now));
        let later = now + SYNC_EVERY;
        self.sync_chunks(later);
        self.on_time(later);
    }

    /// Whether the disk takes what it is given: the worst of all logs.
    #[must_use]
    pub fn state(&self) -> State {
        if !self.closed.is_empty() {
            return State::Failed;
        }
        let logs = self.pumps.values().map(|log| log.journal.state());
        let mut states = logs.chain([self.tail.state(), self.events.state()]);
        let mut worst = State::Recording;
        for state in &mut states {
            worst = match (worst, state) {
                (State::Failed, _) | (_, State::Failed) => State::Failed,
                (State::Full, _) | (_, State::Full) => State::Full,
                (State::Recording, State::Recording) => State::Recording,
            };
        }
        worst
    }

    /// What was counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts { errors: self.errors, ..Counts::default() };
        for log in self.pumps.values() {
            counts.bytes += log.journal.reader().bytes();
            counts.errors += log.errors;
            counts.lost_samples += log.lost;
        }
        counts.bytes += self.tail.reader().bytes() + self.events.reader().bytes();
        counts
    }

    /// Answers questions from any thread.
    #[must_use]
    pub fn history(&self) -> History {
        self.history.clone()
    }
}

fn tail_options(options: &Options) -> ecmo_journal::Options {
    let folder = options.folder.join(TAIL);
    let mut tail = ecmo_journal::Options::new(folder, TAIL_BYTES, TAIL_AGE);
    tail.segment_bytes = TAIL_SEGMENT_BYTES;
    tail
}

fn events_options(options: &Options) -> ecmo_journal::Options {
    let folder = options.folder.join(EVENTS);
    let mut events =
        ecmo_journal::Options::new(folder, options.events_bytes_max, options.events_age_max);
    events.segment_bytes = events.segment_bytes.min(SEGMENT_BYTES_MAX);
    events
}

/// The folder of a pump; `None`: that is no "ward/pump".
fn folder_of(dir: &Path, pump: &str) -> Option<PathBuf> {
    let (ward, name) = pump.split_once('/')?;
    (is_id(ward) && is_id(name))
        .then(|| dir.join(format!("{WARD_MARK}{ward}")).join(format!("{PUMP_MARK}{name}")))
}

fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.bytes().all(allowed)
}

/// The pumps that have a folder, as "ward/pump".
pub(crate) fn pumps_in(dir: &Path) -> io::Result<Vec<String>> {
    let mut pumps = Vec::new();
    for ward in std::fs::read_dir(dir)? {
        let ward = ward?;
        let Some(id) = id_in(&ward.file_name(), WARD_MARK) else { continue };
        for pump in std::fs::read_dir(ward.path())? {
            let Some(pump) = id_in(&pump?.file_name(), PUMP_MARK) else { continue };
            pumps.push(format!("{id}/{pump}"));
        }
    }
    pumps.sort();
    Ok(pumps)
}

fn id_in(name: &std::ffi::OsStr, mark: &str) -> Option<String> {
    let id = name.to_str()?.strip_prefix(mark)?;
    is_id(id).then(|| id.to_owned())
}
