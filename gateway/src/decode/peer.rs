//! What another gateway says of itself, checked: its topic, its seal, its name.

use ecmo_proto::sealed::{self, SealError};
use ecmo_proto::topic::Id;
use ecmo_proto::v1;

use super::waiting::{self, WaitingAt};
use crate::metrics::PeerRejected;

/// A gateway's word about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerBeat {
    /// Its name; not reserved.
    pub gateway: Id,
    /// Changes with each start of it; never 0.
    pub epoch: u64,
    /// Number of the word within the epoch.
    pub number: u64,
    /// Digest of what it decides by.
    pub config: u64,
    /// Hash of its profile.
    pub profile: u64,
    /// Version of its program, for people.
    pub version: String,
    /// Digest of what people have done, as far as it still counts there.
    pub actions: u64,
    /// It asks for every action that still counts.
    pub wants_actions: bool,
    /// Alarms that wait there for a person, with the wall time of their onset in nanoseconds since 1970.
    pub waiting: Vec<WaitingAt>,
}

impl From<SealError> for PeerRejected {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Oversize(_, _) => Self::Oversize,
            SealError::Broken => Self::Crc,
            SealError::Decode => Self::Decode,
        }
    }
}

/// Reads a gateway's word; `named` is the gateway of its topic.
///
/// # Errors
/// Damaged, of another name than its topic's, or without an epoch.
pub fn peer(payload: &[u8], named: &str) -> Result<PeerBeat, PeerRejected> {
    let read: v1::PeerHeartbeat = sealed::open(payload)?;
    if read.gateway != named {
        return Err(PeerRejected::Identity);
    }
    let gateway = Id::new(&read.gateway).map_err(|_no_id| PeerRejected::Identity)?;
    if gateway.is_reserved() {
        return Err(PeerRejected::Identity);
    }
    if read.epoch == 0 {
        return Err(PeerRejected::Content);
    }
    let waiting = waiting::read(read.waiting)?;
    let version = ecmo_decode::shorten(&read.version);
    Ok(PeerBeat {
        gateway,
        epoch: read.epoch,
        number: read.number,
        config: read.config_digest,
        profile: read.profile_hash,
        version,
        actions: read.actions_digest,
        wants_actions: read.wants_actions,
        waiting,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn word() -> PeerBeat {
        PeerBeat {
            gateway: Id::new("west").unwrap(),
            epoch: 7,
            number: 3,
            config: 11,
            profile: 12,
            version: "0.1.0".to_owned(),
            actions: 13,
            wants_actions: true,
            waiting: vec![waiting::tests::waits()],
        }
    }
}
