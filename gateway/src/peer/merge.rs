//! Actions of other gateways: checked, taken once, put in force; and those that count, told again.

use std::collections::{HashSet, VecDeque};

use bytes::Bytes;
use ecmo_core::alarm::action::Order;
use ecmo_proto::topic::{Id, PumpAddress, Topic};

use super::PeerParts;
use crate::action::ActionRecord;
use crate::action::wire::{self, Told, TreatmentRecord, WireError};
use crate::desk::Desk;
use crate::ingest::Arrival;
use crate::metrics::PeerRejected;
use crate::treatment;

/// Messages that are remembered, so that an echo and a repeat over the other path are told from news: more than any answer says.
const SEEN_MAX: usize = 4_096;

/// The greatest order: the end of wall clocks that count in signed nanoseconds. A greater one would leave no room for the next action.
const ORDER_MAX: u64 = i64::MAX.unsigned_abs();

/// Takes actions of others.
#[derive(Debug, Default)]
pub(super) struct Merger {
    seen: HashSet<[u8; 16]>,
    order: VecDeque<[u8; 16]>,
}

fn sum(bytes: &[u8]) -> [u8; 16] {
    let mut sum = [0; 16];
    let mut hasher = blake3::Hasher::new();
    hasher.update(bytes);
    hasher.finalize_xof().fill(&mut sum);
    sum
}

impl Merger {
    /// Remembers a message that this gateway said itself: its echo is no news.
    pub(super) fn said(&mut self, bytes: &[u8]) {
        self.is_news(bytes);
    }

    fn is_news(&mut self, bytes: &[u8]) -> bool {
        let sum = sum(bytes);
        if !self.seen.insert(sum) {
            return false;
        }
        if self.order.len() >= SEEN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        self.order.push_back(sum);
        true
    }

    /// Takes an action, if it is news.
    pub(super) async fn take(
        &mut self,
        arrival: &Arrival,
        place: Topic<'_>,
        parts: &PeerParts,
    ) -> Result<(), PeerRejected> {
        if !self.is_news(&arrival.payload) {
            return Ok(());
        }
        let told = wire::read(&arrival.payload).map_err(rejected)?;
        let (address, order) = match &told {
            Told::Action(record) => (record.address.as_ref(), &record.action.order),
            Told::Treatment(record) => (Some(&record.address), &record.order),
        };
        // What a person did to a gateway's own alarms concerns no other.
        let address = address.ok_or(PeerRejected::Content)?.clone();
        if (address.ward.as_str(), address.pump.as_str()) != (place.ward, place.pump) {
            return Err(PeerRejected::Identity);
        }
        let order = order.clone();
        if order.at > ORDER_MAX || order.at == 0 {
            return Err(PeerRejected::Content);
        }
        match told {
            Told::Action(record) => {
                tracing::info!(pump = %address, gateway = order.gateway, "an action of another gateway");
                parts.engine.merge(record).map_err(|_no_room| PeerRejected::Overflow)
            }
            Told::Treatment(record) => adopt(record, parts).await,
        }
    }
}

fn rejected(error: WireError) -> PeerRejected {
    match error {
        WireError::Damaged => PeerRejected::Crc,
        WireError::Unknown | WireError::Impossible(_) => PeerRejected::Content,
    }
}

async fn adopt(told: TreatmentRecord, parts: &PeerParts) -> Result<(), PeerRejected> {
    let (address, record) = treatment::read_written(&told.record).map_err(|why| {
        tracing::warn!(pump = %told.address, why, "a treatment of another gateway is refused");
        PeerRejected::Content
    })?;
    let is_alike = (record.patient, record.version) == (told.patient, told.version);
    if address != told.address || !is_alike {
        return Err(PeerRejected::Identity);
    }
    match parts.desk.adopt(address, record).await {
        Ok(true) => {
            let (pump, gateway) = (&told.address, &told.order.gateway);
            tracing::info!(%pump, gateway, version = told.version, "a treatment of another gateway");
            Ok(())
        }
        Ok(false) => Ok(()),
        Err(error) => {
            // It is told again as long as the digests differ.
            tracing::info!(pump = %told.address, %error, "a treatment of another gateway waits");
            Ok(())
        }
    }
}

/// Everything that counts, as messages.
pub(super) fn told_again(
    actions: &[ActionRecord],
    desk: &Desk,
    own: &Id,
) -> VecDeque<(PumpAddress, Bytes)> {
    let of_actions =
        actions.iter().filter_map(|record| Some((record.address.clone()?, wire::action(record))));
    let of_treatments = desk.treatments().into_iter().map(|(address, standing, text)| {
        let record = &standing.record;
        let newest = record.changes.iter().map(|it| it.wall_ns).fold(record.case_wall_ns, i64::max);
        let at = u64::try_from(newest).unwrap_or(0).max(1);
        let message = wire::treatment(&TreatmentRecord {
            id: format!("{own}-{at:x}-treatment"),
            wall_ns: newest,
            address: address.clone(),
            order: Order { at, gateway: own.to_string() },
            by: record.case_by.clone(),
            note: String::new(),
            version: record.version,
            patient: record.patient,
            record: text,
        });
        (address, message)
    });
    of_actions.chain(of_treatments).collect()
}
