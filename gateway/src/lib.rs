//! Joins the pumps of a ward, detects alarm conditions, serves displays. Modules stand in the order in which data flows.

pub mod clock;

pub mod people;

pub mod config;

pub mod metrics;

pub mod latency;

#[cfg(feature = "embedded-broker")]
pub mod broker;

pub mod ingest;

pub mod decode;

pub mod request;

pub mod treatment;

pub mod history;

pub mod fanout;

pub mod journal;

pub mod disclosure;

pub mod registry;

pub mod action;

pub mod store;

pub mod engine;

pub mod actions;

pub mod desk;

pub mod drill;

pub mod peer;

pub mod tls;

pub mod ui;

pub mod grpc;

pub mod http;

pub mod supervision;

mod run;

pub use run::{Gateway, StartError};
