//! Cost of one 20 ms frame of 12 channels: opening its sealed bytes, the starter rules, one view. The rules allocate nothing
//! in the steady state; protobuf does. `cargo bench -p ecmo-gateway` measures both with the gateway's own decoder between.

use std::sync::Arc;
use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use ecmo_core::alarm::{AlarmChange, Output};
use ecmo_core::channel::ChannelSpec;
use ecmo_core::frame::{BootId, Frame, FrameStamp};
use ecmo_core::parameter::Parameter;
use ecmo_core::pump::Pump;
use ecmo_core::reading::Reading;
use ecmo_core::time::{ClockMap, Instant, SampleTime};
use ecmo_core::view::View;
use ecmo_proto::sealed::{open_into, seal};
use ecmo_proto::v1;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const FRAME: Duration = Duration::from_millis(20);
const WINDOW: Duration = Duration::from_millis(100);

/// Frames before the measurement: every buffer has its size, every delay of an alarm has passed.
const WARM_UP_FRAMES: u64 = 3_000;

/// Channel, samples a frame, healthy value, value of a circuit in trouble.
const CIRCUIT: [(Parameter, u8, f32, f32); 12] = [
    (Parameter::FlowBlood, 2, 400.0, -50.0),
    (Parameter::PressDrain, 2, -30.0, -120.0),
    (Parameter::PressPost, 2, 120.0, 5.0),
    (Parameter::PumpSpeed, 1, 3_000.0, 3_000.0),
    (Parameter::PumpSpeedSet, 1, 3_000.0, 3_000.0),
    (Parameter::PressPre, 1, 150.0, 400.0),
    (Parameter::PressDelta, 1, 30.0, 90.0),
    (Parameter::SatDrain, 1, 75.0, 40.0),
    (Parameter::SatPost, 1, 99.0, 80.0),
    (Parameter::TempReturn, 1, 36.8, 34.0),
    (Parameter::GasSweep, 1, 500.0, 500.0),
    (Parameter::AirBubble, 1, 0.0, 0.0),
];

fn main() {
    divan::main();
}

/// Takes what the decisions produce, and counts it.
#[derive(Default)]
struct Count {
    frames: u64,
    changes: u64,
}

impl Output for Count {
    fn evaluated(&mut self, frame: &Frame, _clock: &ClockMap) {
        self.frames += 1;
        black_box(frame.sequence);
    }

    fn alarm(&mut self, change: AlarmChange<'_>) {
        self.changes += 1;
        black_box(change.transition);
    }
}

/// A pump in its steady state, with the frame that comes next.
struct Bedside {
    pump: Pump,
    frame: Frame,
    trouble: bool,
    number: u64,
    out: Count,
}

impl Bedside {
    fn new(trouble: bool) -> Self {
        let boot = BootId::new(7).expect("seven is not zero");
        let spec = |&(parameter, samples, ..): &(Parameter, u8, f32, f32)| ChannelSpec {
            parameter,
            interval: Some(FRAME / u32::from(samples)),
        };
        let channels: Vec<_> = CIRCUIT.iter().map(spec).collect();
        let mut out = Count::default();
        let mut pump = Pump::new(Arc::new(ecmo_profile::starter()), WINDOW, Instant::default());
        pump.on_birth(boot, &channels, None, false, Instant::default(), &mut out)
            .expect("the first birth is taken");
        let frame = Frame::new(boot, 0, stamp(SampleTime::default(), Instant::default()));
        let mut bedside = Self { pump, frame, trouble, number: 0, out };
        for _frame in 0..WARM_UP_FRAMES {
            bedside.make_next();
            bedside.judge();
        }
        let expected = if trouble { 10 } else { 0 };
        assert_eq!(bedside.pump.alarms().len(), expected, "the circuit is as it is meant to be");
        bedside
    }

    fn now(&self) -> Instant {
        Instant::default().plus(FRAME * u32::try_from(self.number).unwrap_or(u32::MAX))
    }

    /// Fills the frame that comes next, in its buffers.
    fn make_next(&mut self) {
        self.number += 1;
        let start = SampleTime::from_nanos(self.now().as_nanos());
        self.frame.begin(self.frame.boot, self.number, stamp(start.plus(FRAME), self.now()));
        for (parameter, samples, healthy, troubled) in CIRCUIT {
            let value = if self.trouble { troubled } else { healthy };
            let readings = (0..samples).map(|_sample| Reading::Value(value));
            let first = self.number * u64::from(samples);
            self.frame.push(parameter, first, start, FRAME / u32::from(samples), readings);
        }
    }

    fn judge(&mut self) {
        let now = self.now();
        self.pump
            .on_frame(black_box(&self.frame), now, &mut self.out)
            .expect("the frame is of the present run");
    }
}

fn stamp(published: SampleTime, received: Instant) -> FrameStamp {
    FrameStamp { published, published_wall_ns: 0, received }
}

/// One frame of 15 samples through every rule: a healthy circuit, and one with ten alarms.
#[divan::bench(args = [false, true])]
fn frame_through_the_rules(bencher: Bencher<'_, '_>, trouble: bool) {
    let mut bedside = Bedside::new(trouble);
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        bedside.make_next();
        bedside.judge();
    });
    assert_eq!(bedside.pump.counters().frames.accepted, bedside.number, "every frame was judged");
}

/// The same circuit's frame as it comes from the broker.
fn sealed_bytes() -> bytes::Bytes {
    let block =
        |(channel, (_parameter, samples, ..)): (u32, &(Parameter, u8, f32, f32))| v1::SampleBlock {
            channel,
            first_index: 100_000,
            interval_us: 10_000,
            counts: (0..*samples).map(|sample| 1_200 + i32::from(sample)).collect(),
            ..v1::SampleBlock::default()
        };
    let frame = v1::Frame {
        pump: "pump-01".to_owned(),
        boot_id: 7,
        sequence: 100_000,
        start_mono_ns: 2_000_000_000_000,
        publish_mono_ns: 2_000_020_000_000,
        publish_wall_ns: 1_790_000_000_000_000_000,
        blocks: (0..).zip(&CIRCUIT).map(block).collect(),
        ..v1::Frame::default()
    };
    seal(&frame)
}

/// Check sum and protobuf of one frame, into a message that is used again.
#[divan::bench]
fn opening_the_sealed_bytes(bencher: Bencher<'_, '_>) {
    let sealed = sealed_bytes();
    let mut wire = v1::Frame::default();
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        open_into(black_box(&sealed), &mut wire).expect("the seal is right");
        black_box(&wire);
    });
    assert_eq!(wire.blocks.len(), CIRCUIT.len(), "the frame was read");
}

/// Both: from the broker's bytes to the decision.
#[divan::bench]
fn opening_and_judging(bencher: Bencher<'_, '_>) {
    let sealed = sealed_bytes();
    let mut wire = v1::Frame::default();
    let mut bedside = Bedside::new(false);
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        open_into(black_box(&sealed), &mut wire).expect("the seal is right");
        bedside.make_next();
        bedside.judge();
    });
    assert_eq!(bedside.pump.counters().frames.accepted, bedside.number, "every frame was judged");
}

/// Making the frame alone: what the measurement above carries that is not the core's.
#[divan::bench]
fn making_the_frame(bencher: Bencher<'_, '_>) {
    let mut bedside = Bedside::new(false);
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        bedside.make_next();
        black_box(&bedside.frame);
    });
}

/// Two frames in the wrong order: the second waits, is copied, and is judged in its place.
#[divan::bench]
fn two_overtaken_frames(bencher: Bencher<'_, '_>) {
    let mut bedside = Bedside::new(false);
    let mut late = bedside.frame.clone();
    let mut overtake = |bedside: &mut Bedside| {
        bedside.make_next();
        late.copy_from(&bedside.frame);
        bedside.make_next();
        bedside.judge();
        std::mem::swap(&mut late, &mut bedside.frame);
        bedside.judge();
    };
    // The first pair makes the buffers of what waits.
    overtake(&mut bedside);
    bencher.counter(ItemsCount::new(2_u32)).bench_local(|| overtake(&mut bedside));
    let counters = bedside.pump.counters().frames;
    assert_eq!(counters.accepted, bedside.number, "every frame was judged");
    assert!(counters.reordered > 0);
}

/// One view for the displays: made at the pace of displays, so it may allocate.
#[divan::bench(args = [false, true])]
fn view_of_the_pump(bencher: Bencher<'_, '_>, trouble: bool) {
    let bedside = Bedside::new(trouble);
    let now = bedside.now();
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| View::of(black_box(&bedside.pump), now));
}
