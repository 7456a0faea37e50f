//! What is old, and what a frozen gateway looks like: nothing of it is ever shown as live.

use ecmo_display::{Freshness, LinkState, Screen, Why};
use ecmo_proto::v1;

use crate::messages::{A, B, alarm, beat, ms, pump, pumps, rows, snapshot};

/// One gateway is heard, with one alarm and one live pump.
fn live() -> Screen {
    let mut screen = Screen::new(2, "");
    screen.on_alarms(A, snapshot(1_000, &[alarm("pump.stop", 1, 1)]), ms(0));
    screen.on_pumps(A, pumps(0, 1_000, &[pump(1_000)]), ms(0));
    screen
}

fn state(screen: &Screen) -> (LinkState, Freshness) {
    (screen.links()[0].state, screen.pumps()[0].freshness)
}

#[test]
fn a_frozen_gateway_is_late_after_a_second_and_a_half_and_lost_after_three() {
    let mut screen = live();
    for (at, link, value) in [
        (1_400, LinkState::Live, Freshness::Live),
        (1_600, LinkState::Late, Freshness::Late),
        (2_900, LinkState::Late, Freshness::Late),
        (3_010, LinkState::Lost, Freshness::Stale),
    ] {
        screen.tick(ms(at));
        assert_eq!(state(&screen), (link, value), "at {at} ms");
    }
    assert_eq!(screen.links()[0].why, Some(Why::Silent));
    assert_eq!(rows(&screen), [("pump.stop".to_owned(), true, true)]);
    assert_eq!(screen.needs_resubscribe(A).alarms, Some(Why::Silent));
    // It goes on where it stopped: nothing was lost.
    screen.on_alarms(A, beat(1, 4_200), ms(3_200));
    assert_eq!(state(&screen), (LinkState::Live, Freshness::Stale));
}

#[test]
fn the_deadline_is_where_something_changes_and_not_before() {
    let mut screen = live();
    let mut seen = Vec::new();
    while let Some(at) = screen.next_deadline() {
        screen.tick(at);
        seen.push((at.0 / 1_000_000, state(&screen)));
        assert!(seen.len() < 20, "{seen:?}");
    }
    let changes: Vec<u64> = seen.iter().map(|(at, _)| *at).collect();
    assert!(changes.iter().all(|at| [1_500, 1_501, 3_000, 3_001, 3_002, 3_003].contains(at)));
    assert_eq!(seen.last().unwrap().1, (LinkState::Lost, Freshness::Stale));
}

#[test]
fn data_that_waited_on_its_way_is_as_old_as_it_is() {
    let mut screen = live();
    // Everything of these two seconds comes at once, and late.
    screen.on_alarms(A, beat(1, 2_000), ms(5_000));
    screen.on_pumps(A, pumps(1, 2_000, &[pump(2_000)]), ms(5_000));
    assert_eq!(state(&screen), (LinkState::Lost, Freshness::Stale));
    screen.on_alarms(A, beat(2, 6_000), ms(5_001));
    screen.on_pumps(A, pumps(2, 6_000, &[pump(6_000)]), ms(5_002));
    assert_eq!(state(&screen), (LinkState::Live, Freshness::Live));
}

#[test]
fn a_link_without_data_is_not_shown_as_live() {
    let mut screen = live();
    for second in 1..=5 {
        screen.on_alarms(A, beat(second, 1_000 + second * 1_000), ms(second * 1_000));
        screen.on_pumps(A, pumps(second, 1_000 + second * 1_000, &[]), ms(second * 1_000));
    }
    assert_eq!(state(&screen), (LinkState::Live, Freshness::Stale));
    let view = screen.pumps().remove(0);
    assert_eq!(view.reading(&view.pump.readings[0]), Freshness::Stale);
}

#[test]
fn a_gap_and_another_epoch_withdraw_everything_of_the_link_until_the_next_snapshot() {
    for (broken, why) in [
        (beat(2, 1_100), Why::Gap { expected: 1, got: 2 }),
        (v1::WatchAlarmsResponse { epoch: 9, ..beat(1, 1_100) }, Why::Epoch),
    ] {
        let mut screen = live();
        screen.on_alarms(A, broken, ms(100));
        assert_eq!(state(&screen), (LinkState::Lost, Freshness::Stale));
        assert_eq!(screen.needs_resubscribe(A).alarms, Some(why));
        assert_eq!(rows(&screen), [("pump.stop".to_owned(), true, true)]);
        // Whatever still comes of that subscription tells nothing.
        screen.on_alarms(A, beat(3, 1_200), ms(200));
        assert_eq!(screen.links()[0].state, LinkState::Lost);
        assert_eq!(screen.seen_until(A).unwrap().mono_ns, 1_000_000_000, "seen until the gap");
        screen.on_alarms(A, snapshot(1_300, &[]), ms(300));
        assert_eq!((state(&screen), rows(&screen).len()), ((LinkState::Live, Freshness::Live), 0));
    }
}

#[test]
fn pumps_of_a_newer_start_than_the_alarms_tell_that_these_are_of_a_gateway_that_is_no_more() {
    let mut screen = live();
    screen.on_pumps(A, v1::WatchPumpsResponse { epoch: 2, ..pumps(0, 5, &[pump(5)]) }, ms(50));
    assert_eq!(state(&screen), (LinkState::Lost, Freshness::Stale));
    assert_eq!(screen.needs_resubscribe(A).alarms, Some(Why::Epoch));
    screen.on_alarms(A, v1::WatchAlarmsResponse { epoch: 2, ..snapshot(60, &[]) }, ms(105));
    assert_eq!(state(&screen), (LinkState::Live, Freshness::Live));
    assert_eq!(screen.needs_resubscribe(A).alarms, None);
}

#[test]
fn each_pump_is_shown_by_the_freshest_link_that_is_known() {
    let mut screen = live();
    screen.on_alarms(B, snapshot(500_000, &[]), ms(100));
    screen.on_pumps(B, pumps(0, 500_000, &[pump(499_950)]), ms(100));
    assert_eq!(screen.pumps()[0].link, B, "50 ms against 100 ms");
    screen.on_pumps(A, pumps(1, 1_190, &[pump(1_190)]), ms(190));
    assert_eq!((screen.pumps().len(), screen.pumps()[0].link), (1, A));
    screen.on_lost(A, ms(200));
    assert_eq!((screen.pumps()[0].link, screen.pumps()[0].freshness), (B, Freshness::Live));
    screen.on_lost(B, ms(210));
    let view = screen.pumps().remove(0);
    assert!(!view.known && view.freshness == Freshness::Stale);
}

#[test]
fn a_slow_way_is_told_by_the_answer_to_a_call() {
    let mut screen = live();
    // The gateway was at 3,500 when it answered a call that was sent at 1: two and a half seconds more than the stream makes believe.
    screen.on_answer(A, 1, 3_500_000_000, ms(1), ms(2));
    assert_eq!(state(&screen).1, Freshness::Late);
    assert!(screen.pumps()[0].age.unwrap().as_millis() >= 2_499);
}

#[test]
fn an_answer_that_overtakes_the_first_message_of_its_gateway_tells_the_slow_way_too() {
    // The same gateway anew, epoch 2. Its answers came before its streams, which wait two and a half seconds on their way.
    let began = |answered: u64| {
        let mut screen = live();
        screen.on_answer(A, answered, 3_500_000_000, ms(101), ms(102));
        let pumps = v1::WatchPumpsResponse { epoch: 2, ..pumps(0, 1_000, &[pump(1_000)]) };
        screen.on_alarms(A, v1::WatchAlarmsResponse { epoch: 2, ..snapshot(1_000, &[]) }, ms(103));
        screen.on_pumps(A, pumps, ms(103));
        screen.pumps()[0].freshness
    };
    assert_eq!(began(2), Freshness::Late);
    // Of a start that is no more it tells nothing.
    assert_eq!(began(7), Freshness::Live);
}

#[test]
fn a_pump_whose_age_nothing_proves_is_late_and_the_other_gateway_is_shown_that_knows_it() {
    let unproven = v1::Pump { age_unproven: true, ..pump(1_000) };
    let mut screen = Screen::new(2, "");
    screen.on_alarms(A, snapshot(1_000, &[]), ms(0));
    screen.on_pumps(A, pumps(0, 1_000, std::slice::from_ref(&unproven)), ms(0));
    assert_eq!(state(&screen), (LinkState::Live, Freshness::Late));
    let view = &screen.pumps()[0];
    assert_eq!(view.reading(&view.pump.readings[0]), Freshness::Late);
    screen.on_alarms(B, snapshot(1_000, &[]), ms(0));
    screen.on_pumps(B, pumps(0, 1_000, &[pump(900)]), ms(0));
    assert_eq!((screen.pumps()[0].link, screen.pumps()[0].freshness), (B, Freshness::Live));
    // Unproven is late, and old is stale as ever.
    let silent = v1::Pump { link: v1::LinkState::Silent.into(), ..unproven };
    let mut screen = Screen::new(2, "");
    screen.on_alarms(A, snapshot(1_000, &[]), ms(0));
    screen.on_pumps(A, pumps(0, 1_000, &[silent]), ms(0));
    assert_eq!(state(&screen), (LinkState::Live, Freshness::Stale));
}
