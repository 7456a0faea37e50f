//! Puts samples into numbered frames, and seals a frame at the moment it is handed to the network.
//!
//! A frame is encoded once and sealed once for each path: the publish stamps are part of what the check sum covers, and they
//! are only true when they are taken last. What the disk keeps is the same bytes without stamps.

mod count;

use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;
use ecmo_core::time::SampleTime;
use ecmo_proto::sealed::{self, FrameBody};
use ecmo_proto::topic::PumpAddress;
use ecmo_proto::v1::{Frame, SampleBlock, Validity, ValidityRun};

use crate::clock::Stamp;
use crate::counters::Counters;
use crate::sampler::{CHANNELS_MAX, Tick};
use crate::sensor::{Channel, Sample};
use crate::wall_clock::WallClock;

/// Most samples of one channel in a frame.
const BLOCK_SAMPLES_MAX: usize = 100;

/// Most samples in a frame.
const FRAME_SAMPLES_MAX: usize = 4096;

/// Most bytes of one sample: its count, and a validity run of its own.
const SAMPLE_BYTES_MAX: usize = 5 + 6;

/// Most bytes of a block without its samples, and of a frame without its blocks.
const BLOCK_BYTES_MAX: usize = 48;
const HEAD_BYTES_MAX: usize = 160;

const _: () = assert!(
    FRAME_SAMPLES_MAX * SAMPLE_BYTES_MAX + CHANNELS_MAX * BLOCK_BYTES_MAX + HEAD_BYTES_MAX
        < sealed::FRAME_BYTES_MAX,
    "a full frame is accepted by a receiver"
);

/// One run of one agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// Ward and pump.
    pub address: PumpAddress,
    /// Random, never zero.
    pub id: u64,
}

impl Boot {
    /// A new run with a random id.
    #[must_use]
    pub fn new(address: PumpAddress) -> Self {
        Self { address, id: fastrand::u64(1..) }
    }
}

/// A frame that is complete but for the moment of its publication; cheap to clone, so that every path and the disk have it.
#[derive(Debug, Clone)]
pub struct PreparedFrame {
    body: FrameBody,
    sequence: u64,
    finished: SampleTime,
}

impl PreparedFrame {
    /// Its number within the boot.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// When its last sample was in.
    #[must_use]
    pub const fn finished(&self) -> SampleTime {
        self.finished
    }

    /// The frame as it is kept: encoded once, without the times of its publication.
    #[must_use]
    pub const fn body(&self) -> &FrameBody {
        &self.body
    }

    /// Stamps and seals it. Call it right before the bytes are handed over: the stamps are only true when they are taken last.
    #[must_use]
    pub fn seal(&self, published: Stamp) -> Bytes {
        self.body.seal_live(published.mono.as_nanos(), published.wall_ns)
    }
}

/// Collects ticks into frames: one each period, and one at once at an edge.
#[derive(Debug)]
pub struct Framer {
    builder: FrameBuilder,
    period: Duration,
    /// When the next frame is due; `None` before the first tick.
    due: Option<SampleTime>,
}

impl Framer {
    /// Frames of these channels.
    #[must_use]
    pub fn new(boot: &Boot, channels: &[Channel], period: Duration) -> Self {
        Self { builder: FrameBuilder::new(boot, channels), period, due: None }
    }

    /// The same with what is known of the wall clock in every frame.
    #[must_use]
    pub fn with_wall_clock(mut self, wall_clock: Arc<WallClock>) -> Self {
        self.builder.wall_clock = wall_clock;
        self
    }

    /// Takes the samples of a tick. Finished frames go to `out`.
    pub fn on_tick(
        &mut self,
        tick: Tick<'_>,
        counters: &Counters,
        mut out: impl FnMut(PreparedFrame),
    ) {
        let due = *self.due.get_or_insert_with(|| {
            self.builder.begin(tick.time);
            tick.time.plus(self.period)
        });
        let builder = &mut self.builder;
        let mut cut = |builder: &mut FrameBuilder| {
            counters.frames_prepared.add(1);
            out(builder.finish(tick.time));
        };
        for sample in &tick.batch.samples {
            if !builder.fits(sample) {
                cut(builder);
            }
            builder.add(sample, counters);
        }
        if tick.time >= due {
            // After a stall the grid goes on from now: empty frames for the past would say nothing.
            let behind = tick.time.since(due).as_nanos() / self.period.as_nanos().max(1);
            let periods = u32::try_from(behind).unwrap_or(u32::MAX).saturating_add(1);
            self.due = Some(due.plus(self.period.saturating_mul(periods)));
        }
        if tick.time >= due || tick.has_edge {
            cut(builder);
        }
    }
}

/// Samples of the frame that is being filled.
#[derive(Debug)]
struct FrameBuilder {
    sequence: u64,
    begin: SampleTime,
    channels: Vec<Filling>,
    samples: usize,
    /// Memory of used blocks.
    blocks: Vec<SampleBlock>,
    /// Memory of the frame before.
    frame: Frame,
    wall_clock: Arc<WallClock>,
}

/// Samples of one channel in the frame that is being filled.
#[derive(Debug)]
struct Filling {
    scale: f64,
    offset: f64,
    /// Number of the next sample within the boot.
    next_index: u64,
    start: SampleTime,
    last: SampleTime,
    interval_us: u32,
    counts: Vec<i32>,
    runs: Vec<ValidityRun>,
}

impl FrameBuilder {
    fn new(boot: &Boot, channels: &[Channel]) -> Self {
        let filling = |channel: &Channel| Filling {
            scale: channel.scale,
            offset: channel.offset,
            next_index: 0,
            start: SampleTime::default(),
            last: SampleTime::default(),
            interval_us: 0,
            counts: Vec::new(),
            runs: Vec::new(),
        };
        Self {
            sequence: 0,
            begin: SampleTime::default(),
            channels: channels.iter().map(filling).collect(),
            samples: 0,
            blocks: Vec::new(),
            frame: Frame {
                pump: boot.address.pump.to_string(),
                boot_id: boot.id,
                ..Frame::default()
            },
            wall_clock: Arc::default(),
        }
    }

    /// Begins the first frame.
    fn begin(&mut self, time: SampleTime) {
        self.begin = time;
    }

    /// Whether a sample can join the frame: there is room, and its channel's samples stay evenly spaced.
    fn fits(&self, sample: &Sample) -> bool {
        let has_room = self.samples < FRAME_SAMPLES_MAX;
        has_room
            && self.channels.get(sample.channel).is_none_or(|channel| channel.fits(sample.time))
    }

    /// Adds a sample that fits.
    fn add(&mut self, sample: &Sample, counters: &Counters) {
        // A sensor that invents a channel is a fault of this program; its samples have no meaning.
        let Some(channel) = self.channels.get_mut(sample.channel) else { return };
        if channel.counts.is_empty() {
            channel.start = sample.time;
        } else if channel.counts.len() == 1 {
            channel.interval_us = micros(sample.time.since(channel.start));
        }
        channel.last = sample.time;
        let (count, validity) =
            count::encode(sample.reading, channel.scale, channel.offset, counters);
        channel.counts.push(count);
        match channel.runs.last_mut() {
            Some(run) if run.validity == i32::from(validity) => run.count += 1,
            Some(_) | None => {
                channel.runs.push(ValidityRun { validity: validity.into(), count: 1 });
            }
        }
        self.samples += 1;
    }

    /// Finishes the frame, with or without samples, and begins the next one.
    fn finish(&mut self, time: SampleTime) -> PreparedFrame {
        let filled = self.channels.iter().filter(|channel| !channel.counts.is_empty());
        let start = filled.map(|channel| channel.start).min().map_or(self.begin, |first| {
            // A sample may have been dated back before the frame began; blocks count forward from the start.
            first.min(self.begin)
        });
        let frame = &mut self.frame;
        frame.sequence = self.sequence;
        frame.start_mono_ns = start.as_nanos();
        frame.clock_quality = self.wall_clock.quality().into();
        for (index, channel) in (0..).zip(&mut self.channels) {
            if !channel.counts.is_empty() {
                let mut block = self.blocks.pop().unwrap_or_default();
                channel.move_into(&mut block, index, start);
                frame.blocks.push(block);
            }
        }
        let body = FrameBody::new(frame);
        self.blocks.append(&mut frame.blocks);
        let prepared = PreparedFrame { body, sequence: self.sequence, finished: time };
        self.sequence += 1;
        self.samples = 0;
        self.begin = time;
        prepared
    }
}

impl Filling {
    fn fits(&self, time: SampleTime) -> bool {
        let Ok(count) = u32::try_from(self.counts.len()) else { return false };
        match count {
            0 => true,
            1 => time.since(self.start) >= Duration::from_micros(1) && time > self.last,
            _ if self.counts.len() >= BLOCK_SAMPLES_MAX => false,
            _ => {
                let interval = Duration::from_micros(self.interval_us.into());
                let expected = self.start.plus(interval.saturating_mul(count));
                let off = if time > expected { time.since(expected) } else { expected.since(time) };
                time > self.last && off <= interval / 4
            }
        }
    }

    /// Moves the samples into a block and begins the next one.
    fn move_into(&mut self, block: &mut SampleBlock, channel: u32, frame_start: SampleTime) {
        block.channel = channel;
        block.first_index = self.next_index;
        block.start_us = micros(self.start.since(frame_start));
        block.interval_us = if self.counts.len() > 1 { self.interval_us } else { 0 };
        block.counts.clear();
        block.validity.clear();
        block.counts.append(&mut self.counts);
        self.next_index += block.counts.len() as u64;
        let is_all_valid = self.runs.iter().all(|run| run.validity == i32::from(Validity::Valid));
        if is_all_valid {
            self.runs.clear();
        }
        block.validity.append(&mut self.runs);
    }
}

/// Whole microseconds; more than 71 minutes are cut.
fn micros(duration: Duration) -> u32 {
    let nanos = duration.as_nanos().saturating_add(500);
    u32::try_from(nanos / 1000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
