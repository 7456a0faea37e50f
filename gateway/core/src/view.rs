//! What a display may show of a pump: readings with their times, alarms, link. Made whole, handed over whole.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::alarm::occurrence::Occurrence;
use crate::clock_estimate::ClockOffset;
use crate::frame::BootId;
use crate::parameter::Parameter;
use crate::path::Path;
use crate::pump::ownership::Ownership;
use crate::pump::{Counters, Link, Pump, PumpState, ToldDifference};
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

/// How the agent's clock lies, by probes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClockView {
    /// Offset and its uncertainty.
    pub offset: ClockOffset,
    /// How fast the agent's clock gains, in parts per million, once it is known.
    pub drift_ppm: Option<f64>,
    /// Agent's wall clock less the reader's, in nanoseconds.
    pub wall_difference_ns: Option<i128>,
}

/// One way of a pump's frames, of those that the reader reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathSeen {
    /// Which.
    pub path: Path,
    /// Whether the reader is connected.
    pub connected: bool,
    /// When the last frame came this way.
    pub frame_at: Option<Instant>,
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
    /// Who looks after the pump.
    pub ownership: Arc<Ownership>,
    /// Counts.
    pub counters: Counters,
    /// The agent's clock, once enough probes were answered.
    pub clock: Option<ClockView>,
    /// Whether the data is known to be no older than it looks: see [`Pump::is_age_proven`].
    pub age_proven: bool,
    /// The ways of its frames.
    pub paths: [Option<PathSeen>; 2],
    /// How the agent's verdict differs from the one here.
    pub verdict_difference: Option<ToldDifference>,
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
            ownership: pump.shared_ownership(),
            counters: pump.counters(),
            clock: pump.clock_estimate().offset(now).map(|offset| ClockView {
                offset,
                drift_ppm: pump.drift_ppm(),
                wall_difference_ns: pump.wall_difference(),
            }),
            age_proven: pump.is_age_proven(now),
            paths: Path::ALL.map(|path| {
                let connected = pump.path_connected(path)?;
                Some(PathSeen { path, connected, frame_at: pump.frame_at(path) })
            }),
            verdict_difference: pump.verdict_difference(),
        }
    }
}
