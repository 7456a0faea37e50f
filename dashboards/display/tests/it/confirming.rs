//! What is confirmed: what was painted, to every gateway that told it, and nothing else.

use ecmo_display::{Screen, Shown};
use ecmo_proto::v1;
use v1::watch_alarms_response::Update;

use crate::messages::{A, B, alarm, beat, ended, message, ms, snapshot};

fn shown(condition: &str, revision: u32) -> Shown {
    Shown { occurrence: format!("nicu/p1/{condition}/1-1"), revision }
}

#[test]
fn only_what_was_painted_is_confirmed_and_to_every_gateway_that_told_it() {
    let mut screen = Screen::new(2, "");
    screen.on_alarms(A, snapshot(0, &[alarm("pump.stop", 1, 1), alarm("flow.low", 1, 1)]), ms(0));
    screen.on_alarms(B, snapshot(0, &[alarm("pump.stop", 4, 1)]), ms(0));
    assert_eq!(screen.take_confirmations(A), []);
    let picture = screen.picture();
    // It changes while the picture is painted: the newer revision was not shown.
    screen.on_alarms(A, message(1, 5, Update::Alarm(alarm("pump.stop", 2, 2))), ms(5));
    screen.painted(&picture, |row| row.key.condition == "pump.stop");
    assert_eq!(screen.take_confirmations(A), [shown("pump.stop", 1)]);
    assert_eq!(screen.take_confirmations(B), [shown("pump.stop", 4)]);
    assert_eq!(screen.painted_until(A).unwrap().1.0, 0, "not as far as what came since");
    let picture = screen.picture();
    screen.painted(&picture, |_| true);
    assert_eq!(screen.take_confirmations(A), [shown("flow.low", 1), shown("pump.stop", 2)]);
    assert_eq!(screen.take_confirmations(B), []);
    assert_eq!(screen.painted_until(A).unwrap().1.0, 5_000_000);
}

#[test]
fn what_did_not_count_is_confirmed_again_and_so_is_everything_after_a_new_subscription() {
    let mut screen = Screen::new(1, "");
    screen.on_alarms(A, snapshot(0, &[alarm("pump.stop", 1, 1)]), ms(0));
    let paint = |screen: &mut Screen| {
        let picture = screen.picture();
        screen.painted(&picture, |_| true);
        screen.take_confirmations(A)
    };
    let sent = paint(&mut screen);
    assert_eq!((sent.as_slice(), paint(&mut screen).len()), (&[shown("pump.stop", 1)][..], 0));
    screen.put_back(A, sent);
    assert_eq!(screen.take_confirmations(A), [shown("pump.stop", 1)]);
    screen.on_alarms(A, snapshot(10, &[alarm("pump.stop", 1, 1)]), ms(10));
    assert_eq!(paint(&mut screen), [shown("pump.stop", 1)]);
    // What is only last known is no news to anybody.
    screen.on_alarms(A, snapshot(20, &[alarm("pump.stop", 1, 1)]), ms(20));
    screen.on_lost(A, ms(21));
    assert_eq!(paint(&mut screen), []);
}

#[test]
fn a_drill_is_confirmed_with_the_next_picture_and_never_shown() {
    let mut screen = Screen::new(1, "");
    screen.on_alarms(A, snapshot(0, &[]), ms(0));
    let drill = v1::Drill { occurrence: "_drill/g/x/1-1".to_owned(), revision: 1 };
    screen.on_alarms(A, message(1, 5, Update::Drill(drill.clone())), ms(5));
    assert_eq!((screen.rows().len(), screen.take_confirmations(A).len()), (0, 0));
    let picture = screen.picture();
    screen.painted(&picture, |_| false);
    let expected = Shown { occurrence: drill.occurrence, revision: 1 };
    assert_eq!(screen.take_confirmations(A), [expected]);
    assert_eq!((screen.take_confirmations(A).len(), screen.missed().len()), (0, 0));
}

#[test]
fn what_came_and_went_without_being_painted_is_told_as_missed() {
    let mut screen = Screen::new(1, "");
    screen.on_alarms(A, snapshot(0, &[alarm("flow.low", 1, 1)]), ms(0));
    let picture = screen.picture();
    screen.painted(&picture, |_| true);
    // Between two pictures.
    screen.on_alarms(A, message(1, 5, Update::Alarm(alarm("pump.stop", 1, 1))), ms(5));
    screen.on_alarms(A, message(2, 6, Update::Alarm(ended(&alarm("pump.stop", 1, 1)))), ms(6));
    screen.on_alarms(A, beat(3, 7), ms(7));
    screen.on_lost(A, ms(8));
    // While nobody listened; and what was seen comes back worse, and goes.
    let gone = vec![ended(&alarm("press.high", 1, 1)), ended(&alarm("flow.low", 4, 2))];
    let told = v1::AlarmSnapshot { ended: gone, ..v1::AlarmSnapshot::default() };
    screen.on_alarms(A, message(0, 50, Update::Snapshot(told)), ms(50));
    let missed: Vec<_> =
        screen.missed().map(|missed| (missed.alarm.condition.clone(), missed.unheard)).collect();
    let expected = [("press.high", true), ("flow.low", true), ("pump.stop", false)];
    assert_eq!(missed, expected.map(|(condition, unheard)| (condition.to_owned(), unheard)));
    screen.forget_missed();
    assert_eq!(screen.missed().len(), 0);
}
