//! What people did, as far as it still counts: for a gateway that missed it, and as a digest by which it sees that it did.

use std::time::Duration;

use ecmo_core::alarm::action::{Action, Order, What};
use ecmo_core::alarm::occurrence::Occurrence;
use ecmo_core::frame::BootId;
use ecmo_core::pump::Pump;
use ecmo_core::time::Instant;
use ecmo_proto::topic::PumpAddress;

use super::command::{Command, EngineHandle, NoAnswer};
use super::ward::Ward;
use crate::action::ActionRecord;

/// What people did and what still counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StandingActions {
    /// The same at every gateway that has the same actions, in whatever order they came; 0 without any.
    pub digest: u64,
    /// The actions; empty unless they were asked for.
    pub actions: Vec<ActionRecord>,
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
        for entry in self.pumps.values() {
            let address = &entry.slot.address;
            standing_of(&entry.pump, now, |action, key| {
                let part = digest(address, &action.order, key);
                standing.digest = standing.digest.wrapping_add(part);
                if with_actions {
                    standing.actions.push(record(address, action, key));
                }
            });
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

/// Hands over each action that counts, with a key that names what it is about.
fn standing_of(pump: &Pump, now: Instant, mut each: impl FnMut(Action, &str)) {
    for one in pump.alarms() {
        of_alarm(one, now, &mut each);
    }
    let kept = pump.kept();
    for (condition, order) in &kept.shelved {
        let shelf = kept.shelves.iter().find(|(shelved, _shelf)| shelved == condition);
        let shelf = shelf.map(|(_condition, shelf)| shelf);
        let left = shelf.map_or(Duration::ZERO, |shelf| shelf.until.since(now));
        let action = Action {
            order: order.clone(),
            by: shelf.map(|shelf| shelf.by.clone()).unwrap_or_default(),
            note: shelf.map(|shelf| shelf.reason.clone()).unwrap_or_default(),
            what: What::Shelve { condition: *condition, left },
        };
        each(action, &format!("shelve {condition}"));
    }
    let ownership = pump.ownership();
    if ownership.order != Order::default() {
        let action = Action {
            order: ownership.order.clone(),
            by: ownership.owner.clone().unwrap_or_default(),
            note: String::new(),
            what: What::Own(ownership.state(now)),
        };
        each(action, "own");
    }
}

fn of_alarm(one: &Occurrence, now: Instant, each: &mut impl FnMut(Action, &str)) {
    let key = |what: &str| {
        let boot = one.id.boot.map_or(0, BootId::get);
        format!("{what} {} {boot:x}", one.id.condition)
    };
    if let Some(seen) = &one.acknowledged {
        let action = Action {
            order: seen.order.clone(),
            by: seen.by.clone(),
            note: seen.note.clone(),
            what: What::Acknowledge(one.named()),
        };
        each(action, &key("acknowledge"));
    }
    if let Some(pause) = &one.pause {
        let action = Action {
            order: pause.order.clone(),
            by: pause.by.clone(),
            note: String::new(),
            what: What::Pause {
                scope: pause.scope,
                alarms: vec![one.named()],
                left: pause.until.since(now),
            },
        };
        each(action, &key("pause"));
    }
}
