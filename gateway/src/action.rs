//! What people do, on its way through the gateway: asked for, resolved to what it is about, recorded, in force.

pub mod wire;

use std::time::Duration;

use ecmo_core::alarm::action::{Action, What};
use ecmo_core::alarm::condition::Condition;
use ecmo_core::alarm::occurrence::Occurrence;
use ecmo_core::pump::ownership::Ownership;
use ecmo_core::time::Instant;
use ecmo_proto::topic::{Id, PumpAddress};

use crate::fanout::AlarmUpdate;

/// Whose sound a person pauses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One alarm, by the id that displays know.
    Alarm(String),
    /// The alarms of one pump.
    Pump(PumpAddress),
    /// The alarms of one ward, and those of the gateway itself.
    Ward(Id),
}

impl std::fmt::Display for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Alarm(id) => formatter.write_str(id),
            Self::Pump(address) => write!(formatter, "pump {address}"),
            Self::Ward(ward) => write!(formatter, "ward {ward}"),
        }
    }
}

/// What a person asks for, as a display says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Acknowledge an alarm as far as it was shown.
    Acknowledge {
        /// The id that displays know.
        id: String,
        /// The revision that the person saw.
        revision: u32,
    },
    /// Pause the sound of what signals now.
    Pause {
        /// Whose.
        target: Target,
        /// For how long; cut to what the profile allows.
        lasts: Duration,
    },
    /// End pauses before their time, whatever they cover.
    Resume {
        /// Whose.
        target: Target,
    },
    /// Shelve the condition of an alarm; why is the note.
    Shelve {
        /// The id that displays know.
        id: String,
        /// For how long; cut to what the profile allows.
        lasts: Duration,
    },
    /// End the shelving of a condition.
    Unshelve {
        /// The pump.
        address: PumpAddress,
        /// Which.
        condition: Condition,
    },
    /// Take a pump.
    Accept {
        /// Which.
        address: PumpAddress,
    },
    /// Offer a pump to somebody.
    HandOver {
        /// Which.
        address: PumpAddress,
        /// To whom.
        to: String,
    },
    /// Reject a pump that was offered, or give up one.
    Reject {
        /// Which.
        address: PumpAddress,
    },
    /// Say at which bed a pump stands.
    AssignBed {
        /// Which.
        address: PumpAddress,
        /// The bed; empty when it stands at none.
        bed: String,
    },
}

/// What an intent means at one pump, or for the gateway's own alarms. Nothing has changed yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The pump; `None` for the gateway's own alarms.
    pub address: Option<PumpAddress>,
    /// What is to be done there.
    pub what: What,
    /// The alarms that are acknowledged or paused, as they stand now: they are recorded with it.
    pub named: Vec<Occurrence>,
}

/// One thing that one person did, as it is recorded and told to other gateways.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionRecord {
    /// Unique: name of the gateway that took it, its epoch, a number.
    pub id: String,
    /// When it was taken, in nanoseconds since 1970; for people.
    pub wall_ns: i64,
    /// The pump; `None` for the gateway's own alarms.
    pub address: Option<PumpAddress>,
    /// What was done, by whom, and its order.
    pub action: Action,
}

/// What came of actions that took effect.
#[derive(Debug, Clone, Default)]
pub struct Applied {
    /// The alarms that were acknowledged or shelved, as they are now; one that has ended by it, as it was left.
    pub updates: Vec<AlarmUpdate>,
    /// Alarms whose sound was paused, or is heard again.
    pub count: u32,
    /// When the pause ends by itself, by the gateway's clock.
    pub until: Option<Instant>,
    /// Who looks after the pump now, where the actions were about that.
    pub ownership: Option<Ownership>,
}
