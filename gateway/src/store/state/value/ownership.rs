//! Who looks after a pump and where it stands, as bytes.

use ecmo_core::alarm::action::OfferEnd;
use ecmo_core::pump::ownership::Ownership;
use prost::Message;

use super::{OrderValue, order_of, order_to};
use crate::store::state::times::Times;

#[derive(Clone, PartialEq, Message)]
pub(super) struct OwnershipValue {
    #[prost(string, optional, tag = "1")]
    owner: Option<String>,
    #[prost(int64, optional, tag = "2")]
    since: Option<i64>,
    #[prost(string, optional, tag = "3")]
    offered_to: Option<String>,
    #[prost(int64, tag = "4")]
    offer_until: i64,
    #[prost(uint32, tag = "5")]
    pub(super) last_offer: u32,
    #[prost(bool, tag = "6")]
    unanswered: bool,
    #[prost(string, tag = "7")]
    bed: String,
    #[prost(uint64, tag = "8")]
    version: u64,
    #[prost(message, required, tag = "9")]
    order: OrderValue,
    #[prost(message, optional, tag = "10")]
    bed_order: Option<OrderValue>,
}

pub(super) fn to(ownership: &Ownership, times: Times) -> OwnershipValue {
    OwnershipValue {
        owner: ownership.owner.clone(),
        since: ownership.since.map(|since| times.wall(since)),
        offered_to: ownership.offer.as_ref().map(|(to, _until)| to.clone()),
        offer_until: ownership.offer.as_ref().map_or(0, |(_to, until)| times.wall(*until)),
        last_offer: match ownership.last_offer {
            None => 0,
            Some(OfferEnd::Accepted) => 1,
            Some(OfferEnd::Rejected) => 2,
            Some(OfferEnd::Lapsed) => 3,
        },
        unanswered: ownership.unanswered,
        bed: ownership.bed.clone(),
        version: ownership.version,
        order: order_to(&ownership.order),
        bed_order: Some(order_to(&ownership.bed_order)),
    }
}

/// # Errors
/// What is wrong with it.
pub(super) fn of(value: OwnershipValue, times: Times) -> Result<Ownership, String> {
    let last_offer = match value.last_offer {
        0 => None,
        1 => Some(OfferEnd::Accepted),
        2 => Some(OfferEnd::Rejected),
        3 => Some(OfferEnd::Lapsed),
        other => return Err(format!("no offer ends by {other}")),
    };
    let until = times.mono(value.offer_until);
    Ok(Ownership {
        owner: value.owner,
        since: value.since.map(|since| times.mono(since)),
        offer: value.offered_to.map(|to| (to, until)),
        last_offer,
        unanswered: value.unanswered,
        bed: value.bed,
        version: value.version,
        order: order_of(value.order),
        bed_order: value.bed_order.map(order_of).unwrap_or_default(),
    })
}
