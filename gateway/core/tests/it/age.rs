//! How old data really is: frames that were held back somewhere, answers that show it, and what is not known until one comes.

use std::time::Duration;

use ecmo_core::clock_estimate::{ProbeRefusal, ProbeTimes};
use ecmo_core::parameter::Parameter;
use ecmo_core::pump::{ANSWERS_WITHIN, Link};
use ecmo_core::time::{Instant, SampleTime};
use ecmo_core::view::View;

use crate::bedside::Bedside;

/// An agent whose frames came late by so much from the first one on: the reader has just started, and a broker held them.
struct Held {
    bedside: Bedside,
    agent_ms: u64,
    held_ms: u64,
}

impl Held {
    fn new(held_ms: u64) -> Self {
        let mut bedside = Bedside::new();
        let channels = bedside.agent.channels();
        let (boot, now) = (bedside.agent.boot, bedside.base);
        bedside.pump.on_birth(boot, &channels, None, false, now, &mut bedside.log).unwrap();
        Self { bedside, agent_ms: 0, held_ms }
    }

    fn now(&self) -> Instant {
        self.bedside.base.plus(Duration::from_millis(self.agent_ms + self.held_ms))
    }

    /// Frames come for so long, each as late as the first.
    fn run(&mut self, for_ms: u64) {
        for _ in 0..for_ms / 10 {
            let (now, made) = (self.now(), self.bedside.agent.tick(self.agent_ms));
            if let Some(mut frame) = made {
                frame.stamp.received = now;
                self.bedside.pump.on_frame(&frame, now, &mut self.bedside.log).unwrap();
            }
            self.tick();
            self.agent_ms += 10;
        }
    }

    fn tick(&mut self) {
        let now = self.now();
        while self.bedside.pump.next_deadline().is_some_and(|deadline| deadline <= now) {
            self.bedside.pump.on_tick(now, &mut self.bedside.log);
        }
    }

    /// An answer arrives now that was said so long ago, to a question so long before.
    fn answer(&mut self, back_ms: u64, round_trip_ms: u64) -> Result<(), ProbeRefusal> {
        let now = self.now();
        let said = self.agent_ms + self.held_ms - back_ms + self.bedside.agent.clock_ms;
        let said = SampleTime::from_millis(said);
        let sent = now.minus(Duration::from_millis(round_trip_ms));
        let times = ProbeTimes { sent, read: said, answered: said, received: now };
        let taken = self.bedside.pump.on_probe(times, now);
        self.tick();
        taken
    }

    fn stale(&self) -> Vec<String> {
        let stale = self.bedside.told().into_iter().filter(|(_, id, _)| id == "comm.stale");
        stale.map(|(_, _, transition)| format!("{transition:?}")).collect()
    }

    fn view(&self) -> View {
        View::of(&self.bedside.pump, self.now())
    }

    fn value(&self) -> Option<f32> {
        let view = self.view();
        let mut readings = view.readings.iter();
        readings.find(|one| one.parameter == Parameter::PumpSpeed)?.reading.value()
    }
}

#[test]
fn one_answer_shows_that_frames_were_held_back_and_none_of_them_is_live() {
    let mut held = Held::new(60_000);
    held.run(400);
    assert_eq!((held.view().link, held.view().age_proven), (Link::Live, false), "nobody knows");
    assert!(held.value().is_some());
    held.answer(3, 6).unwrap();
    assert_eq!(held.view().link, Link::Silent);
    assert_eq!(held.value(), None);
    assert_eq!(held.stale().last().map(String::as_str), Some("Raised"));
    // More of the same is as old, and nothing ends.
    held.run(10_000);
    assert_eq!((held.view().link, held.value()), (Link::Silent, None));
    assert_eq!(held.stale().last().map(String::as_str), Some("Raised"));
    // What was held back is through: from now on frames come at once.
    held.agent_ms += held.held_ms;
    held.held_ms = 0;
    held.run(5_000);
    let view = held.view();
    assert_eq!((view.link, view.age_proven), (Link::Live, true));
    assert!(held.value().is_some());
    assert_eq!(held.stale().last().map(String::as_str), Some("Ended"));
}

#[test]
fn an_answer_that_was_half_a_minute_on_its_way_is_no_measure_and_still_a_bound() {
    let mut held = Held::new(60_000);
    held.run(400);
    assert_eq!(held.answer(15_000, 30_000), Err(ProbeRefusal::Slow));
    let view = held.view();
    assert_eq!((view.link, view.age_proven), (Link::Silent, false));
    let fresh_at = view.fresh_at.unwrap();
    let age = held.now().since(fresh_at);
    assert!(age >= Duration::from_millis(44_900) && age <= Duration::from_secs(60), "{age:?}");
}

#[test]
fn frames_that_a_broker_held_count_from_the_answer_of_before_it() {
    // The answer came first; the held frames after it are old at once, and never live.
    let mut held = Held::new(20_000);
    held.answer(3, 6).unwrap();
    held.run(2_000);
    assert_eq!((held.view().link, held.value()), (Link::Silent, None));
    assert!(!held.stale().iter().any(|step| step == "Ended"), "{:?}", held.stale());
}

#[test]
fn the_age_is_proven_by_one_narrow_answer_and_by_no_wide_one() {
    let mut fresh = Held::new(0);
    fresh.run(1_000);
    assert!(!fresh.view().age_proven);
    fresh.answer(1_000, 2_000).unwrap();
    assert!(!fresh.view().age_proven, "2 s there and back leave too much open");
    fresh.run(500);
    fresh.answer(2, 4).unwrap();
    assert!(fresh.view().age_proven);
    assert_eq!(fresh.view().link, Link::Live);
    assert!(fresh.value().is_some());
    fresh.run(60_000);
    assert!(fresh.view().age_proven, "clocks drift slowly");
}

#[test]
fn an_agent_that_never_answers_is_believed_after_a_time_and_one_that_has_answered_is_not() {
    let patience = u64::try_from(ANSWERS_WITHIN.as_millis()).unwrap();
    let mut silent = Held::new(0);
    silent.run(patience - 100);
    assert!(!silent.view().age_proven);
    silent.run(200);
    assert!(silent.view().age_proven);

    let mut known = Held::new(0);
    known.run(1_000);
    known.answer(2, 4).unwrap();
    // Another run of it: nothing is known of its clock yet, and it is known to answer.
    let channels = known.bedside.agent.channels();
    let (boot, now) = (crate::bedside::boot(9), known.now());
    known.bedside.agent.restart(boot, known.agent_ms);
    known.bedside.pump.on_birth(boot, &channels, None, false, now, &mut known.bedside.log).unwrap();
    known.run(3 * patience);
    assert_eq!((known.view().link, known.view().age_proven), (Link::Live, false));
}

#[test]
fn what_a_faster_frame_shows_to_be_old_is_withdrawn_until_it_is_measured_again() {
    let mut held = Held::new(30_000);
    held.run(400);
    assert!(held.value().is_some());
    // The next frame is of now, and without that channel.
    held.agent_ms += held.held_ms;
    held.held_ms = 0;
    held.bedside.agent.mute(Parameter::PumpSpeed, true);
    held.run(300);
    assert_eq!((held.view().link, held.value()), (Link::Live, None));
    held.bedside.agent.mute(Parameter::PumpSpeed, false);
    held.run(200);
    assert!(held.value().is_some());
}
