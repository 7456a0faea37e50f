//! One pump on the alarm thread: its messages, what it shows, what it tells Prometheus, and what is due each second.

mod heartbeat;

mod refused;

use std::sync::Arc;
use std::time::Duration;

use ecmo_core::alarm::rule::Rules;
use ecmo_core::alarm::treatment::Treatment;
use ecmo_core::frame::BootId;
use ecmo_core::path::{Path, PerPath};
use ecmo_core::pump::{
    BirthRefusal, BirthWord, Counters, Kept, Link, PATH_LOST_AFTER, Pump, Refusal,
};
use ecmo_core::time::Instant;
use ecmo_core::view::View;
use tokio::sync::mpsc;

use super::asking::{self, Asking, Voice};
use super::hub::{Hub, Outbox, Way};
use super::stranger::Refused;
use crate::decode::{self, Accepted, AgentCounts, Birth, Decoder, FrameBytes};
use crate::fanout::{PumpSlot, RuleBook};
use crate::history::{Batch, Collector};
use crate::ingest::Arrival;
use crate::journal::What;
use crate::metrics::{
    BirthRejected, BrokerPath, FrameRejected, Label as _, Metrics, PumpMetrics, SampleInvalid,
};

/// Refusals of one pump are logged at most so often.
pub(super) const LOG_PERIOD: Duration = Duration::from_secs(10);

const SECOND: Duration = Duration::from_secs(1);

/// For so long after a silence, or a start, frames come that had waited for a connection (prop): an agent keeps a second of them.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// One pump on the alarm thread.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) pump: Pump,
    pub(super) slot: Arc<PumpSlot>,
    birth: Option<Arc<Birth>>,
    /// Births that wait for a frame of their run, by the path that they came over.
    unproven: PerPath<Option<Arc<Birth>>>,
    pub(super) asking: Asking,
    told_agent: (Option<BootId>, AgentCounts),
    collector: Option<Collector>,
    /// What has been told to Prometheus so far.
    told: Counters,
    told_fresh_at: Option<Instant>,
    told_up: bool,
    /// Since when its stream has been up.
    up_since: Option<Instant>,
    told_chattering: u32,
    told_flood: bool,
    /// What is kept of the pump was given away up to here.
    told_changes: u64,
    /// The view is older than the pump.
    pub(super) changed: bool,
    /// The rules in force may be others than those that are shown.
    rules_changed: bool,
    /// The membrane's reference as it was when the circuit changed: it is of the membrane before.
    old_baseline: Option<f32>,
    /// When it has its next second.
    pub(super) second_at: Instant,
    /// Gateway's clock less the agent's, in nanoseconds, as of the last second; `None` until probes have told.
    clock_offset: Option<i64>,
    /// Refusals are not logged before: one line tells of a burst, the counters of each.
    log_from: Instant,
}

/// What is in force at a pump, with a copy of its rules.
pub(super) fn book_of(pump: &Pump, rules: Arc<Rules>) -> RuleBook {
    RuleBook {
        rules,
        not_evaluable: pump.not_evaluable(),
        treatment: Treatment { case: pump.case(), ..pump.treatment().clone() },
        shelves: pump.shelves().to_vec(),
        membrane_baseline: pump.membrane_baseline(),
    }
}

fn bytes_of<'a>(slot: &'a PumpSlot, arrival: &'a Arrival) -> FrameBytes<'a> {
    FrameBytes {
        payload: &arrival.payload,
        pump: slot.address.pump.as_str(),
        retained: arrival.retained,
        accepted: Accepted::Live,
        received: arrival.received,
    }
}

impl Entry {
    /// A pump that was just met.
    pub(super) fn new(
        pump: Pump,
        slot: Arc<PumpSlot>,
        (collector, asking): (Option<Collector>, Asking),
        now: Instant,
    ) -> Self {
        Self {
            unproven: PerPath::default(),
            asking,
            told_agent: (None, AgentCounts::default()),
            told: pump.counters(),
            pump,
            slot,
            birth: None,
            collector,
            told_fresh_at: None,
            told_up: false,
            up_since: None,
            told_chattering: 0,
            told_flood: false,
            told_changes: 0,
            changed: true,
            rules_changed: false,
            old_baseline: None,
            second_at: now,
            clock_offset: None,
            log_from: now,
        }
    }

    /// Does something to the pump, and shows its view at the end of the round.
    pub(super) fn act<T>(
        &mut self,
        now: Instant,
        hub: &mut Hub,
        act: impl FnOnce(&mut Pump, &mut Outbox<'_>) -> T,
    ) -> T {
        self.changed = true;
        act(&mut self.pump, &mut Outbox::new(hub, Some(&self.slot), now))
    }

    /// Puts a treatment in force. What was shelved at another patient is heard at this one.
    pub(super) fn treat(&mut self, treatment: Treatment, now: Instant, hub: &mut Hub) {
        let before = self.pump.treatment();
        let (patient, circuit) = (before.patient, before.circuit);
        if treatment.circuit != circuit {
            self.old_baseline = self.pump.membrane_baseline();
        }
        let is_other = treatment.patient != patient;
        self.act(now, hub, |pump, out| {
            if is_other {
                pump.unshelve_all(now, out);
            }
            pump.set_treatment(treatment, now, out);
        });
        self.rules_changed = true;
        self.show_rules();
    }

    /// Goes on with what was kept before the gateway started.
    pub(super) fn restore(&mut self, kept: Kept, now: Instant, hub: &mut Hub) {
        self.act(now, hub, |pump, out| pump.restore(kept, now, out));
        for occurrence in self.pump.alarms() {
            hub.adopt(&self.slot.address, occurrence);
        }
    }

    /// What is to be kept of the pump, if it has changed since the last time.
    pub(super) fn state_changed(&mut self) -> Option<Kept> {
        let changes = self.pump.changes();
        let is_news = std::mem::replace(&mut self.told_changes, changes) != changes;
        is_news.then(|| self.pump.kept())
    }

    /// Shows the view, and the rules if they may have changed.
    pub(super) fn show(&mut self, now: Instant, wall_s: f64) {
        self.changed = false;
        let shown = self.slot.rules();
        let contexts = self.pump.treatment().contexts.len() != shown.treatment.contexts.len();
        // A context that ended gives the rules their own numbers back.
        self.rules_changed |= contexts;
        if self.rules_changed || self.pump.shelves() != shown.shelves {
            self.show_rules();
        }
        self.slot.show(View::of(&self.pump, now));
        self.tell(now, wall_s);
    }

    /// Shows what is in force, if it is not what is shown. The rules are compared only when they may have changed.
    fn show_rules(&mut self) {
        let shown = self.slot.rules();
        let rules = match std::mem::take(&mut self.rules_changed) {
            true => Arc::new(self.pump.rules().clone()),
            false => Arc::clone(&shown.rules),
        };
        let mut book = book_of(&self.pump, rules);
        let same_bits = |one: f32, other: f32| one.to_bits() == other.to_bits();
        match (self.old_baseline, book.membrane_baseline) {
            (Some(old), Some(found)) if same_bits(old, found) => book.membrane_baseline = None,
            (_, _) => self.old_baseline = None,
        }
        if book != *shown {
            self.slot.rule(book);
        }
    }

    /// Compares the wall clocks, counts floods and chatter, and looks which rules cannot be judged.
    pub(super) fn on_second(&mut self, now: Instant, wall_ns: i64, hub: &mut Hub) {
        self.second_at = now.plus(SECOND);
        let offset = self.pump.clock_estimate().offset(now);
        self.clock_offset = offset.and_then(|clock| i64::try_from(clock.offset_ns).ok());
        let revisions = |pump: &Pump| pump.alarms().iter().map(|it| u64::from(it.revision)).sum();
        let (known, before): (_, u64) = (self.pump.alarms().len(), revisions(&self.pump));
        self.pump.on_wall_clock(wall_ns, now, &mut Outbox::new(hub, Some(&self.slot), now));
        // A view that is the same is not shown anew: a display would take it for news.
        self.changed |= (self.pump.alarms().len(), revisions(&self.pump)) != (known, before);
        self.show_rules();
        self.tell_clock_and_paths(now);
        let quality = self.pump.quality();
        let in_flood = quality.summary(now).in_flood;
        let chattering = quality.conditions().map(|(_name, of)| of.chattering).sum::<u32>();
        let flood_began = in_flood && !std::mem::replace(&mut self.told_flood, in_flood);
        let Some(series) = self.slot.metrics() else { return };
        series.alarm_floods.increment(u64::from(flood_began));
        let more = chattering.saturating_sub(self.told_chattering);
        series.alarms_chattering.increment(u64::from(more));
        self.told_chattering = chattering;
        let case = self.pump.case();
        let is_expected = case.weight_kg.is_some() || case.flow_target.is_some();
        series.assigned.set(if is_expected { 1.0 } else { 0.0 });
        let gaps = self.slot.rules().not_evaluable.len();
        series.rules_not_evaluable.set(f64::from(u32::try_from(gaps).unwrap_or(u32::MAX)));
    }

    /// Gives away what was collected; how many rows were lost.
    pub(super) fn give_history(&mut self, history: &mpsc::Sender<Batch>) -> u64 {
        let Some(collector) = &mut self.collector else { return 0 };
        let (rows, lost) = collector.give();
        if rows.is_empty() {
            return lost;
        }
        let rows_given = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let batch = Batch { address: self.slot.address.clone(), rows };
        // The serving side is behind: the alarm thread does not wait for it.
        let refused = history.try_send(batch).is_err();
        lost + if refused { rows_given } else { 0 }
    }

    /// The pump's own series, or those of unknown pumps until the serving side has made them.
    pub(super) fn series<'a>(&'a self, metrics: &'a Metrics) -> &'a PumpMetrics {
        self.slot.metrics().map_or(&metrics.unknown_pump, AsRef::as_ref)
    }

    pub(super) fn on_frame(
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
        let begun = hub.now();
        if self.unproven.each().iter().any(|waits| waits.is_some()) {
            self.prove(decoder, arrival, hub);
        }
        let frame_bytes = bytes_of(&self.slot, arrival);
        let slot = &self.slot;
        let series = slot.metrics().map_or(&metrics.unknown_pump, AsRef::as_ref);
        let mut invalid = |reason, samples| {
            slot.count_invalid(samples);
            series.samples_invalid.get(SampleInvalid::from(reason)).increment(samples);
        };
        let decoded = decoder.frame(frame_bytes, self.birth.as_deref(), &mut invalid);
        let repeats = self.pump.counters().frames.duplicate;
        let refused = match decoded {
            Ok(frame) => {
                let decoded_at = hub.now();
                let way = Way::of(frame, self.clock_offset);
                hub.measure_arrival(&frame.stamp, way, arrival.path);
                let now = arrival.received;
                let (boot, sequence) = (frame.boot, frame.sequence);
                let collector = self.collector.as_mut();
                let mut outbox = Outbox { hub, pump: Some(&self.slot), ward: None, now, collector };
                let path = asking::path(arrival.path);
                let judged = self.pump.on_frame_from(path, frame, now, &mut outbox);
                hub.measure_decision(arrival.received, begun, decoded_at);
                // Once it is judged, and once, whichever path it came by.
                if judged.is_ok() && self.pump.counters().frames.duplicate == repeats {
                    // What an outage held up was told by its silence; and at a start frames wait for the connection.
                    if self.up_since.is_some_and(|since| now.since(since) >= SETTLED_AFTER) {
                        hub.tally(way);
                    }
                    let sealed = || arrival.payload.clone();
                    hub.keep(&self.slot, now, || What::Frame { boot, sequence, sealed: sealed() });
                }
                judged.err().map(|refusal| match refusal {
                    Refusal::NoBirth => FrameRejected::NoBirth,
                    Refusal::Boot => FrameRejected::Boot,
                })
            }
            Err(reason) => Some(reason.into()),
        };
        self.changed = true;
        let repeated = self.pump.counters().frames.duplicate - repeats;
        self.series(metrics).frames_duplicate.get(arrival.path).increment(repeated);
        if let Some(reason) = refused {
            self.refuse(Refused::Frame(reason), arrival.path, arrival.received, metrics, hub);
        }
    }

    pub(super) fn on_birth(&mut self, arrival: &Arrival, metrics: &Metrics, hub: &mut Hub) {
        let checked = decode::birth(&arrival.payload, self.slot.address.pump.as_str());
        let birth = match checked {
            Ok(birth) => birth,
            Err(reason) => {
                let (refused, now) = (Refused::Birth(reason.into()), arrival.received);
                return self.refuse(refused, arrival.path, now, metrics, hub);
            }
        };
        let kept = || What::Birth(birth.boot, arrival.payload.clone());
        hub.keep(&self.slot, arrival.received, kept);
        let birth = Arc::new(birth);
        match self.take_birth(&birth, arrival.retained, arrival, hub) {
            Ok(()) => self.count_refused_channels(&birth, metrics),
            Err(BirthRefusal::Superseded) => {
                let refused = Refused::Birth(BirthRejected::Boot);
                self.refuse(refused, arrival.path, arrival.received, metrics, hub);
            }
            // It is not refused: the first frame of its run will tell.
            Err(BirthRefusal::Unproven) => {
                *self.unproven.get_mut(asking::path(arrival.path)) = Some(birth);
            }
        }
    }

    /// Hands a birth to the pump, and reads frames by it if it is taken.
    fn take_birth(
        &mut self,
        birth: &Arc<Birth>,
        retained: bool,
        arrival: &Arrival,
        hub: &mut Hub,
    ) -> Result<(), BirthRefusal> {
        let kind = birth.case_kind();
        let word = BirthWord {
            boot: birth.boot,
            boot_number: birth.boot_number,
            paths: birth.paths,
            channels: &birth.channels,
            kind,
            retained,
        };
        let (now, path) = (arrival.received, asking::path(arrival.path));
        self.act(now, hub, |pump, out| pump.on_birth_word(&word, path, now, out))?;
        self.rules_changed = true;
        // It was of another run's clock.
        self.clock_offset = None;
        self.birth = Some(Arc::clone(birth));
        self.slot.introduce(Arc::clone(birth));
        Ok(())
    }

    /// Takes the birth that waits for a frame of its run, if this is one.
    fn prove(&mut self, decoder: &mut Decoder, arrival: &Arrival, hub: &mut Hub) {
        let Ok(frame) =
            decoder.frame(bytes_of(&self.slot, arrival), None, &mut |_reason, _samples| {})
        else {
            return;
        };
        let boot = frame.boot;
        for path in Path::ALL {
            let waits = self.unproven.get_mut(path);
            if waits.as_ref().is_none_or(|birth| birth.boot != boot) {
                continue;
            }
            let Some(birth) = waits.take() else { continue };
            if self.take_birth(&birth, false, arrival, hub).is_err() {
                // The run before is live: two agents, which was told. It waits until one of them is gone.
                *self.unproven.get_mut(path) = Some(birth);
            }
        }
    }

    fn count_refused_channels(&self, birth: &Birth, metrics: &Metrics) {
        for refused in &birth.refused {
            let series = self.series(metrics);
            series.births_rejected.get(refused.reason.into()).increment(1);
            tracing::warn!(pump = %self.slot.address, channel = refused.id, why = refused.why, "channel not read");
        }
    }

    pub(super) fn on_status(&mut self, arrival: &Arrival, metrics: &Metrics, hub: &mut Hub) {
        match decode::status(&arrival.payload, self.slot.address.pump.as_str()) {
            Ok((boot, presence)) => {
                let path = asking::path(arrival.path);
                self.pump.on_status_from(path, boot, presence, arrival.received);
                self.changed = true;
            }
            Err(reason) => {
                let refused = Refused::Status(reason.into());
                self.refuse(refused, arrival.path, arrival.received, metrics, hub);
            }
        }
    }

    /// Asks the agent for its time and tells it that it is heard.
    pub(super) fn ask(&mut self, voice: &Voice, now: Instant) {
        let book = self.slot.rules();
        self.asking.ask(&self.slot.address, &self.pump, &book, voice, now);
    }

    /// Tells Prometheus where the agent's clock lies, and over which paths frames come.
    #[expect(clippy::cast_precision_loss, reason = "times in seconds, exact to a microsecond")]
    fn tell_clock_and_paths(&self, now: Instant) {
        let Some(series) = self.slot.metrics() else { return };
        for of in BrokerPath::ALL {
            let heard = self.pump.frame_at(asking::path(*of));
            let up = heard.is_some_and(|at| now.since(at) <= PATH_LOST_AFTER);
            series.path_up.get(*of).set(if up { 1.0 } else { 0.0 });
        }
        let Some(clock) = self.pump.clock_estimate().offset(now) else { return };
        series.clock_offset_seconds.set(clock.offset_ns as f64 / 1e9);
        series.clock_uncertainty_seconds.set(clock.uncertainty_ns as f64 / 1e9);
        if let Some(wall) = self.pump.wall_difference() {
            series.clock_wall_difference_seconds.set(wall as f64 / 1e9);
        }
    }

    /// Tells Prometheus what has changed since the last time.
    fn tell(&mut self, now: Instant, wall_s: f64) {
        let Some(series) = self.slot.metrics() else { return };
        let counters = self.pump.counters();
        let (new, old) = (counters.frames, self.told.frames);
        series.frames_accepted.increment(new.accepted - old.accepted);
        series.frames_missing.increment(new.missing - old.missing);
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
            self.up_since = up.then_some(now);
        }
        if let Some(fresh) = fresh_at {
            series.last_frame_timestamp_seconds.set(wall_s - now.since(fresh).as_secs_f64());
            self.told_fresh_at = fresh_at;
        }
    }
}
