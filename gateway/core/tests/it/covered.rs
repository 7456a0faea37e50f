//! Acknowledgements that ended their alarm are told to whoever was not there, and are about no other alarm.

use ecmo_core::alarm::COVERED_MAX;
use ecmo_core::alarm::action::{Action, AlarmRef, Order, What};
use ecmo_core::alarm::occurrence::{OccurrenceId, Signal, Transition};
use ecmo_core::parameter::Parameter::{PressPost, PumpSpeed};
use ecmo_core::time::Instant;

use crate::bedside::{Bedside, Input};

const STOP: &str = "pump.stop";
const POST_HIGH: &str = "post.high.alarm";

/// The pump stands from the first second on, and runs again three seconds later where it `recovers`.
fn stopped(recovers: bool) -> Bedside {
    let mut bedside = Bedside::new();
    bedside.play(&[(1_000, Input::Value(PumpSpeed, 0.0))], 4_000);
    if recovers {
        bedside.play(&[(4_000, Input::Value(PumpSpeed, 3_000.0))], 7_000);
        assert_eq!(signal(&bedside), Some(Signal::Latched));
    }
    bedside
}

fn signal(bedside: &Bedside) -> Option<Signal> {
    bedside.find(STOP).map(|one| one.signal())
}

/// Hears everything that counts at another gateway.
fn hear(bedside: &mut Bedside, other: &Bedside) {
    for action in other.pump.standing(other.now()) {
        let _nothing_to_do = bedside.pump.apply(&action, bedside.now(), &mut bedside.log);
    }
}

/// What the digest of a gateway is made of.
fn counts(bedside: &Bedside) -> Vec<(Order, &'static str)> {
    let standing = bedside.pump.standing(bedside.now());
    let each = standing.into_iter().map(|action| match action.what {
        What::Acknowledge(_) | What::AcknowledgeEnded(_) => (action.order, "acknowledge"),
        What::Pause { .. } | What::Resume { .. } => (action.order, "sound"),
        What::Shelve { .. } | What::Own(_) | What::Bed(_) => (action.order, "other"),
    });
    let mut each: Vec<_> = each.collect();
    each.sort();
    each
}

#[test]
fn an_acknowledgement_that_ended_its_alarm_is_told_to_whoever_was_not_there() {
    let (mut here, mut there) = (stopped(true), stopped(true));
    here.apply(&Input::Acknowledge(STOP));
    assert_eq!(signal(&here), None);
    // It is known after a restart, too.
    here.restart_reader();
    assert_ne!(counts(&here), counts(&there));
    hear(&mut there, &here);
    assert_eq!((signal(&there), counts(&here)), (None, counts(&there)));
}

#[test]
fn what_was_acknowledged_while_present_and_has_ended_ends_where_it_waits_after_a_restart() {
    let (mut here, mut there) = (stopped(false), stopped(false));
    here.apply(&Input::Acknowledge(STOP));
    there.restart_reader();
    for bedside in [&mut here, &mut there] {
        bedside.play(&[(4_000, Input::Value(PumpSpeed, 3_000.0))], 7_000);
    }
    assert_eq!((signal(&here), signal(&there)), (None, Some(Signal::Latched)));
    hear(&mut there, &here);
    assert_eq!(signal(&there), None);
}

#[test]
fn what_a_reader_that_joined_later_named_otherwise_is_covered_too_and_no_call_after_it() {
    let mut joined = Bedside::new();
    joined.apply(&Input::Lose(true));
    let met = [(1_000, Input::Value(PumpSpeed, 0.0)), (3_500, Input::Lose(false))];
    joined.play(&met, 6_000);
    let theirs = joined.find(STOP).map(|one| one.id);
    joined.apply(&Input::Acknowledge(STOP));
    joined.play(&[(6_000, Input::Value(PumpSpeed, 3_000.0))], 9_000);
    assert_eq!(signal(&joined), None);
    for calls_again in [false, true] {
        let mut first = stopped(false);
        assert_ne!(first.find(STOP).map(|one| one.id), theirs);
        if calls_again {
            let again =
                [(6_000, Input::Value(PumpSpeed, 3_000.0)), (8_500, Input::Value(PumpSpeed, 0.0))];
            first.play(&again, 9_500);
            assert_eq!(first.find(STOP).map(|one| one.call), Some(2));
        }
        first.restart_reader();
        first.run_until(10_000);
        hear(&mut first, &joined);
        assert_eq!(signal(&first), Some(Signal::On));
        first.play(&[(10_000, Input::Value(PumpSpeed, 3_000.0))], 14_000);
        let left = calls_again.then_some(Signal::Latched);
        assert_eq!(signal(&first), left, "{calls_again}");
    }
}

#[test]
fn what_ended_elsewhere_and_is_present_here_is_not_quiet_and_ends_once_it_is_gone() {
    let (mut here, mut there) = (stopped(true), stopped(false));
    here.apply(&Input::Acknowledge(STOP));
    there.run_until(7_000);
    hear(&mut there, &here);
    assert_eq!(signal(&there), Some(Signal::On), "by the samples that came here it is present");
    assert_eq!(counts(&here), counts(&there));
    there.restart_reader();
    there.run_until(9_000);
    assert_eq!(signal(&there), Some(Signal::On));
    there.play(&[(9_000, Input::Value(PumpSpeed, 3_000.0))], 13_000);
    assert_eq!(signal(&there), None);
}

#[test]
fn what_has_called_again_since_is_not_ended_by_it() {
    let (mut here, mut there) = (stopped(true), stopped(true));
    here.apply(&Input::Acknowledge(STOP));
    let more = [(7_000, Input::Value(PumpSpeed, 0.0)), (9_000, Input::Value(PumpSpeed, 3_000.0))];
    there.play(&more, 12_000);
    hear(&mut there, &here);
    assert_eq!(signal(&there), Some(Signal::Latched));
}

#[test]
fn a_reader_that_joins_takes_it_for_no_alarm_of_its_own() {
    let mut here = stopped(true);
    here.apply(&Input::Acknowledge(STOP));
    here.play(&[(7_000, Input::Value(PumpSpeed, 0.0))], 9_000);
    assert_eq!(signal(&here), Some(Signal::On), "another one, that nobody has acknowledged");
    // It meets the agent only now, and nothing was kept.
    let mut joins = Bedside::new();
    joins.apply(&Input::Lose(true));
    joins.play(&[(1_000, Input::Value(PumpSpeed, 0.0)), (8_500, Input::Lose(false))], 9_500);
    assert_eq!(signal(&joins), Some(Signal::On));
    hear(&mut joins, &here);
    assert_eq!(signal(&joins), Some(Signal::On));
    assert_eq!(counts(&here), counts(&joins));
}

#[test]
fn what_comes_before_a_reader_that_joins_has_the_alarm_is_wanted_again() {
    let mut here = stopped(false);
    here.apply(&Input::Acknowledge(STOP));
    let mut joins = Bedside::new();
    joins.play(&[(1_000, Input::Lose(true)), (1_001, Input::Value(PumpSpeed, 0.0))], 3_000);
    hear(&mut joins, &here);
    assert_ne!(counts(&here), counts(&joins));
    joins.play(&[(3_000, Input::Lose(false))], 5_000);
    assert_eq!(signal(&joins), Some(Signal::On));
    hear(&mut joins, &here);
    assert_eq!((signal(&joins), counts(&here)), (Some(Signal::Acknowledged), counts(&joins)));
}

/// The pressure after the membrane is far too high from the first second on, and one person has acknowledged it.
fn acknowledged_pressure() -> Bedside {
    let mut here = Bedside::new();
    here.play(&[(1_000, Input::Value(PressPost, 450.0))], 4_000);
    here.apply(&Input::Acknowledge(POST_HIGH));
    assert_eq!(here.find(POST_HIGH).map(|one| one.signal()), Some(Signal::Acknowledged));
    here
}

#[test]
fn a_reader_that_joins_takes_what_it_finds_for_what_was_acknowledged_and_never_calls() {
    let here = acknowledged_pressure();
    let mut joins = Bedside::new();
    joins.apply(&Input::Lose(true));
    joins.play(&[(1_000, Input::Value(PressPost, 450.0))], 4_500);
    hear(&mut joins, &here);
    joins.play(&[(4_500, Input::Lose(false))], 9_000);
    let (theirs, ours) = (joins.find(POST_HIGH).unwrap(), here.find(POST_HIGH).unwrap());
    assert_eq!(
        (theirs.id, theirs.call),
        (ours.id, ours.call),
        "by the name of whoever saw it begin"
    );
    let changes = joins.log.changes.iter().filter(|change| change.id == ours.id);
    let transitions: Vec<_> = changes.map(|change| change.transition).collect();
    assert_eq!(transitions, [Transition::Raised], "acknowledged from the first on");
    assert_eq!(theirs.signal(), Signal::Acknowledged);
    assert_eq!(counts(&here), counts(&joins));
}

#[test]
fn what_a_reader_has_seen_well_is_another_alarm_although_one_was_acknowledged_elsewhere() {
    let here = acknowledged_pressure();
    let mut joins = Bedside::new();
    joins.play(&[(1_000, Input::Lose(true))], 4_500);
    hear(&mut joins, &here);
    let after = [(4_500, Input::Lose(false)), (5_500, Input::Value(PressPost, 450.0))];
    joins.play(&after, 9_500);
    assert!(joins.now() < Instant::from_millis(60_000), "it still waits for its alarm");
    assert_eq!(joins.find(POST_HIGH).map(|one| one.signal()), Some(Signal::On));
}

/// Hears of everything that waits at another gateway.
fn hear_waiting(bedside: &mut Bedside, other: &Bedside) {
    for waiting in other.pump.waiting(other.now()) {
        let now = bedside.now();
        bedside.pump.adopt(waiting, now, &mut bedside.log);
    }
}

#[test]
fn what_came_and_went_while_nobody_looked_here_waits_here_too_until_it_is_acknowledged_anywhere() {
    let (mut there, mut here) = (stopped(true), Bedside::new());
    here.run_until(7_000);
    assert_eq!(signal(&here), None);
    hear_waiting(&mut here, &there);
    hear_waiting(&mut here, &there);
    let (ours, theirs) = (here.find(STOP).unwrap().clone(), there.find(STOP).unwrap().clone());
    assert_eq!(ours.signal(), Signal::Latched);
    assert_eq!((ours.id, ours.call, ours.priority), (theirs.id, theirs.call, theirs.priority));
    assert_eq!((ours.worst, ours.limit), (theirs.worst, theirs.limit));
    assert_eq!(ours.revision, 1, "told once");
    // It returns by the samples under the same name.
    for bedside in [&mut here, &mut there] {
        let back = (9_000, Input::Value(PumpSpeed, 3_000.0));
        bedside.play(&[(7_000, Input::Value(PumpSpeed, 0.0)), back], 12_000);
    }
    let named = |bedside: &Bedside| bedside.find(STOP).map(|one| (one.id, one.call, one.signal()));
    assert_eq!(named(&here), Some((theirs.id, 2, Signal::Latched)));
    assert_eq!(named(&here), named(&there));
    // What was acknowledged does not come again, also not after a restart.
    here.apply(&Input::Acknowledge(STOP));
    assert_eq!(signal(&here), None);
    hear_waiting(&mut here, &there);
    assert_eq!(signal(&here), None);
    here.restart_reader();
    hear_waiting(&mut here, &there);
    assert_eq!(signal(&here), None);
    hear(&mut there, &here);
    assert_eq!(signal(&there), None);
}

#[test]
fn what_is_present_waits_for_nobody_elsewhere_and_is_not_changed_by_what_waits_there() {
    let (mut here, there) = (stopped(false), stopped(true));
    assert_eq!(here.pump.waiting(here.now()).count(), 0);
    let before = here.find(STOP).cloned();
    hear_waiting(&mut here, &there);
    assert_eq!(here.find(STOP).cloned(), before);
}

#[test]
fn what_one_gateway_missed_waits_at_that_one_alone() {
    let mut here = Bedside::new();
    here.run_until(2_000);
    let now = here.now();
    here.pump.on_missed(now, &mut here.log);
    assert_eq!(here.find("alarm.missed").map(|one| one.signal()), Some(Signal::Latched));
    assert_eq!(here.pump.waiting(here.now()).count(), 0);
}

#[test]
fn the_last_64_by_their_order_are_remembered_in_whatever_order_they_came() {
    let id = stopped(false).find(STOP).map(|one| one.id).unwrap();
    let (mut one, mut other) = (Bedside::new(), Bedside::new());
    let ended = |at: u64| Action {
        order: Order { at, gateway: "a".into() },
        by: "RN".into(),
        note: String::new(),
        what: What::AcknowledgeEnded(AlarmRef { id: OccurrenceId { onset: at, ..id }, call: 1 }),
    };
    for at in 1..=100 {
        for (bedside, at) in [(&mut one, at), (&mut other, 101 - at)] {
            let _not_here = bedside.pump.apply(&ended(at), bedside.now(), &mut bedside.log);
        }
    }
    assert_eq!(counts(&one), counts(&other));
    assert_eq!((counts(&one).len(), counts(&one)[0].0.at), (COVERED_MAX, 37));
    assert_eq!(one.pump.kept().covered.len(), COVERED_MAX);
}
