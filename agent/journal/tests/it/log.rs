//! Logs for tests: small segments, payloads that are known by their number, and everything that is read back.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ecmo_journal::{Disk, Files, Journal, OpenError, Options, Reader};

/// A log of small segments that nothing is evicted from.
pub fn options(folder: &Path) -> Options {
    let mut options = Options::new(folder.join("log"), 1 << 30, Duration::from_secs(86_400));
    options.segment_bytes = 64 * 1024;
    options
}

pub fn open(options: &Options) -> Journal<()> {
    open_at(options, Duration::ZERO)
}

pub fn open_at(options: &Options, now: Duration) -> Journal<()> {
    open_on(|| Box::new(Files), options, now)
}

/// Opens a log that was closed a moment ago. A process that another test is just starting holds a copy of the lock until it
/// runs its own program, so that a refusal is no error yet.
#[expect(clippy::disallowed_methods, reason = "a test waits on the real clock")]
pub fn open_on(disk: impl Fn() -> Box<dyn Disk>, options: &Options, now: Duration) -> Journal<()> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match Journal::open_on(disk(), options.clone(), now) {
            Err(OpenError::Locked { .. }) if Instant::now() < deadline => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

/// The payload of a number: of every length up to 400, and of no pattern.
pub fn payload(number: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(number);
    let length = random.usize(0..400);
    (0..length).map(|_| random.u8(..)).collect()
}

/// Appends the next records of known payload; the numbers are what the log says.
pub fn append(journal: &mut Journal<()>, count: u64) {
    for _ in 0..count {
        let number = journal.counts().appended;
        let place = journal.append(Duration::ZERO, 1, &payload(number)).unwrap();
        assert_eq!(place.number, number);
    }
}

/// Number, kind and payload of every record that can be read.
pub fn records(reader: &Reader<()>) -> Vec<(u64, u8, Vec<u8>)> {
    let mut found = Vec::new();
    for view in reader.segments() {
        let mut scan = view.scan(0).unwrap();
        while let Some((_, record)) = scan.next_record().unwrap() {
            found.push((record.number, record.kind, record.payload.to_vec()));
        }
    }
    found
}

/// Demands that what is read is right, and tells the numbers.
pub fn right_numbers(reader: &Reader<()>) -> Vec<u64> {
    let records = records(reader);
    for (number, kind, bytes) in &records {
        assert_eq!((*kind, bytes), (1, &payload(*number)), "record {number}");
    }
    let numbers: Vec<u64> = records.into_iter().map(|(number, ..)| number).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    numbers
}

/// The files of the segments, the oldest first.
pub fn segment_files(options: &Options) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(&options.folder).unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "seg"))
        .collect();
    files.sort();
    files
}
