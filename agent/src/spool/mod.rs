//! Keeps every frame on disk until a gateway has it, and never makes the live stream wait for it.
//!
//! A thread of its own writes. Whoever has a frame [offers](Spool::offer) it without waiting; when the disk is so slow that the
//! queue is full, the frame is lost to the disk, counted and told, and goes to the brokers all the same. Any thread may
//! [read](SpoolReader) what is there.
//!
//! What a crash costs: nothing that was taken from the queue when the process dies, and what came since the last sync (1 s by
//! default) when the power fails. How many frames that were cannot be known afterwards: the boot just ends earlier. What
//! is found torn or damaged is counted.

mod index;

mod record;

mod read;

mod survey;

mod writer;

use core::time::Duration;
use std::path::Path;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use ecmo_core::time::SampleTime;
use ecmo_journal::{Disk, Files, Options, Reader};
use ecmo_proto::v1;
use tokio::sync::oneshot;

use crate::clock::{self, Stamp};
use crate::config::SpoolSettings;
use crate::counters::Counter;
use crate::frame::PreparedFrame;

pub use read::{EXTENTS_MAX, Extent, Part, SpoolReader};
pub use survey::{Check, Hole};

use writer::Outside;

/// Most frames that wait for the disk: five seconds of them at 20 ms.
pub const FRAMES_WAITING_MAX: usize = 256;

/// How long the spool says that it is behind after it lost a frame.
const BEHIND_FOR: Duration = Duration::from_secs(10);

/// How long an agent waits for its disk when it starts and when it stops: a hung disk delays a patient's data no longer.
const DISK_WAIT_MAX: Duration = Duration::from_secs(2);

/// A spool that records.
#[derive(Debug)]
pub struct Spool {
    queue: SyncSender<Item>,
    shared: Arc<Shared>,
    boot_number: Option<oneshot::Receiver<u64>>,
    ended: oneshot::Receiver<()>,
}

/// Reads and tells of a spool from any thread; cheap to clone. It is there before the disk has answered.
#[derive(Debug, Clone)]
pub struct SpoolView(Arc<Shared>);

/// What waits for the disk.
#[derive(Debug)]
enum Item {
    Birth(Bytes),
    Frame(PreparedFrame),
}

/// What the thread and everybody else share.
#[derive(Debug, Default)]
struct Shared {
    /// There when the disk has been opened.
    reader: OnceLock<SpoolReader>,
    state: AtomicU8,
    /// Frames that found the queue full, and that the disk did not take.
    lost_waiting: Counter,
    lost_on_disk: Counter,
    evicted: Counter,
    damaged: Counter,
    /// When the queue was full last; 0 is never.
    behind_ns: AtomicU64,
}

/// States of the thread. It is opening until the disk has answered.
const OPENING: u8 = 0;
const RECORDING: u8 = 1;
const FULL: u8 = 2;
const FAILED: u8 = 3;

impl Spool {
    /// Starts the thread for a run. A disk that cannot be opened is tried again every few seconds; frames are lost until then.
    ///
    /// # Errors
    /// The system has no thread for it.
    pub fn start(settings: &SpoolSettings, boot_id: u64) -> std::io::Result<Self> {
        Self::start_on(|| Box::new(Files), clock::stamp, settings, boot_id)
    }

    /// As [`Spool::start`], on something that stands for the disk, and by other clocks.
    ///
    /// # Errors
    /// The system has no thread for it.
    pub fn start_on(
        disk: impl Fn() -> Box<dyn Disk> + Send + 'static,
        clock: impl Fn() -> Stamp + Send + 'static,
        settings: &SpoolSettings,
        boot_id: u64,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (queue, items) = sync_channel(FRAMES_WAITING_MAX);
        let (tell_number, boot_number) = oneshot::channel();
        let (tell_end, ended) = oneshot::channel();
        let (options, to_shared) = (options(settings), Arc::clone(&shared));
        std::thread::Builder::new().name("ecmo-spool".to_owned()).spawn(move || {
            let outside = Outside { disk: &disk, clock: &clock };
            writer::run(outside, &options, boot_id, &items, tell_number, &to_shared);
            // Nobody may be waiting any more.
            tell_end.send(()).unwrap_or(());
        })?;
        Ok(Self { queue, shared, boot_number: Some(boot_number), ended })
    }

    /// Number of this run among the runs of this disk, from 1; `None` when the disk does not answer within 2 s.
    pub async fn boot_number(&mut self) -> Option<u64> {
        let number = self.boot_number.take()?;
        tokio::time::timeout(DISK_WAIT_MAX, number).await.ok()?.ok()
    }

    /// Begins the run: its encoded birth. Call it once, before the first frame; frames without a birth are not kept.
    pub fn begin(&self, birth: Bytes) {
        // The queue is empty before the first frame, and the thread takes from it as long as this lives.
        self.queue.try_send(Item::Birth(birth)).unwrap_or(());
    }

    /// Offers a frame to the disk. Never waits.
    pub fn offer(&self, frame: PreparedFrame) {
        match self.queue.try_send(Item::Frame(frame)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.shared.lost_waiting.add(1);
                self.shared.behind_ns.store(clock::now().as_nanos(), Ordering::Relaxed);
            }
        }
    }

    /// Reads it and tells of it.
    #[must_use]
    pub fn view(&self) -> SpoolView {
        SpoolView(Arc::clone(&self.shared))
    }

    /// Ends it: what waits is written and synced, for at most 2 s.
    pub async fn stop(self) {
        let Self { queue, ended, .. } = self;
        drop(queue);
        if tokio::time::timeout(DISK_WAIT_MAX, ended).await.is_err() {
            tracing::error!("the disk of the spool does not answer; the last frames are not kept");
        }
    }
}

impl SpoolView {
    /// Reads frames and extents; `None` until the disk has been opened.
    #[must_use]
    pub fn reader(&self) -> Option<&SpoolReader> {
        self.0.reader.get()
    }

    /// What a heartbeat tells of it. Reads no file and never waits for the disk.
    #[must_use]
    pub fn status(&self, now: SampleTime) -> v1::Spool {
        let shared = &self.0;
        let extents = self.reader().map(SpoolReader::extents).unwrap_or_default();
        v1::Spool {
            state: shared.state(now).into(),
            bytes: self.reader().map_or(0, SpoolReader::bytes),
            frames_lost: shared.lost_waiting.get() + shared.lost_on_disk.get(),
            frames_evicted: shared.evicted.get(),
            records_damaged: shared.damaged.get(),
            extents: extents.iter().map(told).collect(),
        }
    }
}

impl Shared {
    fn state(&self, now: SampleTime) -> v1::SpoolState {
        let behind = self.behind_ns.load(Ordering::Relaxed);
        let is_behind = behind > 0 && now.since(SampleTime::from_nanos(behind)) < BEHIND_FOR;
        match self.state.load(Ordering::Relaxed) {
            FULL => v1::SpoolState::Full,
            FAILED => v1::SpoolState::Failed,
            RECORDING if !is_behind => v1::SpoolState::Recording,
            _ => v1::SpoolState::Behind,
        }
    }
}

/// Opens a spool to read it as it is now, whether an agent runs on it or not; changes nothing. Also tells how many records are
/// damaged, missing or torn.
///
/// # Errors
/// The folder cannot be read.
pub fn open(folder: &Path) -> std::io::Result<(SpoolReader, u64)> {
    let (journal, damaged) = Reader::open(folder)?;
    Ok((SpoolReader { journal, running: 0 }, damaged))
}

fn options(settings: &SpoolSettings) -> Options {
    let mut options = Options::new(settings.folder.clone(), settings.bytes_max, settings.age_max);
    options.sync_every = settings.sync_every;
    options
}

/// A time of our clock as the log takes it.
const fn mono(time: SampleTime) -> Duration {
    Duration::from_nanos(time.as_nanos())
}

fn told(extent: &Extent) -> v1::SpoolExtent {
    v1::SpoolExtent {
        boot_id: extent.boot_id,
        first_sequence: extent.first_sequence,
        end_sequence: extent.end_sequence,
        first_wall_ns: extent.first_wall_ns,
        last_wall_ns: extent.last_wall_ns,
    }
}

/// Name of the file in the spool's folder that keeps the number of the last run.
fn boot_number_file(folder: &Path) -> std::path::PathBuf {
    folder.join("boot-number")
}

#[cfg(test)]
mod tests;
