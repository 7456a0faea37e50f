//! What the tests of agent, gateway, display and bench share: faults on the wire, brokers, serial
//! lines, displays, our programs as processes, and waiting with a deadline.
//!
//! Proxy and brokers run on threads of their own, so a test may use them inside any tokio runtime,
//! current-thread or multi-thread, or inside none.

pub mod wait;

pub mod proxy;

pub mod broker;

pub mod pty;

pub mod display;

pub mod attendant;

pub mod program;

pub use broker::{EmbeddedBroker, Mosquitto};
pub use program::Program;
pub use proxy::{Direction, FaultProxy, PublishFaults};
pub use pty::Pty;
pub use wait::{eventually, eventually_sync, free_port};
