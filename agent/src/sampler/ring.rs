//! Carries what each tick delivers from the sampling thread to the framer's, without a lock and without waiting.
//!
//! A batch goes in whole or not at all. When the framer is held up for so long that there is no room, the newest batch is
//! lost and counted: sampling goes on. Samples of edge channels are held back then and sent with the next batch that finds
//! room: a bubble must not vanish because a thread was slow.

use core::iter;
use core::time::Duration;
use std::thread::Thread;

use ecmo_core::time::SampleTime;
use rtrb::{Consumer, Producer, RingBuffer};

use super::lineup::{Lineup, Tick};
use super::pace::Grid;
use crate::counters::Counters;
use crate::sensor::{Batch, Channel, Sample};

/// How long the framer may be held up before a batch is lost, beside one burst of a sensor that was held up itself.
const STALL: Duration = Duration::from_secs(1);

/// The framer is woken at least this often while the sampler goes on, so that its own progress can be seen.
const SIGN_PERIOD: Duration = Duration::from_millis(100);

/// Samples of edge channels that outlive a full ring: changes of four channels for many bounces of a sensor.
const HELD_MAX: usize = 64;

/// What lies in the ring.
#[derive(Debug, Clone, Copy)]
enum Entry {
    Sample(Sample),
    /// A tick is complete.
    End {
        time: SampleTime,
        has_edge: bool,
    },
}

/// The sampler's end.
#[derive(Debug)]
pub struct Sender {
    /// Taken when the sampler ends, before the framer is woken for the last time.
    ring: Option<Producer<Entry>>,
    /// When a frame is due.
    frame: Grid,
    /// When the framer is to show that it goes on.
    sign: Grid,
    framer: Option<Thread>,
    /// By channel: whether it is an edge channel.
    is_edge: Vec<bool>,
    held: Vec<Sample>,
}

/// The framer's end.
#[derive(Debug)]
pub struct Receiver {
    ring: Consumer<Entry>,
    batch: Batch,
}

/// A ring for the ticks of a lineup.
#[must_use]
pub fn ring(lineup: &Lineup, tick: Duration, frame_period: Duration) -> (Sender, Receiver) {
    let ticks = STALL.as_nanos() / tick.as_nanos().max(1) + 1;
    let ends = usize::try_from(ticks).unwrap_or(usize::MAX);
    let room = lineup.burst().saturating_add(lineup.samples_in(STALL));
    let (producer, consumer) = RingBuffer::new(room.saturating_add(ends));
    let sender = Sender {
        ring: Some(producer),
        frame: Grid::new(frame_period),
        sign: Grid::new(SIGN_PERIOD),
        framer: None,
        is_edge: lineup.channels().iter().map(Channel::is_edge).collect(),
        held: Vec::with_capacity(HELD_MAX),
    };
    (sender, Receiver { ring: consumer, batch: Batch::with_capacity(lineup.burst()) })
}

impl Sender {
    /// Whom to wake: the thread that has the other end.
    #[must_use]
    pub fn waking(mut self, framer: Thread) -> Self {
        self.framer = Some(framer);
        self
    }

    /// Hands over a tick. Never waits; wakes the framer when a frame is due or must leave at once.
    pub(super) fn send(&mut self, tick: Tick<'_>, counters: &Counters) {
        let samples = &tick.batch.samples;
        let has_edge = tick.has_edge || !self.held.is_empty();
        let entries = self.held.len() + samples.len() + 1;
        let Some(ring) = &mut self.ring else { return };
        if let Ok(room) = ring.write_chunk_uninit(entries) {
            counters.samples.add((entries - 1) as u64);
            let end = Entry::End { time: tick.time, has_edge };
            let samples = self.held.iter().chain(samples).copied().map(Entry::Sample);
            room.fill_from_iter(samples.chain(iter::once(end)));
            self.held.clear();
        } else {
            let held = if tick.has_edge { self.hold(samples) } else { 0 };
            counters.overruns.add(1);
            counters.samples_overrun.add((samples.len() - held) as u64);
        }
        let (frame, sign) = (self.frame.reaches(tick.time), self.sign.reaches(tick.time));
        if frame || sign || has_edge {
            self.wake();
        }
    }

    /// Keeps the samples of edge channels while there is room; tells how many.
    fn hold(&mut self, samples: &[Sample]) -> usize {
        let is_edge = |sample: &&Sample| self.is_edge.get(sample.channel) == Some(&true);
        let room = HELD_MAX - self.held.len();
        let before = self.held.len();
        self.held.extend(samples.iter().filter(is_edge).take(room));
        self.held.len() - before
    }

    fn wake(&self) {
        if let Some(framer) = &self.framer {
            framer.unpark();
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // The framer sees that nothing more comes only when the producer is gone before it wakes.
        drop(self.ring.take());
        self.wake();
    }
}

impl Receiver {
    /// The next tick, when there is one.
    pub fn take(&mut self) -> Option<Tick<'_>> {
        self.batch.clear();
        loop {
            match self.ring.pop().ok()? {
                Entry::Sample(sample) => self.batch.samples.push(sample),
                Entry::End { time, has_edge } => {
                    return Some(Tick { time, batch: &self.batch, has_edge });
                }
            }
        }
    }

    /// Whether the sampler has ended and nothing is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        // In this order: what it put in before it ended is seen.
        self.ring.is_abandoned() && self.ring.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Each;
    use super::*;
    use ecmo_core::parameter::Parameter;
    use ecmo_core::reading::Reading;

    const TICK: Duration = Duration::from_millis(10);
    const FRAME: Duration = Duration::from_millis(20);

    /// Fills the ring until a batch is lost; tells how many ticks it took.
    fn fill(lineup: &mut Lineup, sender: &mut Sender, counters: &Counters) -> u64 {
        for tick in 1.. {
            sender.send(lineup.poll(SampleTime::from_millis(tick * 10)), counters);
            if counters.overruns.get() > 0 {
                return tick;
            }
        }
        0
    }

    #[test]
    fn a_full_ring_loses_the_newest_batch_counts_it_and_goes_on_with_whole_ticks() {
        let mut lineup =
            Lineup::new(vec![Each::boxed(&[Parameter::FlowBlood, Parameter::PressPre])]).unwrap();
        let counters = Counters::default();
        let (mut sender, mut receiver) = ring(&lineup, TICK, FRAME);
        let lost_at = fill(&mut lineup, &mut sender, &counters);
        assert!(Duration::from_millis(lost_at * 10) > STALL, "{lost_at} ticks");
        assert_eq!(counters.samples_overrun.get(), 2);
        for tick in 1..lost_at {
            let received = receiver.take().unwrap();
            assert_eq!(received.time, SampleTime::from_millis(tick * 10));
            assert_eq!(received.batch.samples.len(), 2);
        }
        assert!(receiver.take().is_none());
        sender.send(lineup.poll(SampleTime::from_millis(100_000)), &counters);
        assert_eq!(receiver.take().unwrap().time, SampleTime::from_millis(100_000));
        assert_eq!(counters.overruns.get(), 1);
        assert_eq!(counters.samples.get(), 2 * lost_at);
    }

    #[test]
    fn a_bubble_outlives_a_full_ring_and_still_leaves_at_once() {
        let channels = [Parameter::FlowBlood, Parameter::AirBubble];
        let mut lineup = Lineup::new(vec![Each::boxed(&channels)]).unwrap();
        let counters = Counters::default();
        let (mut sender, mut receiver) = ring(&lineup, TICK, FRAME);
        let lost_at = fill(&mut lineup, &mut sender, &counters);
        let bubble = SampleTime::from_millis(lost_at * 10 + 10);
        let sample = Sample { channel: 1, time: bubble, reading: Reading::Value(2.0) };
        let batch = Batch { samples: vec![sample], ..Batch::default() };
        // Three bounces while there is no room.
        for _bounce in 0..3 {
            sender.send(Tick { time: bubble, batch: &batch, has_edge: true }, &counters);
        }
        while receiver.take().is_some() {}
        let after = SampleTime::from_millis(100_000);
        sender.send(Tick { time: after, batch: &Batch::default(), has_edge: false }, &counters);
        let received = receiver.take().unwrap();
        assert!(received.has_edge);
        assert_eq!(received.batch.samples, [sample; 3]);
        assert_eq!((counters.overruns.get(), counters.samples_overrun.get()), (4, 2));
    }

    #[test]
    fn the_end_of_the_sampler_is_seen_after_its_last_tick() {
        let mut lineup = Lineup::new(vec![Each::boxed(&[Parameter::FlowBlood])]).unwrap();
        let counters = Counters::default();
        let (mut sender, mut receiver) = ring(&lineup, TICK, FRAME);
        sender.send(lineup.poll(SampleTime::from_millis(1_000)), &counters);
        drop(sender);
        assert!(!receiver.is_over());
        assert!(receiver.take().is_some());
        assert!(receiver.is_over());
    }
}
