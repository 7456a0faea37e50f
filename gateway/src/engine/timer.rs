//! When the alarm thread has something to do without a message, and whether it may trust what it has not heard.

use std::time::Duration;

use ecmo_core::time::Instant;

/// A look that comes later than this means that the thread itself was held up (a machine that steals the processor).
pub(super) const HELD_UP: Duration = Duration::from_millis(100);

/// How long messages that came meanwhile have to be read before anybody is called silent.
const CATCH_UP: Duration = Duration::from_millis(50);

/// When the thread has something to do without a message.
#[derive(Debug)]
pub(super) struct Timer {
    /// Silence is not judged before: the messages that refute it may still lie in the socket.
    judge_from: Instant,
    /// Somebody waits for `judge_from`: it is not put off again before he is judged.
    owes: bool,
    /// The earliest deadline at the last look.
    pub(super) deadline: Instant,
    /// The next look.
    pub(super) look_at: Instant,
    /// The next heartbeat.
    pub(super) beat_at: Instant,
}

impl Timer {
    /// Everything is due now.
    pub(super) const fn new(now: Instant) -> Self {
        Self { judge_from: now, owes: false, deadline: now, look_at: now, beat_at: now }
    }

    /// The nearest of all.
    pub(super) fn wake_at(&self) -> Instant {
        self.deadline.min(self.look_at).min(self.beat_at)
    }

    /// Takes note of the nearest deadline.
    pub(super) fn due_at(&mut self, deadline: Instant) {
        self.deadline = deadline.max(self.judge_from);
    }

    /// Whether a look that is so late may judge silence. Never puts it off twice: a thread that is always late would
    /// otherwise never call anybody silent.
    pub(super) fn may_judge(&mut self, now: Instant, late: Duration) -> bool {
        if late > HELD_UP && !self.owes {
            self.judge_from = now.plus(CATCH_UP);
            self.owes = true;
        }
        let may_judge = now >= self.judge_from;
        self.owes &= !may_judge;
        may_judge
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks at these times, each so late; which of them judge.
    fn judged(looks: &[(u64, u64)]) -> Vec<u64> {
        let mut timer = Timer::new(Instant::default());
        let judges = |&(at, late): &(u64, u64)| {
            let judges = timer.may_judge(Instant::from_millis(at), Duration::from_millis(late));
            judges.then_some(at)
        };
        looks.iter().filter_map(judges).collect()
    }

    #[test]
    fn a_thread_that_was_held_up_reads_first_and_judges_then() {
        let looks = [(10, 0), (20, 100), (400, 370), (410, 0), (449, 0), (450, 0), (460, 0)];
        assert_eq!(judged(&looks), [10, 20, 450, 460]);
    }

    #[test]
    fn a_thread_that_is_always_held_up_judges_all_the_same() {
        let always: Vec<(u64, u64)> = (1..=6).map(|look| (look * 200, 190)).collect();
        assert_eq!(judged(&always), [400, 800, 1_200]);
        let every_other: Vec<(u64, u64)> =
            (1..=6).flat_map(|look| [(look * 200, 190), (look * 200 + 10, 0)]).collect();
        assert_eq!(judged(&every_other), [400, 410, 800, 810, 1_200, 1_210]);
    }
}
