//! What an agent says of itself: birth and status, with the topics that they and the frames go to.

use core::time::Duration;

use ecmo_proto::topic::Kind;
use ecmo_proto::v1;
use prost::Message;

use crate::clock::Stamp;
use crate::config::PumpKind;
use crate::frame::Boot;
use crate::sampler::Lineup;
use crate::sensor::{Channel, SourceKind};

/// What an agent says of itself.
#[derive(Debug, Clone)]
pub struct Announcer {
    birth: v1::Birth,
    topics: Topics,
}

/// Where an agent publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    /// Live frames.
    pub frame: String,
    /// Birth.
    pub birth: String,
    /// Status and last will.
    pub status: String,
}

/// Whether the agent is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Connected.
    Online,
    /// Gone without a word: the last will.
    Offline,
    /// Stopped on purpose.
    Stopped,
}

impl Announcer {
    /// The words of one run.
    #[must_use]
    pub fn new(boot: &Boot, lineup: &Lineup, pump_kind: PumpKind, frame_period: Duration) -> Self {
        let birth = v1::Birth {
            pump: boot.address.pump.to_string(),
            boot_id: boot.id,
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            device: lineup.device(),
            source: source(lineup.source()).into(),
            pump_kind: pump_word(pump_kind).into(),
            channels: lineup.channels().iter().map(channel).collect(),
            // The agent does not ask the system about its time service, so it says nothing of it.
            clock_quality: v1::ClockQuality::Unspecified.into(),
            frame_period_us: u32::try_from(frame_period.as_micros()).unwrap_or(u32::MAX),
            ..v1::Birth::default()
        };
        let topics = Topics {
            frame: boot.address.topic(Kind::Frame),
            birth: boot.address.topic(Kind::Birth),
            status: boot.address.topic(Kind::Status),
        };
        Self { birth, topics }
    }

    /// The same with the number of this run among the runs of this agent's disk; 0 is none.
    #[must_use]
    pub const fn with_boot_number(mut self, boot_number: u64) -> Self {
        self.birth.boot_number = boot_number;
        self
    }

    /// Where to publish.
    #[must_use]
    pub const fn topics(&self) -> &Topics {
        &self.topics
    }

    /// The birth, encoded.
    #[must_use]
    pub fn birth(&self, now: Stamp) -> Vec<u8> {
        let (mono_ns, wall_ns) = (now.mono.as_nanos(), now.wall_ns);
        v1::Birth { mono_ns, wall_ns, ..self.birth.clone() }.encode_to_vec()
    }

    /// A status, encoded.
    #[must_use]
    pub fn status(&self, presence: Presence) -> Vec<u8> {
        let state = match presence {
            Presence::Online => v1::AgentState::Online,
            Presence::Offline => v1::AgentState::Offline,
            Presence::Stopped => v1::AgentState::Stopped,
        };
        let (pump, boot_id) = (self.birth.pump.clone(), self.birth.boot_id);
        v1::Status { pump, boot_id, state: state.into() }.encode_to_vec()
    }
}

const fn source(kind: SourceKind) -> v1::SourceKind {
    match kind {
        SourceKind::Measured => v1::SourceKind::Measured,
        SourceKind::Simulated => v1::SourceKind::Simulated,
        SourceKind::Replayed => v1::SourceKind::Replayed,
    }
}

const fn pump_word(kind: PumpKind) -> v1::PumpKind {
    match kind {
        PumpKind::Centrifugal => v1::PumpKind::Centrifugal,
        PumpKind::Roller => v1::PumpKind::Roller,
    }
}

fn channel(channel: &Channel) -> v1::Channel {
    let info = channel.parameter.info();
    v1::Channel {
        id: info.id.to_owned(),
        unit: info.unit.to_owned(),
        rate_hz: channel.rate_hz,
        scale: channel.scale,
        offset: channel.offset,
        range_low: channel.range.as_ref().map(|range| *range.start()),
        range_high: channel.range.as_ref().map(|range| *range.end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SimulatedSettings, SourceSettings};
    use crate::sensor;
    use ecmo_core::time::SampleTime;
    use ecmo_proto::topic::{Id, PumpAddress};

    #[test]
    fn a_birth_tells_boot_source_and_every_channel() {
        let address = PumpAddress { ward: Id::new("w").unwrap(), pump: Id::new("p").unwrap() };
        let boot = Boot::new(address);
        let source = SourceSettings::Simulated(SimulatedSettings::healthy(1));
        let lineup = Lineup::new(sensor::build(&[source]).unwrap()).unwrap();
        let period = Duration::from_millis(20);
        let announcer = Announcer::new(&boot, &lineup, PumpKind::Centrifugal, period);
        assert_eq!(announcer.topics().birth, "ecmo/v1/w/p/birth");
        let now = Stamp { mono: SampleTime::from_nanos(3), wall_ns: 4 };
        let birth = v1::Birth::decode(&announcer.birth(now)[..]).unwrap();
        assert_eq!((birth.boot_id, birth.mono_ns, birth.wall_ns), (boot.id, 3, 4));
        assert_eq!(birth.source(), v1::SourceKind::Simulated);
        assert_eq!(birth.frame_period_us, 20_000);
        assert_eq!(birth.channels.len(), lineup.channels().len());
        let drain = &birth.channels[0];
        assert_eq!((drain.id.as_str(), drain.unit.as_str()), ("press.drain", "mm[Hg]"));
        let status = announcer.status(Presence::Offline);
        let status = v1::Status::decode(&status[..]).unwrap();
        assert_eq!((status.boot_id, status.state()), (boot.id, v1::AgentState::Offline));
    }
}
