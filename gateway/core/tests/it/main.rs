//! The decisions as a whole: scripts of time and event against the changes they must cause, and what must hold always.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has found something"
)]

mod acknowledge;
mod actions;
mod age;
mod allocation;
mod bedside;
mod covered;
mod damaged;
mod lifecycle;
mod limits;
mod ownership;
mod paths;
mod properties;
mod restore;
mod silence;
mod source;
mod treatment;
