//! What people do to alarms and pumps, resolved to what it is about: the same on every gateway that hears of it.
//!
//! Actions merge as a set: applying one twice, late or out of order changes nothing more.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::alarm::condition::Condition;
use crate::alarm::occurrence::{OccurrenceId, PauseScope};

/// Orders two actions about the same thing: the greater one counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Order {
    /// Nanoseconds since 1970 by the wall clock of the gateway that took it, and greater than all that it knew before.
    pub at: u64,
    /// Name of that gateway.
    pub gateway: String,
}

/// An alarm as an action names it, with how often it had called a person by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AlarmRef {
    /// Which occurrence.
    pub id: OccurrenceId,
    /// The action covers no later call.
    pub call: u32,
}

/// One thing that one person did at one pump, or to the gateway's own alarms.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Its place among others about the same thing.
    pub order: Order,
    /// Who, as they named themselves.
    pub by: String,
    /// What they added, or why; may be empty.
    pub note: String,
    /// What they did.
    pub what: What,
}

/// What was done.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// An alarm was acknowledged.
    Acknowledge(AlarmRef),
    /// Sound was paused.
    Pause {
        /// What the person paused.
        scope: PauseScope,
        /// The alarms that signalled there.
        alarms: Vec<AlarmRef>,
        /// Time that is left.
        left: Duration,
    },
    /// Pauses were ended.
    Resume {
        /// What the person wants to hear again.
        scope: PauseScope,
        /// The alarms that were paused there.
        alarms: Vec<AlarmRef>,
    },
    /// A condition was shelved, or its shelving ended.
    Shelve {
        /// Which.
        condition: Condition,
        /// Time that is left; zero ends it.
        left: Duration,
    },
    /// The ownership of the pump is this from now on.
    Own(OwnershipState),
}

/// Who looks after a pump, and where it stands, without any clock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnershipState {
    /// Who looks after it.
    pub owner: Option<String>,
    /// To whom it is offered, and how long the offer still holds.
    pub offer: Option<(String, Duration)>,
    /// How the last offer ended.
    pub last_offer: Option<OfferEnd>,
    /// Somebody is asked to take it, and nobody has.
    pub unanswered: bool,
    /// Bed, as people call it.
    pub bed: String,
    /// Goes up with every change.
    pub version: u64,
}

/// How an offer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferEnd {
    /// The other person accepted.
    Accepted,
    /// The other person rejected.
    Rejected,
    /// Nobody answered in time.
    Lapsed,
}
