//! What an append and a durable append cost on this disk: `cargo bench -p ecmo-journal -- [FOLDER]`.

use core::time::Duration;
use std::path::PathBuf;
use std::time::Instant;

use ecmo_journal::{Journal, Options};

/// A frame of eight channels.
const PAYLOAD: [u8; 500] = [7; 500];

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn main() {
    let folder = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let folder = folder.map_or_else(std::env::temp_dir, PathBuf::from).join("ecmo-journal-bench");
    let options = Options::new(folder.clone(), 1 << 30, Duration::from_secs(86_400));
    let mut journal = Journal::<()>::open(options.clone(), Duration::ZERO).expect("a log");
    let mut appends: Vec<Duration> = Vec::new();
    let mut durable: Vec<Duration> = Vec::new();
    for _ in 0..200_000 {
        let start = Instant::now();
        journal.append(Duration::ZERO, 1, &PAYLOAD).expect("an append");
        appends.push(start.elapsed());
    }
    for _ in 0..1000 {
        let start = Instant::now();
        journal.append(Duration::ZERO, 1, &PAYLOAD).expect("an append");
        journal.sync(Duration::ZERO).expect("a sync");
        durable.push(start.elapsed());
    }
    drop(journal);
    let start = Instant::now();
    let journal = Journal::<()>::open(options, Duration::ZERO).expect("a log");
    let opening = start.elapsed();
    let bytes = journal.reader().bytes();
    drop(journal);
    std::fs::remove_dir_all(&folder).expect("the log is ours");
    for (name, mut took) in [("append", appends), ("append and sync", durable)] {
        took.sort_unstable();
        let at = |share: usize| took.get((took.len() - 1) * share / 1000).expect("within");
        println!("{name}: p50 {:?}, p99 {:?}, max {:?}", at(500), at(990), at(1000));
    }
    println!("opening {bytes} bytes: {opening:?}");
}
