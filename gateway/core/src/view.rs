//! What a display may show of a pump: readings with their times, alarms, link. Made whole, handed over whole.

use alloc::vec::Vec;

use crate::alarm::occurrence::Occurrence;
use crate::frame::BootId;
use crate::parameter::Parameter;
use crate::pump::{Counters, Link, Pump, PumpState};
use crate::reading::{NoData, Reading};
use crate::time::Instant;

/// One reading, with its last value apart from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReadingView {
    /// What was measured.
    pub parameter: Parameter,
    /// The newest reading; withdrawn when the stream is silent.
    pub reading: Reading,
    /// When the newest sample was taken; `None` before the first.
    pub sampled_at: Option<Instant>,
    /// The last value, and when it was taken.
    pub last_value: Option<(f32, Instant)>,
}

/// One pump as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// When the view was made.
    pub made_at: Instant,
    /// Whether data arrives.
    pub link: Link,
    /// Whether the pump turns.
    pub state: PumpState,
    /// The agent's run.
    pub boot: Option<BootId>,
    /// When the freshest data was published.
    pub fresh_at: Option<Instant>,
    /// Readings in the order of display.
    pub readings: Vec<ReadingView>,
    /// Occurrences that have not ended, most urgent first.
    pub alarms: Vec<Occurrence>,
    /// Counts.
    pub counters: Counters,
}

impl View {
    /// The view of a pump now.
    #[must_use]
    pub fn of(pump: &Pump, now: Instant) -> Self {
        let link = pump.link(now);
        let readings = pump
            .channels()
            .map(|(parameter, channel)| ReadingView {
                parameter,
                reading: match (link, channel.newest()) {
                    (Link::Live, Some(sample)) => sample.reading,
                    (Link::Live | Link::NeverSeen, None) => Reading::NoData(NoData::NotMeasured),
                    // A value of a stream that is silent is history, whatever it said.
                    (Link::NeverSeen | Link::Silent | Link::Stopped, _) => {
                        Reading::NoData(NoData::CommLost)
                    }
                },
                sampled_at: channel.newest().map(|sample| sample.sampled_at),
                last_value: channel.last_value(),
            })
            .collect();
        let mut alarms = pump.alarms().to_vec();
        alarms.sort_by_key(Occurrence::urgency);
        let state = if link == Link::Live { pump.state() } else { PumpState::Unknown };
        Self {
            made_at: now,
            link,
            state,
            boot: pump.boot(),
            fresh_at: pump.fresh_at(),
            readings,
            alarms,
            counters: pump.counters(),
        }
    }
}
