//! What people acknowledged, as bytes.

use ecmo_core::alarm::Covered;
use ecmo_core::alarm::action::AlarmRef;
use ecmo_core::alarm::occurrence::OccurrenceId;
use ecmo_core::frame::BootId;
use prost::Message;

use super::{OrderValue, condition_of, order_of, order_to};

#[derive(Clone, PartialEq, Message)]
pub(super) struct CoveredValue {
    #[prost(string, tag = "1")]
    condition: String,
    #[prost(fixed64, tag = "2")]
    boot: u64,
    #[prost(uint64, tag = "3")]
    onset: u64,
    #[prost(uint32, tag = "4")]
    call: u32,
    #[prost(string, tag = "5")]
    by: String,
    #[prost(string, tag = "6")]
    note: String,
    #[prost(message, required, tag = "7")]
    order: OrderValue,
    #[prost(bool, tag = "8")]
    ended: bool,
}

pub(super) fn to(covered: &Covered) -> CoveredValue {
    let AlarmRef { id, call } = covered.alarm;
    CoveredValue {
        condition: id.condition.to_string(),
        boot: id.boot.map_or(0, BootId::get),
        onset: id.onset,
        call,
        by: covered.by.clone(),
        note: covered.note.clone(),
        order: order_to(&covered.order),
        ended: covered.ended,
    }
}

/// # Errors
/// What is wrong with it.
pub(super) fn of(value: CoveredValue) -> Result<Covered, String> {
    let condition = condition_of(&value.condition)?;
    let id = OccurrenceId { condition, boot: BootId::new(value.boot), onset: value.onset };
    Ok(Covered {
        alarm: AlarmRef { id, call: value.call },
        by: value.by,
        note: value.note,
        order: order_of(value.order),
        ended: value.ended,
    })
}
