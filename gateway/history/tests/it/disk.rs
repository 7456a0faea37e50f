//! Disks that are full or fail: told at once, never waited for, a gap with its reason, and all is well again afterwards.

use std::cell::RefCell;
use std::time::Duration;

use ecmo_history::{Disk, GapReason, Options, State, Store};

use crate::circuit::{MINUTE, OFFSET_NS, PUMP, feed, identities, open, options, samples_of, time};
use crate::double::Double;

thread_local! {
    static DOUBLE: RefCell<Double> = RefCell::new(Double::default());
}

fn double() -> Double {
    DOUBLE.with_borrow(Clone::clone)
}

fn disk() -> Box<dyn Disk> {
    double().boxed()
}

fn on_double(folder: &std::path::Path) -> Store {
    DOUBLE.replace(Double::default());
    Store::open(Options { disk, ..options(folder) }, Duration::ZERO).unwrap().0
}

#[test]
fn fault_f13_a_full_disk_is_told_and_what_could_not_be_kept_is_a_gap_of_the_recording() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = on_double(folder.path());
    feed(&mut store, 1, 0..MINUTE);
    assert_eq!(store.state(), State::Recording);
    double().0.lock().unwrap().room = Some(100);
    let taken = feed(&mut store, 1, MINUTE..6 * MINUTE);
    assert_eq!(store.state(), State::Full);
    assert!(taken.kept < 5 && taken.unsure > 0, "{taken:?}");
    assert!(store.counts().lost_samples > 0 && store.counts().errors > 0);
    double().0.lock().unwrap().room = None;
    let taken = feed(&mut store, 1, 6 * MINUTE..8 * MINUTE);
    assert!(taken.kept > MINUTE, "{taken:?}");
    assert_eq!(store.state(), State::Recording);
    let end = OFFSET_NS + 8 * 60_000_000_000;
    let gaps = store.history().gaps(PUMP, OFFSET_NS, end).unwrap();
    assert!(
        !gaps.is_empty() && gaps.iter().all(|gap| gap.reason == GapReason::NotRecorded),
        "{gaps:?}"
    );
    store.close(time(8 * MINUTE));
    drop(store);
    let store = open(folder.path());
    let found = identities(&store.history());
    let after = samples_of(1, 6 * MINUTE + 100..8 * MINUTE);
    assert!(after.iter().all(|one| found.binary_search(one).is_ok()));
    assert!(samples_of(1, 0..MINUTE).iter().all(|one| found.binary_search(one).is_ok()));
    // What the tail still held is back, and nothing that was there is gone.
    for gap in store.history().gaps(PUMP, OFFSET_NS, end).unwrap() {
        assert_eq!(gap.reason, GapReason::NotRecorded);
        let before = gaps.iter().find(|one| one.from_ns <= gap.from_ns && gap.to_ns <= one.to_ns);
        assert!(before.is_some(), "{gap:?}");
    }
}

#[test]
fn what_the_disk_did_not_take_may_come_again_from_the_spool() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = on_double(folder.path());
    feed(&mut store, 1, 0..MINUTE);
    double().0.lock().unwrap().is_broken = true;
    feed(&mut store, 1, MINUTE..6 * MINUTE);
    assert_eq!(store.state(), State::Failed);
    double().0.lock().unwrap().is_broken = false;
    feed(&mut store, 1, 6 * MINUTE..7 * MINUTE);
    crate::circuit::feed_as(&mut store, 1, 0..7 * MINUTE, OFFSET_NS, true);
    store.close(time(7 * MINUTE));
    assert_eq!(identities(&store.history()), samples_of(1, 0..7 * MINUTE));
    let end = OFFSET_NS + 7 * 60_000_000_000;
    assert_eq!(store.history().gaps(PUMP, OFFSET_NS, end).unwrap(), []);
}

#[test]
fn a_disk_that_fails_for_ten_seconds_costs_no_sample() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = on_double(folder.path());
    feed(&mut store, 1, 0..MINUTE);
    double().0.lock().unwrap().is_broken = true;
    feed(&mut store, 1, MINUTE..MINUTE + 100);
    double().0.lock().unwrap().is_broken = false;
    feed(&mut store, 1, MINUTE + 100..2 * MINUTE);
    store.close(time(2 * MINUTE));
    assert_eq!(identities(&store.history()), samples_of(1, 0..2 * MINUTE));
}

#[test]
fn a_second_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let second = Store::open(options(folder.path()), Duration::ZERO);
    assert!(matches!(second, Err(ecmo_history::OpenError::Locked { .. })));
    drop(store);
}
