//! What is subscribed to, and where a message goes by its topic: to the alarm thread, to what other gateways say, or nowhere.

use ecmo_proto::sealed::{
    ACTION_BYTES_MAX, BACKFILL_BYTES_MAX, FRAME_BYTES_MAX, HEARTBEAT_BYTES_MAX, SHORT_BYTES_MAX,
};
use ecmo_proto::topic::{self, DRILL, GATEWAYS, Id, Kind, PREFIX, filter};
use rumqttc::{QoS, SubAck, SubscribeFilter, SubscribeReasonCode};

/// Where a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// To the alarm thread: of a pump, of the own drill, or of nobody that it knows.
    Engine,
    /// To the reader of what other gateways say.
    Others,
    /// Nowhere: it is for another gateway, and nothing is wrong with it.
    Nobody,
    /// Nowhere: no gateway and no agent says this there.
    Refused,
}

/// The place of a message for the gateway of this name. Allocates nothing: it is asked for each frame.
pub(super) fn place(name: &str, own: &Id) -> Place {
    // The alarm thread counts what is none of ours.
    let Some(parts) = topic::parse(name) else { return Place::Engine };
    let is_reserved = |id: &str| id.starts_with('_');
    let reserved = (is_reserved(parts.ward), is_reserved(parts.pump));
    match (parts.kind, reserved) {
        (Kind::Peer, (true, false)) if parts.ward == GATEWAYS => Place::Others,
        (Kind::Peer, _) => Place::Refused,
        (Kind::Action, (false, false)) => Place::Others,
        (Kind::Frame | Kind::Birth, (true, false)) if parts.ward == DRILL => {
            if parts.pump == own.as_str() { Place::Engine } else { Place::Nobody }
        }
        (_, (true, _) | (_, true)) => Place::Refused,
        (
            Kind::Frame
            | Kind::Birth
            | Kind::Status
            | Kind::Heartbeat
            | Kind::Backfill
            | Kind::Request
            | Kind::Alarm,
            (false, false),
        ) => Place::Engine,
    }
}

/// Longest payload of a message that is handed on; a longer one is only reported. Births and statuses are no longer than
/// a frame.
pub(super) fn payload_bytes_max(name: &str) -> usize {
    match topic::parse(name).map(|parts| parts.kind) {
        Some(Kind::Heartbeat) => HEARTBEAT_BYTES_MAX,
        Some(Kind::Backfill) => BACKFILL_BYTES_MAX,
        Some(Kind::Action) => ACTION_BYTES_MAX,
        Some(Kind::Alarm | Kind::Peer) => SHORT_BYTES_MAX,
        Some(Kind::Frame | Kind::Birth | Kind::Status | Kind::Request) | None => FRAME_BYTES_MAX,
    }
}

/// How surely a kind of message is delivered.
pub(super) const fn quality(kind: Kind) -> QoS {
    match kind {
        Kind::Frame | Kind::Heartbeat | Kind::Peer => QoS::AtMostOnce,
        Kind::Birth
        | Kind::Status
        | Kind::Backfill
        | Kind::Request
        | Kind::Alarm
        | Kind::Action => QoS::AtLeastOnce,
    }
}

/// What agents and other gateways send of a ward.
const OF_WARD: [Kind; 6] =
    [Kind::Birth, Kind::Status, Kind::Frame, Kind::Heartbeat, Kind::Backfill, Kind::Action];

/// Everything that the gateway of this name reads of these wards, or of all.
pub(super) fn filters(wards: &[Id], own: &Id) -> Vec<SubscribeFilter> {
    let all = wards.is_empty().then_some(None);
    let named = wards.iter().map(Some);
    let of_wards = all.into_iter().chain(named).flat_map(|ward| {
        OF_WARD.map(|kind| SubscribeFilter::new(filter(ward, kind), quality(kind)))
    });
    let peers = format!("{PREFIX}/{GATEWAYS}/+/{}", Kind::Peer.level());
    let peers = SubscribeFilter::new(peers, quality(Kind::Peer));
    // Whoever reads all wards reads its drill with them.
    let drill = [Kind::Birth, Kind::Frame].into_iter().filter(|_| !wards.is_empty());
    let drill = drill.map(|kind| {
        SubscribeFilter::new(format!("{PREFIX}/{DRILL}/{own}/{}", kind.level()), quality(kind))
    });
    of_wards.chain([peers]).chain(drill).collect()
}

/// Every subscription must be granted: one that is refused would look like silence of its pumps.
pub(super) fn granted(answer: &SubAck, asked: usize) -> Result<(), String> {
    let granted = answer
        .return_codes
        .iter()
        .filter(|code| matches!(code, SubscribeReasonCode::Success(_)))
        .count();
    if granted == asked && answer.return_codes.len() == asked {
        return Ok(());
    }
    Err(format!(
        "the broker granted {granted} of {asked} subscriptions; let this gateway read ecmo/v1/#"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    fn paths(wards: &[&str]) -> Vec<String> {
        let wards: Vec<Id> = wards.iter().map(|ward| id(ward)).collect();
        filters(&wards, &id("east")).into_iter().map(|filter| filter.path).collect()
    }

    #[test]
    fn every_ward_is_subscribed_for_all_that_agents_and_gateways_send() {
        let kinds = ["birth", "status", "frame", "heartbeat", "backfill", "action"];
        let mut all = kinds.map(|kind| format!("ecmo/v1/+/+/{kind}")).to_vec();
        all.push("ecmo/v1/_gateways/+/peer".to_owned());
        assert_eq!(paths(&[]), all);
        let two = paths(&["nicu", "picu"]);
        assert_eq!(two.len(), 15);
        for expected in [
            "ecmo/v1/picu/+/frame",
            "ecmo/v1/nicu/+/action",
            "ecmo/v1/_gateways/+/peer",
            "ecmo/v1/_drill/east/birth",
            "ecmo/v1/_drill/east/frame",
        ] {
            assert!(two.contains(&expected.to_owned()), "{expected} in {two:?}");
        }
    }

    #[test]
    fn a_message_goes_where_its_topic_says_and_reserved_ids_are_nobodys_pump() {
        let of = |name: &str| place(&format!("ecmo/v1/{name}"), &id("east"));
        for (name, expected) in [
            ("nicu/p1/frame", Place::Engine),
            ("nicu/p1/birth", Place::Engine),
            ("nicu/p1/nonsense", Place::Engine),
            ("nicu/p1/action", Place::Others),
            ("_gateways/west/peer", Place::Others),
            ("_drill/east/frame", Place::Engine),
            ("_drill/east/birth", Place::Engine),
            ("_drill/west/frame", Place::Nobody),
            ("_drill/west/birth", Place::Nobody),
            ("_drill/east/status", Place::Refused),
            ("_drill/east/action", Place::Refused),
            ("_drill/_east/frame", Place::Refused),
            ("_gateways/east/frame", Place::Refused),
            ("_gateways/_x/peer", Place::Refused),
            ("nicu/east/peer", Place::Refused),
            ("nicu/_ward/action", Place::Refused),
            ("nicu/_ward/frame", Place::Refused),
            ("_other/p1/heartbeat", Place::Refused),
        ] {
            assert_eq!(of(name), expected, "{name}");
        }
    }

    #[test]
    fn a_refused_or_missing_subscription_is_an_error() {
        let success = SubscribeReasonCode::Success(QoS::AtMostOnce);
        let answer = |codes: &[SubscribeReasonCode]| SubAck::new(1, codes.to_vec());
        assert!(granted(&answer(&[success; 3]), 3).is_ok());
        let refused = [success, SubscribeReasonCode::Failure, success];
        let detail = granted(&answer(&refused), 3).unwrap_err();
        assert!(detail.contains("2 of 3"), "{detail}");
        assert!(granted(&answer(&[success; 2]), 3).is_err());
        assert!(granted(&answer(&[]), 3).is_err());
    }
}
