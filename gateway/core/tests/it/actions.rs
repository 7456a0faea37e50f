//! What people did merges as a set: twice, late, in any order and elsewhere, it comes to the same.

use std::time::Duration;

use ecmo_core::alarm::Refused;
use ecmo_core::alarm::action::{Action, AlarmRef, Ask, Order, What};
use ecmo_core::alarm::condition::Condition;
use ecmo_core::alarm::occurrence::{OccurrenceId, PauseScope, Signal, Transition};
use ecmo_core::parameter::Parameter::{PressPost, PressPre, PumpSpeed};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::bedside::{Bedside, Input, boot};

fn stopped() -> (Bedside, OccurrenceId) {
    let mut bedside = Bedside::new();
    bedside.play(&[(1_000, Input::Value(PumpSpeed, 0.0))], 2_000);
    let id = bedside.find("pump.stop").unwrap().id;
    (bedside, id)
}

fn acknowledge(id: OccurrenceId, call: u32, at: u64, by: &str) -> Action {
    let order = Order { at, gateway: "other".into() };
    let what = What::Acknowledge(AlarmRef { id, call });
    Action { order, by: by.into(), note: String::new(), what }
}

fn merge(bedside: &mut Bedside, action: &Action) -> Result<(), Refused> {
    bedside.pump.apply(action, bedside.now(), &mut bedside.log)
}

#[test]
fn an_alarm_calls_when_it_is_raised_returns_and_worsens_and_at_nothing_else() {
    let (mut bedside, _id) = stopped();
    let call = |bedside: &Bedside| bedside.find("pump.stop").unwrap().call;
    assert_eq!(call(&bedside), 1);
    bedside.play(&[(2_000, Input::Lose(true)), (4_000, Input::Lose(false))], 7_000);
    bedside.apply(&Input::Pause(PauseScope::Pump, 60));
    assert_eq!(call(&bedside), 1);
    bedside.apply(&Input::Value(PumpSpeed, 3_000.0));
    bedside.run_until(10_000);
    assert_eq!((call(&bedside), bedside.find("pump.stop").unwrap().signal()), (1, Signal::Latched));
    bedside.apply(&Input::Value(PumpSpeed, 0.0));
    bedside.run_until(12_000);
    assert_eq!(call(&bedside), 2);
}

#[test]
fn an_acknowledgement_covers_no_later_call_and_every_earlier_one() {
    let (mut bedside, id) = stopped();
    bedside.play(
        &[(2_000, Input::Value(PumpSpeed, 3_000.0)), (5_000, Input::Value(PumpSpeed, 0.0))],
        7_000,
    );
    let revision = bedside.find("pump.stop").unwrap().revision;
    let late = acknowledge(id, 1, 10, "RN");
    assert_eq!(merge(&mut bedside, &late), Err(Refused::Changed { revision }));
    assert_eq!(bedside.find("pump.stop").unwrap().signal(), Signal::On);
    assert_eq!(merge(&mut bedside, &acknowledge(id, 3, 11, "RN")), Ok(()));
    assert_eq!(bedside.find("pump.stop").unwrap().signal(), Signal::Acknowledged);
}

#[test]
fn an_action_that_comes_before_its_alarm_waits_for_it() {
    let (_elsewhere, id) = stopped();
    let mut bedside = Bedside::new();
    bedside.run_until(1_200);
    let early = acknowledge(id, 1, 10, "RN");
    assert_eq!(merge(&mut bedside, &early), Err(Refused::Unknown));
    bedside.play(&[(1_200, Input::Value(PumpSpeed, 3_000.0))], 1_300);
    let mut bedside = Bedside::new();
    assert_eq!(merge(&mut bedside, &early), Err(Refused::Unknown));
    bedside.play(&[(1_000, Input::Value(PumpSpeed, 0.0))], 2_000);
    let found = bedside.find("pump.stop").unwrap();
    assert_eq!((found.id, found.signal()), (id, Signal::Acknowledged));
}

#[test]
fn an_action_waits_a_minute_and_no_more_than_64_wait() {
    let (_elsewhere, id) = stopped();
    for (idle_ms, others, expected) in [
        (58_000, 0, Signal::Acknowledged),
        (62_000, 0, Signal::On),
        (0, 63, Signal::Acknowledged),
        (0, 64, Signal::On),
    ] {
        let mut bedside = Bedside::new();
        // The same samples an idle time later have a later onset.
        let id = OccurrenceId { onset: id.onset + idle_ms * 1_000_000, ..id };
        let _waits = merge(&mut bedside, &acknowledge(id, 1, 1, "RN"));
        for other in 0..others {
            let other = OccurrenceId { onset: other, condition: Condition::HEATER_OVER, ..id };
            let _waits = merge(&mut bedside, &acknowledge(other, 1, 2, "RN"));
        }
        bedside.play(&[(idle_ms + 1_000, Input::Value(PumpSpeed, 0.0))], idle_ms + 2_000);
        let found = bedside.find("pump.stop").unwrap();
        assert_eq!((found.id, found.signal()), (id, expected), "{idle_ms} {others}");
    }
}

#[test]
fn what_was_acknowledged_before_a_reader_joined_is_acknowledged_there_too() {
    let (_elsewhere, id) = stopped();
    // The same agent, met later: for this reader the alarm began with its first frame.
    let mut bedside = Bedside::new();
    bedside.apply(&Input::Lose(true));
    bedside.apply(&Input::Value(PumpSpeed, 0.0));
    bedside.run_until(3_000);
    bedside.apply(&Input::Lose(false));
    bedside.run_until(4_000);
    let found = bedside.find("pump.stop").unwrap();
    assert!(found.id.onset > id.onset);
    assert_eq!(merge(&mut bedside, &acknowledge(id, 1, 10, "RN")), Ok(()));
    assert_eq!(bedside.find("pump.stop").unwrap().signal(), Signal::Acknowledged);
}

#[test]
fn what_was_done_to_an_alarm_that_has_ended_is_not_done_to_the_next_one() {
    let (mut bedside, id) = stopped();
    bedside.apply(&Input::Acknowledge("pump.stop"));
    bedside.play(
        &[(2_000, Input::Value(PumpSpeed, 3_000.0)), (8_000, Input::Value(PumpSpeed, 0.0))],
        9_000,
    );
    let next = bedside.find("pump.stop").unwrap();
    assert!(next.id != id && next.signal() == Signal::On);
    assert_eq!(merge(&mut bedside, &acknowledge(id, 1, 90, "RN")), Err(Refused::Unknown));
    assert_eq!(merge(&mut bedside, &acknowledge(id, 7, 91, "RN")), Err(Refused::Unknown));
    assert_eq!(bedside.find("pump.stop").unwrap().signal(), Signal::On);
}

#[test]
fn one_that_returned_here_and_began_anew_elsewhere_is_the_same_alarm() {
    // Here the acknowledgement comes after the alarm has returned, elsewhere before.
    let latched = || {
        let (mut bedside, id) = stopped();
        bedside.play(&[(2_000, Input::Value(PumpSpeed, 3_000.0))], 5_000);
        assert_eq!(bedside.find("pump.stop").unwrap().signal(), Signal::Latched);
        (bedside, id)
    };
    let ((mut here, id), (mut there, _id)) = (latched(), latched());
    let first = acknowledge(id, 1, 10, "RN");
    assert_eq!(merge(&mut there, &first), Ok(()));
    for bedside in [&mut here, &mut there] {
        bedside.apply(&Input::Value(PumpSpeed, 0.0));
        bedside.run_until(6_000);
    }
    assert!(merge(&mut here, &first).is_err());
    let (one, other) = (here.find("pump.stop").unwrap(), there.find("pump.stop").unwrap());
    assert_eq!((one.id, one.call, other.call), (id, 2, 1));
    assert_ne!(other.id, id);
    let (by_one, by_other) =
        (acknowledge(one.id, 2, 20, "A"), acknowledge(other.id, other.call, 20, "B"));
    let (mut here_too, mut there_too) = (here, there);
    assert_eq!(merge(&mut here_too, &by_other), Ok(()));
    assert_eq!(merge(&mut there_too, &by_one), Ok(()));
    for bedside in [here_too, there_too] {
        assert_eq!(bedside.find("pump.stop").unwrap().signal(), Signal::Acknowledged);
    }
}

#[test]
fn a_pause_covers_no_alarm_that_came_later() {
    let (mut bedside, id) = stopped();
    let lasts = Duration::from_secs(60);
    let ask = Ask::Pause { id: None, scope: PauseScope::Pump, lasts };
    let pause = bedside.prepare(ask, "RN", "").unwrap();
    bedside.play(&[(2_000, Input::Mute(PressPre, true))], 8_000);
    assert_eq!(merge(&mut bedside, &pause), Ok(()));
    assert!(bedside.pump.alarms().len() > 1);
    for one in bedside.pump.alarms() {
        assert_eq!(one.pause.is_some(), one.id == id, "{}", one.id);
    }
}

/// What a person may ask for of what is there.
#[derive(Debug, Clone)]
enum Deed {
    Acknowledge(usize),
    Pause(Option<usize>),
    Resume(Option<usize>),
    Shelve(usize),
    Unshelve(usize),
    Accept,
    HandOver(&'static str),
    Reject,
    Bed(&'static str),
}

const PEOPLE: [&str; 3] = ["Ada", "Ben", "Cem"];

fn deed() -> impl Strategy<Value = (Deed, &'static str)> {
    let which = || 0..8_usize;
    let maybe = || proptest::option::of(0..8_usize);
    let deed = prop_oneof![
        4 => which().prop_map(Deed::Acknowledge),
        2 => maybe().prop_map(Deed::Pause),
        2 => maybe().prop_map(Deed::Resume),
        2 => which().prop_map(Deed::Shelve),
        1 => which().prop_map(Deed::Unshelve),
        2 => Just(Deed::Accept),
        2 => select(&PEOPLE[..]).prop_map(Deed::HandOver),
        1 => Just(Deed::Reject),
        1 => select(&["3", "4"][..]).prop_map(Deed::Bed),
    ];
    (deed, select(&PEOPLE[..]))
}

/// The action of a deed at a bedside, if it is possible there.
fn action(bedside: &mut Bedside, deed: &Deed, by: &str, order: Order) -> Option<Action> {
    let alarms = bedside.pump.alarms();
    let at =
        |place: usize| alarms.get(place % alarms.len().max(1)).map(|one| (one.id, one.revision));
    let lasts = Duration::from_secs(100);
    let ask = match deed {
        Deed::Acknowledge(which) => {
            at(*which).map(|(id, revision)| Ask::Acknowledge { id, revision })?
        }
        Deed::Pause(which) => {
            let id = which.and_then(at).map(|(id, _)| id);
            let scope = if id.is_some() { PauseScope::Alarm } else { PauseScope::Pump };
            Ask::Pause { id, scope, lasts }
        }
        Deed::Resume(which) => {
            Ask::Resume { id: which.and_then(at).map(|(id, _)| id), scope: PauseScope::Pump }
        }
        Deed::Shelve(which) => at(*which).map(|(id, _)| Ask::Shelve { id, lasts })?,
        Deed::Unshelve(which) => {
            let shelves = bedside.pump.shelves();
            Ask::Unshelve(shelves.get(which % shelves.len().max(1))?.0)
        }
        Deed::Accept => Ask::Accept,
        Deed::HandOver(to) => Ask::HandOver { to },
        Deed::Reject => Ask::Reject,
        Deed::Bed(bed) => Ask::AssignBed(bed),
    };
    let what = bedside.pump.prepare(ask, by, bedside.now()).ok()?;
    Some(Action { order, by: by.into(), note: String::new(), what })
}

/// What must be alike: what is acknowledged by whom, paused, shelved and owned.
type Essence = (Vec<String>, Vec<String>, String);

fn essence(bedside: &Bedside) -> Essence {
    let mut alarms: Vec<_> = bedside
        .pump
        .alarms()
        .iter()
        // It is named by the first action that was heard of those that ask; that somebody is asked is compared below.
        .filter(|one| one.id.condition != Condition::OWNERSHIP_UNANSWERED)
        .map(|one| {
            let by = one.acknowledged.as_ref().map(|seen| (&seen.by, &seen.order, seen.call));
            let pause = one.pause.as_ref().map(|pause| (&pause.by, &pause.order));
            let shelf = one.shelf.as_ref().map(|shelf| (&shelf.by, &shelf.order));
            format!(
                "{} {} {by:?} {pause:?} {:?} {shelf:?} {:?}",
                one.id,
                one.call,
                one.sound,
                one.signal()
            )
        })
        .collect();
    alarms.sort();
    let mut shelves: Vec<_> = bedside
        .pump
        .shelves()
        .iter()
        .map(|(it, shelf)| format!("{it} {:?}", shelf.order))
        .collect();
    shelves.sort();
    let owned = bedside.pump.ownership();
    let owned = format!(
        "{:?} {:?} {:?} {} {} {:?} {:?}",
        owned.owner,
        owned.offer.as_ref().map(|(to, _until)| to),
        owned.last_offer,
        owned.unanswered,
        owned.bed,
        owned.order,
        owned.bed_order
    );
    (alarms, shelves, owned)
}

/// Trouble of several kinds, so that there is something to act on.
fn troubled() -> Bedside {
    let mut bedside = Bedside::new();
    bedside.play(
        &[
            (500, Input::Value(PressPost, 210.0)),
            (3_000, Input::Value(PumpSpeed, 0.0)),
            (4_000, Input::Value(PumpSpeed, 3_000.0)),
            (4_500, Input::Mute(PressPre, true)),
        ],
        9_000,
    );
    assert!(bedside.pump.alarms().len() >= 3, "{:?}", bedside.told());
    bedside
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_order_and_repetition_of_the_same_actions_ends_in_the_same_state(
        deeds in vec((deed(), any::<bool>()), 1..14),
        shuffle in vec((any::<u32>(), 1..3_u32, any::<bool>()), 14),
    ) {
        let (mut one, mut other) = (troubled(), troubled());
        // Each is asked for at one of two gateways, and takes effect there at once.
        let mut actions = Vec::new();
        let mut orders = [0_u64; 2];
        for ((deed, by), here) in &deeds {
            let gateway = if *here { "a" } else { "b" };
            // Two gateways may give the same number, one never gives it twice.
            orders[usize::from(*here)] += 1;
            let order = Order { at: orders[usize::from(*here)], gateway: gateway.into() };
            let origin = if *here { &mut one } else { &mut other };
            if let Some(action) = action(origin, deed, by, order) {
                let _refused = merge(origin, &action);
                actions.push((*here, action));
            }
        }
        let mut told: Vec<_> = actions
            .iter()
            .zip(&shuffle)
            .flat_map(|((here, action), (key, times, back))| {
                let to_other = (0..*times).map(move |time| (key.rotate_left(7 * time), !here, action));
                // A gateway may hear of its own action again.
                to_other.chain(back.then_some((key.reverse_bits(), *here, action)))
            })
            .collect();
        told.sort_by_key(|(key, _, _)| *key);
        for (_key, to_one, action) in told {
            let _refused = merge(if to_one { &mut one } else { &mut other }, action);
        }
        prop_assert_eq!(essence(&one), essence(&other));
        // Whoever was not there hears what still counts. Who was there hears nothing new.
        let mut third = troubled();
        let mut standing = one.pump.standing(one.now());
        standing.extend(other.pump.standing(other.now()));
        for action in &standing {
            let _refused = merge(&mut third, action);
            let _refused = merge(&mut other, action);
        }
        prop_assert_eq!(essence(&one), essence(&other));
        // An alarm that ended by its acknowledgement is not known to the third.
        let (known, third) = (essence(&one), essence(&third));
        prop_assert!(known.0.iter().all(|alarm| third.0.contains(alarm)), "{known:?} {third:?}");
        prop_assert_eq!(&known.1, &third.1);
        prop_assert_eq!(&known.2, &third.2);
        for bedside in [&mut one, &mut other] {
            bedside.apply(&Input::Mute(PressPre, false));
            bedside.run_until(16_000);
        }
        prop_assert_eq!(essence(&one), essence(&other));
    }

    #[test]
    fn acknowledgements_that_travel_while_alarms_come_and_go_end_alike_or_call_once_more(
        steps in vec((1..80_u64, select(&[0.0_f32, 3_000.0][..]), any::<Option<(bool, u8)>>()), 4..16),
    ) {
        let (mut one, mut other) = (Bedside::new(), Bedside::new());
        let mut travelling: Vec<(u64, bool, Action)> = Vec::new();
        let mut ms = 1_000;
        for (at, (pause, rpm, asked)) in steps.iter().enumerate() {
            for bedside in [&mut one, &mut other] {
                bedside.run_until(ms);
                bedside.apply(&Input::Value(PumpSpeed, *rpm));
            }
            let end = ms + pause * 50;
            if let Some((here, delay)) = asked {
                let order = Order { at: at as u64 + 1, gateway: "x".into() };
                let origin = if *here { &mut one } else { &mut other };
                if let Some(action) = action(origin, &Deed::Acknowledge(0), "RN", order) {
                    let _refused = merge(origin, &action);
                    travelling.push((ms + u64::from(*delay) * 10, !here, action));
                }
            }
            while ms < end {
                ms += 10;
                one.run_until(ms);
                other.run_until(ms);
                for (_due, to_one, action) in travelling.extract_if(.., |(due, _, _)| *due <= ms) {
                    let _refused = merge(if to_one { &mut one } else { &mut other }, &action);
                }
            }
        }
        for bedside in [&mut one, &mut other] {
            bedside.run_until(ms + 4_000);
        }
        for (_due, to_one, action) in travelling {
            let _refused = merge(if to_one { &mut one } else { &mut other }, &action);
        }
        let signals = |bedside: &Bedside| bedside.find("pump.stop").map(|one| one.signal());
        // Where an alarm was acknowledged and gone here, and returned there before that was heard, what is acknowledged there of its
        // return is not known to be of what began anew here: it calls on. Never is it the other way round.
        let (one, other) = (signals(&one), signals(&other));
        let calls_on = |quiet: Option<Signal>, calling: Option<Signal>| {
            matches!(
                (quiet, calling),
                (Some(Signal::Acknowledged), Some(Signal::On)) | (None, Some(Signal::Latched))
            )
        };
        let alike = one == other;
        prop_assert!(alike || calls_on(one, other) || calls_on(other, one), "{one:?} {other:?}");
    }
}

#[test]
fn an_acknowledgement_of_another_run_does_not_count() {
    let (mut bedside, id) = stopped();
    let other = OccurrenceId { boot: Some(boot(9)), ..id };
    assert_eq!(merge(&mut bedside, &acknowledge(other, 1, 1, "RN")), Err(Refused::Unknown));
    let told: Vec<_> = bedside.told().into_iter().map(|(_, _, transition)| transition).collect();
    assert_eq!(told, [Transition::Raised]);
}
