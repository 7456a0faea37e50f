//! Displays as a gateway knows them, who has shown what, and who looks after a pump.

use crate::age::GatewayTime;

words! {
    /// What a display does.
    DisplayState {
        /// Holds its lease and paints.
        Attends = "attends",
        /// Holds its lease and does not paint.
        NotPainting = "not_painting",
        /// Its lease ran out without a goodbye.
        Lost = "lost",
    }
}

words! {
    /// Whether a display can be heard.
    AudioOutput {
        /// It is.
        On = "on",
        /// The system does not let it sound.
        Blocked = "blocked",
        /// It has none.
        None = "none",
    }
}

/// One display.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DisplaySeen {
    pub(crate) name: String,
    /// Empty: all.
    pub(crate) wards: Vec<String>,
    pub(crate) state: DisplayState,
    pub(crate) audio: AudioOutput,
    pub(crate) visible: bool,
    pub(crate) frames_per_second: f32,
    pub(crate) lag_ms: u32,
    pub(crate) lease_until: GatewayTime,
    /// High alarms that it has not confirmed.
    pub(crate) unconfirmed: u32,
}

/// Who has shown one alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Confirmations {
    pub(crate) occurrence: String,
    pub(crate) revision: u32,
    /// The oldest revision that shows as much.
    pub(crate) covers_from: u32,
    pub(crate) confirmed: Vec<Confirmed>,
    /// Displays that attend its ward and have not.
    pub(crate) missing: Vec<String>,
}

impl Confirmations {
    /// Whether some display has shown it as it is now.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.confirmed.iter().any(|one| one.revision >= self.covers_from)
    }
}

/// One display has shown one alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Confirmed {
    pub(crate) display: String,
    pub(crate) revision: u32,
    pub(crate) took_ns: Option<u64>,
}

words! {
    /// How an offer ended.
    OfferEnd {
        /// The other person accepted.
        Accepted = "accepted",
        /// The other person rejected.
        Rejected = "rejected",
        /// Nobody answered in time.
        Lapsed = "lapsed",
    }
}

/// Who looks after a pump, and where it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ownership {
    pub(crate) owner: Option<String>,
    pub(crate) since: Option<GatewayTime>,
    pub(crate) offered_to: Option<String>,
    pub(crate) offer_until: Option<GatewayTime>,
    pub(crate) last_offer: Option<OfferEnd>,
    /// Somebody is asked to take it, and nobody has.
    pub(crate) unanswered: bool,
    pub(crate) bed: Option<String>,
}
