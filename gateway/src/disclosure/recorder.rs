//! The history's thread: decodes what arrives once more, hands it to the store, and says how the store does.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use ecmo_core::frame::Frame;
use ecmo_core::time::Instant;
use ecmo_history::{Event, Incoming, OpenError, Opened, Options, State, Store};
use ecmo_proto::topic::PumpAddress;
use tokio::sync::oneshot;
use tokio::time::sleep_until;

use super::Disclosed;
use super::runs::{Now, Runs};
use crate::clock::Clock;
use crate::config::Keep;
use crate::decode::{Accepted, Decoder, FrameBytes};
use crate::fanout::AlarmUpdate;
use crate::journal::{Item, Outtake, RecordingState, What, end_thread};
use crate::metrics::{Gauge, Metrics};

/// How often what has come is written: a crash may cost so much of what was not confirmed.
const ROUND: Duration = Duration::from_millis(20);

/// Items of a round: twice what the greatest number of pumps sends in it.
const ITEMS_PER_ROUND: usize = 1_024;

/// How often chunks are closed and the disk is waited for.
const LOOK: Duration = Duration::from_millis(200);

/// After a history could not be opened: time until it is tried again.
const OPEN_AGAIN: Duration = Duration::from_secs(5);

/// How an alarm becomes bytes.
pub type WriteAlarm = fn(&AlarmUpdate) -> Vec<u8>;

/// Kind of the events that are revisions of alarms.
const ALARM: u8 = 1;

/// What the thread needs.
#[derive(Debug)]
pub struct DisclosureParts {
    /// The clock.
    pub clock: Clock,
    /// Handles of all series.
    pub metrics: Arc<Metrics>,
    /// How much is kept, and where.
    pub keep: Keep,
    /// What arrives.
    pub outtake: Outtake,
    /// Where the history is put once it is open.
    pub disclosed: Disclosed,
    /// How an alarm becomes bytes.
    pub write_alarm: WriteAlarm,
}

/// The running thread; it ends when told to. Where it ends unasked the gateway goes on: the alarm thread hears nothing of it any
/// more, and that is an alarm.
#[derive(Debug)]
pub struct DisclosureThread {
    thread: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl DisclosureThread {
    /// Starts it.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(parts: DisclosureParts) -> Result<Self, std::io::Error> {
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let thread = std::thread::Builder::new().name("history".to_owned()).spawn(move || {
            runtime.block_on(Recorder::new(parts).run(stopped));
        })?;
        Ok(Self { thread, stop })
    }

    /// Tells the thread to end and waits for it, but for no disk that hangs.
    pub fn stop(self, clock: Clock, within: Duration) {
        end_thread("history", &self.thread, self.stop, clock, within);
    }
}

/// A frame that was decoded.
struct Ready {
    pump: String,
    frame: Frame,
    offset_ns: i64,
    is_late: bool,
}

struct Recorder {
    parts: DisclosureParts,
    store: Option<Store>,
    runs: Runs,
    decoder: Decoder,
    open_at: Instant,
    look_at: Instant,
    dropped_told: u64,
    errors_told: u64,
    lost_told: u64,
}

/// Time for the store, which has no clock.
fn time(now: Instant) -> Duration {
    Duration::from_nanos(now.as_nanos())
}

impl Recorder {
    fn new(parts: DisclosureParts) -> Self {
        let now = parts.clock.now();
        Self {
            parts,
            store: None,
            runs: Runs::default(),
            decoder: Decoder::default(),
            open_at: now,
            look_at: now,
            dropped_told: 0,
            errors_told: 0,
            lost_told: 0,
        }
    }

    async fn run(mut self, mut stop: oneshot::Receiver<()>) {
        let mut due = self.parts.clock.now();
        loop {
            tokio::select! {
                biased;
                _ = &mut stop => break,
                () = sleep_until(self.parts.clock.deadline(due)) => {}
            }
            due = self.parts.clock.now().plus(ROUND);
            if self.ensure_open() && self.round() {
                // There is more: it is not waited for.
                due = self.parts.clock.now();
            }
            self.on_time();
        }
        while self.round() {}
        if let Some(store) = &mut self.store {
            store.close(time(self.parts.clock.now()));
        }
    }

    /// Opens the history, and again later if it cannot be.
    fn ensure_open(&mut self) -> bool {
        let now = self.parts.clock.now();
        if self.store.is_some() {
            return true;
        }
        if now < self.open_at {
            return false;
        }
        let Keep { dir, age_max, bytes_max } = self.parts.keep.clone();
        match Store::open(Options::new(dir, age_max, bytes_max), time(now)) {
            Ok((store, opened)) => {
                tell_opened(&opened, self.parts.clock.now().since(now));
                // It is set once: a store that is open stays open.
                let _first = self.parts.disclosed.set(store.history()).is_ok();
                self.store = Some(store);
                true
            }
            Err(error) => {
                self.open_at = now.plus(OPEN_AGAIN);
                self.parts.metrics.history.errors.increment(1);
                tell_closed(&error);
                false
            }
        }
    }

    /// Writes what has come; whether there may be more.
    fn round(&mut self) -> bool {
        let mut ready = Vec::new();
        let mut events = Vec::new();
        let mut items = 0;
        while items < ITEMS_PER_ROUND
            && let Ok(item) = self.parts.outtake.items.try_recv()
        {
            items += 1;
            self.take(item, &mut ready, &mut events);
        }
        if items > 0 {
            self.write(&ready, &events);
        }
        items == ITEMS_PER_ROUND
    }

    fn take(&mut self, item: Item, ready: &mut Vec<Ready>, events: &mut Vec<Event>) {
        let Item { slot, received, what } = item;
        let pump = &slot.address;
        match what {
            What::Birth(_boot, message) => self.runs.on_birth(pump, &message),
            What::Frame { boot, sequence: _, sealed } => {
                ready.extend(self.decode(pump, boot.get(), &sealed, received, false));
            }
            What::Late { boot, sealed } => {
                ready.extend(self.decode(pump, boot.get(), &sealed, received, true));
            }
            What::Alarm(update) => {
                let payload = (self.parts.write_alarm)(&update);
                let age = self.parts.clock.now().since(received).as_nanos();
                let age_ns = i64::try_from(age).unwrap_or_default();
                let at_ns = self.parts.clock.wall_ns().saturating_sub(age_ns);
                events.push(Event { at_ns, pump: pump.to_string(), kind: ALARM, payload });
            }
            What::Heartbeat(_) | What::Raised(_) => {}
        }
    }

    /// A frame with its place in wall time; `None` when it means nothing: damaged, or its birth has not come.
    fn decode(
        &mut self,
        pump: &PumpAddress,
        boot: u64,
        sealed: &[u8],
        received: Instant,
        is_late: bool,
    ) -> Option<Ready> {
        let birth = self.runs.birth(pump, boot)?;
        let accepted = if is_late { Accepted::Historical } else { Accepted::Live };
        let bytes = FrameBytes {
            payload: sealed,
            pump: pump.pump.as_str(),
            retained: false,
            accepted,
            received,
        };
        let frame = self.decoder.frame(bytes, Some(birth), &mut |_reason, _samples| {}).ok()?;
        let frame = frame.clone();
        let clock = self.parts.clock;
        let now = Now { mono: clock.now(), wall_ns: clock.wall_ns() };
        let offset_ns = if is_late {
            self.runs.late_offset_ns(pump, boot, now)
        } else {
            let times = (frame.stamp.published, received);
            self.runs.live_offset_ns(pump, boot, times, now)
        };
        Some(Ready { pump: pump.to_string(), frame, offset_ns: offset_ns?, is_late })
    }

    fn write(&mut self, ready: &[Ready], events: &[Event]) {
        let Some(store) = &mut self.store else { return };
        let begun = self.parts.clock.now();
        let dropped = self.parts.outtake.dropped();
        if dropped != self.dropped_told {
            self.dropped_told = dropped;
            store.note_loss(None);
        }
        let frames: Vec<Incoming<'_>> = ready
            .iter()
            .map(|one| Incoming {
                pump: &one.pump,
                frame: &one.frame,
                offset_ns: one.offset_ns,
                is_late: one.is_late,
            })
            .collect();
        store.ingest(&frames, time(begun));
        for event in events {
            store.note(event, time(begun));
        }
        let took = self.parts.clock.now().since(begun);
        self.parts.metrics.history.write_seconds.record(took.as_secs_f64());
    }

    fn on_time(&mut self) {
        let now = self.parts.clock.now();
        let state = match self.store.as_ref().map(Store::state) {
            Some(State::Recording) => RecordingState::Keeps,
            Some(State::Full) => RecordingState::Full,
            Some(State::Failed) | None => RecordingState::Failed,
        };
        self.parts.outtake.tell(state, now);
        if now < self.look_at {
            return;
        }
        self.look_at = now.plus(LOOK);
        let Some(store) = &mut self.store else { return };
        store.on_time(time(now));
        let counts = store.counts();
        let metrics = &self.parts.metrics;
        set(&metrics.history.bytes, counts.bytes);
        metrics.history.errors.increment(counts.errors.saturating_sub(self.errors_told));
        metrics.history.lost_samples.increment(counts.lost_samples.saturating_sub(self.lost_told));
        (self.errors_told, self.lost_told) = (counts.errors, counts.lost_samples);
    }
}

fn tell_opened(opened: &Opened, took: Duration) {
    let Opened { pumps, bytes, brought_back, damaged, troubles } = opened;
    tracing::info!(
        pumps,
        bytes,
        brought_back,
        damaged,
        took_ms = took.as_millis(),
        "history opened"
    );
    for trouble in troubles {
        tracing::error!(
            segment = %trouble.path.display(),
            why = ?trouble.why,
            "a segment of the history cannot be read; it is left where it is"
        );
    }
}

fn tell_closed(error: &OpenError) {
    tracing::error!(error = ?error, "the history cannot be opened; nothing is kept in it");
}

#[expect(clippy::cast_precision_loss, reason = "a gauge; bytes are far below 2^52")]
fn set(gauge: &Gauge, number: u64) {
    gauge.set(number as f64);
}
