//! Takes over the alarms of before a restart: they are counted, and displays must show them anew.

use ecmo_core::alarm::occurrence::Occurrence;
use ecmo_proto::topic::PumpAddress;

use super::{Hub, kind_label, priority_label};

impl Hub {
    /// Takes note of an alarm that was there before the gateway started: it is counted, and a display must show it anew.
    pub(in crate::engine) fn adopt(&mut self, address: &PumpAddress, occurrence: &Occurrence) {
        let id = self.update_of(Some(address), occurrence).id();
        let labels = (priority_label(occurrence.priority), kind_label(occurrence.kind));
        if self.counted.insert(id.clone(), labels).is_none() {
            self.gauge(labels).increment(1.0);
        }
        self.note(&id, occurrence, None);
    }
}
