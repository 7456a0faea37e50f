//! The series of the history.

use metrics::{Counter, Gauge, Histogram};

use super::handles::Registrar;
use super::name;

/// What is counted of the history.
#[derive(Debug)]
pub struct History {
    /// Bytes on disk.
    pub bytes: Gauge,
    /// What a write takes.
    pub write_seconds: Histogram,
    /// Times that its disk failed it.
    pub errors: Counter,
    /// Items that it had no room for.
    pub dropped: Counter,
    /// Samples that its disk did not take.
    pub lost_samples: Counter,
}

impl History {
    pub(super) fn new(registrar: &Registrar) -> Self {
        Self {
            bytes: registrar.gauge(&name::HISTORY_BYTES, &[]),
            write_seconds: registrar.histogram(&name::HISTORY_WRITE, &[]),
            errors: registrar.counter(&name::HISTORY_ERRORS, &[]),
            dropped: registrar.counter(&name::HISTORY_DROPPED, &[]),
            lost_samples: registrar.counter(&name::HISTORY_LOST_SAMPLES, &[]),
        }
    }
}
