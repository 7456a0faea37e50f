//! Messages about displays, confirmations and ownership into checked types. What is not said is taken at its worst.

use ecmo_proto::v1 as wire;

use super::{text, text_or_none};
use crate::age::GatewayTime;
use crate::model::{
    AudioOutput, Confirmations, Confirmed, DisplaySeen, DisplayState, OfferEnd, Ownership,
};

/// One display.
pub(crate) fn display(raw: wire::Display) -> DisplaySeen {
    let state = match raw.state() {
        wire::DisplayState::Attends => DisplayState::Attends,
        wire::DisplayState::NotPainting => DisplayState::NotPainting,
        wire::DisplayState::Lost | wire::DisplayState::Unspecified => DisplayState::Lost,
    };
    let health = raw.health.unwrap_or_default();
    let audio = match health.audio() {
        wire::AudioOutput::On => AudioOutput::On,
        wire::AudioOutput::Blocked => AudioOutput::Blocked,
        wire::AudioOutput::None | wire::AudioOutput::Unspecified => AudioOutput::None,
    };
    DisplaySeen {
        name: text(&raw.name),
        wards: raw.wards.iter().map(|ward| text(ward)).collect(),
        state,
        audio,
        visible: health.visible,
        frames_per_second: health.frames_per_second,
        lag_ms: health.lag_ms,
        lease_until: GatewayTime(raw.lease_until_mono_ns),
        unconfirmed: raw.unconfirmed,
    }
}

/// Who has shown one alarm.
pub(crate) fn confirmations(raw: wire::AlarmConfirmations) -> Confirmations {
    let confirmed = |one: wire::Confirmation| Confirmed {
        display: text(&one.display),
        revision: one.revision,
        took_ns: one.took_ns,
    };
    Confirmations {
        occurrence: text(&raw.occurrence),
        revision: raw.revision,
        covers_from: raw.covers_from,
        confirmed: raw.confirmations.into_iter().map(confirmed).collect(),
        missing: raw.missing.iter().map(|name| text(name)).collect(),
    }
}

/// Who looks after a pump.
pub(crate) fn ownership(raw: wire::Ownership) -> Ownership {
    let last_offer = match raw.last_offer() {
        wire::OfferEnd::Unspecified => None,
        wire::OfferEnd::Accepted => Some(OfferEnd::Accepted),
        wire::OfferEnd::Rejected => Some(OfferEnd::Rejected),
        wire::OfferEnd::Lapsed => Some(OfferEnd::Lapsed),
    };
    Ownership {
        owner: text_or_none(&raw.owner),
        since: raw.since_mono_ns.map(GatewayTime),
        offered_to: text_or_none(&raw.offered_to),
        offer_until: raw.offer_until_mono_ns.map(GatewayTime),
        last_offer,
        unanswered: raw.unanswered,
        bed: text_or_none(&raw.bed),
    }
}
