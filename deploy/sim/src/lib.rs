//! Agents, brokers, gateways and displays as state machines under one seed: virtual time, one source of chance, real decisions.
//!
//! A seed makes a [`plan::Plan`]: how many pumps, brokers, gateways and displays, at which pace, and which faults visit them. The
//! [`world::World`] goes from event to event and checks after each of them what must hold whatever goes wrong ([`checks`]). The
//! decisions are the real ones: the core's `Pump`, `Uplink`, restore and actions, the agent's lease, the displays' `Screen`; the
//! network, the disks and the people are simulated. [`breaks`] plants faults that the checks must find.
//!
//! The same seed makes the same steps, byte for byte, in every build: the digest over all of them is printed.

pub mod time;

pub mod dice;

pub mod many;

pub mod queue;

pub mod trace;

pub mod rules;

pub mod truth;

pub mod link;

pub mod peer;

pub mod stream;

pub mod store;

pub mod faults;

pub mod plan;

pub mod message;

pub mod net;

pub mod invariant;

pub mod breaks;

pub mod broker;

pub mod agent;

pub mod words;

pub mod gateway;

pub mod ledger;

pub mod display;

pub mod checks;

pub mod wire;

pub mod world;

pub mod run;
