//! Times of the monotonic clock as wall times and back: what outlives the process that the clock belongs to.

use std::time::Duration;

use ecmo_core::time::Instant;

use crate::treatment::Stamp;

/// Maps times of this process's monotonic clock to wall times and back, at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times(pub Stamp);

impl Times {
    pub(super) fn wall(self, at: Instant) -> i64 {
        let Stamp { now, wall_ns } = self.0;
        let signed = |time: Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        wall_ns.saturating_sub(signed(now.since(at))).saturating_add(signed(at.since(now)))
    }

    /// A time before the start of the clock is its start.
    pub(super) fn mono(self, wall_ns: i64) -> Instant {
        let Stamp { now, wall_ns: wall_now } = self.0;
        let apart = Duration::from_nanos(wall_ns.abs_diff(wall_now));
        if wall_ns < wall_now { now.minus(apart) } else { now.plus(apart) }
    }
}
