//! The pumps on the alarm thread: each message goes to its pump, is judged, and leaves its trace in view and counters.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ecmo_core::alarm::AcknowledgeError;
use ecmo_core::alarm::rule::Rules;
use ecmo_core::pump::{Counters, Link, Pump, Refusal};
use ecmo_core::time::Instant;
use ecmo_core::view::View;
use ecmo_proto::topic::{self, Id, Kind, PumpAddress};
use tokio::sync::mpsc;

use crate::config::PUMPS_MAX;
use crate::decode::{self, Birth, Decoder, FrameBytes};
use crate::engine::hub::{Hub, Outbox};
use crate::fanout::{AlarmUpdate, PumpSlot};
use crate::ingest::Arrival;
use crate::metrics::{
    BirthRejected, BrokerPath, FrameRejected, Metrics, PumpMetrics, StatusRejected,
};

/// A frame that overtook others waits this long for them; then they are lost.
pub(super) const REORDER_WINDOW: Duration = Duration::from_millis(100);

/// One pump on the alarm thread.
#[derive(Debug)]
struct Entry {
    pump: Pump,
    slot: Arc<PumpSlot>,
    birth: Option<Arc<Birth>>,
    /// What has been told to Prometheus so far.
    told: Counters,
    told_fresh_at: Option<Instant>,
    told_up: bool,
    /// The view is older than the pump.
    changed: bool,
    /// Refusals are not logged before: one line tells of a burst, the counters of each.
    log_from: Instant,
}

/// Refusals of one pump are logged at most so often.
const LOG_PERIOD: Duration = Duration::from_secs(10);

/// All pumps.
#[derive(Debug)]
pub(super) struct Ward {
    rules: Arc<Rules>,
    metrics: Arc<Metrics>,
    new_pumps: mpsc::Sender<Arc<PumpSlot>>,
    decoder: Decoder,
    /// By "ward/pump", the middle of the topic.
    pumps: HashMap<Box<str>, Entry>,
}

impl Ward {
    /// No pump yet. `new_pumps` must hold [`PUMPS_MAX`].
    #[must_use]
    pub(super) fn new(
        rules: Arc<Rules>,
        metrics: Arc<Metrics>,
        new_pumps: mpsc::Sender<Arc<PumpSlot>>,
    ) -> Self {
        Self { rules, metrics, new_pumps, decoder: Decoder::default(), pumps: HashMap::new() }
    }

    /// Expects a pump from now on: its silence is an alarm even if it was never heard.
    pub(super) fn expect(&mut self, address: &PumpAddress, now: Instant) {
        self.add(&address.to_string(), address.clone(), now);
    }

    /// Takes a message.
    pub(super) fn on_arrival(&mut self, arrival: &Arrival, hub: &mut Hub) {
        let Some((kind, key)) = place(&arrival.topic) else {
            self.metrics.unknown_pump.frames_rejected.get(FrameRejected::Topic).increment(1);
            return;
        };
        let now = arrival.received;
        if !self.pumps.contains_key(key)
            && !address_of(key).is_some_and(|address| self.add(key, address, now))
        {
            refuse_pump(kind, &self.metrics.unknown_pump);
            return;
        }
        let Some(entry) = self.pumps.get_mut(key) else { return };
        match kind {
            Kind::Frame => entry.on_frame(arrival, &mut self.decoder, &self.metrics, hub),
            Kind::Birth => entry.on_birth(arrival, &self.metrics, hub),
            Kind::Status => entry.on_status(arrival, &self.metrics),
            // Nobody subscribes to them; a broker that sends them anyway is ignored.
            Kind::Backfill | Kind::Request | Kind::Alarm | Kind::Action => {}
        }
    }

    /// Takes note of a message that was too long to be read, at the pump that it is of if that is known.
    pub(super) fn on_oversize(&mut self, topic: &str) {
        let place = place(topic);
        let kind = place.map_or(Kind::Frame, |(kind, _key)| kind);
        let entry = place.and_then(|(_kind, key)| self.pumps.get_mut(key));
        let series =
            entry.as_ref().map_or(&self.metrics.unknown_pump, |entry| entry.series(&self.metrics));
        match kind {
            Kind::Frame => series.frames_rejected.get(FrameRejected::Oversize).increment(1),
            Kind::Birth => series.births_rejected.get(BirthRejected::Oversize).increment(1),
            Kind::Status => series.statuses_rejected.get(StatusRejected::Oversize).increment(1),
            // Nobody subscribes to them.
            Kind::Backfill | Kind::Request | Kind::Alarm | Kind::Action => {}
        }
        if let Some(entry) = entry.filter(|_| kind == Kind::Frame) {
            entry.slot.count_received();
            entry.slot.count_rejected();
            entry.changed = true;
        }
    }

    /// Lets every pump notice what time it is.
    pub(super) fn on_tick(&mut self, now: Instant, hub: &mut Hub) {
        for entry in self.pumps.values_mut() {
            if entry.pump.next_deadline().is_some_and(|deadline| now >= deadline) {
                entry.pump.on_tick(now, &mut Outbox { hub, pump: Some(&entry.slot), now });
                entry.changed = true;
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
            entry.changed = false;
            entry.slot.show(View::of(&entry.pump, now));
            entry.tell(now, wall_s);
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

    /// Acknowledges an occurrence by the id that displays know.
    ///
    /// # Errors
    /// It has ended, never was, or has changed since.
    pub(super) fn acknowledge(
        &mut self,
        id: &str,
        revision: u32,
        by: &str,
        now: Instant,
        hub: &mut Hub,
    ) -> Result<AlarmUpdate, AcknowledgeError> {
        let key = key_of(id).ok_or(AcknowledgeError::Unknown)?;
        let entry = self.pumps.get_mut(key).ok_or(AcknowledgeError::Unknown)?;
        let address = entry.slot.address.clone();
        let found = entry
            .pump
            .alarms()
            .iter()
            .map(|occurrence| hub.update_of(Some(&address), occurrence))
            .find(|update| update.id() == id)
            .ok_or(AcknowledgeError::Unknown)?;
        let name = found.occurrence.id;
        let mut outbox = Outbox { hub, pump: Some(&entry.slot), now };
        entry.pump.acknowledge(&name, revision, by.to_owned(), now, &mut outbox)?;
        entry.changed = true;
        let present = entry.pump.alarms().iter().find(|occurrence| occurrence.id == name);
        let ended = || found.acknowledged(by, now);
        Ok(present.map_or_else(ended, |occurrence| hub.update_of(Some(&address), occurrence)))
    }

    /// Adds a pump; false when there are too many.
    fn add(&mut self, key: &str, address: PumpAddress, now: Instant) -> bool {
        if self.pumps.len() >= PUMPS_MAX {
            return false;
        }
        let pump = Pump::new(Arc::clone(&self.rules), REORDER_WINDOW, now);
        let slot = Arc::new(PumpSlot::new(address, View::of(&pump, now)));
        // It holds as many as there can be pumps; only a gateway that ends has nobody who takes it.
        if self.new_pumps.try_send(Arc::clone(&slot)).is_err() {
            return false;
        }
        let entry = Entry {
            told: pump.counters(),
            pump,
            slot,
            birth: None,
            told_fresh_at: None,
            told_up: false,
            changed: true,
            log_from: now,
        };
        self.pumps.insert(key.into(), entry);
        true
    }
}

/// Counts a message of a pump beyond the most that are served.
fn refuse_pump(kind: Kind, series: &PumpMetrics) {
    match kind {
        Kind::Frame => series.frames_rejected.get(FrameRejected::Capacity).increment(1),
        Kind::Birth => series.births_rejected.get(BirthRejected::Capacity).increment(1),
        Kind::Status => series.statuses_rejected.get(StatusRejected::Capacity).increment(1),
        // Nobody subscribes to them.
        Kind::Backfill | Kind::Request | Kind::Alarm | Kind::Action => {}
    }
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

/// The "ward/pump" at the start of an alarm's id.
fn key_of(id: &str) -> Option<&str> {
    let (ward, rest) = id.split_once('/')?;
    let (pump, _condition) = rest.split_once('/')?;
    id.get(..ward.len() + 1 + pump.len())
}

impl Entry {
    /// The pump's own series, or those of unknown pumps until the serving side has made them.
    fn series<'a>(&'a self, metrics: &'a Metrics) -> &'a PumpMetrics {
        self.slot.metrics().map_or(&metrics.unknown_pump, AsRef::as_ref)
    }

    fn on_frame(
        &mut self,
        arrival: &Arrival,
        decoder: &mut Decoder,
        metrics: &Metrics,
        hub: &mut Hub,
    ) {
        let series = self.series(metrics);
        self.slot.count_received();
        series.frames_received.get(arrival.path).increment(1);
        let bytes = u64::try_from(arrival.payload.len()).unwrap_or(u64::MAX);
        series.frame_bytes_received.get(arrival.path).increment(bytes);
        let frame_bytes = FrameBytes {
            payload: &arrival.payload,
            pump: self.slot.address.pump.as_str(),
            retained: arrival.retained,
            received: arrival.received,
        };
        let slot = &self.slot;
        let mut invalid = |reason, samples| {
            slot.count_invalid(samples);
            series.samples_invalid.get(reason).increment(samples);
        };
        let begun = hub.now();
        let decoded = decoder.frame(frame_bytes, self.birth.as_deref(), &mut invalid);
        let refused = match decoded {
            Ok(frame) => {
                let decoded_at = hub.now();
                let oldest = frame.blocks().map(|(block, _readings)| block.start).min();
                if let Some(oldest) = oldest {
                    let waited = frame.stamp.published.since(oldest);
                    hub.measure_arrival(&frame.stamp, waited, arrival.path);
                }
                let now = arrival.received;
                let mut outbox = Outbox { hub, pump: Some(&self.slot), now };
                let judged = self.pump.on_frame(frame, now, &mut outbox);
                hub.measure_decision(arrival.received, begun, decoded_at);
                judged.err().map(|refusal| match refusal {
                    Refusal::NoBirth => FrameRejected::NoBirth,
                    Refusal::Boot => FrameRejected::Boot,
                })
            }
            Err(reason) => Some(reason),
        };
        self.changed = true;
        if let Some(reason) = refused {
            self.slot.count_rejected();
            self.series(metrics).frames_rejected.get(reason).increment(1);
            self.log_refused("frame", reason.label(), arrival.received);
        }
    }

    fn on_birth(&mut self, arrival: &Arrival, metrics: &Metrics, hub: &mut Hub) {
        let checked = decode::birth(&arrival.payload, self.slot.address.pump.as_str());
        let birth = match checked {
            Ok(birth) => birth,
            Err(reason) => return self.refuse_birth(reason, arrival, metrics),
        };
        let now = arrival.received;
        let mut outbox = Outbox { hub, pump: Some(&self.slot), now };
        let taken =
            self.pump.on_birth(birth.boot, &birth.channels, arrival.retained, now, &mut outbox);
        self.changed = true;
        if taken.is_err() {
            return self.refuse_birth(BirthRejected::Boot, arrival, metrics);
        }
        for refused in &birth.refused {
            let series = self.series(metrics);
            series.births_rejected.get(refused.reason).increment(1);
            tracing::warn!(pump = %self.slot.address, channel = refused.id, why = refused.why, "channel not read");
        }
        let birth = Arc::new(birth);
        self.birth = Some(Arc::clone(&birth));
        self.slot.introduce(birth);
    }

    fn refuse_birth(&mut self, reason: BirthRejected, arrival: &Arrival, metrics: &Metrics) {
        self.series(metrics).births_rejected.get(reason).increment(1);
        self.log_refused("birth", reason.label(), arrival.received);
    }

    fn log_refused(&mut self, message: &'static str, reason: &'static str, now: Instant) {
        if now >= self.log_from {
            self.log_from = now.plus(LOG_PERIOD);
            tracing::warn!(pump = %self.slot.address, message, reason, "refused; logged once a burst");
        }
    }

    fn on_status(&mut self, arrival: &Arrival, metrics: &Metrics) {
        match decode::status(&arrival.payload, self.slot.address.pump.as_str()) {
            Ok((boot, presence)) => {
                self.pump.on_status(boot, presence, arrival.received);
                self.changed = true;
            }
            Err(reason) => {
                self.series(metrics).statuses_rejected.get(reason).increment(1);
                self.log_refused("status", reason.label(), arrival.received);
            }
        }
    }

    /// Tells Prometheus what has changed since the last time.
    fn tell(&mut self, now: Instant, wall_s: f64) {
        let Some(series) = self.slot.metrics() else { return };
        let counters = self.pump.counters();
        let (new, old) = (counters.frames, self.told.frames);
        series.frames_accepted.increment(new.accepted - old.accepted);
        series.frames_missing.increment(new.missing - old.missing);
        series.frames_duplicate.get(BrokerPath::A).increment(new.duplicate - old.duplicate);
        series.frames_reordered.increment(new.reordered - old.reordered);
        series.frames_late.increment(new.late - old.late);
        series.clock_steps.increment(counters.clock_steps - self.told.clock_steps);
        self.told = counters;
        let up = self.pump.link(now) == Link::Live;
        let fresh_at = self.pump.fresh_at();
        if up
            && !self.told_up
            && let (Some(before), Some(fresh)) = (self.told_fresh_at, fresh_at)
        {
            series.dropout_seconds.record(fresh.since(before).as_secs_f64());
        }
        if up != self.told_up {
            series.stream_up.set(if up { 1.0 } else { 0.0 });
            self.told_up = up;
        }
        if let Some(fresh) = fresh_at {
            series.last_frame_timestamp_seconds.set(wall_s - now.since(fresh).as_secs_f64());
            self.told_fresh_at = fresh_at;
        }
    }
}
