//! Two paths: repeats, wills, births that a broker had kept, lost redundancy; and what an agent says of itself.

use std::time::Duration;

use ecmo_core::alarm::occurrence::Transition::{self, Ended, Raised};
use ecmo_core::clock_estimate::ProbeTimes;
use ecmo_core::frame::Frame;
use ecmo_core::path::Path;
use ecmo_core::pump::{BirthRefusal, BirthWord, Link, Presence, SpoolWord};
use ecmo_core::time::{Instant, SampleTime};

use crate::bedside::{Bedside, boot};

/// A bedside whose agent sends over two paths; which of them bring its frames, and how late.
struct Doubled {
    bedside: Bedside,
    ms: u64,
    late: [Option<u64>; 2],
    on_way: Vec<(u64, Path, Frame)>,
}

impl Doubled {
    fn new() -> Self {
        let mut bedside = Bedside::new();
        let channels = bedside.agent.channels();
        let now = bedside.base;
        for path in Path::ALL {
            bedside.pump.on_link(path, true, now);
            let word = BirthWord {
                boot: bedside.agent.boot,
                boot_number: 7,
                paths: 2,
                channels: &channels,
                kind: None,
                retained: false,
            };
            bedside.pump.on_birth_word(&word, path, now, &mut bedside.log).unwrap();
        }
        Self { bedside, ms: 0, late: [Some(0), Some(5)], on_way: Vec::new() }
    }

    fn now(&self) -> Instant {
        self.bedside.base.plus(Duration::from_millis(self.ms))
    }

    fn run(&mut self, until_ms: u64) {
        while self.ms < until_ms {
            let frame = self.bedside.agent.tick(self.ms);
            if let Some(frame) = frame {
                for (path, late) in Path::ALL.into_iter().zip(self.late) {
                    self.on_way.extend(late.map(|late| (self.ms + late, path, frame.clone())));
                }
            }
            for _ in 0..10 {
                let now = self.now();
                let ms = self.ms;
                let (due, rest): (Vec<_>, Vec<_>) =
                    self.on_way.drain(..).partition(|(at, _, _)| *at <= ms);
                self.on_way = rest;
                for (_, path, mut frame) in due {
                    frame.stamp.received = now;
                    // A run that was given up is refused, and that is what some tests look for.
                    self.bedside.pump.on_frame_from(path, &frame, now, &mut self.bedside.log).ok();
                }
                while self.bedside.pump.next_deadline().is_some_and(|deadline| deadline <= now) {
                    self.bedside.pump.on_tick(now, &mut self.bedside.log);
                }
                self.ms += 1;
            }
        }
    }

    fn told(&self) -> Vec<(String, Transition)> {
        self.bedside.told().into_iter().map(|(_at, condition, step)| (condition, step)).collect()
    }
}

#[test]
fn fault_f22_the_second_path_repeats_every_frame_and_adds_nothing() {
    let mut doubled = Doubled::new();
    doubled.run(5_000);
    let frames = doubled.bedside.pump.counters().frames;
    assert_eq!((frames.accepted, frames.missing, frames.late), (250, 0, 0));
    assert!(frames.duplicate >= 249, "{frames:?}");
    assert_eq!(doubled.told(), []);
}

#[test]
fn fault_f04_a_path_that_dies_leaves_no_gap_and_is_one_low_notice_until_five_seconds_of_both() {
    let mut doubled = Doubled::new();
    doubled.run(5_000);
    doubled.late[0] = None;
    doubled.run(6_900);
    assert_eq!(doubled.told(), [], "two seconds may pass");
    doubled.run(7_100);
    let lost = "comm.redundancy_lost".to_owned();
    assert_eq!(doubled.told(), [(lost.clone(), Raised)]);
    doubled.run(20_000);
    doubled.late[0] = Some(0);
    doubled.run(24_900);
    assert_eq!(doubled.told(), [(lost.clone(), Raised)]);
    doubled.run(25_200);
    assert_eq!(doubled.told(), [(lost.clone(), Raised), (lost, Ended)]);
    let frames = doubled.bedside.pump.counters().frames;
    assert_eq!((frames.missing, frames.late), (0, 0), "{frames:?}");
    assert_eq!(doubled.bedside.pump.counters().dropouts, 0);
}

#[test]
fn a_path_that_is_300_ms_late_changes_nothing_even_when_the_fast_one_dies() {
    let mut doubled = Doubled::new();
    doubled.late = [Some(1), Some(301)];
    doubled.run(5_000);
    assert_eq!(doubled.told(), []);
    doubled.late[0] = None;
    doubled.run(6_900);
    assert_eq!(doubled.told(), [], "neither stale nor a gap");
    assert_eq!(doubled.bedside.pump.counters().frames.missing, 0);
}

#[test]
fn a_will_from_one_path_leaves_a_pump_that_is_live_on_the_other_as_it_is() {
    let mut doubled = Doubled::new();
    doubled.late = [Some(1), Some(301)];
    doubled.run(3_000);
    doubled.late[0] = None;
    let now = doubled.now();
    doubled.bedside.pump.on_status_from(Path::A, boot(1), Presence::Offline, now);
    doubled.run(4_900);
    assert_eq!(doubled.told(), []);
    assert_eq!(doubled.bedside.pump.link(doubled.now()), Link::Live);
    // Said by both, it is believed: silence is told after 200 ms.
    doubled.late[1] = None;
    doubled.on_way.clear();
    let now = doubled.now();
    doubled.bedside.pump.on_status_from(Path::B, boot(1), Presence::Offline, now);
    doubled.run(5_200);
    assert_eq!(doubled.told(), [("comm.stale".to_owned(), Raised)]);
}

#[test]
fn a_birth_that_a_broker_had_kept_waits_until_a_frame_of_its_run_comes() {
    let mut doubled = Doubled::new();
    doubled.run(1_000);
    let channels = doubled.bedside.agent.channels();
    let now = doubled.now();
    let word = |boot, boot_number, retained| BirthWord {
        boot,
        boot_number,
        paths: 2,
        channels: &channels,
        kind: None,
        retained,
    };
    let bedside = &mut doubled.bedside;
    let mut birth =
        |word: &BirthWord<'_>| bedside.pump.on_birth_word(word, Path::B, now, &mut bedside.log);
    assert_eq!(birth(&word(boot(9), 0, true)), Err(BirthRefusal::Unproven));
    assert_eq!(birth(&word(boot(9), 8, true)), Err(BirthRefusal::Unproven));
    assert_eq!(birth(&word(boot(1), 7, true)), Ok(()), "the run that is known is");
    assert_eq!(bedside.pump.boot(), Some(boot(1)));
    assert!(bedside.told().is_empty(), "what a broker had kept betrays nobody");
    // An older number that is not retained is a second agent, and takes over only when the first is silent.
    let mut birth =
        |word: &BirthWord<'_>| bedside.pump.on_birth_word(word, Path::B, now, &mut bedside.log);
    assert_eq!(birth(&word(boot(5), 3, false)), Err(BirthRefusal::Unproven));
    assert_eq!(birth(&word(boot(9), 8, false)), Ok(()), "a newer one is");
    assert_eq!(bedside.pump.boot(), Some(boot(9)));
}

#[test]
fn an_agent_that_sends_heartbeats_and_no_frames_is_told_beside_its_silence() {
    let mut doubled = Doubled::new();
    doubled.run(2_000);
    doubled.late = [None, None];
    for second in 3..6 {
        doubled.run(second * 1_000);
        let now = doubled.now();
        let bedside = &mut doubled.bedside;
        bedside.pump.on_heartbeat(boot(9), SpoolWord::Records, now, &mut bedside.log);
        bedside.pump.on_heartbeat(boot(1), SpoolWord::Records, now, &mut bedside.log);
    }
    let (stale, agent) = ("comm.stale".to_owned(), "agent.not_sampling".to_owned());
    assert_eq!(doubled.told(), [(stale.clone(), Raised), (agent.clone(), Raised)]);
    doubled.late = [Some(0), Some(1)];
    doubled.run(9_000);
    let told = doubled.told();
    assert_eq!(told[2..], [(agent, Ended), (stale, Ended)]);
}

#[test]
fn a_spool_that_does_not_record_is_told_after_five_seconds_until_it_has_recorded_for_ten() {
    let mut doubled = Doubled::new();
    let say = |doubled: &mut Doubled, seconds: std::ops::Range<u64>, word| {
        for second in seconds {
            doubled.run(second * 1_000);
            let now = doubled.now();
            let bedside = &mut doubled.bedside;
            bedside.pump.on_heartbeat(boot(1), word, now, &mut bedside.log);
        }
    };
    say(&mut doubled, 1..5, SpoolWord::DoesNot);
    say(&mut doubled, 5..10, SpoolWord::Records);
    assert_eq!(doubled.told(), [], "four seconds are borne");
    say(&mut doubled, 10..17, SpoolWord::DoesNot);
    let recording = "agent.recording".to_owned();
    assert_eq!(doubled.told(), [(recording.clone(), Raised)]);
    say(&mut doubled, 17..27, SpoolWord::Records);
    assert_eq!(doubled.told().len(), 1);
    say(&mut doubled, 27..29, SpoolWord::Records);
    assert_eq!(doubled.told(), [(recording.clone(), Raised), (recording, Ended)]);
}

#[test]
fn probes_tell_that_both_paths_were_slow_from_the_first_frame_on() {
    let mut doubled = Doubled::new();
    doubled.late = [Some(900), Some(950)];
    doubled.run(1_200);
    assert_eq!(doubled.bedside.pump.link(doubled.now()), Link::Live, "nothing says better");
    for probe in 0..4 {
        let sent = doubled.now();
        let asked = doubled.bedside.agent.clock_ms + doubled.ms + 900;
        doubled.run(doubled.ms + 1_800 + probe);
        let times = ProbeTimes {
            sent,
            read: SampleTime::from_millis(asked),
            answered: SampleTime::from_millis(asked),
            received: doubled.now(),
        };
        doubled.bedside.pump.on_probe(times, doubled.now()).unwrap();
    }
    let stale = "comm.stale".to_owned();
    // Before the first frame it was told as well, and ended because nothing said that frames were old.
    assert_eq!(doubled.told(), [(stale.clone(), Raised), (stale.clone(), Ended)]);
    doubled.run(doubled.ms + 1_000);
    assert_eq!(doubled.told()[2..], [(stale, Raised)]);
    let offset = doubled.bedside.pump.clock_estimate().offset(doubled.now()).unwrap();
    assert!(offset.uncertainty_ns < 920_000_000, "{offset:?}");
}
