//! The thread that makes frames of ticks and gives each frame to everybody who takes frames.
//!
//! It sleeps until the sampler wakes it: when a frame is due, at an edge, and at least every 100 ms to show that it goes on.

use std::sync::Arc;
use std::thread;

use crate::counters::Counters;
use crate::frame::{Framer, PreparedFrame};
use crate::sampler::Receiver;
use crate::worker::Worker;

/// Somebody who takes every frame. It must not wait: what holds it up holds up all frames, and in the end samples are lost.
pub type Taker = Box<dyn FnMut(&PreparedFrame) + Send>;

/// Starts the thread; it ends when the sampler has ended and its last tick is in a frame or given up.
///
/// # Errors
/// The system refuses another thread.
pub fn start(
    framer: Framer,
    ring: Receiver,
    takers: Vec<Taker>,
    counters: Arc<Counters>,
) -> Result<Worker, std::io::Error> {
    Worker::start("ecmo-framer", move || run(framer, ring, takers, &counters))
}

fn run(mut framer: Framer, mut ring: Receiver, mut takers: Vec<Taker>, counters: &Counters) {
    loop {
        while let Some(tick) = ring.take() {
            framer.on_tick(tick, counters, |frame| {
                for take in &mut takers {
                    take(&frame);
                }
            });
        }
        counters.framer_rounds.add(1);
        if ring.is_over() {
            return;
        }
        // Woken before it parks, it does not park: no tick is overlooked.
        thread::park();
    }
}

#[cfg(test)]
mod tests;
