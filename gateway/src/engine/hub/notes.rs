//! What the hub notes for the judges of the gateway itself: what displays must answer for, and how long hops took.

use std::time::Duration;

use ecmo_core::alarm::condition::{Condition, Priority};
use ecmo_core::alarm::occurrence::{Occurrence, Signal};
use ecmo_core::attendance::HandedOver;
use ecmo_core::frame::Frame;
use ecmo_core::uplink;

/// What the gateway must know to judge itself.
#[derive(Debug)]
pub(in crate::engine) enum Note {
    /// A revision was handed to the displays.
    Alarm(Revision),
    /// A hop took so long for an alarm.
    Took(uplink::Hop, Duration),
}

/// A revision as the displays answer for it.
#[derive(Debug)]
pub(in crate::engine) struct Revision {
    /// The id that displays know.
    pub(in crate::engine) id: String,
    /// The revision.
    pub(in crate::engine) revision: u32,
    /// The oldest one that shows as much.
    pub(in crate::engine) covers_from: u32,
    /// It is high, and not that nobody confirms: that is not confirmed by nobody either.
    pub(in crate::engine) must_be_seen: bool,
    /// It signals.
    pub(in crate::engine) signals: bool,
    /// It has ended.
    pub(in crate::engine) is_over: bool,
}

impl Revision {
    /// An occurrence as it stands, under the id that displays know.
    pub(in crate::engine) fn of(id: String, occurrence: &Occurrence) -> Self {
        let is_about_this = occurrence.id.condition == Condition::DELIVERY_UNCONFIRMED;
        Self {
            id,
            revision: occurrence.revision,
            covers_from: occurrence.covers_from,
            must_be_seen: occurrence.priority == Priority::High && !is_about_this,
            signals: matches!(occurrence.signal(), Signal::On | Signal::Latched),
            is_over: occurrence.has_ended(),
        }
    }

    /// The same for the judge of displays. An id begins with its ward, or with nothing where it concerns every ward.
    pub(in crate::engine) fn handed_over(&self) -> HandedOver<'_> {
        HandedOver {
            id: &self.id,
            ward: self.id.split('/').next().filter(|ward| !ward.is_empty()),
            revision: self.revision,
            covers_from: self.covers_from,
            must_be_seen: self.must_be_seen,
            signals: self.signals,
            is_over: self.is_over,
        }
    }
}

/// How long a frame was on its way, as far as it is known without wall clocks.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Way {
    /// From the oldest sample, by the agent's clock; `None` for a frame without samples.
    pub(super) sampled_to_published: Option<Duration>,
    /// By the probes' estimate of the clocks.
    pub(super) published_to_received: Option<Duration>,
}

impl Way {
    /// `offset` is the gateway's clock less the agent's, in nanoseconds.
    pub(in crate::engine) fn of(frame: &Frame, offset: Option<i64>) -> Self {
        let stamp = &frame.stamp;
        let oldest = frame.blocks().map(|(block, _readings)| block.start).min();
        let network = |offset: i64| {
            let published = stamp.published.as_nanos().saturating_add_signed(offset);
            // The estimate may err by more than a short way takes.
            Duration::from_nanos(stamp.received.as_nanos().saturating_sub(published))
        };
        Self {
            sampled_to_published: oldest.map(|oldest| stamp.published.since(oldest)),
            published_to_received: offset.map(network),
        }
    }
}
