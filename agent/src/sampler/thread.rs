//! The sampling thread: waits for a deadline, polls, hands over, and nothing else.

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use ecmo_core::time::SampleTime;

use super::lineup::Lineup;
use super::pace::Pace;
use super::plan::Plan;
use super::realtime;
use super::ring::Sender;
use crate::clock;
use crate::counters::Counters;
use crate::worker::{Panicked, Worker};

/// A thread that samples until it is stopped or dropped.
#[derive(Debug)]
pub struct Sampler {
    stop: Arc<AtomicBool>,
    /// `None` once it is joined.
    worker: Option<Worker>,
}

impl Sampler {
    /// Starts to sample; returns when the thread has its footing, which `counters` then tell.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn start(
        mut lineup: Lineup,
        plan: Plan,
        sender: Sender,
        counters: Arc<Counters>,
    ) -> Result<Self, std::io::Error> {
        // From this thread: theirs must not inherit what the sampling thread is given.
        lineup.start()?;
        let stop = Arc::new(AtomicBool::new(false));
        let should_stop = Arc::clone(&stop);
        let (stands, has_footing) = mpsc::sync_channel(1);
        let worker = Worker::start("ecmo-sampler", move || {
            let footing = realtime::stand(&plan);
            counters.footing.get_or_init(|| footing);
            // Whoever started this thread waits, or has ended.
            let _may_have_ended = stands.send(());
            let mut round = Round::new(lineup, plan.tick, sender, counters);
            while !should_stop.load(Ordering::Relaxed) {
                clock::sleep_until(round.pace.deadline());
                round.go(clock::now());
            }
        })?;
        // An error is a thread that panicked, which is noticed by its end.
        let _or_ended = has_footing.recv();
        Ok(Self { stop, worker: Some(worker) })
    }

    /// Waits until the thread has ended, which it does unasked only when it panics.
    pub async fn ended(&mut self) {
        if let Some(worker) = &mut self.worker {
            worker.ended().await;
        }
    }

    /// Stops the thread and waits for its end, at most about one tick unless a sensor blocks.
    ///
    /// # Errors
    /// The thread panicked.
    pub async fn stop(mut self) -> Result<(), Panicked> {
        self.stop.store(true, Ordering::Relaxed);
        match self.worker.take() {
            Some(worker) => worker.join().await,
            None => Ok(()),
        }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// What the thread does at each tick. It allocates nothing.
struct Round {
    lineup: Lineup,
    pace: Pace,
    sender: Sender,
    counters: Arc<Counters>,
}

impl Round {
    fn new(lineup: Lineup, tick: Duration, sender: Sender, counters: Arc<Counters>) -> Self {
        Self { lineup, pace: Pace::new(clock::now(), tick), sender, counters }
    }

    fn go(&mut self, now: SampleTime) {
        let time = self.pace.begin(now, &self.counters);
        let tick = self.lineup.poll(time);
        if tick.batch.refused > 0 {
            self.counters.lines_refused.add(tick.batch.refused);
        }
        if tick.batch.lost > 0 {
            self.counters.samples_lost.add(tick.batch.lost);
        }
        self.sender.send(tick, &self.counters);
    }
}

#[cfg(test)]
mod tests;
