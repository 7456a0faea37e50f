//! Acknowledging: as far as it was shown, once, and without hiding what is present.

use ecmo_core::alarm::Refused;
use ecmo_core::alarm::action::Ask;
use ecmo_core::alarm::occurrence::{OccurrenceId, Signal, Transition};
use ecmo_core::parameter::Parameter::PumpSpeed;

use crate::bedside::{Bedside, Input};

fn stopped() -> (Bedside, OccurrenceId, u32) {
    let mut bedside = Bedside::new();
    bedside.play(&[(1_000, Input::Value(PumpSpeed, 0.0))], 2_000);
    let found = bedside.find("pump.stop").unwrap();
    let (id, revision) = (found.id, found.revision);
    (bedside, id, revision)
}

fn acknowledge(bedside: &mut Bedside, id: &OccurrenceId, revision: u32) -> Result<(), Refused> {
    bedside.person(Ask::Acknowledge { id: *id, revision }, "RN A", "")
}

#[test]
fn what_has_changed_since_it_was_shown_is_not_acknowledged() {
    let (mut bedside, id, revision) = stopped();
    // It turns again, and stops again: not what was seen.
    bedside.play(
        &[(2_000, Input::Value(PumpSpeed, 3_000.0)), (5_000, Input::Value(PumpSpeed, 0.0))],
        7_000,
    );
    let changed = Refused::Changed { revision: revision + 2 };
    for seen in [revision, revision + 1, revision + 3] {
        assert_eq!(acknowledge(&mut bedside, &id, seen), Err(changed));
    }
    assert_eq!(bedside.find("pump.stop").unwrap().signal(), Signal::On);
    assert_eq!(acknowledge(&mut bedside, &id, revision + 2), Ok(()));
}

#[test]
fn data_that_comes_and_goes_does_not_keep_a_person_from_acknowledging() {
    let (mut bedside, id, revision) = stopped();
    bedside.play(&[(2_000, Input::Lose(true)), (4_000, Input::Lose(false))], 4_500);
    assert_eq!(bedside.find("pump.stop").unwrap().revision, revision + 2);
    assert_eq!(acknowledge(&mut bedside, &id, revision), Ok(()));
    assert_eq!(bedside.find("pump.stop").unwrap().signal(), Signal::Acknowledged);
}

#[test]
fn what_never_was_is_unknown() {
    let (mut bedside, id, revision) = stopped();
    let other = OccurrenceId { onset: id.onset + 1, ..id };
    assert_eq!(acknowledge(&mut bedside, &other, revision), Err(Refused::Unknown));
    assert_eq!(bedside.find("pump.stop").unwrap().acknowledged, None);
}

#[test]
fn acknowledging_twice_changes_nothing_the_second_time() {
    let (mut bedside, id, revision) = stopped();
    assert_eq!(acknowledge(&mut bedside, &id, revision), Ok(()));
    bedside.run_until(3_000);
    let once = bedside.find("pump.stop").unwrap().clone();
    assert_eq!(once.acknowledged.as_ref().unwrap().by, "RN A");
    let changed = Refused::Changed { revision: once.revision };
    assert_eq!(acknowledge(&mut bedside, &id, revision), Err(changed));
    assert_eq!(acknowledge(&mut bedside, &id, once.revision), Ok(()));
    assert_eq!(bedside.find("pump.stop"), Some(&once));
    let told = bedside.told();
    assert_eq!(told.iter().filter(|told| told.2 == Transition::Acknowledged).count(), 1);
}

#[test]
fn an_acknowledged_alarm_stays_in_sight_while_its_condition_is_present() {
    let (mut bedside, id, revision) = stopped();
    assert_eq!(acknowledge(&mut bedside, &id, revision), Ok(()));
    bedside.run_until(600_000);
    assert_eq!(bedside.find("pump.stop").unwrap().signal(), Signal::Acknowledged);
}

#[test]
fn what_has_ended_is_unknown() {
    let (mut bedside, id, revision) = stopped();
    bedside.play(&[(2_000, Input::Value(PumpSpeed, 3_000.0))], 5_000);
    assert_eq!(acknowledge(&mut bedside, &id, revision + 1), Ok(()));
    assert_eq!(acknowledge(&mut bedside, &id, revision + 2), Err(Refused::Unknown));
}
