//! The alarm at the bedside while no gateway listens: what sounds, how it sounds, and what is remembered of it.
//!
//! [`sound`] decides, [`unleased`] remembers, [`kept`] makes that survive a restart, [`burst`] is what is heard, and
//! [`output`] reaches the outside. Nothing here commands a pump, and nothing here can hold up who decides.

pub mod sound;

pub mod unleased;

pub mod kept;

pub mod burst;

pub mod output;
