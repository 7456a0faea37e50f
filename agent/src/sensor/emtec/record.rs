//! Parses one line of the em-tec BioProTT protocol. Pure: no port, no clock.
//!
//! A line is `ee ss aaa p.pp fffffff mmmmmmm sssssss tttttt`: error and status in hexadecimal digits, coupling in percent,
//! calibration factor, flow as the mean of 0.1 s, 1 s and 10 s in mL/min, board temperature in degrees Celsius. The
//! protocol has no check sum: a lost digit inside a number cannot be seen here.

use ecmo_core::reading::{NoData, Reading};

/// Status bit: the flow probe is disconnected.
const STATUS_DISCONNECTED: u8 = 0x80;

/// Status bit: the device says that it is not calibrated for this probe or tube.
const STATUS_UNCALIBRATED: u8 = 0x40;

/// Status bit: too little ultrasound arrives.
const STATUS_COUPLING: u8 = 0x20;

/// Status bits that hold the number of the calibration table.
const STATUS_TABLE: u8 = 0x1C;

/// Error byte of a device without an error.
const ERROR_NONE: u8 = 0x00;

/// Greatest flow that the protocol can carry, in mL/min.
const FLOW_MAX: i32 = 999_999;

/// What one line says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Line {
    /// A record.
    Record(Record),
    /// Nothing but blanks: the device sends three such lines after its table was changed.
    Blank,
}

/// The fields of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record {
    /// Error byte; 0 when there is none.
    pub error: u8,
    /// Status byte.
    pub status: u8,
    /// Strength of the received ultrasound, in percent.
    pub coupling: Field,
    /// Calibration factor.
    pub factor: Field,
    /// Flow as the mean of 0.1 s, in mL/min.
    pub flow: Field,
    /// Flow as the mean of 1 s, in mL/min.
    pub flow_1s: Field,
    /// Flow as the mean of 10 s, in mL/min.
    pub flow_10s: Field,
    /// Temperature of the board, in degrees Celsius.
    pub board: Field,
}

/// One field of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Field {
    /// A number.
    Number(f32),
    /// Dashes: no value.
    Blanked,
    /// Carets: above what can be measured.
    Above,
    /// The letter v: below what can be measured.
    Below,
}

/// Why a line is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Bytes that are no printable text.
    #[error("not printable text; check speed and wiring of the port")]
    Bytes,
    /// Another number of fields.
    #[error("{0} fields instead of 8")]
    Width(usize),
    /// A field that is none of the protocol.
    #[error("field {0} is not understood")]
    Field(&'static str),
}

/// Parses a line without its end.
///
/// # Errors
/// Anything that is not exactly a record; a receiver drops the line and counts it.
pub fn parse(line: &[u8]) -> Result<Line, LineError> {
    let is_text =
        line.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ' || *byte == b'\t');
    let text = str::from_utf8(line).ok().filter(|_| is_text).ok_or(LineError::Bytes)?;
    let mut fields = text.split_ascii_whitespace();
    let count = fields.clone().count();
    if count == 0 {
        return Ok(Line::Blank);
    }
    if count != 8 {
        return Err(LineError::Width(count));
    }
    let mut next = |name| fields.next().ok_or(LineError::Field(name));
    Ok(Line::Record(Record {
        error: hex(next("error")?, "error")?,
        status: hex(next("status")?, "status")?,
        coupling: field(next("coupling")?, "coupling", |text| number(text, 0, 100))?,
        factor: field(next("factor")?, "factor", factor)?,
        flow: field(next("flow")?, "flow", flow)?,
        flow_1s: field(next("flow of 1 s")?, "flow of 1 s", flow)?,
        flow_10s: field(next("flow of 10 s")?, "flow of 10 s", flow)?,
        board: field(next("temperature")?, "temperature", |text| number(text, -99, 999))?,
    }))
}

impl Record {
    /// The flow to publish.
    ///
    /// Error and status are both evaluated, as the maker demands: with an error no number is a measurement.
    #[must_use]
    pub fn flow_reading(&self) -> Reading {
        self.judge(self.flow)
    }

    /// The coupling to publish. Poor coupling is itself the measurement here.
    #[must_use]
    pub fn coupling_reading(&self) -> Reading {
        let status = self.status & !STATUS_COUPLING;
        Self { status, ..*self }.judge(self.coupling)
    }

    /// The board temperature to publish. The board measures it whatever the probe does; with an error it is doubted.
    #[must_use]
    pub fn board_reading(&self) -> Reading {
        match self.board {
            Field::Number(value) if self.error == ERROR_NONE => Reading::Value(value),
            Field::Number(value) => Reading::Questionable(value),
            Field::Blanked => Reading::NoData(NoData::NotMeasured),
            Field::Above => Reading::NoData(NoData::AboveRange),
            Field::Below => Reading::NoData(NoData::BelowRange),
        }
    }

    /// A field of the probe in the light of error and status.
    fn judge(&self, field: Field) -> Reading {
        if self.status & STATUS_DISCONNECTED != 0 {
            return Reading::NoData(NoData::SensorOff);
        }
        if self.error != ERROR_NONE {
            return Reading::NoData(NoData::SensorFault);
        }
        // Any bit that is neither the table's nor one handled above makes the device's own number doubtful.
        let doubts = self.status & !STATUS_TABLE;
        match field {
            Field::Number(value) if doubts == 0 => Reading::Value(value),
            Field::Number(value) => Reading::Questionable(value),
            Field::Blanked => Reading::NoData(NoData::NotMeasured),
            Field::Above => Reading::NoData(NoData::AboveRange),
            Field::Below => Reading::NoData(NoData::BelowRange),
        }
    }

    /// Number of the calibration table.
    #[must_use]
    pub const fn table(&self) -> u8 {
        (self.status & STATUS_TABLE) >> 2
    }

    /// Whether the device says that it is not calibrated.
    #[must_use]
    pub const fn is_uncalibrated(&self) -> bool {
        self.status & STATUS_UNCALIBRATED != 0
    }
}

/// Two hexadecimal digits; one alone is what is left of a torn line.
fn hex(text: &str, name: &'static str) -> Result<u8, LineError> {
    let is_hex = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let byte = u8::from_str_radix(text, 16).ok().filter(|_| is_hex);
    byte.ok_or(LineError::Field(name))
}

/// A number, or one of the signs that stand for none.
fn field(
    text: &str,
    name: &'static str,
    number: impl Fn(&str) -> Option<f32>,
) -> Result<Field, LineError> {
    let is_only = |sign: char| text.len() >= 2 && text.chars().all(|other| other == sign);
    if is_only('-') {
        return Ok(Field::Blanked);
    }
    if is_only('^') {
        return Ok(Field::Above);
    }
    if is_only('v') {
        return Ok(Field::Below);
    }
    number(text).map(Field::Number).ok_or(LineError::Field(name))
}

/// A whole number between two bounds.
fn number(text: &str, low: i32, high: i32) -> Option<f32> {
    let number: i32 = text.parse().ok()?;
    // Seven digits fit an f32 exactly.
    #[expect(clippy::cast_precision_loss, reason = "below 2 to the 24")]
    (low..=high).contains(&number).then_some(number as f32)
}

/// A flow in mL/min.
fn flow(text: &str) -> Option<f32> {
    number(text, -FLOW_MAX, FLOW_MAX)
}

/// A calibration factor such as 0.99.
fn factor(text: &str) -> Option<f32> {
    let shape = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let factor: f32 = text.parse().ok().filter(|_| text.bytes().all(shape))?;
    (0.0..10.0).contains(&factor).then_some(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(line: &str) -> Record {
        match parse(line.as_bytes()) {
            Ok(Line::Record(record)) => record,
            other => panic!("{line}: {other:?}"),
        }
    }

    /// The vectors of the maker's manual: flow, coupling, board temperature.
    #[test]
    fn every_documented_vector_is_read_as_documented() {
        let value = Reading::Value;
        let none = Reading::NoData;
        for (line, flow, coupling, board) in [
            ("00 00 100 0.99 7195 7193 6897 +41", value(7195.0), value(100.0), value(41.0)),
            ("00 04 100 1.00 -3588 -3590 -3589 +43", value(-3588.0), value(100.0), value(43.0)),
            (
                "00 40 100 1.00 0 0 0 +43",
                Reading::Questionable(0.0),
                Reading::Questionable(100.0),
                value(43.0),
            ),
            (
                "00 24 34 0.99 ------- ------- ------- +43",
                none(NoData::NotMeasured),
                value(34.0),
                value(43.0),
            ),
            (
                "00 E0 --- ---- ------- ------- ------- +35",
                none(NoData::SensorOff),
                none(NoData::SensorOff),
                value(35.0),
            ),
            (
                "00 40 75 1.01 ^^^^^^ ^^^^^^ ^^^^^^ +29",
                none(NoData::AboveRange),
                Reading::Questionable(75.0),
                value(29.0),
            ),
            (
                "00 40 75 1.01 vvvvvvv vvvvvvv vvvvvvv +29",
                none(NoData::BelowRange),
                Reading::Questionable(75.0),
                value(29.0),
            ),
            (
                "1A 41 --- ---- ------- ------- ------- +77",
                none(NoData::SensorFault),
                none(NoData::SensorFault),
                Reading::Questionable(77.0),
            ),
        ] {
            let record = record(line);
            assert_eq!(record.flow_reading(), flow, "{line}");
            assert_eq!(record.coupling_reading(), coupling, "{line}");
            assert_eq!(record.board_reading(), board, "{line}");
        }
        let record = record("00 04 100 1.00 -3588 -3590 -3589 +43");
        assert_eq!((record.table(), record.is_uncalibrated()), (1, false));
    }

    #[test]
    fn blanks_are_a_blank_line() {
        for line in [&b""[..], b"   ", b" \t "] {
            assert_eq!(parse(line), Ok(Line::Blank));
        }
    }

    #[test]
    fn torn_and_foreign_lines_are_refused() {
        for line in [
            "0 00 100 0.99 7195 7193 6897 +41",
            "00 100 0.99 7195 7193 6897 +41",
            "00 00 100 0.99 7195 7193 6897",
            "00 00 100 0.99 7195 7193 6897 +41 00",
            "0000 100 0.99 7195 7193 6897 +41 x",
            "+1 00 100 0.99 7195 7193 6897 +41",
            "00 0G 100 0.99 7195 7193 6897 +41",
            "00 00 101 0.99 7195 7193 6897 +41",
            "00 00 100 0,99 7195 7193 6897 +41",
            "00 00 100 nan 7195 7193 6897 +41",
            "00 00 100 0.99 71.5 7193 6897 +41",
            "00 00 100 0.99 1000000 7193 6897 +41",
            "00 00 100 0.99 - 7193 6897 +41",
            "00 00 100 0.99 ^^^-^^ 7193 6897 +41",
            "00 00 100 0.99 7195 7193 6897 +4l",
            "00 00 100 0.99 7195 7193 6897 +41\u{fc}",
            "00 00 100 0.99 7195 7193\u{0} 6897 +41",
        ] {
            assert!(parse(line.as_bytes()).is_err(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_read_without_panic(line in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _either_is_fine = parse(&line);
        }

        #[test]
        fn no_error_and_no_disconnected_probe_ever_gives_a_value(
            error: u8, status: u8, flow in -999_999i32..=999_999,
        ) {
            let line = format!("{error:02X} {status:02X} 90 1.00 {flow} {flow} {flow} +40");
            let reading = record(&line).flow_reading();
            if error != 0 || status & 0x80 != 0 {
                prop_assert!(reading.value().is_none());
            } else {
                #[expect(clippy::cast_precision_loss, reason = "below 2 to the 24")]
                let expected = flow as f32;
                prop_assert_eq!(reading.value(), Some(expected));
            }
        }
    }
}
