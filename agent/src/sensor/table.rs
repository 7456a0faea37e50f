//! What tables of samples have in common, whether a whole file or a stream of lines: cells, times, words. Pure.

use ecmo_core::reading::{NoData, Reading};

/// Name of the time column, in seconds.
pub const TIME_COLUMN: &str = "t_s";

/// Behind a value that the device doubts, such as `12.5?`.
pub const DOUBT: char = '?';

/// Greatest whole seconds of a time: wall clocks of this century fit.
const SECONDS_MAX: u64 = 9_999_999_999;

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A number.
    Number(f64),
    /// A number that the device doubts.
    Doubted(f64),
    /// No measurement, and why.
    NoData(NoData),
}

impl Cell {
    /// The reading of a cell whose number is in the parameter's unit; `None` for an empty one.
    #[must_use]
    pub fn reading(self) -> Option<Reading> {
        match self {
            Self::Empty => None,
            Self::Number(number) => Some(Reading::from_number(number)),
            Self::Doubted(number) => Some(doubted(Reading::from_number(number))),
            Self::NoData(reason) => Some(Reading::NoData(reason)),
        }
    }
}

/// The same reading, doubted.
#[must_use]
pub fn doubted(reading: Reading) -> Reading {
    match reading {
        Reading::Value(value) => Reading::Questionable(value),
        Reading::Questionable(_) | Reading::NoData(_) => reading,
    }
}

/// Reads a cell; `None` for what is neither a number nor a word.
///
/// `nan`, `null`, dashes and the like are a sample without a measurement; `inf` and `-inf` lie beyond the sensor's range; the
/// reasons of [`NoData::WORDS`] stand for themselves.
#[must_use]
pub fn cell(text: &str) -> Option<Cell> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Cell::Empty);
    }
    if let Some(reason) = NoData::from_word(text) {
        return Some(Cell::NoData(reason));
    }
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if ["nan", "null", "none", "na", "n/a"].iter().any(|word| is(word)) || is_dashes(text) {
        return Some(Cell::NoData(NoData::NotMeasured));
    }
    for (word, cell) in [
        ("inf", Cell::NoData(NoData::AboveRange)),
        ("-inf", Cell::NoData(NoData::BelowRange)),
        ("true", Cell::Number(1.0)),
        ("false", Cell::Number(0.0)),
    ] {
        if is(word) {
            return Some(cell);
        }
    }
    match text.strip_suffix(DOUBT) {
        Some(number) => plain(number).map(Cell::Doubted),
        None => plain(text).map(Cell::Number),
    }
}

/// A number in digits. Other words for numbers that a parser knows are none here.
fn plain(text: &str) -> Option<f64> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let number: f64 = text.parse().ok().filter(|_| is_digits)?;
    #[expect(clippy::cast_possible_truncation, reason = "what a sample cannot hold is refused")]
    let is_sample = (number as f32).is_finite();
    is_sample.then_some(number)
}

fn is_dashes(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'-')
}

/// The text of a reading, as [`cell`] reads it back exactly.
#[must_use]
pub fn text(reading: Reading) -> String {
    match reading {
        Reading::Value(value) => format!("{value}"),
        Reading::Questionable(value) => format!("{value}{DOUBT}"),
        Reading::NoData(reason) => reason.word().to_owned(),
    }
}

/// Nanoseconds of a time in seconds, digit by digit: a float cannot tell the nanoseconds of a wall clock apart.
#[must_use]
pub fn nanos(text: &str) -> Option<u64> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_plain(whole) || !is_plain(fraction) {
        return None;
    }
    let whole: u64 = whole.parse().ok().filter(|whole| *whole <= SECONDS_MAX)?;
    let digits = fraction.get(..fraction.len().min(9))?;
    let fraction: u64 = format!("{digits:0<9}").parse().ok()?;
    whole.checked_mul(1_000_000_000)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cell_is_a_number_a_reason_or_nothing() {
        for (text, expected) in [
            ("", Some(Cell::Empty)),
            (" 1.5 ", Some(Cell::Number(1.5))),
            ("-3e2", Some(Cell::Number(-300.0))),
            ("7?", Some(Cell::Doubted(7.0))),
            ("true", Some(Cell::Number(1.0))),
            ("----", Some(Cell::NoData(NoData::NotMeasured))),
            ("NULL", Some(Cell::NoData(NoData::NotMeasured))),
            ("-inf", Some(Cell::NoData(NoData::BelowRange))),
            ("Sensor_Off", Some(Cell::NoData(NoData::SensorOff))),
            ("infinity", None),
            ("1e39", None),
            ("1,5", None),
            ("12 mmHg", None),
            ("?", None),
        ] {
            assert_eq!(cell(text), expected, "{text}");
        }
    }

    #[test]
    fn times_keep_their_nanoseconds() {
        assert_eq!(nanos("1764354615.123456789"), Some(1_764_354_615_123_456_789));
        assert_eq!(nanos("0.01"), Some(10_000_000));
        assert_eq!(nanos("5"), Some(5_000_000_000));
        for wrong in ["", "-1", "nan", "1e3", "99999999999", ".5", "1.x"] {
            assert_eq!(nanos(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_exactly(bits in any::<u32>(), doubt in any::<bool>(), word in 0usize..9) {
            let value = f32::from_bits(bits);
            let reading = match (value.is_finite(), doubt) {
                (true, false) => Reading::Value(value),
                (true, true) => Reading::Questionable(value),
                (false, _) => Reading::NoData(NoData::WORDS[word].1),
            };
            prop_assert_eq!(cell(&text(reading)).unwrap().reading(), Some(reading));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _looked_at = (cell(&text), nanos(&text));
        }
    }
}
