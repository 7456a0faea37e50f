//! The journal thread: writes what arrives, asks for what is missing, says how complete it is.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use ecmo_core::alarm::profile::Profile;
use ecmo_core::frame::BootId;
use ecmo_core::reconcile::Difference;
use ecmo_core::time::Instant;
use ecmo_journal::State;
use ecmo_proto::topic::PumpAddress;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep_until;

use super::again::{self, Job};
use super::compare::{AgentWord, Judged};
use super::ending::end_thread;
use super::intake::{Feeder, Item, Outtake, RecordingState, What};
use super::logs::{Found, Logs};
use super::missed::Missed;
use super::plan::{Extent, PartHead, Plan, Source};
use crate::clock::Clock;
use crate::config::Keep;
use crate::decode::{self, Part};
use crate::fanout::{Completeness, PumpSlot};
use crate::ingest::Requests;
use crate::metrics::{BrokerPath, FrameSource, Gauge, Metrics};

/// Items that are taken before the clock has its turn.
const BATCH_MAX: usize = 512;

/// How often the plan is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How often it is said how complete the journal is.
const TELL: Duration = Duration::from_secs(1);

/// Gaps that wait to be judged; beyond, they come again.
const JOBS_MAX: usize = 64;

/// Pause between two windows of frames that are judged afterwards, so that this takes a part of one core at most.
const REST: Duration = Duration::from_millis(20);

/// A part of a backfill as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackfillPart {
    /// The pump of the topic.
    pub address: PumpAddress,
    /// The sealed message, unchecked.
    pub payload: Bytes,
    /// When it was read.
    pub received: Instant,
    /// The broker that it came from.
    pub path: BrokerPath,
}

/// What the alarm thread is to tell of what was judged afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Something was missed at this pump.
    Missed(PumpAddress),
    /// The agent of this pump found something else than was found here.
    Differs(PumpAddress, Difference),
}

/// What the journal needs.
#[derive(Debug)]
pub struct JournalParts {
    /// The clock.
    pub clock: Clock,
    /// Handles of all series.
    pub metrics: Arc<Metrics>,
    /// How much is kept, and where.
    pub keep: Keep,
    /// Pumps that the settings name.
    pub pumps: usize,
    /// What arrives.
    pub outtake: Outtake,
    /// Parts of backfills.
    pub parts: mpsc::Receiver<BackfillPart>,
    /// The way to agents.
    pub requests: Requests,
    /// The rules of the site.
    pub profile: Arc<Profile>,
    /// What was missed.
    pub missed: Arc<Missed>,
    /// Where it is told that something was.
    pub notices: mpsc::Sender<Notice>,
    /// The way to the history, where one is kept.
    pub history: Option<Feeder>,
}

/// The running journal; it ends when told to.
#[derive(Debug)]
pub struct JournalThread {
    thread: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl JournalThread {
    /// Starts the journal.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(parts: JournalParts) -> Result<Self, std::io::Error> {
        let (stop, stopped) = oneshot::channel();
        let (jobs, given) = sync_channel(JOBS_MAX);
        let judge = Judge {
            profile: Arc::clone(&parts.profile),
            missed: Arc::clone(&parts.missed),
            notices: parts.notices.clone(),
        };
        // It ends by itself when the journal thread drops its end of the channel.
        std::thread::Builder::new().name("missed".to_owned()).spawn(move || judge.run(&given))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
            runtime.block_on(Keeper::new(parts, jobs).run(stopped));
        })?;
        Ok(Self { thread, stop })
    }

    /// Whether the thread has ended unasked.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Tells the thread to end and waits for it, but for no disk that hangs.
    pub fn stop(self, clock: Clock, within: Duration) {
        end_thread("journal", &self.thread, self.stop, clock, within);
    }
}

/// Judges gaps on a thread of its own.
struct Judge {
    profile: Arc<Profile>,
    missed: Arc<Missed>,
    notices: mpsc::Sender<Notice>,
}

impl Judge {
    fn run(self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            let (found, judged) = again::judge(&job, &self.profile, || std::thread::sleep(REST));
            self.compare(&job, &judged);
            let frames = job.gap.count();
            tracing::info!(pump = %job.pump, boot = job.boot, frames, missed = found.len(), "frames from the spool judged");
            if self.missed.add(&job.pump, found) {
                // The notice follows when the channel has room; the list holds it all the same.
                let _no_room = self.notices.try_send(Notice::Missed(job.pump)).is_err();
            }
        }
    }

    /// Tells what the agent found and the gateway did not, or the other way round: the most urgent of it.
    fn compare(&self, job: &Job, judged: &[Judged]) {
        let differ = again::compare(job, &self.profile, judged);
        for (one, finder) in &differ {
            let difference = Difference::Condition(one.condition, *finder);
            tracing::warn!(pump = %job.pump, %difference, "verdicts differ in what was judged afterwards");
        }
        let Some((one, finder)) = differ.iter().max_by_key(|(one, _finder)| one.priority) else {
            return;
        };
        let difference = Difference::Condition(one.condition, *finder);
        if self.notices.try_send(Notice::Differs(job.pump.clone(), difference)).is_err() {
            tracing::error!(pump = %job.pump, "that verdicts differ found no room");
        }
    }
}

/// The state of the journal thread.
struct Keeper {
    parts: JournalParts,
    gateway: String,
    logs: Logs,
    plan: Plan,
    slots: HashMap<PumpAddress, Arc<PumpSlot>>,
    told: HashMap<PumpAddress, Completeness>,
    words: HashMap<PumpAddress, AgentWord>,
    errors_told: u64,
    jobs: SyncSender<Job>,
    look_at: Instant,
    tell_at: Instant,
}

impl Keeper {
    fn new(parts: JournalParts, jobs: SyncSender<Job>) -> Self {
        let now = parts.clock.now();
        Self {
            gateway: format!("{:016x}", fastrand::u64(1..)),
            logs: Logs::new(parts.keep.clone(), parts.pumps),
            plan: Plan::default(),
            slots: HashMap::new(),
            told: HashMap::new(),
            words: HashMap::new(),
            errors_told: 0,
            jobs,
            look_at: now,
            tell_at: now,
            parts,
        }
    }

    async fn run(mut self, mut stop: oneshot::Receiver<()>) {
        self.open();
        let mut batch = Vec::with_capacity(BATCH_MAX);
        loop {
            let mut part = None;
            tokio::select! {
                biased;
                _ = &mut stop => break,
                count = self.parts.outtake.items.recv_many(&mut batch, BATCH_MAX) => if count == 0 { break },
                one = self.parts.parts.recv() => part = one,
                () = sleep_until(self.parts.clock.deadline(self.look_at)) => {}
            }
            for item in batch.drain(..) {
                self.on_item(item);
            }
            // Live frames go first, and parts have their turn all the same.
            if let Some(part) = part.or_else(|| self.parts.parts.try_recv().ok()) {
                self.on_part(&part);
            }
            self.on_time();
        }
        self.logs.sync(self.parts.clock.now().plus(Duration::from_secs(60)));
    }

    fn open(&mut self) {
        let begun = self.parts.clock.now();
        let found = self.logs.open_all(begun);
        let pumps = found.len();
        found.into_iter().for_each(|found| self.restore(found));
        let took = self.parts.clock.now().since(begun);
        let bytes = self.logs.bytes();
        tracing::info!(pumps, bytes, took_ms = took.as_millis(), "journal opened");
    }

    fn restore(&mut self, found: Found) {
        for (boot, kept) in found.kept {
            self.plan.restore(&found.pump, boot, kept);
        }
    }

    /// Opens the log of a pump that has none yet.
    fn ensure_open(&mut self, slot: &Arc<PumpSlot>, now: Instant) {
        if let Some(found) = self.logs.open(&slot.address, now) {
            self.restore(found);
        }
        if !self.slots.contains_key(&slot.address) {
            self.slots.insert(slot.address.clone(), Arc::clone(slot));
        }
    }

    fn on_item(&mut self, item: Item) {
        let now = item.received;
        self.ensure_open(&item.slot, now);
        let address = &item.slot.address;
        match item.what {
            What::Frame { boot, sequence, sealed } => {
                self.keep(address, (boot.get(), sequence), Source::Live, &sealed, now);
            }
            What::Birth(boot, message) => self.logs.keep_birth(address, boot.get(), &message, now),
            What::Heartbeat(payload) => self.on_heartbeat(address, &payload, now),
            What::Raised(id) => self.parts.missed.on_raised(address, id),
            // They are for the history.
            What::Late { .. } | What::Alarm(_) => {}
        }
    }

    fn on_heartbeat(&mut self, address: &PumpAddress, payload: &[u8], now: Instant) {
        let Some(report) = decode::spool_report(payload, address.pump.as_str()) else { return };
        if self.parts.missed.add_of_agent(address, &report) {
            self.notify(address);
        }
        let extents = report.extents.clone();
        let word = AgentWord::next(self.words.get(address), report);
        self.words.insert(address.clone(), word);
        let Some(extents) = extents else { return };
        let extents = extents.into_iter().map(|(boot, frames)| Extent { boot, frames });
        self.plan.on_extents(address, extents.collect(), now);
    }

    fn notify(&self, address: &PumpAddress) {
        // The notice is lost with a full channel; the list holds it all the same.
        let _no_room = self.parts.notices.try_send(Notice::Missed(address.clone())).is_err();
    }

    /// Keeps a frame, once; whether it is new.
    fn keep(
        &mut self,
        address: &PumpAddress,
        (boot, sequence): (u64, u64),
        source: Source,
        sealed: &[u8],
        now: Instant,
    ) -> bool {
        if self.plan.has(address, boot, sequence)
            || !self.logs.keep(address, (boot, sequence), source, sealed, now)
        {
            return false;
        }
        self.plan.on_kept(address, boot, sequence, source);
        let by = match source {
            Source::Live => FrameSource::Live,
            Source::Spool => FrameSource::Spool,
        };
        self.parts.metrics.journal_frames.get(by).increment(1);
        true
    }

    /// Hands what came from the spool to the history, where one is kept.
    fn give(
        &self,
        address: &PumpAddress,
        boot: u64,
        now: Instant,
        what: impl FnOnce(BootId) -> What,
    ) {
        let way = self.parts.history.as_ref().zip(self.slots.get(address)).zip(BootId::new(boot));
        if let Some(((history, slot), boot)) = way {
            history.offer(slot, now, what(boot));
        }
    }

    fn on_part(&mut self, part: &BackfillPart) {
        let now = self.parts.clock.now();
        let address = &part.address;
        let read = decode::backfill(&part.payload, address.pump.as_str(), &self.gateway);
        let Some(Part { number, boot, birth, frames, refused, gone, last }) = read else {
            self.parts.metrics.backfill_refused.increment(1);
            return;
        };
        let head = PartHead { number, boot, gone: gone.into_iter().collect(), last };
        let Some(asked) = self.plan.on_part(address, &head, now) else {
            self.parts.metrics.backfill_refused.increment(1);
            return;
        };
        if let Some(birth) = birth {
            self.logs.keep_birth(address, boot, &birth, now);
            self.give(address, boot, now, |boot| What::Birth(boot, Bytes::copy_from_slice(&birth)));
        }
        let (mut new, mut refused) = (0, refused);
        for (sequence, sealed) in frames {
            if asked.contains(&sequence) {
                let is_new = self.keep(address, (boot, sequence), Source::Spool, &sealed, now);
                new += u64::from(is_new);
                if is_new {
                    self.give(address, boot, now, |boot| What::Late { boot, sealed });
                }
            } else {
                refused += 1;
            }
        }
        self.parts.metrics.backfill_refused.increment(refused);
        self.plan.on_part_done(address, &head, new, now);
    }

    fn on_time(&mut self) {
        let now = self.parts.clock.now();
        let state = match self.logs.state() {
            State::Recording => RecordingState::Keeps,
            State::Full => RecordingState::Full,
            State::Failed => RecordingState::Failed,
        };
        self.parts.outtake.tell(state, now);
        if now < self.look_at {
            return;
        }
        self.look_at = now.plus(LOOK);
        self.logs.sync(now);
        // What cannot be kept is not asked for.
        if state == RecordingState::Keeps {
            self.ask(now);
        }
        if now >= self.tell_at {
            self.tell_at = now.plus(TELL);
            self.on_second(state);
        }
    }

    fn ask(&mut self, now: Instant) {
        for ask in self.plan.step(now) {
            let pump = &ask.pump;
            let payload = decode::backfill_request(
                pump.pump.as_str(),
                &self.gateway,
                ask.number,
                ask.boot,
                ask.frames.clone(),
            );
            let paths: Vec<BrokerPath> = self.parts.requests.paths().collect();
            let up: Vec<BrokerPath> =
                paths.into_iter().filter(|path| self.parts.requests.is_up(*path)).collect();
            let path = up.get(ask.attempt % up.len().max(1));
            let sent = path.is_some_and(|path| self.parts.requests.try_send(*path, pump, payload));
            tracing::debug!(%pump, boot = ask.boot, first = ask.frames.start, end = ask.frames.end, sent, "asks the spool");
        }
    }

    fn on_second(&mut self, state: RecordingState) {
        let (mut missing, mut lost) = (0, 0);
        for address in self.plan.pumps().cloned().collect::<Vec<_>>() {
            for (boot, frames) in self.logs.take_forgotten(&address) {
                self.plan.on_forgotten(&address, boot, &frames);
            }
            let is_full = self.logs.is_full(&address);
            self.plan.set_full(&address, is_full);
            let recording = state == RecordingState::Keeps;
            let complete = self.plan.completeness(&address, recording);
            missing += complete.missing;
            lost += complete.lost;
            if let Some(slot) = self.slots.get(&address)
                && self.told.get(&address) != Some(&complete)
            {
                slot.complete(complete);
                self.told.insert(address.clone(), complete);
            }
            self.judge(&address);
        }
        let metrics = &self.parts.metrics;
        set(&metrics.journal_frames_missing, missing);
        set(&metrics.journal_frames_lost, lost);
        set(&metrics.journal_bytes, self.logs.bytes());
        metrics.journal_errors.increment(self.logs.errors - self.errors_told);
        self.errors_told = self.logs.errors;
    }

    /// Hands what came from the spool to be judged.
    fn judge(&mut self, address: &PumpAddress) {
        let Some(slot) = self.slots.get(address) else { return };
        let treatment = slot.rules().treatment.clone();
        let word = self.words.get(address).cloned();
        for (boot, gap) in self.plan.take_closed(address) {
            let (Some(reader), Some(birth)) =
                (self.logs.reader(address), self.logs.birth(address, boot))
            else {
                continue;
            };
            let birth = birth.to_vec();
            let (pump, treatment) = (address.clone(), treatment.clone());
            let job = Job { pump, reader, birth, boot, gap, treatment, word: word.clone() };
            match self.jobs.try_send(job) {
                Ok(()) => {}
                Err(TrySendError::Full(job)) => self.plan.put_back(address, boot, &job.gap),
                Err(TrySendError::Disconnected(_)) => {
                    tracing::error!("the thread that looks for missed alarms has ended");
                }
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge; counts are far below 2^52")]
fn set(gauge: &Gauge, number: u64) {
    gauge.set(number as f64);
}
