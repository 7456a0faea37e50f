//! Full and failing disks: what is told, what goes on, and how it comes back.

use std::time::Duration;

use ecmo_journal::{AppendError, Journal, State};

use crate::double::Double;
use crate::log::{append, open, open_on, options, payload, right_numbers};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_disk_that_is_full_is_told_and_tried_again_and_recording_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let double = Double::default();
    let mut journal = open_on(|| double.boxed(), &options, Duration::ZERO);
    append(&mut journal, 20);
    double.0.lock().unwrap().room = Some(10);
    let full = journal.append(SECOND, 1, &payload(20));
    assert!(matches!(full, Err(AppendError::Full)), "{full:?}");
    assert_eq!(journal.state(), State::Full);
    double.0.lock().unwrap().room = None;
    // It is left alone for a while, and then it is used again.
    let waiting = journal.append(2 * SECOND, 1, &payload(20));
    assert!(matches!(waiting, Err(AppendError::Waiting)), "{waiting:?}");
    journal.append(4 * SECOND, 1, &payload(20)).unwrap();
    assert_eq!(journal.state(), State::Recording);
    assert_eq!(right_numbers(&journal.reader()), (0..=20).collect::<Vec<_>>());
    drop(journal);
    let again = open(&options);
    assert_eq!(right_numbers(&again.reader()), (0..=20).collect::<Vec<_>>());
    assert_eq!(again.counts().damaged, 0);
}

#[test]
fn a_full_disk_takes_the_oldest_down_to_the_floor_and_no_further() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.floor_bytes = 128 * 1024;
    let double = Double::default();
    double.0.lock().unwrap().room = Some(256 * 1024);
    let mut journal = open_on(|| double.boxed(), &options, Duration::ZERO);
    append(&mut journal, 4000);
    assert!(journal.counts().evicted > 2000, "{:?}", journal.counts());
    assert_eq!(journal.state(), State::Recording);
    // Somebody else fills the disk: the newest records stay.
    double.0.lock().unwrap().room = Some(0);
    let mut now = SECOND;
    while journal.append(now, 1, &payload(4000)).is_ok() {
        double.0.lock().unwrap().room = Some(0);
        now += SECOND;
    }
    assert_eq!(journal.state(), State::Full);
    assert!(journal.reader().bytes() >= options.floor_bytes / 2, "{}", journal.reader().bytes());
    assert!(!right_numbers_until(&journal, 4000).is_empty());
}

fn right_numbers_until(journal: &Journal<()>, end: u64) -> Vec<u64> {
    let records = crate::log::records(&journal.reader());
    records.into_iter().map(|(number, ..)| number).filter(|number| *number < end).collect()
}

#[test]
fn a_failing_disk_is_told_and_a_new_segment_is_begun_when_it_works_again() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let double = Double::default();
    let mut journal = open_on(|| double.boxed(), &options, Duration::ZERO);
    append(&mut journal, 5);
    double.0.lock().unwrap().is_broken = true;
    let failed = journal.append(SECOND, 1, &payload(5));
    assert!(matches!(failed, Err(AppendError::Failed(_))), "{failed:?}");
    let failed = journal.append(10 * SECOND, 1, &payload(5));
    assert!(matches!(failed, Err(AppendError::Failed(_))), "{failed:?}");
    assert_eq!(journal.state(), State::Failed);
    double.0.lock().unwrap().is_broken = false;
    journal.append(20 * SECOND, 1, &payload(5)).unwrap();
    assert_eq!(journal.state(), State::Recording);
    assert_eq!(journal.reader().segments().len(), 2);
    assert_eq!(right_numbers(&journal.reader()), (0..=5).collect::<Vec<_>>());
}

#[test]
fn a_file_whose_sync_failed_is_never_written_again_and_what_it_may_have_lost_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let double = Double::default();
    let mut journal = open_on(|| double.boxed(), &options(folder.path()), Duration::ZERO);
    append(&mut journal, 3);
    journal.sync(Duration::ZERO).unwrap();
    append(&mut journal, 4);
    assert_eq!(journal.first_unsynced(), 3);
    double.0.lock().unwrap().fails_sync = true;
    assert!(journal.sync_if_due(SECOND / 2).is_ok(), "not due yet");
    assert!(matches!(journal.sync_if_due(SECOND), Err(AppendError::Failed(_))));
    assert_eq!((journal.counts().unsure, journal.state()), (4, State::Failed));
    double.0.lock().unwrap().fails_sync = false;
    journal.append(4 * SECOND, 1, &payload(7)).unwrap();
    assert_eq!(journal.reader().segments().len(), 2);
    assert_eq!(right_numbers(&journal.reader()), (0..8).collect::<Vec<_>>());
}
