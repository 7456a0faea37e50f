//! Whether the synthetic alarm comes through: sent, decided, confirmed, each in its time.

use core::time::Duration;

use crate::time::Instant;

/// A drill must be decided within this time of being sent (prop).
pub const DECIDED_WITHIN: Duration = Duration::from_secs(1);

/// A drill must be confirmed by a display that attends within this time of its decision (prop).
pub const CONFIRMED_WITHIN: Duration = Duration::from_secs(2);

/// A drill is due once in its period; one that is not even sent is missed this much later (prop).
pub const SENT_WITHIN: Duration = Duration::from_secs(5);

/// Where the newest drill stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    /// None is on its way.
    #[default]
    Idle,
    /// Sent.
    Sent(Instant),
    /// Decided; a display has to confirm it.
    Decided(Instant),
}

/// The drills so far.
#[derive(Debug, Default)]
pub(super) struct Drill {
    stage: Stage,
    /// Time between two drills; `None` without any.
    every: Option<Duration>,
    /// By when the next one must have been sent; `None` before there is a way to send it.
    due: Option<Instant>,
    /// A decision whose sending was not told yet: both words go to the same thread by different ways.
    early: Option<Instant>,
    missed_since: Option<Instant>,
    failures: u64,
}

impl Drill {
    /// Drills are sent, once in each of these times.
    pub(super) fn expect(&mut self, every: Duration) {
        self.every = Some(every).filter(|every| !every.is_zero());
    }

    /// There is a way to send drills.
    pub(super) fn on_up(&mut self, now: Instant) {
        if self.due.is_none() {
            self.wait(now);
        }
    }

    fn wait(&mut self, now: Instant) {
        self.due = self.every.map(|every| now.plus(every).plus(SENT_WITHIN));
    }

    pub(super) fn on_sent(&mut self, attended: bool, now: Instant) {
        self.wait(now);
        if let Stage::Sent(at) | Stage::Decided(at) = self.stage {
            self.miss(at);
        }
        self.stage = Stage::Sent(now);
        let early = self.early.take().filter(|at| now.since(*at) < DECIDED_WITHIN);
        if let Some(at) = early {
            self.on_decided(attended, at);
        }
    }

    pub(super) fn on_decided(&mut self, attended: bool, now: Instant) {
        match self.stage {
            Stage::Sent(_) if attended => self.stage = Stage::Decided(now),
            Stage::Sent(_) => self.pass(),
            Stage::Idle => self.early = Some(now),
            Stage::Decided(_) => {}
        }
    }

    pub(super) fn on_confirmed(&mut self) {
        match self.stage {
            Stage::Decided(_) => self.pass(),
            // One of before, or one that a display confirmed sooner than its sending was told.
            Stage::Idle | Stage::Sent(_) => {}
        }
    }

    /// Lets a drill fail whose time is over. A display that has left meanwhile owes no confirmation.
    pub(super) fn on_tick(&mut self, attended: bool, now: Instant) {
        if let Some(due) = self.due.filter(|due| now >= *due) {
            // Whoever sends them has stopped.
            self.miss(due);
            self.wait(now);
        }
        match self.stage {
            Stage::Sent(at) if now >= at.plus(DECIDED_WITHIN) => self.miss(at),
            Stage::Decided(_) if !attended => self.pass(),
            Stage::Decided(at) if now >= at.plus(CONFIRMED_WITHIN) => self.miss(at),
            Stage::Idle | Stage::Sent(_) | Stage::Decided(_) => {}
        }
    }

    fn pass(&mut self) {
        self.stage = Stage::Idle;
        self.missed_since = None;
    }

    fn miss(&mut self, at: Instant) {
        self.stage = Stage::Idle;
        self.failures += 1;
        self.missed_since.get_or_insert(at);
    }

    /// Since when drills are missed, if the last one was.
    pub(super) const fn missed_since(&self) -> Option<Instant> {
        self.missed_since
    }

    /// Drills that were missed, ever.
    pub(super) const fn failures(&self) -> u64 {
        self.failures
    }

    /// When a drill fails unless something comes.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let step = match self.stage {
            Stage::Idle => None,
            Stage::Sent(at) => Some(at.plus(DECIDED_WITHIN)),
            Stage::Decided(at) => Some(at.plus(CONFIRMED_WITHIN)),
        };
        step.into_iter().chain(self.due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Sent,
        Decided,
        Confirmed,
        Tick,
    }

    /// What happened when, whether a display attends, drills missed, and since when.
    type Case = (&'static [(Step, u64)], bool, u64, Option<u64>);

    #[test]
    fn a_drill_is_missed_when_a_step_is_late_and_a_good_one_ends_that() {
        use Step::{Confirmed, Decided, Sent, Tick};
        let table: &[Case] = &[
            (
                &[(Sent, 0), (Decided, 999), (Tick, 2_998), (Confirmed, 2_998), (Tick, 9_000)],
                true,
                0,
                None,
            ),
            (&[(Sent, 0), (Tick, 999)], true, 0, None),
            (&[(Sent, 0), (Tick, 1_000)], true, 1, Some(0)),
            (&[(Sent, 0), (Decided, 5), (Tick, 2_005)], true, 1, Some(5)),
            (&[(Sent, 0), (Decided, 5), (Tick, 2_005)], false, 0, None),
            (&[(Sent, 0), (Tick, 1_000), (Sent, 60_000), (Tick, 61_000)], true, 2, Some(0)),
            (
                &[(Sent, 0), (Tick, 1_000), (Sent, 60_000), (Decided, 60_010), (Confirmed, 60_020)],
                true,
                1,
                None,
            ),
            // The decision overtook the word of its sending.
            (&[(Decided, 10), (Sent, 12), (Confirmed, 20), (Tick, 9_000)], true, 0, None),
            (&[(Decided, 10), (Sent, 12), (Tick, 2_010)], true, 1, Some(10)),
            // One of a minute ago counts for nothing, and neither does a late one.
            (
                &[(Sent, 0), (Tick, 1_000), (Decided, 1_500), (Sent, 60_000), (Tick, 61_000)],
                true,
                2,
                Some(0),
            ),
            // A drill that is still on its way when the next is sent has not come through.
            (&[(Sent, 0), (Sent, 500), (Decided, 510), (Confirmed, 520)], true, 1, None),
            (&[(Confirmed, 0), (Sent, 1), (Tick, 1_001)], true, 1, Some(1)),
        ];
        for (steps, attended, failures, since) in table {
            let mut drill = Drill::default();
            for (step, ms) in *steps {
                match step {
                    Sent => drill.on_sent(*attended, at(*ms)),
                    Decided => drill.on_decided(*attended, at(*ms)),
                    Confirmed => drill.on_confirmed(),
                    Tick => drill.on_tick(*attended, at(*ms)),
                }
            }
            assert_eq!(drill.failures(), *failures, "{steps:?}");
            assert_eq!(drill.missed_since(), since.map(at), "{steps:?}");
        }
    }

    #[test]
    fn a_display_that_leaves_owes_no_confirmation() {
        let mut drill = Drill::default();
        drill.on_sent(true, at(0));
        drill.on_decided(true, at(10));
        assert_eq!(drill.deadline(), Some(at(2_010)));
        drill.on_tick(false, at(2_010));
        assert_eq!((drill.failures(), drill.deadline()), (0, None));
    }

    #[test]
    fn drills_that_are_not_sent_any_more_are_missed_once_in_each_period() {
        let mut drill = Drill::default();
        drill.on_tick(true, at(900_000));
        assert_eq!((drill.failures(), drill.deadline()), (0, None), "none is expected");
        drill.expect(Duration::from_secs(60));
        drill.on_tick(true, at(900_000));
        assert_eq!((drill.failures(), drill.deadline()), (0, None), "there is no way to send one");
        drill.on_up(at(900_000));
        drill.on_sent(false, at(901_000));
        drill.on_decided(false, at(901_010));
        // A connection that comes and goes puts nothing off.
        drill.on_up(at(930_000));
        assert_eq!(drill.deadline(), Some(at(966_000)));
        drill.on_tick(false, at(965_999));
        assert_eq!(drill.failures(), 0);
        drill.on_tick(false, at(966_000));
        drill.on_tick(false, at(967_000));
        assert_eq!((drill.failures(), drill.missed_since()), (1, Some(at(966_000))));
        drill.on_tick(false, at(1_031_000));
        assert_eq!((drill.failures(), drill.missed_since()), (2, Some(at(966_000))));
        drill.on_sent(false, at(1_040_000));
        drill.on_decided(false, at(1_040_010));
        assert_eq!((drill.failures(), drill.missed_since()), (2, None));
        // Never one, though there is a way.
        let mut drill = Drill::default();
        drill.expect(Duration::from_secs(60));
        drill.on_up(at(1_000));
        drill.on_tick(false, at(66_000));
        assert_eq!(drill.failures(), 1);
    }
}
