//! Hands every alarm change to every display at once, measures the way, and remembers what was handed over.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ecmo_core::alarm::occurrence::{Occurrence, Transition};
use ecmo_core::alarm::rule::{Condition, Kind, Priority, Rules};
use ecmo_core::alarm::{AlarmChange, Cause, Output};
use ecmo_core::frame::{Frame, FrameStamp};
use ecmo_core::time::{ClockMap, Instant};
use ecmo_proto::topic::PumpAddress;
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::fanout::{
    AlarmItem, AlarmOutlet, AlarmUpdate, OutletEnd, PathTimes, PumpSlot, Stamped, WaveformBlock,
    WaveformFrame,
};
use crate::latency::{Hop, Latencies};
use crate::metrics::{
    AlarmKind, AlarmPriority, AlarmTransition, BrokerPath, By, Metrics, Stage, StreamKind,
    SubscriptionDropped,
};

/// Revisions that are remembered, so that a display's confirmation can be measured: all of the last alarm storm.
const RECENT_MAX: usize = 4_096;

/// More than this between two wall clocks is an error of one of them, not a way.
const WALL_HOP_MAX: Duration = Duration::from_secs(10);

/// A frame of waveforms on its way to the serving side.
pub type Waveform = (Arc<PumpSlot>, Arc<WaveformFrame>);

/// What is known of revisions that a display has confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confirmed {
    /// How many of them were handed over.
    pub known: u32,
    /// From the decision about the last known one to its confirmation.
    pub last_took: Option<Duration>,
}

/// A revision that was handed over.
#[derive(Debug)]
struct HandedOver {
    id: String,
    revision: u32,
    decided_at: Instant,
    sampled_to_decided: Option<Duration>,
    confirmed: bool,
}

/// The displays, and what is measured on the way to them.
#[derive(Debug)]
pub(super) struct Hub {
    clock: Clock,
    metrics: Arc<Metrics>,
    latencies: Arc<Latencies>,
    waveforms: mpsc::Sender<Waveform>,
    outlets: Vec<AlarmOutlet>,
    recent: VecDeque<HandedOver>,
    transitions: HashMap<&'static str, By<AlarmTransition, metrics::Counter>>,
}

impl Hub {
    /// Nobody watches yet. Makes the series of every condition now, because that takes a lock.
    #[must_use]
    pub(super) fn new(
        clock: Clock,
        metrics: Arc<Metrics>,
        latencies: Arc<Latencies>,
        waveforms: mpsc::Sender<Waveform>,
        rules: &Rules,
    ) -> Self {
        let of_limits = rules.limits().iter().map(|rule| rule.condition.family());
        let of_absence =
            [Condition::COMM_STALE, Condition::SOURCE_DUPLICATE, Condition::COMM_BROKER]
                .map(Condition::family);
        let transitions = of_limits
            .chain(of_absence)
            .chain([Condition::SENSOR_FAULT_FAMILY])
            .map(|family| (family, metrics.alarm_transitions(family)))
            .collect();
        Self {
            clock,
            metrics,
            latencies,
            waveforms,
            outlets: Vec::new(),
            recent: VecDeque::new(),
            transitions,
        }
    }

    /// Adds a display and gives it the snapshot first.
    pub(super) fn watch(&mut self, outlet: AlarmOutlet, snapshot: Vec<AlarmUpdate>) {
        let first = self.stamp(AlarmItem::Snapshot(Arc::new(snapshot)));
        if outlet.hand_over(&first).is_ok() {
            self.outlets.push(outlet);
        }
    }

    /// Tells every display that the alarm thread lives.
    pub(super) fn heartbeat(&mut self) {
        let item = self.stamp(AlarmItem::Heartbeat);
        self.hand_over(&item);
    }

    /// Measures the confirmations of a display.
    pub(super) fn confirm(&mut self, shown: &[(String, u32)], now: Instant) -> Confirmed {
        let mut confirmed = Confirmed::default();
        for (id, revision) in shown {
            let found =
                self.recent.iter_mut().rev().find(|one| one.revision == *revision && one.id == *id);
            let Some(found) = found else { continue };
            let took = now.since(found.decided_at);
            confirmed.known += 1;
            confirmed.last_took = Some(took);
            // The first display counts: from then on somebody can know. Later ones may have joined later.
            if std::mem::replace(&mut found.confirmed, true) {
                continue;
            }
            self.latencies.record_between(Hop::DecidedToConfirmed, found.decided_at, now);
            if let Some(before) = found.sampled_to_decided {
                let nanos = i64::try_from((before + took).as_nanos()).unwrap_or(i64::MAX);
                if let Some(seconds) = self.latencies.record(Hop::SampledToConfirmed, nanos) {
                    let end_to_end = &self.metrics.end_to_end_latency_seconds;
                    end_to_end.get(StreamKind::Alarm).record(seconds);
                }
            }
        }
        confirmed
    }

    /// An occurrence as displays get it, without a deciding sample.
    #[must_use]
    pub(super) fn update_of(
        &self,
        address: Option<&PumpAddress>,
        occurrence: &Occurrence,
    ) -> AlarmUpdate {
        let now = self.clock.now();
        let age = i64::try_from(now.since(occurrence.onset_at).as_nanos()).unwrap_or(i64::MAX);
        AlarmUpdate {
            address: address.cloned(),
            occurrence: occurrence.clone(),
            transition: Transition::Raised,
            onset_wall_ns: self.clock.wall_ns().saturating_sub(age),
            path: PathTimes::default(),
        }
    }

    /// Takes note of how long a frame was on its way.
    pub(super) fn measure_arrival(
        &self,
        stamp: &FrameStamp,
        sampled_to_published: Duration,
        path: BrokerPath,
    ) {
        let nanos = i64::try_from(sampled_to_published.as_nanos()).unwrap_or(i64::MAX);
        self.record(Hop::SampledToPublished, nanos);
        if let Some(seconds) = self.record(Hop::PublishedToReceived, self.wall_hop(stamp)) {
            self.metrics.ingest_latency_seconds.get(path).record(seconds);
        }
    }

    /// Now, for the measure of a stage.
    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Takes note of how long a frame took from its arrival to its decision, and of that how long to be decoded.
    pub(super) fn measure_decision(&self, received: Instant, begun: Instant, decoded: Instant) {
        let now = self.clock.now();
        self.latencies.record_between(Hop::ReceivedToDecided, received, now);
        let stages = &self.metrics.processing_seconds;
        stages.get(Stage::Decode).record(decoded.since(begun).as_secs_f64());
        stages.get(Stage::Alarm).record(now.since(decoded).as_secs_f64());
    }

    fn record(&self, hop: Hop, nanos: i64) -> Option<f64> {
        let recorded = self.latencies.record(hop, nanos);
        if recorded.is_none() {
            self.metrics.latency_discarded.increment(1);
        }
        recorded
    }

    /// From the agent's wall clock to ours, in nanoseconds; nonsense when one of them is wrong.
    fn wall_hop(&self, stamp: &FrameStamp) -> i64 {
        let since = i64::try_from(self.clock.now().since(stamp.received).as_nanos());
        let received_wall = self.clock.wall_ns().saturating_sub(since.unwrap_or(i64::MAX));
        received_wall.saturating_sub(stamp.published_wall_ns)
    }

    fn stamp(&self, item: AlarmItem) -> Stamped {
        Stamped { item, made_at: self.clock.now(), wall_ns: self.clock.wall_ns() }
    }

    fn hand_over(&mut self, item: &Stamped) {
        let dropped = self.metrics.subscription_dropped.get(StreamKind::Alarm);
        self.outlets.retain(|outlet| match outlet.hand_over(item) {
            Ok(()) => true,
            Err(OutletEnd::Gone) => false,
            Err(OutletEnd::CutOff) => {
                dropped.get(SubscriptionDropped::Overflow).increment(1);
                tracing::warn!("a display reads alarms too slowly; it is cut off");
                false
            }
        });
    }

    fn change(&mut self, address: Option<&PumpAddress>, change: &AlarmChange<'_>) {
        let mut update = self.update_of(address, change.occurrence);
        update.transition = change.transition;
        let decided_at = self.clock.now();
        if let Some(cause) = change.cause {
            update.path = self.path_times(&cause, decided_at);
        }
        let id = update.id();
        let priority = priority_label(change.occurrence.priority);
        let path = update.path;
        let item = self.stamp(AlarmItem::Change(Arc::new(update)));
        self.hand_over(&item);
        let handed_over = self.clock.now();
        let delivery =
            self.latencies.record_between(Hop::DecidedToHandedOver, decided_at, handed_over);
        if let Some(seconds) = delivery {
            self.metrics.alarm_delivery_latency_seconds.get(priority).record(seconds);
            self.metrics.processing_seconds.get(Stage::Fanout).record(seconds);
        }
        if let Some(took) = path.received_to_decided {
            let detection = &self.metrics.alarm_detection_latency_seconds;
            detection.get(priority).record(took.as_secs_f64());
        }
        self.count(change);
        if self.recent.len() >= RECENT_MAX {
            self.recent.pop_front();
        }
        let parts =
            (path.sampled_to_published, path.published_to_received, path.received_to_decided);
        let sampled_to_decided = match parts {
            (Some(sampled), Some(published), Some(received)) => {
                Some(sampled + published + received)
            }
            (None, _, _) | (_, None, _) | (_, _, None) => None,
        };
        let revision = change.occurrence.revision;
        self.recent.push_back(HandedOver {
            id,
            revision,
            decided_at,
            sampled_to_decided,
            confirmed: false,
        });
    }

    fn path_times(&self, cause: &Cause, decided_at: Instant) -> PathTimes {
        let wall = u64::try_from(self.wall_hop(&cause.stamp)).ok().map(Duration::from_nanos);
        PathTimes {
            sampled_to_published: Some(cause.stamp.published.since(cause.sampled)),
            published_to_received: wall.filter(|took| *took <= WALL_HOP_MAX),
            received_to_decided: Some(decided_at.since(cause.stamp.received)),
        }
    }

    fn count(&self, change: &AlarmChange<'_>) {
        let occurrence = change.occurrence;
        let active = self
            .metrics
            .alarms_active
            .get(priority_label(occurrence.priority))
            .get(kind_label(occurrence.kind));
        let step = match change.transition {
            Transition::Raised => {
                active.increment(1.0);
                AlarmTransition::Raised
            }
            Transition::Returned => AlarmTransition::Raised,
            Transition::Acknowledged => AlarmTransition::Acknowledged,
            Transition::Ended | Transition::Latched => AlarmTransition::Cleared,
            Transition::DataLost | Transition::DataBack => return,
        };
        if occurrence.has_ended() {
            active.decrement(1.0);
        }
        if let Some(counters) = self.transitions.get(occurrence.id.condition.family()) {
            counters.get(step).increment(1);
        }
    }
}

/// Takes what the decisions about one pump, or the gateway, produce.
#[derive(Debug)]
pub(super) struct Outbox<'a> {
    /// The displays.
    pub(super) hub: &'a mut Hub,
    /// The pump; `None` for the gateway itself.
    pub(super) pump: Option<&'a Arc<PumpSlot>>,
    /// When the present round began.
    pub(super) now: Instant,
}

impl Output for Outbox<'_> {
    fn evaluated(&mut self, frame: &Frame, clock: &ClockMap) {
        let Some(slot) = self.pump.filter(|slot| slot.is_watched()) else { return };
        let blocks = frame
            .blocks()
            .map(|(block, readings)| WaveformBlock {
                parameter: block.parameter,
                first_index: block.first_index,
                start: clock.to_reader(block.start, self.now),
                interval: block.interval,
                readings: readings.to_vec(),
            })
            .collect();
        let samples = WaveformFrame { boot: frame.boot, sequence: frame.sequence, blocks };
        if self.hub.waveforms.try_send((Arc::clone(slot), Arc::new(samples))).is_err() {
            let dropped = self.hub.metrics.subscription_dropped.get(StreamKind::Waveform);
            dropped.get(SubscriptionDropped::Overflow).increment(1);
        }
    }

    fn alarm(&mut self, change: AlarmChange<'_>) {
        let address = self.pump.map(|slot| &slot.address);
        // The displays first: a line of log is formatted afterwards.
        self.hub.change(address, &change);
        let occurrence = change.occurrence;
        tracing::info!(
            pump = address.map(tracing::field::display),
            condition = %occurrence.id.condition,
            transition = ?change.transition,
            priority = ?occurrence.priority,
            revision = occurrence.revision,
            "alarm"
        );
    }
}

const fn priority_label(priority: Priority) -> AlarmPriority {
    match priority {
        Priority::High => AlarmPriority::High,
        Priority::Medium => AlarmPriority::Medium,
        Priority::Low => AlarmPriority::Low,
    }
}

const fn kind_label(kind: Kind) -> AlarmKind {
    match kind {
        Kind::Physiological => AlarmKind::Physiological,
        Kind::Technical => AlarmKind::Technical,
    }
}
