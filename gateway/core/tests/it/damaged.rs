//! Frames that could not be read: an alarm of their pump, beside whatever else arrives.

use std::time::Duration;

use ecmo_core::alarm::occurrence::Transition::{Ended, Raised};
use ecmo_core::damage::{DAMAGE_CLEAR, DAMAGED_FRAMES};
use ecmo_core::parameter::Parameter::FlowBlood;
use ecmo_core::path::Path;
use ecmo_core::pump::Link;
use ecmo_core::reading::Reading;

use crate::bedside::{Bedside, Input};

/// Damaged frames come over one path at this moment.
fn damaged(bedside: &mut Bedside, frames: usize) {
    let now = bedside.now();
    (0..frames).for_each(|_frame| bedside.pump.on_damaged(Path::A, now, &mut bedside.log));
}

#[test]
fn three_damaged_frames_are_one_low_alarm_that_ends_ten_seconds_after_the_last() {
    let mut bedside = Bedside::new();
    bedside.run_until(2_000);
    damaged(&mut bedside, DAMAGED_FRAMES - 1);
    bedside.run_until(5_000);
    damaged(&mut bedside, 200);
    bedside.run_until(9_000);
    damaged(&mut bedside, 1);
    let alarm = bedside.find("comm.damaged").expect("raised");
    assert_eq!(alarm.priority, ecmo_core::alarm::condition::Priority::Low);
    assert_eq!(alarm.onset_at, bedside.base.plus(Duration::from_secs(2)));
    bedside.run_until(40_000);
    let expected = [(5_000, "comm.damaged".into(), Raised), (19_000, "comm.damaged".into(), Ended)];
    assert_eq!(bedside.told(), expected);
    assert!(matches!(bedside.reading(FlowBlood), Reading::Value(_)), "the others are judged");
}

#[test]
fn damaged_frames_are_no_sign_of_life_and_each_burst_has_a_name_of_its_own() {
    let mut bedside = Bedside::new();
    bedside.play(&[(2_000, Input::Lose(true))], 2_000);
    let begun = bedside.now();
    // Nothing that can be read comes meanwhile, so no frame tells the two apart.
    for second in [2, 3, 4, 5, 30, 31, 32] {
        bedside.run_until(second * 1_000);
        damaged(&mut bedside, 1);
    }
    assert_ne!(bedside.pump.link(bedside.now()), Link::Live);
    assert!(bedside.find("comm.stale").is_some_and(|alarm| alarm.onset_at <= begun));
    let names: Vec<_> = bedside.log.changes.iter().map(|change| change.id).collect();
    let told = bedside.told();
    let of = |place: usize| (told[place].1.as_str(), told[place].2);
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(
        [of(1), of(2), of(3)],
        [("comm.damaged", Raised), ("comm.damaged", Ended), ("comm.damaged", Raised)]
    );
    assert_eq!(names[1], names[2]);
    assert_ne!(names[1], names[3]);
}

#[test]
fn after_a_restart_of_the_reader_it_is_over_when_none_came_for_ten_seconds() {
    let mut bedside = Bedside::new();
    bedside.run_until(2_000);
    damaged(&mut bedside, DAMAGED_FRAMES);
    let kept = bedside.pump.kept();
    let mut after = Bedside::new();
    let (now, known) = (after.now(), after.find("comm.damaged").is_some());
    assert!(!known);
    after.pump.restore(kept, now, &mut after.log);
    assert!(after.find("comm.damaged").is_some_and(|alarm| !alarm.orphan));
    let clear = u64::try_from(DAMAGE_CLEAR.as_millis()).unwrap();
    after.run_until(clear - 100);
    assert!(after.find("comm.damaged").is_some());
    after.run_until(clear + 100);
    assert!(after.find("comm.damaged").is_none());
}
