//! Crashes: of the process at full pace, and of the power at any moment, by seed.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ecmo_journal::{Journal, Options};
use proptest::prelude::*;

use crate::double::Double;
use crate::log::{open, open_on, options, payload, records, right_numbers};

/// Rounds of kill -9.
const ROUNDS: u64 = 25;

#[test]
fn fault_f01_kill_9_at_full_pace_loses_no_record_that_was_appended() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(4);
    let mut kept = 0;
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::appends_until_it_is_killed", "--nocapture"])
            .env("ECMO_TEST_APPENDS", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut acknowledged = None;
        let wanted = random.usize(1..1000);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acks = lines.map(Result::unwrap).filter_map(|line| line.parse::<u64>().ok());
        for number in acks.by_ref().take(wanted) {
            acknowledged = Some(number);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it died and nobody read yet was appended as well.
        let acknowledged = acks.last().max(acknowledged).unwrap();
        let journal = open(&options(folder.path()));
        let numbers = right_numbers(&journal.reader());
        let end = numbers.len() as u64;
        assert_eq!(numbers, (0..end).collect::<Vec<_>>(), "round {round}");
        assert!(end > acknowledged, "round {round}: {end} records, {acknowledged} acknowledged");
        assert!(end > kept);
        kept = end;
    }
}

#[test]
fn appends_until_it_is_killed() {
    let Ok(folder) = std::env::var("ECMO_TEST_APPENDS") else { return };
    let options = options(Path::new(&folder));
    let mut journal = open(&options);
    let first = records(&journal.reader()).last().map_or(0, |(last, ..)| last + 1);
    let mut out = std::io::stdout().lock();
    writeln!(out).unwrap();
    // The limit ends a child whose parent is gone.
    for number in first..first + 1_000_000 {
        let place = journal.append(Duration::ZERO, 1, &payload(number)).unwrap();
        assert_eq!(place.number, number);
        if writeln!(out, "{number}").is_err() {
            return;
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Append(u8),
    Sync,
    /// Power loss: of what is not durable, this share of each file stays, with rubbish behind it or not.
    PowerLoss {
        seed: u64,
    },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1u8..60).prop_map(Step::Append),
        2 => Just(Step::Sync),
        1 => any::<u64>().prop_map(|seed| Step::PowerLoss { seed }),
        1 => Just(Step::Restart),
    ]
}

fn lose_power(double: &Double, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut conduct = double.0.lock().unwrap();
    let mut files: Vec<_> = conduct.files.drain().collect();
    files.sort();
    for (path, (durable, now)) in files {
        let kept = random.u64(durable..=now);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(kept as usize);
        if kept < now && random.bool() {
            // Length without data: zeros or what was on the disk before.
            bytes.extend((0..random.u64(0..=now - kept)).map(|_| random.u8(0..2) * 0x5a));
        }
        std::fs::write(&path, bytes).unwrap();
    }
}

fn reopen(double: &Double, options: &Options) -> Journal<()> {
    open_on(|| double.boxed(), options, Duration::ZERO)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_happens_what_was_synced_is_there_and_nothing_is_invented(
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(folder.path());
        options.segment_bytes = 4096;
        let double = Double::default();
        let mut journal = reopen(&double, &options);
        // Numbers whose record must be there; and the next one.
        let (mut synced, mut appended) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Append(count) => for _ in 0..count {
                    let next = appended.last().map_or(0, |last| last + 1);
                    let place = journal.append(Duration::ZERO, 1, &payload(next)).unwrap();
                    prop_assert_eq!(place.number, next);
                    appended.push(next);
                },
                Step::Sync => {
                    journal.sync(Duration::ZERO).unwrap();
                    synced.clone_from(&appended);
                }
                Step::PowerLoss { seed } => {
                    drop(journal);
                    lose_power(&double, seed);
                    journal = reopen(&double, &options);
                    let numbers = right_numbers(&journal.reader());
                    prop_assert!(numbers.starts_with(&synced), "{:?} {:?}", synced, numbers);
                    prop_assert!(numbers.iter().all(|number| appended.contains(number)));
                    appended.clone_from(&numbers);
                    // What was found is as durable as it will be: the double forgets how it came there.
                    synced.clone_from(&numbers);
                }
                Step::Restart => {
                    drop(journal);
                    journal = reopen(&double, &options);
                }
            }
            prop_assert_eq!(&right_numbers(&journal.reader()), &appended);
        }
    }
}
