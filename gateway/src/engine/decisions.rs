//! Tells others what samples decided, as soon as the displays have it.

use ecmo_core::alarm::AlarmChange;
use ecmo_proto::topic::{Kind, PumpAddress};

use crate::ingest::Requests;
use crate::metrics::Said;
use crate::request;

/// The way of decisions to other gateways and any other system.
#[derive(Debug)]
pub(super) struct Decisions {
    /// Carries them; waits for nothing, and counts what finds no way.
    pub(super) requests: Requests,
    /// Hash of the profile in force.
    pub(super) profile_hash: u64,
}

impl Decisions {
    /// Publishes a change that a sample decided.
    pub(super) fn tell(&self, address: &PumpAddress, change: &AlarmChange<'_>) {
        let bytes = request::decision(address.pump.as_str(), change, self.profile_hash);
        let Some(bytes) = bytes else { return };
        // Where it goes over no path, that is counted.
        let _paths = self.requests.say(Said::Decision, address, Kind::Alarm, &bytes);
    }
}
