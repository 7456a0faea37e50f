//! What survives the end of the gateway: the audit log of what people did, and the state of the alarms behind it.
//!
//! The audit log is first: an action is durable with its line. The state follows, written behind; what it does not hold yet is
//! done again from the log. So neither a crash nor a damaged state loses what was confirmed.

pub mod audit;

mod redo;

pub mod state;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ecmo_core::alarm::occurrence::{Occurrence, Transition};
use ecmo_core::pump::Kept;
use ecmo_core::time::Instant;
use ecmo_proto::topic::PumpAddress;

use crate::action::ActionRecord;
use crate::clock::Clock;
use crate::fanout::{AlarmUpdate, PathTimes};
use crate::metrics::{Counter, Metrics, StateError};
use crate::treatment::{Record, Stamp};

use audit::{Audit, AuditParts, AuditThread, Entry, Kind, Ticket, Written};
use state::{StateHandle, StateIntake, StateStore, StateThread};

/// What is not durable for so long is told: a flush that is only slow is over by then.
const BEHIND_MAX: Duration = Duration::from_secs(2);

/// The way to what survives, for whoever does something that must.
#[derive(Clone)]
pub struct Store {
    audit: Audit,
    state: StateHandle,
    flights: Arc<Mutex<Flights>>,
    /// The last number that was done again at the start.
    redone: u64,
    write_errors: Counter,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Store").field("audit", &self.audit).finish_non_exhaustive()
    }
}

/// What is between the log and the state: written down, and perhaps not in force yet.
#[derive(Debug, Default)]
struct Flights {
    /// The last number of the log when each began, by its own number.
    open: BTreeMap<u64, u64>,
    begun: u64,
    /// The greatest number that was brought to its end.
    done: u64,
}

/// Something that is being written down and put in force. To be ended by [`Store::landed`].
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Flight(u64);

impl Store {
    /// Begins something that changes the state: until it has landed, a restart does it again.
    pub fn begin(&self) -> Flight {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        // Whatever is written from now on has a greater number.
        let floor = self.audit.last_number();
        flights.begun += 1;
        let begun = flights.begun;
        flights.open.insert(begun, floor);
        Flight(begun)
    }

    /// Writes entries down; they are durable when this says so. Waits two seconds at most.
    pub async fn write(&self, entries: Vec<Entry>) -> Written {
        let written = self.audit.write(entries).await;
        if !written.is_durable() {
            self.write_errors.increment(1);
        }
        written
    }

    /// Writes an entry down when there is time; waits for nothing.
    pub fn note(&self, entry: Entry) {
        // Where there is no room the log of the program has it.
        let _no_room = !self.audit.note(entry);
    }

    /// What was written is in force, or refused, and the alarm thread has offered what stands now.
    pub fn landed(&self, flight: Flight, written: Written) {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.open.remove(&flight.0);
        if let Written::Durable(number) = written {
            flights.done = flights.done.max(number);
        }
        let oldest = flights.open.values().min().copied();
        self.state.applied(oldest.map_or(flights.done, |oldest| oldest.min(flights.done)));
    }

    /// What was done again after a restart is in force, and the alarm thread has offered what stands now.
    pub fn redone(&self) {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.done = flights.done.max(self.redone);
        if flights.open.is_empty() {
            self.state.applied(flights.done);
        }
    }

    /// Keeps the text of a treatment that was written down.
    pub fn keep_treatment(&self, address: &PumpAddress, text: String) {
        self.state.keep_treatment(address, text);
    }

    /// Whether something that was to be written later is durable by now.
    #[must_use]
    pub fn is_settled(&self, ticket: Ticket) -> bool {
        self.audit.is_settled(ticket)
    }

    /// Tells whether everything reaches the disk. To be asked a few times a second by one that keeps `since`.
    pub fn is_durable(&self, now: Instant, since: &mut Instant) -> bool {
        if self.audit.is_settled_wholly() {
            *since = now;
        }
        !self.audit.is_failing() && now.since(*since) < BEHIND_MAX && self.state.is_kept(now)
    }
}

/// What is needed to open a store.
#[derive(Debug, Clone)]
pub struct StoreParts<'a> {
    /// Folder of everything.
    pub dir: &'a Path,
    /// Name of this gateway.
    pub gateway: &'a str,
    /// The clock.
    pub clock: Clock,
    /// Handles of all series.
    pub metrics: &'a Arc<Metrics>,
}

/// A store that is open, and what it held.
#[derive(Debug)]
pub struct Opened {
    /// The way to it.
    pub store: Store,
    /// The alarm thread's end.
    pub intake: StateIntake,
    /// Alarms, shelves and ownership of each pump.
    pub kept: HashMap<PumpAddress, Kept>,
    /// Alarms that had ended, the oldest first.
    pub ended: Vec<AlarmUpdate>,
    /// What people had said about treatments; the contexts have no end yet by the monotonic clock.
    pub treatments: HashMap<PumpAddress, Record>,
    /// What is to be done again, in its order.
    pub redo: Vec<ActionRecord>,
    /// The greatest order that is known: every new one must be greater.
    pub order: u64,
    /// The threads, to be ended.
    pub threads: StoreThreads,
}

/// The threads of a store.
#[derive(Debug)]
pub struct StoreThreads {
    store: Store,
    audit: AuditThread,
    state: StateThread,
}

impl StoreThreads {
    /// Whether a thread has ended unasked.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.audit.has_ended() || self.state.has_ended()
    }

    /// Ends both once they have written what they have; waits for no disk that hangs.
    pub fn stop(self, clock: Clock, within: Duration) {
        self.store.audit.stop();
        self.store.state.stop();
        let until = clock.now().plus(within);
        while !(self.audit.has_ended() && self.state.has_ended()) {
            if clock.now() >= until {
                tracing::error!("the store hangs in its disk; it is left behind");
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Opens everything of a folder. Whatever fails is told and counted; the gateway starts all the same. Blocks on the disk.
///
/// # Errors
/// The system gives no thread.
pub fn open(parts: &StoreParts<'_>) -> std::io::Result<Opened> {
    let StoreParts { dir, gateway, clock, metrics } = *parts;
    let stamp = Stamp { now: clock.now(), wall_ns: clock.wall_ns() };
    let mut state = StateStore::open(dir, clock, metrics);
    let known = state.before.applied;
    let redo = redo::read(&audit::folder(dir), known, stamp.wall_ns).unwrap_or_else(|error| {
        metrics.state_errors.get(StateError::Read).increment(1);
        tracing::error!(%error, "the audit log cannot be read; what people did lately may be lost");
        redo::Redo::default()
    });
    let (thread, audit) = AuditThread::start(AuditParts {
        dir: audit::folder(dir),
        file_max: audit::FILE_MAX,
        known: known.max(redo.last),
        gateway: gateway.to_owned(),
        wall_ns: stamp.wall_ns,
        clock,
        flushed: metrics.audit_flush_seconds.clone(),
    })?;
    if audit.is_failing() {
        metrics.state_errors.get(StateError::Write).increment(1);
    }
    if let Some(what) = &state.before.damaged {
        audit.note(Entry::of_gateway(Kind::SetAside, gateway, stamp.wall_ns, what.clone()));
    }
    let mut before = std::mem::take(&mut state.before);
    let (state_thread, intake, handle) = state.start()?;
    let write_errors = metrics.state_errors.get(StateError::Write).clone();
    let flights = Arc::default();
    let store = Store { audit, state: handle, flights, redone: redo.last, write_errors };
    for (address, told) in redo.treatments {
        match Record::from_text(&told.record) {
            Ok((_address, record)) if is_as_new(&record, before.treatments.get(&address)) => {
                store.keep_treatment(&address, told.record);
                before.treatments.insert(address, record);
            }
            Ok(_older) => {}
            Err(why) => {
                tracing::error!(pump = %address, why, "a treatment of the audit log cannot be read")
            }
        }
    }
    // Where the state is lost as a whole, the log is too old to say which alarms still stand: they are raised anew.
    for (address, named) in redo.named.iter().filter(|_| before.damaged.is_none()) {
        let kept = before.pumps.entry(address.clone()).or_default();
        state::bring_back(named, kept, stamp);
    }
    let order = redo.actions.iter().map(|record| record.action.order.at);
    let order = order.chain(before.pumps.values().map(redo::last_order)).max().unwrap_or(0);
    let threads = StoreThreads { store: store.clone(), audit: thread, state: state_thread };
    Ok(Opened {
        store,
        intake,
        ended: before.ended.into_iter().map(|one| ended(one, stamp)).collect(),
        kept: before.pumps,
        treatments: before.treatments,
        redo: redo.actions,
        order: order.max(redo.order),
        threads,
    })
}

fn is_as_new(record: &Record, than: Option<&Record>) -> bool {
    than.is_none_or(|than| (record.patient, record.version) >= (than.patient, than.version))
}

/// An alarm that had ended, as displays get it.
fn ended((address, occurrence): (PumpAddress, Occurrence), stamp: Stamp) -> AlarmUpdate {
    let age = stamp.now.since(occurrence.onset_at);
    let age = i64::try_from(age.as_nanos()).unwrap_or(i64::MAX);
    AlarmUpdate {
        address: Some(address),
        ward: None,
        gateway: std::sync::Arc::from(""),
        redirected: false,
        occurrence,
        transition: Some(Transition::Ended),
        onset_wall_ns: stamp.wall_ns.saturating_sub(age),
        path: PathTimes::default(),
    }
}
