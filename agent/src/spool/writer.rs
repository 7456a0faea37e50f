//! The thread that writes the spool: opens it, appends, syncs, and goes on after every error.

use core::time::Duration;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use bytes::Bytes;
use ecmo_journal::{AppendError, Disk, Journal, Options, RECORD_OVERHEAD, State};
use tokio::sync::oneshot;

use super::index::Index;
use super::read::SpoolReader;
use super::record::Entry;
use super::{FAILED, FULL, Item, OPENING, RECORDING, Shared, boot_number_file, mono};
use crate::clock::{self, Stamp};
use crate::frame::PreparedFrame;

/// How often the thread looks whether a sync is due when no frame comes.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Time between two attempts to open a spool.
const OPEN_EVERY: Duration = Duration::from_secs(5);

/// What the thread has from outside.
#[derive(Clone, Copy)]
pub(super) struct Outside<'a> {
    pub(super) disk: &'a dyn Fn() -> Box<dyn Disk>,
    pub(super) clock: &'a dyn Fn() -> Stamp,
}

/// Writes until the queue is closed.
pub(super) fn run(
    outside: Outside<'_>,
    options: &Options,
    boot_id: u64,
    items: &Receiver<Item>,
    tell_number: oneshot::Sender<u64>,
    shared: &Shared,
) {
    shared.state.store(OPENING, Ordering::Relaxed);
    let mut birth = None;
    let Some(journal) = open(outside, options, items, &mut birth, shared) else { return };
    let reader = SpoolReader { journal: journal.reader(), running: boot_id };
    let boot_number = next_boot_number(&options.folder, &reader);
    shared.damaged.add(journal.counts().damaged);
    // It is set once: the spool is opened once.
    shared.reader.set(reader).unwrap_or(());
    // Nobody may be waiting any more.
    tell_number.send(boot_number).unwrap_or(());
    let mut writer = Writer {
        clock: outside.clock,
        journal,
        boot_id,
        boot_number,
        birth,
        birth_segment: None,
        payload: Vec::new(),
        shared,
    };
    writer.tell(Ok(()));
    loop {
        match items.recv_timeout(LOOK_EVERY) {
            Ok(Item::Birth(birth)) => writer.begin(birth),
            Ok(Item::Frame(frame)) => writer.keep(&frame),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        writer.sync_if_due();
    }
    writer.end();
}

/// Opens the spool, again and again; what comes meanwhile is lost. `None` when the queue is closed before that.
fn open(
    outside: Outside<'_>,
    options: &Options,
    items: &Receiver<Item>,
    birth: &mut Option<Bytes>,
    shared: &Shared,
) -> Option<Journal<Index>> {
    loop {
        match Journal::open_on((outside.disk)(), options.clone(), mono((outside.clock)().mono)) {
            Ok(journal) => return Some(journal),
            Err(error) => {
                let error = anyhow::Error::from(error);
                tracing::error!("frames are not kept on disk: {error:#}");
            }
        }
        shared.state.store(FAILED, Ordering::Relaxed);
        let again = clock::now().plus(OPEN_EVERY);
        loop {
            let left = again.since(clock::now());
            match items.recv_timeout(left) {
                Ok(Item::Birth(encoded)) => *birth = Some(encoded),
                Ok(Item::Frame(_)) => shared.lost_on_disk.add(1),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return None,
            }
            if left.is_zero() {
                break;
            }
        }
    }
}

/// One more than every number before: that of the file, and those of the births that are there.
fn next_boot_number(folder: &Path, reader: &SpoolReader) -> u64 {
    let path = boot_number_file(folder);
    let kept = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse::<u64>().ok());
    let births = reader
        .journal
        .digests(|index| index.boots.iter().map(|part| part.boot_number).max().unwrap_or(0));
    let last = births.into_iter().max().unwrap_or(0).max(kept.unwrap_or(0));
    let number = last.saturating_add(1);
    if let Err(error) = keep_boot_number(folder, &path, number) {
        tracing::warn!("cannot keep the boot number in {}: {error}", path.display());
    }
    number
}

/// Replaces the file as a whole: after a power loss it is the old one or the new one.
fn keep_boot_number(folder: &Path, path: &Path, number: u64) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(number.to_string().as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(folder)?.sync_all()
}

/// The open spool.
struct Writer<'a> {
    clock: &'a dyn Fn() -> Stamp,
    journal: Journal<Index>,
    boot_id: u64,
    boot_number: u64,
    birth: Option<Bytes>,
    /// The segment that has the birth last: every segment has it, so that none needs another one that went.
    birth_segment: Option<u64>,
    payload: Vec<u8>,
    shared: &'a Shared,
}

impl Writer<'_> {
    fn begin(&mut self, birth: Bytes) {
        self.birth = Some(birth);
        self.birth_segment = None;
    }

    /// Writes a frame, or counts it as lost.
    fn keep(&mut self, frame: &PreparedFrame) {
        let now = (self.clock)();
        let age = i64::try_from(now.mono.since(frame.finished()).as_nanos()).unwrap_or(i64::MAX);
        let wall_ns = now.wall_ns.saturating_sub(age);
        // Without a birth the counts of a frame mean nothing.
        let Some(birth) = self.birth.clone() else {
            self.shared.lost_on_disk.add(1);
            return;
        };
        let kept = self.append(mono(now.mono), &birth, frame, wall_ns);
        if kept.is_err() {
            self.shared.lost_on_disk.add(1);
        }
        for index in self.journal.take_evicted() {
            self.shared.evicted.add(index.boots.iter().map(|part| part.frames).sum());
        }
        self.tell(kept);
    }

    fn append(
        &mut self,
        now: Duration,
        birth: &Bytes,
        frame: &PreparedFrame,
        wall_ns: i64,
    ) -> Result<(), AppendError> {
        let body = frame.body().bytes();
        let both = birth.len() + body.len() + 2 * RECORD_OVERHEAD;
        if self.journal.begin_segment_if_due(now, both)? || self.birth_segment.is_none() {
            self.birth_segment = None;
            let (boot_id, boot_number) = (self.boot_id, self.boot_number);
            let entry = Entry::Birth { boot_id, boot_number, birth };
            let kind = entry.write(&mut self.payload);
            let place = self.journal.append(now, kind, &self.payload)?;
            self.birth_segment = Some(place.segment);
        }
        let (boot_id, sequence) = (self.boot_id, frame.sequence());
        let entry = Entry::Frame { boot_id, sequence, wall_ns, body };
        let kind = entry.write(&mut self.payload);
        let place = self.journal.append(now, kind, &self.payload)?;
        if self.birth_segment != Some(place.segment) {
            self.birth_segment = None;
        }
        Ok(())
    }

    fn sync_if_due(&mut self) {
        let synced = self.journal.sync_if_due(mono((self.clock)().mono));
        if synced.is_err() {
            self.tell(synced);
        }
    }

    /// Writes down what went wrong when it begins, and keeps the state for the heartbeats.
    fn tell(&self, result: Result<(), AppendError>) {
        let state = match self.journal.state() {
            State::Recording => RECORDING,
            State::Full => FULL,
            State::Failed => FAILED,
        };
        let before = self.shared.state.swap(state, Ordering::Relaxed);
        match result {
            Err(error) if before != state => {
                let error = anyhow::Error::from(error);
                tracing::error!("frames are not kept on disk: {error:#}");
            }
            Ok(()) if before != state && before != OPENING => {
                tracing::info!("frames are kept on disk again");
            }
            Ok(()) | Err(_) => {}
        }
    }

    fn end(mut self) {
        if let Err(error) = self.journal.sync(mono((self.clock)().mono)) {
            let error = anyhow::Error::from(error);
            tracing::error!("the last frames may not be kept on disk: {error:#}");
        }
    }
}
