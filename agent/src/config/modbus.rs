//! The settings of a Modbus source: the line, the slave, and a map from registers to channels. Checked as they are read.

use core::time::Duration;

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::NoData;
use serde::Deserialize;

use super::number::{ModbusRate, TimeoutMillis};
use super::port::{DataBits, LineSettings, Parity, PortAddress, StopBits};
use super::scaling::{self, Scaling, ScalingError, ScalingKeys};

/// Registers between two wanted ones that are read along, when the settings name none: one request costs more than they do.
const GAP_DEFAULT: u16 = 4;

/// Most registers read along; every slave answers so many.
const GAP_MAX: u16 = 32;

/// Wait for an answer when the settings name none: a slow slave on a slow line needs less.
const TIMEOUT_DEFAULT: Duration = Duration::from_millis(250);

/// Most channels of one slave, as many as an agent may have.
const CHANNELS_MAX: usize = 64;

/// A Modbus slave that is read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "ModbusKeys")]
pub struct ModbusSettings {
    /// Where the slave is.
    pub link: PortAddress,
    /// How bits go over the line, if it is one.
    pub line: LineSettings,
    /// Number of the slave.
    pub unit: u8,
    /// Polls a second.
    pub rate_hz: f64,
    /// Wait for an answer.
    pub timeout: Duration,
    /// Unwanted registers between two wanted ones that are read along.
    pub gap: u16,
    /// What is read.
    pub channels: Vec<ModbusChannel>,
}

/// One channel of a slave.
#[derive(Debug, Clone, PartialEq)]
pub struct ModbusChannel {
    /// What is measured.
    pub parameter: Parameter,
    /// Where the value stands.
    pub place: Place,
    /// How registers become a number.
    pub number: Number,
    /// How the number becomes a reading.
    pub scaling: Scaling,
    /// Numbers that are no measurement.
    pub invalid: Vec<Invalid>,
    /// Bits elsewhere that say whether the number is a measurement.
    pub status: Vec<Status>,
    /// Sent when it changes, not at each poll.
    pub on_change: bool,
}

/// A register or bit of a slave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which table.
    pub table: RegisterTable,
    /// Address on the wire, from 0.
    pub register: u16,
}

/// The four tables of a slave. There is one function code that reads each; no other code exists in this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegisterTable {
    /// Coils: function code 1.
    Coil,
    /// Discrete inputs: function code 2.
    Discrete,
    /// Holding registers: function code 3.
    Holding,
    /// Input registers: function code 4.
    Input,
}

impl RegisterTable {
    /// Whether one address is one bit, and not 16.
    #[must_use]
    pub const fn is_bits(self) -> bool {
        matches!(self, Self::Coil | Self::Discrete)
    }
}

/// How registers become a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// A bit of a register, or a coil (bit 0).
    Bit(u8),
    /// 16 bits, unsigned.
    U16,
    /// 16 bits, signed.
    I16,
    /// 32 bits, unsigned.
    U32(WordOrder),
    /// 32 bits, signed.
    I32(WordOrder),
    /// A float of 32 bits.
    F32(WordOrder),
}

impl Number {
    /// Registers that it takes.
    #[must_use]
    pub const fn registers(self) -> u16 {
        match self {
            Self::Bit(_) | Self::U16 | Self::I16 => 1,
            Self::U32(_) | Self::I32(_) | Self::F32(_) => 2,
        }
    }
}

/// Which half of 32 bits stands in the first register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WordOrder {
    /// The high half, as the standard does.
    HighFirst,
    /// The low half.
    LowFirst,
}

/// A number that is no measurement.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invalid {
    /// The number before it is scaled.
    pub raw: f64,
    /// What it stands for.
    #[serde(deserialize_with = "scaling::reason")]
    pub means: NoData,
}

/// A bit that says whether a number is a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Where the bit stands.
    pub place: Place,
    /// Which bit.
    pub bit: u8,
    /// The state that says something.
    pub when: bool,
    /// What it says; `None`: the value is doubted.
    pub means: Option<NoData>,
}

/// Why a map is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ModbusError {
    /// No channel, or too many.
    #[error("{0} channels: use 1 to {CHANNELS_MAX} [[source.channel]] tables")]
    Channels(usize),
    /// A slave's number.
    #[error("unit {0} is no slave: use 1 to 247; over TCP 0 and 255 are allowed too")]
    Unit(u8),
    /// A gap.
    #[error("gap {0} is too wide: use 0 to {GAP_MAX}")]
    Gap(u16),
    /// A speed.
    #[error(
        "{0} baud is no speed of a serial line: use 1200 to 115200, and name it for a serial line"
    )]
    Baud(u32),
    /// Stop bits.
    #[error("{0} stop bits: use 1 or 2")]
    StopBits(u8),
    /// Serial keys with a TCP link.
    #[error("baud, parity and stop_bits are for a serial line: remove them")]
    LineOfTcp,
    /// A type and its keys do not go together.
    #[error("{parameter}: {problem}")]
    Number {
        /// The channel.
        parameter: &'static str,
        /// What to do.
        problem: &'static str,
    },
    /// Status bits.
    #[error("status of {parameter}: {problem}")]
    Status {
        /// The channel.
        parameter: &'static str,
        /// What to do.
        problem: String,
    },
    /// Scale, unit, range.
    #[error(transparent)]
    Scaling(#[from] ScalingError),
}

/// The keys as they stand in the settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModbusKeys {
    #[serde(deserialize_with = "super::from_text")]
    link: PortAddress,
    baud: Option<u32>,
    parity: Option<Parity>,
    stop_bits: Option<u8>,
    #[serde(default = "one")]
    unit: u8,
    rate_hz: ModbusRate,
    timeout_ms: Option<TimeoutMillis>,
    gap: Option<u16>,
    #[serde(rename = "channel")]
    channels: Vec<ChannelKeys>,
}

const fn one() -> u8 {
    1
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelKeys {
    #[serde(deserialize_with = "scaling::parameter")]
    parameter: Parameter,
    register: u16,
    #[serde(rename = "function", default = "holding")]
    table: RegisterTable,
    #[serde(rename = "type")]
    kind: Option<NumberKind>,
    words: Option<WordOrder>,
    bit: Option<u8>,
    scale: Option<f64>,
    offset: Option<f64>,
    unit: Option<String>,
    gain: Option<f64>,
    zero: Option<f64>,
    range: Option<[f64; 2]>,
    #[serde(default)]
    invalid: Vec<Invalid>,
    #[serde(default)]
    status: Vec<StatusKeys>,
    #[serde(default)]
    on_change: bool,
}

const fn holding() -> RegisterTable {
    RegisterTable::Holding
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum NumberKind {
    U16,
    I16,
    U32,
    I32,
    F32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusKeys {
    register: u16,
    #[serde(rename = "function")]
    table: Option<RegisterTable>,
    #[serde(default)]
    bit: u8,
    #[serde(default = "set")]
    when: bool,
    means: String,
}

const fn set() -> bool {
    true
}

impl TryFrom<ModbusKeys> for ModbusSettings {
    type Error = ModbusError;

    fn try_from(keys: ModbusKeys) -> Result<Self, ModbusError> {
        let line = line(&keys)?;
        let is_tcp = matches!(keys.link, PortAddress::Tcp(_));
        if !((1..=247).contains(&keys.unit) || is_tcp && matches!(keys.unit, 0 | 255)) {
            return Err(ModbusError::Unit(keys.unit));
        }
        let gap = keys.gap.unwrap_or(GAP_DEFAULT);
        if gap > GAP_MAX {
            return Err(ModbusError::Gap(gap));
        }
        if keys.channels.is_empty() || keys.channels.len() > CHANNELS_MAX {
            return Err(ModbusError::Channels(keys.channels.len()));
        }
        let channels = keys.channels.into_iter().map(channel).collect::<Result<_, _>>()?;
        Ok(Self {
            link: keys.link,
            line,
            unit: keys.unit,
            rate_hz: keys.rate_hz.get(),
            timeout: keys.timeout_ms.map_or(TIMEOUT_DEFAULT, TimeoutMillis::duration),
            gap,
            channels,
        })
    }
}

fn line(keys: &ModbusKeys) -> Result<LineSettings, ModbusError> {
    let is_tcp = matches!(keys.link, PortAddress::Tcp(_));
    if is_tcp && (keys.baud.is_some() || keys.parity.is_some() || keys.stop_bits.is_some()) {
        return Err(ModbusError::LineOfTcp);
    }
    let baud = keys.baud.unwrap_or(if is_tcp { 9600 } else { 0 });
    if !(1200..=115_200).contains(&baud) {
        return Err(ModbusError::Baud(baud));
    }
    let stop_bits = match keys.stop_bits {
        None | Some(1) => StopBits::One,
        Some(2) => StopBits::Two,
        Some(other) => return Err(ModbusError::StopBits(other)),
    };
    let parity = keys.parity.unwrap_or(Parity::Even);
    Ok(LineSettings { baud, data_bits: DataBits::Eight, parity, stop_bits })
}

fn channel(keys: ChannelKeys) -> Result<ModbusChannel, ModbusError> {
    let parameter = keys.parameter;
    let place = Place { table: keys.table, register: keys.register };
    let number = number(&keys)?;
    if number.registers() == 2 && keys.register == u16::MAX {
        let problem = "two registers from 65535 on do not exist";
        return Err(ModbusError::Number { parameter: parameter.info().id, problem });
    }
    let scaling = Scaling::new(
        parameter,
        &ScalingKeys {
            scale: keys.scale,
            offset: keys.offset,
            unit: keys.unit.as_deref(),
            gain: keys.gain,
            zero: keys.zero,
            range: keys.range,
        },
    )?;
    let status = keys.status.into_iter().map(|status| self::status(parameter, keys.table, &status));
    let status = status.collect::<Result<_, _>>()?;
    let (invalid, on_change) = (keys.invalid, keys.on_change);
    Ok(ModbusChannel { parameter, place, number, scaling, invalid, status, on_change })
}

fn number(keys: &ChannelKeys) -> Result<Number, ModbusError> {
    let wrong = |problem| ModbusError::Number { parameter: keys.parameter.info().id, problem };
    let words = keys.words.unwrap_or(WordOrder::HighFirst);
    if keys.table.is_bits() {
        return match (keys.kind, keys.bit, keys.words) {
            (None, None, None) => Ok(Number::Bit(0)),
            _ => Err(wrong("a coil is one bit: remove type, bit and words")),
        };
    }
    match (keys.kind, keys.bit) {
        (None, Some(bit @ 0..=15)) => Ok(Number::Bit(bit)),
        (None, Some(_)) => Err(wrong("a register has the bits 0 to 15")),
        (None, None) => Err(wrong("add type = \"u16\", i16, u32, i32 or f32, or bit = 0 to 15")),
        (Some(_), Some(_)) => Err(wrong("type and bit exclude each other: remove one")),
        (Some(NumberKind::U16 | NumberKind::I16), None) if keys.words.is_some() => {
            Err(wrong("words is for types of 32 bits: remove it"))
        }
        (Some(NumberKind::U16), None) => Ok(Number::U16),
        (Some(NumberKind::I16), None) => Ok(Number::I16),
        (Some(NumberKind::U32), None) => Ok(Number::U32(words)),
        (Some(NumberKind::I32), None) => Ok(Number::I32(words)),
        (Some(NumberKind::F32), None) => Ok(Number::F32(words)),
    }
}

fn status(
    parameter: Parameter,
    own: RegisterTable,
    keys: &StatusKeys,
) -> Result<Status, ModbusError> {
    let wrong = |problem| ModbusError::Status { parameter: parameter.info().id, problem };
    let table = keys.table.unwrap_or(own);
    if keys.bit > 15 || table.is_bits() && keys.bit > 0 {
        return Err(wrong(format!("bit {} does not exist: use 0 to 15, 0 for a coil", keys.bit)));
    }
    let means = match (keys.means.as_str(), NoData::from_word(&keys.means)) {
        ("questionable", _) => None,
        (_, Some(reason)) => Some(reason),
        (word, None) => {
            let words = NoData::WORDS.map(|(word, _)| word).join(", ");
            return Err(wrong(format!("means = {word:?}: use questionable, {words}")));
        }
    };
    let place = Place { table, register: keys.register };
    Ok(Status { place, bit: keys.bit, when: keys.when, means })
}
