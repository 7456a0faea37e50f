//! What people did, as far as it still counts: for a gateway that missed it, and as a digest by which it sees that it did.

use std::time::Duration;

use ecmo_core::alarm::Waiting;
use ecmo_core::alarm::action::{Action, AlarmRef, Order, What};
use ecmo_core::alarm::occurrence::OccurrenceId;
use ecmo_core::frame::BootId;
use ecmo_core::time::Instant;
use ecmo_proto::topic::PumpAddress;

use super::command::{Command, EngineHandle, NoAnswer};
use super::ward::Ward;
use crate::action::ActionRecord;

/// Alarms that one word of a gateway tells of (prop).
const WAITING_MAX: usize = 64;

/// So long an alarm waits before others are told (prop): they have judged the same samples by then.
const WAITS_FOR: Duration = Duration::from_secs(2);

/// What people did and what still counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StandingActions {
    /// The same at every gateway that has the same actions, in whatever order they came; 0 without any.
    pub digest: u64,
    /// The actions; empty unless they were asked for.
    pub actions: Vec<ActionRecord>,
    /// Alarms that wait for a person; at most 64.
    pub waiting: Vec<(PumpAddress, Waiting)>,
}

impl EngineHandle {
    /// The digest of what people did at pumps and still counts, and the actions themselves if asked for.
    ///
    /// # Errors
    /// The alarm thread does not answer.
    pub async fn standing_actions(&self, with_actions: bool) -> Result<StandingActions, NoAnswer> {
        self.ask(|reply| Command::Standing { with_actions, reply }).await
    }
}

impl Ward {
    /// What people did at the pumps and still counts.
    pub(super) fn standing_actions(&self, with_actions: bool, now: Instant) -> StandingActions {
        let mut standing = StandingActions::default();
        let since = now.minus(WAITS_FOR);
        for entry in self.pumps.values() {
            let address = &entry.slot.address;
            let room = WAITING_MAX.saturating_sub(standing.waiting.len());
            let waiting = entry.pump.waiting(since).take(room);
            standing.waiting.extend(waiting.map(|one| (address.clone(), one)));
            for action in entry.pump.standing(now) {
                let key = key(&action.what);
                let part = digest(address, &action.order, &key);
                standing.digest = standing.digest.wrapping_add(part);
                if with_actions {
                    standing.actions.push(record(address, action, &key));
                }
            }
        }
        standing
    }
}

/// The name by which the same action is told again: the same each time, and at every gateway.
fn record(address: &PumpAddress, action: Action, key: &str) -> ActionRecord {
    let Order { at, gateway } = &action.order;
    ActionRecord {
        id: format!("{gateway}-{at:x}-{:08x}", crc32c::crc32c(key.as_bytes())),
        wall_ns: i64::try_from(*at).unwrap_or(i64::MAX),
        address: Some(address.clone()),
        action,
    }
}

/// Not the onset of an alarm: a gateway that joined later names it by a later one.
fn digest(address: &PumpAddress, order: &Order, key: &str) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in [&address.to_string(), &order.gateway, key] {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    hasher.update(&order.at.to_le_bytes());
    let mut first = [0; 8];
    hasher.finalize_xof().fill(&mut first);
    u64::from_le_bytes(first)
}

/// What an action is about, for its name and for the digest: not at which onset, because a gateway that joined later knows another.
fn key(what: &What) -> String {
    let boot = |id: &OccurrenceId| id.boot.map_or(0, BootId::get);
    match what {
        What::Acknowledge(AlarmRef { id, .. }) | What::AcknowledgeEnded(AlarmRef { id, .. }) => {
            format!("acknowledge {} {:x}", id.condition, boot(id))
        }
        What::Pause { alarms, .. } | What::Resume { alarms, .. } => {
            let each =
                alarms.iter().map(|one| format!(" {} {:x}", one.id.condition, boot(&one.id)));
            format!("sound{}", each.collect::<String>())
        }
        What::Shelve { condition, .. } => format!("shelve {condition}"),
        What::Own(_) => "own".to_owned(),
        What::Bed(_) => "bed".to_owned(),
    }
}
