//! What goes between gateway and display: streams of messages, requests and their answers.

use ecmo_core::alarm::action::OwnershipState;
use ecmo_proto::v1;

/// Most packets of one lane on their way to a display that does not read; then the display is cut off.
pub const LANE_MAX: usize = 256;

/// A lane of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneKind {
    /// Alarms: lossless, or cut off.
    Alarms,
    /// Pumps: the newest wins.
    Pumps,
}

/// One lane as the gateway serves it.
#[derive(Debug, Clone)]
pub struct Lane {
    /// Names the subscription at the display.
    pub subscription: u64,
    /// Number of the next message.
    pub sequence: u64,
    /// Packets that the display has not read.
    pub unread: usize,
    /// Something was kept back because the display had not read: the newest goes out when it has.
    pub is_behind: bool,
    /// The connection has lost something: it carries nothing more.
    pub is_dead: bool,
}

impl Lane {
    /// A new subscription.
    #[must_use]
    pub const fn new(subscription: u64) -> Self {
        Self { subscription, sequence: 0, unread: 0, is_behind: false, is_dead: false }
    }
}

/// The lanes of one display at one gateway.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// Alarms.
    pub alarms: Option<Lane>,
    /// Pumps.
    pub pumps: Option<Lane>,
}

/// Something on its way to a display.
#[derive(Debug)]
pub enum Packet {
    /// Of the alarm lane.
    Alarms(u64, Box<v1::WatchAlarmsResponse>),
    /// Of the pump lane.
    Pumps(u64, v1::WatchPumpsResponse),
    /// The lane was cut off, or its gateway is gone.
    Closed(u64, LaneKind),
    /// The lease of a display is renewed: epoch and time of the gateway, and when the display asked.
    Attended(u64, u64, u64),
    /// These do not count as confirmed yet: the display is to name them again.
    Uncounted(Vec<(String, u32)>),
    /// The answer to what a person asked: number of the question, whether it was accepted, whether it is durable.
    Answer {
        /// Number of the question.
        number: u64,
        /// Whether it was accepted.
        accepted: bool,
        /// Whether it will survive a restart of the gateway.
        durable: bool,
    },
}

impl Packet {
    /// Its number in a trace.
    #[must_use]
    pub const fn kind(&self) -> u64 {
        match self {
            Self::Alarms(..) => 1,
            Self::Pumps(..) => 2,
            Self::Closed(..) => 3,
            Self::Answer { .. } => 4,
            Self::Attended(..) => 5,
            Self::Uncounted(_) => 6,
        }
    }
}

/// Up to where a display has painted what came from a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Painted {
    /// Which start of the gateway.
    pub epoch: u64,
    /// When the newest message in the picture was made, by the gateway's clock in nanoseconds.
    pub mono_ns: u64,
}

/// Something that a display asks for.
#[derive(Debug)]
pub enum Request {
    /// A subscription.
    Watch {
        /// Its name.
        subscription: u64,
        /// Which lane.
        lane: LaneKind,
        /// Until when the display has seen everything.
        seen_until: Option<v1::SeenUntil>,
    },
    /// These were shown.
    Confirm(Vec<(String, u32)>),
    /// A display renews its lease: when it asked, by its own clock, and what it has painted of this gateway.
    Attend(u64, Option<Painted>),
    /// A person does something.
    Act(Wish),
}

impl Request {
    /// Its number in a trace.
    #[must_use]
    pub const fn kind(&self) -> u64 {
        match self {
            Self::Watch { .. } => 1,
            Self::Confirm(_) => 2,
            Self::Act(_) => 3,
            Self::Attend(..) => 4,
        }
    }
}

/// What a person wants.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Number of the question; the person's name is made from it.
    pub number: u64,
    /// At which pump.
    pub pump: usize,
    /// What.
    pub what: WishKind,
}

impl Wish {
    /// Who wants it.
    #[must_use]
    pub fn by(&self) -> String {
        format!("person{}", self.number)
    }
}

/// The kinds of wishes.
#[derive(Debug, Clone)]
pub enum WishKind {
    /// Acknowledge an alarm as far as it was shown.
    Acknowledge {
        /// Occurrence id.
        occurrence: String,
        /// The revision that was shown.
        revision: u32,
    },
    /// Pause the sound of the pump for so many seconds.
    Pause(u64),
    /// Take the pump.
    Accept,
    /// Offer the pump to somebody.
    HandOver,
    /// Give it up.
    Reject,
}

/// What a display shows of the ownership of a pump.
pub type Owner = OwnershipState;
