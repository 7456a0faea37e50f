//! A frame's bytes into readings, in buffers that are used again.

use std::time::Duration;

use ecmo_core::frame::{BootId, Frame, FrameStamp};
use ecmo_core::reading::{NoData, Reading};
use ecmo_core::time::{Instant, SampleTime};
use ecmo_proto::sealed::{self, FrameBody, SealError};
use ecmo_proto::v1;
use prost::Message;

use crate::birth::{Birth, CHANNELS_MAX, Meaning, Scale};
use crate::fault::{FrameFault, SampleFault};

/// Most samples of one block: 20 ms at 1 kHz is 20; an agent that was held up for a second still fits.
pub const BLOCK_SAMPLES_MAX: usize = 1_000;

/// A frame's bytes with where they came from.
#[derive(Debug, Clone, Copy)]
pub struct FrameBytes<'a> {
    /// The sealed frame.
    pub payload: &'a [u8],
    /// The pump of the topic.
    pub pump: &'a str,
    /// Whether the broker repeated an old message.
    pub retained: bool,
    /// Which frames are awaited here.
    pub accepted: Accepted,
    /// When it arrived.
    pub received: Instant,
}

/// Which frames a caller awaits; the other kind is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// Frames of now.
    Live,
    /// Frames from a spool. They carry no time of publication, so the time of the last sample stands for it; the frame's
    /// start where there is none.
    Historical,
}

/// A frame as the agent keeps it: encoded, without publish stamps and without a seal.
#[derive(Debug, Clone, Copy)]
pub struct KeptFrame<'a> {
    /// The encoded frame.
    pub body: &'a FrameBody,
    /// When its last sample was in, by the agent's monotonic clock: stands for the time of publication.
    pub finished: SampleTime,
    /// When it came to the reader.
    pub received: Instant,
}

/// Samples of one frame that are no measurement, by reason.
pub type Invalid<'a> = &'a mut dyn FnMut(SampleFault, u64);

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
    /// Retained, too long, damaged, no frame, of another pump than its topic, of the kind that is not accepted, or against the
    /// contract.
    pub fn frame(
        &mut self,
        bytes: FrameBytes<'_>,
        birth: Option<&Birth>,
        invalid: Invalid<'_>,
    ) -> Result<&Frame, FrameFault> {
        if bytes.retained {
            return Err(FrameFault::Retained);
        }
        sealed::open_into(bytes.payload, &mut self.wire).map_err(|error| match error {
            SealError::Oversize(..) => FrameFault::Oversize,
            SealError::Broken => FrameFault::Crc,
            SealError::Decode => FrameFault::Decode,
        })?;
        let wire = &self.wire;
        if wire.pump != bytes.pump {
            return Err(FrameFault::Identity);
        }
        let boot = BootId::new(wire.boot_id).ok_or(FrameFault::Boot)?;
        let published = match (bytes.accepted, wire.historical) {
            (Accepted::Live, false) => SampleTime::from_nanos(wire.publish_mono_ns),
            (Accepted::Historical, true) => end_of(wire),
            (Accepted::Live, true) => return Err(FrameFault::Historical),
            (Accepted::Historical, false) => return Err(FrameFault::Live),
        };
        let published_wall_ns = wire.publish_wall_ns;
        let stamp = FrameStamp { published, published_wall_ns, received: bytes.received };
        self.fill(boot, stamp, birth, invalid)
    }

    /// Reads a frame of the agent's own: what it hands to the network, without the way over seal and network.
    ///
    /// # Errors
    /// No frame, or against the contract: a fault of the program that made it.
    pub fn kept(
        &mut self,
        kept: KeptFrame<'_>,
        birth: &Birth,
        invalid: Invalid<'_>,
    ) -> Result<&Frame, FrameFault> {
        self.wire.clear();
        let bytes = kept.body.bytes().as_ref();
        self.wire.merge(bytes).map_err(|_no_frame| FrameFault::Decode)?;
        let boot = BootId::new(self.wire.boot_id).ok_or(FrameFault::Boot)?;
        let (published, received) = (kept.finished, kept.received);
        let stamp = FrameStamp { published, published_wall_ns: 0, received };
        self.fill(boot, stamp, Some(birth), invalid)
    }

    /// Takes the samples of the decoded message by the birth of its run.
    fn fill(
        &mut self,
        boot: BootId,
        stamp: FrameStamp,
        birth: Option<&Birth>,
        invalid: Invalid<'_>,
    ) -> Result<&Frame, FrameFault> {
        let wire = &self.wire;
        if wire.blocks.len() > CHANNELS_MAX {
            return Err(FrameFault::Schema);
        }
        self.frame.begin(boot, wire.sequence, stamp);
        let Some(birth) = birth.filter(|birth| birth.boot == boot) else { return Ok(&self.frame) };
        for block in &wire.blocks {
            match birth.meaning(block.channel) {
                Meaning::Read(scale) => {
                    push_block(&mut self.frame, wire.start_mono_ns, block, scale, invalid)?;
                }
                Meaning::WrongUnit => invalid(SampleFault::Unit, samples_of(block)),
                Meaning::Unreadable => invalid(SampleFault::Channel, samples_of(block)),
            }
        }
        Ok(&self.frame)
    }
}

/// Time of the last sample of a frame; its start where there is none.
fn end_of(wire: &v1::Frame) -> SampleTime {
    let start = SampleTime::from_nanos(wire.start_mono_ns);
    let ends = wire.blocks.iter().map(|block| {
        let steps = samples_of(block).saturating_sub(1).min(BLOCK_SAMPLES_MAX as u64);
        let micros = u64::from(block.start_us)
            .saturating_add(u64::from(block.interval_us).saturating_mul(steps));
        start.plus(Duration::from_micros(micros))
    });
    ends.fold(start, SampleTime::max)
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
) -> Result<(), FrameFault> {
    let samples = block.counts.len();
    if samples > BLOCK_SAMPLES_MAX || (samples > 1 && block.interval_us == 0) {
        return Err(FrameFault::Schema);
    }
    let runs: u64 = block.validity.iter().map(|run| u64::from(run.count)).sum();
    if !block.validity.is_empty() && runs != samples_of(block) {
        return Err(FrameFault::Schema);
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
fn reading_of(count: i32, validity: v1::Validity, scale: Scale) -> (Reading, Option<SampleFault>) {
    let none = |no_data| (Reading::NoData(no_data), Some(SampleFault::Sensor));
    match validity {
        v1::Validity::Valid | v1::Validity::Questionable => {
            let reading = Reading::from_number(f64::from(count).mul_add(scale.scale, scale.offset));
            match reading.value() {
                Some(value) if scale.parameter.is_possible(value) => {
                    let doubted = validity == v1::Validity::Questionable;
                    (if doubted { Reading::Questionable(value) } else { reading }, None)
                }
                // What is not possible is not a measurement, however sure the sender is.
                Some(_) | None => (Reading::NoData(NoData::SensorFault), Some(SampleFault::Range)),
            }
        }
        v1::Validity::BelowRange => none(NoData::BelowRange),
        v1::Validity::AboveRange => none(NoData::AboveRange),
        v1::Validity::NotMeasured => none(NoData::NotMeasured),
        v1::Validity::SensorOff => none(NoData::SensorOff),
        v1::Validity::SensorFault => none(NoData::SensorFault),
        v1::Validity::Unspecified => {
            (Reading::NoData(NoData::SensorFault), Some(SampleFault::Unspecified))
        }
        v1::Validity::Calibrating => none(NoData::Calibrating),
        v1::Validity::Stale => none(NoData::Stale),
        v1::Validity::Simulated => none(NoData::Simulated),
        v1::Validity::CommLost => none(NoData::CommLost),
    }
}

#[cfg(test)]
mod tests;
