//! Births and frames of a gateway's synthetic pump, as an agent would send them.

use bytes::Bytes;
use ecmo_core::parameter::Parameter;
use ecmo_core::time::Instant;
use ecmo_proto::{sealed, v1};
use prost::Message as _;

/// The one channel of the synthetic pump, and how many samples a second it says that it has.
const RATE_HZ: f64 = 10.0;

/// The synthetic pump of one start of a gateway: its clock is the gateway's own.
#[derive(Debug)]
pub struct DrillPump {
    name: String,
    boot: u64,
    paths: u32,
    parameter: Parameter,
    sequence: u64,
}

impl DrillPump {
    /// The pump of the gateway of this name; it has one channel of this parameter, and sends over so many paths.
    #[must_use]
    pub fn new(name: &str, boot: u64, paths: usize, parameter: Parameter) -> Self {
        let paths = u32::try_from(paths).unwrap_or(1);
        Self { name: name.to_owned(), boot: boot.max(1), paths, parameter, sequence: 0 }
    }

    /// Its birth, the same each time.
    #[must_use]
    pub fn birth(&self) -> Bytes {
        let info = self.parameter.info();
        let channel = v1::Channel {
            id: info.id.to_owned(),
            unit: info.unit.to_owned(),
            rate_hz: RATE_HZ,
            scale: 1.0,
            ..v1::Channel::default()
        };
        let birth = v1::Birth {
            pump: self.name.clone(),
            boot_id: self.boot,
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            device: "drill".to_owned(),
            source: v1::SourceKind::Simulated.into(),
            pump_kind: v1::PumpKind::Centrifugal.into(),
            channels: vec![channel],
            paths: self.paths,
            ..v1::Birth::default()
        };
        birth.encode_to_vec().into()
    }

    /// Its next frame: one sample, taken and sent now.
    #[must_use]
    pub fn frame(&mut self, count: i32, now: Instant, wall_ns: i64) -> Bytes {
        let sequence = self.sequence;
        self.sequence += 1;
        sealed::seal(&v1::Frame {
            pump: self.name.clone(),
            boot_id: self.boot,
            sequence,
            start_mono_ns: now.as_nanos(),
            publish_mono_ns: now.as_nanos(),
            publish_wall_ns: wall_ns,
            blocks: vec![v1::SampleBlock {
                first_index: sequence,
                counts: vec![count],
                validity: vec![v1::ValidityRun { validity: v1::Validity::Valid.into(), count: 1 }],
                ..v1::SampleBlock::default()
            }],
            ..v1::Frame::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{self, Accepted, Decoder, FrameBytes};

    #[test]
    fn what_the_synthetic_pump_sends_is_read_as_what_any_agent_sends() {
        let mut pump = DrillPump::new("east", 7, 2, Parameter::PumpSpeed);
        let birth = decode::birth(&pump.birth(), "east").unwrap();
        assert!(birth.refused.is_empty(), "{birth:?}");
        let mut decoder = Decoder::default();
        for (count, sequence) in [(2_000, 0), (0, 1)] {
            let now = Instant::from_millis(5_000 + sequence * 100);
            let payload = pump.frame(count, now, 9);
            let bytes = FrameBytes {
                payload: &payload,
                pump: "east",
                retained: false,
                accepted: Accepted::Live,
                received: now,
            };
            let frame =
                decoder.frame(bytes, Some(&birth), &mut |why, _| panic!("{why:?}")).unwrap();
            let (block, readings) = frame.blocks().next().unwrap();
            assert_eq!((frame.sequence, block.parameter), (sequence, Parameter::PumpSpeed));
            assert_eq!(block.start.as_nanos(), now.as_nanos());
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            let expected = count as f32;
            assert_eq!(readings[0].value(), Some(expected));
        }
    }
}
