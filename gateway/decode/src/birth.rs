//! A birth's bytes into checked channels: which parameters are awaited, and what their samples mean.

use std::time::Duration;

use ecmo_core::case;
use ecmo_core::channel::ChannelSpec;
use ecmo_core::frame::BootId;
use ecmo_core::parameter::Parameter;
use ecmo_proto::v1;
use prost::Message;

use crate::fault::BirthFault;

/// Longest birth, in bytes: 64 channels with long names stay below it.
pub const BIRTH_BYTES_MAX: usize = 64 * 1024;

/// Most channels of a birth.
pub const CHANNELS_MAX: usize = 64;

/// Nominal time between the samples of a channel that cannot be read: its silence is told after the shortest time.
const UNREAD_INTERVAL: Duration = Duration::from_millis(100);

/// Rates of a channel, in samples a second. A slower one could be lost for hours before its silence is told.
const RATE_HZ: std::ops::RangeInclusive<f64> = 0.01..=100_000.0;

/// How often a channel that is sent on change is repeated: its last value may be lost, and silence must be told from it.
const ON_CHANGE_HZ: f64 = 1.0;

/// Longest text taken from a message, in characters: device and channel names are shown, not stored.
const TEXT_CHARS_MAX: usize = 64;

/// A channel that a birth declares and that is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    pub(crate) parameter: Parameter,
    pub(crate) scale: f64,
    pub(crate) offset: f64,
}

/// What the samples of a channel mean to the reader.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Meaning {
    Read(Scale),
    WrongUnit,
    Unreadable,
}

/// A channel that is not read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedChannel {
    /// Its id as sent, shortened.
    pub id: String,
    /// What is wrong with it.
    pub why: String,
    /// The same as a kind.
    pub reason: BirthFault,
}

/// Where samples come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// A sensor on a patient's circuit; also what does not say.
    Measured,
    /// A simulator.
    Simulated,
    /// A recording.
    Replayed,
}

/// What drives the blood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PumpKind {
    /// Not said.
    Unknown,
    /// Centrifugal.
    Centrifugal,
    /// Roller.
    Roller,
}

/// A birth that has been checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Birth {
    /// The agent's run.
    pub boot: BootId,
    /// The channels that are awaited: those that are read, and those of known parameters that cannot be.
    pub channels: Vec<ChannelSpec>,
    /// The channels that are not.
    pub refused: Vec<RefusedChannel>,
    /// Device in words.
    pub device: String,
    /// Version of the agent.
    pub agent_version: String,
    /// Where the samples come from.
    pub source: SourceKind,
    /// What drives the blood.
    pub pump_kind: PumpKind,
    /// Brokers to which every frame goes; 0 when the agent does not say.
    pub paths: u32,
    /// Number of the run among the runs of this pump; 0 when the agent keeps none.
    pub boot_number: u64,
    scales: Vec<Meaning>,
}

impl Birth {
    /// What drives the blood, as rules name it; `None` when the birth does not say.
    #[must_use]
    pub const fn case_kind(&self) -> Option<case::PumpKind> {
        match self.pump_kind {
            PumpKind::Unknown => None,
            PumpKind::Centrifugal => Some(case::PumpKind::Centrifugal),
            PumpKind::Roller => Some(case::PumpKind::Roller),
        }
    }

    /// What the samples of the channel at a place of the birth's list mean.
    pub(crate) fn meaning(&self, channel: u32) -> Meaning {
        let place = usize::try_from(channel).unwrap_or(usize::MAX);
        self.scales.get(place).copied().unwrap_or(Meaning::Unreadable)
    }
}

/// Shortens a text that a stranger sent and takes out what a terminal would obey.
#[must_use]
pub fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_CHARS_MAX).collect()
}

/// Checks a birth.
///
/// # Errors
/// Too long, no birth, of another pump than its topic, without a boot, or with too many channels.
pub fn birth(payload: &[u8], pump: &str) -> Result<Birth, BirthFault> {
    if payload.len() > BIRTH_BYTES_MAX {
        return Err(BirthFault::Oversize);
    }
    let wire = v1::Birth::decode(payload).map_err(|_no_birth| BirthFault::Decode)?;
    read_birth(&wire, pump)
}

/// Checks a birth that is decoded already, such as the one in a backfill.
///
/// # Errors
/// Of another pump than expected, without a boot, or with too many channels.
pub fn read_birth(wire: &v1::Birth, pump: &str) -> Result<Birth, BirthFault> {
    if wire.pump != pump {
        return Err(BirthFault::Identity);
    }
    let boot = BootId::new(wire.boot_id).ok_or(BirthFault::Boot)?;
    if wire.channels.len() > CHANNELS_MAX {
        return Err(BirthFault::Channel);
    }
    let mut channels: Vec<ChannelSpec> = Vec::with_capacity(wire.channels.len());
    let mut refused = Vec::new();
    let mut scales = Vec::with_capacity(wire.channels.len());
    for channel in &wire.channels {
        let known =
            |parameter| channels.iter().any(|known: &ChannelSpec| known.parameter == parameter);
        let taken = channel_of(channel).and_then(|(spec, scale)| {
            if known(spec.parameter) {
                Err(Unread::new(BirthFault::Channel, "declared twice", None))
            } else {
                Ok((spec, scale))
            }
        });
        match taken {
            Ok((spec, scale)) => {
                channels.push(spec);
                scales.push(Meaning::Read(scale));
            }
            Err(unread) => {
                scales.push(unread.meaning());
                // Its samples are awaited although they cannot be read: a limit that is no longer judged must not be
                // silent about it, so the channel falls silent and its sensor counts as failed.
                let unheard = unread.parameter.filter(|parameter| !known(*parameter));
                channels.extend(
                    unheard.map(|parameter| ChannelSpec {
                        parameter,
                        interval: Some(UNREAD_INTERVAL),
                    }),
                );
                refused.push(RefusedChannel {
                    id: shorten(&channel.id),
                    why: unread.why,
                    reason: unread.reason,
                });
            }
        }
    }
    Ok(Birth {
        boot,
        channels,
        refused,
        device: shorten(&wire.device),
        agent_version: shorten(&wire.agent_version),
        source: match wire.source() {
            v1::SourceKind::Simulated => SourceKind::Simulated,
            v1::SourceKind::Replayed => SourceKind::Replayed,
            v1::SourceKind::Measured | v1::SourceKind::Unspecified => SourceKind::Measured,
        },
        pump_kind: match wire.pump_kind() {
            v1::PumpKind::Centrifugal => PumpKind::Centrifugal,
            v1::PumpKind::Roller => PumpKind::Roller,
            v1::PumpKind::Unspecified => PumpKind::Unknown,
        },
        paths: wire.paths,
        boot_number: wire.boot_number,
        scales,
    })
}

/// Checks one channel of a birth; the error says what is wrong with it, for people, and which parameter is not read.
fn channel_of(channel: &v1::Channel) -> Result<(ChannelSpec, Scale), Unread> {
    let parameter = Parameter::from_id(&channel.id)
        .ok_or_else(|| Unread::new(BirthFault::Channel, "unknown parameter", None))?;
    let unread = |reason, why: &str| Unread::new(reason, why, Some(parameter));
    let unit = parameter.info().unit;
    if channel.unit != unit {
        let why = format!("unit {}, expected {unit}", shorten(&channel.unit));
        return Err(unread(BirthFault::Unit, &why));
    }
    if !(channel.scale.is_finite() && channel.scale > 0.0 && channel.offset.is_finite()) {
        let why = "scale must be above 0 and finite, offset finite";
        return Err(unread(BirthFault::Range, why));
    }
    let rate_hz = if channel.rate_hz == 0.0 { ON_CHANGE_HZ } else { channel.rate_hz };
    if !RATE_HZ.contains(&rate_hz) {
        let why = "rate must be 0 (on change, and once a second) or 0.01 to 100000 Hz";
        return Err(unread(BirthFault::Range, why));
    }
    let interval = Some(Duration::try_from_secs_f64(1.0 / rate_hz).unwrap_or(Duration::MAX));
    let scale = Scale { parameter, scale: channel.scale, offset: channel.offset };
    Ok((ChannelSpec { parameter, interval }, scale))
}

/// Why a channel is not read.
struct Unread {
    reason: BirthFault,
    why: String,
    parameter: Option<Parameter>,
}

impl Unread {
    fn new(reason: BirthFault, why: &str, parameter: Option<Parameter>) -> Self {
        Self { reason, why: why.to_owned(), parameter }
    }

    fn meaning(&self) -> Meaning {
        if self.reason == BirthFault::Unit { Meaning::WrongUnit } else { Meaning::Unreadable }
    }
}
