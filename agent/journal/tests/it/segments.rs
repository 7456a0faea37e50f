//! Segments one by one: begun anew after a time, read by place, and told when they cannot be read.

use std::fs;
use std::time::Duration;

use ecmo_journal::{Options, Trouble};

use crate::log::{append, open, options, payload, right_numbers, segment_files};

#[test]
fn a_segment_that_has_been_written_for_long_is_followed_by_a_new_one_and_goes_with_its_age() {
    let folder = tempfile::tempdir().unwrap();
    let minute = Duration::from_mins(1);
    let options = Options { segment_for: minute, age_max: 10 * minute, ..options(folder.path()) };
    let mut journal = open(&options);
    for number in 0..6 {
        let now = Duration::from_secs(30 * number);
        journal.append(now, 1, &payload(number)).unwrap();
    }
    assert_eq!(segment_files(&options).len(), 3, "two records in each minute");
    // Nothing is appended any more: what is too old goes all the same, the last segment among it.
    journal.evict_if_due(11 * minute);
    assert_eq!(right_numbers(&journal.reader()), [2, 3, 4, 5]);
    journal.evict_if_due(20 * minute);
    assert_eq!((segment_files(&options).len(), journal.counts().evicted), (0, 6));
    assert_eq!(journal.append(20 * minute, 1, &payload(6)).unwrap().number, 6);
}

#[test]
fn a_record_is_read_by_its_place_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let mut journal = open(&options);
    let mut places = Vec::new();
    for number in 0..5 {
        places.push(journal.append(Duration::ZERO, 1, &payload(number)).unwrap().at);
    }
    let segment = journal.reader().segments().remove(0);
    let mut pick = segment.pick().unwrap();
    for (number, at) in (0..).zip(&places) {
        let record = pick.record(*at).unwrap().unwrap();
        assert_eq!((record.number, record.payload), (number, payload(number).as_slice()));
        assert_eq!(pick.record(*at + 1).unwrap(), None);
    }
    assert_eq!(pick.record(1 << 40).unwrap(), None, "behind the end");
}

#[test]
fn a_segment_that_cannot_be_read_is_told_and_stays_as_long_as_its_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let mut journal = open(&options);
    append(&mut journal, 4);
    drop(journal);
    let file = segment_files(&options).remove(0);
    let mut bytes = fs::read(&file).unwrap();
    bytes[3] ^= 1;
    bytes[43] ^= 1;
    fs::write(&file, bytes).unwrap();
    let mut journal = open(&options);
    assert_eq!(journal.reader().troubles(), [(file.clone(), Trouble::Header)]);
    journal.append(Duration::from_secs(1), 1, &payload(4)).unwrap();
    assert!(file.exists());
}
