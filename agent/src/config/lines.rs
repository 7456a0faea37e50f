//! The settings of a line source: where lines come from, at which rate, and what their columns are. Checked as they are read.

use std::path::Path;

use ecmo_core::parameter::Parameter;
use serde::Deserialize;

use super::number::{PlaySpeed, Rate};
use super::port::PortAddress;
use super::scaling::{self, Scaling, ScalingError, ScalingKeys};
use super::source::AtEnd;

/// Most channels of one source, as many as an agent may have.
const CHANNELS_MAX: usize = 64;

/// Fastest pace, in rows a second.
const RATE_MAX_HZ: f64 = 1000.0;

/// A file, FIFO or TCP server that delivers one set of readings a line.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "LinesKeys")]
pub struct LinesSettings {
    /// Where lines come from.
    pub from: PortAddress,
    /// Lines a second.
    pub rate_hz: f64,
    /// How many times faster than life; `None`: lines count as they come.
    pub speed: Option<f64>,
    /// What happens after the last line of a file.
    pub at_end: AtEnd,
    /// Whether the samples are a patient's; `None`: all but those of a file are.
    pub is_measured: Option<bool>,
    /// Columns of a stream that sends no header.
    pub header: Option<Vec<String>>,
    /// What is read.
    pub channels: Vec<LineChannel>,
}

/// One channel.
#[derive(Debug, Clone, PartialEq)]
pub struct LineChannel {
    /// What is measured.
    pub parameter: Parameter,
    /// Name of the column or key.
    pub column: String,
    /// How the number becomes a reading.
    pub scaling: Scaling,
    /// Samples a second where the channel is slower than the lines; an empty cell is then no statement.
    pub rate_hz: Option<f64>,
    /// Sent when it changes, not with each line.
    pub on_change: bool,
}

/// Why such settings are refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LinesError {
    /// No channel, or too many.
    #[error("{0} channels: use 1 to {CHANNELS_MAX} [[source.channel]] tables")]
    Channels(usize),
    /// Two channels of one column.
    #[error("column {0:?} stands twice: remove one [[source.channel]]")]
    Repeated(String),
    /// Too fast.
    #[error("{0} lines a second: rate_hz times speed may be {RATE_MAX_HZ} at most")]
    TooFast(f64),
    /// A header without a channel.
    #[error("header names no column of a [[source.channel]]")]
    Header,
    /// Scale, unit, range.
    #[error(transparent)]
    Scaling(#[from] ScalingError),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinesKeys {
    #[serde(deserialize_with = "super::from_text")]
    from: PortAddress,
    rate_hz: Rate,
    speed: Option<PlaySpeed>,
    #[serde(rename = "loop", default)]
    is_looped: bool,
    #[serde(rename = "measured")]
    is_measured: Option<bool>,
    header: Option<Vec<String>>,
    #[serde(rename = "channel")]
    channels: Vec<ChannelKeys>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelKeys {
    #[serde(deserialize_with = "scaling::parameter")]
    parameter: Parameter,
    column: Option<String>,
    rate_hz: Option<Rate>,
    scale: Option<f64>,
    offset: Option<f64>,
    unit: Option<String>,
    gain: Option<f64>,
    zero: Option<f64>,
    range: Option<[f64; 2]>,
    #[serde(default)]
    on_change: bool,
}

impl LinesSettings {
    /// Lets a relative path count from a folder.
    pub(super) fn in_folder(&mut self, folder: &Path) {
        if let PortAddress::Serial(path) = &mut self.from {
            *path = folder.join(&path);
        }
    }
}

impl TryFrom<LinesKeys> for LinesSettings {
    type Error = LinesError;

    fn try_from(keys: LinesKeys) -> Result<Self, LinesError> {
        let count = keys.channels.len();
        if count == 0 || count > CHANNELS_MAX {
            return Err(LinesError::Channels(count));
        }
        let (rate_hz, speed) = (keys.rate_hz.get(), keys.speed.map(PlaySpeed::get));
        let pace = rate_hz * speed.unwrap_or(1.0);
        if pace > RATE_MAX_HZ {
            return Err(LinesError::TooFast(pace));
        }
        let mut channels = Vec::<LineChannel>::new();
        for keys in keys.channels {
            let channel = channel(keys)?;
            if channels.iter().any(|other| other.column == channel.column) {
                return Err(LinesError::Repeated(channel.column));
            }
            channels.push(channel);
        }
        let is_known = |name: &String| channels.iter().any(|channel| channel.column == *name);
        if keys.header.as_ref().is_some_and(|names| !names.iter().any(is_known)) {
            return Err(LinesError::Header);
        }
        let at_end = if keys.is_looped { AtEnd::Loop } else { AtEnd::Stop };
        Ok(Self {
            from: keys.from,
            rate_hz,
            speed,
            at_end,
            is_measured: keys.is_measured,
            header: keys.header,
            channels,
        })
    }
}

fn channel(keys: ChannelKeys) -> Result<LineChannel, ScalingError> {
    let scaling = Scaling::new(
        keys.parameter,
        &ScalingKeys {
            scale: keys.scale,
            offset: keys.offset,
            unit: keys.unit.as_deref(),
            gain: keys.gain,
            zero: keys.zero,
            range: keys.range,
        },
    )?;
    Ok(LineChannel {
        parameter: keys.parameter,
        column: keys.column.unwrap_or_else(|| keys.parameter.info().id.to_owned()),
        scaling,
        rate_hz: keys.rate_hz.map(Rate::get),
        on_change: keys.on_change,
    })
}
