//! A neonatal ECMO circuit with its patient and its sensors, simulated from a seed: good enough to judge alarms against.
//!
//! A model of our own. What is judged is shape and order of magnitude, for patients of 2 to 5 kg, centrifugal and roller
//! pumps, veno-arterial and veno-venous: see the modules for their assumptions. Faults come with the moment at which their
//! physics, without noise, first fulfil the criterion of the condition that should alarm.
//!
//! Invariants:
//! - The same setup gives the same samples to the bit, on every machine, in debug and release: no clock, no function of
//!   the platform's mathematics, one seeded generator for noise and one for each event.
//! - Nothing is read or written; time is counted in ticks of 10 ms.

pub mod fault;

pub mod disturbance;

pub mod setup;

pub mod channel;

pub mod state;

pub mod expectation;

mod math;

mod influence;

mod schedule;

mod patient;

mod hydraulics;

mod blood;

mod device;

mod chatter;

pub mod truth;

mod body;

mod sensors;

pub mod simulation;

pub use channel::Channel;
pub use disturbance::Disturbance;
pub use expectation::Expectation;
pub use fault::{Fault, UnknownFault};
pub use setup::{Event, Feed, Setup, What};
pub use simulation::{Simulation, TICK};
pub use state::State;
pub use truth::Truth;
