//! Actions of other gateways: checked, taken over; and those that count here, told again.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use ecmo_core::alarm::action::{AlarmRef, Order, What};
use ecmo_core::time::Instant;
use ecmo_proto::topic::{Id, PumpAddress, Topic};

use super::PeerParts;
use crate::action::ActionRecord;
use crate::action::wire::{self, Told, TreatmentRecord, WireError};
use crate::desk::{Desk, DeskError};
use crate::ingest::Arrival;
use crate::metrics::PeerRejected;

/// Sums that are remembered (prop): more than any answer says.
const KNOWN_MAX: usize = 4_096;

/// The greatest order: the end of wall clocks that count in signed nanoseconds. A greater one would leave no room for the next action.
const ORDER_MAX: u64 = i64::MAX.unsigned_abs();

/// So long the same message is an echo or the repeat over the other path (prop). Told again later, it is told to whoever could do
/// nothing with it before: the pump was not known, or there was no room.
const REPEAT_WITHIN: Duration = Duration::from_secs(2);

/// A sum that no two different things have.
type Sum = [u8; 16];

fn sum(parts: &[&[u8]]) -> Sum {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
        hasher.update(&[0]);
    }
    let mut sum = Sum::default();
    hasher.finalize_xof().fill(&mut sum);
    sum
}

/// What is known already, with the time since when; the oldest is forgotten.
#[derive(Debug, Default)]
struct Known {
    sums: HashSet<Sum>,
    order: VecDeque<(Sum, Instant)>,
}

impl Known {
    /// Remembers it; whether it was not known.
    fn is_news(&mut self, sum: Sum, now: Instant) -> bool {
        if !self.sums.insert(sum) {
            return false;
        }
        if self.order.len() >= KNOWN_MAX {
            self.forget_oldest();
        }
        self.order.push_back((sum, now));
        true
    }

    fn forget_oldest(&mut self) {
        if let Some((oldest, _since)) = self.order.pop_front() {
            self.sums.remove(&oldest);
        }
    }

    fn forget_before(&mut self, time: Instant) {
        while self.order.front().is_some_and(|(_sum, since)| *since < time) {
            self.forget_oldest();
        }
    }
}

/// Takes over what others tell.
#[derive(Debug, Default)]
pub(super) struct Merger {
    /// Messages: an echo, or a repeat over the other path, is no news.
    messages: Known,
    /// Actions: one that is told again says another time that is left, and was written down before.
    actions: Known,
}

impl Merger {
    /// Remembers a message that this gateway says itself.
    pub(super) fn said(&mut self, message: &[u8], now: Instant) {
        self.is_repeat(message, now);
        if let Ok(Told::Action(record)) = wire::read(message) {
            self.actions.is_news(name(&record), now);
        }
    }

    fn is_repeat(&mut self, message: &[u8], now: Instant) -> bool {
        self.messages.forget_before(now.minus(REPEAT_WITHIN));
        !self.messages.is_news(sum(&[message]), now)
    }

    /// Takes an action over, if it is news.
    pub(super) async fn take(
        &mut self,
        arrival: &Arrival,
        place: Topic<'_>,
        parts: &PeerParts,
    ) -> Result<(), PeerRejected> {
        if self.is_repeat(&arrival.payload, arrival.received) {
            return Ok(());
        }
        match checked(&arrival.payload, place)? {
            Told::Action(record) => {
                let taken = if self.actions.is_news(name(&record), arrival.received) {
                    let gateway = &record.action.order.gateway;
                    tracing::info!(topic = arrival.topic, gateway, "an action of another gateway");
                    parts.actions.merge(record)
                } else {
                    parts.engine.merge(record)
                };
                // It is told again as long as the digests differ.
                taken.map_err(|_no_room| PeerRejected::Overflow)
            }
            Told::Treatment(record) => adopt(record, parts).await,
        }
    }
}

/// The name of an action, by which it is the same when it is told again.
fn name(record: &ActionRecord) -> Sum {
    let alarms = |what: &str, alarms: &[AlarmRef]| {
        let each = alarms.iter().map(|alarm| format!(" {} {}", alarm.id, alarm.call));
        format!("{what}{}", each.collect::<String>())
    };
    let what = match &record.action.what {
        What::Acknowledge(alarm) | What::AcknowledgeEnded(alarm) => {
            alarms("acknowledge", &[*alarm])
        }
        What::Pause { alarms: of, .. } => alarms("pause", of),
        What::Resume { alarms: of, .. } => alarms("resume", of),
        What::Shelve { condition, left } => format!("shelve {condition} {}", left.is_zero()),
        What::Own(state) => format!("own {}", state.version),
        What::Bed(bed) => format!("bed {bed}"),
    };
    let address = record.address.as_ref().map(ToString::to_string).unwrap_or_default();
    let Order { at, gateway } = &record.action.order;
    sum(&[address.as_bytes(), &at.to_le_bytes(), gateway.as_bytes(), what.as_bytes()])
}

/// What a message tells, if it may tell it at this place.
fn checked(payload: &[u8], place: Topic<'_>) -> Result<Told, PeerRejected> {
    let told = wire::read(payload).map_err(|error| match error {
        WireError::Damaged => PeerRejected::Crc,
        WireError::Unknown | WireError::Impossible(_) => PeerRejected::Content,
    })?;
    let (address, order) = match &told {
        Told::Action(record) => (record.address.as_ref(), &record.action.order),
        Told::Treatment(record) => (Some(&record.address), &record.order),
    };
    // What a person did to a gateway's own alarms concerns no other.
    let address = address.ok_or(PeerRejected::Content)?;
    if (address.ward.as_str(), address.pump.as_str()) != (place.ward, place.pump) {
        return Err(PeerRejected::Identity);
    }
    if order.at == 0 || order.at > ORDER_MAX || order.gateway.starts_with('_') {
        return Err(PeerRejected::Content);
    }
    Ok(told)
}

async fn adopt(told: TreatmentRecord, parts: &PeerParts) -> Result<(), PeerRejected> {
    let (pump, gateway, version) = (told.address.clone(), told.order.gateway.clone(), told.version);
    match parts.desk.adopt(told).await {
        Ok(true) => tracing::info!(%pump, gateway, version, "a treatment of another gateway"),
        Ok(false) => {}
        Err(DeskError::Change(error)) => {
            tracing::warn!(%pump, gateway, %error, "a treatment of another gateway is refused");
            return Err(PeerRejected::Content);
        }
        // It is told again as long as the digests differ.
        Err(error) => {
            tracing::info!(%pump, gateway, %error, "a treatment of another gateway waits")
        }
    }
    Ok(())
}

/// Everything that counts, as messages.
pub(super) fn told_again(
    actions: &[ActionRecord],
    desk: &Desk,
    own: &Id,
) -> VecDeque<(PumpAddress, Bytes)> {
    let of_actions =
        actions.iter().filter_map(|record| Some((record.address.clone()?, wire::action(record))));
    let of_treatments = desk.treatments().into_iter().filter_map(|(address, standing)| {
        let record = &standing.record;
        let text = record.to_text(&address).ok()?;
        // Of a change before a restart the place is not known any more: any other one counts before it.
        let known = Some(&standing.order).filter(|order| order.at > 0);
        let order = known.cloned().unwrap_or_else(|| Order { at: 1, gateway: own.to_string() });
        let at = order.at;
        let message = wire::treatment(&TreatmentRecord {
            id: format!("{}-{at:x}-treatment", order.gateway),
            wall_ns: i64::try_from(at).unwrap_or(i64::MAX),
            address: address.clone(),
            order,
            by: record.case_by.clone(),
            note: String::new(),
            version: record.version,
            patient: record.patient,
            record: text,
        });
        Some((address, message))
    });
    of_actions.chain(of_treatments).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_core::alarm::action::{Action, OwnershipState};

    fn record(ward: &str, at: u64) -> ActionRecord {
        let id = |text| Id::new(text).unwrap();
        let what = What::Own(OwnershipState { version: 3, ..OwnershipState::default() });
        let order = Order { at, gateway: "west".to_owned() };
        ActionRecord {
            id: "west-1-1".to_owned(),
            wall_ns: 0,
            address: (!ward.is_empty()).then(|| PumpAddress { ward: id(ward), pump: id("p1") }),
            action: Action { order, by: "A".to_owned(), note: String::new(), what },
        }
    }

    #[test]
    fn an_action_is_refused_at_another_pumps_topic_without_a_pump_and_with_an_impossible_order() {
        let at =
            |ward: &'static str| Topic { ward, pump: "p1", kind: ecmo_proto::topic::Kind::Action };
        let check = |record: &ActionRecord, ward| checked(&wire::action(record), at(ward));
        assert!(check(&record("nicu", 5), "nicu").is_ok());
        assert_eq!(check(&record("nicu", 5), "picu"), Err(PeerRejected::Identity));
        assert_eq!(check(&record("", 5), "nicu"), Err(PeerRejected::Content));
        assert_eq!(check(&record("nicu", 0), "nicu"), Err(PeerRejected::Content));
        assert_eq!(check(&record("nicu", u64::MAX), "nicu"), Err(PeerRejected::Content));
        assert_eq!(checked(b"noise", at("nicu")), Err(PeerRejected::Crc));
    }

    #[test]
    fn what_is_known_is_bounded_and_the_newest_is_known() {
        let (mut known, now) = (Known::default(), Instant::default());
        for number in 0..3 * KNOWN_MAX {
            assert!(known.is_news(sum(&[&number.to_le_bytes()]), now));
        }
        assert_eq!((known.sums.len(), known.order.len()), (KNOWN_MAX, KNOWN_MAX));
        assert!(!known.is_news(sum(&[&(3 * KNOWN_MAX - 1).to_le_bytes()]), now));
    }

    #[test]
    fn the_same_message_is_a_repeat_for_two_seconds_and_then_told_again() {
        let mut merger = Merger::default();
        let at = Instant::from_millis;
        for (millis, repeat) in [(10_000, false), (10_050, true), (11_900, true), (13_000, false)] {
            assert_eq!(merger.is_repeat(b"x", at(millis)), repeat, "{millis}");
        }
        merger.said(b"y", at(20_000));
        assert!(merger.is_repeat(b"y", at(20_010)), "an echo");
    }

    #[test]
    fn an_action_that_is_told_again_has_the_same_name_and_another_one_has_not() {
        assert_eq!(name(&record("nicu", 5)), name(&record("nicu", 5)));
        assert_ne!(name(&record("nicu", 5)), name(&record("nicu", 6)));
        assert_ne!(name(&record("nicu", 5)), name(&record("picu", 5)));
    }
}
