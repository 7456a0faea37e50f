//! Takes what the decisions produce: to the displays first, then to journal, counters and log.

use std::sync::Arc;

use ecmo_core::alarm::occurrence::Transition;
use ecmo_core::alarm::{AlarmChange, Output};
use ecmo_core::attendance::WardOutput;
use ecmo_core::frame::Frame;
use ecmo_core::time::{ClockMap, Instant};
use ecmo_proto::topic::PumpAddress;

use super::{About, Hub};
use crate::engine::counting::count_at_pump;
use crate::fanout::{PumpSlot, WaveformBlock, WaveformFrame};
use crate::history::Collector;
use crate::journal::What;
use crate::metrics::{StreamKind, SubscriptionDropped};

/// Takes what the decisions about one pump, or the gateway, produce.
#[derive(Debug)]
pub(in crate::engine) struct Outbox<'a> {
    /// The displays.
    pub(in crate::engine) hub: &'a mut Hub,
    /// The pump; `None` for the gateway itself.
    pub(in crate::engine) pump: Option<&'a Arc<PumpSlot>>,
    /// The ward of a condition of the gateway itself; `None` where it is about no ward.
    pub(in crate::engine) ward: Option<&'a Arc<str>>,
    /// When the present round began.
    pub(in crate::engine) now: Instant,
    /// The pump's history, where one is kept.
    pub(in crate::engine) collector: Option<&'a mut Collector>,
}

impl<'a> Outbox<'a> {
    /// For what is no frame.
    pub(in crate::engine) fn new(
        hub: &'a mut Hub,
        pump: Option<&'a Arc<PumpSlot>>,
        now: Instant,
    ) -> Self {
        Self { hub, pump, ward: None, now, collector: None }
    }

    /// For a condition about the displays of a ward, or about the gateway itself.
    pub(in crate::engine) fn own(
        hub: &'a mut Hub,
        ward: Option<&'a Arc<str>>,
        now: Instant,
    ) -> Self {
        Self { hub, pump: None, ward, now, collector: None }
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
        let own = self.ward.map_or(About::Gateway, About::Ward);
        self.hub.change(address.map_or(own, About::Pump), &change);
        let occurrence = change.occurrence;
        if let Some(slot) = self.pump.filter(|_slot| change.transition == Transition::Raised) {
            self.hub.keep(slot, self.now, || What::Raised(occurrence.id));
        }
        if let Some(slot) = self.pump {
            self.hub.keep_alarm(slot, self.now, &change);
        }
        if let Some(slot) = self.pump.filter(|_slot| change.transition == Transition::Ended) {
            self.hub.store_ended(&slot.address, occurrence);
        }
        if let Some(series) = self.pump.and_then(|slot| slot.metrics()) {
            count_at_pump(series, &change);
        }
        log(address, self.ward.map(AsRef::as_ref), &change);
    }
}

/// Takes what is decided about the displays of wards.
impl WardOutput for Hub {
    fn ward_alarm(&mut self, ward: &Arc<str>, change: AlarmChange<'_>) {
        self.change(About::Ward(ward), &change);
        log(None, Some(ward), &change);
    }
}

fn log(pump: Option<&PumpAddress>, ward: Option<&str>, change: &AlarmChange<'_>) {
    tracing::info!(
        pump = pump.map(tracing::field::display),
        ward,
        condition = %change.occurrence.id.condition,
        transition = ?change.transition,
        priority = ?change.occurrence.priority,
        revision = change.occurrence.revision,
        "alarm"
    );
}
