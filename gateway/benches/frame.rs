//! Cost of one frame from the broker's bytes to the decision, with the gateway's own decoder: `cargo bench -p ecmo-gateway`.

use std::sync::Arc;
use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use ecmo_core::alarm::{AlarmChange, Output};
use ecmo_core::frame::Frame;
use ecmo_core::parameter::Parameter;
use ecmo_core::pump::Pump;
use ecmo_core::time::{ClockMap, Instant};
use ecmo_gateway::decode::{self, Accepted, Decoder, FrameBytes};
use ecmo_proto::sealed::seal;
use ecmo_proto::v1;
use prost::Message as _;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const PUMP: &str = "pump-01";

/// Parameter, samples a frame, count of a healthy value.
const CIRCUIT: [(Parameter, u8, i32); 12] = [
    (Parameter::PressDrain, 2, -300),
    (Parameter::PressPre, 2, 1_500),
    (Parameter::PressPost, 2, 1_400),
    (Parameter::FlowBlood, 1, 4_000),
    (Parameter::PumpSpeed, 1, 20_000),
    (Parameter::PumpSpeedSet, 1, 20_000),
    (Parameter::PressDelta, 1, 100),
    (Parameter::SatDrain, 1, 700),
    (Parameter::SatPost, 1, 990),
    (Parameter::TempReturn, 1, 366),
    (Parameter::GasSweep, 1, 4_000),
    (Parameter::AirBubble, 1, 0),
];

fn main() {
    divan::main();
}

struct Nobody;

impl Output for Nobody {
    fn evaluated(&mut self, frame: &Frame, _clock: &ClockMap) {
        black_box(frame.sequence);
    }

    fn alarm(&mut self, change: AlarmChange<'_>) {
        black_box(change.transition);
    }
}

fn birth() -> v1::Birth {
    let channel = |(parameter, samples, _count): &(Parameter, u8, i32)| v1::Channel {
        id: parameter.info().id.to_owned(),
        unit: parameter.info().unit.to_owned(),
        rate_hz: f64::from(*samples) * 50.0,
        scale: 0.1,
        ..v1::Channel::default()
    };
    let channels = CIRCUIT.iter().map(channel).collect();
    v1::Birth { pump: PUMP.to_owned(), boot_id: 7, channels, ..v1::Birth::default() }
}

fn frame(sequence: u64) -> bytes::Bytes {
    let block =
        |(channel, (_parameter, samples, count)): (u32, &(Parameter, u8, i32))| v1::SampleBlock {
            channel,
            first_index: sequence * u64::from(*samples),
            interval_us: 10_000,
            counts: vec![*count; usize::from(*samples)],
            ..v1::SampleBlock::default()
        };
    seal(&v1::Frame {
        pump: PUMP.to_owned(),
        boot_id: 7,
        sequence,
        start_mono_ns: sequence * 20_000_000,
        publish_mono_ns: (sequence + 1) * 20_000_000,
        blocks: (0..).zip(&CIRCUIT).map(block).collect(),
        ..v1::Frame::default()
    })
}

/// Check sum, protobuf, counts into values, order, rules. Making and sealing the frame is not counted.
#[divan::bench]
fn bytes_to_decision(bencher: Bencher<'_, '_>) {
    let birth = decode::birth(&birth().encode_to_vec(), PUMP).expect("the birth is right");
    let profile = Arc::new(ecmo_profile::starter());
    let window = Duration::from_millis(100);
    let mut pump = Pump::new(profile, window, Instant::default());
    pump.on_birth(birth.boot, &birth.channels, None, false, Instant::default(), &mut Nobody)
        .expect("the first birth is taken");
    let mut decoder = Decoder::default();
    let mut sequence = 0;
    let next = || {
        sequence += 1;
        (frame(sequence), Instant::from_millis(sequence * 20))
    };
    bencher.counter(ItemsCount::new(1_u32)).with_inputs(next).bench_local_values(
        |(payload, received)| {
            let accepted = Accepted::Live;
            let payload = payload.as_ref();
            let bytes = FrameBytes { payload, pump: PUMP, retained: false, accepted, received };
            let mut invalid = |_reason, _samples| {};
            let frame =
                decoder.frame(bytes, Some(&birth), &mut invalid).expect("the frame is right");
            pump.on_frame(frame, received, &mut Nobody).expect("the frame is of the present run");
        },
    );
    assert!(pump.alarms().is_empty(), "a healthy circuit raises nothing");
}
