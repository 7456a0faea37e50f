//! Open loop: every event has a time that was set beforehand and does not wait for the one before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use tokio::sync::oneshot;

use crate::clock;
use crate::series::Times;

/// Events of several sources, each at the same rate, their phases spread evenly.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    /// Monotonic time of the first event, in nanoseconds.
    pub(crate) start_ns: u64,
    /// How many sources take turns.
    pub(crate) sources: u32,
    /// Events of one source in a second.
    pub(crate) rate: u32,
}

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    /// Which source, from 0.
    pub(crate) source: u32,
    /// Its number within the source, from 0.
    pub(crate) sequence: u64,
    /// When it is to happen, on the monotonic clock in nanoseconds.
    pub(crate) intended_ns: u64,
}

impl Schedule {
    /// The event of a number counted over all sources.
    pub(crate) fn event(&self, number: u64) -> Event {
        let sources = u64::from(self.sources.max(1));
        let per_second = u128::from(sources) * u128::from(self.rate.max(1));
        // From the start and not from the event before: rounding does not add up.
        let offset = u128::from(number) * u128::from(clock::SECOND_NS) / per_second;
        let offset = u64::try_from(offset).unwrap_or(u64::MAX);
        Event {
            source: u32::try_from(number % sources).unwrap_or(0),
            sequence: number / sources,
            intended_ns: self.start_ns.saturating_add(offset),
        }
    }

    /// The event that was to happen at a time; `None` when there was none.
    pub(crate) fn event_at(&self, intended_ns: u64) -> Option<Event> {
        let offset = u128::from(intended_ns.checked_sub(self.start_ns)?);
        let per_second = u128::from(self.sources) * u128::from(self.rate);
        let number = (offset * per_second).div_ceil(u128::from(clock::SECOND_NS));
        let event = self.event(u64::try_from(number).ok()?);
        (event.intended_ns == intended_ns).then_some(event)
    }
}

/// A thread that makes the events happen; told to end when dropped.
#[derive(Debug)]
pub(crate) struct Pacer {
    stop: Arc<AtomicBool>,
    done: oneshot::Receiver<Times>,
}

impl Pacer {
    /// Starts the thread: `act` is called for each of the first `count` events.
    pub(crate) fn start(
        schedule: Schedule,
        count: u64,
        mut act: impl FnMut(Event) + Send + 'static,
    ) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (tell, done) = oneshot::channel();
        let told = Arc::clone(&stop);
        std::thread::Builder::new()
            .name("pace".to_owned())
            .spawn(move || {
                // Without it the thread wakes up later; the figures show that.
                let _as_exact_as_possible = clock::wake_exactly();
                let mut lateness = Times::default();
                for event in (0..count).map(|number| schedule.event(number)) {
                    clock::sleep_until(event.intended_ns);
                    if told.load(Ordering::Relaxed) {
                        break;
                    }
                    lateness.record(clock::now_ns().saturating_sub(event.intended_ns));
                    act(event);
                }
                // Nobody waits any more when the run was given up.
                let _run_given_up = tell.send(lateness);
            })
            .context("cannot start the pacing thread")?;
        Ok(Self { stop, done })
    }

    /// Waits for the last event; tells how late the events began.
    pub(crate) async fn finish(mut self) -> anyhow::Result<Times> {
        (&mut self.done).await.context("the pacing thread panicked")
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn phases_are_spread_and_a_source_keeps_its_period() {
        let schedule = Schedule { start_ns: 5, sources: 30, rate: 50 };
        let first = schedule.event(0);
        assert_eq!(first, Event { source: 0, sequence: 0, intended_ns: 5 });
        assert_eq!(schedule.event(29).source, 29);
        assert_eq!(schedule.event(1).intended_ns - 5, 666_666);
        let second = schedule.event(30);
        assert_eq!((second.source, second.sequence), (0, 1));
        assert_eq!(second.intended_ns - first.intended_ns, 20_000_000);
        let late = schedule.event(30 * 50 * 3_600);
        assert_eq!(late.intended_ns - 5, 3_600 * clock::SECOND_NS, "no drift in an hour");
    }

    #[test]
    fn an_event_is_found_by_its_time() {
        for (sources, rate) in [(30, 50), (7, 100), (1, 10)] {
            let schedule = Schedule { start_ns: 1_000, sources, rate };
            for number in 0..2_000 {
                let event = schedule.event(number);
                assert_eq!(schedule.event_at(event.intended_ns), Some(event));
                assert_eq!(schedule.event_at(event.intended_ns + 1), None);
            }
        }
        assert_eq!(Schedule { start_ns: 9, sources: 1, rate: 1 }.event_at(8), None);
    }

    #[tokio::test]
    async fn events_happen_in_order_and_not_before_their_time() {
        let schedule = Schedule { start_ns: clock::now_ns(), sources: 2, rate: 500 };
        let (tell, told) = sync_channel(20);
        let pacer = Pacer::start(schedule, 20, move |event| {
            tell.send((event, clock::now_ns())).expect("the test listens");
        });
        let lateness = pacer.unwrap().finish().await.unwrap();
        assert_eq!(lateness.count(), 20);
        for (number, (event, at)) in (0..).zip(told) {
            assert_eq!(event, schedule.event(number));
            assert!(at >= event.intended_ns);
        }
    }

    #[tokio::test]
    async fn a_pacer_that_is_dropped_ends() {
        let schedule = Schedule { start_ns: clock::now_ns(), sources: 1, rate: 1_000 };
        let (tell, told) = sync_channel(100_000);
        let pacer = Pacer::start(schedule, 100_000, move |event| {
            tell.send(event).expect("the test listens");
        });
        drop(pacer.unwrap());
        // Ends when the thread drops the sender; 100 s otherwise.
        assert!(told.iter().count() < 100_000);
    }
}
