//! I6: no queue grows beyond its cap.

use super::{Invariant, Verdict, Violation};
use crate::time::Nanos;

/// A queue as it is now.
#[derive(Debug, Clone, Copy)]
pub struct Filled {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub length: usize,
    /// What may be in it.
    pub cap: usize,
}

/// I6, of one queue.
///
/// # Errors
/// There is more in it than may be.
pub fn check(whose: usize, queue: Filled, now: Nanos) -> Verdict {
    let Filled { name, length, cap } = queue;
    if length <= cap {
        return Ok(());
    }
    let what = format!("{name} of {whose}: {length}, cap {cap}");
    Err(Violation::new(Invariant::Bounded, now, what))
}
