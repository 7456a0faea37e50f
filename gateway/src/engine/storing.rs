//! What the alarm thread gives to the state store: the newest state of each pump that changed. It waits for nothing.

use ecmo_core::alarm::occurrence::Occurrence;
use ecmo_proto::topic::PumpAddress;

use super::entry::Entry;
use super::hub::Hub;
use super::rounds::Rounds;
use super::ward::Ward;
use crate::action::ActionRecord;
use crate::store::state::StateIntake;

impl Hub {
    /// The same with a state store, where one is kept.
    #[must_use]
    pub(super) fn storing(mut self, state: Option<StateIntake>) -> Self {
        self.state = state;
        self
    }

    /// Offers an alarm that has ended, for the list of what a display missed.
    pub(super) fn store_ended(&self, address: &PumpAddress, ended: &Occurrence) {
        if let Some(state) = &self.state {
            state.offer_ended(address, ended);
        }
    }
}

impl Rounds {
    /// Offers the state that actions have made, before anybody is told that they took effect: what is told as done is known to
    /// the store.
    pub(super) fn store_acted(&mut self, records: &[ActionRecord]) {
        for address in records.iter().filter_map(|record| record.address.as_ref()) {
            if let Some(entry) = self.ward.pumps.get_mut(address.to_string().as_str()) {
                offer(entry, &mut self.hub, false);
            }
        }
    }

    /// Offers the state of every pump that has changed, and of those that found no room before.
    pub(super) fn store_changed(&mut self) {
        let Some(state) = &self.hub.state else { return };
        let owed = state.owed();
        self.ward.store_changed(&mut self.hub);
        for address in owed {
            if let Some(entry) = self.ward.pumps.get_mut(address.to_string().as_str()) {
                offer(entry, &mut self.hub, true);
            }
        }
    }
}

impl Ward {
    fn store_changed(&mut self, hub: &mut Hub) {
        for entry in self.pumps.values_mut().filter(|entry| entry.changed) {
            offer(entry, hub, false);
        }
    }
}

fn offer(entry: &mut Entry, hub: &mut Hub, again: bool) {
    let Some(state) = &mut hub.state else { return };
    let kept = entry.state_changed();
    if let Some(kept) = kept.or_else(|| again.then(|| entry.pump.kept())) {
        state.offer(&entry.slot.address, kept);
    }
}
