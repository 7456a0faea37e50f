//! What an agent says of itself: its clock, its spool, its counts, and what its own rules find against what is found here.

use std::sync::Arc;

use ecmo_core::reconcile::Verdict;
use ecmo_core::time::Instant;

use super::Entry;
use crate::decode::{self, AgentCounts, Heartbeat};
use crate::engine::hub::Hub;
use crate::engine::stranger::Refused;
use crate::ingest::Arrival;
use crate::metrics::Metrics;
use crate::request::Asker;

impl Entry {
    pub(in crate::engine) fn on_heartbeat(
        &mut self,
        arrival: &Arrival,
        asker: &Asker,
        metrics: &Metrics,
        hub: &mut Hub,
    ) {
        let pump = self.slot.address.pump.as_str();
        let beat = match decode::heartbeat(&arrival.payload, pump, arrival.retained) {
            Ok(beat) => beat,
            Err(reason) => {
                let (refused, now) = (Refused::Heartbeat(reason), arrival.received);
                return self.refuse(refused, arrival.path, now, metrics, hub);
            }
        };
        // One of a run that is not the present one says nothing of the pump.
        if self.pump.boot() != Some(beat.boot) {
            return;
        }
        let now = arrival.received;
        for echo in &beat.echoes {
            let at = (beat.sent, now);
            let Some(times) = self.asking.times(echo, arrival.path, at, asker) else { continue };
            if self.pump.on_probe(times, now).is_err() {
                self.series(metrics).probes_refused.increment(1);
            }
        }
        self.act(now, hub, |pump, out| pump.on_heartbeat(beat.boot, beat.spool, now, out));
        self.reconcile(&beat, now, metrics, hub);
        self.tell_agent(&beat, metrics);
        self.slot.hear(Arc::new((beat, now)));
    }

    /// Compares what the agent's rules find with what is found here.
    fn reconcile(&mut self, beat: &Heartbeat, now: Instant, metrics: &Metrics, hub: &mut Hub) {
        let Some(local) = &beat.local else { return };
        self.series(metrics).agent_conditions_unknown.increment(local.unknown);
        let agent = Verdict { rules: local.rules, present: &local.present };
        let before = self.pump.verdict_difference();
        self.act(now, hub, |pump, out| pump.on_local_verdict(beat.boot, agent, now, out));
        let told = self.pump.verdict_difference();
        if let Some(told) = told.filter(|_told| told != before) {
            tracing::warn!(pump = %self.slot.address, difference = %told.difference, "verdicts differ");
        } else if before.is_some() && told.is_none() {
            tracing::info!(pump = %self.slot.address, "verdicts differ no longer");
        }
    }

    /// Tells Prometheus what the agent has counted. It counts from its start on.
    #[expect(clippy::cast_precision_loss, reason = "counts below 2^53")]
    fn tell_agent(&mut self, beat: &Heartbeat, metrics: &Metrics) {
        let (boot, before) = self.told_agent;
        let before = if boot == Some(beat.boot) { before } else { AgentCounts::default() };
        let new = beat.counts;
        let series = self.series(metrics);
        series.agent_samples.increment(new.samples.saturating_sub(before.samples));
        series.agent_overruns.increment(new.overruns.saturating_sub(before.overruns));
        series.agent_ticks_missed.increment(new.ticks_missed.saturating_sub(before.ticks_missed));
        let dropped = new.frames_dropped.saturating_sub(before.frames_dropped);
        series.agent_frames_dropped.increment(dropped);
        series.agent_spool_lost.increment(new.frames_lost.saturating_sub(before.frames_lost));
        series.agent_buffer_frames.set(beat.spooled_frames as f64);
        series.agent_lateness_max_seconds.set(beat.lateness_max_us as f64 / 1e6);
        series.clock_synchronized.set(if beat.synchronized == Some(true) { 1.0 } else { 0.0 });
        self.told_agent = (Some(beat.boot), new);
    }
}
