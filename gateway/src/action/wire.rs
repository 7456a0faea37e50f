//! Actions as sealed messages: as other gateways hear of them, and as the audit log does them again after a crash.

use std::time::Duration;

use bytes::Bytes;
use ecmo_core::alarm::action::{Action, AlarmRef, OfferEnd, Order, OwnershipState, What};
use ecmo_core::alarm::condition::Condition;
use ecmo_core::alarm::occurrence::{OccurrenceId, PauseScope};
use ecmo_core::frame::BootId;
use ecmo_proto::sealed;
use ecmo_proto::topic::{Id, PumpAddress};
use ecmo_proto::v1;
use ecmo_proto::v1::action::What as Said;

use super::ActionRecord;

/// Longest name of a person or a bed, in characters.
const NAME_CHARS_MAX: usize = 64;

/// Longest note, in characters.
const NOTE_CHARS_MAX: usize = 256;

/// Alarms that one action may name: every condition of a pump, several times over.
const ALARMS_MAX: usize = 1_024;

/// Longest time that an action may last: what is more is a fault, and no shelf of a day.
const LEFT_MAX: Duration = Duration::from_hours(48);

/// Something said about a treatment, as it is recorded and told to other gateways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreatmentRecord {
    /// Unique: name of the gateway that took it, its epoch, a number.
    pub id: String,
    /// When, in nanoseconds since 1970; for people.
    pub wall_ns: i64,
    /// The pump.
    pub address: PumpAddress,
    /// Its place among others about the same pump.
    pub order: Order,
    /// Who; empty for the gateway itself.
    pub by: String,
    /// Why; may be empty.
    pub note: String,
    /// Version of the record.
    pub version: u64,
    /// Number of the patient at this pump.
    pub patient: u32,
    /// The record as text, with its check sum.
    pub record: String,
}

/// What a message tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// Something was done to alarms or to a pump's ownership.
    Action(ActionRecord),
    /// Something was said about a treatment.
    Treatment(TreatmentRecord),
}

/// Why a message is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The seal is broken, or it is no action.
    #[error("it is damaged, or no action")]
    Damaged,
    /// It says nothing that this gateway knows.
    #[error("it says nothing that is known here")]
    Unknown,
    /// A field is impossible.
    #[error("{0} is impossible")]
    Impossible(&'static str),
}

/// The sealed message of an action.
#[must_use]
pub fn action(record: &ActionRecord) -> Bytes {
    let Action { order, by, note, what } = &record.action;
    let head = (record.id.as_str(), record.wall_ns, record.address.as_ref());
    seal(head, order, (by, note), said(what))
}

/// The sealed message of something said about a treatment.
#[must_use]
pub fn treatment(record: &TreatmentRecord) -> Bytes {
    let said = Said::Treatment(v1::TreatmentChanged {
        version: record.version,
        patient: record.patient,
        record: record.record.clone(),
    });
    let head = (record.id.as_str(), record.wall_ns, Some(&record.address));
    seal(head, &record.order, (&record.by, &record.note), said)
}

fn seal(
    (id, wall_ns, address): (&str, i64, Option<&PumpAddress>),
    order: &Order,
    (by, note): (&str, &str),
    what: Said,
) -> Bytes {
    sealed::seal(&v1::Action {
        id: id.to_owned(),
        gateway: order.gateway.clone(),
        order: order.at,
        wall_ns,
        by: by.to_owned(),
        note: note.to_owned(),
        ward: address.map(|address| address.ward.to_string()).unwrap_or_default(),
        pump: address.map(|address| address.pump.to_string()).unwrap_or_default(),
        what: Some(what),
        crc32c: 0,
    })
}

/// What a sealed message tells. A message without a pump is about the own alarms of the gateway that it comes from.
///
/// # Errors
/// It is damaged, says nothing that is known here, or something impossible.
pub fn read(bytes: &[u8]) -> Result<Told, WireError> {
    let message: v1::Action = sealed::open(bytes).map_err(|_damaged| WireError::Damaged)?;
    let address = match (message.ward.as_str(), message.pump.as_str()) {
        ("", "") => None,
        (ward, pump) => {
            let id = |text| Id::new(text).map_err(|_no_id| WireError::Impossible("ward or pump"));
            Some(PumpAddress { ward: id(ward)?, pump: id(pump)? })
        }
    };
    if !Id::fits(&message.gateway) {
        return Err(WireError::Impossible("gateway"));
    }
    if message.id.is_empty() || message.id.len() > 2 * ecmo_proto::topic::ID_BYTES_MAX {
        return Err(WireError::Impossible("id"));
    }
    bounded(&message.by, NAME_CHARS_MAX, "by")?;
    bounded(&message.note, NOTE_CHARS_MAX, "note")?;
    let order = Order { at: message.order, gateway: message.gateway };
    let (id, wall_ns, by, note) = (message.id, message.wall_ns, message.by, message.note);
    let what = match message.what.ok_or(WireError::Unknown)? {
        Said::Treatment(it) => {
            let address = address.ok_or(WireError::Impossible("pump"))?;
            let v1::TreatmentChanged { version, patient, record } = it;
            return Ok(Told::Treatment(TreatmentRecord {
                id,
                wall_ns,
                address,
                order,
                by,
                note,
                version,
                patient,
                record,
            }));
        }
        Said::Acknowledged(it) => {
            let alarm = alarm(it.alarm.ok_or(WireError::Unknown)?)?;
            if it.ended { What::AcknowledgeEnded(alarm) } else { What::Acknowledge(alarm) }
        }
        Said::Paused(it) => What::Pause {
            scope: scope(it.scope)?,
            left: left(it.left_ms)?,
            alarms: alarms(it.alarms)?,
        },
        Said::Resumed(it) => What::Resume { scope: scope(it.scope)?, alarms: alarms(it.alarms)? },
        Said::Shelved(it) => {
            What::Shelve { condition: condition(&it.condition)?, left: left(it.left_ms)? }
        }
        Said::Ownership(it) if it.bed_only => What::Bed(bed(it)?),
        Said::Ownership(it) => What::Own(ownership(it)?),
    };
    let action = Action { order, by, note, what };
    Ok(Told::Action(ActionRecord { id, wall_ns, address, action }))
}

/// An action as it is after a time in which nobody counted: what was left is less. `None` when nothing is left to be done.
#[must_use]
pub fn aged(mut record: ActionRecord, by: Duration) -> Option<ActionRecord> {
    match &mut record.action.what {
        What::Pause { left, .. } => {
            *left = left.saturating_sub(by);
            if left.is_zero() {
                return None;
            }
        }
        // One that is over is the end of the shelving.
        What::Shelve { left, .. } => *left = left.saturating_sub(by),
        What::Own(state) => {
            if let Some((_to, left)) = &mut state.offer {
                *left = left.saturating_sub(by);
            }
        }
        What::Acknowledge(_) | What::AcknowledgeEnded(_) | What::Resume { .. } | What::Bed(_) => {}
    }
    Some(record)
}

fn bounded(text: &str, chars_max: usize, what: &'static str) -> Result<(), WireError> {
    let fits = text.chars().count() <= chars_max && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(WireError::Impossible(what)) }
}

fn millis(left: Duration) -> u32 {
    u32::try_from(left.as_millis()).unwrap_or(u32::MAX)
}

fn left(millis: u32) -> Result<Duration, WireError> {
    let left = Duration::from_millis(millis.into());
    if left <= LEFT_MAX { Ok(left) } else { Err(WireError::Impossible("left_ms")) }
}

fn said(what: &What) -> Said {
    match what {
        What::Acknowledge(one) => acknowledged(one, false),
        What::AcknowledgeEnded(one) => acknowledged(one, true),
        What::Pause { scope, alarms, left } => Said::Paused(v1::Paused {
            scope: scope_said(*scope).into(),
            alarms: alarms.iter().map(name).collect(),
            left_ms: millis(*left),
        }),
        What::Resume { scope, alarms } => Said::Resumed(v1::Resumed {
            scope: scope_said(*scope).into(),
            alarms: alarms.iter().map(name).collect(),
        }),
        What::Shelve { condition, left } => {
            Said::Shelved(v1::Shelved { condition: condition.to_string(), left_ms: millis(*left) })
        }
        What::Own(state) => Said::Ownership(ownership_said(state)),
        What::Bed(bed) => Said::Ownership(v1::OwnershipChanged {
            ownership: Some(v1::Ownership { bed: bed.clone(), ..v1::Ownership::default() }),
            bed_only: true,
            ..v1::OwnershipChanged::default()
        }),
    }
}

fn acknowledged(one: &AlarmRef, ended: bool) -> Said {
    Said::Acknowledged(v1::Acknowledged { alarm: Some(name(one)), ended })
}

fn name(one: &AlarmRef) -> v1::AlarmName {
    v1::AlarmName {
        condition: one.id.condition.to_string(),
        boot_id: one.id.boot.map_or(0, BootId::get),
        onset: one.id.onset,
        call: one.call,
    }
}

fn alarm(name: v1::AlarmName) -> Result<AlarmRef, WireError> {
    let condition = condition(&name.condition)?;
    let id = OccurrenceId { condition, boot: BootId::new(name.boot_id), onset: name.onset };
    Ok(AlarmRef { id, call: name.call })
}

fn alarms(names: Vec<v1::AlarmName>) -> Result<Vec<AlarmRef>, WireError> {
    if names.len() > ALARMS_MAX {
        return Err(WireError::Impossible("alarms"));
    }
    names.into_iter().map(alarm).collect()
}

fn condition(id: &str) -> Result<Condition, WireError> {
    Condition::from_id(id).ok_or(WireError::Impossible("condition"))
}

const fn scope_said(scope: PauseScope) -> v1::PauseScope {
    match scope {
        PauseScope::Alarm => v1::PauseScope::Alarm,
        PauseScope::Pump => v1::PauseScope::Pump,
        PauseScope::Ward => v1::PauseScope::Ward,
    }
}

fn scope(wire: i32) -> Result<PauseScope, WireError> {
    match v1::PauseScope::try_from(wire) {
        Ok(v1::PauseScope::Alarm) => Ok(PauseScope::Alarm),
        Ok(v1::PauseScope::Pump) => Ok(PauseScope::Pump),
        Ok(v1::PauseScope::Ward) => Ok(PauseScope::Ward),
        Ok(v1::PauseScope::Unspecified) | Err(_) => Err(WireError::Impossible("scope")),
    }
}

fn ownership_said(state: &OwnershipState) -> v1::OwnershipChanged {
    v1::OwnershipChanged {
        ownership: Some(v1::Ownership {
            owner: state.owner.clone().unwrap_or_default(),
            since_mono_ns: None,
            offered_to: state.offer.as_ref().map(|(to, _left)| to.clone()).unwrap_or_default(),
            offer_until_mono_ns: None,
            last_offer: offer_end(state.last_offer).into(),
            unanswered: state.unanswered,
            // Ordered for itself, and told so.
            bed: String::new(),
            version: state.version,
        }),
        bed_only: false,
        offer_left_ms: state.offer.as_ref().map(|(_to, left)| millis(*left)),
    }
}

/// How an offer ended, as displays and gateways are told.
#[must_use]
pub const fn offer_end(end: Option<OfferEnd>) -> v1::OfferEnd {
    match end {
        None => v1::OfferEnd::Unspecified,
        Some(OfferEnd::Accepted) => v1::OfferEnd::Accepted,
        Some(OfferEnd::Rejected) => v1::OfferEnd::Rejected,
        Some(OfferEnd::Lapsed) => v1::OfferEnd::Lapsed,
    }
}

fn bed(message: v1::OwnershipChanged) -> Result<String, WireError> {
    let bed = message.ownership.ok_or(WireError::Unknown)?.bed;
    bounded(&bed, NAME_CHARS_MAX, "a bed")?;
    Ok(bed)
}

fn ownership(message: v1::OwnershipChanged) -> Result<OwnershipState, WireError> {
    let it = message.ownership.ok_or(WireError::Unknown)?;
    for name in [&it.owner, &it.offered_to] {
        bounded(name, NAME_CHARS_MAX, "a name of the ownership")?;
    }
    let last_offer = match v1::OfferEnd::try_from(it.last_offer) {
        Ok(v1::OfferEnd::Unspecified) => None,
        Ok(v1::OfferEnd::Accepted) => Some(OfferEnd::Accepted),
        Ok(v1::OfferEnd::Rejected) => Some(OfferEnd::Rejected),
        Ok(v1::OfferEnd::Lapsed) => Some(OfferEnd::Lapsed),
        Err(_unknown) => return Err(WireError::Impossible("last_offer")),
    };
    let none = |text: String| (!text.is_empty()).then_some(text);
    let offer = match (none(it.offered_to), message.offer_left_ms) {
        (Some(to), Some(millis)) => Some((to, left(millis)?)),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err(WireError::Impossible("offered_to")),
    };
    Ok(OwnershipState {
        owner: none(it.owner),
        offer,
        last_offer,
        unanswered: it.unanswered,
        version: it.version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(what: What) -> ActionRecord {
        let id = |text| Id::new(text).unwrap();
        ActionRecord {
            id: "main-5-7".to_owned(),
            wall_ns: 9,
            address: Some(PumpAddress { ward: id("nicu"), pump: id("p1") }),
            action: Action {
                order: Order { at: 11, gateway: "main".to_owned() },
                by: "A. Nurse".to_owned(),
                note: "seen".to_owned(),
                what,
            },
        }
    }

    fn one() -> AlarmRef {
        let condition = Condition::from_id("sensor.fault.press.pre").unwrap();
        AlarmRef { id: OccurrenceId { condition, boot: BootId::new(5), onset: 77 }, call: 2 }
    }

    fn each() -> Vec<What> {
        let minute = Duration::from_mins(1);
        let state = |offer| OwnershipState {
            owner: Some("A".to_owned()),
            offer,
            last_offer: Some(OfferEnd::Lapsed),
            unanswered: true,
            version: 4,
        };
        vec![
            What::Acknowledge(one()),
            What::AcknowledgeEnded(one()),
            What::Pause { scope: PauseScope::Ward, alarms: vec![one(), one()], left: minute },
            What::Resume { scope: PauseScope::Pump, alarms: Vec::new() },
            What::Shelve { condition: one().id.condition, left: minute },
            What::Own(state(Some(("B".to_owned(), minute)))),
            What::Own(state(None)),
            What::Bed("3".to_owned()),
        ]
    }

    #[test]
    fn every_action_comes_back_as_it_was() {
        for what in each() {
            let record = of(what);
            assert_eq!(read(&action(&record)), Ok(Told::Action(record)));
        }
        let own = ActionRecord { address: None, ..of(What::Acknowledge(one())) };
        assert_eq!(read(&action(&own)), Ok(Told::Action(own)));
        let said = of(What::Acknowledge(one()));
        let record = TreatmentRecord {
            id: said.id,
            wall_ns: 1,
            address: said.address.unwrap(),
            order: said.action.order,
            by: String::new(),
            note: String::new(),
            version: 3,
            patient: 1,
            record: "text".to_owned(),
        };
        assert_eq!(read(&treatment(&record)), Ok(Told::Treatment(record)));
    }

    #[test]
    fn what_is_damaged_or_impossible_is_refused() {
        let bytes = action(&of(What::Acknowledge(one())));
        for at in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1;
            assert!(read(&changed).is_err(), "byte {at}");
            assert!(read(&bytes[..at]).is_err(), "cut at {at}");
        }
        let whole: v1::Action = sealed::open(&bytes).unwrap();
        let refuses = |change: fn(&mut v1::Action)| {
            let mut message = whole.clone();
            change(&mut message);
            read(&sealed::seal(&message)).unwrap_err()
        };
        assert_eq!(refuses(|it| it.what = None), WireError::Unknown);
        for (change, field) in [
            ((|it| it.pump = "a b".to_owned()) as fn(&mut v1::Action), "ward or pump"),
            (|it| it.ward = String::new(), "ward or pump"),
            (|it| it.gateway = "a/b".to_owned(), "gateway"),
            (|it| it.id = String::new(), "id"),
            (|it| it.by = "x".repeat(65), "by"),
            (|it| it.note = "\u{7}".to_owned(), "note"),
            (
                |it| it.what = Some(Said::Paused(v1::Paused { left_ms: 1, ..Default::default() })),
                "scope",
            ),
            (
                |it| {
                    let condition = "flow.low".to_owned();
                    let left_ms = u32::MAX;
                    it.what = Some(Said::Shelved(v1::Shelved { condition, left_ms }));
                },
                "left_ms",
            ),
        ] {
            assert_eq!(refuses(change), WireError::Impossible(field));
        }
    }

    #[test]
    fn time_that_passed_uncounted_is_taken_off_and_a_pause_that_is_over_is_not_done_again() {
        let seconds = Duration::from_secs;
        for what in each() {
            let whole = of(what);
            let Some(later) = aged(whole.clone(), seconds(20)) else { panic!("{whole:?}") };
            match (&whole.action.what, &later.action.what, aged(whole.clone(), seconds(61))) {
                (What::Pause { .. }, What::Pause { left, .. }, none) => {
                    assert_eq!((*left, none), (seconds(40), None));
                }
                (What::Shelve { .. }, What::Shelve { left, .. }, Some(over)) => {
                    assert_eq!(*left, seconds(40));
                    assert!(
                        matches!(over.action.what, What::Shelve { left, .. } if left.is_zero())
                    );
                }
                (What::Own(was), What::Own(is), Some(_)) => {
                    let left = |state: &OwnershipState| state.offer.as_ref().map(|offer| offer.1);
                    assert_eq!(left(is), left(was).map(|_minute| seconds(40)));
                }
                (_, _, over) => assert_eq!((&later, over.as_ref()), (&whole, Some(&whole))),
            }
        }
    }
}
