//! The decisions as a whole: scripts of time and event against the changes they must cause, and what must hold always.

mod acknowledge;
mod allocation;
mod bedside;
mod limits;
mod properties;
mod silence;
mod source;
