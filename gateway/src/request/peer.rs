//! The gateway's word about itself, as sealed bytes.

use bytes::Bytes;
use ecmo_proto::sealed;
use ecmo_proto::v1;

use crate::decode::PeerBeat;

/// Seals a gateway's word about itself.
#[must_use]
pub fn peer_heartbeat(word: &PeerBeat) -> Bytes {
    sealed::seal(&v1::PeerHeartbeat {
        gateway: word.gateway.to_string(),
        epoch: word.epoch,
        number: word.number,
        config_digest: word.config,
        profile_hash: word.profile,
        version: word.version.clone(),
        actions_digest: word.actions,
        wants_actions: word.wants_actions,
        waiting: word.waiting.iter().map(super::waiting::said).collect(),
        crc32c: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode;
    use crate::decode::word;
    use crate::metrics::PeerRejected;

    #[test]
    fn a_word_is_read_as_it_was_said_and_only_from_its_own_topic() {
        let sealed = peer_heartbeat(&word());
        assert_eq!(decode::peer(&sealed, "west"), Ok(word()));
        assert_eq!(decode::peer(&sealed, "east"), Err(PeerRejected::Identity));
        let nameless = peer_heartbeat(&PeerBeat { epoch: 0, ..word() });
        assert_eq!(decode::peer(&nameless, "west"), Err(PeerRejected::Content));
        for end in 0..sealed.len() {
            assert!(decode::peer(&sealed[..end], "west").is_err(), "cut at {end}");
        }
        let mut flipped = sealed.to_vec();
        flipped[3] ^= 4;
        assert_eq!(decode::peer(&flipped, "west"), Err(PeerRejected::Crc));
    }
}
