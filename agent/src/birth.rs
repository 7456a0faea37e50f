//! What an agent says of itself: birth and status, with the topics that they and the frames go to.

use core::time::Duration;

use ecmo_proto::topic::{Kind, PumpAddress};
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
    /// Whose topics they are.
    pub address: PumpAddress,
    /// Live frames.
    pub frame: String,
    /// Birth.
    pub birth: String,
    /// Status and last will.
    pub status: String,
    /// Heartbeats, the agent's own among what it hears.
    pub heartbeat: String,
    /// What gateways ask.
    pub request: String,
    /// Answers from the spool.
    pub backfill: String,
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
            paths: 1,
            frame_period_us: u32::try_from(frame_period.as_micros()).unwrap_or(u32::MAX),
            ..v1::Birth::default()
        };
        let topics = Topics {
            address: boot.address.clone(),
            frame: boot.address.topic(Kind::Frame),
            birth: boot.address.topic(Kind::Birth),
            status: boot.address.topic(Kind::Status),
            heartbeat: boot.address.topic(Kind::Heartbeat),
            request: boot.address.topic(Kind::Request),
            backfill: boot.address.topic(Kind::Backfill),
        };
        Self { birth, topics }
    }

    /// The same with so many brokers to which every frame goes.
    #[must_use]
    pub fn with_paths(mut self, paths: usize) -> Self {
        self.birth.paths = u32::try_from(paths).unwrap_or(u32::MAX);
        self
    }

    /// The same with the number of this run, by the agent's disk; 0 when it keeps none.
    #[must_use]
    pub const fn with_boot_number(mut self, number: u64) -> Self {
        self.birth.boot_number = number;
        self
    }

    /// The same with the hash of the profile whose rules the agent runs.
    #[must_use]
    pub fn with_rule_hash(mut self, hash: u64) -> Self {
        self.birth.rule_hash = hash.to_be_bytes().to_vec().into();
        self
    }

    /// Pump id.
    #[must_use]
    pub fn pump(&self) -> &str {
        &self.birth.pump
    }

    /// The agent run.
    #[must_use]
    pub const fn boot_id(&self) -> u64 {
        self.birth.boot_id
    }

    /// Where to publish.
    #[must_use]
    pub const fn topics(&self) -> &Topics {
        &self.topics
    }

    /// The birth at a moment, with what is then known of the wall clock, encoded.
    #[must_use]
    pub fn birth(&self, now: Stamp, clock_quality: v1::ClockQuality) -> Vec<u8> {
        let (mono_ns, wall_ns) = (now.mono.as_nanos(), now.wall_ns);
        let clock_quality = clock_quality.into();
        v1::Birth { mono_ns, wall_ns, clock_quality, ..self.birth.clone() }.encode_to_vec()
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
    use ecmo_proto::topic::Id;

    #[test]
    fn a_birth_tells_boot_source_and_every_channel() {
        let address = PumpAddress { ward: Id::new("w").unwrap(), pump: Id::new("p").unwrap() };
        let boot = Boot::new(address);
        let source = SourceSettings::Simulated(SimulatedSettings::healthy(1));
        let lineup = Lineup::new(sensor::build(&[source]).unwrap()).unwrap();
        let period = Duration::from_millis(20);
        let announcer = Announcer::new(&boot, &lineup, PumpKind::Centrifugal, period)
            .with_paths(2)
            .with_boot_number(5)
            .with_rule_hash(0x0102_0304_0506_0708);
        assert_eq!(announcer.topics().birth, "ecmo/v1/w/p/birth");
        let now = Stamp { mono: SampleTime::from_nanos(3), wall_ns: 4 };
        let birth = announcer.birth(now, v1::ClockQuality::FreeRunning);
        let birth = v1::Birth::decode(&birth[..]).unwrap();
        assert_eq!((birth.paths, birth.boot_number), (2, 5));
        assert_eq!(birth.clock_quality(), v1::ClockQuality::FreeRunning);
        assert_eq!(birth.rule_hash[..], [1, 2, 3, 4, 5, 6, 7, 8]);
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
