//! The lane of numerics: the newest view of each pump, at the display's pace; nothing is queued for it.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes};
use ecmo_core::view::View;
use ecmo_proto::topic::Id;
use ecmo_proto::v1;
use futures_util::future::FutureExt as _;
use futures_util::stream::{Stream, try_unfold};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};
use tonic::Status;

use super::wire::{Wire, field, put_fixed, put_uint};
use super::{OpenStream, Serving, convert, ward};
use crate::fanout::{PumpSlot, RuleBook, Shown};
use crate::metrics::{Counter, StreamKind, SubscriptionDropped};

/// Time between two messages when the display does not say, in milliseconds.
const INTERVAL_MS_DEFAULT: u32 = 100;

/// Times between two messages that a display may ask for, in milliseconds.
const INTERVAL_MS: std::ops::RangeInclusive<u32> = 20..=1_000;

/// Longest time without a message.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(1);

/// Number of the field that holds pumps, in the stream of pumps and in that of a ward alike.
const PUMPS: u32 = 1;

/// When a display is to be sent pumps: not before its interval has passed, and at least once a second.
#[derive(Debug)]
pub(super) struct Pace {
    ticks: Interval,
    beat_at: Instant,
}

impl Pace {
    /// Due at once.
    ///
    /// # Errors
    /// The interval is out of range.
    pub(super) fn new(interval_ms: u32) -> Result<Self, Status> {
        let interval_ms = if interval_ms == 0 { INTERVAL_MS_DEFAULT } else { interval_ms };
        if !INTERVAL_MS.contains(&interval_ms) {
            return Err(Status::invalid_argument("interval_ms: use 20 to 1000, or 0 for 100"));
        }
        let mut ticks = interval(Duration::from_millis(u64::from(interval_ms)));
        // A display that could not be written to gets the newest state next, not the ticks it missed.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { ticks, beat_at: Instant::now() })
    }

    /// Waits until something that changed may be sent; whether a message must be sent although nothing did.
    pub(super) async fn due(&mut self) -> bool {
        tokio::select! {
            biased;
            _ = self.ticks.tick() => {}
            () = sleep_until(self.beat_at) => {}
        }
        self.must()
    }

    /// The same without waiting; `None` when nothing may be sent yet.
    pub(super) fn is_due(&mut self) -> Option<bool> {
        self.due().now_or_never()
    }

    fn must(&self) -> bool {
        Instant::now() >= self.beat_at
    }

    /// A message is on its way.
    pub(super) fn sent(&mut self) {
        self.beat_at = Instant::now() + HEARTBEAT;
    }
}

/// What one display has seen of the pumps of its ward.
#[derive(Debug)]
pub(super) struct Numerics {
    serving: Serving,
    ward: Option<Id>,
    /// The list that `pumps` was made of.
    all: Arc<Vec<Arc<PumpSlot>>>,
    pumps: Vec<(Arc<PumpSlot>, Option<Shown>)>,
    conflated: Counter,
}

fn encoded(slot: &PumpSlot, view: &View, rules: &RuleBook) -> Bytes {
    field(PUMPS, &convert::pump(slot, view, rules))
}

impl Numerics {
    /// Has seen nothing.
    pub(super) fn new(serving: &Serving, ward: Option<Id>) -> Self {
        let dropped = serving.metrics.subscription_dropped.get(StreamKind::Numeric);
        Self {
            serving: serving.clone(),
            ward,
            all: Arc::default(),
            pumps: Vec::new(),
            conflated: dropped.get(SubscriptionDropped::Conflated).clone(),
        }
    }

    /// The pumps whose view the display has not seen, each as a field.
    pub(super) fn changed(&mut self) -> Vec<Bytes> {
        self.join();
        let mut changed = Vec::new();
        for (slot, known) in &mut self.pumps {
            let Some(shown) = slot.shown(known.as_ref(), encoded) else { continue };
            // Views are made at the pace of frames: those between the two took each other's place.
            let accepted = |shown: &Shown| shown.view.counters.frames.accepted;
            let passed =
                known.as_ref().map_or(0, |known| accepted(&shown).saturating_sub(accepted(known)));
            self.conflated.increment(passed.saturating_sub(1));
            changed.push(shown.bytes.clone());
            *known = Some(shown);
        }
        changed
    }

    /// Takes in pumps that were met since the last time.
    fn join(&mut self) {
        let all = self.serving.registry.all();
        if Arc::ptr_eq(&all, &self.all) {
            return;
        }
        let ward = self.ward.as_ref();
        let mut before = std::mem::take(&mut self.pumps);
        for slot in all.iter().filter(|slot| ward.is_none_or(|ward| slot.address.ward == *ward)) {
            let known = before.iter_mut().find(|(known, _)| Arc::ptr_eq(known, slot));
            let seen = known.and_then(|(_, seen)| seen.take());
            self.pumps.push((Arc::clone(slot), seen));
        }
        self.all = all;
    }
}

/// One message of the stream of pumps.
#[derive(Debug)]
pub(super) struct PumpMessage {
    pumps: Vec<Bytes>,
    now_mono_ns: u64,
    epoch: u64,
    sequence: u64,
    alarm_thread_mono_ns: u64,
}

impl Wire for PumpMessage {
    fn write(&self, out: &mut impl BufMut) {
        for pump in &self.pumps {
            out.put_slice(pump);
        }
        put_uint(2, self.now_mono_ns, out);
        put_fixed(3, self.epoch, out);
        put_uint(4, self.sequence, out);
        put_uint(5, self.alarm_thread_mono_ns, out);
    }

    fn size_hint(&self) -> usize {
        64 + self.pumps.iter().map(Bytes::len).sum::<usize>()
    }
}

/// One display's watch of pumps.
#[derive(Debug)]
struct Watch {
    serving: Serving,
    numerics: Numerics,
    pace: Pace,
    sequence: u64,
    _open: OpenStream,
}

impl Watch {
    async fn next(&mut self) -> PumpMessage {
        loop {
            let must = self.pace.due().await;
            let pumps = self.numerics.changed();
            if pumps.is_empty() && !must {
                continue;
            }
            self.pace.sent();
            let sequence = self.sequence;
            self.sequence += 1;
            return PumpMessage {
                pumps,
                now_mono_ns: self.serving.clock.now().as_nanos(),
                epoch: self.serving.epoch,
                sequence,
                alarm_thread_mono_ns: self.serving.engine.last_round().as_nanos(),
            };
        }
    }
}

/// Opens the stream of pumps for one display.
///
/// # Errors
/// The ward is none, or the interval is out of range.
pub(super) fn open(
    serving: &Serving,
    request: &v1::WatchPumpsRequest,
) -> Result<impl Stream<Item = Result<PumpMessage, Status>> + Send + use<>, Status> {
    let of_ward = ward(&request.ward)?;
    let pace = Pace::new(request.interval_ms)?;
    let open = serving.metrics.subscriptions_active(&request.ward);
    let watch = Watch {
        numerics: Numerics::new(serving, of_ward),
        serving: serving.clone(),
        pace,
        sequence: 0,
        _open: OpenStream::new(open.get(StreamKind::Numeric)),
    };
    Ok(try_unfold(watch, async |mut watch| Ok(Some((watch.next().await, watch)))))
}
