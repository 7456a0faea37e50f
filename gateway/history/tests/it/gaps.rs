//! A time without samples has a reason: the gateway was off, nothing came, the agent was started anew, a clock was set.

use std::time::Duration;

use ecmo_history::{Gap, GapReason};

use crate::circuit::{MINUTE, OFFSET_NS, PUMP, feed, feed_as, open, samples_at, samples_of, time};

const SECOND: i64 = 1_000_000_000;

fn at(seconds: i64) -> i64 {
    OFFSET_NS + seconds * SECOND
}

fn gap(from: i64, to: i64, reason: GapReason) -> Gap {
    Gap { from_ns: at(from), to_ns: at(to), reason }
}

#[test]
fn each_gap_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    feed(&mut store, 1, 0..MINUTE);
    feed(&mut store, 1, MINUTE + 300..2 * MINUTE);
    store.note_loss(None);
    feed(&mut store, 1, 2 * MINUTE + 100..3 * MINUTE);
    drop(store);
    let mut store = open(folder.path());
    feed(&mut store, 1, 4 * MINUTE..5 * MINUTE);
    // Another run, whose clock began 6 minutes after the first one's.
    feed_as(&mut store, 2, 0..MINUTE, at(360), false);
    let found = store.history().gaps(PUMP, at(-20), at(480)).unwrap();
    let expected = [
        gap(-20, 0, GapReason::Unknown),
        gap(60, 90, GapReason::NotReceived),
        gap(120, 130, GapReason::NotRecorded),
        gap(180, 240, GapReason::NotRunning),
        gap(300, 360, GapReason::AgentRestarted),
        gap(420, 480, GapReason::Unknown),
    ];
    assert_eq!(found, expected);
    let within = store.history().gaps(PUMP, at(70), at(80)).unwrap();
    assert_eq!(within, [gap(70, 80, GapReason::NotReceived)]);
}

#[test]
fn a_short_hole_within_a_window_is_a_gap_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    feed(&mut store, 1, (0..20).chain(50..100));
    let found = store.history().gaps(PUMP, at(0), at(10)).unwrap();
    assert_eq!(found, [gap(2, 5, GapReason::NotReceived)]);
}

#[test]
fn a_wall_clock_that_is_set_costs_no_sample_and_doubles_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    feed(&mut store, 1, 0..MINUTE);
    // An hour forward, and two back.
    feed_as(&mut store, 1, MINUTE..2 * MINUTE, at(3_600), false);
    feed_as(&mut store, 1, 2 * MINUTE..3 * MINUTE, at(-3_600), false);
    let found = store.history().gaps(PUMP, at(0), at(3_700)).unwrap();
    assert_eq!(found.first(), Some(&gap(60, 3_660, GapReason::ClockSet)));
    store.close(time(3 * MINUTE) + Duration::from_secs(1));
    drop(store);
    let history = open(folder.path()).history();
    let mut waves = history.waves(PUMP, &[], (i64::MIN, i64::MAX)).unwrap();
    let mut identities = Vec::new();
    while let Some(pieces) = waves.next_window().unwrap() {
        for piece in pieces {
            let indexes = (piece.first_index..).take(piece.readings.len());
            identities.extend(indexes.map(|index| (piece.boot, piece.parameter, index)));
        }
    }
    identities.sort_unstable();
    assert_eq!(identities, samples_of(1, 0..3 * MINUTE));
}

#[test]
fn a_later_run_keeps_its_own_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    feed(&mut store, 1, 0..120);
    feed_as(&mut store, 2, 0..120, at(60), false);
    let found = samples_at(&store.history(), |run| if run == 1 { at(0) } else { at(60) });
    assert_eq!(found.len(), samples_of(1, 0..120).len() * 2);
}
