//! The settings of a Terumo CDI 550: its line, its format, and which of its quantities are published.

use core::time::Duration;
use std::collections::BTreeMap;

use ecmo_core::parameter::Parameter;
use serde::Deserialize;

use super::port::{DataBits, LineSettings, Parity, PortAddress, StopBits};

/// Speed of the line when the settings name none, in bits per second.
const BAUD_DEFAULT: u32 = 9600;

/// Least and greatest output interval, in seconds: the monitor's least, and what an alarm for silence can wait for.
const INTERVAL_S: core::ops::RangeInclusive<f64> = 6.0..=600.0;

/// Output interval when the settings name none, in seconds: the monitor's least.
const INTERVAL_DEFAULT_S: f64 = 6.0;

/// Most columns of a line of text.
const COLUMNS_MAX: usize = 64;

/// Sign of a column that is left out.
const LEFT_OUT: &str = "-";

/// Unit of each field of a packet, by its index; `None` for quantities that no parameter exists for.
const FIELD_UNITS: [Option<&str>; 18] = [
    Some("[pH]"),
    Some("mm[Hg]"),
    Some("mm[Hg]"),
    Some("Cel"),
    Some("%"),
    None,
    None,
    None,
    None,
    Some("[pH]"),
    Some("mm[Hg]"),
    Some("mm[Hg]"),
    Some("Cel"),
    Some("%"),
    None,
    None,
    Some("%"),
    Some("g/dL"),
];

/// Which parameter each field of a packet is when the settings say nothing: the arterial side is the return line of the
/// circuit, the venous side its drainage line.
const FIELDS_DEFAULT: &[(u8, Parameter)] = &[
    (0x00, Parameter::PhPost),
    (0x01, Parameter::Pco2Post),
    (0x02, Parameter::Po2Post),
    (0x03, Parameter::TempReturn),
    (0x04, Parameter::SatPost),
    (0x0A, Parameter::Pco2Pre),
    (0x0B, Parameter::Po2Pre),
    (0x0C, Parameter::TempDrain),
    (0x0D, Parameter::SatDrain),
    (0x10, Parameter::Hct),
    (0x11, Parameter::Hb),
];

/// A Terumo CDI 550.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "CdiKeys")]
pub struct CdiSettings {
    /// Where it is connected.
    pub port: PortAddress,
    /// Its line.
    pub line: LineSettings,
    /// What it sends.
    pub format: CdiFormat,
    /// Time between two lines or packets, as set at the monitor, or at which it is asked.
    pub interval: Duration,
    /// Unit of its gas pressures.
    pub gas_unit: GasUnit,
}

/// What the monitor sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CdiFormat {
    /// Packets with a check sum.
    Packet {
        /// Index of a field, and which parameter it is.
        fields: Vec<(u8, Parameter)>,
        /// Whether packets are answered.
        reply: Reply,
    },
    /// Lines of text without a check sum.
    Ascii {
        /// Which parameter each column is; `None` for a column that is left out.
        columns: Vec<Option<Parameter>>,
        /// Whether the monitor is asked for each line.
        ask: Asking,
    },
}

impl CdiFormat {
    /// The parameters that are published, in the order of the channels.
    #[must_use]
    pub fn parameters(&self) -> Vec<Parameter> {
        match self {
            Self::Packet { fields, .. } => fields.iter().map(|(_, parameter)| *parameter).collect(),
            Self::Ascii { columns, .. } => columns.iter().copied().flatten().collect(),
        }
    }

    /// Whether anything is sent to the monitor.
    #[must_use]
    pub const fn sends(&self) -> bool {
        match self {
            Self::Packet { reply, .. } => matches!(reply, Reply::Acknowledge),
            Self::Ascii { ask, .. } => matches!(ask, Asking::EachLine),
        }
    }
}

/// Whether packets are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// Never: the port is opened for reading only.
    Never,
    /// Each is acknowledged, or refused so that it is sent again.
    Acknowledge,
}

/// Whether the monitor is asked for lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// It sends by itself: the port is opened for reading only.
    Never,
    /// Each line is asked for.
    EachLine,
}

/// Unit of gas pressures, as chosen at the monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum GasUnit {
    /// Millimetres of mercury.
    #[default]
    #[serde(rename = "mmHg")]
    MmHg,
    /// Kilopascal.
    #[serde(rename = "kPa")]
    KPa,
}

/// Why a monitor's settings are refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CdiError {
    /// A baud rate that no such line has.
    #[error("{0} is no speed of this line: use 1200 to 115200")]
    Baud(u32),
    /// Neither one nor two stop bits, or neither seven nor eight data bits.
    #[error("{0} is no number of {1}")]
    Bits(u8, &'static str),
    /// An interval that the monitor does not have.
    #[error("{0} s is no output interval: use 6 to 600, as set at the monitor (0.1 min are 6 s)")]
    Interval(f64),
    /// No parameter of that id.
    #[error("{0:?} is no parameter id: use ids such as sat.drain")]
    Unknown(String),
    /// One parameter twice.
    #[error("{0} stands twice: remove one")]
    Repeated(&'static str),
    /// A field that is none.
    #[error("{0:?} is no field of the packet: use 00 to 11, in hexadecimal digits")]
    Field(String),
    /// A parameter of another unit than the field.
    #[error("field {field:02X} cannot be {parameter}: the units differ, or no parameter exists")]
    Unit {
        /// Index of the field.
        field: u8,
        /// Id of the parameter.
        parameter: &'static str,
    },
    /// A parameter in a unit that the monitor does not have.
    #[error("a CDI 550 does not measure {0}: remove it")]
    Foreign(&'static str),
    /// Nothing to publish, or far too much.
    #[error("{0} columns: name 1 to {COLUMNS_MAX}, and one parameter at least")]
    Columns(usize),
    /// Lines of text without the order of their columns.
    #[error(
        "the order of the columns is not public: write columns = [\"-\", \"ph.post\", …] as the header of your monitor \
         has them, with \"-\" for each one to leave out"
    )]
    ColumnsMissing,
    /// A key of the other mode.
    #[error("{0} belongs to mode = \"{1}\": remove it")]
    OtherMode(&'static str, &'static str),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CdiKeys {
    #[serde(deserialize_with = "super::from_text")]
    port: PortAddress,
    mode: Mode,
    baud: Option<u32>,
    data_bits: Option<u8>,
    parity: Option<Parity>,
    stop_bits: Option<u8>,
    interval_s: Option<f64>,
    #[serde(default)]
    gas_unit: GasUnit,
    reply: Option<bool>,
    channels: Option<BTreeMap<String, String>>,
    request: Option<bool>,
    columns: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    Packet,
    Ascii,
}

impl TryFrom<CdiKeys> for CdiSettings {
    type Error = CdiError;

    fn try_from(keys: CdiKeys) -> Result<Self, CdiError> {
        let line = line(&keys)?;
        let seconds = keys.interval_s.unwrap_or(INTERVAL_DEFAULT_S);
        if !INTERVAL_S.contains(&seconds) {
            return Err(CdiError::Interval(seconds));
        }
        let format = match keys.mode {
            Mode::Packet => packet(&keys)?,
            Mode::Ascii => ascii(&keys)?,
        };
        let parameters = format.parameters();
        if parameters.is_empty() {
            return Err(CdiError::Columns(0));
        }
        for (index, parameter) in parameters.iter().enumerate() {
            if parameters.iter().skip(index + 1).any(|other| other == parameter) {
                return Err(CdiError::Repeated(parameter.info().id));
            }
        }
        Ok(Self {
            port: keys.port,
            line,
            format,
            interval: Duration::from_secs_f64(seconds),
            gas_unit: keys.gas_unit,
        })
    }
}

fn line(keys: &CdiKeys) -> Result<LineSettings, CdiError> {
    let baud = keys.baud.unwrap_or(BAUD_DEFAULT);
    if !(1200..=115_200).contains(&baud) {
        return Err(CdiError::Baud(baud));
    }
    let data_bits = match keys.data_bits {
        None | Some(8) => DataBits::Eight,
        Some(7) => DataBits::Seven,
        Some(other) => return Err(CdiError::Bits(other, "data bits: use 7 or 8")),
    };
    let stop_bits = match keys.stop_bits {
        None | Some(1) => StopBits::One,
        Some(2) => StopBits::Two,
        Some(other) => return Err(CdiError::Bits(other, "stop bits: use 1 or 2")),
    };
    let parity = keys.parity.unwrap_or(Parity::None);
    Ok(LineSettings { baud, data_bits, parity, stop_bits })
}

fn packet(keys: &CdiKeys) -> Result<CdiFormat, CdiError> {
    if keys.columns.is_some() {
        return Err(CdiError::OtherMode("columns", "ascii"));
    }
    if keys.request.is_some() {
        return Err(CdiError::OtherMode("request", "ascii"));
    }
    let reply = if keys.reply == Some(true) { Reply::Acknowledge } else { Reply::Never };
    let fields = match &keys.channels {
        None => FIELDS_DEFAULT.to_vec(),
        Some(channels) => channels.iter().map(field).collect::<Result<_, _>>()?,
    };
    Ok(CdiFormat::Packet { fields, reply })
}

/// A field of the map `channels`.
fn field((index, id): (&String, &String)) -> Result<(u8, Parameter), CdiError> {
    let wrong = || CdiError::Field(index.chars().take(64).collect());
    let is_hex = index.len() == 2 && index.bytes().all(|byte| byte.is_ascii_hexdigit());
    let field = u8::from_str_radix(index, 16).ok().filter(|_| is_hex).ok_or_else(wrong)?;
    let unit = FIELD_UNITS.get(usize::from(field)).ok_or_else(wrong)?;
    let parameter = parameter(id)?;
    let info = parameter.info();
    if *unit == Some(info.unit) {
        Ok((field, parameter))
    } else {
        Err(CdiError::Unit { field, parameter: info.id })
    }
}

fn ascii(keys: &CdiKeys) -> Result<CdiFormat, CdiError> {
    if keys.channels.is_some() {
        return Err(CdiError::OtherMode("channels", "packet"));
    }
    if keys.reply.is_some() {
        return Err(CdiError::OtherMode("reply", "packet"));
    }
    let names = keys.columns.as_ref().ok_or(CdiError::ColumnsMissing)?;
    if names.is_empty() || names.len() > COLUMNS_MAX {
        return Err(CdiError::Columns(names.len()));
    }
    let column = |name: &String| {
        if name == LEFT_OUT {
            return Ok(None);
        }
        let parameter = parameter(name)?;
        let is_known = FIELD_UNITS.contains(&Some(parameter.info().unit));
        if is_known { Ok(Some(parameter)) } else { Err(CdiError::Foreign(parameter.info().id)) }
    };
    let columns = names.iter().map(column).collect::<Result<_, _>>()?;
    let ask = if keys.request == Some(true) { Asking::EachLine } else { Asking::Never };
    Ok(CdiFormat::Ascii { columns, ask })
}

fn parameter(id: &str) -> Result<Parameter, CdiError> {
    Parameter::from_id(id).ok_or_else(|| CdiError::Unknown(id.chars().take(64).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(keys: &str) -> Result<CdiSettings, String> {
        let text = format!("port = \"/dev/ttyUSB1\"\n{keys}");
        toml::from_str(&text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_packet_monitor_needs_nothing_but_its_port() {
        let settings = read("mode = \"packet\"").unwrap();
        assert_eq!(settings.line.to_string(), "9600 baud 8N1");
        assert_eq!(settings.interval, Duration::from_secs(6));
        assert_eq!(settings.format.parameters().len(), 11);
        assert!(!settings.format.sends());
        let some = read(
            "mode = \"packet\"\nreply = true\nparity = \"even\"\nchannels = { 04 = \"sat.post\", \"0D\" = \"sat.pre\" }",
        )
        .unwrap();
        assert_eq!(some.format.parameters(), [Parameter::SatPost, Parameter::SatPre]);
        assert!(some.format.sends());
    }

    #[test]
    fn lines_of_text_need_the_order_of_their_columns() {
        let settings =
            read("mode = \"ascii\"\ncolumns = [\"-\", \"sat.drain\", \"hb\"]\nrequest = true")
                .unwrap();
        assert_eq!(settings.format.parameters(), [Parameter::SatDrain, Parameter::Hb]);
        assert!(settings.format.sends());
    }

    #[test]
    fn what_cannot_work_is_refused_and_says_what_to_do() {
        for (keys, words) in [
            ("mode = \"ascii\"", "order of the columns is not public"),
            ("mode = \"ascii\"\ncolumns = [\"-\"]", "one parameter at least"),
            ("mode = \"ascii\"\ncolumns = [\"hb\", \"hb\"]", "stands twice"),
            ("mode = \"ascii\"\ncolumns = [\"flow.blood\"]", "does not measure flow.blood"),
            ("mode = \"ascii\"\ncolumns = [\"sat\"]", "no parameter id"),
            ("mode = \"ascii\"\ncolumns = [\"hb\"]\nreply = true", "belongs to mode"),
            ("mode = \"packet\"\ncolumns = [\"hb\"]", "belongs to mode"),
            ("mode = \"packet\"\nrequest = true", "belongs to mode"),
            ("mode = \"packet\"\nchannels = { 12 = \"hb\" }", "use 00 to 11"),
            ("mode = \"packet\"\nchannels = { 00 = \"hb\" }", "units differ"),
            ("mode = \"packet\"\nchannels = { 05 = \"hb\" }", "no parameter exists"),
            ("mode = \"packet\"\nchannels = {}", "one parameter at least"),
            ("mode = \"packet\"\ninterval_s = 1", "use 6 to 600"),
            ("mode = \"packet\"\ninterval_s = nan", "use 6 to 600"),
            ("mode = \"packet\"\nbaud = 300", "use 1200 to 115200"),
            ("mode = \"packet\"\nstop_bits = 3", "use 1 or 2"),
            ("mode = \"packet\"\ndata_bits = 9", "use 7 or 8"),
            ("mode = \"packets\"", "unknown variant"),
            ("mode = \"packet\"\nfoo = 1", "unknown field"),
        ] {
            let error = read(keys).unwrap_err();
            assert!(error.contains(words), "{keys}: {error}");
        }
    }
}
