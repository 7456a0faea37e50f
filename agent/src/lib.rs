//! The agent at the bedside: samples one pump's sensors and publishes frames. It sends no command to any device.
//!
//! Data flows through the modules in the order in which they are declared; a module uses only earlier ones. [`run`] joins
//! them. Read [`sensor::Sensor`] to add a source of samples, and [`config`] for the settings.

pub mod config;

pub mod log;

pub mod clock;

pub mod wall_clock;

pub mod counters;

pub mod metrics;

pub mod tls;

pub mod worker;

pub mod sensor;

pub mod inventory;

pub mod record;

pub mod sampler;

pub mod frame;

pub mod framer;

pub mod queue;

pub mod spool;

pub mod birth;

pub mod lease;

pub mod local_alarm;

pub mod judge;

pub mod heartbeat;

pub mod publish;

pub mod manager;

mod run;

pub use config::{BrokerUrl, Fault, FaultKind, Settings};
pub use counters::Summary;
pub use ecmo_notify::Manager;
pub use run::{RunError, lineup, run, run_lineup};
