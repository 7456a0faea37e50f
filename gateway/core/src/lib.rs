//! The decisions of the ECMO telemetry gateway, pure: data and a time in, data out.
#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod time;

pub mod reading;

pub mod parameter;
