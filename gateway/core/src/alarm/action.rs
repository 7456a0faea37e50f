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

/// What a person asks for, by what is known here. Nothing is changed by asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask<'a> {
    /// Acknowledge an alarm as far as it was shown.
    Acknowledge {
        /// Which.
        id: OccurrenceId,
        /// The revision that the person saw.
        revision: u32,
    },
    /// Pause the sound of one alarm, or of all that signal.
    Pause {
        /// Which; `None` for all.
        id: Option<OccurrenceId>,
        /// What the person pauses.
        scope: PauseScope,
        /// For how long; cut to what the rules allow.
        lasts: Duration,
    },
    /// End the pauses of one alarm, or of all.
    Resume {
        /// Which; `None` for all.
        id: Option<OccurrenceId>,
        /// What the person wants to hear again.
        scope: PauseScope,
    },
    /// Shelve the condition of an alarm.
    Shelve {
        /// Which.
        id: OccurrenceId,
        /// For how long; cut to what the rules allow.
        lasts: Duration,
    },
    /// End the shelving of a condition.
    Unshelve(Condition),
    /// Take the pump.
    Accept,
    /// Offer the pump to somebody.
    HandOver {
        /// To whom.
        to: &'a str,
    },
    /// Reject what was offered, or give up what one has.
    Reject,
    /// Say at which bed the pump stands.
    AssignBed(&'a str),
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
    /// The same, told again by a gateway where the alarm has ended since: so it is about no alarm of another name.
    AcknowledgeEnded(AlarmRef),
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
    /// The pump stands at this bed; empty for none. Ordered for itself: it says nothing about who looks after the pump.
    Bed(String),
}

/// Who looks after a pump, without any clock.
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
