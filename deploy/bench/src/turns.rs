//! Turns with and without a frozen display, within one gateway and one stream of frames: what else the machine does hits both.

use std::time::Duration;

use tokio::time::sleep;

use crate::beside::{Beside, Display};
use crate::clock::{self, SECOND_NS};
use crate::plan::WARM_SECONDS;
use crate::series::Times;

/// How long a turn is.
pub(crate) const TURN_SECONDS: u32 = 2;
const TURN_NS: u64 = TURN_SECONDS as u64 * SECOND_NS;

/// What begins a turn is not measured: a process starts and asks for everything, or ends.
const SETTLING_NS: u64 = TURN_NS / 4;

/// So many turns, half of them beside a frozen display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turns(pub(crate) u32);

impl Turns {
    /// Whether a display is frozen in that turn. Which of a pair is first changes: a machine that gets slower favours neither.
    pub(crate) const fn is_beside(turn: u32) -> bool {
        matches!(turn % 4, 1 | 2)
    }

    /// The turn in which something was published, as time after the first frame; `None` where nothing is measured.
    fn of(self, after_start_ns: u64) -> Option<u32> {
        let measured = after_start_ns.checked_sub(u64::from(WARM_SECONDS) * SECOND_NS)?;
        let turn = u32::try_from(measured / TURN_NS).ok().filter(|turn| *turn < self.0)?;
        (measured % TURN_NS >= SETTLING_NS).then_some(turn)
    }

    /// Starts and ends the frozen display at the beginning of each turn, until the last has begun; returns the one that is left.
    pub(crate) async fn run(
        self,
        start_ns: u64,
        url: String,
        ward: String,
        pumps: u32,
    ) -> anyhow::Result<Option<Display>> {
        let mut display: Option<Display> = None;
        for turn in 0..self.0 {
            let begin = start_ns + u64::from(WARM_SECONDS) * SECOND_NS + u64::from(turn) * TURN_NS;
            sleep(Duration::from_nanos(begin.saturating_sub(clock::now_ns()))).await;
            if !Self::is_beside(turn) {
                if let Some(display) = display.take() {
                    display.finish().await?;
                }
            } else if display.is_none() {
                display = Some(Display::start(Beside::Frozen, &url, &ward, pumps).await?);
            }
        }
        Ok(display)
    }
}

/// The times of each turn.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    turns: Option<Turns>,
    times: Vec<Times>,
}

impl Taken {
    pub(crate) fn new(turns: Option<Turns>) -> Self {
        let count = turns.map_or(0, |turns| turns.0);
        Self { turns, times: (0..count).map(|_turn| Times::default()).collect() }
    }

    /// Takes what was published so long after the first frame, and took so long.
    pub(crate) fn record(&mut self, after_start_ns: u64, took_ns: u64) {
        let turn = self.turns.and_then(|turns| turns.of(after_start_ns));
        let place = turn.and_then(|turn| usize::try_from(turn).ok());
        if let Some(times) = place.and_then(|place| self.times.get_mut(place)) {
            times.record(took_ns);
        }
    }

    /// Each turn, in their order.
    pub(crate) fn into_times(self) -> Vec<Times> {
        self.times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_turns_are_beside_a_frozen_display_and_each_kind_is_first_alike() {
        let kinds: Vec<_> = (0..8).map(Turns::is_beside).collect();
        assert_eq!(kinds, [false, true, true, false, false, true, true, false]);
    }

    #[test]
    fn what_begins_a_turn_comes_before_the_first_and_after_the_last_is_not_measured() {
        const MS: u64 = SECOND_NS / 1_000;
        for (after_ms, turn) in [
            (0, None),
            (1_499, None),
            (1_500, Some(0)),
            (2_999, Some(0)),
            (3_000, None),
            (3_500, Some(1)),
            (4_999, Some(1)),
            (5_500, None),
        ] {
            assert_eq!(Turns(2).of(after_ms * MS), turn, "{after_ms} ms");
        }
    }

    #[test]
    fn times_are_kept_by_turn() {
        let mut taken = Taken::new(Some(Turns(2)));
        taken.record(2 * SECOND_NS, 5);
        taken.record(4 * SECOND_NS, 7);
        taken.record(4 * SECOND_NS, 9);
        let times = taken.into_times();
        assert_eq!(times.iter().map(Times::count).collect::<Vec<_>>(), [1, 2]);
        assert!(Taken::new(None).into_times().is_empty());
    }
}
