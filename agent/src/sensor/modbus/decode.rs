//! What the answers of one poll say about a channel. Pure.

use ecmo_core::reading::{NoData, Reading};

use crate::config::{ModbusChannel, Number, WordOrder};

use super::plan::Plan;

/// What became of one request in the present poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Not answered, or not yet.
    Open,
    /// The data.
    Data(Vec<u8>),
    /// Refused, and what that means for what was asked.
    Exception(NoData),
}

/// The reading of a channel; `None` while a request that it needs is not answered.
#[must_use]
pub fn reading(channel: &ModbusChannel, plan: &Plan, outcomes: &[Outcome]) -> Option<Reading> {
    // The value last: a status that takes the value away goes before one that doubts it.
    let (index, from) = plan.find(channel.place, channel.number.registers())?;
    let mut is_doubted = false;
    let mut reason = None;
    for status in &channel.status {
        let (index, from) = plan.find(status.place, 1)?;
        match outcomes.get(index)? {
            Outcome::Open => return None,
            Outcome::Exception(refused) => reason = reason.or(Some(*refused)),
            Outcome::Data(data) => {
                if bit(data, status.place.table.is_bits(), from, status.bit)? == status.when {
                    is_doubted |= status.means.is_none();
                    reason = reason.or(status.means);
                }
            }
        }
    }
    let data = match outcomes.get(index)? {
        Outcome::Open => return None,
        Outcome::Exception(refused) => return Some(Reading::NoData(*refused)),
        Outcome::Data(data) => data,
    };
    if let Some(reason) = reason {
        return Some(Reading::NoData(reason));
    }
    let raw = number(channel.number, data, channel.place.table.is_bits(), from)?;
    let invalid = channel.invalid.iter().find(|invalid| {
        // An exact comparison is meant: the number is a word of the device, not a measurement.
        invalid.raw.total_cmp(&raw).is_eq()
    });
    let reading = match invalid {
        Some(invalid) => Reading::NoData(invalid.means),
        None => channel.scaling.reading(raw),
    };
    Some(match reading {
        Reading::Value(value) if is_doubted => Reading::Questionable(value),
        Reading::Value(_) | Reading::Questionable(_) | Reading::NoData(_) => reading,
    })
}

/// What an exception code means for the channel that was asked for.
#[must_use]
pub const fn of_exception(code: u8) -> NoData {
    match code {
        // Acknowledged but slow, and busy: nothing is wrong, and nothing is measured for us now.
        5 | 6 => NoData::NotMeasured,
        // A gateway does not reach the slave behind it.
        10 | 11 => NoData::CommLost,
        // A map that does not fit the slave, or a slave that says it is at fault.
        _other => NoData::SensorFault,
    }
}

fn bit(data: &[u8], is_bits: bool, from: u16, bit: u8) -> Option<bool> {
    if is_bits {
        let byte = data.get(usize::from(from / 8))?;
        return Some(byte >> (from % 8) & 1 == 1);
    }
    Some(word(data, from)? >> bit & 1 == 1)
}

fn word(data: &[u8], from: u16) -> Option<u16> {
    let at = 2 * usize::from(from);
    let [high, low] = data.get(at..at + 2)? else { return None };
    Some(u16::from_be_bytes([*high, *low]))
}

fn number(number: Number, data: &[u8], is_bits: bool, from: u16) -> Option<f64> {
    let wide = |order| {
        let (first, second) = (word(data, from)?, word(data, from + 1)?);
        let (high, low) = match order {
            WordOrder::HighFirst => (first, second),
            WordOrder::LowFirst => (second, first),
        };
        Some(u32::from(high) << 16 | u32::from(low))
    };
    Some(match number {
        Number::Bit(place) => f64::from(u8::from(bit(data, is_bits, from, place)?)),
        Number::U16 => f64::from(word(data, from)?),
        Number::I16 => f64::from(word(data, from)?.cast_signed()),
        Number::U32(order) => f64::from(wide(order)?),
        Number::I32(order) => f64::from(wide(order)?.cast_signed()),
        Number::F32(order) => f64::from(f32::from_bits(wide(order)?)),
    })
}
