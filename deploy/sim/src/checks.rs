//! What must hold at every step, whatever goes wrong: the invariants I1 to I9, each in a module of its own with its bound; I7 in
//! [`crate::ledger`].

pub mod alike;

pub mod bounded;

pub mod counted;

pub mod fresh;

pub mod ground;

pub mod ordered;

pub mod quiet;

pub mod told;

pub use crate::invariant::{Invariant, Verdict, Violation};
