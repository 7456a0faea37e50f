//! The pumps on the alarm thread: each message goes to its pump, is judged, and leaves its trace in view and counters.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ecmo_core::alarm::profile::Profile;
use ecmo_core::alarm::{AlarmChange, Output};
use ecmo_core::frame::Frame;
use ecmo_core::pump::Pump;
use ecmo_core::time::{ClockMap, Instant};
use ecmo_core::view::View;
use ecmo_proto::topic::{self, Id, Kind, PumpAddress};
use tokio::sync::mpsc;

use super::Restored;
use super::asking::{self, ASKED_PER_LOOK_MAX, Asking, Voice};
use super::entry::{Entry, LOG_PERIOD, book_of};
use super::hub::Hub;
use super::stranger::Refused;
use crate::config::PUMPS_MAX;
use crate::decode::{self, Decoder};
use crate::fanout::{AlarmUpdate, PumpSlot};
use crate::history::{Batch, Collector, watched};
use crate::ingest::Arrival;
use crate::journal::{BackfillPart, What};
use crate::metrics::{BrokerPath, FrameRejected, Metrics};

/// A frame that overtook others waits this long for them; then they are lost.
pub(super) const REORDER_WINDOW: Duration = Duration::from_millis(100);

/// Pumps that have their second at one look: at one look each 10 ms every pump has its turn within half a second.
const SECONDS_PER_LOOK_MAX: usize = 8;

/// What the pumps need.
#[derive(Debug)]
pub(super) struct WardParts {
    /// The rules of the site.
    pub(super) profile: Arc<Profile>,
    /// The way to the agents.
    pub(super) voice: Voice,
    /// Handles of all series.
    pub(super) metrics: Arc<Metrics>,
    /// Pumps that were met for the first time; must hold [`PUMPS_MAX`].
    pub(super) new_pumps: mpsc::Sender<Arc<PumpSlot>>,
    /// What people had said before the gateway started.
    pub(super) restored: Restored,
    /// Where the values go, if they are kept.
    pub(super) history: Option<mpsc::Sender<Batch>>,
    /// Where parts of backfills go, unread.
    pub(super) backfill: mpsc::Sender<BackfillPart>,
}

/// All pumps.
#[derive(Debug)]
pub(super) struct Ward {
    parts: WardParts,
    decoder: Decoder,
    links_up: HashSet<BrokerPath>,
    /// Refusals of senders that are not known are not logged before.
    log_from: Option<Instant>,
    /// By "ward/pump", the middle of the topic.
    pub(super) pumps: HashMap<Box<str>, Entry>,
}

impl Ward {
    /// No pump yet.
    #[must_use]
    pub(super) fn new(parts: WardParts) -> Self {
        Self {
            parts,
            decoder: Decoder::default(),
            links_up: HashSet::new(),
            log_from: None,
            pumps: HashMap::new(),
        }
    }

    /// Expects a pump from now on: its silence is an alarm even if it was never heard.
    pub(super) fn expect(&mut self, address: &PumpAddress, now: Instant, hub: &mut Hub) {
        self.add(&address.to_string(), address.clone(), now, hub);
    }

    /// Takes a message. Whether it is damaged, and at a place where no pump is known.
    pub(super) fn on_arrival(&mut self, arrival: &Arrival, hub: &mut Hub) -> bool {
        let now = arrival.received;
        let Some((kind, key)) = place(&arrival.topic) else {
            let refused = Refused::Frame(FrameRejected::Topic);
            return self.refuse(refused, &arrival.topic, arrival.path, now);
        };
        if !self.pumps.contains_key(key) {
            let capacity = Refused::capacity(kind);
            let met = address_of(key).ok_or(capacity).and_then(|address| {
                Refused::unless_readable(kind, &address, arrival, &mut self.decoder)?;
                if self.add(key, address, now, hub) { Ok(()) } else { Err(capacity) }
            });
            if let Err(refused) = met {
                return self.refuse(refused, &arrival.topic, arrival.path, now);
            }
        }
        let Some(entry) = self.pumps.get_mut(key) else { return false };
        match kind {
            Kind::Frame => entry.on_frame(arrival, &mut self.decoder, &self.parts.metrics, hub),
            Kind::Birth => entry.on_birth(arrival, &self.parts.metrics, hub),
            Kind::Status => entry.on_status(arrival, &self.parts.metrics, hub),
            Kind::Heartbeat => {
                // One that a broker had kept is old by definition, and so is what it says of the spool.
                if !arrival.retained {
                    hub.keep(&entry.slot, now, || What::Heartbeat(arrival.payload.clone()));
                }
                entry.on_heartbeat(arrival, &self.parts.voice.asker, &self.parts.metrics, hub);
            }
            Kind::Backfill => hand_over(arrival, entry, &self.parts),
            // Nobody subscribes to them; a broker that sends them anyway is ignored.
            Kind::Request | Kind::Alarm | Kind::Action | Kind::Peer => {}
        }
        false
    }

    /// Counts a message at a place where no pump is known. Whether it is damaged.
    fn refuse(&mut self, refused: Refused, topic: &str, path: BrokerPath, now: Instant) -> bool {
        refused.count(path, &self.parts.metrics.unknown_pump, &self.parts.metrics);
        if refused.is_damage() && self.log_from.is_none_or(|from| now >= from) {
            self.log_from = Some(now.plus(LOG_PERIOD));
            // Whoever sends it chose the name: no more of it than helps to find them.
            let (topic, reason) = (decode::shorten(topic), refused.reason());
            tracing::warn!(
                topic,
                path = path.label(),
                reason,
                "of no known pump; logged once a burst"
            );
        }
        refused.is_damage()
    }

    /// Takes note of a message that was too long to be read, at the pump that it is of if that is known. Whether none is.
    pub(super) fn on_oversize(
        &mut self,
        topic: &str,
        path: BrokerPath,
        now: Instant,
        hub: &mut Hub,
    ) -> bool {
        let place = place(topic);
        let refused = Refused::oversize(place.map_or(Kind::Frame, |(kind, _key)| kind));
        match place.and_then(|(_kind, key)| self.pumps.get_mut(key)) {
            Some(entry) => {
                entry.refuse_oversize(refused, path, now, &self.parts.metrics, hub);
                false
            }
            None => self.refuse(refused, topic, path, now),
        }
    }

    /// How many brokers are read.
    pub(super) fn paths(&self) -> usize {
        self.parts.voice.requests.paths().count()
    }

    /// The connection to a broker changed.
    pub(super) fn on_link(&mut self, path: BrokerPath, up: bool, now: Instant) {
        if up {
            self.links_up.insert(path);
        } else {
            self.links_up.remove(&path);
        }
        for entry in self.pumps.values_mut() {
            entry.pump.on_link(asking::path(path), up, now);
            entry.changed = true;
        }
    }

    /// Asks agents for their time and tells them that they are heard, at a few pumps at a time. `is_heard` tells whether the
    /// alarms of a "ward/pump" reach displays.
    pub(super) fn ask(&mut self, is_heard: impl Fn(&str) -> bool, now: Instant) {
        let due = self.pumps.iter_mut().filter(|(_key, entry)| entry.asking.due_at <= now);
        for (key, entry) in due.take(ASKED_PER_LOOK_MAX) {
            self.parts.voice.heard = is_heard(key);
            entry.ask(&self.parts.voice, now);
        }
    }

    /// Lets every pump notice what time it is.
    pub(super) fn on_tick(&mut self, now: Instant, hub: &mut Hub) {
        for entry in self.pumps.values_mut() {
            if entry.pump.next_deadline().is_some_and(|deadline| now >= deadline) {
                entry.act(now, hub, |pump, out| pump.on_tick(now, out));
            }
        }
    }

    /// Does what is due once a second, at a few pumps at a time.
    pub(super) fn on_second(&mut self, now: Instant, wall_ns: i64, hub: &mut Hub) {
        let is_due = |entry: &&mut Entry| entry.second_at <= now;
        for entry in self.pumps.values_mut().filter(is_due).take(SECONDS_PER_LOOK_MAX) {
            entry.on_second(now, wall_ns, hub);
            if let Some(history) = &self.parts.history {
                let lost = entry.give_history(history);
                self.parts.metrics.history_lost.increment(lost);
            }
        }
    }

    /// The earliest time at which [`Ward::on_tick`] has something to do.
    #[must_use]
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.pumps.values().filter_map(|entry| entry.pump.next_deadline()).min()
    }

    /// Shows what has changed: after the alarms of a round, because they come first.
    pub(super) fn show(&mut self, now: Instant, wall_s: f64) {
        for entry in self.pumps.values_mut().filter(|entry| entry.changed) {
            entry.show(now, wall_s);
        }
    }

    /// Every occurrence that has not ended, of one ward or all.
    #[must_use]
    pub(super) fn alarms(&self, ward: Option<&Id>, hub: &Hub) -> Vec<AlarmUpdate> {
        self.pumps
            .values()
            .filter(|entry| ward.is_none_or(|ward| entry.slot.address.ward == *ward))
            .flat_map(|entry| {
                let address = &entry.slot.address;
                entry.pump.alarms().iter().map(|one| hub.update_of(Some(address), one))
            })
            .collect()
    }

    /// Adds a pump; false when there are too many.
    fn add(&mut self, key: &str, address: PumpAddress, now: Instant, hub: &mut Hub) -> bool {
        if self.pumps.len() >= PUMPS_MAX {
            return false;
        }
        let profile = Arc::clone(&self.parts.profile);
        let collector = self.parts.history.is_some().then(|| Collector::new(watched(&profile)));
        let mut pump = Pump::new(profile, REORDER_WINDOW, now);
        if let Some(treatment) = self.parts.restored.treatments.remove(&address) {
            // Nothing was judged yet, so there is nothing that this could change in an alarm.
            pump.restore_treatment(treatment, now, &mut Unheard);
        }
        for path in self.parts.voice.requests.paths() {
            pump.on_link(asking::path(path), self.links_up.contains(&path), now);
        }
        let book = book_of(&pump, Arc::new(pump.rules().clone()));
        let slot = Arc::new(PumpSlot::new(address, View::of(&pump, now), book));
        // It holds as many as there can be pumps; only a gateway that ends has nobody who takes it.
        if self.parts.new_pumps.try_send(Arc::clone(&slot)).is_err() {
            return false;
        }
        let asking = Asking::new(self.pumps.len(), now);
        let kept = self.parts.restored.kept.remove(&slot.address);
        let mut entry = Entry::new(pump, slot, (collector, asking), now);
        if let Some(kept) = kept {
            entry.restore(kept, now, hub);
        }
        self.pumps.insert(key.into(), entry);
        true
    }
}

/// Hands a part of a backfill to the journal as it came: the alarm thread has no time to read it, and does not wait.
fn hand_over(arrival: &Arrival, entry: &Entry, parts: &WardParts) {
    if arrival.retained {
        // It answers nothing that was asked now.
        parts.metrics.backfill_parts_dropped.increment(1);
        return;
    }
    let part = BackfillPart {
        address: entry.slot.address.clone(),
        payload: arrival.payload.clone(),
        received: arrival.received,
        path: arrival.path,
    };
    if parts.backfill.try_send(part).is_err() {
        parts.metrics.backfill_parts_dropped.increment(1);
    }
}

/// Hears what a pump says before anything was judged: nothing.
struct Unheard;

impl Output for Unheard {
    fn evaluated(&mut self, _frame: &Frame, _clock: &ClockMap) {}

    fn alarm(&mut self, _change: AlarmChange<'_>) {}
}

/// Takes a topic apart: what it carries, and the "ward/pump" in its middle. For each frame, so it allocates nothing.
fn place(name: &str) -> Option<(Kind, &str)> {
    let parts = topic::parse(name)?;
    let key = name.get(topic::PREFIX.len() + 1..)?;
    Some((parts.kind, key.get(..parts.ward.len() + 1 + parts.pump.len())?))
}

/// The pump of a "ward/pump".
fn address_of(key: &str) -> Option<PumpAddress> {
    let (ward, pump) = key.split_once('/')?;
    Some(PumpAddress { ward: Id::new(ward).ok()?, pump: Id::new(pump).ok()? })
}
