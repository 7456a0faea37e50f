//! A frame that has been checked: samples of known parameters, in their own units, with their times.

use alloc::vec::Vec;
use core::fmt;
use core::num::NonZeroU64;
use core::time::Duration;

use crate::parameter::Parameter;
use crate::reading::Reading;
use crate::time::{Instant, SampleTime};

/// One run of one agent; chosen at random at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootId(NonZeroU64);

impl BootId {
    /// From the number on the wire; `None` for 0, which means "not said".
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for BootId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

/// When a frame passed the hops before the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameStamp {
    /// Handed to the network, by the agent's monotonic clock.
    pub published: SampleTime,
    /// The same moment by the agent's wall clock, in nanoseconds since 1970; a label, never a basis for a decision.
    pub published_wall_ns: i64,
    /// Arrived, by the reader's monotonic clock.
    pub received: Instant,
}

/// Where the samples of one parameter lie within the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// What was measured.
    pub parameter: Parameter,
    /// Number of the first sample within boot and channel.
    pub first_index: u64,
    /// Time of the first sample.
    pub start: SampleTime,
    /// Time between two samples; zero for a single one.
    pub interval: Duration,
    from: usize,
    to: usize,
}

impl Block {
    /// Time of the sample at a position within the block.
    #[must_use]
    pub fn time_of(&self, position: usize) -> SampleTime {
        let interval = u64::try_from(self.interval.as_nanos()).unwrap_or(u64::MAX);
        let position = u64::try_from(position).unwrap_or(u64::MAX);
        self.start.plus(Duration::from_nanos(interval.saturating_mul(position)))
    }
}

/// A checked frame. Its buffers are made to be used again: [`Frame::begin`] keeps what was allocated.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The agent's run.
    pub boot: BootId,
    /// Number within the run, from 0.
    pub sequence: u64,
    /// When it passed the hops.
    pub stamp: FrameStamp,
    blocks: Vec<Block>,
    readings: Vec<Reading>,
}

impl Frame {
    /// An empty frame.
    #[must_use]
    pub const fn new(boot: BootId, sequence: u64, stamp: FrameStamp) -> Self {
        Self { boot, sequence, stamp, blocks: Vec::new(), readings: Vec::new() }
    }

    /// Empties the frame for the next one and keeps its buffers.
    pub fn begin(&mut self, boot: BootId, sequence: u64, stamp: FrameStamp) {
        self.boot = boot;
        self.sequence = sequence;
        self.stamp = stamp;
        self.blocks.clear();
        self.readings.clear();
    }

    /// Adds the samples of one parameter; nothing when there are none.
    pub fn push(
        &mut self,
        parameter: Parameter,
        first_index: u64,
        start: SampleTime,
        interval: Duration,
        readings: impl IntoIterator<Item = Reading>,
    ) {
        let from = self.readings.len();
        self.readings.extend(readings);
        let to = self.readings.len();
        if to > from {
            self.blocks.push(Block { parameter, first_index, start, interval, from, to });
        }
    }

    /// The blocks with their readings.
    pub fn blocks(&self) -> impl Iterator<Item = (&Block, &[Reading])> {
        self.blocks
            .iter()
            .map(|block| (block, self.readings.get(block.from..block.to).unwrap_or_default()))
    }

    /// Takes over the content of another frame, keeping this one's buffers.
    pub fn copy_from(&mut self, other: &Self) {
        self.begin(other.boot, other.sequence, other.stamp);
        self.blocks.extend_from_slice(&other.blocks);
        self.readings.extend_from_slice(&other.readings);
    }
}
