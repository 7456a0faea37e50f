//! The contract between agent, gateway and displays: messages, topic names, the frame's check sum. It knows no decisions.
//!
//! Read `ecmo/v1/*.proto` for the messages, [`topic`] for where they are published, [`sealed`] for how a frame is
//! protected on its way. Everything in [`v1`] is generated; `cargo run -p ecmo-proto --example generate` makes it anew.

/// The messages of `ecmo.v1`, generated from the `.proto` files.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    reason = "generated from files whose comments are checked by buf"
)]
pub mod v1 {
    include!("gen/ecmo.v1.rs");
}

pub mod topic;

pub mod sealed;

/// Descriptors of all files, for gRPC reflection.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!("gen/descriptor.bin");
