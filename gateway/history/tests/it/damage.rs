//! Cut, flipped and foreign bytes: what is read is what was written; what is lost is told, named, and costs nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ecmo_history::Trouble;

use crate::circuit::{
    Identity, MINUTE, feed, identities, open, open_told, pump_folder, samples, samples_of,
    segments, time,
};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// A history of these frames, closed, without a tail.
fn written(frames: std::ops::Range<u64>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let end = time(frames.end);
    feed(&mut store, 1, frames);
    store.close(end);
    drop(store);
    fs::remove_dir_all(folder.path().join("tail")).unwrap();
    folder
}

#[test]
fn a_log_that_is_cut_at_any_byte_of_its_last_chunk_keeps_the_chunks_before_it() {
    let folder = written(0..205);
    let file = segments(&pump_folder(folder.path())).remove(0);
    let bytes = fs::read(&file).unwrap();
    let magic = [0xec, 0x90, 0x1e, 0xd5];
    let starts: Vec<usize> =
        (0..bytes.len() - 4).filter(|at| bytes[*at..].starts_with(&magic)).collect();
    let [_first, second, third] = starts[..] else { panic!("{starts:?}") };
    for cut in second..=bytes.len() {
        fs::write(&file, &bytes[..cut]).unwrap();
        let expected = match cut {
            _ if cut < third => 0..100,
            _ if cut < bytes.len() => 0..200,
            _whole => 0..205,
        };
        let (store, opened) = open_told(folder.path());
        assert_eq!(identities(&store.history()), samples_of(1, expected), "cut at {cut}");
        assert_eq!(opened.damaged > 0, ![second, third, bytes.len()].contains(&cut), "{cut}");
        drop(store);
        segments(folder.path())
            .into_iter()
            .filter(|one| *one != file)
            .for_each(|one| fs::remove_file(one).unwrap());
    }
}

#[test]
fn the_tail_that_is_cut_at_any_byte_gives_back_whole_records_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    feed(&mut store, 1, 0..12);
    drop(store);
    let file = segments(&folder.path().join("tail")).remove(0);
    let bytes = fs::read(&file).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for cut in 0..=bytes.len() {
        fs::write(&file, &bytes[..cut]).unwrap();
        let store = open(folder.path());
        let found = if store.history().extents().is_empty() {
            Vec::new()
        } else {
            identities(&store.history())
        };
        let frames = (0..=12).find(|end| samples_of(1, 0..*end) == found);
        seen.insert(frames.unwrap_or_else(|| panic!("cut at {cut}: {} samples", found.len())));
    }
    assert_eq!(seen.len(), 13);
}

#[test]
fn a_flipped_byte_never_makes_a_wrong_sample_and_costs_its_own_chunk_at_most() {
    let folder = written(0..305);
    let file = segments(&pump_folder(folder.path())).remove(0);
    let bytes = fs::read(&file).unwrap();
    let per_chunk = samples_of(1, 0..100).len();
    let whole = samples_of(1, 0..305).len();
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..400 {
        let mut flipped = bytes.clone();
        let at = random.usize(0..flipped.len());
        flipped[at] ^= 1 << random.u8(0..8);
        fs::write(&file, &flipped).unwrap();
        let store = open(folder.path());
        // Every sample is compared with what it must be.
        let found: BTreeMap<Identity, _> = samples(&store.history());
        assert!(found.len() + per_chunk >= whole, "byte {at}: {} of {whole}", found.len());
        drop(store);
        segments(folder.path())
            .into_iter()
            .filter(|one| *one != file)
            .for_each(|one| fs::remove_file(one).unwrap());
    }
}

#[test]
fn a_segment_of_another_version_is_named_and_left_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    feed(&mut store, 1, 0..2 * MINUTE);
    store.close(time(2 * MINUTE));
    drop(store);
    let file = segments(&pump_folder(folder.path())).remove(0);
    let mut bytes = fs::read(&file).unwrap();
    for copy in [0, 40] {
        bytes[copy + 8] = 9;
        let sum = crc32c(&bytes[copy..copy + 32]);
        bytes[copy + 32..copy + 36].copy_from_slice(&sum.to_le_bytes());
    }
    fs::write(&file, &bytes).unwrap();
    fs::remove_dir_all(folder.path().join("tail")).unwrap();
    let (mut store, opened) = open_told(folder.path());
    let why = ecmo_journal::Trouble::Version(9);
    assert_eq!(opened.troubles, [Trouble { path: file.clone(), why }]);
    feed(&mut store, 1, 3 * MINUTE..4 * MINUTE);
    store.close(time(4 * MINUTE));
    assert_eq!(identities(&store.history()), samples_of(1, 3 * MINUTE..4 * MINUTE));
    assert_eq!(fs::read(&file).unwrap(), bytes, "it is left as it was");
}

/// The check sum, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0x82f6_3b78 } else { sum >> 1 };
        }
    }
    !sum
}

#[test]
fn a_copy_of_the_folder_is_a_history() {
    let folder = written(0..250);
    let other = tempfile::tempdir().unwrap();
    copy(folder.path(), &other.path().join("copy"));
    let store = open(&other.path().join("copy"));
    assert_eq!(identities(&store.history()), samples_of(1, 0..250));
}
