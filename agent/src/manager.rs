//! Tells the service manager that the agent is ready, that it goes on, and that it stands still.
//!
//! The watchdog is fed by progress alone: ticks of the sampling thread *and* rounds of the framer. A sensor that blocks,
//! a taker that waits, or this runtime when it is stuck: each of them starves it, and the agent is started anew.

use ecmo_notify::Manager;
use tokio::time::{MissedTickBehavior, interval};

use crate::counters::Counters;

/// Tells readiness once frames are made, and then each progress; never ends. The framer shows progress at least every 100 ms.
pub async fn follow(manager: &Manager, counters: &Counters, what: &str) {
    let mut looks = interval(manager.look_period());
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let sampling = format!("sampling {what}");
    let mut progress = Progress::default();
    let mut is_ready = false;
    loop {
        looks.tick().await;
        match (progress.look(counters), is_ready) {
            // A frame shows that both threads run and that samples come out.
            (_, false) if counters.frames_prepared.get() > 0 => {
                is_ready = true;
                manager.ready(&sampling);
            }
            (_, false) => {}
            (Change::Goes, true) => manager.feed(),
            (Change::GoesAgain, true) => {
                tracing::warn!("sampling goes on");
                manager.goes_again(&sampling);
            }
            (Change::Stopped, true) => {
                let status = "no progress: a sensor or a way out holds up sampling";
                tracing::error!(ticks = counters.ticks.get(), "{status}");
                manager.stands(status);
            }
            (Change::Stands, true) => {}
        }
    }
}

/// What was seen of both threads at the last look.
#[derive(Debug, Default)]
struct Progress {
    ticks: u64,
    rounds: u64,
    stands: bool,
}

/// What a look shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Goes,
    GoesAgain,
    Stopped,
    Stands,
}

impl Progress {
    fn look(&mut self, counters: &Counters) -> Change {
        let (ticks, rounds) = (counters.ticks.get(), counters.framer_rounds.get());
        let goes = ticks > self.ticks && rounds > self.rounds;
        let change = match (goes, self.stands) {
            (true, false) => Change::Goes,
            (true, true) => Change::GoesAgain,
            (false, false) => Change::Stopped,
            (false, true) => Change::Stands,
        };
        // Each of them must move on from where both did: one that moves alone is no progress.
        if goes {
            (self.ticks, self.rounds) = (ticks, rounds);
        }
        self.stands = !goes;
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_both_threads_and_not_one_of_them() {
        let counters = Counters::default();
        let mut progress = Progress::default();
        assert_eq!(progress.look(&counters), Change::Stopped);
        counters.ticks.add(1);
        assert_eq!(progress.look(&counters), Change::Stands, "the framer stands");
        counters.framer_rounds.add(1);
        assert_eq!(progress.look(&counters), Change::GoesAgain);
        counters.framer_rounds.add(1);
        assert_eq!(progress.look(&counters), Change::Stopped, "the sampler stands");
        counters.ticks.add(1);
        assert_eq!(progress.look(&counters), Change::GoesAgain);
        counters.ticks.add(1);
        counters.framer_rounds.add(1);
        assert_eq!(progress.look(&counters), Change::Goes);
    }
}
