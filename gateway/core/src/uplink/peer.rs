//! The other gateways: whether they are heard, and whether they decide by the same rules.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::time::Instant;

/// A gateway that had been heard and says nothing for so long is lost (prop).
pub const PEER_LOST_AFTER: Duration = Duration::from_secs(3);

/// One that was lost is back once it has been heard for so long (prop).
pub const PEER_BACK_AFTER: Duration = Duration::from_secs(5);

/// How long the other one may differ, as while two are being changed (prop).
pub const DIFFERS_AFTER: Duration = Duration::from_secs(10);

/// Most gateways beside this one that are judged and talked with: a unit has two. Others are as if they were not there.
pub const PEERS_MAX: usize = 4;

/// What a gateway says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerWord {
    /// Its name.
    pub name: Arc<str>,
    /// Changes with each start of it.
    pub epoch: u64,
    /// Digest of everything by which it decides.
    pub config_digest: u64,
}

/// Another gateway as this one sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerHeard {
    /// Its name.
    pub name: Arc<str>,
    /// It decides by other rules or settings, or has the name of this one.
    pub differs: bool,
}

impl PeerWord {
    /// What another gateway's word means to this one; `None` for this one's own, come back.
    #[must_use]
    pub fn hear(&self, other: &Self) -> Option<PeerHeard> {
        let same_name = self.name == other.name;
        if same_name && self.epoch == other.epoch {
            return None;
        }
        let differs = same_name || self.config_digest != other.config_digest;
        Some(PeerHeard { name: Arc::clone(&other.name), differs })
    }
}

#[derive(Debug)]
struct Peer {
    name: Arc<str>,
    heard_at: Instant,
    /// Since when it has been heard without a break.
    heard_since: Instant,
    lost_since: Option<Instant>,
    differs_since: Option<Instant>,
}

/// The other gateways.
#[derive(Debug, Default)]
pub(super) struct Peers {
    known: Vec<Peer>,
}

impl Peers {
    /// A gateway that must be there, whether it was heard or not.
    pub(super) fn expect(&mut self, name: Arc<str>, now: Instant) {
        if self.known.len() < PEERS_MAX && !self.known.iter().any(|peer| peer.name == name) {
            self.known.push(Peer {
                name,
                heard_at: now,
                heard_since: now,
                lost_since: None,
                differs_since: None,
            });
        }
    }

    pub(super) fn on_heard(&mut self, heard: &PeerHeard, now: Instant) {
        // One that was heard once must be there from then on.
        self.expect(Arc::clone(&heard.name), now);
        let Some(peer) = self.known.iter_mut().find(|peer| peer.name == heard.name) else { return };
        if now.since(peer.heard_at) >= PEER_LOST_AFTER {
            peer.lost_since.get_or_insert(peer.heard_at);
            peer.heard_since = now;
        }
        peer.heard_at = now;
        peer.differs_since = heard.differs.then(|| peer.differs_since.unwrap_or(now));
    }

    pub(super) fn on_tick(&mut self, now: Instant) {
        for peer in &mut self.known {
            if now.since(peer.heard_at) >= PEER_LOST_AFTER {
                peer.lost_since.get_or_insert(peer.heard_at);
                peer.heard_since = now;
            } else if now.since(peer.heard_since) >= PEER_BACK_AFTER {
                peer.lost_since = None;
            }
        }
    }

    /// Since when one of them is lost.
    pub(super) fn lost_since(&self) -> Option<Instant> {
        self.known.iter().filter_map(|peer| peer.lost_since).min()
    }

    /// Since when one of them differs, if that has lasted. What a silent one would say now is not known: what was said stays.
    pub(super) fn differs_since(&self, now: Instant) -> Option<Instant> {
        let since = self.known.iter().filter_map(|peer| peer.differs_since).min();
        since.filter(|since| now.since(*since) >= DIFFERS_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn heard(name: &str, differs: bool) -> PeerHeard {
        PeerHeard { name: name.into(), differs }
    }

    #[test]
    fn a_word_is_ones_own_or_alike_or_differs() {
        let word =
            |name: &str, epoch, config_digest| PeerWord { name: name.into(), epoch, config_digest };
        let own = word("gw-a", 7, 1);
        for (other, differs) in [
            (word("gw-a", 7, 1), None),
            (word("gw-b", 9, 1), Some(false)),
            (word("gw-b", 9, 2), Some(true)),
            (word("gw-a", 9, 1), Some(true)),
        ] {
            assert_eq!(own.hear(&other).map(|heard| heard.differs), differs, "{other:?}");
        }
    }

    #[test]
    fn a_peer_is_lost_after_three_silent_seconds_and_back_after_five_of_hearing_it() {
        let mut peers = Peers::default();
        peers.on_tick(at(60_000));
        assert_eq!(peers.lost_since(), None, "one that was never there is not lost");
        peers.on_heard(&heard("b", false), at(100_000));
        peers.on_tick(at(102_999));
        assert_eq!(peers.lost_since(), None);
        peers.on_tick(at(103_000));
        assert_eq!(peers.lost_since(), Some(at(100_000)));
        let mut now = 110_000;
        while now < 115_000 {
            peers.on_heard(&heard("b", false), at(now));
            peers.on_tick(at(now));
            assert_eq!(peers.lost_since(), Some(at(100_000)), "{now}");
            now += 1_000;
        }
        peers.on_heard(&heard("b", false), at(now));
        peers.on_tick(at(now));
        assert_eq!(peers.lost_since(), None);
    }

    #[test]
    fn a_peer_that_is_expected_and_never_came_is_lost() {
        let mut peers = Peers::default();
        peers.expect("b".into(), at(1_000));
        peers.on_tick(at(3_999));
        assert_eq!(peers.lost_since(), None);
        peers.on_tick(at(4_000));
        assert_eq!(peers.lost_since(), Some(at(1_000)));
    }

    #[test]
    fn a_difference_counts_after_ten_seconds_and_ends_at_once() {
        let mut peers = Peers::default();
        for second in 0..=20 {
            peers.on_heard(&heard("b", true), at(second * 1_000));
            peers.on_heard(&heard("c", false), at(second * 1_000));
            let told = peers.differs_since(at(second * 1_000));
            assert_eq!(told, (second >= 10).then_some(at(0)), "{second}");
        }
        peers.on_tick(at(90_000));
        assert_eq!(peers.differs_since(at(90_000)), Some(at(0)), "silence is no agreement");
        peers.on_heard(&heard("b", false), at(91_000));
        assert_eq!(peers.differs_since(at(91_000)), None);
    }

    #[test]
    fn what_is_known_of_peers_is_bounded() {
        let mut peers = Peers::default();
        for number in 0..1_000_u32 {
            peers.on_heard(&heard(&alloc::format!("gw-{number}"), false), at(0));
        }
        assert_eq!(peers.known.len(), PEERS_MAX);
    }
}
