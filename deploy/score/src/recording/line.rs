//! Takes a line of a table apart: quoted fields, spaces, and what a cell says.

use ecmo_core::reading::{NoData, Reading};

/// Splits a line at a delimiter into `cells`; fields may stand in double quotes, with `""` for a quote within.
///
/// # Errors
/// A quote that does not end in the line.
pub(crate) fn split(line: &str, delimiter: char, cells: &mut Vec<String>) -> Result<(), String> {
    let mut used = 0;
    let mut rest = line;
    loop {
        if used == cells.len() {
            cells.push(String::new());
        }
        let Some(cell) = cells.get_mut(used) else { return Ok(()) };
        cell.clear();
        used += 1;
        let after = match rest.trim_start_matches([' ', '\t']).strip_prefix('"') {
            Some(quoted) => unquote(quoted, cell)?,
            None => {
                let end = rest.find(delimiter).unwrap_or(rest.len());
                let (plain, after) = rest.split_at(end);
                cell.push_str(plain.trim());
                after
            }
        };
        let after = if delimiter == '\t' { after } else { after.trim_start() };
        match after.strip_prefix(delimiter) {
            Some(next) => rest = next,
            None if after.trim().is_empty() => break,
            None => {
                return Err(format!(
                    "{:?} after a quoted field: write a {delimiter:?} between two fields",
                    shorten(after)
                ));
            }
        }
    }
    cells.truncate(used);
    Ok(())
}

/// Reads a quoted field from behind its first quote, and returns what follows its last one.
fn unquote<'a>(quoted: &'a str, cell: &mut String) -> Result<&'a str, String> {
    let mut rest = quoted;
    loop {
        let Some((text, after)) = rest.split_once('"') else {
            return Err("a quote without its end: close it in the same line".to_owned());
        };
        cell.push_str(text);
        match after.strip_prefix('"') {
            Some(more) => {
                cell.push('"');
                rest = more;
            }
            None => {
                let trimmed = cell.trim().to_owned();
                *cell = trimmed;
                return Ok(after);
            }
        }
    }
}

/// What a cell says; `None` for an empty one: no sample was taken.
///
/// `nan` is a sample without a measurement; `inf` and `-inf` are a sensor beyond its range. The words for a reason (such as
/// `sensor_off`) stand for themselves, and a `?` behind a number doubts it.
///
/// # Errors
/// Something that is no number.
pub(crate) fn reading(cell: &str) -> Result<Option<Reading>, String> {
    if cell.is_empty() {
        return Ok(None);
    }
    if let Ok(value) = cell.parse::<f32>() {
        let is_word = cell.contains(['n', 'N']);
        return Ok(Some(match (value.is_finite(), is_word) {
            (true, _) => Reading::Value(value),
            (false, true) if value.is_nan() => Reading::NoData(NoData::NotMeasured),
            (false, true) if value > 0.0 => Reading::NoData(NoData::AboveRange),
            (false, true) => Reading::NoData(NoData::BelowRange),
            // A number too great for any sensor.
            (false, false) => Reading::NoData(NoData::SensorFault),
        }));
    }
    if let Some(reason) = NoData::from_word(cell) {
        return Ok(Some(Reading::NoData(reason)));
    }
    if let Some(Ok(Some(Reading::Value(value)))) = cell.strip_suffix('?').map(reading) {
        return Ok(Some(Reading::Questionable(value)));
    }
    match cell.to_ascii_lowercase().as_str() {
        "true" => Ok(Some(Reading::Value(1.0))),
        "false" => Ok(Some(Reading::Value(0.0))),
        "na" | "n/a" | "null" | "none" => Ok(Some(Reading::NoData(NoData::NotMeasured))),
        _ => Err(format!(
            "{:?} is no number: write a number with a decimal point, nan, or nothing where there is no value",
            shorten(cell)
        )),
    }
}

/// At most so much of a text as an error should repeat.
pub(crate) fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_separated_unquoted_and_trimmed() {
        for (line, expected) in [
            ("a,b", vec!["a", "b"]),
            (" a , b ,", vec!["a", "b", ""]),
            ("\"a,b\" , \"c\"\"d\"", vec!["a,b", "c\"d"]),
            ("", vec![""]),
            (",", vec!["", ""]),
            ("\" 1 \",2", vec!["1", "2"]),
        ] {
            let mut cells = vec!["left from before".to_owned(); 3];
            split(line, ',', &mut cells).unwrap();
            assert_eq!(cells, expected, "{line}");
        }
        let mut cells = Vec::new();
        assert!(split("\"a", ',', &mut cells).unwrap_err().contains("without its end"));
        assert!(split("\"a\"b", ',', &mut cells).unwrap_err().contains("after a quoted"));
        split("1\t\t 2", '\t', &mut cells).unwrap();
        assert_eq!(cells, ["1", "", "2"]);
    }

    #[test]
    fn a_cell_is_a_value_a_reason_or_nothing() {
        let none = Reading::NoData;
        for (cell, expected) in [
            ("", None),
            ("1.5", Some(Reading::Value(1.5))),
            ("-3e2", Some(Reading::Value(-300.0))),
            ("nan", Some(none(NoData::NotMeasured))),
            ("NaN", Some(none(NoData::NotMeasured))),
            ("-inf", Some(none(NoData::BelowRange))),
            ("inf", Some(none(NoData::AboveRange))),
            ("1e300", Some(none(NoData::SensorFault))),
            ("true", Some(Reading::Value(1.0))),
            ("FALSE", Some(Reading::Value(0.0))),
            ("n/a", Some(none(NoData::NotMeasured))),
            ("sensor_off", Some(none(NoData::SensorOff))),
            ("12.5?", Some(Reading::Questionable(12.5))),
        ] {
            assert_eq!(reading(cell).unwrap(), expected, "{cell}");
        }
        for bad in ["--", "?", "1??", "1,5", "12 mmHg", "0x10"] {
            assert!(reading(bad).unwrap_err().contains("is no number"), "{bad}");
        }
    }
}
