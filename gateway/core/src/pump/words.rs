//! What can be said of a pump: its link, its state, what its agent says of itself, what is refused and counted.

use crate::case::PumpKind;
use crate::channel::ChannelSpec;
use crate::frame::BootId;
use crate::sequence::SequenceCounters;

/// What a birth says.
#[derive(Debug, Clone, Copy)]
pub struct BirthWord<'a> {
    /// The agent's run.
    pub boot: BootId,
    /// Number of the run among the runs of this pump; 0 when the agent keeps none. A greater one is newer.
    pub boot_number: u64,
    /// Brokers to which every frame goes; 0 when the agent does not say.
    pub paths: u32,
    /// The channels.
    pub channels: &'a [ChannelSpec],
    /// What drives the blood, if it says so.
    pub kind: Option<PumpKind>,
    /// Whether a broker had kept it: its age is unknown.
    pub retained: bool,
}

/// Whether data arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// No frame yet.
    NeverSeen,
    /// Fresh frames arrive.
    Live,
    /// Nothing fresh arrives.
    Silent,
    /// The agent said that it was being stopped; nothing arrives.
    Stopped,
}

/// Whether the pump turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PumpState {
    /// No speed is known now.
    Unknown,
    /// Does not turn, and is not meant to.
    Standby,
    /// Turns.
    Running,
    /// Does not turn although it is meant to.
    Stopped,
}

/// What a status message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Connected.
    Online,
    /// Gone without a word.
    Offline,
    /// Stopped on purpose.
    Stopped,
}

/// Why a frame is not evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No birth has said what its channels are.
    NoBirth,
    /// It is of another run than the newest one.
    Boot,
}

/// Why a birth is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BirthRefusal {
    /// It is of a run that a newer one has superseded.
    Superseded,
    /// It may be older than the run that is known: a frame of its run must come first.
    Unproven,
}

/// Counts of one pump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Of its frames.
    pub frames: SequenceCounters,
    /// Runs of its agent that were seen.
    pub boots: u64,
    /// Jumps of its agent's wall clock.
    pub clock_steps: u64,
    /// Times its stream fell silent.
    pub dropouts: u64,
}
