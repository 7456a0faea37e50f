//! I7: what a person did and was told is done is never lost; what nobody did is never shown.

use std::collections::VecDeque;

use ecmo_core::alarm::condition::Condition;
use ecmo_core::alarm::occurrence::Occurrence;
use ecmo_display::Row;

use crate::invariant::{Invariant, Verdict, Violation};
use crate::stream::WishKind;
use crate::time::{Nanos, SECOND};
use crate::words::{self, About};

/// Once nothing has been wrong for this long, both gateways know what was done at either: a peer that was lost asks each
/// second, and both paths are found again within two.
pub const MERGED_AFTER: Nanos = 12 * SECOND;

/// Accepted acknowledgements that are remembered; older ones are about alarms that have ended.
const REMEMBERED: usize = 256;

/// What somebody wanted.
#[derive(Debug, Clone)]
struct Wished {
    pump: usize,
    condition: String,
    /// Occurrence and call that an acknowledgement names.
    acknowledges: Option<(String, u32)>,
    answered: bool,
}

/// An acknowledgement that was accepted.
#[derive(Debug, Clone)]
struct Accepted {
    number: u64,
    pump: usize,
    condition: Option<Condition>,
    occurrence: String,
    call: u32,
    gateway: usize,
    durable: bool,
    at: Nanos,
}

/// What people did, and what they were told.
#[derive(Debug, Default)]
pub struct Ledger {
    wished: Vec<Wished>,
    accepted: VecDeque<Accepted>,
    /// Wishes that were accepted, and refused.
    pub answers: (u64, u64),
}

impl Ledger {
    /// Somebody wants something; the number of it.
    pub fn wished(&mut self, pump: usize, condition: String, call: u32, what: &WishKind) -> u64 {
        let acknowledges = match what {
            WishKind::Acknowledge { occurrence, .. } => Some((occurrence.clone(), call)),
            WishKind::Pause(_) | WishKind::Accept | WishKind::HandOver | WishKind::Reject => None,
        };
        self.wished.push(Wished { pump, condition, acknowledges, answered: false });
        u64::try_from(self.wished.len() - 1).unwrap_or(u64::MAX)
    }

    fn wish(&self, number: u64) -> Option<&Wished> {
        self.wished.get(usize::try_from(number).ok()?)
    }

    /// A gateway answered.
    pub fn answered(
        &mut self,
        number: u64,
        gateway: usize,
        (accepted, durable): (bool, bool),
        at: Nanos,
    ) {
        let Some(place) = usize::try_from(number).ok() else { return };
        let Some(wished) = self.wished.get_mut(place) else { return };
        if std::mem::replace(&mut wished.answered, true) {
            return;
        }
        let count = if accepted { &mut self.answers.0 } else { &mut self.answers.1 };
        *count += 1;
        let Some((occurrence, call)) = wished.acknowledges.clone().filter(|_| accepted) else {
            return;
        };
        if self.accepted.len() >= REMEMBERED {
            self.accepted.pop_front();
        }
        let (pump, condition) = (wished.pump, Condition::from_id(&wished.condition));
        self.accepted.push_back(Accepted {
            number,
            pump,
            condition,
            occurrence,
            call,
            gateway,
            durable,
            at,
        });
    }

    /// A gateway died: of what it said was not durable nothing is promised any more.
    pub fn on_death(&mut self, gateway: usize) {
        self.accepted.retain(|one| one.durable || one.gateway != gateway);
    }

    /// I7, at a gateway: an alarm of a pump as it stands there. `merged` when it must know what was done at the other one.
    ///
    /// # Errors
    /// An accepted acknowledgement is gone, or there is one of nobody.
    pub fn check_alarm(
        &self,
        gateway: usize,
        pump: usize,
        alarm: &Occurrence,
        merged: bool,
        now: Nanos,
    ) -> Verdict {
        if let Some(acknowledged) = &alarm.acknowledged {
            let condition = alarm.id.condition.to_string();
            let what = || {
                format!(
                    "gateway {gateway} holds {condition} at pump {pump} acknowledged by {}",
                    acknowledged.by
                )
            };
            return self.check_name(&acknowledged.by, pump, &condition, now, what);
        }
        let mine = self.accepted.iter().filter(|one| one.pump == pump);
        let mine = mine.filter(|one| {
            one.gateway == gateway || (merged && now.saturating_sub(one.at) > MERGED_AFTER)
        });
        for one in
            mine.filter(|one| alarm.call <= one.call && one.condition == Some(alarm.id.condition))
        {
            if words::occurrence_id(About::Pump(pump), "", alarm) == one.occurrence {
                let what = format!(
                    "gateway {gateway} has lost the acknowledgement of {} (call {}) by person{}, accepted by gateway {}",
                    one.occurrence, one.call, one.number, one.gateway
                );
                return Err(Violation::new(Invariant::Kept, now, what));
            }
        }
        Ok(())
    }

    /// I7, at a display: a row as it is shown.
    ///
    /// # Errors
    /// It is shown as acknowledged by nobody.
    pub fn check_row(&self, display: usize, row: &Row, now: Nanos) -> Verdict {
        let by = &row.alarm.acknowledged_by;
        if by.is_empty() {
            return Ok(());
        }
        let pump = words::pump_number(&row.key.pump).unwrap_or(usize::MAX);
        let condition = &row.key.condition;
        let what = || {
            format!("display {display} shows {condition} at pump {pump} as acknowledged by {by}")
        };
        self.check_name(by, pump, condition, now, what)
    }

    fn check_name(
        &self,
        by: &str,
        pump: usize,
        condition: &str,
        now: Nanos,
        what: impl FnOnce() -> String,
    ) -> Verdict {
        let number = by.strip_prefix("person").and_then(|number| number.parse().ok());
        let wished = number.and_then(|number| self.wish(number));
        let is_theirs = wished.is_some_and(|wished| {
            wished.acknowledges.is_some() && wished.pump == pump && wished.condition == condition
        });
        if is_theirs {
            return Ok(());
        }
        Err(Violation::new(Invariant::Kept, now, format!("{}, who never did that", what())))
    }
}
