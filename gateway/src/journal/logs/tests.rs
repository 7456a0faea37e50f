//! The logs on real files and on a disk that is full: what is kept, what is remembered, what is told.

use std::io;

use ecmo_journal::{Files, Handle};

use super::*;

fn pump() -> PumpAddress {
    PumpAddress { ward: Id::new("nicu").unwrap(), pump: Id::new(".").unwrap() }
}

fn keep(dir: &Path) -> Keep {
    Keep { dir: dir.to_owned(), age_max: Duration::from_hours(24), bytes_max: 1 }
}

fn write(logs: &mut Logs, frames: std::ops::Range<u64>, at: Instant) -> usize {
    let sealed = [7; 1_024];
    frames.filter(|one| logs.keep(&pump(), (9, *one), Source::Live, &sealed, at)).count()
}

#[test]
fn what_was_kept_and_what_went_since_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let at = Instant::from_millis(1_000);
    let mut logs = Logs::new(keep(folder.path()), 1);
    assert!(logs.open_all(at).is_empty());
    assert!(logs.open(&pump(), at).is_some());
    logs.keep_birth(&pump(), 9, b"birth", at);
    // More than the least share of a pump.
    assert_eq!(write(&mut logs, 0..6_000, at), 6_000);
    assert!(logs.is_full(&pump()) && logs.bytes() <= SHARE_BYTES_MIN);
    let gone = logs.take_forgotten(&pump()).remove(&9).unwrap();
    assert!(gone.count() > 1_000, "{gone:?}");
    drop(logs);

    let mut logs = Logs::new(keep(folder.path()), 1);
    let found = logs.open_all(at).remove(0);
    assert_eq!(found.pump, pump(), "an id is never taken for a path");
    let kept = &found.kept[&9];
    assert_eq!(kept.have.count() + kept.forgotten.count(), 6_000);
    assert_eq!(kept.have.without(&kept.forgotten).count(), kept.have.count());
    assert_eq!(logs.birth(&pump(), 9), Some(b"birth".as_slice()), "it outlives its segment");
}

#[derive(Debug)]
struct FullDisk;

impl Disk for FullDisk {
    fn create(&self, _path: &Path) -> io::Result<Box<dyn Handle>> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn open_end(&self, _path: &Path, _bytes: u64) -> io::Result<Box<dyn Handle>> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Files.remove(path)
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        Files.sync_file(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        Files.sync_folder(folder)
    }
}

#[test]
fn a_full_disk_keeps_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let at = Instant::from_millis(1_000);
    let mut logs = Logs::new(keep(folder.path()), 1).on_disk(|| Box::new(FullDisk));
    assert!(logs.open(&pump(), at).is_some());
    assert_eq!(logs.state(), State::Recording);
    assert_eq!(write(&mut logs, 0..10, at), 0);
    assert_eq!((logs.state(), logs.errors), (State::Full, 10));
}
