//! The store over restarts, damage and disks that fail.

use super::value::tests::{full, kept};
use super::*;

fn address(pump: &str) -> PumpAddress {
    PumpAddress { ward: Id::new("nicu").unwrap(), pump: Id::new(pump).unwrap() }
}

fn metrics() -> Arc<Metrics> {
    Arc::new(Metrics::new(&[]))
}

struct Running {
    thread: StateThread,
    intake: StateIntake,
    handle: StateHandle,
    before: KeptBefore,
}

impl Running {
    fn open(dir: &Path) -> Self {
        let mut store = StateStore::open(dir, Clock::start(), &metrics());
        let before = std::mem::take(&mut store.before);
        let (thread, intake, handle) = store.start().unwrap();
        Self { thread, intake, handle, before }
    }

    /// Waits until everything that was offered is written, or was tried.
    fn flush(&self) {
        let (done, wait) = sync_channel(1);
        self.handle.changes.send(Change::Flush(done)).unwrap();
        wait.recv().unwrap();
    }

    fn stop(self) {
        self.handle.stop();
        self.thread.thread.join().unwrap();
    }
}

#[test]
fn what_stood_at_each_pump_comes_back_and_the_newest_counts() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Running::open(folder.path());
    assert!(first.before.pumps.is_empty() && first.before.damaged.is_none());
    for version in 1..=3 {
        let mut kept = kept();
        kept.ownership.version = version;
        first.intake.offer(&address("p1"), kept);
    }
    first.intake.offer(&address("p2"), Kept::default());
    first.intake.offer_ended(&address("p1"), &full());
    let record = Record { version: 5, ..Record::default() };
    first.handle.keep_treatment(&address("p1"), record.to_text(&address("p1")).unwrap());
    first.handle.applied(77);
    first.stop();
    let second = Running::open(folder.path());
    let before = &second.before;
    assert_eq!((before.pumps.len(), before.ended.len(), before.applied), (2, 1, 77));
    let back = &before.pumps[&address("p1")];
    assert_eq!((back.ownership.version, &back.ownership.bed), (3, &kept().ownership.bed));
    assert_eq!(back.occurrences[0].acknowledged.as_ref().unwrap().by, "A. Nurse");
    assert_eq!(before.treatments[&address("p1")].version, 5);
    assert_eq!((&before.ended[0].0, before.ended[0].1.id), (&address("p1"), full().id));
    second.stop();
}

#[test]
fn the_list_of_ended_alarms_is_bounded_and_keeps_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let first = Running::open(folder.path());
    for onset in 0..u64::try_from(ENDED_MAX).unwrap() + 5 {
        let mut one = full();
        one.id.onset = onset;
        first.handle.changes.send(Change::Ended(address("p1"), Box::new(one))).unwrap();
    }
    first.stop();
    let second = Running::open(folder.path());
    let onsets: Vec<u64> = second.before.ended.iter().map(|(_, one)| one.id.onset).collect();
    let expected: Vec<u64> = (5..u64::try_from(ENDED_MAX).unwrap() + 5).collect();
    assert_eq!(onsets, expected);
    second.stop();
}

#[test]
fn a_damaged_file_is_set_aside_and_never_taken_for_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Running::open(folder.path());
    first.intake.offer(&address("p1"), kept());
    first.handle.applied(7);
    first.stop();
    let path = folder.path().join(tables::FILE);
    let sound = std::fs::read(&path).unwrap();
    let is_right = |kept: &Kept| kept.ownership.bed == "3" && kept.occurrences[0].id == full().id;
    let (mut damaged, mut random) = (0, fastrand::Rng::with_seed(11));
    // Every byte that says something, and bytes in between.
    let bed: Vec<usize> =
        (0..sound.len() - 8).filter(|at| &sound[*at..at + 8] == b"A. Nurse").collect();
    assert!(!bed.is_empty(), "the value stands in the file as it is");
    let places: Vec<usize> = (0..64).map(|_| random.usize(..sound.len())).collect();
    for at in bed.into_iter().chain(places).chain([0, 8, 64]) {
        let mut changed = sound.clone();
        changed[at] ^= 1 << random.u8(..8);
        std::fs::write(&path, &changed).unwrap();
        let second = Running::open(folder.path());
        let back = second.before.pumps.get(&address("p1"));
        assert!(back.is_none_or(is_right), "byte {at} was taken for what was written");
        if second.before.damaged.is_some() {
            damaged += 1;
            assert_eq!(second.before.applied, 0, "everything is done again from the log");
        } else {
            assert!(back.is_some(), "byte {at}: nothing is told and something is lost");
        }
        second.stop();
        std::fs::write(&path, &sound).unwrap();
    }
    assert!(damaged > 0);
    std::fs::write(&path, b"no state at all").unwrap();
    let second = Running::open(folder.path());
    assert!(second.before.damaged.is_some() && second.before.pumps.is_empty());
    let aside = std::fs::read_dir(folder.path()).unwrap();
    let aside =
        aside.filter(|it| it.as_ref().unwrap().file_name().to_string_lossy().contains(".damaged"));
    assert_eq!(aside.count(), (damaged + 1).min(9), "each lies beside, and no more than nine");
    second.stop();
}

#[test]
fn a_disk_that_fails_is_told_and_gets_everything_when_it_works_again() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("state");
    let clock = Clock::start();
    let mut first = Running::open(&dir);
    first.intake.offer(&address("p1"), kept());
    first.flush();
    assert!(first.handle.is_kept(clock.now()));
    std::fs::remove_dir_all(&dir).unwrap();
    std::fs::write(&dir, "").unwrap();
    first.intake.offer(&address("p2"), kept());
    first.flush();
    assert!(!first.handle.is_kept(clock.now()), "a file that is gone is not written");
    std::fs::remove_file(&dir).unwrap();
    first.flush();
    assert!(first.handle.is_kept(clock.now()));
    first.stop();
    let second = Running::open(&dir);
    assert_eq!(second.before.pumps.len(), 2, "also what was written before");
    second.stop();
}

#[test]
fn a_pump_that_found_no_room_is_owed_and_nothing_counts_as_applied_until_it_is_offered() {
    let (changes, taken) = sync_channel(1);
    let shared = Arc::<Shared>::default();
    let mut intake = StateIntake {
        changes: changes.clone(),
        owed: BTreeSet::new(),
        shared: Arc::clone(&shared),
    };
    intake.offer(&address("p1"), kept());
    assert!(intake.owed().is_empty());
    intake.offer(&address("p2"), kept());
    assert_eq!(intake.owed(), [address("p2")]);
    assert_eq!(shared.owed.load(Ordering::Acquire), 1);
    assert!(matches!(taken.recv().unwrap(), Change::Pump(one, _) if one == address("p1")));
    intake.offer(&address("p2"), kept());
    assert!(intake.owed().is_empty());
    assert_eq!(shared.owed.load(Ordering::Acquire), 0);

    let folder = tempfile::tempdir().unwrap();
    let first = Running::open(folder.path());
    first.handle.shared.owed.store(1, Ordering::Release);
    first.handle.applied(9);
    first.flush();
    first.stop();
    let second = Running::open(folder.path());
    assert_eq!(second.before.applied, 0);
    second.handle.applied(9);
    second.stop();
    let third = Running::open(folder.path());
    assert_eq!(third.before.applied, 9);
    third.stop();
}

#[test]
fn two_gateways_never_write_to_one_state() {
    let folder = tempfile::tempdir().unwrap();
    let first = Running::open(folder.path());
    let second = Running::open(folder.path());
    assert!(second.before.damaged.is_none(), "it is not damaged, and is not set aside");
    assert!(!second.handle.is_kept(Clock::start().now()));
    second.stop();
    first.stop();
    let third = Running::open(folder.path());
    assert!(third.handle.is_kept(Clock::start().now()));
    third.stop();
}
