//! The process is killed at 200 seeded points while it writes: what it said was kept is there, and nothing else.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::circuit::{feed, identities, open, samples_of};

/// Rounds of kill -9, each in the store that the rounds before left.
const ROUNDS: u64 = 200;

#[test]
fn fault_f12_kill_9_at_200_points_loses_nothing_that_was_kept_and_invents_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(12);
    let mut next = 0;
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::keeps_until_it_is_killed", "--nocapture"])
            .env("ECMO_TEST_HISTORY", folder.path())
            .env("ECMO_TEST_NEXT", next.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let wanted = random.usize(1..120);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut kept = lines.map(Result::unwrap).filter_map(|line| line.parse::<u64>().ok());
        let mut last = None;
        for sequence in kept.by_ref().take(wanted) {
            last = Some(sequence);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let last = kept.last().max(last).unwrap();
        // Reading it all each time would take minutes: each tenth round, and the last one.
        if round % 10 == 9 {
            let found = identities(&open(folder.path()).history());
            let (sure, possible) = (samples_of(1, 0..=last), samples_of(1, 0..=last + 1));
            assert!(found == sure || found == possible, "round {round}: {} samples", found.len());
        }
        next = last + 1;
    }
    assert!(next > ROUNDS * 10, "the child hardly wrote: {next} frames");
}

#[test]
fn keeps_until_it_is_killed() {
    let Ok(folder) = std::env::var("ECMO_TEST_HISTORY") else { return };
    let next: u64 = std::env::var("ECMO_TEST_NEXT").unwrap().parse().unwrap();
    let mut store = open(Path::new(&folder));
    let mut out = std::io::stdout().lock();
    writeln!(out).unwrap();
    // The limit ends a child whose parent is gone.
    for sequence in next..next + 100_000 {
        // The frame that was on its way when the one before died may be there already.
        let taken = feed(&mut store, 1, [sequence]);
        assert_eq!(taken.kept + taken.repeated, 1);
        if writeln!(out, "{sequence}").is_err() {
            return;
        }
    }
}
