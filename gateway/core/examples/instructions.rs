//! A fixed amount of work for an instruction counter: `instructions (make|judge) FRAMES` makes frames of 12 channels, and judges them.
//!
//! The difference of both counts, divided by the frames, is what the whole rule set costs a frame: a number that does not
//! depend on how busy the machine is. `cargo xtask bench instructions` runs it.
#![expect(clippy::unwrap_used, reason = "a tool that cannot go on says where")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use ecmo_core::alarm::treatment::Treatment;
use ecmo_core::alarm::{AlarmChange, Output};
use ecmo_core::case::{Case, PumpKind, Therapy};
use ecmo_core::channel::ChannelSpec;
use ecmo_core::frame::{BootId, Frame, FrameStamp};
use ecmo_core::parameter::Parameter;
use ecmo_core::pump::Pump;
use ecmo_core::reading::Reading;
use ecmo_core::time::{ClockMap, Instant, SampleTime};

const FRAME_MS: u64 = 20;

/// Channel, sampling period in ms, mean, pulsation.
const CIRCUIT: [(Parameter, u64, f32, f32); 12] = [
    (Parameter::FlowBlood, 20, 360.0, 8.0),
    (Parameter::PressDrain, 10, -32.0, 4.0),
    (Parameter::PressPre, 10, 150.0, 6.0),
    (Parameter::PressPost, 10, 140.0, 6.0),
    (Parameter::PumpSpeed, 20, 2_000.0, 2.0),
    (Parameter::PumpSpeedSet, 20, 2_000.0, 0.0),
    (Parameter::MotorCurrent, 20, 0.5, 0.01),
    (Parameter::FlowAcousticQuality, 20, 92.0, 1.0),
    (Parameter::SatDrain, 20, 72.0, 0.5),
    (Parameter::SatPost, 20, 99.0, 0.2),
    (Parameter::GasSweep, 20, 360.0, 1.0),
    (Parameter::AirBubble, 20, 0.0, 0.0),
];

/// A triangle of 400 ms between -1 and 1.
fn pulse(ms: u64) -> f32 {
    let phase = f32::from(u16::try_from(ms % 400).unwrap());
    (phase - 200.0).abs() / 100.0 - 1.0
}

/// The samples of one frame.
fn fill(frame: &mut Frame, number: u64) {
    let published = SampleTime::from_millis((number + 1) * FRAME_MS);
    let stamp = FrameStamp {
        published,
        published_wall_ns: 0,
        received: Instant::from_nanos(published.as_nanos()),
    };
    frame.begin(frame.boot, number, stamp);
    let start_ms = number * FRAME_MS;
    for (parameter, period_ms, mean, swing) in CIRCUIT {
        let count = FRAME_MS / period_ms;
        let readings = (0..count)
            .map(|sample| Reading::Value(mean + swing * pulse(start_ms + sample * period_ms)));
        let start = SampleTime::from_millis(start_ms);
        let period = Duration::from_millis(period_ms);
        frame.push(parameter, number * count, start, period, readings);
    }
}

/// Counts what comes out, so that nothing is optimised away.
#[derive(Default)]
struct Count(u64);

impl Output for Count {
    fn evaluated(&mut self, frame: &Frame, _clock: &ClockMap) {
        black_box(frame.sequence);
    }

    fn alarm(&mut self, _change: AlarmChange<'_>) {
        self.0 += 1;
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    let frames: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let boot = BootId::new(1).unwrap();
    let start = Instant::default();
    let mut out = Count::default();
    let mut pump = Pump::new(Arc::new(ecmo_profile::starter()), Duration::from_millis(100), start);
    let channels = CIRCUIT.map(|(parameter, period_ms, _, _)| ChannelSpec {
        parameter,
        interval: Some(Duration::from_millis(period_ms)),
    });
    let kind = Some(PumpKind::Centrifugal);
    pump.on_birth(boot, &channels, kind, false, start, &mut out).unwrap();
    let case = Case {
        pump_kind: kind,
        therapy: Some(Therapy::VenoArterial),
        weight_kg: Some(3.0),
        flow_target: Some(360.0),
        ..Case::default()
    };
    pump.set_treatment(Treatment { case, ..Treatment::default() }, start, &mut out);
    let stamp =
        FrameStamp { published: SampleTime::default(), published_wall_ns: 0, received: start };
    let mut frame = Frame::new(boot, 0, stamp);
    for number in 0..frames {
        fill(&mut frame, number);
        if what == "judge" {
            let now = frame.stamp.received;
            pump.on_frame(&frame, now, &mut out).unwrap();
            if pump.next_deadline().is_some_and(|deadline| now >= deadline) {
                pump.on_tick(now, &mut out);
            }
        }
        black_box(&frame);
    }
    let names: Vec<_> = pump.alarms().iter().map(|one| one.id.condition.to_string()).collect();
    println!("{} changes; active: {}", out.0, names.join(", "));
}
