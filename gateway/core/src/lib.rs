//! The decisions of the ECMO telemetry gateway, pure: data and a time in, data out. No I/O, no clock, no dependency.
//!
//! Reading order is data order: [`time`] and [`reading`] are the words, [`parameter`] the list of what exists,
//! [`frame`] what arrives, [`sequence`] puts it in its place, [`case`] what a treatment is, [`alarm`] judges it, [`channel`] and [`pump`] hold what is
//! known, [`uplink`] the gateway's word about itself, [`attendance`] the displays, [`view`] is what a display may show.
//!
//! Invariants:
//! - Time is an argument. Delays of limits count sample time; silence counts the reader's monotonic time; nothing is
//!   decided by a wall clock.
//! - Unknown never clears an alarm, and loss of data is an alarm of its own beside it.
//! - A frame is evaluated once and in its place, so a decision does not depend on the order of arrival.
//! - State is bounded: a pump holds one occurrence a condition and at most 64 frames that wait for an earlier one.
#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod time;

pub mod path;

pub mod clock_estimate;

pub mod reading;

pub mod parameter;

pub mod frame;

pub mod damage;

pub mod sequence;

pub mod case;

mod signal;

pub mod alarm;

mod plausibility;

pub mod reconcile;

pub mod channel;

pub mod pump;

pub mod uplink;

pub mod attendance;

pub mod view;
