//! Two gateways, one row: what is shown of two words about the same alarm.

use ecmo_display::{Change, LinkState, Screen};
use ecmo_proto::v1;
use v1::watch_alarms_response::Update;

use crate::messages::{A, B, acknowledged, alarm, beat, ended, message, ms, rows, snapshot};

fn told(screen: &mut Screen) -> Vec<&'static str> {
    let name = |change: &Change| match change {
        Change::New(_) => "new",
        Change::Changed(..) => "changed",
        Change::Ended(_) => "ended",
        Change::EndedUnseen(_) => "ended unseen",
        Change::Forgotten(_) => "forgotten",
    };
    screen.take_changes().0.iter().map(name).collect()
}

/// Both gateways are heard and hold these.
fn both(a: &[v1::Alarm], b: &[v1::Alarm]) -> Screen {
    let mut screen = Screen::new(2, "");
    screen.on_alarms(A, snapshot(0, a), ms(0));
    screen.on_alarms(B, snapshot(0, b), ms(0));
    screen
}

#[test]
fn the_same_alarm_of_two_gateways_is_one_row_and_told_once() {
    let mut screen = both(&[], &[]);
    screen.on_alarms(A, message(1, 5, Update::Alarm(alarm("pump.stop", 1, 1))), ms(5));
    screen.on_alarms(B, message(1, 7, Update::Alarm(alarm("pump.stop", 1, 1))), ms(7));
    assert_eq!(rows(&screen), [("pump.stop".to_owned(), true, false)]);
    assert_eq!(screen.rows()[0].told.len(), 2);
    assert_eq!(told(&mut screen), ["new"]);
    let end = ended(&alarm("pump.stop", 1, 1));
    screen.on_alarms(A, message(2, 9, Update::Alarm(end.clone())), ms(9));
    assert_eq!(rows(&screen).len(), 1, "the other gateway still holds it");
    screen.on_alarms(B, message(2, 9, Update::Alarm(end)), ms(10));
    assert_eq!((rows(&screen).len(), told(&mut screen)), (0, vec!["ended"]));
}

#[test]
fn an_acknowledgement_at_one_gateway_counts_for_the_calls_that_it_covers() {
    let first = alarm("pump.stop", 1, 1);
    let mut screen = both(&[acknowledged(&first, "Mia")], std::slice::from_ref(&first));
    assert_eq!(rows(&screen), [("pump.stop".to_owned(), false, false)]);
    assert_eq!(screen.rows()[0].alarm.acknowledged_by, "Mia");
    // It got worse, and only the other gateway has said so yet.
    screen.on_alarms(B, message(1, 5, Update::Alarm(alarm("pump.stop", 2, 2))), ms(5));
    assert!(screen.rows()[0].signals() && screen.rows()[0].sounds());
    // The gateway itself is believed about its own acknowledgements, also when it does not count calls.
    let mut alone = Screen::new(1, "");
    let old = alarm("pump.stop", 1, 0);
    alone.on_alarms(A, snapshot(0, &[acknowledged(&old, "Mia")]), ms(0));
    alone.on_alarms(A, message(1, 5, Update::Alarm(alarm("pump.stop", 3, 0))), ms(5));
    assert!(alone.rows()[0].signals());
}

#[test]
fn conditions_of_the_gateways_themselves_stay_apart() {
    let own = |name: &str| v1::Alarm {
        occurrence: format!("/@{name}/gateway.overload/1-1"),
        pump: String::new(),
        ward: String::new(),
        gateway: name.to_owned(),
        ..alarm("gateway.overload", 1, 1)
    };
    let screen = both(&[own("a")], &[own("b")]);
    assert_eq!(rows(&screen).len(), 2);
}

#[test]
fn a_lost_gateway_clears_nothing_and_the_other_one_goes_on() {
    let (both_know, a_knows) = (alarm("pump.stop", 1, 1), alarm("flow.low", 1, 1));
    let mut screen = both(&[both_know.clone(), a_knows], std::slice::from_ref(&both_know));
    screen.take_changes();
    screen.on_lost(A, ms(10));
    let expected = [("flow.low".to_owned(), true, true), ("pump.stop".to_owned(), true, false)];
    assert_eq!(rows(&screen), expected);
    assert_eq!(told(&mut screen), [""; 0], "the loss of a link is no change of an alarm");
    // What the living gateway ends is over, although the lost one last said otherwise.
    screen.on_alarms(B, message(1, 20, Update::Alarm(ended(&both_know))), ms(20));
    assert_eq!(rows(&screen), [("flow.low".to_owned(), true, true)]);
    // Back, it names what still is.
    screen.on_alarms(A, snapshot(30, &[]), ms(30));
    assert_eq!(rows(&screen).len(), 0);
}

#[test]
fn what_a_restarted_gateway_does_not_name_is_forgotten_and_not_ended() {
    let mut screen = Screen::new(1, "");
    screen.on_alarms(A, snapshot(0, &[alarm("pump.stop", 1, 1)]), ms(0));
    told(&mut screen);
    let restarted = v1::WatchAlarmsResponse { epoch: 2, ..snapshot(0, &[]) };
    screen.on_alarms(A, restarted, ms(10));
    assert_eq!(told(&mut screen), ["forgotten"]);
    screen.on_alarms(A, snapshot(0, &[alarm("pump.stop", 1, 1)]), ms(20));
    screen.on_alarms(A, snapshot(30, &[]), ms(30));
    assert_eq!(told(&mut screen), ["new", "ended unseen"]);
}

#[test]
fn an_alarm_of_another_ward_is_shown_while_it_is_sent_here() {
    let mut screen = Screen::new(1, "icu");
    screen.on_alarms(A, snapshot(0, &[alarm("flow.low", 1, 1)]), ms(0));
    assert_eq!(rows(&screen).len(), 0);
    let redirected = v1::Alarm { redirected: true, ..alarm("pump.stop", 1, 1) };
    screen.on_alarms(A, message(1, 2, Update::Alarm(redirected)), ms(2));
    assert!(screen.rows()[0].alarm.redirected);
    screen.on_alarms(A, message(2, 3, Update::Alarm(alarm("pump.stop", 2, 1))), ms(3));
    assert_eq!(rows(&screen).len(), 0, "its own ward has it again");
}

#[test]
fn more_alarms_than_can_be_kept_are_counted() {
    let many: Vec<v1::Alarm> = (0..=4_096)
        .map(|number| v1::Alarm {
            occurrence: number.to_string(),
            ..alarm(&number.to_string(), 1, 1)
        })
        .collect();
    let mut screen = Screen::new(1, "");
    screen.on_alarms(A, snapshot(0, &many), ms(0));
    assert_eq!((screen.rows().len(), screen.links()[0].unlisted), (4_096, 1));
    assert_eq!(screen.links()[0].state, LinkState::Live);
    screen.on_alarms(A, beat(1, 900), ms(900));
    assert_eq!(screen.links()[0].unlisted, 1, "it is said until the next snapshot");
}

/// What a gateway says that was started anew.
fn again(sequence: u64, now_ms: u64, update: Update) -> v1::WatchAlarmsResponse {
    v1::WatchAlarmsResponse { epoch: 2, ..message(sequence, now_ms, update) }
}

/// Both held the alarm, one gateway was killed, the other one told that it ended, and the first goes on from what it had kept.
fn restored(kept: &v1::Alarm) -> Screen {
    let alarm = alarm("pump.stop", 1, 1);
    let mut screen = both(std::slice::from_ref(&alarm), std::slice::from_ref(&alarm));
    screen.on_lost(A, ms(10));
    screen.on_alarms(B, message(1, 20, Update::Alarm(ended(&alarm))), ms(20));
    assert_eq!(told(&mut screen), ["new", "ended"]);
    let snapshot = v1::AlarmSnapshot { alarms: vec![kept.clone()], ..Default::default() };
    screen.on_alarms(A, again(0, 5, Update::Snapshot(snapshot)), ms(1_000));
    screen
}

#[test]
fn what_has_ended_does_not_come_back_with_a_gateway_that_had_only_kept_it() {
    let kept = v1::Alarm { last_known: true, ..alarm("pump.stop", 2, 1) };
    let mut screen = restored(&kept);
    assert_eq!((rows(&screen).len(), told(&mut screen)), (0, Vec::new()));
    screen.on_alarms(A, again(1, 500, Update::Alarm(alarm("pump.stop", 3, 1))), ms(1_500));
    assert_eq!((rows(&screen).len(), told(&mut screen)), (0, Vec::new()));
    screen.on_alarms(A, again(2, 900, Update::Alarm(ended(&alarm("pump.stop", 3, 1)))), ms(1_900));
    assert_eq!((rows(&screen).len(), told(&mut screen)), (0, Vec::new()));
}

#[test]
fn what_a_restarted_gateway_newly_raises_or_calls_for_again_is_shown() {
    let kept = alarm("pump.stop", 2, 1);
    let mut screen = restored(&kept);
    screen.on_alarms(A, again(1, 500, Update::Alarm(alarm("pump.stop", 3, 2))), ms(1_500));
    assert_eq!(rows(&screen), [("pump.stop".to_owned(), true, false)]);
    let mut screen = restored(&kept);
    let new = v1::Alarm { occurrence: "another".to_owned(), ..kept.clone() };
    screen.on_alarms(A, again(1, 500, Update::Alarm(new)), ms(1_500));
    assert_eq!(rows(&screen), [("pump.stop".to_owned(), true, false)]);
}

#[test]
fn what_a_restarted_gateway_had_kept_is_shown_when_nobody_is_heard_who_ended_it_and_when_it_stays()
{
    let kept = alarm("pump.stop", 2, 1);
    let mut screen = restored(&kept);
    screen.on_lost(B, ms(1_100));
    assert_eq!(rows(&screen), [("pump.stop".to_owned(), true, false)]);
    // It insists: after a quarter of a minute it is no leftover.
    let mut screen = restored(&kept);
    for second in 1..=15 {
        let (now, local) = (second * 1_000, ms(1_000 + second * 1_000));
        assert_eq!(rows(&screen).len(), 0, "{second}");
        screen.on_alarms(B, beat(second + 1, 1_000 + now), local);
        let heartbeat = Update::Heartbeat(v1::Heartbeat { wall_ns: 7 });
        screen.on_alarms(A, again(second, now + 5, heartbeat), local);
    }
    assert_eq!(rows(&screen), [("pump.stop".to_owned(), true, false)]);
}

#[test]
fn what_a_lost_gateway_had_ended_is_shown_again_only_once_it_has_been_judged() {
    let kept = v1::Alarm { last_known: true, ..alarm("pump.stop", 2, 1) };
    let mut screen = restored(&kept);
    screen.on_lost(B, ms(1_100));
    assert_eq!(rows(&screen).len(), 0);
    screen.on_alarms(A, again(1, 500, Update::Alarm(alarm("pump.stop", 3, 1))), ms(1_500));
    assert_eq!(rows(&screen), [("pump.stop".to_owned(), true, false)]);
}

#[test]
fn what_ended_at_one_gateway_does_not_come_back_with_the_next_one_that_had_only_kept_it() {
    // One link, behind which there is the first gateway, another that names the alarm by a later onset, and the first one anew.
    let at = |alarm: v1::Alarm, occurrence: &str, onset_ms: u64, last_known: bool| v1::Alarm {
        occurrence: occurrence.to_owned(),
        onset_mono_ns: onset_ms * 1_000_000,
        last_known,
        ..alarm
    };
    let held = |alarm: &v1::Alarm| {
        let alarms = vec![alarm.clone()];
        Update::Snapshot(v1::AlarmSnapshot { alarms, ..v1::AlarmSnapshot::default() })
    };
    let other = |sequence, now_ms, update| v1::WatchAlarmsResponse {
        epoch: 9,
        ..message(sequence, now_ms, update)
    };
    let mut screen = Screen::new(1, "");
    let ours = at(alarm("pump.stop", 1, 1), "ours", 500, false);
    screen.on_alarms(A, message(0, 1_000, held(&ours)), ms(1_000));
    let theirs = at(alarm("pump.stop", 1, 1), "theirs", 900, false);
    screen.on_alarms(A, other(0, 1_200, held(&theirs)), ms(1_200));
    let over = v1::Alarm { changed_mono_ns: 2_000_000_000, ..ended(&theirs) };
    screen.on_alarms(A, other(1, 2_000, Update::Alarm(over)), ms(2_000));
    assert_eq!(rows(&screen).len(), 0);
    let kept = at(alarm("pump.stop", 2, 1), "ours", 500, true);
    screen.on_alarms(A, again(0, 3_000, held(&kept)), ms(3_000));
    assert_eq!(rows(&screen).len(), 0);
    let judged = at(alarm("pump.stop", 3, 1), "ours", 500, false);
    screen.on_alarms(A, again(1, 3_300, Update::Alarm(judged)), ms(3_300));
    assert_eq!(rows(&screen), [("pump.stop".to_owned(), true, false)]);
    // What began after that end is another one.
    screen.on_alarms(
        A,
        other(0, 3_400, held(&at(alarm("pump.stop", 1, 1), "new", 2_500, true))),
        ms(3_400),
    );
    assert_eq!(rows(&screen), [("pump.stop".to_owned(), true, false)]);
}

#[test]
fn what_has_ended_under_another_name_does_not_come_back_either() {
    let mut screen = Screen::new(2, "");
    screen.on_alarms(A, snapshot(0, &[]), ms(0));
    screen.on_alarms(B, snapshot(0, &[]), ms(0));
    let at = |at_ms: u64, alarm: v1::Alarm| v1::Alarm {
        onset_mono_ns: at_ms * 1_000_000,
        changed_mono_ns: at_ms * 1_000_000,
        ..alarm
    };
    let ours = at(2_000, alarm("pump.stop", 1, 1));
    let theirs = v1::Alarm { occurrence: "later".to_owned(), ..at(2_400, ours.clone()) };
    screen.on_alarms(A, message(1, 2_500, Update::Alarm(ours.clone())), ms(2_500));
    screen.on_alarms(B, message(1, 2_500, Update::Alarm(theirs.clone())), ms(2_500));
    screen.on_alarms(A, message(2, 4_000, Update::Alarm(at(4_000, ended(&ours)))), ms(4_000));
    screen.on_alarms(B, message(2, 4_001, Update::Alarm(at(4_001, ended(&theirs)))), ms(4_001));
    assert_eq!(rows(&screen).len(), 0);
    screen.on_lost(A, ms(4_100));
    // A gateway whose clock began 100 s before this display's, and that had not kept the end.
    let kept = v1::Alarm { last_known: true, ..at(102_000, ours) };
    let kept = v1::AlarmSnapshot { alarms: vec![kept], ..v1::AlarmSnapshot::default() };
    screen.on_alarms(A, again(0, 104_500, Update::Snapshot(kept)), ms(4_500));
    assert_eq!(rows(&screen).len(), 0);
    // Nor when that gateway is lost again.
    screen.on_lost(A, ms(4_600));
    screen.on_alarms(B, beat(3, 5_000), ms(5_000));
    assert_eq!(rows(&screen).len(), 0);
    screen.tick(ms(5_600));
    assert_eq!(rows(&screen).len(), 0);
}

#[test]
fn what_a_gateway_had_ended_itself_is_shown_again_only_once_it_has_judged_it() {
    let first = alarm("pump.stop", 1, 1);
    let mut screen = Screen::new(1, "");
    screen.on_alarms(A, snapshot(0, std::slice::from_ref(&first)), ms(0));
    screen.on_alarms(A, message(1, 900, Update::Alarm(ended(&first))), ms(900));
    // It was killed before it had kept the end.
    let kept = v1::Alarm { last_known: true, ..alarm("pump.stop", 2, 1) };
    let kept = v1::AlarmSnapshot { alarms: vec![kept], ..v1::AlarmSnapshot::default() };
    screen.on_alarms(A, again(0, 5, Update::Snapshot(kept)), ms(1_500));
    assert_eq!(rows(&screen).len(), 0);
    screen.on_alarms(A, again(1, 300, Update::Alarm(alarm("pump.stop", 3, 1))), ms(1_800));
    assert_eq!(rows(&screen), [("pump.stop".to_owned(), true, false)]);
}

#[test]
fn a_row_calls_anew_when_it_comes_back_or_signals_again_and_not_by_another_name_or_number() {
    let calls = |screen: &Screen| screen.rows()[0].calls;
    let first = alarm("pump.stop", 1, 1);
    let mut screen = both(std::slice::from_ref(&first), &[]);
    assert_eq!(calls(&screen), 1);
    // The other gateway counts it otherwise, and calls it otherwise.
    let other = v1::Alarm { occurrence: "other".to_owned(), ..alarm("pump.stop", 4, 7) };
    screen.on_alarms(B, message(1, 5, Update::Alarm(other.clone())), ms(5));
    screen.on_lost(A, ms(10));
    assert_eq!((rows(&screen).len(), calls(&screen)), (1, 1));
    let gone = v1::Alarm {
        revision: 5,
        present: false,
        signal: v1::SignalPresence::Latched.into(),
        ..other.clone()
    };
    screen.on_alarms(B, message(2, 15, Update::Alarm(gone)), ms(15));
    assert_eq!(calls(&screen), 1);
    let back = v1::Alarm { revision: 6, call: 8, ..other };
    screen.on_alarms(B, message(3, 20, Update::Alarm(back.clone())), ms(20));
    assert_eq!(calls(&screen), 2);
    // What came back while nobody listened was present before and is now.
    let again = v1::Alarm { revision: 9, call: 9, ..back.clone() };
    screen.on_alarms(B, message(4, 25, Update::Alarm(again)), ms(25));
    assert_eq!(calls(&screen), 3);
    let quiet = acknowledged(&v1::Alarm { revision: 10, call: 9, ..back.clone() }, "Mia");
    screen.on_alarms(B, message(5, 30, Update::Alarm(quiet)), ms(30));
    assert_eq!((rows(&screen)[0].1, calls(&screen)), (false, 3));
    screen.on_alarms(
        B,
        message(6, 35, Update::Alarm(v1::Alarm { revision: 12, call: 10, ..back })),
        ms(35),
    );
    assert_eq!(calls(&screen), 4);
}
