//! Messages of the pump that are refused: each is counted, one of a burst is logged, and damage is told to the pump.

use ecmo_core::time::Instant;

use super::{Entry, LOG_PERIOD};
use crate::engine::asking;
use crate::engine::hub::Hub;
use crate::engine::stranger::Refused;
use crate::metrics::{BrokerPath, Metrics};

impl Entry {
    /// Refuses a message that was too long to be read.
    pub(in crate::engine) fn refuse_oversize(
        &mut self,
        refused: Refused,
        path: BrokerPath,
        now: Instant,
        metrics: &Metrics,
        hub: &mut Hub,
    ) {
        if matches!(refused, Refused::Frame(_)) {
            self.slot.count_received();
        }
        self.refuse(refused, path, now, metrics, hub);
    }

    /// Refuses a message.
    pub(in crate::engine) fn refuse(
        &mut self,
        refused: Refused,
        path: BrokerPath,
        now: Instant,
        metrics: &Metrics,
        hub: &mut Hub,
    ) {
        refused.count(path, self.series(metrics), metrics);
        if matches!(refused, Refused::Frame(_)) {
            self.slot.count_rejected();
        }
        self.changed = true;
        if refused.is_damage() {
            self.act(now, hub, |pump, out| pump.on_damaged(asking::path(path), now, out));
        }
        if now >= self.log_from {
            self.log_from = now.plus(LOG_PERIOD);
            let (message, reason, path) = (refused.message(), refused.reason(), path.label());
            tracing::warn!(pump = %self.slot.address, message, path, reason, "refused; logged once a burst");
        }
    }
}
