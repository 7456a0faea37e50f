//! Tests of the spool: what is read back, what is missing, a disk that hangs, fills up or fails, and clocks that jump.

use std::io;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex};

use ecmo_journal::Handle;
use ecmo_proto::topic::{Id, PumpAddress};
use tempfile::TempDir;

use super::*;
use crate::counters::Counters;
use crate::frame::{Boot, Framer};
use crate::queue::FrameQueue;
use crate::sampler::Tick;
use crate::sensor::Batch;

const BIRTH: &[u8] = b"a birth";
const SOON: Duration = Duration::from_secs(20);

fn boot() -> Boot {
    Boot::new(PumpAddress { ward: Id::new("w").unwrap(), pump: Id::new("p").unwrap() })
}

fn settings(folder: &TempDir) -> SpoolSettings {
    SpoolSettings::in_folder(folder.path().join("spool"))
}

/// The first frames of a boot.
fn frames(boot: &Boot, count: usize) -> Vec<PreparedFrame> {
    let mut framer = Framer::new(boot, &[], Duration::from_millis(20));
    let mut frames = Vec::new();
    for tick in 0..=count as u64 {
        let time = SampleTime::from_millis(tick * 20);
        let tick = Tick { time, batch: &Batch::default(), has_edge: false };
        framer.on_tick(tick, &Counters::default(), |frame| frames.push(frame));
    }
    frames
}

fn start(settings: &SpoolSettings, boot: &Boot) -> Spool {
    let spool = Spool::start(settings, boot.id).unwrap();
    spool.begin(Bytes::from_static(BIRTH));
    spool
}

/// Waits until something is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = clock::now().plus(SOON);
    while !is_so() {
        assert!(clock::now() < deadline, "not so in {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn end(spool: &Spool) -> u64 {
    let view = spool.view();
    let extents = view.reader().map(SpoolReader::extents).unwrap_or_default();
    extents.first().map_or(0, |extent| extent.end_sequence)
}

fn sequences(part: &Part) -> Vec<u64> {
    part.frames.iter().map(|(sequence, _)| *sequence).collect()
}

/// A list of one range.
fn only(range: core::ops::Range<u64>) -> Vec<core::ops::Range<u64>> {
    std::iter::once(range).collect()
}

#[tokio::test]
async fn what_is_offered_is_read_back_as_it_was_while_more_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let boot = boot();
    let spool = start(&settings(&folder), &boot);
    let frames = frames(&boot, 200);
    for frame in &frames {
        spool.offer(frame.clone());
        until("there", || frame.sequence() < 150 || end(&spool) > 100);
    }
    until("all there", || end(&spool) == 200);
    let view = spool.view();
    let reader = view.reader().unwrap();
    let (mut next, mut read) = (3, Vec::new());
    loop {
        let part = reader.read(boot.id, next..197, 300).unwrap();
        assert_eq!((part.birth.as_ref(), part.gone.as_slice()), (BIRTH, [].as_slice()));
        assert!(!part.frames.is_empty() && part.frames.len() < 20, "{}", part.frames.len());
        next = part.next;
        read.extend(part.frames);
        if part.is_last {
            break;
        }
    }
    assert_eq!(read.len(), 194);
    for (sequence, body) in &read {
        assert_eq!(body, frames[usize::try_from(*sequence).unwrap()].body());
    }
    let status = view.status(clock::now());
    assert_eq!((status.state(), status.frames_lost), (v1::SpoolState::Recording, 0));
    assert!(status.bytes > 200 * 40);
    assert_eq!((status.extents[0].boot_id, status.extents[0].end_sequence), (boot.id, 200));
    spool.stop().await;
}

#[tokio::test]
async fn a_hole_is_told_as_gone_and_what_is_not_recorded_yet_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (boot(), boot());
    let mut spool = start(&settings(&folder), &first);
    assert_eq!(spool.boot_number().await, Some(1));
    for frame in frames(&first, 30) {
        if !(10..20).contains(&frame.sequence()) {
            spool.offer(frame);
        }
    }
    until("there", || end(&spool) == 30);
    let view = spool.view();
    let part = view.reader().unwrap().read(first.id, 5..100, 1 << 20).unwrap();
    assert_eq!(part.gone, only(10..20));
    assert_eq!((part.next, part.is_last, sequences(&part).len()), (30, true, 15));
    let holes = view.reader().unwrap().holes(first.id).unwrap();
    assert_eq!(holes.len(), 1);
    assert_eq!(holes[0].sequences, 10..20);
    spool.stop().await;

    // The next run has the next number, and of the run before nothing more will come.
    let mut spool = start(&settings(&folder), &second);
    assert_eq!(spool.boot_number().await, Some(2));
    for frame in frames(&second, 5) {
        spool.offer(frame);
    }
    until("there", || end(&spool) == 5);
    let view = spool.view();
    let reader = view.reader().unwrap();
    let extents = reader.extents();
    let told: Vec<_> = extents.iter().map(|extent| (extent.boot_id, extent.boot_number)).collect();
    assert_eq!(told, [(second.id, 2), (first.id, 1)]);
    assert_eq!(
        (extents[1].first_sequence, extents[1].end_sequence, extents[1].frames),
        (0, 30, 20)
    );
    let part = reader.read(first.id, 25..100, 1 << 20).unwrap();
    assert_eq!((sequences(&part), part.gone), ((25..30).collect(), only(30..100)));
    let unknown = reader.read(7, 0..9, 1 << 20).unwrap();
    assert_eq!((unknown.frames.len(), unknown.gone), (0, only(0..9)));
    spool.stop().await;
}

#[tokio::test]
async fn a_second_agent_on_one_spool_says_failed_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let boot = boot();
    let mut spool = start(&settings(&folder), &boot);
    assert_eq!(spool.boot_number().await, Some(1));
    let second = start(&settings(&folder), &boot);
    until("failed", || second.view().status(clock::now()).state() == v1::SpoolState::Failed);
    second.offer(frames(&boot, 1).remove(0));
    until("counted", || second.view().status(clock::now()).frames_lost == 1);
    second.stop().await;
    spool.stop().await;
}

/// A disk whose writes do not return while it hangs.
#[derive(Debug, Clone, Default)]
struct HungDisk(Arc<(Mutex<bool>, Condvar)>);

#[derive(Debug)]
struct HungHandle(Box<dyn Handle>, HungDisk);

impl HungDisk {
    fn set(&self, hangs: bool) {
        *self.0.0.lock().unwrap() = hangs;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        drop(self.0.1.wait_while(self.0.0.lock().unwrap(), |hangs| *hangs).unwrap());
    }
}

impl Disk for HungDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Handle>> {
        Ok(Box::new(HungHandle(Files.create(path)?, self.clone())))
    }

    fn open_end(&self, path: &Path, bytes: u64) -> io::Result<Box<dyn Handle>> {
        Ok(Box::new(HungHandle(Files.open_end(path, bytes)?, self.clone())))
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

impl Handle for HungHandle {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.1.wait();
        self.0.write_all(bytes)
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.0.cut(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }
}

#[tokio::test]
async fn a_disk_that_hangs_loses_frames_to_the_disk_and_none_to_the_brokers() {
    let folder = tempfile::tempdir().unwrap();
    let boot = boot();
    let disk = HungDisk::default();
    disk.set(true);
    let on = disk.clone();
    let spool =
        Spool::start_on(move || Box::new(on.clone()), clock::stamp, &settings(&folder), boot.id)
            .unwrap();
    spool.begin(Bytes::from_static(BIRTH));
    let (queue, counters) = (FrameQueue::default(), Counters::default());
    let all = frames(&boot, 1000);
    let mut published = Vec::new();
    for frame in &all {
        spool.offer(frame.clone());
        queue.push(frame.clone(), &counters);
        let in_hand = queue.pop().expect("the frame is there at once");
        published.push(in_hand.frame().sequence());
        in_hand.used();
    }
    assert_eq!(published, (0..1000).collect::<Vec<_>>());
    let status = spool.view().status(clock::now());
    assert_eq!(status.state(), v1::SpoolState::Behind);
    // What waits is kept: the queue, and what the thread has in hand.
    let waiting = FRAMES_WAITING_MAX as u64;
    assert!((1000 - waiting - 2..=1000 - waiting + 1).contains(&status.frames_lost), "{status:?}");
    disk.set(false);
    until("what waited is kept", || end(&spool) > 200);
    let kept = end(&spool);
    for frame in &all[990..] {
        spool.offer(frame.clone());
    }
    until("recording again", || end(&spool) == 1000);
    let view = spool.view();
    let part = view.reader().unwrap().read(boot.id, 0..1000, 1 << 20).unwrap();
    assert!(kept <= 990 && part.gone.iter().any(|gone| gone.end == 990), "{:?}", part.gone);
    let later = clock::now().plus(BEHIND_FOR);
    assert_eq!(view.status(later).state(), v1::SpoolState::Recording);
    spool.stop().await;
}

#[tokio::test]
async fn a_wall_clock_that_jumps_takes_nothing_and_a_day_of_running_takes_what_is_older() {
    let folder = tempfile::tempdir().unwrap();
    let boot = boot();
    let time = Arc::new(Mutex::new(Stamp { mono: SampleTime::from_nanos(1), wall_ns: 0 }));
    let clock_time = Arc::clone(&time);
    let mut settings = settings(&folder);
    // The least segments, so that each hour has one.
    settings.bytes_max = 4 << 20;
    let spool = Spool::start_on(
        || Box::new(Files),
        move || *clock_time.lock().unwrap(),
        &settings,
        boot.id,
    )
    .unwrap();
    spool.begin(vec![7; 40_000].into());
    let hour_ns: i64 = 3_600_000_000_000;
    let steps = [0, 1, -2, 2 * 365 * 24, 0, -50_000];
    let mut wall_ns = 1_795_000_000_000_000_000;
    let mut sent = 0;
    let mut frames = frames(&boot, 200).into_iter();
    let mut hour = |step: i64| {
        wall_ns += (1 + step) * hour_ns;
        let mono = time.lock().unwrap().mono.plus(Duration::from_secs(3600));
        *time.lock().unwrap() = Stamp { mono, wall_ns };
        // A birth a segment: a new one begins with each second frame of this length.
        spool.begin(vec![7; 40_000].into());
        spool.offer(frames.next().unwrap());
        sent += 1;
        until("there", || end(&spool) == sent);
    };
    (0..22).for_each(|at| hour(steps[at % steps.len()]));
    let first = |spool: &Spool| spool.view().reader().unwrap().extents()[0].first_sequence;
    assert_eq!((first(&spool), spool.view().status(clock::now()).frames_evicted), (0, 0));
    (0..10).for_each(|_| hour(0));
    let status = spool.view().status(clock::now());
    assert!((5..=9).contains(&status.frames_evicted), "{status:?}");
    assert_eq!(first(&spool), status.frames_evicted);
    spool.stop().await;
}

#[tokio::test]
async fn frames_are_read_with_their_birth_when_the_segment_that_began_the_run_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let boot = boot();
    let mut settings = settings(&folder);
    settings.bytes_max = 256 * 1024;
    let spool = start(&settings, &boot);
    let mut sent = 0;
    for frame in frames(&boot, 6000) {
        spool.offer(frame);
        sent += 1;
        if sent % 200 == 0 {
            until("there", || end(&spool) == sent);
        }
    }
    let view = spool.view();
    let reader = view.reader().unwrap();
    let extent = reader.extents().remove(0);
    assert!(extent.first_sequence > 1000, "{extent:?}");
    assert_eq!(view.status(clock::now()).frames_evicted, extent.first_sequence);
    let part = reader.read(boot.id, 0..extent.first_sequence + 2, 1 << 20).unwrap();
    assert_eq!((part.birth.as_ref(), part.gone.clone()), (BIRTH, only(0..extent.first_sequence)));
    assert_eq!(part.frames.len(), 2);
    // The same from a spool that nobody writes.
    spool.stop().await;
    let (reader, damaged) = open(&settings.folder).unwrap();
    assert_eq!((reader.extents(), damaged), (vec![extent], 0));
    assert_eq!(reader.verify().unwrap().damaged, 0);
}

/// A file system of 1 MiB in memory, gone when dropped.
struct SmallDisk(PathBuf, #[expect(dead_code, reason = "removed when dropped")] TempDir);

impl SmallDisk {
    fn mount() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(&path)
            .status();
        assert!(mounted.unwrap().success(), "mount a tmpfs as root");
        Self(path, folder)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = std::process::Command::new("umount").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

#[tokio::test]
#[ignore = "needs root to mount a tmpfs; cargo xtask ci runs it"]
async fn fault_f13_a_full_disk_is_told_and_recording_comes_back_with_room() {
    let disk = SmallDisk::mount();
    let ballast = disk.0.join("ballast");
    std::fs::write(&ballast, vec![0; 600_000]).unwrap();
    let boot = boot();
    let spool = start(&SpoolSettings::in_folder(disk.0.join("spool")), &boot);
    let (queue, counters) = (FrameQueue::default(), Counters::default());
    let state = |spool: &Spool| spool.view().status(clock::now()).state();
    let mut sent = 0;
    let mut frames = frames(&boot, 40_000).into_iter();
    let mut send = |spool: &Spool, count: usize| {
        for frame in frames.by_ref().take(count) {
            spool.offer(frame.clone());
            queue.push(frame, &counters);
            queue.pop().expect("live goes on").used();
            sent += 1;
        }
        until("taken", || {
            let status = spool.view().status(clock::now());
            end(spool) == sent || status.state() == v1::SpoolState::Full
        });
    };
    while state(&spool) == v1::SpoolState::Recording {
        send(&spool, 100);
    }
    assert_eq!(state(&spool), v1::SpoolState::Full);
    std::fs::remove_file(&ballast).unwrap();
    let full_at = end(&spool);
    until("recording again", || {
        send(&spool, 1);
        state(&spool) == v1::SpoolState::Recording
    });
    until("more is there", || end(&spool) > full_at);
    let reader = spool.view().reader().unwrap().clone();
    let extent = reader.extents().remove(0);
    let lost = spool.view().status(clock::now()).frames_lost;
    assert_eq!(extent.frames + lost, extent.end_sequence, "every frame is kept or counted");
    spool.stop().await;
}
