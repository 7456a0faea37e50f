//! What hosts tell each other, and what is to happen to whom.

use std::rc::Rc;

use ecmo_core::alarm::condition::Condition;
use ecmo_core::frame::{BootId, Frame};
use ecmo_core::pump::{Presence, SpoolWord};
use ecmo_core::time::{Instant, SampleTime};

use crate::peer::{PeerAction, PeerWord};
use crate::stream::{Packet, Request};
use crate::time::Nanos;

/// A message over a broker.
#[derive(Debug, Clone)]
pub enum Message {
    /// An agent's run begins, or is told again.
    Birth(Birth),
    /// Whether an agent is there.
    Status {
        /// Which pump.
        pump: usize,
        /// Of which run.
        boot: BootId,
        /// What it says.
        presence: Presence,
    },
    /// Samples.
    Frame {
        /// Pump of the topic.
        pump: usize,
        /// What was sampled.
        frame: Rc<Frame>,
    },
    /// An agent's word about itself; comes back to it as well.
    Beat {
        /// Which pump.
        pump: usize,
        /// What it says.
        beat: Rc<Beat>,
    },
    /// A gateway's question to an agent: what time is it there, and up to where was it judged.
    Ask {
        /// Which pump.
        pump: usize,
        /// For which run.
        boot: BootId,
        /// Who asks.
        gateway: usize,
        /// When, by its clock.
        sent: Instant,
        /// The lease, if it is given.
        lease: Option<SampleTime>,
    },
    /// What a person did, for the other gateway.
    Action(Rc<PeerAction>),
    /// A gateway's word about itself, for the other gateway.
    Peer(Rc<PeerWord>),
    /// A gateway asks its broker for a sign of life; `fresh` when it subscribes anew.
    Ping {
        /// Who.
        gateway: usize,
        /// Whether it is a new connection.
        fresh: bool,
    },
    /// The answer.
    Pong,
}

/// A birth.
#[derive(Debug, Clone, Copy)]
pub struct Birth {
    /// Which pump.
    pub pump: usize,
    /// Its run.
    pub boot: BootId,
    /// Number of the run.
    pub number: u64,
    /// Whether a broker had kept it.
    pub retained: bool,
}

/// An agent's word about itself.
#[derive(Debug)]
pub struct Beat {
    /// Its run.
    pub boot: BootId,
    /// Its spool.
    pub spool: SpoolWord,
    /// What its own rules find.
    pub present: Vec<Condition>,
    /// Whether it has rules of its own.
    pub judges: bool,
    /// The question that it answers at once: who asked, when by their clock, when it was read.
    pub answer: Option<(usize, Instant, SampleTime)>,
}

impl Message {
    /// The pump that it is about.
    #[must_use]
    pub fn pump(&self) -> Option<usize> {
        match self {
            Self::Birth(birth) => Some(birth.pump),
            Self::Status { pump, .. }
            | Self::Frame { pump, .. }
            | Self::Beat { pump, .. }
            | Self::Ask { pump, .. } => Some(*pump),
            Self::Action(action) => Some(action.pump),
            Self::Peer(_) | Self::Ping { .. } | Self::Pong => None,
        }
    }

    /// Whether the network may lose it alone; what may not is sent again until it came, or the connection is lost.
    #[must_use]
    pub const fn may_be_lost(&self) -> bool {
        matches!(self, Self::Frame { .. } | Self::Beat { .. } | Self::Ask { .. })
    }

    /// Its number in a trace.
    #[must_use]
    pub const fn kind(&self) -> u64 {
        match self {
            Self::Birth(_) => 1,
            Self::Status { .. } => 2,
            Self::Frame { .. } => 3,
            Self::Beat { .. } => 4,
            Self::Ask { .. } => 5,
            Self::Action(_) => 6,
            Self::Peer(_) => 7,
            Self::Ping { .. } => 8,
            Self::Pong => 9,
        }
    }
}

/// Who sends something to a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The agent of a pump.
    Agent(usize),
    /// A gateway.
    Gateway(usize),
    /// The broker itself: the last will of an agent that is gone.
    Will,
}

/// Something that is to happen.
#[derive(Debug)]
pub enum Event {
    /// An agent samples and publishes a frame.
    Sample(usize),
    /// An agent beats.
    Beat(usize),
    /// A message reaches a broker.
    AtBroker(usize, Sender, Message),
    /// A message reaches a gateway from a broker.
    AtGateway(usize, usize, Message),
    /// A message reaches an agent from a broker.
    AtAgent(usize, usize, Message),
    /// Something falls due at a gateway: at a pump, or at the gateway itself.
    Timer(usize, Option<usize>, Nanos),
    /// What a gateway does twice a second.
    Round(usize),
    /// A gateway's disk has written what it was given: so much of its action log, or everything that is kept.
    Written(usize, u32, Box<crate::store::Written>),
    /// A packet reaches a display from a gateway.
    AtDisplay(usize, usize, Box<Packet>),
    /// A request of a display reaches a gateway.
    FromDisplay(usize, usize, Box<Request>),
    /// A display paints.
    Paint(usize),
    /// Somebody stands at a display.
    Person(usize),
    /// A signal of a pump turns.
    Turn(usize, usize),
    /// A sensor of a pump turns.
    TurnSensor(usize, usize),
    /// A fault of a kind begins somewhere.
    Fault(usize),
    /// A fault ends.
    Heal(Box<crate::faults::Fault>),
}
