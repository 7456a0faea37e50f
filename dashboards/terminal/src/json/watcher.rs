//! The shape of displays, confirmations and ownership as JSON.

use serde::Serialize;

use crate::age::{GatewayTime, age_ms};
use crate::model::{Confirmations, DisplaySeen, OfferEnd, Ownership};

/// One display.
#[derive(Debug, Serialize)]
pub(crate) struct DisplayJson<'a> {
    display: &'a str,
    /// Empty: all.
    wards: &'a [String],
    state: &'static str,
    audio: &'static str,
    visible: bool,
    frames_per_second: f32,
    lag_ms: u32,
    /// 0 once the lease is over.
    lease_left_ms: u64,
    unconfirmed: u32,
}

impl<'a> DisplayJson<'a> {
    /// A display at `now`.
    pub(crate) fn new(display: &'a DisplaySeen, now: GatewayTime) -> Self {
        Self {
            display: &display.name,
            wards: &display.wards,
            state: display.state.id(),
            audio: display.audio.id(),
            visible: display.visible,
            frames_per_second: display.frames_per_second,
            lag_ms: display.lag_ms,
            lease_left_ms: age_ms(now.age_at(display.lease_until)),
            unconfirmed: display.unconfirmed,
        }
    }
}

/// Who has shown one alarm.
#[derive(Debug, Serialize)]
pub(crate) struct ConfirmationsJson<'a> {
    occurrence: &'a str,
    revision: u32,
    covers_from: u32,
    /// Whether some display has shown it as it is now.
    confirmed: bool,
    confirmations: Vec<ConfirmationJson<'a>>,
    missing: &'a [String],
}

#[derive(Debug, Serialize)]
struct ConfirmationJson<'a> {
    display: &'a str,
    revision: u32,
    took_ns: Option<u64>,
}

impl<'a> ConfirmationsJson<'a> {
    /// Who has shown an alarm.
    pub(crate) fn new(alarm: &'a Confirmations) -> Self {
        let confirmations = alarm.confirmed.iter().map(|one| ConfirmationJson {
            display: &one.display,
            revision: one.revision,
            took_ns: one.took_ns,
        });
        Self {
            occurrence: &alarm.occurrence,
            revision: alarm.revision,
            covers_from: alarm.covers_from,
            confirmed: alarm.is_confirmed(),
            confirmations: confirmations.collect(),
            missing: &alarm.missing,
        }
    }
}

/// Who looks after a pump.
#[derive(Debug, Serialize)]
pub(crate) struct OwnershipJson<'a> {
    owner: Option<&'a str>,
    /// For how long; null where the time of the answer is not known.
    owned_ms: Option<u64>,
    offered_to: Option<&'a str>,
    offer_left_ms: Option<u64>,
    last_offer: Option<&'static str>,
    unanswered: bool,
    bed: Option<&'a str>,
}

impl<'a> OwnershipJson<'a> {
    /// The ownership of a pump at `now`, where that is known.
    pub(crate) fn new(ownership: &'a Ownership, now: Option<GatewayTime>) -> Self {
        let since = ownership.since.zip(now).map(|(since, now)| age_ms(since.age_at(now)));
        let left = ownership.offer_until.zip(now).map(|(until, now)| age_ms(now.age_at(until)));
        Self {
            owner: ownership.owner.as_deref(),
            owned_ms: since,
            offered_to: ownership.offered_to.as_deref(),
            offer_left_ms: left,
            last_offer: ownership.last_offer.map(OfferEnd::id),
            unanswered: ownership.unanswered,
            bed: ownership.bed.as_deref(),
        }
    }
}
