//! What is kept of a pump, as bytes: own tags, wall times, ids in words. What does not fit is refused, never guessed.

mod covered;

mod ownership;

use ecmo_core::alarm::action::Order;
use ecmo_core::alarm::condition::{Condition, Kind, Priority};
use ecmo_core::alarm::occurrence::{
    Acknowledgement, Occurrence, OccurrenceId, Pause, PauseScope, RETURNS_MAX, Shelf,
};
use ecmo_core::alarm::rule::Side;
use ecmo_core::frame::BootId;
use ecmo_core::parameter::Parameter;
use ecmo_core::pump::Kept;
use ecmo_core::reading::NoData;
use ecmo_core::time::Instant;
use ecmo_proto::topic::PumpAddress;
use prost::Message;

use super::times::Times;
use covered::CoveredValue;
use ownership::OwnershipValue;

#[derive(Clone, PartialEq, Message)]
struct OrderValue {
    #[prost(uint64, tag = "1")]
    at: u64,
    #[prost(string, tag = "2")]
    gateway: String,
}

#[derive(Clone, PartialEq, Message)]
struct AcknowledgementValue {
    #[prost(string, tag = "1")]
    by: String,
    #[prost(string, tag = "2")]
    note: String,
    #[prost(int64, tag = "3")]
    at: i64,
    #[prost(float, optional, tag = "4")]
    worst: Option<f32>,
    #[prost(uint32, tag = "5")]
    call: u32,
    #[prost(message, required, tag = "6")]
    order: OrderValue,
}

#[derive(Clone, PartialEq, Message)]
struct PauseValue {
    #[prost(uint32, tag = "1")]
    scope: u32,
    #[prost(int64, tag = "2")]
    until: i64,
    #[prost(string, tag = "3")]
    by: String,
    #[prost(message, required, tag = "4")]
    order: OrderValue,
}

#[derive(Clone, PartialEq, Message)]
struct ShelfValue {
    #[prost(string, tag = "1")]
    condition: String,
    #[prost(int64, tag = "2")]
    until: i64,
    #[prost(string, tag = "3")]
    by: String,
    #[prost(string, tag = "4")]
    reason: String,
    #[prost(message, required, tag = "5")]
    order: OrderValue,
}

#[derive(Clone, PartialEq, Message)]
struct ShelvedValue {
    #[prost(string, tag = "1")]
    condition: String,
    #[prost(message, required, tag = "2")]
    order: OrderValue,
}

#[derive(Clone, PartialEq, Message)]
struct ReturnedValue {
    #[prost(uint64, tag = "1")]
    onset: u64,
    #[prost(uint32, tag = "2")]
    call: u32,
}

#[derive(Clone, PartialEq, Message)]
struct OccurrenceValue {
    #[prost(string, tag = "1")]
    condition: String,
    #[prost(fixed64, tag = "2")]
    boot: u64,
    #[prost(uint64, tag = "3")]
    onset: u64,
    #[prost(uint32, tag = "4")]
    revision: u32,
    #[prost(uint32, tag = "5")]
    call: u32,
    #[prost(bool, tag = "6")]
    technical: bool,
    #[prost(uint32, tag = "7")]
    priority: u32,
    #[prost(bool, tag = "8")]
    present: bool,
    #[prost(bool, tag = "9")]
    latching: bool,
    #[prost(message, optional, tag = "10")]
    acknowledged: Option<AcknowledgementValue>,
    #[prost(uint32, tag = "11")]
    covers_from: u32,
    #[prost(bool, tag = "12")]
    last_known: bool,
    #[prost(string, tag = "13")]
    parameter: String,
    #[prost(float, optional, tag = "14")]
    value: Option<f32>,
    #[prost(int64, optional, tag = "15")]
    value_at: Option<i64>,
    #[prost(float, optional, tag = "16")]
    worst: Option<f32>,
    #[prost(float, optional, tag = "17")]
    limit: Option<f32>,
    #[prost(bool, tag = "18")]
    above: bool,
    #[prost(string, tag = "19")]
    no_data: String,
    #[prost(int64, tag = "20")]
    onset_at: i64,
    #[prost(int64, tag = "21")]
    changed_at: i64,
    #[prost(bool, tag = "22")]
    unreviewed: bool,
    #[prost(uint32, tag = "23")]
    rule: u32,
    #[prost(message, optional, tag = "24")]
    pause: Option<PauseValue>,
    #[prost(message, required, tag = "25")]
    sound: OrderValue,
    #[prost(message, optional, tag = "26")]
    shelf: Option<ShelfValue>,
    #[prost(string, tag = "27")]
    leader: String,
    #[prost(bool, tag = "28")]
    escalated: bool,
    #[prost(int64, optional, tag = "29")]
    escalate_at: Option<i64>,
    #[prost(int64, optional, tag = "30")]
    remind_at: Option<i64>,
    #[prost(uint32, tag = "31")]
    reminders: u32,
    #[prost(bool, tag = "32")]
    orphan: bool,
    #[prost(message, repeated, tag = "33")]
    returned: Vec<ReturnedValue>,
}

#[derive(Clone, PartialEq, Message)]
struct KeptValue {
    #[prost(message, repeated, tag = "1")]
    occurrences: Vec<OccurrenceValue>,
    #[prost(message, repeated, tag = "2")]
    shelves: Vec<ShelfValue>,
    #[prost(message, repeated, tag = "3")]
    shelved: Vec<ShelvedValue>,
    #[prost(message, required, tag = "4")]
    ownership: OwnershipValue,
    #[prost(message, repeated, tag = "5")]
    covered: Vec<CoveredValue>,
}

#[derive(Clone, PartialEq, Message)]
struct NamedValue {
    #[prost(string, tag = "1")]
    ward: String,
    #[prost(string, tag = "2")]
    pump: String,
    #[prost(message, required, tag = "3")]
    occurrence: OccurrenceValue,
}

/// The bytes of what is kept of a pump.
pub(super) fn kept_to(kept: &Kept, times: Times) -> Vec<u8> {
    let shelved = |(condition, order): &(Condition, Order)| ShelvedValue {
        condition: condition.to_string(),
        order: order_to(order),
    };
    KeptValue {
        occurrences: kept.occurrences.iter().map(|one| occurrence_to(one, times)).collect(),
        shelves: kept.shelves.iter().map(|(of, shelf)| shelf_to(*of, shelf, times)).collect(),
        shelved: kept.shelved.iter().map(shelved).collect(),
        ownership: ownership::to(&kept.ownership, times),
        covered: kept.covered.iter().map(covered::to).collect(),
    }
    .encode_to_vec()
}

/// What the bytes say.
///
/// # Errors
/// What is wrong with them.
pub(super) fn kept_of(bytes: &[u8], times: Times) -> Result<Kept, String> {
    let value = KeptValue::decode(bytes).map_err(|error| error.to_string())?;
    let shelved = |one: ShelvedValue| Ok((condition_of(&one.condition)?, order_of(one.order)));
    Ok(Kept {
        occurrences: all(value.occurrences, |one| occurrence_of(one, times))?,
        shelves: all(value.shelves, |one| shelf_of(one, times))?,
        shelved: all(value.shelved, shelved)?,
        ownership: ownership::of(value.ownership, times)?,
        covered: all(value.covered, covered::of)?,
    })
}

/// The bytes of one occurrence of a pump.
pub(super) fn named_to(address: &PumpAddress, one: &Occurrence, times: Times) -> Vec<u8> {
    NamedValue {
        ward: address.ward.to_string(),
        pump: address.pump.to_string(),
        occurrence: occurrence_to(one, times),
    }
    .encode_to_vec()
}

/// Ward, pump and occurrence of its bytes.
///
/// # Errors
/// What is wrong with them.
pub(super) fn named_of(bytes: &[u8], times: Times) -> Result<(String, String, Occurrence), String> {
    let value = NamedValue::decode(bytes).map_err(|error| error.to_string())?;
    Ok((value.ward, value.pump, occurrence_of(value.occurrence, times)?))
}

fn all<A, B>(from: Vec<A>, map: impl Fn(A) -> Result<B, String>) -> Result<Vec<B>, String> {
    from.into_iter().map(map).collect()
}

fn order_to(order: &Order) -> OrderValue {
    OrderValue { at: order.at, gateway: order.gateway.clone() }
}

fn order_of(value: OrderValue) -> Order {
    Order { at: value.at, gateway: value.gateway }
}

fn condition_of(id: &str) -> Result<Condition, String> {
    Condition::from_id(id).ok_or_else(|| format!("there is no condition {id:?}"))
}

const fn priority_to(priority: Priority) -> u32 {
    match priority {
        Priority::Information => 1,
        Priority::Low => 2,
        Priority::Medium => 3,
        Priority::High => 4,
    }
}

fn priority_of(number: u32) -> Result<Priority, String> {
    match number {
        1 => Ok(Priority::Information),
        2 => Ok(Priority::Low),
        3 => Ok(Priority::Medium),
        4 => Ok(Priority::High),
        other => Err(format!("there is no priority {other}")),
    }
}

fn shelf_to(condition: Condition, shelf: &Shelf, times: Times) -> ShelfValue {
    ShelfValue {
        condition: condition.to_string(),
        until: times.wall(shelf.until),
        by: shelf.by.clone(),
        reason: shelf.reason.clone(),
        order: order_to(&shelf.order),
    }
}

fn shelf_of(value: ShelfValue, times: Times) -> Result<(Condition, Shelf), String> {
    let shelf = Shelf {
        until: times.mono(value.until),
        by: value.by,
        reason: value.reason,
        order: order_of(value.order),
    };
    Ok((condition_of(&value.condition)?, shelf))
}

fn pause_to(pause: &Pause, times: Times) -> PauseValue {
    PauseValue {
        scope: match pause.scope {
            PauseScope::Alarm => 1,
            PauseScope::Pump => 2,
            PauseScope::Ward => 3,
        },
        until: times.wall(pause.until),
        by: pause.by.clone(),
        order: order_to(&pause.order),
    }
}

fn pause_of(value: PauseValue, times: Times) -> Result<Pause, String> {
    let scope = match value.scope {
        1 => PauseScope::Alarm,
        2 => PauseScope::Pump,
        3 => PauseScope::Ward,
        other => return Err(format!("there is no pause of scope {other}")),
    };
    Ok(Pause { scope, until: times.mono(value.until), by: value.by, order: order_of(value.order) })
}

fn acknowledgement_to(seen: &Acknowledgement, times: Times) -> AcknowledgementValue {
    AcknowledgementValue {
        by: seen.by.clone(),
        note: seen.note.clone(),
        at: times.wall(seen.at),
        worst: seen.worst,
        call: seen.call,
        order: order_to(&seen.order),
    }
}

fn acknowledgement_of(value: AcknowledgementValue, times: Times) -> Acknowledgement {
    Acknowledgement {
        by: value.by,
        note: value.note,
        at: times.mono(value.at),
        worst: value.worst,
        call: value.call,
        order: order_of(value.order),
    }
}

/// The last that an alarm remembers; a store of a newer version may hold more.
fn returned_of(values: &[ReturnedValue]) -> [Option<(u64, u32)>; RETURNS_MAX] {
    let mut returned = [None; RETURNS_MAX];
    let last = values.get(values.len().saturating_sub(RETURNS_MAX)..).unwrap_or_default();
    for (place, value) in returned.iter_mut().zip(last) {
        *place = Some((value.onset, value.call));
    }
    returned
}

const fn returned_to(&(onset, call): &(u64, u32)) -> ReturnedValue {
    ReturnedValue { onset, call }
}

fn occurrence_to(one: &Occurrence, times: Times) -> OccurrenceValue {
    let wall = |at: Option<Instant>| at.map(|at| times.wall(at));
    OccurrenceValue {
        condition: one.id.condition.to_string(),
        boot: one.id.boot.map_or(0, BootId::get),
        onset: one.id.onset,
        revision: one.revision,
        call: one.call,
        technical: one.kind == Kind::Technical,
        priority: priority_to(one.priority),
        present: one.present,
        latching: one.latching,
        acknowledged: one.acknowledged.as_ref().map(|seen| acknowledgement_to(seen, times)),
        covers_from: one.covers_from,
        last_known: one.last_known,
        parameter: one.parameter.map(|of| of.info().id.to_owned()).unwrap_or_default(),
        value: one.value,
        value_at: wall(one.value_at),
        worst: one.worst,
        limit: one.limit.map(|(_side, limit)| limit),
        above: one.limit.is_some_and(|(side, _limit)| side == Side::Above),
        no_data: one.no_data.map(|why| why.word().to_owned()).unwrap_or_default(),
        onset_at: times.wall(one.onset_at),
        changed_at: times.wall(one.changed_at),
        unreviewed: one.unreviewed,
        rule: one.rule.into(),
        pause: one.pause.as_ref().map(|pause| pause_to(pause, times)),
        sound: order_to(&one.sound),
        shelf: one.shelf.as_ref().map(|shelf| shelf_to(one.id.condition, shelf, times)),
        leader: one.leader.map(|leader| leader.to_string()).unwrap_or_default(),
        escalated: one.escalated,
        escalate_at: wall(one.escalate_at),
        remind_at: wall(one.remind_at),
        reminders: one.reminders,
        orphan: one.orphan,
        returned: one.returned.iter().flatten().map(returned_to).collect(),
    }
}

fn occurrence_of(value: OccurrenceValue, times: Times) -> Result<Occurrence, String> {
    let mono = |wall: Option<i64>| wall.map(|wall| times.mono(wall));
    let none = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let parameter =
        |id: String| Parameter::from_id(&id).ok_or_else(|| format!("there is no {id:?}"));
    let no_data =
        |word: String| NoData::from_word(&word).ok_or_else(|| format!("there is no {word:?}"));
    let side = if value.above { Side::Above } else { Side::Below };
    let shelf = value.shelf.map(|shelf| shelf_of(shelf, times)).transpose()?;
    Ok(Occurrence {
        id: OccurrenceId {
            condition: condition_of(&value.condition)?,
            boot: BootId::new(value.boot),
            onset: value.onset,
        },
        revision: value.revision,
        call: value.call,
        kind: if value.technical { Kind::Technical } else { Kind::Physiological },
        priority: priority_of(value.priority)?,
        present: value.present,
        latching: value.latching,
        acknowledged: value.acknowledged.map(|seen| acknowledgement_of(seen, times)),
        covers_from: value.covers_from,
        last_known: value.last_known,
        parameter: none(&value.parameter).map(parameter).transpose()?,
        value: value.value,
        value_at: mono(value.value_at),
        worst: value.worst,
        limit: value.limit.map(|limit| (side, limit)),
        no_data: none(&value.no_data).map(no_data).transpose()?,
        onset_at: times.mono(value.onset_at),
        changed_at: times.mono(value.changed_at),
        unreviewed: value.unreviewed,
        rule: u8::try_from(value.rule)
            .map_err(|_large| "the rule has no such number".to_owned())?,
        pause: value.pause.map(|pause| pause_of(pause, times)).transpose()?,
        sound: order_of(value.sound),
        shelf: shelf.map(|(_condition, shelf)| shelf),
        leader: none(&value.leader).map(|leader| condition_of(&leader)).transpose()?,
        escalated: value.escalated,
        escalate_at: mono(value.escalate_at),
        remind_at: mono(value.remind_at),
        reminders: value.reminders,
        late: false,
        orphan: value.orphan,
        returned: returned_of(&value.returned),
    })
}

#[cfg(test)]
pub(super) mod tests;
