//! Torn, cut, flipped and invented bytes: what is read is what was written, or nothing.

use std::fs;
use std::time::Duration;

use ecmo_journal::RECORD_OVERHEAD;
use proptest::prelude::*;

use crate::log::{append, open, options, payload, right_numbers, segment_files};

#[test]
fn a_log_that_is_cut_at_any_byte_of_its_tail_keeps_every_whole_record() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let mut journal = open(&options);
    append(&mut journal, 12);
    drop(journal);
    let file = segment_files(&options).pop().unwrap();
    let bytes = fs::read(&file).unwrap();
    let mut ends = vec![bytes.len()];
    for number in (0..12).rev() {
        ends.push(ends.last().unwrap() - payload(number).len() - RECORD_OVERHEAD);
    }
    ends.reverse();
    for cut in 0..=bytes.len() {
        fs::write(&file, &bytes[..cut]).unwrap();
        let mut journal = open(&options);
        let whole = ends.iter().skip(1).filter(|end| **end <= cut).count() as u64;
        assert_eq!(right_numbers(&journal.reader()), (0..whole).collect::<Vec<_>>(), "{cut}");
        let torn = !ends.contains(&cut) && cut > ends[0];
        assert_eq!(journal.counts().damaged, u64::from(torn), "cut at {cut}");
        // The log goes on behind the cut.
        let place = journal.append(Duration::ZERO, 1, &payload(whole)).unwrap();
        assert_eq!(place.number, whole);
        let numbers = right_numbers(&journal.reader());
        assert_eq!(numbers, (0..=whole).collect::<Vec<_>>(), "cut at {cut}");
        drop(journal);
        let again = open(&options);
        assert_eq!((right_numbers(&again.reader()), again.counts().damaged), (numbers, 0));
        drop(again);
        for left in segment_files(&options) {
            fs::remove_file(left).unwrap();
        }
    }
}

#[test]
fn a_flipped_bit_costs_its_record_at_most_and_never_makes_a_wrong_one() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let mut journal = open(&options);
    for number in 0..4 {
        journal.append(Duration::ZERO, 1, &payload(number)).unwrap();
    }
    drop(journal);
    let file = segment_files(&options).pop().unwrap();
    let bytes = fs::read(&file).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&file, &flipped).unwrap();
        let journal = open(&options);
        let numbers = right_numbers(&journal.reader());
        let in_header = bit / 8 < 80;
        let expected = if in_header { 4 } else { 3 };
        assert_eq!(numbers.len(), expected, "bit {bit}: {numbers:?}");
        assert_eq!(journal.counts().damaged, u64::from(!in_header), "bit {bit}");
    }
}

#[test]
fn a_flipped_bit_in_a_finished_segment_is_skipped_and_counted_by_its_reader() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let mut journal = open(&options);
    append(&mut journal, 500);
    drop(journal);
    let file = &segment_files(&options)[0];
    let bytes = fs::read(file).unwrap();
    let journal = open(&options);
    let whole = right_numbers(&journal.reader());
    assert_eq!(whole.len(), 500);
    drop(journal);
    let first = open(&options).reader().segments()[0].records;
    for round in 0..200 {
        let mut flipped = bytes.clone();
        let bit = fastrand::Rng::with_seed(round).usize(80 * 8..bytes.len() * 8);
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(file, &flipped).unwrap();
        let journal = open(&options);
        let numbers = right_numbers(&journal.reader());
        assert!(numbers.len() >= 499, "bit {bit}: {} left", numbers.len());
        let mut scan = journal.reader().segments()[0].scan(0).unwrap();
        let mut read = 0;
        while scan.next_record().unwrap().is_some() {
            read += 1;
        }
        assert_eq!(read + scan.missing(), first, "bit {bit}");
    }
}

#[test]
fn a_payload_that_is_a_segment_itself_never_becomes_records() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let mut journal = open(&options);
    append(&mut journal, 3);
    drop(journal);
    let inner = fs::read(segment_files(&options).pop().unwrap()).unwrap();
    let other = tempfile::tempdir().unwrap();
    let options = crate::log::options(other.path());
    let mut journal = open(&options);
    let place = journal.append(Duration::ZERO, 1, &inner).unwrap();
    journal.append(Duration::ZERO, 1, &payload(1)).unwrap();
    drop(journal);
    // The header of the outer record is damaged: every byte of its payload is looked at.
    let file = segment_files(&options).pop().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    bytes[place.at as usize + 5] ^= 1;
    fs::write(&file, &bytes).unwrap();
    assert_eq!(right_numbers(&open(&options).reader()), [1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_as_a_segment_are_read_without_panic_and_without_a_record(
        bytes in proptest::collection::vec(any::<u8>(), 0..4096),
        keeps_header in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path());
        let mut journal = open(&options);
        append(&mut journal, 1);
        drop(journal);
        let file = segment_files(&options).pop().unwrap();
        let mut whole = fs::read(&file).unwrap();
        whole.truncate(if keeps_header { 80 } else { 0 });
        whole.extend(&bytes);
        fs::write(&file, &whole).unwrap();
        let mut journal = open(&options);
        prop_assert!(right_numbers(&journal.reader()).is_empty());
        prop_assert!(journal.append(Duration::ZERO, 1, &payload(0)).is_ok());
    }

    #[test]
    fn splices_of_a_segment_yield_only_records_that_were_written(
        cuts in proptest::collection::vec((0usize..8000, 0usize..600), 1..6),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path());
        let mut journal = open(&options);
        append(&mut journal, 30);
        drop(journal);
        let file = segment_files(&options).pop().unwrap();
        let bytes = fs::read(&file).unwrap();
        let mut spliced = bytes.clone();
        for (at, length) in cuts {
            let from = at.min(bytes.len());
            let piece = bytes[from..(from + length).min(bytes.len())].to_vec();
            let to = (at * 7) % spliced.len();
            spliced.splice(to..to, piece);
        }
        fs::write(&file, &spliced).unwrap();
        right_numbers(&open(&options).reader());
    }
}
