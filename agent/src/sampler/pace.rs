//! When something is due: the deadlines of the sampling thread, and even points in time for frames.

use core::time::Duration;

use ecmo_core::time::SampleTime;

use crate::counters::Counters;

/// A tick that begins later than this is counted as late.
const LATE: Duration = Duration::from_millis(1);

/// The deadlines of a thread: on a grid, so that lateness does not add up.
#[derive(Debug)]
pub(super) struct Pace {
    deadline: SampleTime,
    period: Duration,
}

impl Pace {
    pub(super) fn new(now: SampleTime, period: Duration) -> Self {
        Self { deadline: now.plus(period), period }
    }

    /// When the next tick is due.
    pub(super) const fn deadline(&self) -> SampleTime {
        self.deadline
    }

    /// Begins the tick that is due at `now`, and returns its time on the grid. Ticks that were slept through are left out:
    /// sensors deliver by time, so no sample is lost with them.
    pub(super) fn begin(&mut self, now: SampleTime, counters: &Counters) -> SampleTime {
        let late = now.since(self.deadline);
        let period_ns = self.period.as_nanos().max(1);
        let missed = u32::try_from(late.as_nanos() / period_ns).unwrap_or(u32::MAX);
        let time = self.deadline.plus(self.period.saturating_mul(missed));
        self.deadline = time.plus(self.period);
        counters.ticks.add(1);
        if missed > 0 {
            counters.ticks_missed.add(u64::from(missed));
        }
        if late > LATE {
            counters.ticks_late.add(1);
        }
        counters.lateness.add(late);
        time
    }
}

/// Even points in time, counted from the first tick.
#[derive(Debug)]
pub struct Grid {
    period: Duration,
    due: Option<SampleTime>,
}

impl Grid {
    /// Points that lie so far apart.
    #[must_use]
    pub const fn new(period: Duration) -> Self {
        Self { period, due: None }
    }

    /// Whether the first tick was seen.
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        self.due.is_some()
    }

    /// Whether a tick reaches the next point; the first tick is the origin. After a stall the grid goes on from the tick:
    /// what was due in the past is due once.
    pub fn reaches(&mut self, time: SampleTime) -> bool {
        let due = *self.due.get_or_insert_with(|| time.plus(self.period));
        if time < due {
            return false;
        }
        let behind = time.since(due).as_nanos() / self.period.as_nanos().max(1);
        let periods = u32::try_from(behind).unwrap_or(u32::MAX).saturating_add(1);
        self.due = Some(due.plus(self.period.saturating_mul(periods)));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_tick_keeps_the_grid_and_counts_what_it_left_out() {
        let counters = Counters::default();
        let at = SampleTime::from_millis;
        let mut pace = Pace::new(at(0), Duration::from_millis(10));
        assert_eq!(pace.begin(at(10), &counters), at(10));
        assert_eq!(pace.begin(at(24), &counters), at(20));
        assert_eq!(pace.begin(at(75), &counters), at(70));
        assert_eq!(pace.begin(at(80), &counters), at(80));
        let summary = counters.summary();
        assert_eq!((summary.ticks, summary.ticks_missed, summary.ticks_late), (4, 4, 2));
        assert_eq!(counters.lateness.max_us(), 45_000);
        assert_eq!(counters.lateness.buckets().map(|bucket| bucket.ticks).iter().sum::<u64>(), 4);
    }

    #[test]
    fn a_point_of_a_grid_is_reached_once_and_the_grid_outlives_a_stall() {
        let at = SampleTime::from_millis;
        let mut grid = Grid::new(Duration::from_millis(20));
        assert!(!grid.has_begun());
        let reached: Vec<u64> = [5, 15, 25, 35, 40, 48, 130, 140, 145, 165]
            .into_iter()
            .filter(|time| grid.reaches(at(*time)))
            .collect();
        assert_eq!(reached, [25, 48, 130, 145, 165]);
    }
}
