//! Verify, backup, restore, prune: what is wrong is named and nothing else, and a copy is the history to the last sample.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use ecmo_history::{
    CopyError, Fault, PruneError, SegmentTrouble, backup, forget, prune, restore, verify,
};

use crate::circuit::{
    MINUTE, PUMP, feed, identities, open, options, pump_folder, samples_of, segments, time,
};

/// A history of these frames, closed.
fn written(folder: &Path, frames: std::ops::Range<u64>) {
    let mut store = open(folder);
    let end = time(frames.end);
    feed(&mut store, 1, frames);
    store.close(end);
}

fn identities_in(folder: &Path) -> Vec<crate::circuit::Identity> {
    identities(&open(folder).history())
}

#[test]
fn a_backup_made_at_any_moment_of_writing_is_whole_and_comes_back_to_the_last_sample() {
    let place = tempfile::tempdir().unwrap();
    let (live, is_over) = (place.path().join("live"), AtomicBool::new(false));
    let mut store = open(&live);
    feed(&mut store, 1, 0..MINUTE);
    std::thread::scope(|both| {
        both.spawn(|| {
            for minute in 1.. {
                feed(&mut store, 1, minute * MINUTE..(minute + 1) * MINUTE);
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for number in 0..8 {
            let (copy, back) =
                (place.path().join(format!("copy{number}")), place.path().join("back"));
            let copied = backup(&live, &copy).unwrap();
            assert!(copied.verified.faults.is_empty(), "{copied:?}");
            let restored = restore(&copy, &back).unwrap();
            assert_eq!(restored.verified, verify(&copy).unwrap());
            let found = identities_in(&back);
            // What was there when the copy began is in it; what is in it is a begin of what was written, without a hole.
            let frames =
                (MINUTE..).find(|end| samples_of(1, 0..*end).len() >= found.len()).unwrap();
            assert_eq!(found, samples_of(1, 0..frames), "{number}");
            fs::remove_dir_all(back).unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_backup_that_was_not_finished_or_lacks_a_segment_is_refused_and_nothing_is_written_over() {
    let place = tempfile::tempdir().unwrap();
    let (live, copy, back) =
        (place.path().join("live"), place.path().join("copy"), place.path().join("back"));
    written(&live, 0..2 * MINUTE);
    backup(&live, &copy).unwrap();
    assert!(matches!(backup(&live, &copy), Err(CopyError::Exists(_))));
    assert!(matches!(restore(&copy, &live), Err(CopyError::Exists(_))));
    let file = segments(&pump_folder(&copy)).remove(0);
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    assert!(matches!(restore(&copy, &back), Err(CopyError::NotWhole { .. })));
    assert!(!back.exists(), "whole or not at all");
    fs::remove_dir_all(place.path().join("back.restoring")).unwrap();
    fs::write(&file, &bytes).unwrap();
    restore(&copy, &back).unwrap();
    assert_eq!(identities_in(&back), samples_of(1, 0..2 * MINUTE));
    fs::remove_file(copy.join("manifest")).unwrap();
    let other = restore(&copy, &place.path().join("other"));
    assert!(matches!(other, Err(CopyError::NotWhole { .. })), "{other:?}");
    fs::write(copy.join("manifest"), "ecmo history 1\n1 ../../etc/passwd\n").unwrap();
    let outside = restore(&copy, &place.path().join("other"));
    assert!(matches!(outside, Err(CopyError::NotWhole { .. })), "{outside:?}");
}

#[test]
fn verify_names_each_segment_with_its_fault_and_nothing_where_all_is_right() {
    let place = tempfile::tempdir().unwrap();
    written(place.path(), 0..3 * MINUTE);
    let sound = verify(place.path()).unwrap();
    assert_eq!(sound.faults, []);
    assert!(sound.records > 18 && sound.logs == 3, "{sound:?}");
    let file = segments(&pump_folder(place.path())).remove(0);
    let bytes = fs::read(&file).unwrap();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut changed = bytes.clone();
        change(&mut changed);
        fs::write(&file, &changed).unwrap();
        let found = verify(place.path()).unwrap();
        assert!(found.faults.iter().all(|(path, _)| *path == file), "{found:?}");
        assert_eq!(fs::read(&file).unwrap(), changed, "verify changes nothing");
        found.faults.into_iter().map(|(_path, fault)| fault).collect::<Vec<_>>()
    };
    assert_eq!(with(&|bytes| bytes[200] ^= 1), [Fault::Damaged(1)]);
    let header = |bytes: &mut Vec<u8>| {
        bytes[20] ^= 1;
        bytes[60] ^= 1;
    };
    assert_eq!(with(&header), [Fault::Unreadable(SegmentTrouble::Header)]);
    assert_eq!(with(&|_bytes| {}), []);
    assert!(verify(&place.path().join("nowhere")).is_err());
    assert!(verify(&pump_folder(place.path())).is_err(), "no history");
}

#[test]
fn a_segment_that_is_gone_from_the_middle_is_missed_by_verify() {
    let place = tempfile::tempdir().unwrap();
    let mut options = options(place.path());
    options.age_max = std::time::Duration::from_mins(24);
    let (mut store, _opened) = ecmo_history::Store::open(options, time(0)).unwrap();
    feed(&mut store, 1, 0..4 * MINUTE);
    store.close(time(4 * MINUTE));
    drop(store);
    let files = segments(&pump_folder(place.path()));
    assert!(files.len() >= 3, "{files:?}");
    fs::remove_file(&files[1]).unwrap();
    let faults = verify(place.path()).unwrap().faults;
    assert!(
        matches!(&faults[..], [(path, Fault::Missing(1..))] if *path == files[2]),
        "{faults:?}"
    );
}

#[test]
fn what_is_older_than_a_site_wants_goes_and_a_pump_goes_whole_while_no_gateway_writes() {
    let place = tempfile::tempdir().unwrap();
    let mut options = options(place.path());
    options.age_max = std::time::Duration::from_mins(24);
    let (mut store, _opened) = ecmo_history::Store::open(options.clone(), time(0)).unwrap();
    feed(&mut store, 1, 0..10 * MINUTE);
    assert!(matches!(prune(options.clone()), Err(PruneError::Open(_))), "it is being written");
    store.close(time(10 * MINUTE));
    drop(store);
    options.age_max = std::time::Duration::from_mins(4);
    let pruned = prune(options.clone()).unwrap();
    assert!(pruned.after < pruned.before, "{pruned:?}");
    let found = identities_in(place.path());
    let newest = samples_of(1, 7 * MINUTE..10 * MINUTE);
    assert!(newest.iter().all(|one| found.binary_search(one).is_ok()));
    assert!(found.len() < samples_of(1, 0..8 * MINUTE).len());
    let unknown = forget(options.clone(), "nicu/none");
    assert!(matches!(unknown, Err(PruneError::UnknownPump(_))), "{unknown:?}");
    assert!(matches!(forget(options.clone(), "../x"), Err(PruneError::UnknownPump(_))));
    forget(options, PUMP).unwrap();
    assert!(open(place.path()).history().extents().is_empty());
}
