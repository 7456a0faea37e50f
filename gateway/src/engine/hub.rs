//! Hands every alarm change to every display at once, measures the way, and remembers what was handed over.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ecmo_core::alarm::condition::{Condition, Priority};
use ecmo_core::alarm::occurrence::{Audio, Occurrence, Signal, Transition};
use ecmo_core::alarm::{AlarmChange, Cause, Output};
use ecmo_core::frame::{Frame, FrameStamp};
use ecmo_core::time::{ClockMap, Instant};
use ecmo_proto::topic::{Id, PumpAddress};
use tokio::sync::mpsc;

use super::counting::{count_at_pump, kind_label, priority_label};
use super::decisions::Decisions;
use super::lane::AlarmLane;
use crate::clock::Clock;
use crate::fanout::{AlarmItem, AlarmUpdate, PathTimes, PumpSlot, WaveformBlock, WaveformFrame};
use crate::history::Collector;
use crate::journal::{Intake, RecordingState, What};
use crate::latency::{Hop, Latencies};
use crate::metrics::{
    AlarmKind, AlarmPriority, AlarmTransition, BrokerPath, By, Counter, Gauge, Metrics, Stage,
    StreamKind, SubscriptionDropped,
};
use crate::store::state::StateIntake;

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

/// What the gateway must know to judge itself.
#[derive(Debug)]
pub(super) enum Note {
    /// A high alarm began to signal, or came back, with this revision.
    Signals(String, u32),
    /// An alarm signals no longer, or is not high any more.
    Quiet(String),
    /// A display has shown this revision.
    Shown(String, u32),
    /// A frame was decided, so long after its arrival.
    Decided(Duration),
}

/// The displays, and what is measured on the way to them.
#[derive(Debug)]
pub(super) struct Hub {
    clock: Clock,
    metrics: Arc<Metrics>,
    latencies: Arc<Latencies>,
    waveforms: mpsc::Sender<Waveform>,
    lane: AlarmLane,
    recent: VecDeque<HandedOver>,
    transitions: HashMap<&'static str, By<AlarmTransition, Counter>>,
    /// Under which labels each occurrence that has not ended is counted: its priority may change.
    counted: HashMap<String, (AlarmPriority, AlarmKind)>,
    /// Wards in which a new or worse alarm is heard, `None` for all: their pauses end.
    heard: Vec<Option<Id>>,
    notes: Vec<Note>,
    journal: Option<Intake>,
    /// The way to the state store, where one is kept.
    pub(super) state: Option<StateIntake>,
    decisions: Option<Decisions>,
}

impl Hub {
    /// Nobody watches yet. Makes the series of every condition now, because that takes a lock.
    #[must_use]
    pub(super) fn new(
        clock: Clock,
        metrics: Arc<Metrics>,
        latencies: Arc<Latencies>,
        waveforms: mpsc::Sender<Waveform>,
    ) -> Self {
        let families = Condition::ALL.iter().map(|condition| condition.family());
        let transitions = families
            .chain([Condition::SENSOR_FAULT_FAMILY])
            .map(|family| (family, metrics.alarm_transitions(family)))
            .collect();
        Self {
            clock,
            metrics,
            latencies,
            waveforms,
            lane: AlarmLane::new(clock),
            recent: VecDeque::new(),
            transitions,
            counted: HashMap::new(),
            heard: Vec::new(),
            notes: Vec::new(),
            journal: None,
            state: None,
            decisions: None,
        }
    }

    /// The same that tells other gateways, and any other system, what samples decide.
    #[must_use]
    pub(super) fn telling(mut self, decisions: Decisions) -> Self {
        self.decisions = Some(decisions);
        self
    }

    /// The same with a journal, where one is kept.
    #[must_use]
    pub(super) fn recording(mut self, journal: Option<Intake>) -> Self {
        self.journal = journal;
        self
    }

    /// Takes over what had ended before the gateway started, the oldest first.
    pub(super) fn remember(&mut self, ended: Vec<AlarmUpdate>) {
        self.lane.restore(ended);
    }

    /// Hands something to the journal, where one is kept; waits for nothing.
    pub(super) fn keep(
        &self,
        slot: &Arc<PumpSlot>,
        received: Instant,
        what: impl FnOnce() -> What,
    ) {
        if let Some(journal) = &self.journal {
            journal.offer(slot, received, what());
        }
    }

    /// Whether what arrives is kept; `None` where nothing is to be.
    pub(super) fn keeps(&mut self, now: Instant) -> Option<bool> {
        let journal = self.journal.as_mut()?;
        Some(journal.state(now) == RecordingState::Keeps)
    }

    /// What happened since the last time that the gateway is judged by.
    pub(super) fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// Wards in which a new or worse alarm was heard since the last time; `None` for all.
    pub(super) fn take_heard(&mut self) -> Vec<Option<Id>> {
        std::mem::take(&mut self.heard)
    }

    /// What displays that watch alarms are handed.
    pub(super) const fn lane(&mut self) -> &mut AlarmLane {
        &mut self.lane
    }

    /// Tells every display that the alarm thread lives.
    pub(super) fn heartbeat(&mut self) {
        let cut_off = self.lane.tell(AlarmItem::Heartbeat);
        self.count_cut_off(cut_off);
    }

    /// Takes note of an alarm that was there before the gateway started: it is counted, and a display must show it anew.
    pub(super) fn adopt(&mut self, address: &PumpAddress, occurrence: &Occurrence) {
        let id = self.update_of(Some(address), occurrence).id();
        let labels = (priority_label(occurrence.priority), kind_label(occurrence.kind));
        if self.counted.insert(id.clone(), labels).is_none() {
            self.gauge(labels).increment(1.0);
        }
        let signals = matches!(occurrence.signal(), Signal::On | Signal::Latched);
        if signals && occurrence.priority == Priority::High {
            self.notes.push(Note::Signals(id, occurrence.revision));
        }
    }

    /// Measures the confirmations of a display.
    pub(super) fn confirm(&mut self, shown: &[(String, u32)], now: Instant) -> Confirmed {
        let mut confirmed = Confirmed::default();
        for (id, revision) in shown {
            self.notes.push(Note::Shown(id.clone(), *revision));
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
            transition: None,
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
    pub(super) fn measure_decision(&mut self, received: Instant, begun: Instant, decoded: Instant) {
        let now = self.clock.now();
        self.latencies.record_between(Hop::ReceivedToDecided, received, now);
        self.notes.push(Note::Decided(now.since(received)));
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

    fn count_cut_off(&self, displays: u64) {
        if displays > 0 {
            let dropped = self.metrics.subscription_dropped.get(StreamKind::Alarm);
            dropped.get(SubscriptionDropped::Overflow).increment(displays);
            tracing::warn!(displays, "a display reads alarms too slowly; it is cut off");
        }
    }

    fn change(&mut self, address: Option<&PumpAddress>, change: &AlarmChange<'_>) {
        let mut update = self.update_of(address, change.occurrence);
        update.transition = Some(change.transition);
        let decided_at = self.clock.now();
        if let Some(cause) = change.cause {
            update.path = self.path_times(&cause, decided_at);
        }
        let id = update.id();
        let priority = priority_label(change.occurrence.priority);
        let path = update.path;
        let cut_off = self.lane.change(update);
        self.count_cut_off(cut_off);
        let handed_over = self.clock.now();
        if let (Some(address), Some(decisions)) = (address, &self.decisions) {
            decisions.tell(address, change);
        }
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
        self.count(&id, change);
        self.listen(address, change);
        self.note(&id, change.occurrence);
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

    /// Takes note of a high alarm that a display must show, and of one that is high no longer.
    fn note(&mut self, id: &str, occurrence: &Occurrence) {
        // That nobody confirms is not confirmed by nobody either.
        if occurrence.id.condition == Condition::DELIVERY_UNCONFIRMED {
            return;
        }
        let signals = matches!(occurrence.signal(), Signal::On | Signal::Latched);
        if occurrence.priority != Priority::High || !signals {
            self.notes.push(Note::Quiet(id.to_owned()));
        } else if occurrence.covers_from == occurrence.revision {
            // Only what a person would see differently must be seen again.
            self.notes.push(Note::Signals(id.to_owned(), occurrence.revision));
        }
    }

    fn path_times(&self, cause: &Cause, decided_at: Instant) -> PathTimes {
        let wall = u64::try_from(self.wall_hop(&cause.stamp)).ok().map(Duration::from_nanos);
        PathTimes {
            sampled_to_published: Some(cause.stamp.published.since(cause.sampled)),
            published_to_received: wall.filter(|took| *took <= WALL_HOP_MAX),
            received_to_decided: Some(decided_at.since(cause.stamp.received)),
        }
    }

    /// Counts the step, and keeps the number of alarms by priority right when that changes.
    fn count(&mut self, id: &str, change: &AlarmChange<'_>) {
        let occurrence = change.occurrence;
        let labels = (priority_label(occurrence.priority), kind_label(occurrence.kind));
        let before = if occurrence.has_ended() {
            self.counted.remove(id)
        } else {
            self.gauge(labels).increment(1.0);
            self.counted.insert(id.to_owned(), labels)
        };
        if let Some(before) = before {
            self.gauge(before).decrement(1.0);
        }
        let step = match change.transition {
            Transition::Raised | Transition::Returned => AlarmTransition::Raised,
            Transition::Acknowledged => AlarmTransition::Acknowledged,
            Transition::Ended | Transition::Latched => AlarmTransition::Cleared,
            Transition::Worsened if occurrence.escalated => AlarmTransition::Escalated,
            Transition::AudioChanged => match occurrence.audio() {
                Audio::Paused { .. } => AlarmTransition::Paused,
                Audio::Shelved { .. } => AlarmTransition::Shelved,
                Audio::On | Audio::Off | Audio::Grouped { .. } => return,
            },
            Transition::Worsened
            | Transition::RuleChanged
            | Transition::Reminded
            | Transition::DataLost
            | Transition::DataBack => return,
        };
        if let Some(counters) = self.transitions.get(occurrence.id.condition.family()) {
            counters.get(step).increment(1);
        }
    }

    fn gauge(&self, (priority, kind): (AlarmPriority, AlarmKind)) -> &Gauge {
        self.metrics.alarms_active.get(priority).get(kind)
    }

    /// Takes note of a new or worse alarm that is heard.
    fn listen(&mut self, address: Option<&PumpAddress>, change: &AlarmChange<'_>) {
        let is_new = match change.transition {
            Transition::Raised | Transition::Returned | Transition::Worsened => true,
            Transition::Latched
            | Transition::Acknowledged
            | Transition::DataLost
            | Transition::DataBack
            | Transition::RuleChanged
            | Transition::AudioChanged
            | Transition::Reminded
            | Transition::Ended => false,
        };
        if is_new && change.occurrence.audio() == Audio::On {
            self.heard.push(address.map(|address| address.ward.clone()));
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
    /// The pump's history, where one is kept.
    pub(super) collector: Option<&'a mut Collector>,
}

impl<'a> Outbox<'a> {
    /// For what is no frame.
    pub(super) fn new(hub: &'a mut Hub, pump: Option<&'a Arc<PumpSlot>>, now: Instant) -> Self {
        Self { hub, pump, now, collector: None }
    }
}

impl Output for Outbox<'_> {
    fn evaluated(&mut self, frame: &Frame, clock: &ClockMap) {
        if let Some(collector) = self.collector.as_mut() {
            collector.on_frame(frame, clock, self.now);
        }
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
        let samples = WaveformFrame::new(frame.boot, frame.sequence, blocks);
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
        if let Some(slot) = self.pump.filter(|_slot| change.transition == Transition::Raised) {
            self.hub.keep(slot, self.now, || What::Raised(occurrence.id));
        }
        if let Some(slot) = self.pump.filter(|_slot| change.transition == Transition::Ended) {
            self.hub.store_ended(&slot.address, occurrence);
        }
        if let Some(series) = self.pump.and_then(|slot| slot.metrics()) {
            count_at_pump(series, &change);
        }
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
