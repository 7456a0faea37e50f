//! Values, units and latencies as text for people. Pure.

use std::time::Duration;

use ecmo_core::parameter::Parameter;

use crate::age::age_text;
use crate::model::{Reading, Shown};

/// A value older than this is never shown without its age.
pub(crate) const AGE_SHOWN_FROM: Duration = Duration::from_secs(1);

/// What stands where no value holds.
pub(crate) const NO_VALUE: &str = "---";

/// Digits behind the point for a parameter that is not in the list, and for seconds.
const DECIMALS_UNKNOWN: u8 = 1;

/// A UCUM code as people write it.
pub(crate) fn unit_text(ucum: &str) -> &str {
    match ucum {
        "mm[Hg]" => "mmHg",
        "{rev}/min" => "rpm",
        "Cel" => "°C",
        "{bool}" => "",
        "Ohm" => "Ω",
        other => other,
    }
}

/// The name of a parameter in words, or its id.
pub(crate) fn parameter_name(id: &str) -> &str {
    Parameter::from_id(id).map_or(id, |parameter| parameter.info().name)
}

/// The unit of a parameter as people write it; empty for one that is not in the list.
pub(crate) fn parameter_unit(id: &str) -> &'static str {
    Parameter::from_id(id).map_or("", |parameter| unit_text(parameter.info().unit))
}

/// A value with its unit: `412 mL/min`. A parameter in another unit than its own keeps one decimal.
pub(crate) fn value_text(parameter: &str, unit: &str, value: f32) -> String {
    if unit == "{bool}" {
        return if value >= 0.5 { "yes".to_owned() } else { "no".to_owned() };
    }
    let decimals = Parameter::from_id(parameter)
        .filter(|parameter| parameter.info().unit == unit)
        .map_or(DECIMALS_UNKNOWN, |parameter| parameter.info().decimals);
    let number = number_text(value, decimals);
    let unit = unit_text(unit);
    if unit.is_empty() { number } else { format!("{number} {unit}") }
}

/// A number without a negative zero.
pub(crate) fn number_text(value: f32, decimals: u8) -> String {
    let text = format!("{value:.*}", usize::from(decimals));
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|digit| digit == '0' || digit == '.') => rest.to_owned(),
        Some(_) | None => text,
    }
}

/// A number that a person entered, or may enter, with no more decimals than it has, three at most: `70`, `0.8`, `-62.5`.
pub(crate) fn number_of_people(value: f32) -> String {
    let text = number_text(value, 3);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A limit with its unit and the decimals that it was set with: rounded, it would be another limit. Empty for a detector,
/// whose limit lies between its two states.
pub(crate) fn limit_value_text(unit: &str, limit: f32) -> String {
    let (number, unit_words) = (number_of_people(limit), unit_text(unit));
    match unit {
        "{bool}" => String::new(),
        _ if unit_words.is_empty() => number,
        _ => format!("{number} {unit_words}"),
    }
}

/// A reading as it may be shown: never an old value without its age, never a value that does not hold.
pub(crate) fn reading_text(reading: &Reading, shown: Shown) -> String {
    let value_of = |value| value_text(&reading.parameter, &reading.unit, value);
    match shown {
        Shown::Now { value, age, doubted } => {
            let doubt = if doubted { " doubted" } else { "" };
            let age = with_age_when_old(age);
            format!("{}{doubt}{age}", value_of(value))
        }
        Shown::None { reason, last: None } => format!("{NO_VALUE} {}", reason.words()),
        Shown::None { reason, last: Some((value, age)) } => {
            format!("{NO_VALUE} {} ({}, {} ago)", reason.words(), value_of(value), age_text(age))
        }
    }
}

/// The forms of a reading from the fullest to the shortest. Each is true as it stands: a value that holds is never without
/// its unit and its age, a withdrawn one loses first its unit, then goes with its age.
pub(crate) fn reading_forms(reading: &Reading, shown: Shown) -> Vec<String> {
    let mut forms = vec![reading_text(reading, shown)];
    if let Shown::None { reason, last } = shown {
        if let Some((value, age)) = last {
            let value = value_text(&reading.parameter, &reading.unit, value);
            let number = value.split(' ').next().unwrap_or(NO_VALUE);
            let age = age_text(age);
            forms.push(format!("{NO_VALUE} {} ({number}, {age} ago)", reason.words()));
        }
        forms.push(format!("{NO_VALUE} {}", reason.words()));
    }
    forms
}

/// The first form that fits whole; half a number would be another number.
pub(crate) fn fit_form(forms: &[String], width: usize) -> String {
    let fits = |form: &&String| form.chars().count() <= width;
    forms.iter().find(fits).cloned().unwrap_or_else(|| fit("… too narrow", width))
}

/// ` (1.4 s ago)`, or nothing for what is fresh.
pub(crate) fn with_age_when_old(age: Duration) -> String {
    if age > AGE_SHOWN_FROM { format!(" ({} ago)", age_text(age)) } else { String::new() }
}

/// A latency with the unit that suits it: `0.4 µs`, `412 µs`, `1.24 ms`, `2.10 s`.
pub(crate) fn latency_text(nanos: u64) -> String {
    match nanos {
        0..10_000 => format!("{}.{} µs", nanos / 1_000, nanos / 100 % 10),
        10_000..1_000_000 => format!("{} µs", nanos / 1_000),
        1_000_000..1_000_000_000 => format!("{}.{:02} ms", nanos / 1_000_000, nanos / 10_000 % 100),
        _ => format!("{}.{:02} s", nanos / 1_000_000_000, nanos / 10_000_000 % 100),
    }
}

/// Columns padded to their widest cell, two spaces between; no trailing blanks.
pub(crate) fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

/// A text cut to `width` characters, the cut told by an ellipsis.
pub(crate) fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Parts joined by a space as long as each fits whole: a number cut in two would be another number. Only the first part,
/// which holds no number, may be cut.
pub(crate) fn fit_parts(parts: &[String], width: usize) -> String {
    let mut parts = parts.iter().filter(|part| !part.is_empty());
    let mut text = parts.next().map_or_else(String::new, |first| fit(first, width));
    let mut used = text.chars().count();
    for part in parts {
        used += 1 + part.chars().count();
        if used > width {
            break;
        }
        text.push(' ');
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Reason, Validity};

    fn flow() -> Reading {
        Reading {
            parameter: "flow.blood".to_owned(),
            unit: "mL/min".to_owned(),
            validity: Validity::Valid,
            value: None,
            sampled: None,
            last: None,
        }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_number_of_people_has_the_decimals_that_it_needs() {
        for (value, text) in [
            (70.0, "70"),
            (0.8, "0.8"),
            (-62.5, "-62.5"),
            (100.0, "100"),
            (0.0, "0"),
            (-0.0, "0"),
            (0.125, "0.125"),
        ] {
            assert_eq!(number_of_people(value), text);
        }
    }

    #[test]
    fn a_limit_is_never_rounded_and_a_detector_has_none() {
        for (unit, limit, text) in [
            ("mm[Hg]", -62.5, "-62.5 mmHg"),
            ("{rev}/min", 100.0, "100 rpm"),
            ("{bool}", 0.5, ""),
            ("", 2.0, "2"),
        ] {
            assert_eq!(limit_value_text(unit, limit), text);
        }
    }

    #[test]
    fn no_old_value_is_written_without_its_age() {
        let last = Some((412.0, ms(14_200)));
        for (shown, text) in [
            (Shown::Now { value: 412.4, age: ms(1_000), doubted: false }, "412 mL/min"),
            (Shown::Now { value: 412.4, age: ms(1_400), doubted: false }, "412 mL/min (1.4 s ago)"),
            (Shown::Now { value: 412.4, age: ms(20), doubted: true }, "412 mL/min doubted"),
            (
                Shown::None { reason: Reason::Sample(Validity::SensorOff), last },
                "--- sensor off (412 mL/min, 14 s ago)",
            ),
            (Shown::None { reason: Reason::NeverSeen, last: None }, "--- never seen"),
            (Shown::None { reason: Reason::Silent, last }, "--- silent (412 mL/min, 14 s ago)"),
        ] {
            assert_eq!(reading_text(&flow(), shown), text);
        }
    }

    #[test]
    fn a_narrow_place_takes_the_value_before_its_age() {
        let last = Some((412.0, ms(14_200)));
        let forms = reading_forms(&flow(), Shown::None { reason: Reason::Silent, last });
        for (width, text) in [
            (33, "--- silent (412 mL/min, 14 s ago)"),
            (32, "--- silent (412, 14 s ago)"),
            (25, "--- silent"),
            (4, "… t…"),
        ] {
            assert_eq!(fit_form(&forms, width), text);
        }
        let late = Shown::Now { value: 412.0, age: ms(1_400), doubted: false };
        assert_eq!(fit_form(&reading_forms(&flow(), late), 12), "… too narrow");
    }

    #[test]
    fn values_carry_their_unit_and_the_parameters_digits() {
        for (parameter, unit, value, text) in [
            ("temp.return", "Cel", 36.54, "36.5 °C"),
            ("press.drain", "mm[Hg]", -0.4, "0 mmHg"),
            ("press.drain", "mm[Hg]", -92.4, "-92 mmHg"),
            ("pump.speed", "{rev}/min", 3200.4, "3200 rpm"),
            ("air.bubble", "{bool}", 1.0, "yes"),
            ("made.up", "kPa", 1.25, "1.2 kPa"),
            ("press.drain", "s", 1.0, "1.0 s"),
        ] {
            assert_eq!(value_text(parameter, unit, value), text);
        }
    }

    #[test]
    fn latencies_choose_their_unit() {
        for (nanos, text) in [
            (0, "0.0 µs"),
            (9_990, "9.9 µs"),
            (412_900, "412 µs"),
            (1_249_000, "1.24 ms"),
            (2_109_000_000, "2.10 s"),
        ] {
            assert_eq!(latency_text(nanos), text);
        }
    }

    #[test]
    fn a_table_lines_up_and_a_cut_is_told() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        assert_eq!(table(&[row(["a", "b"]), row(["°long", ""])]), ["a      b", "°long"]);
        assert_eq!(fit("°123", 4), "°123");
        assert_eq!(fit("°1234", 4), "°12…");
    }

    #[test]
    fn a_number_is_shown_whole_or_not_at_all() {
        let parts = ["pump stopped", "", "0 rpm", "< limit 100 rpm"].map(str::to_owned);
        assert_eq!(fit_parts(&parts, 40), "pump stopped 0 rpm < limit 100 rpm");
        assert_eq!(fit_parts(&parts, 33), "pump stopped 0 rpm");
        assert_eq!(fit_parts(&parts, 13), "pump stopped");
        assert_eq!(fit_parts(&parts, 8), "pump st…");
    }
}
