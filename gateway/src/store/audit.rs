//! The audit log: what people did, on disk before it is confirmed; one chain of lines, many of them with one flush.
//!
//! A thread of its own takes what waits, seals it line behind line, and flushes once for all of it. While the disk fails
//! nobody is held up: what was not written is kept, and written as soon as the disk lets it.

mod files;

mod line;

mod verify;

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::metrics::Histogram;
use files::{Found, Log};

pub use line::{Entry, Fault, Kind, from_hex, hex};
pub use verify::{Broken, Checked, Why, verify};

/// Size at which a file of the log is full, in bytes.
pub const FILE_MAX: u64 = 64 << 20;

/// Groups of entries on their way to the disk: every display of the largest unit, four times over. Beyond, the action goes on and
/// is told as not durable, and the log says afterwards how many it lacks.
const WAITING_MAX: usize = 1_024;

/// Groups of entries that are kept while the disk fails; beyond, they are lost, counted and told.
const BACKLOG_MAX: usize = 4_096;

/// Groups that share one flush.
const BATCH_MAX: usize = 512;

/// How long a person waits for the disk.
const WRITE_MAX: Duration = Duration::from_secs(2);

/// How often a disk that fails is tried again when nobody asks.
const RETRY: Duration = Duration::from_secs(5);

/// How often it is noted, while nothing happens, where the chain stands.
const NOTE: Duration = Duration::from_secs(1);

/// Records after which that is noted all the same.
const NOTE_AFTER: u64 = 256;

/// Names the folder of the log within that of the state.
#[must_use]
pub fn folder(state: &Path) -> PathBuf {
    state.join("audit")
}

/// Reads the entries behind a number; `take` gets each with its number. Damaged lines are passed over.
///
/// # Errors
/// A file cannot be read.
pub(super) fn read_after(dir: &Path, after: u64, take: impl FnMut(u64, Entry)) -> io::Result<()> {
    files::read_after(dir, after, take)
}

/// What became of entries that were to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// They survive a power cut; the number of the last of them.
    Durable(u64),
    /// Not yet: the disk fails or is slow. The ticket tells when they are.
    Later(Ticket),
    /// They will never be: there was no room for them.
    Never,
}

impl Written {
    /// Whether they survive a power cut.
    #[must_use]
    pub const fn is_durable(self) -> bool {
        matches!(self, Self::Durable(_))
    }
}

/// Names entries on their way to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// What both sides know.
#[derive(Debug, Default)]
struct Shared {
    /// The newest ticket up to which everything is durable.
    settled: AtomicU64,
    /// The newest ticket that was given.
    given: AtomicU64,
    /// The last write failed.
    failing: AtomicBool,
    /// Number of the last record that is durable.
    last: AtomicU64,
    /// Entries that found no room on their way and that the log does not tell of yet.
    refused: AtomicU64,
}

/// What the thread is given.
#[derive(Debug)]
enum Given {
    Group(Group),
    Stop,
}

/// Some entries that belong together.
#[derive(Debug)]
struct Group {
    entries: Vec<Entry>,
    ticket: u64,
    reply: Option<oneshot::Sender<Option<u64>>>,
}

/// The way to the log, for whoever has something to write down.
#[derive(Debug, Clone)]
pub struct Audit {
    /// Tickets are in the order of the channel.
    waiting: Arc<Mutex<SyncSender<Given>>>,
    shared: Arc<Shared>,
}

impl Audit {
    /// Writes entries down; they are durable when this says so. Waits two seconds at most.
    pub async fn write(&self, entries: Vec<Entry>) -> Written {
        let (reply, written) = oneshot::channel();
        let Some(ticket) = self.hand_over(entries, Some(reply)) else { return Written::Never };
        match timeout(WRITE_MAX, written).await {
            Ok(Ok(Some(number))) => Written::Durable(number),
            Ok(Ok(None)) | Err(_) => Written::Later(ticket),
            Ok(Err(_dropped)) => Written::Never,
        }
    }

    /// Writes an entry down when there is time, and waits for nothing. Whether it found room.
    pub fn note(&self, entry: Entry) -> bool {
        self.hand_over(vec![entry], None).is_some()
    }

    fn hand_over(
        &self,
        entries: Vec<Entry>,
        reply: Option<oneshot::Sender<Option<u64>>>,
    ) -> Option<Ticket> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = self.shared.given.load(Ordering::Acquire) + 1;
        let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        match waiting.try_send(Given::Group(Group { entries, ticket, reply })) {
            Ok(()) => {
                self.shared.given.store(ticket, Ordering::Release);
                Some(Ticket(ticket))
            }
            Err(TrySendError::Full(given) | TrySendError::Disconnected(given)) => {
                self.shared.refused.fetch_add(count, Ordering::AcqRel);
                tracing::error!(?given, "an audit record found no room and is in no log but this");
                None
            }
        }
    }

    /// Ends the thread once everything is written that was handed over before.
    pub(super) fn stop(&self) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // One that is behind has a disk that hangs: nobody waits for it.
        let _ended_or_behind = waiting.try_send(Given::Stop).is_err();
    }

    /// Number of the last record that is durable.
    #[must_use]
    pub fn last_number(&self) -> u64 {
        self.shared.last.load(Ordering::Acquire)
    }

    /// Whether entries are durable by now.
    #[must_use]
    pub fn is_settled(&self, ticket: Ticket) -> bool {
        self.shared.settled.load(Ordering::Acquire) >= ticket.0
    }

    /// Whether nothing waits and the last write succeeded.
    #[must_use]
    pub fn is_settled_wholly(&self) -> bool {
        let settled = self.shared.settled.load(Ordering::Acquire);
        settled >= self.shared.given.load(Ordering::Acquire) && !self.is_failing()
    }

    /// Whether the last write failed.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.shared.failing.load(Ordering::Acquire)
    }
}

/// How a log is opened.
#[derive(Debug, Clone)]
pub struct AuditParts {
    /// Folder of the files.
    pub dir: PathBuf,
    /// Size at which a file is full, in bytes.
    pub file_max: u64,
    /// The last number that the state store knows: the next one is greater.
    pub known: u64,
    /// Name of this gateway.
    pub gateway: String,
    /// Wall time of the start, in nanoseconds since 1970 UTC.
    pub wall_ns: i64,
    /// For the time that a flush takes.
    pub clock: Clock,
    /// How long flushes take, in seconds.
    pub flushed: Histogram,
}

/// The running log. It ends when every way to it is gone.
#[derive(Debug)]
pub struct AuditThread {
    thread: JoinHandle<()>,
}

impl AuditThread {
    /// Opens a log and starts its thread. A folder that cannot be used is told, and tried again.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(parts: AuditParts) -> io::Result<(Self, Audit)> {
        let (waiting, given) = sync_channel(WAITING_MAX);
        let shared = Arc::new(Shared::default());
        let audit = Audit { waiting: Arc::new(Mutex::new(waiting)), shared: Arc::clone(&shared) };
        let mut writer =
            Writer { parts, log: None, backlog: VecDeque::new(), lost: 0, shared, noted: 0 };
        // Opened before anything can be asked of it: what is wrong is known at once.
        writer.flush();
        let thread = std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || writer.run(&given))?;
        Ok((Self { thread }, audit))
    }

    /// Whether the thread has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }
}

/// The thread's state.
struct Writer {
    parts: AuditParts,
    log: Option<Log>,
    backlog: VecDeque<Group>,
    /// Entries that found no room in the backlog.
    lost: u64,
    shared: Arc<Shared>,
    /// Number up to which it was noted where the chain stands.
    noted: u64,
}

impl Writer {
    fn run(mut self, given: &Receiver<Given>) {
        let mut goes_on = true;
        while goes_on {
            let wait = if self.backlog.is_empty() && self.log.is_some() { NOTE } else { RETRY };
            match given.recv_timeout(wait) {
                Ok(given) => goes_on = self.take(given),
                Err(RecvTimeoutError::Timeout) => self.note_head(0),
                Err(RecvTimeoutError::Disconnected) => goes_on = false,
            }
            // What failed before waits beside what is new.
            for _ in 0..BATCH_MAX {
                let Ok(given) = given.try_recv() else { break };
                goes_on &= self.take(given);
            }
            self.flush();
            self.note_head(NOTE_AFTER);
        }
        self.flush();
        self.note_head(0);
    }

    /// Takes what is given; whether more may come.
    fn take(&mut self, given: Given) -> bool {
        let Given::Group(group) = given else { return false };
        if self.backlog.len() < BACKLOG_MAX {
            self.backlog.push_back(group);
        } else {
            self.lost = self.lost.saturating_add(u64::try_from(group.entries.len()).unwrap_or(1));
            tracing::error!(?group, "an audit record found no room and is in no log but this");
        }
        true
    }

    /// Writes everything that waits, or keeps it and tells whoever waits for it.
    fn flush(&mut self) {
        let written = self.write();
        let was_failing = self.shared.failing.swap(written.is_err(), Ordering::AcqRel);
        match written {
            Ok(last) => {
                self.shared.last.store(last, Ordering::Release);
                let settled = self.backlog.back().map(|group| group.ticket);
                if let Some(settled) = settled {
                    self.shared.settled.fetch_max(settled, Ordering::AcqRel);
                }
                if was_failing {
                    tracing::info!("the audit log is written again");
                }
                for reply in self.backlog.drain(..).filter_map(|group| group.reply) {
                    // Who waited may have gone away.
                    let _gone = reply.send(Some(last)).is_err();
                }
            }
            Err(error) => {
                if !was_failing {
                    let dir = self.parts.dir.display();
                    tracing::error!(%error, %dir, "the audit log cannot be written; what people do is not durable");
                }
                for reply in self.backlog.iter_mut().filter_map(|group| group.reply.take()) {
                    let _gone = reply.send(None).is_err();
                }
            }
        }
    }

    fn write(&mut self) -> io::Result<u64> {
        if self.log.is_none() {
            let (log, found) = Log::open(&self.parts.dir, self.parts.file_max, self.parts.known)?;
            self.log = Some(log);
            let entries = self.opened(&found);
            self.backlog.push_front(Group { entries, ticket: 0, reply: None });
        }
        self.lost = self.lost.saturating_add(self.shared.refused.swap(0, Ordering::AcqRel));
        let lost = format!("{} records found no room", self.lost);
        let lost = (self.lost > 0).then(|| self.parts.own(Kind::Lost, lost));
        let waiting = self.backlog.iter().flat_map(|group| &group.entries).cloned();
        let entries: Vec<Entry> = waiting.chain(lost).collect();
        let Some(log) = &mut self.log else { return Err(io::ErrorKind::NotFound.into()) };
        if !entries.is_empty() {
            let begun = self.parts.clock.now();
            log.append(&entries)?;
            self.parts.flushed.record(self.parts.clock.now().since(begun).as_secs_f64());
            self.lost = 0;
        }
        Ok(log.last_number())
    }

    /// What a log says of its own opening.
    fn opened(&self, found: &Found) -> Vec<Entry> {
        let mut entries = Vec::new();
        match found {
            Found::Whole => {}
            Found::Torn(bytes) => {
                tracing::warn!(
                    bytes,
                    "the last line of the audit log was torn and is cut; nothing of it was confirmed"
                );
                entries.push(self.parts.own(Kind::TornTail, format!("{bytes} bytes")));
            }
            Found::Damaged(why) => {
                tracing::error!(
                    why,
                    "the audit log is damaged; it is left as it is and goes on in another file"
                );
                entries.push(self.parts.own(Kind::Damaged, why.clone()));
            }
        }
        entries.push(self.parts.own(Kind::Started, env!("CARGO_PKG_VERSION").to_owned()));
        entries
    }

    fn note_head(&mut self, after: u64) {
        let Some(log) = &self.log else { return };
        let last = log.last_number();
        if last > self.noted.saturating_add(after) && log.note_head().is_ok() {
            self.noted = last;
        }
    }
}

impl AuditParts {
    fn own(&self, kind: Kind, details: String) -> Entry {
        Entry::of_gateway(kind, &self.gateway, self.wall_ns, details)
    }
}
