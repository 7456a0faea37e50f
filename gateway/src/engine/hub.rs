//! Hands every alarm change to every display at once, measures the way, and remembers what was handed over.

mod adopted;

mod notes;

mod outbox;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ecmo_core::alarm::condition::{Condition, Priority};
use ecmo_core::alarm::occurrence::{Audio, Occurrence, Transition};
use ecmo_core::alarm::{AlarmChange, Cause};
use ecmo_core::frame::FrameStamp;
use ecmo_core::time::Instant;
use ecmo_core::uplink::{self, Tallies};
use ecmo_proto::topic::{Id, PumpAddress};
use tokio::sync::mpsc;

use super::counting::{kind_label, priority_label};
use super::decisions::Decisions;
use super::lane::AlarmLane;
use super::recent::{HandedOver, Recent};
use crate::clock::Clock;
use crate::fanout::{AlarmItem, AlarmUpdate, Encoded, PathTimes, PumpSlot, WaveformFrame};
use crate::journal::{Intake, RecordingState, What};
use crate::latency::{Hop, Latencies};
use crate::metrics::{
    AlarmKind, AlarmPriority, AlarmTransition, BrokerPath, By, Counter, Gauge, Metrics, Stage,
    StreamKind, SubscriptionDropped,
};
use crate::store::state::StateIntake;

pub(super) use notes::{Note, Revision, Way};
pub(super) use outbox::Outbox;

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
    /// Whether the display counts for all that was known; for a display that named none, whether it attends.
    pub counts: bool,
}

/// What a condition is about.
#[derive(Debug, Clone, Copy)]
enum About<'a> {
    /// A pump.
    Pump(&'a PumpAddress),
    /// The displays of a ward.
    Ward(&'a Arc<str>),
    /// The gateway itself.
    Gateway,
}

/// The displays, and what is measured on the way to them.
#[derive(Debug)]
pub(super) struct Hub {
    clock: Clock,
    gateway: Arc<str>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) latencies: Arc<Latencies>,
    waveforms: mpsc::Sender<Waveform>,
    lane: AlarmLane,
    pub(super) recent: Recent,
    /// Alarms that displays of every ward are given.
    redirected: HashSet<String>,
    tallies: Tallies,
    transitions: HashMap<&'static str, By<AlarmTransition, Counter>>,
    /// Under which labels each occurrence that has not ended is counted: its priority may change.
    counted: HashMap<String, (AlarmPriority, AlarmKind)>,
    /// Wards in which a new or worse alarm is heard, `None` for all: their pauses end.
    heard: Vec<Option<Id>>,
    notes: Vec<Note>,
    journal: Option<Intake>,
    /// The way to the history, where one is kept.
    disclosure: Option<Intake>,
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
            gateway: Arc::from(""),
            metrics,
            latencies,
            waveforms,
            lane: AlarmLane::new(clock),
            recent: Recent::default(),
            redirected: HashSet::new(),
            tallies: Tallies::default(),
            transitions,
            counted: HashMap::new(),
            heard: Vec::new(),
            notes: Vec::new(),
            journal: None,
            disclosure: None,
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

    /// The same with a name among other gateways.
    #[must_use]
    pub(super) fn named(mut self, name: &Id) -> Self {
        self.gateway = Arc::from(name.as_str());
        self
    }

    /// The same with a journal and a history, where they are kept.
    #[must_use]
    pub(super) fn recording(mut self, journal: Option<Intake>, disclosure: Option<Intake>) -> Self {
        (self.journal, self.disclosure) = (journal, disclosure);
        self
    }

    /// Takes over what had ended before the gateway started, the oldest first.
    pub(super) fn remember(&mut self, ended: Vec<AlarmUpdate>) {
        self.lane.restore(ended);
    }

    /// Hands something to the journal and the history, where they are kept; waits for nothing.
    pub(super) fn keep(
        &self,
        slot: &Arc<PumpSlot>,
        received: Instant,
        what: impl FnOnce() -> What,
    ) {
        if self.journal.is_none() && self.disclosure.is_none() {
            return;
        }
        let what = what();
        if let Some((history, what)) = self.disclosure.as_ref().zip(what.for_history()) {
            history.offer(slot, received, what);
        }
        if let Some(journal) = &self.journal {
            journal.offer(slot, received, what);
        }
    }

    /// Hands a revision of an alarm to the history, where one is kept; waits for nothing.
    pub(super) fn keep_alarm(&self, slot: &Arc<PumpSlot>, now: Instant, change: &AlarmChange<'_>) {
        let Some(history) = &self.disclosure else { return };
        let mut update = self.update_of(Some(&slot.address), change.occurrence);
        update.transition = Some(change.transition);
        history.offer(slot, now, What::Alarm(Box::new(update)));
    }

    /// Whether what arrives is kept; `None` where nothing is to be.
    pub(super) fn keeps(&mut self, now: Instant) -> Option<bool> {
        let mut keeps = None;
        for intake in [&mut self.journal, &mut self.disclosure].into_iter().flatten() {
            keeps = Some(keeps.unwrap_or(true) && intake.state(now) == RecordingState::Keeps);
        }
        keeps
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

    /// What hops took since the last time.
    pub(super) fn take_tallies(&mut self) -> Tallies {
        std::mem::take(&mut self.tallies)
    }

    /// Gives an alarm to displays of other wards, and all that comes of it too.
    pub(super) fn redirect(&mut self, update: AlarmUpdate) {
        self.redirected.insert(update.id());
        let update = AlarmUpdate { redirected: true, ..update };
        let cut_off = self.lane.tell(AlarmItem::Redirected(Arc::new(Encoded::new(update))));
        self.count_cut_off(cut_off);
    }

    /// Whether any alarm was given to displays of other wards.
    pub(super) fn redirects(&self) -> bool {
        !self.redirected.is_empty()
    }

    /// Gives the synthetic alarm to every display.
    pub(super) fn drill(&mut self, occurrence: Arc<str>, revision: u32) {
        let cut_off = self.lane.tell(AlarmItem::Drill { occurrence, revision });
        self.count_cut_off(cut_off);
    }

    /// An occurrence as displays get it, without a deciding sample.
    #[must_use]
    pub(super) fn update_of(
        &self,
        address: Option<&PumpAddress>,
        occurrence: &Occurrence,
    ) -> AlarmUpdate {
        self.update_about(address.map_or(About::Gateway, About::Pump), occurrence)
    }

    /// An occurrence about the displays of a ward.
    #[must_use]
    pub(super) fn update_of_ward(&self, ward: &Arc<str>, occurrence: &Occurrence) -> AlarmUpdate {
        self.update_about(About::Ward(ward), occurrence)
    }

    fn update_about(&self, about: About<'_>, occurrence: &Occurrence) -> AlarmUpdate {
        let now = self.clock.now();
        let age = i64::try_from(now.since(occurrence.onset_at).as_nanos()).unwrap_or(i64::MAX);
        let (address, ward) = match about {
            About::Pump(address) => (Some(address.clone()), None),
            About::Ward(ward) => (None, Some(Arc::clone(ward))),
            About::Gateway => (None, None),
        };
        let mut update = AlarmUpdate {
            address,
            ward,
            gateway: Arc::clone(&self.gateway),
            occurrence: occurrence.clone(),
            transition: None,
            onset_wall_ns: self.clock.wall_ns().saturating_sub(age),
            path: PathTimes::default(),
            redirected: false,
        };
        update.redirected = !self.redirected.is_empty() && self.redirected.contains(&update.id());
        update
    }

    /// Takes note of how long a frame was on its way; by both wall clocks until the probes have told where they lie.
    pub(super) fn measure_arrival(&self, stamp: &FrameStamp, way: Way, path: BrokerPath) {
        let nanos = |took: Duration| i64::try_from(took.as_nanos()).unwrap_or(i64::MAX);
        let Some(waited) = way.sampled_to_published else { return };
        self.record(Hop::SampledToPublished, nanos(waited));
        let network = way.published_to_received.map_or_else(|| self.wall_hop(stamp), nanos);
        if let Some(seconds) = self.record(Hop::PublishedToReceived, network) {
            self.metrics.ingest_latency_seconds.get(path).record(seconds);
        }
    }

    /// Counts a frame that was judged towards the budgets of the hops before.
    pub(super) fn tally(&mut self, way: Way) {
        if let Some(took) = way.sampled_to_published {
            self.tallies.note(uplink::Hop::Agent, took);
        }
        if let Some(took) = way.published_to_received {
            self.tallies.note(uplink::Hop::Network, took);
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
        self.tallies.note(uplink::Hop::Decision, now.since(received));
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

    fn change(&mut self, about: About<'_>, change: &AlarmChange<'_>) {
        let mut update = self.update_about(about, change.occurrence);
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
        if let (About::Pump(address), Some(decisions)) = (about, &self.decisions) {
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
        self.listen(about, change);
        // Only an alarm that calls for a person is late; how old the frame is that ends one says nothing.
        let waited = path.sampled_to_published.filter(|_took| calls(change.transition));
        self.note(&id, change.occurrence, waited);
        let parts =
            (path.sampled_to_published, path.published_to_received, path.received_to_decided);
        let sampled_to_decided = match parts {
            (Some(sampled), Some(published), Some(received)) => {
                Some(sampled + published + received)
            }
            (None, _, _) | (_, None, _) | (_, _, None) => None,
        };
        self.recent.push(HandedOver {
            id,
            revision: change.occurrence.revision,
            decided_at,
            sampled_to_decided,
            is_high: change.occurrence.priority == Priority::High,
            confirmed: false,
            counted: false,
        });
    }

    /// Takes note of what displays must answer for, and of what the agent took for this alarm.
    fn note(&mut self, id: &str, occurrence: &Occurrence, waited: Option<Duration>) {
        if occurrence.has_ended() {
            self.redirected.remove(id);
        }
        self.notes.push(Note::Alarm(Revision::of(id.to_owned(), occurrence)));
        if let Some(took) = waited {
            self.notes.push(Note::Took(uplink::Hop::Agent, took));
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
    fn listen(&mut self, about: About<'_>, change: &AlarmChange<'_>) {
        if calls(change.transition) && change.occurrence.audio() == Audio::On {
            self.heard.push(match about {
                About::Pump(address) => Some(address.ward.clone()),
                About::Ward(ward) => Id::new(ward).ok(),
                About::Gateway => None,
            });
        }
    }
}

/// Whether an alarm calls for a person with this step.
const fn calls(transition: Transition) -> bool {
    match transition {
        Transition::Raised | Transition::Returned | Transition::Worsened => true,
        Transition::Latched
        | Transition::Acknowledged
        | Transition::DataLost
        | Transition::DataBack
        | Transition::RuleChanged
        | Transition::AudioChanged
        | Transition::Reminded
        | Transition::Ended => false,
    }
}
