//! Tests of the way from a sensor through both threads to whoever takes frames.

use core::time::Duration;
use std::sync::mpsc;

use super::*;
use crate::frame::Boot;
use crate::sampler::{Lineup, Plan, Sampler, ring};
use crate::sensor::{Batch, Channel, Sensor, SourceKind};
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;
use ecmo_core::time::SampleTime;
use ecmo_proto::topic::{Id, PumpAddress};
use ecmo_proto::v1;

/// Longest wait for what should happen soon.
const SOON: Duration = Duration::from_secs(20);

const TICK: Duration = Duration::from_millis(2);

/// Flow at every tick; a bubble comes at one of them.
struct Circuit {
    channels: Vec<Channel>,
    start: Option<SampleTime>,
    polls: u32,
    bubble_at: u32,
    bubble: mpsc::SyncSender<SampleTime>,
}

impl Sensor for Circuit {
    fn device(&self) -> &str {
        "circuit"
    }

    fn source(&self) -> SourceKind {
        SourceKind::Measured
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn poll(&mut self, now: SampleTime, out: &mut Batch) {
        // Evenly, whatever ticks a busy machine leaves out: uneven samples would end a frame early.
        let start = *self.start.get_or_insert(now);
        out.push(0, start.plus(TICK.saturating_mul(self.polls)), Reading::Value(1.0));
        self.polls += 1;
        if self.polls == self.bubble_at {
            out.push(1, now, Reading::Value(1.0));
            self.bubble.send(now).unwrap();
        }
    }
}

/// A pump that runs, with what its frames are sent to.
struct Running {
    sampler: Sampler,
    framer: Worker,
    counters: Arc<Counters>,
    bubble: mpsc::Receiver<SampleTime>,
}

impl Running {
    fn start(bubble_at: u32, period: Duration, takers: Vec<Taker>) -> Self {
        let (sender, bubble) = mpsc::sync_channel(1);
        let channels = vec![
            Channel::new(Parameter::FlowBlood, 500.0, 1.0),
            Channel::new(Parameter::AirBubble, 0.0, 1.0),
        ];
        let circuit = Circuit { channels, start: None, polls: 0, bubble_at, bubble: sender };
        let lineup = Lineup::new(vec![Box::new(circuit)]).unwrap();
        let address = PumpAddress { ward: Id::new("w").unwrap(), pump: Id::new("p").unwrap() };
        let (sender, receiver) = ring(&lineup, TICK, period);
        let framer = Framer::new(&Boot::new(address), lineup.channels(), period);
        let counters = Arc::<Counters>::default();
        let framer = start(framer, receiver, takers, Arc::clone(&counters)).unwrap();
        let plan = Plan { tick: TICK, realtime: false, why_not_realtime: "a test", cpu: None };
        let sender = sender.waking(framer.thread().clone());
        let sampler = Sampler::start(lineup, plan, sender, Arc::clone(&counters)).unwrap();
        Self { sampler, framer, counters, bubble }
    }

    async fn stop(self) -> Arc<Counters> {
        self.sampler.stop().await.unwrap();
        self.framer.join().await.unwrap();
        self.counters
    }
}

fn channel() -> (Taker, mpsc::Receiver<PreparedFrame>) {
    // More than a test makes: the taker must not wait.
    let (sender, receiver) = mpsc::sync_channel(10_000);
    // The test may have seen enough.
    let take = move |frame: &PreparedFrame| drop(sender.send(frame.clone()));
    (Box::new(take), receiver)
}

fn decoded(frame: &PreparedFrame) -> v1::Frame {
    let stamp = crate::clock::Stamp { mono: SampleTime::default(), wall_ns: 0 };
    ecmo_proto::sealed::open(&frame.seal(stamp)).unwrap()
}

#[tokio::test]
async fn an_edge_leaves_with_its_own_tick_when_no_frame_is_due_for_an_hour() {
    let (taker, frames) = channel();
    // Only the bubble can end a frame.
    let running = Running::start(7, Duration::from_secs(3600), vec![taker]);
    let bubble = running.bubble.recv_timeout(SOON).unwrap();
    let frame = frames.recv_timeout(SOON).expect("the frame of the bubble");
    assert_eq!(frame.finished(), bubble, "nothing later than the bubble is in its frame");
    let blocks = decoded(&frame).blocks;
    assert_eq!(blocks.iter().map(|block| block.channel).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(blocks[0].counts.len(), 7);
    running.stop().await;
    assert!(frames.try_recv().is_err(), "no other frame");
}

#[tokio::test]
async fn every_taker_gets_every_frame_and_every_sample_is_in_one() {
    let ((one, frames), (two, others)) = (channel(), channel());
    let running = Running::start(u32::MAX, Duration::from_millis(20), vec![one, two]);
    let mut samples = 0;
    for sequence in 0..10 {
        let frame = frames.recv_timeout(SOON).unwrap();
        assert_eq!(
            (frame.sequence(), others.recv_timeout(SOON).unwrap().sequence()),
            (sequence, sequence)
        );
        for block in decoded(&frame).blocks {
            assert_eq!(block.first_index, samples, "no sample is missing and none is doubled");
            samples += block.counts.len() as u64;
        }
    }
    let counters = running.stop().await;
    assert!(counters.samples.get() >= samples);
    assert_eq!(counters.overruns.get(), 0);
    assert!(counters.framer_rounds.get() > 0);
}

#[tokio::test]
async fn a_taker_that_waits_loses_batches_that_are_counted_and_never_stops_the_sampler() {
    let (hold, held) = mpsc::sync_channel::<()>(0);
    let taker: Taker = Box::new(move |_frame| held.recv().unwrap_or_default());
    let running = Running::start(u32::MAX, Duration::from_millis(20), vec![taker]);
    let counters = Arc::clone(&running.counters);
    let give_up = crate::clock::now().plus(SOON);
    while counters.overruns.get() < 10 && crate::clock::now() < give_up {
        tokio::time::sleep(TICK).await;
    }
    assert!(counters.overruns.get() >= 10, "the ring is bounded");
    drop(hold);
    let counters = running.stop().await;
    let summary = counters.summary();
    assert_eq!(summary.overruns, summary.samples_overrun, "one sample a tick");
    assert_eq!(summary.samples + summary.samples_overrun, summary.ticks);
}
