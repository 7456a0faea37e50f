//! The state store: what stands at each pump, written behind, by a thread that nobody waits for.
//!
//! The alarm thread offers the newest state of a pump whenever it changed. What is on disk is a fifth of a second old at most;
//! what people did meanwhile stands in the audit log and is done again. The whole state is held in memory as bytes, so that a
//! file that failed is written anew as a whole.

mod tables;

mod times;

mod value;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use ecmo_core::alarm::occurrence::Occurrence;
use ecmo_core::pump::Kept;
use ecmo_core::time::Instant;
use ecmo_proto::topic::{Id, PumpAddress};

use super::audit::{from_hex, hex};
use crate::clock::Clock;
use crate::config::PUMPS_MAX;
use crate::metrics::{Metrics, StateError};
use crate::treatment::{Record, Stamp};

use tables::{Dirty, Image, Tables, TablesError};
use times::Times;

/// Changes on their way: every pump of the largest unit four times, as in a flood. Beyond, the pump is offered again.
const CHANGES_MAX: usize = 4 * PUMPS_MAX;

/// Occurrences that ended lately and are kept.
pub const ENDED_MAX: usize = 1_024;

/// Least time between two transactions: what is on disk is at most this old, and a flood costs no more than this.
const WRITE_PERIOD: Duration = Duration::from_millis(200);

/// How often a disk that fails is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// How often the thread says that it lives, while nothing happens.
const BEAT: Duration = Duration::from_millis(500);

/// A thread that has not gone round for so long hangs in its disk.
const HANGS_AFTER: Duration = Duration::from_secs(2);

/// Alarms as they stand, as text for the audit log; empty for none.
#[must_use]
pub fn named_alarms(occurrences: Vec<Occurrence>, at: Stamp) -> String {
    if occurrences.is_empty() {
        return String::new();
    }
    hex(&value::kept_to(&Kept { occurrences, ..Kept::default() }, Times(at)))
}

/// Brings back alarms of the audit log that the state of their pump does not hold: they were raised, and a person did something
/// about them, before the state was written.
pub(super) fn bring_back(text: &str, kept: &mut Kept, at: Stamp) {
    let Some(bytes) = from_hex(text) else { return };
    match value::kept_of(&bytes, Times(at)) {
        Ok(named) => {
            for one in named.occurrences {
                if kept.occurrences.iter().all(|known| known.id.condition != one.id.condition) {
                    kept.occurrences.push(one);
                }
            }
        }
        Err(why) => tracing::error!(why, "alarms of the audit log cannot be read"),
    }
}

/// Something that is to be kept.
#[derive(Debug)]
enum Change {
    Pump(PumpAddress, Box<Kept>),
    Ended(PumpAddress, Box<Occurrence>),
    Treatment(PumpAddress, String),
    Applied(u64),
    #[cfg(test)]
    Flush(SyncSender<()>),
}

/// What both sides know.
#[derive(Debug, Default)]
struct Shared {
    failing: AtomicBool,
    /// When the thread last went round.
    beat: AtomicU64,
    /// Pumps whose newest state found no room and was not offered again yet.
    owed: AtomicU64,
    /// Something else found no room: nothing counts as applied any longer in this run.
    lost: AtomicBool,
    /// The thread is to end. A flag and no change: it must find its way past a full channel.
    stopping: AtomicBool,
}

/// The alarm thread's end: it never waits.
#[derive(Debug)]
pub struct StateIntake {
    changes: SyncSender<Change>,
    owed: BTreeSet<PumpAddress>,
    shared: Arc<Shared>,
}

impl StateIntake {
    /// Offers what stands at a pump now. Where there is no room, the pump is owed, and [`StateIntake::owed`] names it.
    pub fn offer(&mut self, address: &PumpAddress, kept: Kept) {
        match self.changes.try_send(Change::Pump(address.clone(), Box::new(kept))) {
            Ok(()) => drop(self.owed.remove(address)),
            Err(_full_or_ended) => drop(self.owed.insert(address.clone())),
        }
        let owed = u64::try_from(self.owed.len()).unwrap_or(u64::MAX);
        self.shared.owed.store(owed, Ordering::Release);
    }

    /// Offers an occurrence that has ended, for the list of what a display missed. Where there is no room it is not kept over
    /// a restart.
    pub fn offer_ended(&self, address: &PumpAddress, ended: &Occurrence) {
        let change = Change::Ended(address.clone(), Box::new(ended.clone()));
        let _no_room = self.changes.try_send(change).is_err();
    }

    /// Pumps to be offered again. To be asked a few times a second.
    #[must_use]
    pub fn owed(&self) -> Vec<PumpAddress> {
        self.owed.iter().cloned().collect()
    }
}

/// The serving side's end.
#[derive(Debug, Clone)]
pub struct StateHandle {
    changes: SyncSender<Change>,
    shared: Arc<Shared>,
}

impl StateHandle {
    /// Keeps the text of a treatment.
    pub(super) fn keep_treatment(&self, address: &PumpAddress, text: String) {
        if self.changes.try_send(Change::Treatment(address.clone(), text)).is_err() {
            // It is in the audit log, and is done again after a restart.
            self.shared.lost.store(true, Ordering::Release);
        }
    }

    /// Ends the thread once everything is written that was offered before.
    pub(super) fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Release);
    }

    /// Everything up to this number of the audit log was offered.
    pub(super) fn applied(&self, number: u64) {
        // What finds no room is done again after a restart, which changes nothing.
        let _no_room = self.changes.try_send(Change::Applied(number)).is_err();
    }

    /// Whether the state is written: the last write succeeded, and the thread goes round.
    #[must_use]
    pub fn is_kept(&self, now: Instant) -> bool {
        let beat = Instant::from_nanos(self.shared.beat.load(Ordering::Acquire));
        !self.shared.failing.load(Ordering::Acquire) && now.since(beat) < HANGS_AFTER
    }
}

/// What was kept before.
#[derive(Debug, Default)]
pub struct KeptBefore {
    /// By pump.
    pub pumps: HashMap<PumpAddress, Kept>,
    /// What ended lately, the oldest first.
    pub ended: Vec<(PumpAddress, Occurrence)>,
    /// By pump.
    pub treatments: HashMap<PumpAddress, Record>,
    /// Number of the audit log up to which it holds everything.
    pub applied: u64,
    /// What was damaged, with what was done about it.
    pub damaged: Option<String>,
}

/// The running thread. It ends when every way to it is gone.
#[derive(Debug)]
pub struct StateThread {
    thread: JoinHandle<()>,
}

/// The state store as it was opened.
#[derive(Debug)]
pub struct StateStore {
    /// What was kept before.
    pub before: KeptBefore,
    keeper: Keeper,
}

impl StateStore {
    /// Opens the store of a folder. Whatever fails is told; a damaged file is set aside. Blocks on the disk.
    #[must_use]
    pub fn open(dir: &Path, clock: Clock, metrics: &Arc<Metrics>) -> Self {
        let mut keeper = Keeper {
            dir: dir.to_owned(),
            clock,
            metrics: Arc::clone(metrics),
            shared: Arc::default(),
            tables: None,
            image: Image::default(),
            dirty: Dirty::default(),
            held: 0,
            written_at: clock.now(),
        };
        let damaged = keeper.load();
        let mut before = keeper.read();
        before.damaged = damaged.or(before.damaged);
        if before.damaged.is_some() {
            // What was damaged may be known by the audit log, from its beginning.
            before.applied = 0;
            keeper.image.applied = 0;
        }
        keeper.beat();
        Self { before, keeper }
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(self) -> std::io::Result<(StateThread, StateIntake, StateHandle)> {
        let (changes, taken) = sync_channel(CHANGES_MAX);
        let shared = Arc::clone(&self.keeper.shared);
        let keeper = self.keeper;
        let thread = std::thread::Builder::new()
            .name("state".to_owned())
            .spawn(move || keeper.run(&taken))?;
        let intake = StateIntake {
            changes: changes.clone(),
            owed: BTreeSet::new(),
            shared: Arc::clone(&shared),
        };
        Ok((StateThread { thread }, intake, StateHandle { changes, shared }))
    }
}

impl StateThread {
    /// Whether the thread has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }
}

/// The thread's state.
#[derive(Debug)]
struct Keeper {
    dir: PathBuf,
    clock: Clock,
    metrics: Arc<Metrics>,
    shared: Arc<Shared>,
    tables: Option<Tables>,
    image: Image,
    dirty: Dirty,
    /// The number that is applied as soon as no pump is owed.
    held: u64,
    written_at: Instant,
}

fn address_of(key: &str) -> Option<PumpAddress> {
    let (ward, pump) = key.split_once('/')?;
    Some(PumpAddress { ward: Id::new(ward).ok()?, pump: Id::new(pump).ok()? })
}

impl Keeper {
    fn times(&self) -> Times {
        Times(Stamp { now: self.clock.now(), wall_ns: self.clock.wall_ns() })
    }

    fn beat(&self) {
        self.shared.beat.store(self.clock.now().as_nanos(), Ordering::Release);
    }

    /// Opens the file; what was damaged and is set aside.
    fn load(&mut self) -> Option<String> {
        match Tables::open(&self.dir) {
            Ok((tables, image)) => {
                (self.tables, self.image) = (Some(tables), image);
                None
            }
            Err((error, readable)) => {
                self.metrics.state_errors.get(StateError::Read).increment(1);
                self.image = readable;
                self.dirty.all = true;
                let told = self.aside(&error);
                self.flush();
                told
            }
        }
    }

    /// Sets a damaged file aside; what was done.
    fn aside(&self, error: &TablesError) -> Option<String> {
        let dir = self.dir.display();
        let TablesError::Damaged(why) = error else {
            tracing::error!(%dir, %error, "the state store cannot be used; it is tried again");
            return None;
        };
        let told = match tables::set_aside(&self.dir) {
            Ok(aside) => format!("{why}; it lies now at {}", aside.display()),
            Err(error) => format!("{why}; it cannot be set aside: {error}"),
        };
        tracing::error!(%dir, what = told, "the state store is damaged and begun anew from the audit log");
        Some(told)
    }

    /// What the image says; what it does not say rightly is told as damage.
    fn read(&self) -> KeptBefore {
        let times = self.times();
        let mut before = KeptBefore { applied: self.image.applied, ..KeptBefore::default() };
        let mut damaged = |key: &str, why: String| {
            tracing::error!(key, why, "a part of the state is not restored");
            self.metrics.state_errors.get(StateError::Read).increment(1);
            before.damaged = Some(format!("{key}: {why}"));
        };
        for (key, bytes) in &self.image.pumps {
            match (address_of(key), value::kept_of(bytes, times)) {
                (Some(address), Ok(kept)) => drop(before.pumps.insert(address, kept)),
                (None, _) => damaged(key, "no pump has this name".to_owned()),
                (_, Err(why)) => damaged(key, why),
            }
        }
        for (key, text) in &self.image.treatments {
            let text = String::from_utf8_lossy(text);
            match Record::from_text(&text) {
                Ok((address, record)) => drop(before.treatments.insert(address, record)),
                Err(why) => damaged(key, why),
            }
        }
        for bytes in self.image.ended.values() {
            match value::named_of(bytes, times) {
                Ok((ward, pump, one)) => {
                    let address = address_of(&format!("{ward}/{pump}"));
                    before.ended.extend(address.map(|address| (address, one)));
                }
                Err(why) => damaged("ended", why),
            }
        }
        before
    }

    fn run(mut self, taken: &Receiver<Change>) {
        let mut goes_on = true;
        while goes_on {
            let now = self.clock.now();
            let due =
                if self.shared.failing.load(Ordering::Acquire) { RETRY } else { WRITE_PERIOD };
            let left = due.saturating_sub(now.since(self.written_at));
            let wait = if self.dirty.is_clean() { BEAT } else { left.min(BEAT) };
            match taken.recv_timeout(wait) {
                Ok(change) => self.take(change),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => goes_on = false,
            }
            // Looked at before the rest is taken: what was offered before it was told to end is still written.
            goes_on &= !self.shared.stopping.load(Ordering::Acquire);
            while let Ok(change) = taken.try_recv() {
                self.take(change);
            }
            self.beat();
            self.apply();
            if !self.dirty.is_clean() && self.clock.now().since(self.written_at) >= due {
                self.flush();
            }
        }
        self.apply();
        self.flush();
    }

    fn take(&mut self, change: Change) {
        match change {
            Change::Pump(address, kept) => {
                let key = address.to_string();
                self.image.pumps.insert(key.clone(), value::kept_to(&kept, self.times()));
                self.dirty.pumps.push(key);
            }
            Change::Ended(address, ended) => {
                let number = self.image.ended.last_key_value().map_or(0, |(last, _)| last + 1);
                let bytes = value::named_to(&address, &ended, self.times());
                self.image.ended.insert(number, bytes);
                self.dirty.ended.push(number);
                while self.image.ended.len() > ENDED_MAX {
                    let oldest = self.image.ended.pop_first();
                    self.dirty.ended.extend(oldest.map(|(number, _)| number));
                }
            }
            Change::Treatment(address, text) => {
                let key = address.to_string();
                self.image.treatments.insert(key.clone(), text.into_bytes());
                self.dirty.treatments.push(key);
            }
            Change::Applied(number) => self.held = self.held.max(number),
            #[cfg(test)]
            Change::Flush(done) => {
                self.apply();
                self.flush();
                let _gone = done.send(()).is_err();
            }
        }
    }

    /// What was done is on disk with the next write, unless the state of a pump is owed.
    fn apply(&mut self) {
        let everything = self.shared.owed.load(Ordering::Acquire) == 0
            && !self.shared.lost.load(Ordering::Acquire);
        if everything && self.held > self.image.applied {
            self.image.applied = self.held;
            self.dirty.applied = true;
        }
    }

    /// Writes what is new. A file that failed is opened anew and written as a whole.
    fn flush(&mut self) {
        self.written_at = self.clock.now();
        let written = self.write();
        let was_failing = self.shared.failing.swap(written.is_err(), Ordering::AcqRel);
        match written {
            Ok(()) => {
                self.dirty = Dirty::default();
                if was_failing {
                    tracing::info!("the state store is written again");
                }
            }
            Err(error) => {
                self.metrics.state_errors.get(StateError::Write).increment(1);
                self.tables = None;
                self.dirty.all = true;
                if !was_failing {
                    let dir = self.dir.display();
                    tracing::error!(%error, %dir, "the state store cannot be written; it is tried again");
                }
                if matches!(error, TablesError::Damaged(_)) {
                    let _told = self.aside(&error);
                }
            }
        }
        self.beat();
    }

    fn write(&mut self) -> Result<(), TablesError> {
        let tables = match self.tables.take() {
            Some(tables) => tables,
            None => Tables::open(&self.dir).map_err(|(error, _readable)| error)?.0,
        };
        tables.write(&self.image, &self.dirty)?;
        self.tables = Some(tables);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
