//! Samples all sensors of a pump at a fixed pace, on a thread of its own with absolute deadlines.

mod pace;

mod lineup;

mod ring;

mod plan;

mod realtime;

mod thread;

pub use lineup::{CHANNELS_MAX, Lineup, LineupError, Tick};
pub use pace::Grid;
pub use plan::Plan;
pub use realtime::footing_here;
pub use ring::{Receiver, Sender, ring};
pub use thread::Sampler;

#[cfg(test)]
mod testing;
