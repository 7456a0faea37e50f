//! The values of a CDI 550, from the fields of a packet and from the columns of a line of text. Pure: no port, no clock.

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::{NoData, Reading};

use crate::config::GasUnit;

/// Fields of a packet with data, besides the first one, which names the monitor and its time.
pub const FIELDS: usize = 18;

/// Millimetres of mercury of a kilopascal.
const MMHG_OF_KPA: f64 = 7.500_616_827;

/// Why a packet's data or a line is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Another number of fields or columns.
    #[error("{found} fields instead of {expected}; check mode and columns")]
    Width {
        /// Those found.
        found: usize,
        /// Those expected.
        expected: usize,
    },
    /// A field of a packet without its index, or one index twice.
    #[error("a field without its index, or an index twice")]
    Index,
    /// Something that is no value, no dashes and no blank.
    #[error("a value that is not understood")]
    Value,
}

/// The readings of a packet's data, one for each of `wanted`: the index of a field and the parameter that it is.
///
/// # Errors
/// Anything that is not exactly eighteen fields behind the first; a receiver drops the packet and counts it.
pub fn of_packet(
    data: &[u8],
    wanted: &[(u8, Parameter)],
    gas: GasUnit,
    out: &mut Vec<Reading>,
) -> Result<(), ValueError> {
    let data = data.strip_suffix(b"\t").unwrap_or(data);
    let found = data.split(|byte| *byte == b'\t').count().saturating_sub(1);
    if found != FIELDS {
        return Err(ValueError::Width { found, expected: FIELDS });
    }
    let mut texts = [None; FIELDS];
    for field in data.split(|byte| *byte == b'\t').skip(1) {
        let field = str::from_utf8(field).map_err(|_no_text| ValueError::Index)?;
        let (index, rest) = field.split_at_checked(2).ok_or(ValueError::Index)?;
        let is_hex = index.bytes().all(|byte| byte.is_ascii_hexdigit());
        let index = usize::from_str_radix(index, 16).ok().filter(|_| is_hex);
        let place = index.and_then(|index| texts.get_mut(index)).ok_or(ValueError::Index)?;
        if place.is_some() {
            return Err(ValueError::Index);
        }
        // Two signs whose meaning is not public stand before the value.
        *place = Some(rest.get(2..).unwrap_or_default());
    }
    out.clear();
    for (index, parameter) in wanted {
        let text = texts.get(usize::from(*index)).copied().flatten().ok_or(ValueError::Index)?;
        out.push(reading(text, *parameter, gas)?);
    }
    Ok(())
}

/// What a line of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextLine {
    /// Values; the readings were handed out.
    Values,
    /// The header, which comes again every fifty lines, or the line that names the temperature that values refer to.
    Header,
}

/// The readings of a line of text, one for each column that is a parameter.
///
/// # Errors
/// Anything that is neither a header nor exactly the columns; a receiver drops the line and counts it.
pub fn of_line(
    line: &[u8],
    columns: &[Option<Parameter>],
    gas: GasUnit,
    out: &mut Vec<Reading>,
) -> Result<TextLine, ValueError> {
    let text = str::from_utf8(line).map_err(|_no_text| ValueError::Value)?;
    if text.trim().ends_with(TEMPERATURE_LINE) && !text.contains('\t') {
        return Ok(TextLine::Header);
    }
    let mut found = text.split('\t').count();
    if found == columns.len() + 1 && text.ends_with('\t') {
        found -= 1;
    }
    if found != columns.len() {
        return Err(ValueError::Width { found, expected: columns.len() });
    }
    let wanted =
        || text.split('\t').zip(columns).filter_map(|(cell, column)| Some((cell, (*column)?)));
    // A header names every column; a line with one name among its values is torn.
    if wanted().all(|(cell, _)| is_name(cell)) {
        return Ok(TextLine::Header);
    }
    out.clear();
    for (cell, parameter) in wanted() {
        out.push(reading(cell, parameter, gas)?);
    }
    Ok(TextLine::Values)
}

/// End of the line that tells which temperature the values refer to.
const TEMPERATURE_LINE: &str = "Temp Data";

/// Whether a cell is a name and can be no value.
fn is_name(cell: &str) -> bool {
    cell.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// One value in the unit of its parameter.
///
/// Dashes stand for a value out of the bounds that were set at the monitor. Which side is not told, so that it is neither
/// "above" nor "below" here.
fn reading(text: &str, parameter: Parameter, gas: GasUnit) -> Result<Reading, ValueError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Reading::NoData(NoData::NotMeasured));
    }
    if text.contains('-') && text.bytes().all(|byte| matches!(byte, b'-' | b'.')) {
        return Ok(Reading::NoData(NoData::SensorFault));
    }
    let shape = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+');
    if !text.bytes().all(shape) {
        return Err(ValueError::Value);
    }
    let number: f64 = text.parse().map_err(|_no_number| ValueError::Value)?;
    let is_gas = parameter.info().unit == "mm[Hg]";
    let number = if is_gas && gas == GasUnit::KPa { number * MMHG_OF_KPA } else { number };
    let reading = Reading::from_number(number);
    let is_possible = reading.value().is_some_and(|value| parameter.is_possible(value));
    Ok(if is_possible { reading } else { Reading::NoData(NoData::SensorFault) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FAULT: Reading = Reading::NoData(NoData::SensorFault);
    const NONE: Reading = Reading::NoData(NoData::NotMeasured);

    #[test]
    fn a_value_is_a_number_dashes_or_a_blank_and_possible() {
        let read = |text, parameter, gas| reading(text, parameter, gas);
        for (text, parameter, gas, expected) in [
            ("7.41", Parameter::PhPost, GasUnit::MmHg, Ok(Reading::Value(7.41))),
            (" 152 ", Parameter::Po2Post, GasUnit::MmHg, Ok(Reading::Value(152.0))),
            ("20.0", Parameter::Po2Post, GasUnit::KPa, Ok(Reading::Value(150.012_33))),
            ("37.0", Parameter::TempReturn, GasUnit::KPa, Ok(Reading::Value(37.0))),
            ("---", Parameter::SatDrain, GasUnit::MmHg, Ok(FAULT)),
            ("--.-", Parameter::Hb, GasUnit::MmHg, Ok(FAULT)),
            ("", Parameter::SatDrain, GasUnit::MmHg, Ok(NONE)),
            ("   ", Parameter::SatDrain, GasUnit::MmHg, Ok(NONE)),
            ("101", Parameter::SatDrain, GasUnit::MmHg, Ok(FAULT)),
            ("-1", Parameter::SatDrain, GasUnit::MmHg, Ok(FAULT)),
            ("1e3", Parameter::Po2Post, GasUnit::MmHg, Err(ValueError::Value)),
            ("inf", Parameter::Po2Post, GasUnit::MmHg, Err(ValueError::Value)),
            ("1-2", Parameter::Po2Post, GasUnit::MmHg, Err(ValueError::Value)),
            (".", Parameter::Po2Post, GasUnit::MmHg, Err(ValueError::Value)),
        ] {
            assert_eq!(read(text, parameter, gas), expected, "{text:?}");
        }
    }

    fn fields(change: impl Fn(usize, String) -> String) -> Vec<u8> {
        let field = |index: usize| change(index, format!("{index:02X}  {index}"));
        let fields: Vec<_> = (0..FIELDS).map(field).collect();
        format!("123456 10:20:30\t{}", fields.join("\t")).into_bytes()
    }

    #[test]
    fn the_fields_of_a_packet_are_found_by_their_index() {
        let wanted = [(0x0D, Parameter::SatDrain), (0x10, Parameter::Hct), (0x05, Parameter::Hb)];
        let mut out = Vec::new();
        let read =
            |data: &[u8], out: &mut Vec<Reading>| of_packet(data, &wanted, GasUnit::MmHg, out);
        read(&fields(|_, field| field), &mut out).unwrap();
        assert_eq!(out, [Reading::Value(13.0), Reading::Value(16.0), Reading::Value(5.0)]);
        let mut trailing = fields(|_, field| field.to_lowercase());
        trailing.push(b'\t');
        assert_eq!(read(&trailing, &mut out), Ok(()));
        let wrong = |change: &dyn Fn(usize, String) -> String| {
            of_packet(&fields(change), &wanted, GasUnit::MmHg, &mut Vec::new())
        };
        assert_eq!(wrong(&|_, _| "04  1".to_owned()), Err(ValueError::Index));
        assert_eq!(wrong(&|_, field| field.replace("0D", "12")), Err(ValueError::Index));
        assert_eq!(wrong(&|_, field| field.replace("0D", "+D")), Err(ValueError::Index));
        assert_eq!(wrong(&|_, field| field.replace("0D", "0")), Err(ValueError::Index));
        assert_eq!(wrong(&|_, field| field.replace("  13", "  x")), Err(ValueError::Value));
        assert_eq!(
            of_packet(b"123456 10:20:30\t00  1", &wanted, GasUnit::MmHg, &mut out),
            Err(ValueError::Width { found: 1, expected: FIELDS })
        );
    }

    #[test]
    fn a_line_is_values_or_a_header_and_nothing_between() {
        let columns = [None, Some(Parameter::SatDrain), Some(Parameter::Hb)];
        let mut out = Vec::new();
        for (line, expected) in [
            ("10:20:30\t71\t12.5", Ok(TextLine::Values)),
            ("10:20:30\t71\t12.5\t", Ok(TextLine::Values)),
            ("10:20:30\t--\t", Ok(TextLine::Values)),
            ("Time\tvSO2\tHgb", Ok(TextLine::Header)),
            ("37C Temp Data", Ok(TextLine::Header)),
            ("@ Temp Data", Ok(TextLine::Header)),
            ("10:20:30\t71\tHgb", Err(ValueError::Value)),
            ("10:20:30\t71", Err(ValueError::Width { found: 2, expected: 3 })),
            ("", Err(ValueError::Width { found: 1, expected: 3 })),
        ] {
            let read = of_line(line.as_bytes(), &columns, GasUnit::MmHg, &mut out);
            assert_eq!(read, expected, "{line:?}");
        }
        of_line(b"x\t71\t12.5", &columns, GasUnit::MmHg, &mut out).unwrap();
        assert_eq!(out, [Reading::Value(71.0), Reading::Value(12.5)]);
        of_line(b"x\t--.-\t", &columns, GasUnit::MmHg, &mut out).unwrap();
        assert_eq!(out, [FAULT, NONE]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_read_without_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut out = Vec::new();
            let columns = [Some(Parameter::Hb), None];
            let _either_is_fine = of_line(&bytes, &columns, GasUnit::MmHg, &mut out);
            let wanted = [(0x11, Parameter::Hb)];
            let _either_is_fine = of_packet(&bytes, &wanted, GasUnit::KPa, &mut out);
        }
    }
}
