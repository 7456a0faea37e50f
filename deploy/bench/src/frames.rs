//! The frames that are published: channels, rates and sizes of the simulated circuit; one pressure crosses its limit.

use ecmo_proto::sealed;
use ecmo_proto::topic::{Id, PumpAddress};
use ecmo_proto::v1;
use prost::Message;

use crate::clock;
use crate::crossing::Crossings;
use crate::pace::Event;
use crate::plan::Plan;

/// Channel whose value crosses its limit, with both values in counts.
const CROSSING: &str = "press.pre";
const ABOVE_LIMIT: i32 = 4_000;

/// Samples of a pressure wave, and numerics, in a second.
const WAVE_HZ: u32 = 100;
const NUMERIC_HZ: u32 = 10;
const SLOW_HZ: u32 = 1;

/// Every channel: id, unit, samples a second, value of a count, usual count.
const CHANNELS: [(&str, &str, u32, f64, i32); 15] = [
    ("press.drain", "mm[Hg]", WAVE_HZ, 0.1, -300),
    (CROSSING, "mm[Hg]", WAVE_HZ, 0.1, 1_500),
    ("press.post", "mm[Hg]", WAVE_HZ, 0.1, 1_300),
    ("flow.blood", "mL/min", NUMERIC_HZ, 1.0, 360),
    ("pump.speed", "{rev}/min", NUMERIC_HZ, 1.0, 3_000),
    ("pump.speed.set", "{rev}/min", NUMERIC_HZ, 1.0, 3_000),
    ("press.delta", "mm[Hg]", NUMERIC_HZ, 0.1, 200),
    ("motor.current", "A", NUMERIC_HZ, 0.01, 80),
    ("sat.drain", "%", SLOW_HZ, 0.1, 720),
    ("sat.post", "%", SLOW_HZ, 0.1, 992),
    ("temp.return", "Cel", SLOW_HZ, 0.1, 366),
    ("gas.sweep", "mL/min", SLOW_HZ, 1.0, 400),
    ("gas.fdo2", "%", SLOW_HZ, 1.0, 60),
    ("air.bubble", "{bool}", SLOW_HZ, 1.0, 0),
    ("power.mains", "{bool}", SLOW_HZ, 1.0, 1),
];

/// Makes the messages of one pump.
#[derive(Debug)]
pub(crate) struct Pump {
    id: Id,
    number: u32,
    boot_id: u64,
    rate: u32,
    crossings: Crossings,
}

impl Pump {
    /// A pump of a run; `boot_id` must not be 0.
    pub(crate) fn new(id: Id, number: u32, boot_id: u64, rate: u32, crossings: Crossings) -> Self {
        Self { id, number, boot_id, rate, crossings }
    }

    /// The birth, encoded.
    pub(crate) fn birth(&self) -> Vec<u8> {
        let now = clock::now_ns();
        let channels = CHANNELS.iter().map(|(id, unit, rate, scale, _usual)| v1::Channel {
            id: (*id).to_owned(),
            unit: (*unit).to_owned(),
            rate_hz: f64::from(*rate),
            scale: *scale,
            ..v1::Channel::default()
        });
        let birth = v1::Birth {
            pump: self.id.to_string(),
            boot_id: self.boot_id,
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            device: "bench".to_owned(),
            source: v1::SourceKind::Simulated.into(),
            pump_kind: v1::PumpKind::Centrifugal.into(),
            channels: channels.collect(),
            mono_ns: now,
            wall_ns: clock::wall_ns_at(now),
            frame_period_us: 1_000_000 / self.rate,
            ..v1::Birth::default()
        };
        birth.encode_to_vec()
    }

    /// The frame of an event, sealed. Its publication stamps are the intended ones.
    pub(crate) fn frame(&self, event: Event) -> Vec<u8> {
        let period_ns = clock::SECOND_NS / u64::from(self.rate);
        let blocks = (0..).zip(&CHANNELS).filter_map(|(place, (id, _unit, hz, _scale, usual))| {
            let crosses = *id == CROSSING && self.crossings.is_high(self.number, event.sequence);
            let count = if crosses { ABOVE_LIMIT } else { *usual };
            self.block(place, *hz, count, event.sequence)
        });
        let frame = v1::Frame {
            pump: self.id.to_string(),
            boot_id: self.boot_id,
            sequence: event.sequence,
            start_mono_ns: event.intended_ns.saturating_sub(period_ns),
            publish_mono_ns: event.intended_ns,
            publish_wall_ns: clock::wall_ns_at(event.intended_ns),
            clock_quality: v1::ClockQuality::FreeRunning.into(),
            blocks: blocks.collect(),
            ..v1::Frame::default()
        };
        sealed::seal(&frame).into()
    }

    /// Samples of one channel in a frame; `None` when none falls into it.
    fn block(&self, channel: u32, hz: u32, count: i32, sequence: u64) -> Option<v1::SampleBlock> {
        let (samples, every) = (hz / self.rate, u64::from(self.rate / hz.max(1)));
        if samples >= 1 {
            return Some(v1::SampleBlock {
                channel,
                first_index: sequence * u64::from(samples),
                interval_us: if samples > 1 { 1_000_000 / self.rate / samples } else { 0 },
                counts: (0..samples).map(|_| count).collect(),
                ..v1::SampleBlock::default()
            });
        }
        // A frame rate that is no multiple sends it a little more often than declared.
        let every = every.max(1);
        sequence.is_multiple_of(every).then(|| v1::SampleBlock {
            channel,
            first_index: sequence / every,
            counts: vec![count],
            ..v1::SampleBlock::default()
        })
    }
}

/// The pumps of a round and their addresses.
pub(crate) fn pumps(
    plan: &Plan,
    ward: &Id,
    crossings: Crossings,
) -> anyhow::Result<(Vec<PumpAddress>, Vec<Pump>)> {
    // Like an agent's: another number for every run, never 0.
    let boot_id = clock::now_ns() | 1;
    let mut addresses = Vec::new();
    let mut pumps = Vec::new();
    for number in 0..plan.pumps {
        let id = Id::new(&pump_name(number))?;
        addresses.push(PumpAddress { ward: ward.clone(), pump: id.clone() });
        pumps.push(Pump::new(id, number, boot_id, plan.rate, crossings));
    }
    Ok((addresses, pumps))
}

/// The name of a pump by its number.
pub(crate) fn pump_name(number: u32) -> String {
    format!("pump-{:03}", number + 1)
}

/// The number of a pump by its name.
pub(crate) fn pump_number(name: &str) -> Option<u32> {
    name.strip_prefix("pump-")?.parse::<u32>().ok()?.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pump(rate: u32) -> Pump {
        let crossings = Crossings { pumps: 1, rate, first: 10, frames: 200 };
        Pump::new(Id::new("pump-01").unwrap(), 0, 7, rate, crossings)
    }

    fn frame(pump: &Pump, sequence: u64) -> v1::Frame {
        let event = Event { source: 0, sequence, intended_ns: 3_000_000_000 };
        sealed::open(&pump.frame(event)).unwrap()
    }

    #[test]
    fn channels_come_at_their_rates_with_consecutive_indices() {
        for rate in [10, 50, 100] {
            let pump = pump(rate);
            let mut samples = vec![0_u64; CHANNELS.len()];
            for sequence in 0..u64::from(rate) * 4 {
                for block in frame(&pump, sequence).blocks {
                    let known = &mut samples[usize::try_from(block.channel).unwrap()];
                    assert_eq!(block.first_index, *known);
                    *known += u64::try_from(block.counts.len()).unwrap();
                }
            }
            for (known, channel) in samples.iter().zip(&CHANNELS) {
                assert_eq!(*known, u64::from(channel.2) * 4, "{} at {rate}", channel.0);
            }
        }
    }

    #[test]
    fn a_frame_carries_its_intended_time_and_crosses_as_planned() {
        let pump = pump(50);
        let (usual, high) = (frame(&pump, 9), frame(&pump, 36));
        assert_eq!(usual.publish_mono_ns, 3_000_000_000);
        assert_eq!(usual.start_mono_ns, 2_980_000_000);
        assert_eq!(usual.blocks[1].counts, [1_500, 1_500]);
        assert_eq!(high.blocks[1].counts, [4_000, 4_000]);
        assert_eq!(high.blocks[1].interval_us, 10_000);
    }

    #[test]
    fn a_birth_declares_every_channel() {
        let birth = v1::Birth::decode(&pump(50).birth()[..]).unwrap();
        assert_eq!((birth.channels.len(), birth.boot_id), (15, 7));
    }

    #[test]
    fn a_pump_is_found_by_its_name() {
        for number in [0, 7, 199] {
            assert_eq!(pump_number(&pump_name(number)), Some(number));
        }
        for name in ["pump-000", "pump-", "other-001"] {
            assert_eq!(pump_number(name), None, "{name}");
        }
    }
}
