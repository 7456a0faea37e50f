//! A status's bytes into the presence of one run.

use ecmo_core::frame::BootId;
use ecmo_core::pump::Presence;
use ecmo_proto::v1;
use prost::Message;

use crate::fault::StatusFault;

/// Longest status, in bytes.
pub const STATUS_BYTES_MAX: usize = 1024;

/// Checks a status.
///
/// # Errors
/// Too long, no status, of another pump than its topic, or without a boot or state.
pub fn status(payload: &[u8], pump: &str) -> Result<(BootId, Presence), StatusFault> {
    if payload.len() > STATUS_BYTES_MAX {
        return Err(StatusFault::Oversize);
    }
    let wire = v1::Status::decode(payload).map_err(|_no_status| StatusFault::Decode)?;
    if wire.pump != pump {
        return Err(StatusFault::Identity);
    }
    let boot = BootId::new(wire.boot_id).ok_or(StatusFault::Boot)?;
    match wire.state() {
        v1::AgentState::Online => Ok((boot, Presence::Online)),
        v1::AgentState::Offline => Ok((boot, Presence::Offline)),
        v1::AgentState::Stopped => Ok((boot, Presence::Stopped)),
        v1::AgentState::Unspecified => Err(StatusFault::State),
    }
}
