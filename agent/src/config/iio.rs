//! The settings of a Linux IIO converter: which device, sysfs or buffer, and which inputs are what. Checked as they are read.

use std::path::PathBuf;

use ecmo_core::parameter::Parameter;
use serde::Deserialize;

use super::number::Rate;
use super::scaling::{self, Scaling, ScalingError, ScalingKeys};

/// Most inputs of one converter that are sampled.
const CHANNELS_MAX: usize = 16;

/// Samples in the kernel's buffer when the settings name no number: the reader may be late by half of them.
const LENGTH_DEFAULT: u32 = 256;

/// Longest buffer: more is memory for data that is too old to be live.
const LENGTH_MAX: u32 = 65_536;

/// A converter.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "IioKeys")]
pub struct IioSettings {
    /// Where `sys` and `dev` are; `/` but in tests.
    pub root: PathBuf,
    /// The device: its number (`iio:device0`) or the name that its driver gives it.
    pub device: String,
    /// How samples are read.
    pub mode: IioMode,
    /// Samples a second and input.
    pub rate_hz: f64,
    /// What is sampled.
    pub channels: Vec<IioChannel>,
}

/// How samples are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IioMode {
    /// One file an input, read at each tick of the agent.
    Sysfs,
    /// The kernel samples into a buffer.
    Buffer {
        /// Samples that the kernel keeps.
        length: u32,
        /// What makes the kernel sample; `None`: the device's own.
        trigger: Option<String>,
    },
}

/// One input of a converter.
#[derive(Debug, Clone, PartialEq)]
pub struct IioChannel {
    /// What is measured.
    pub parameter: Parameter,
    /// The input as the kernel names it, such as `in_voltage0`.
    pub input: String,
    /// From the kernel's millivolts (raw plus offset, times scale) to a reading.
    pub scaling: Scaling,
}

/// Why such settings are refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum IioError {
    /// No channel, or too many.
    #[error("{0} channels: use 1 to {CHANNELS_MAX} [[source.channel]] tables")]
    Channels(usize),
    /// A name that would leave the device's folder.
    #[error("{0:?} is no {1}: use letters, digits, '_', '-', ':', '.'")]
    Name(String, &'static str),
    /// One input twice.
    #[error("input {0:?} stands twice: remove one")]
    Repeated(String),
    /// Keys of the other mode.
    #[error("length and trigger are for mode = \"buffer\": remove them")]
    Mode,
    /// A buffer without room, or far too much.
    #[error("length {0} is no buffer: use 2 to {LENGTH_MAX}")]
    Length(u32),
    /// Scale, unit, range.
    #[error(transparent)]
    Scaling(#[from] ScalingError),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IioKeys {
    #[serde(default = "root")]
    root: PathBuf,
    device: String,
    mode: ModeKey,
    rate_hz: Rate,
    length: Option<u32>,
    trigger: Option<String>,
    #[serde(rename = "channel")]
    channels: Vec<ChannelKeys>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ModeKey {
    Sysfs,
    Buffer,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelKeys {
    #[serde(deserialize_with = "scaling::parameter")]
    parameter: Parameter,
    input: String,
    scale: Option<f64>,
    offset: Option<f64>,
    unit: Option<String>,
    gain: Option<f64>,
    zero: Option<f64>,
    range: Option<[f64; 2]>,
}

fn root() -> PathBuf {
    PathBuf::from("/")
}

/// A name that is one part of a path, and not the one above.
fn name(name: &str, what: &'static str) -> Result<(), IioError> {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-:.".contains(&byte));
    if name.is_empty() || !is_plain || name.starts_with('.') {
        return Err(IioError::Name(name.to_owned(), what));
    }
    Ok(())
}

impl TryFrom<IioKeys> for IioSettings {
    type Error = IioError;

    fn try_from(keys: IioKeys) -> Result<Self, IioError> {
        let count = keys.channels.len();
        if count == 0 || count > CHANNELS_MAX {
            return Err(IioError::Channels(count));
        }
        name(&keys.device, "device")?;
        let mode = match keys.mode {
            ModeKey::Sysfs if keys.length.is_some() || keys.trigger.is_some() => {
                return Err(IioError::Mode);
            }
            ModeKey::Sysfs => IioMode::Sysfs,
            ModeKey::Buffer => {
                let length = keys.length.unwrap_or(LENGTH_DEFAULT);
                if !(2..=LENGTH_MAX).contains(&length) {
                    return Err(IioError::Length(length));
                }
                if let Some(trigger) = &keys.trigger {
                    name(trigger, "trigger")?;
                }
                IioMode::Buffer { length, trigger: keys.trigger }
            }
        };
        let mut channels = Vec::<IioChannel>::new();
        for keys in keys.channels {
            name(&keys.input, "input")?;
            if channels.iter().any(|other| other.input == keys.input) {
                return Err(IioError::Repeated(keys.input));
            }
            channels.push(channel(keys)?);
        }
        let (root, device, rate_hz) = (keys.root, keys.device, keys.rate_hz.get());
        Ok(Self { root, device, mode, rate_hz, channels })
    }
}

fn channel(keys: ChannelKeys) -> Result<IioChannel, ScalingError> {
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
    Ok(IioChannel { parameter: keys.parameter, input: keys.input, scaling })
}
