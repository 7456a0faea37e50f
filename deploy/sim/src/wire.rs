//! The wire format: now and then a frame goes the whole way of a real one, sealed and decoded; a damaged one must be refused.

use ecmo_core::frame::Frame;
use ecmo_core::reading::Reading;
use ecmo_core::time::Instant;
use ecmo_decode::{Accepted, Birth, Decoder, FrameBytes};
use ecmo_proto::{sealed, v1};

use crate::agent::Agent;
use crate::checks::{Invariant, Violation};
use crate::dice::Dice;
use crate::many::Many;
use crate::rules::Pace;
use crate::time::Nanos;
use crate::words::pump_name;

/// One frame of so many goes over the wire format.
const ONE_OF: u64 = 256;

/// Counts are thousandths.
const SCALE: f64 = 0.001;

/// The wire format between agents and gateways.
#[derive(Debug)]
pub struct Wire {
    births: Many<Option<Birth>>,
    decoder: Decoder,
    dice: Dice,
}

impl Wire {
    /// The wire format of these agents.
    #[must_use]
    pub fn new(agents: &Many<Agent>, pace: Pace, dice: Dice) -> Self {
        let mut numbered = agents.iter().enumerate();
        let births = Many::new(agents.len(), |_| {
            let (pump, agent) = numbered.next()?;
            ecmo_decode::read_birth(&birth(pump, agent, pace), &pump_name(pump)).ok()
        });
        Self { births, decoder: Decoder::default(), dice }
    }

    /// Perhaps sends a frame over the wire format; `Some(true)` when it was damaged on its way and refused.
    ///
    /// # Errors
    /// What comes out is another frame, or a damaged one was taken.
    pub fn try_frame(
        &mut self,
        pump: usize,
        frame: &Frame,
        now: Nanos,
    ) -> Result<Option<bool>, Violation> {
        if self.dice.below(ONE_OF) > 0 {
            return Ok(None);
        }
        let wrong = |what: &str| {
            let what =
                format!("frame {} of pump {pump} over the wire format: {what}", frame.sequence);
            Violation::new(Invariant::Own, now, what)
        };
        let mut payload = sealed::seal(&message(pump, frame)).to_vec();
        let is_damaged = self.dice.chance(500_000);
        if is_damaged {
            let bit = self.dice.place(payload.len() * 8);
            if let Some(byte) = payload.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
        }
        let name = pump_name(pump);
        let bytes = FrameBytes {
            payload: &payload,
            pump: &name,
            retained: false,
            accepted: Accepted::Live,
            received: Instant::default(),
        };
        let birth = self.births[pump].as_mut().map(|birth| {
            birth.boot = frame.boot;
            &*birth
        });
        let birth = birth.ok_or_else(|| wrong("its birth cannot be read"))?;
        let decoded = self.decoder.frame(bytes, Some(birth), &mut |_fault, _count| {});
        match (decoded, is_damaged) {
            (Ok(_), true) => Err(wrong("a bit was flipped, and it was taken")),
            (Err(error), false) => Err(wrong(&format!("refused: {error}"))),
            (Err(_refused), true) => Ok(Some(true)),
            (Ok(decoded), false) if is_same(frame, decoded) => Ok(Some(false)),
            (Ok(_), false) => Err(wrong("what comes out is not what went in")),
        }
    }
}

fn is_same(one: &Frame, other: &Frame) -> bool {
    let values = |frame: &Frame| {
        let readings = frame.blocks().flat_map(|(block, readings)| {
            readings.iter().map(|reading| (block.parameter, block.first_index, *reading))
        });
        readings.collect::<Vec<_>>()
    };
    let near = |one: Reading, other: Reading| match (one.value(), other.value()) {
        (Some(one), Some(other)) => (one - other).abs() < 0.01,
        (None, None) => one == other,
        (Some(_), None) | (None, Some(_)) => false,
    };
    let (ones, others) = (values(one), values(other));
    one.boot == other.boot
        && one.sequence == other.sequence
        && one.stamp.published == other.stamp.published
        && ones.len() == others.len()
        && ones
            .iter()
            .zip(&others)
            .all(|(one, other)| (one.0, one.1) == (other.0, other.1) && near(one.2, other.2))
}

fn birth(pump: usize, agent: &Agent, pace: Pace) -> v1::Birth {
    let channels = agent.channels().iter().map(|channel| {
        let info = channel.parameter.info();
        v1::Channel {
            id: info.id.to_owned(),
            unit: info.unit.to_owned(),
            rate_hz: pace.rate_hz(),
            scale: SCALE,
            ..v1::Channel::default()
        }
    });
    v1::Birth {
        pump: pump_name(pump),
        boot_id: agent.run.boot.get(),
        channels: channels.collect(),
        ..v1::Birth::default()
    }
}

fn message(pump: usize, frame: &Frame) -> v1::Frame {
    let start = frame.blocks().map(|(block, _)| block.start).min().unwrap_or_default();
    let order: Vec<_> = Agent::parameters().collect();
    let blocks = frame.blocks().filter_map(|(block, readings)| {
        let channel = order.iter().position(|parameter| *parameter == block.parameter)?;
        let validity =
            |reading: &Reading| v1::ValidityRun { validity: validity(*reading).into(), count: 1 };
        Some(v1::SampleBlock {
            channel: u32::try_from(channel).ok()?,
            first_index: block.first_index,
            start_us: u32::try_from(block.start.since(start).as_micros()).ok()?,
            interval_us: 0,
            counts: readings.iter().map(|reading| count(*reading)).collect(),
            validity: readings.iter().map(validity).collect(),
        })
    });
    v1::Frame {
        pump: pump_name(pump),
        boot_id: frame.boot.get(),
        sequence: frame.sequence,
        start_mono_ns: start.as_nanos(),
        publish_mono_ns: frame.stamp.published.as_nanos(),
        publish_wall_ns: frame.stamp.published_wall_ns,
        blocks: blocks.collect(),
        ..v1::Frame::default()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "values are far below 2^31 thousandths")]
fn count(reading: Reading) -> i32 {
    let value = f64::from(reading.value().unwrap_or(0.0));
    (value / SCALE + if value < 0.0 { -0.5 } else { 0.5 }) as i32
}

fn validity(reading: Reading) -> v1::Validity {
    use ecmo_core::reading::NoData;
    match reading {
        Reading::Value(_) => v1::Validity::Valid,
        Reading::Questionable(_) => v1::Validity::Questionable,
        Reading::NoData(NoData::BelowRange) => v1::Validity::BelowRange,
        Reading::NoData(NoData::AboveRange) => v1::Validity::AboveRange,
        Reading::NoData(NoData::NotMeasured) => v1::Validity::NotMeasured,
        Reading::NoData(NoData::SensorOff) => v1::Validity::SensorOff,
        Reading::NoData(NoData::SensorFault) => v1::Validity::SensorFault,
        Reading::NoData(NoData::Calibrating) => v1::Validity::Calibrating,
        Reading::NoData(NoData::Stale) => v1::Validity::Stale,
        Reading::NoData(NoData::Simulated) => v1::Validity::Simulated,
        Reading::NoData(NoData::CommLost) => v1::Validity::CommLost,
    }
}
