//! The pace of a source that makes its own samples: which one is due, and what happens after a long stop.

use core::time::Duration;

use ecmo_core::time::SampleTime;

/// How far a source may lie behind and still deliver everything. A process that was stopped for longer (a debugger, a
/// suspended computer) goes on where it was instead of flooding the path with old samples.
pub(super) const BEHIND_MAX: Duration = Duration::from_secs(2);

/// Start of a source's own time on the agent's clock; found at the first poll, moved on after a long stop.
#[derive(Debug, Default)]
pub(super) struct Pace {
    start: Option<SampleTime>,
}

impl Pace {
    /// The time at which something `elapsed` after the start is due, when that is now or before.
    pub(super) fn due(&mut self, now: SampleTime, elapsed: Duration) -> Option<SampleTime> {
        let start = *self.start.get_or_insert_with(|| now.minus(elapsed));
        let mut due = start.plus(elapsed);
        if now.since(due) > BEHIND_MAX {
            self.start = Some(now.minus(elapsed));
            due = now;
        }
        (due <= now).then_some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_is_due_and_a_long_stop_moves_the_start() {
        let at = SampleTime::from_millis;
        let mut pace = Pace::default();
        assert_eq!(pace.due(at(1000), Duration::ZERO), Some(at(1000)));
        assert_eq!(pace.due(at(1000), Duration::from_millis(10)), None);
        assert_eq!(pace.due(at(2900), Duration::from_millis(10)), Some(at(1010)));
        assert_eq!(pace.due(at(9000), Duration::from_millis(20)), Some(at(9000)));
        assert_eq!(pace.due(at(9000), Duration::from_millis(30)), None);
        assert_eq!(pace.due(at(9010), Duration::from_millis(30)), Some(at(9010)));
    }
}
