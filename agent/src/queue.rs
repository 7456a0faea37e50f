//! Frames on their way from the sampling thread to each path: bounded, newest first to survive.

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::counters::{Counter, Counters};
use crate::frame::PreparedFrame;

/// A frame older than this is no live data any more and is not sent.
pub const FRAME_AGE_MAX: Duration = Duration::from_secs(1);

/// Least time between two frames, in milliseconds: the least frame period, and with it the tick.
const FRAME_MS_MIN: usize = 5;

/// Most frames that wait: as many as can be live, and a quarter more for frames that were cut early.
pub const FRAMES_MAX: usize = 1000 / FRAME_MS_MIN * 5 / 4;
const _: () = assert!(FRAMES_MAX == 250);

/// A queue of frames. When it is full the oldest frame goes, because the newest says most about the patient; each is counted.
#[derive(Debug, Default)]
pub struct FrameQueue {
    /// Held for moments only and never while anything waits, so the sampling thread may take it.
    waiting: Mutex<VecDeque<PreparedFrame>>,
    arrived: Notify,
    dropped: Counter,
}

/// One queue for each path: every frame goes to all of them, and a full one takes nothing from the others.
#[derive(Debug, Clone)]
pub struct Outlets {
    queues: Vec<Arc<FrameQueue>>,
}

impl Outlets {
    /// Queues for so many paths.
    #[must_use]
    pub fn new(paths: usize) -> Self {
        Self { queues: (0..paths).map(|_| Arc::default()).collect() }
    }

    /// The queues, in the order of the paths.
    #[must_use]
    pub fn queues(&self) -> &[Arc<FrameQueue>] {
        &self.queues
    }

    /// Adds the newest frame to every queue.
    pub fn push(&self, frame: &PreparedFrame, counters: &Counters) {
        for queue in &self.queues {
            queue.push(frame.clone(), counters);
        }
    }
}

impl FrameQueue {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<PreparedFrame>> {
        // Nothing in here can panic half way, so a poisoned queue is whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the newest frame.
    pub fn push(&self, frame: PreparedFrame, counters: &Counters) {
        let oldest = {
            let mut waiting = self.waiting();
            let oldest = if waiting.len() >= FRAMES_MAX { waiting.pop_front() } else { None };
            waiting.push_back(frame);
            oldest
        };
        if oldest.is_some() {
            counters.frames_dropped_full.add(1);
            self.dropped.add(1);
        }
        self.arrived.notify_one();
    }

    /// Takes the oldest frame.
    #[must_use]
    pub fn pop(&self) -> Option<InHand<'_>> {
        let frame = self.waiting().pop_front()?;
        Some(InHand { frame: Some(frame), queue: self })
    }

    /// Whether no frame waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    /// Frames that found it full, since it was made.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.get()
    }

    /// Waits until a frame was added since the last wait.
    pub async fn arrived(&self) {
        self.arrived.notified().await;
    }
}

/// A frame in the hands of the publisher. It goes back to the front of the queue unless it is [used](Self::used), so that
/// a connection that is lost at the wrong moment loses no frame uncounted.
#[derive(Debug)]
pub struct InHand<'a> {
    frame: Option<PreparedFrame>,
    queue: &'a FrameQueue,
}

impl InHand<'_> {
    /// The frame.
    #[must_use]
    pub fn frame(&self) -> &PreparedFrame {
        self.frame.as_ref().expect("a frame in hand is there until it is used or dropped")
    }

    /// The frame is published or given up.
    pub fn used(mut self) {
        self.frame = None;
    }
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        if let Some(frame) = self.frame.take() {
            self.queue.waiting().push_front(frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Stamp;
    use crate::frame::{Boot, Framer};
    use crate::sampler::Tick;
    use crate::sensor::Batch;
    use ecmo_core::time::SampleTime;
    use ecmo_proto::topic::{Id, PumpAddress};

    #[tokio::test]
    async fn the_oldest_frames_go_and_are_counted() {
        let address = PumpAddress { ward: Id::new("w").unwrap(), pump: Id::new("p").unwrap() };
        let mut framer = Framer::new(&Boot::new(address), &[], Duration::from_millis(20));
        let (queue, counters) = (FrameQueue::default(), Counters::default());
        for tick in 0..=300 {
            let time = SampleTime::from_millis(tick * 20);
            let tick = Tick { time, batch: &Batch::default(), has_edge: false };
            framer.on_tick(tick, &counters, |frame| queue.push(frame, &counters));
        }
        queue.arrived().await;
        assert_eq!((counters.summary().frames_dropped_full, queue.dropped()), (50, 50));
        drop(queue.pop());
        let mut sequences = Vec::new();
        while let Some(frame) = queue.pop() {
            let sealed = frame.frame().seal(Stamp { mono: SampleTime::default(), wall_ns: 0 });
            sequences
                .push(ecmo_proto::sealed::open::<ecmo_proto::v1::Frame>(&sealed).unwrap().sequence);
            frame.used();
        }
        assert_eq!(sequences, (50..300).collect::<Vec<_>>());
    }
}
