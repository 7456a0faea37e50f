//! Bytes into a checked birth, status, heartbeat or frame, or a counted refusal. Generated messages do not pass this file.

mod heartbeat;

use std::time::Duration;

use ecmo_core::channel::ChannelSpec;
use ecmo_core::frame::{BootId, Frame, FrameStamp};
use ecmo_core::parameter::Parameter;
use ecmo_core::pump::Presence;
use ecmo_core::reading::{NoData, Reading};
use ecmo_core::time::{Instant, SampleTime};
use ecmo_proto::sealed::{self, SealError};
use ecmo_proto::v1;
use prost::Message;

use crate::metrics::{BirthRejected, FrameRejected, SampleInvalid, StatusRejected};

pub use heartbeat::{AgentCounts, Echo, Heartbeat, HeartbeatRejected, heartbeat};

/// Longest birth, in bytes: 64 channels with long names stay below it.
pub const BIRTH_BYTES_MAX: usize = 64 * 1024;

/// Longest status, in bytes.
pub const STATUS_BYTES_MAX: usize = 1024;

/// Most channels of a birth.
pub const CHANNELS_MAX: usize = 64;

/// Most samples of one block: 20 ms at 1 kHz is 20; an agent that was held up for a second still fits.
pub const BLOCK_SAMPLES_MAX: usize = 1_000;

/// Nominal time between the samples of a channel that cannot be read: its silence is told after the shortest time.
const UNREAD_INTERVAL: Duration = Duration::from_millis(100);

/// Rates of a channel, in samples a second. A slower one could be lost for hours before its silence is told.
const RATE_HZ: std::ops::RangeInclusive<f64> = 0.01..=100_000.0;

/// How often a channel that is sent on change is repeated: its last value may be lost, and silence must be told from it.
const ON_CHANGE_HZ: f64 = 1.0;

/// Longest text taken from a message, in characters: device and channel names are shown, not stored.
const TEXT_CHARS_MAX: usize = 64;

/// A channel that a birth declares and the gateway reads.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scale {
    parameter: Parameter,
    scale: f64,
    offset: f64,
}

/// What the samples of a channel mean to the gateway.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Meaning {
    Read(Scale),
    WrongUnit,
    Unreadable,
}

/// A channel that the gateway does not read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedChannel {
    /// Its id as sent, shortened.
    pub id: String,
    /// What is wrong with it.
    pub why: String,
    /// The same as a label.
    pub reason: BirthRejected,
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

/// Shortens a text that a stranger sent and takes out what a terminal would obey.
fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_CHARS_MAX).collect()
}

/// Checks a birth.
///
/// # Errors
/// Too long, no birth, of another pump than its topic, without a boot, or with too many channels.
pub fn birth(payload: &[u8], pump: &str) -> Result<Birth, BirthRejected> {
    if payload.len() > BIRTH_BYTES_MAX {
        return Err(BirthRejected::Oversize);
    }
    let wire = v1::Birth::decode(payload).map_err(|_no_birth| BirthRejected::Decode)?;
    if wire.pump != pump {
        return Err(BirthRejected::Identity);
    }
    let boot = BootId::new(wire.boot_id).ok_or(BirthRejected::Boot)?;
    if wire.channels.len() > CHANNELS_MAX {
        return Err(BirthRejected::Channel);
    }
    let mut channels: Vec<ChannelSpec> = Vec::with_capacity(wire.channels.len());
    let mut refused = Vec::new();
    let mut scales = Vec::with_capacity(wire.channels.len());
    for channel in &wire.channels {
        let known =
            |parameter| channels.iter().any(|known: &ChannelSpec| known.parameter == parameter);
        let taken = channel_of(channel).and_then(|(spec, scale)| {
            if known(spec.parameter) {
                Err(Unread::new(BirthRejected::Channel, "declared twice", None))
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
        .ok_or_else(|| Unread::new(BirthRejected::Channel, "unknown parameter", None))?;
    let unread = |reason, why: &str| Unread::new(reason, why, Some(parameter));
    let unit = parameter.info().unit;
    if channel.unit != unit {
        let why = format!("unit {}, expected {unit}", shorten(&channel.unit));
        return Err(unread(BirthRejected::Unit, &why));
    }
    if !(channel.scale.is_finite() && channel.scale > 0.0 && channel.offset.is_finite()) {
        let why = "scale must be above 0 and finite, offset finite";
        return Err(unread(BirthRejected::Range, why));
    }
    let rate_hz = if channel.rate_hz == 0.0 { ON_CHANGE_HZ } else { channel.rate_hz };
    if !RATE_HZ.contains(&rate_hz) {
        let why = "rate must be 0 (on change, and once a second) or 0.01 to 100000 Hz";
        return Err(unread(BirthRejected::Range, why));
    }
    let interval = Some(Duration::try_from_secs_f64(1.0 / rate_hz).unwrap_or(Duration::MAX));
    let scale = Scale { parameter, scale: channel.scale, offset: channel.offset };
    Ok((ChannelSpec { parameter, interval }, scale))
}

/// Why a channel is not read.
struct Unread {
    reason: BirthRejected,
    why: String,
    parameter: Option<Parameter>,
}

impl Unread {
    fn new(reason: BirthRejected, why: &str, parameter: Option<Parameter>) -> Self {
        Self { reason, why: why.to_owned(), parameter }
    }

    fn meaning(&self) -> Meaning {
        if self.reason == BirthRejected::Unit { Meaning::WrongUnit } else { Meaning::Unreadable }
    }
}

/// Checks a status.
///
/// # Errors
/// Too long, no status, of another pump than its topic, or without a boot or state.
pub fn status(payload: &[u8], pump: &str) -> Result<(BootId, Presence), StatusRejected> {
    if payload.len() > STATUS_BYTES_MAX {
        return Err(StatusRejected::Oversize);
    }
    let wire = v1::Status::decode(payload).map_err(|_no_status| StatusRejected::Decode)?;
    if wire.pump != pump {
        return Err(StatusRejected::Identity);
    }
    let boot = BootId::new(wire.boot_id).ok_or(StatusRejected::Boot)?;
    match wire.state() {
        v1::AgentState::Online => Ok((boot, Presence::Online)),
        v1::AgentState::Offline => Ok((boot, Presence::Offline)),
        v1::AgentState::Stopped => Ok((boot, Presence::Stopped)),
        v1::AgentState::Unspecified => Err(StatusRejected::State),
    }
}

/// A frame's bytes with where they came from.
#[derive(Debug, Clone, Copy)]
pub struct FrameBytes<'a> {
    /// The sealed frame.
    pub payload: &'a [u8],
    /// The pump of the topic.
    pub pump: &'a str,
    /// Whether the broker repeated an old message.
    pub retained: bool,
    /// When it arrived.
    pub received: Instant,
}

/// Samples of one frame that are no measurement, by reason.
pub type Invalid<'a> = &'a mut dyn FnMut(SampleInvalid, u64);

/// Decodes frames into buffers that are used again.
#[derive(Debug)]
pub struct Decoder {
    wire: v1::Frame,
    frame: Frame,
}

impl Default for Decoder {
    fn default() -> Self {
        let stamp = FrameStamp {
            published: SampleTime::default(),
            published_wall_ns: 0,
            received: Instant::default(),
        };
        // The content is replaced by the first frame; any boot will do.
        let boot = BootId::new(1).expect("1 is not 0");
        Self { wire: v1::Frame::default(), frame: Frame::new(boot, 0, stamp) }
    }
}

impl Decoder {
    /// Checks a frame against the birth of its pump. A frame of another run comes back without samples: whoever knows
    /// the runs decides about it. Samples that are no measurement are told to `invalid` with the reason.
    ///
    /// # Errors
    /// Retained, too long, damaged, no frame, of another pump than its topic, or against the contract.
    pub fn frame(
        &mut self,
        bytes: FrameBytes<'_>,
        birth: Option<&Birth>,
        invalid: Invalid<'_>,
    ) -> Result<&Frame, FrameRejected> {
        if bytes.retained {
            return Err(FrameRejected::Retained);
        }
        sealed::open_into(bytes.payload, &mut self.wire).map_err(|error| match error {
            SealError::Oversize(..) => FrameRejected::Oversize,
            SealError::Broken => FrameRejected::Crc,
            SealError::Decode => FrameRejected::Decode,
        })?;
        let wire = &self.wire;
        if wire.pump != bytes.pump {
            return Err(FrameRejected::Identity);
        }
        let boot = BootId::new(wire.boot_id).ok_or(FrameRejected::Boot)?;
        if wire.historical {
            return Err(FrameRejected::Historical);
        }
        if wire.blocks.len() > CHANNELS_MAX {
            return Err(FrameRejected::Schema);
        }
        let stamp = FrameStamp {
            published: SampleTime::from_nanos(wire.publish_mono_ns),
            published_wall_ns: wire.publish_wall_ns,
            received: bytes.received,
        };
        self.frame.begin(boot, wire.sequence, stamp);
        let Some(birth) = birth.filter(|birth| birth.boot == boot) else { return Ok(&self.frame) };
        for block in &wire.blocks {
            let place = usize::try_from(block.channel).unwrap_or(usize::MAX);
            match birth.scales.get(place).copied().unwrap_or(Meaning::Unreadable) {
                Meaning::Read(scale) => {
                    push_block(&mut self.frame, wire.start_mono_ns, block, scale, invalid)?;
                }
                Meaning::WrongUnit => invalid(SampleInvalid::Unit, samples_of(block)),
                Meaning::Unreadable => invalid(SampleInvalid::Channel, samples_of(block)),
            }
        }
        Ok(&self.frame)
    }
}

fn samples_of(block: &v1::SampleBlock) -> u64 {
    u64::try_from(block.counts.len()).unwrap_or(u64::MAX)
}

fn push_block(
    frame: &mut Frame,
    start_mono_ns: u64,
    block: &v1::SampleBlock,
    scale: Scale,
    invalid: Invalid<'_>,
) -> Result<(), FrameRejected> {
    let samples = block.counts.len();
    if samples > BLOCK_SAMPLES_MAX || (samples > 1 && block.interval_us == 0) {
        return Err(FrameRejected::Schema);
    }
    let runs: u64 = block.validity.iter().map(|run| u64::from(run.count)).sum();
    if !block.validity.is_empty() && runs != samples_of(block) {
        return Err(FrameRejected::Schema);
    }
    let micros = |micros: u32| Duration::from_micros(u64::from(micros));
    let start = SampleTime::from_nanos(start_mono_ns).plus(micros(block.start_us));
    let mut validity = Validities::new(&block.validity);
    let readings = block.counts.iter().map(|count| {
        let (reading, reason) = reading_of(*count, validity.next(), scale);
        if let Some(reason) = reason {
            invalid(reason, 1);
        }
        reading
    });
    frame.push(scale.parameter, block.first_index, start, micros(block.interval_us), readings);
    Ok(())
}

/// Walks through run lengths sample by sample.
struct Validities<'a> {
    runs: std::slice::Iter<'a, v1::ValidityRun>,
    present: Option<v1::Validity>,
    left: u32,
}

impl<'a> Validities<'a> {
    fn new(runs: &'a [v1::ValidityRun]) -> Self {
        // Without runs every sample is valid.
        let (present, left) =
            if runs.is_empty() { (Some(v1::Validity::Valid), u32::MAX) } else { (None, 0) };
        Self { runs: runs.iter(), present, left }
    }

    fn next(&mut self) -> v1::Validity {
        while self.left == 0 {
            let Some(run) = self.runs.next() else { return v1::Validity::Unspecified };
            self.present = v1::Validity::try_from(run.validity).ok();
            self.left = run.count;
        }
        self.left -= 1;
        self.present.unwrap_or(v1::Validity::Unspecified)
    }
}

/// A sample as a reading, and the reason to count when it is no measurement.
fn reading_of(
    count: i32,
    validity: v1::Validity,
    scale: Scale,
) -> (Reading, Option<SampleInvalid>) {
    let none = |no_data| (Reading::NoData(no_data), Some(SampleInvalid::Sensor));
    match validity {
        v1::Validity::Valid | v1::Validity::Questionable => {
            let reading = Reading::from_number(f64::from(count).mul_add(scale.scale, scale.offset));
            match reading.value() {
                Some(value) if scale.parameter.is_possible(value) => {
                    let doubted = validity == v1::Validity::Questionable;
                    (if doubted { Reading::Questionable(value) } else { reading }, None)
                }
                // What is not possible is not a measurement, however sure the sender is.
                Some(_) | None => {
                    (Reading::NoData(NoData::SensorFault), Some(SampleInvalid::Range))
                }
            }
        }
        v1::Validity::BelowRange => none(NoData::BelowRange),
        v1::Validity::AboveRange => none(NoData::AboveRange),
        v1::Validity::NotMeasured => none(NoData::NotMeasured),
        v1::Validity::SensorOff => none(NoData::SensorOff),
        v1::Validity::SensorFault => none(NoData::SensorFault),
        v1::Validity::Unspecified => {
            (Reading::NoData(NoData::SensorFault), Some(SampleInvalid::Unspecified))
        }
        v1::Validity::Calibrating => none(NoData::Calibrating),
        v1::Validity::Stale => none(NoData::Stale),
        v1::Validity::Simulated => none(NoData::Simulated),
        v1::Validity::CommLost => none(NoData::CommLost),
    }
}

#[cfg(test)]
mod tests;
