//! The alarm path does not allocate: nothing on it waits for an allocator.

use std::sync::Arc;
use std::time::Duration;

use allocation_counter::measure;
use ecmo_core::alarm::{AlarmChange, Output};
use ecmo_core::frame::Frame;
use ecmo_core::parameter::Parameter::{AirBubble, PressDrain, PressPost, SatDrain};
use ecmo_core::pump::Pump;
use ecmo_core::reading::{NoData, Reading};
use ecmo_core::time::{ClockMap, Instant};

use crate::bedside::{Agent, FRAME_MS, Signal, WINDOW, boot};

const WARM_UP_FRAMES: usize = 500;
const FRAMES: usize = 10_000;

#[derive(Default)]
struct Count(u64);

impl Output for Count {
    fn evaluated(&mut self, _frame: &Frame, _clock: &ClockMap) {
        self.0 += 1;
    }

    fn alarm(&mut self, _change: AlarmChange<'_>) {}
}

/// Frames with alarms that come and go, in an order of arrival that has repeats, losses and overtaking.
fn arrivals() -> Vec<Frame> {
    let mut agent = Agent::new(boot(1), 0);
    let mut frames = Vec::new();
    let mut ms = 0_u64;
    while frames.len() < WARM_UP_FRAMES + FRAMES {
        let second = ms / 1_000;
        if ms.is_multiple_of(1_000) {
            let (post, air) = if second % 8 < 4 { (120.0, 0.0) } else { (320.0, 1.0) };
            agent.show(PressPost, Signal::Steady(Reading::Value(post)));
            agent.show(AirBubble, Signal::Steady(Reading::Value(air)));
            let sat = if second % 20 < 10 {
                Reading::Value(75.0)
            } else {
                Reading::NoData(NoData::SensorOff)
            };
            agent.show(SatDrain, Signal::Steady(sat));
            agent.show(PressDrain, Signal::Pulsing { mean: -60.0, swing: 20.0 });
        }
        frames.extend(agent.tick(ms));
        ms += 10;
    }
    // The first frame of a run stays first: it says where the numbers begin.
    for (turn, pair) in frames[1..].chunks_exact_mut(7).enumerate() {
        match turn % 4 {
            0 => pair.swap(0, 1),
            1 => pair.swap(2, 5),
            2 => pair[3] = pair[2].clone(),
            _ => {}
        }
    }
    frames
}

#[test]
fn the_core_does_not_allocate_in_the_steady_state() {
    let seen = measure(|| drop(Box::new([0_u8; 64])));
    assert_eq!(seen.count_total, 1, "the counter counts");

    let mut frames = arrivals();
    let mut out = Count::default();
    let mut pump = Pump::new(Arc::new(ecmo_profile::starter()), WINDOW, Instant::default());
    let channels = Agent::new(boot(1), 0).channels();
    pump.on_birth(boot(1), &channels, None, false, Instant::default(), &mut out).unwrap();
    let mut feed = |frames: &mut [Frame], from: usize, pump: &mut Pump| {
        for (number, frame) in frames.iter_mut().enumerate() {
            let ms = FRAME_MS * (from + number) as u64;
            let now = Instant::default().plus(Duration::from_millis(ms));
            frame.stamp.received = now;
            pump.on_frame(frame, now, &mut out).unwrap();
            if pump.next_deadline().is_some_and(|deadline| deadline <= now) {
                pump.on_tick(now, &mut out);
            }
        }
    };
    let (warm_up, steady) = frames.split_at_mut(WARM_UP_FRAMES);
    feed(warm_up, 0, &mut pump);
    let used = measure(|| feed(steady, WARM_UP_FRAMES, &mut pump));
    assert_eq!(used.count_total, 0, "{used:?}");
    let counters = pump.counters().frames;
    assert!(counters.reordered > 100 && counters.duplicate > 100 && counters.missing > 100);
    assert!(counters.accepted > 9_000, "{counters:?}");
    assert!(pump.alarms().len() > 1);
}
