//! Age and size: the oldest goes first, and a clock that jumps takes nothing.

use std::process::Command;
use std::time::Duration;

use ecmo_journal::{Journal, OpenError};

use crate::log::{append, open, open_at, options, right_numbers, segment_files};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_log_never_grows_beyond_its_size_and_the_oldest_goes_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.bytes_max = 512 * 1024;
    let mut journal = open(&options);
    for _ in 0..40 {
        append(&mut journal, 200);
        let on_disk: u64 =
            segment_files(&options).iter().map(|file| file.metadata().unwrap().len()).sum();
        assert!(on_disk <= options.bytes_max, "{on_disk}");
        assert_eq!(on_disk, journal.reader().bytes());
    }
    let numbers = right_numbers(&journal.reader());
    let evicted = journal.counts().evicted;
    assert_eq!(numbers, (evicted..8000).collect::<Vec<_>>());
    assert!(numbers.len() > 1500, "{}", numbers.len());
    drop(journal);
    assert_eq!(right_numbers(&open(&options).reader()), numbers);
}

#[test]
fn what_is_older_than_the_age_goes_and_the_time_between_runs_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.age_max = 24 * HOUR;
    let mut now = Duration::ZERO;
    let mut journal = open_at(&options, now);
    for hour in 0..12u32 {
        now = HOUR * hour;
        journal.append(now, 1, &[0; 40_000]).unwrap();
    }
    drop(journal);
    // The next run's monotonic clock begins anywhere: before, long after.
    for begin in [Duration::ZERO, HOUR * 20_000] {
        let mut journal = open_at(&options, begin);
        journal.append(begin, 1, &[1; 40_000]).unwrap();
        assert_eq!(journal.counts().evicted, 0, "{begin:?}");
        drop(journal);
    }
    // Eleven hours have passed by the log's own time; 14 more, and what came in the first hour is too old.
    let mut journal = open_at(&options, now);
    journal.append(now + 14 * HOUR, 1, &[2; 40_000]).unwrap();
    assert_eq!(journal.counts().evicted, 1);
    for _ in 0..2 {
        journal.append(now + 48 * HOUR, 1, &[3; 40_000]).unwrap();
    }
    assert_eq!(journal.counts().evicted, 15);
    assert_eq!(journal.reader().segments().len(), 2);
}

#[test]
fn a_second_process_on_one_folder_is_refused_and_told_why() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let journal = open(&options);
    let error = Journal::<()>::open(options.clone(), Duration::ZERO).unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("in use by another process"), "{error}");
    // And by another process indeed.
    let taken = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "retention::opens_what_it_is_told", "--nocapture"])
        .env("ECMO_TEST_LOG", folder.path())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&taken.stdout).contains("refused: "), "{taken:?}");
    drop(journal);
    open(&options);
}

#[test]
fn opens_what_it_is_told() {
    let Ok(folder) = std::env::var("ECMO_TEST_LOG") else { return };
    match Journal::<()>::open(options(folder.as_ref()), Duration::ZERO) {
        Ok(_) => println!("opened"),
        Err(error) => println!("refused: {error}"),
    }
}
