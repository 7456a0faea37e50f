//! A disk that hangs: no write comes back, and none fails. Nobody waits for it, and it gets afterwards what it missed.
#![cfg(test)]

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ecmo_proto::v1;
use ecmo_testkit::eventually;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tonic::Code;

use super::disks::await_state_alarm;
use super::rows::rows;
use super::{accept, nicu, owners, verified};
use crate::display::{Display, PROMISE, SOON};
use crate::hand::HandAgent;
use crate::held_up::Since;
use crate::site::{Site, keeping_in};

/// How long a person waits for a disk (the specification's bound), and what the way there and back takes.
const ANSWERED_WITHIN: Duration = Duration::from_millis(2_250);

/// More than find room on their way to the log, with all that it takes from there at once.
const PEOPLE: usize = 2_000;

fn run(program: &str, arguments: &[&str], path: &Path) {
    let status = Command::new(program).args(arguments).arg(path).status().unwrap();
    assert!(status.success(), "{program} {arguments:?} {}: {status}", path.display());
}

/// A file system of its own in a file, that can be made to hang: whoever writes to it then waits until it goes on.
struct Disk {
    _folder: tempfile::TempDir,
    mounted: PathBuf,
    hangs: bool,
}

impl Disk {
    fn mount() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (image, mounted) = (folder.path().join("image"), folder.path().join("disk"));
        std::fs::File::create(&image).unwrap().set_len(64 << 20).unwrap();
        run("mkfs.ext4", &["-q"], &image);
        std::fs::create_dir(&mounted).unwrap();
        run("mount", &["-o", "loop", image.to_str().unwrap()], &mounted);
        Self { _folder: folder, mounted, hangs: false }
    }

    fn hang(&mut self) {
        run("fsfreeze", &["-f"], &self.mounted);
        self.hangs = true;
    }

    fn go_on(&mut self) {
        self.hangs = false;
        run("fsfreeze", &["-u"], &self.mounted);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Also after a test that failed: else it would hang for ever, and every process that writes there with it.
        if self.hangs {
            self.go_on();
        }
        // A gateway of a test that failed may still write there.
        let _busy = Command::new("umount").arg("-l").arg(&self.mounted).status();
    }
}

async fn owner(display: &Display) -> String {
    let pump = display.pump("p1").await.unwrap();
    pump.ownership.map(|it| it.owner).unwrap_or_default()
}

async fn bed(display: &Display) -> String {
    let pump = display.pump("p1").await.unwrap();
    pump.ownership.map(|it| it.bed).unwrap_or_default()
}

async fn site(disk: &Disk) -> Site {
    Site::with(keeping_in(disk.mounted.join("said"))).await
}

fn frames(pump: &v1::Pump) -> (u64, u64) {
    let counters = pump.counters.unwrap();
    (counters.frames_received, counters.frames_missing)
}

/// Waits until something is durable again.
async fn await_durable(display: &Display, by: &str) {
    eventually(SOON, "durable again", async || {
        accept(display, "p1", by).await.durable.then_some(())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs root, to mount a file system and let it hang"]
async fn a_disk_that_hangs_holds_up_no_alarm_and_nobody_and_gets_what_it_missed() {
    let mut disk = Disk::mount();
    let site = site(&disk).await;
    let agent = site.agent("p1").await;
    let log = site.display.watch_alarms().await;
    assert!(accept(&site.display, "p1", "A. Nurse").await.durable);
    let (before, _) = frames(&site.display.pump("p1").await.unwrap());

    disk.hang();
    let hung_at = Instant::now();
    for by in ["B. Nurse", "C. Nurse"] {
        let asked = Since::now();
        let answer = accept(&site.display, "p1", by).await;
        asked.is_within(ANSWERED_WITHIN, Instant::now(), by);
        assert!(!answer.durable, "{answer:?}");
        assert_eq!(owner(&site.display).await, by, "in force all the same");
    }
    let bubble = Since::now();
    agent.set("air.bubble", 1);
    let (told, alarm) = log.raised("p1", "air.arterial").await;
    bubble.is_within(PROMISE, told, "an alarm while the disk hangs");
    let acknowledged = site.display.acknowledge(&alarm, alarm.revision, "D. Nurse").await.unwrap();
    assert_eq!(acknowledged.signal(), v1::SignalPresence::Acknowledged);
    await_state_alarm(&site, true).await;
    let passed = hung_at.elapsed();
    let (after, missing) = frames(&site.display.await_live("p1").await);
    let expected = u64::try_from(passed.as_millis()).unwrap() / 20;
    assert!(after - before > expected * 8 / 10, "{} frames in {passed:?}", after - before);
    assert_eq!(missing, 0);

    disk.go_on();
    await_state_alarm(&site, false).await;
    await_durable(&site.display, "E. Nurse").await;
    site.gateway.stop().await;
    let rows = rows(&disk.mounted.join("said"));
    for by in ["A. Nurse", "B. Nurse", "C. Nurse", "D. Nurse", "E. Nurse"] {
        assert!(rows.iter().any(|row| row["by"] == by), "what {by} did is there");
    }
    verified(&disk.mounted);
    drop(agent);
    let site = self::site(&disk).await;
    let alarms = site.display.list_alarms().await;
    let again = alarms.iter().find(|one| one.occurrence == alarm.occurrence).unwrap();
    assert_eq!(again.acknowledged_by, "D. Nurse");
    assert_eq!(owner(&site.display).await, "E. Nurse");
    site.gateway.stop().await;
}

/// Somebody says at which bed the pump stands, and again while so many do that the gateway says so. Whether it is durable, and
/// how often they were sent away before; what they did then may be written down all the same.
async fn assign(display: Display, by: String) -> (bool, usize) {
    let mut again = 0;
    loop {
        let (pump, bed) = ("p1".to_owned(), format!("bed of {by}"));
        let request = v1::AssignBedRequest { ward: nicu(), pump, bed, by: by.clone() };
        match owners(&display).assign_bed(request).await {
            Ok(answer) => return (answer.into_inner().durable, again),
            Err(busy) if busy.code() == Code::Unavailable => again += 1,
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs root, to mount a file system and let it hang"]
async fn more_people_than_the_audit_queue_holds_are_all_answered_and_what_it_lacks_is_told() {
    let mut disk = Disk::mount();
    let site = site(&disk).await;
    let _agent: HandAgent = site.agent("p1").await;
    assert!(accept(&site.display, "p1", "A. Nurse").await.durable);
    disk.hang();
    let mut people = JoinSet::new();
    let mut displays = Vec::new();
    for _display in 0..20 {
        displays.push(Display::connect(site.gateway.address()).await);
    }
    for number in 0..PEOPLE {
        let display = displays[number % displays.len()].clone();
        people.spawn(assign(display, format!("N{number}")));
    }
    let answers = timeout(2 * SOON, people.join_all()).await.expect("everybody gets an answer");
    assert_eq!(answers.len(), PEOPLE);
    assert!(answers.iter().all(|(durable, _again)| !durable));
    let again: usize = answers.iter().map(|(_durable, again)| again).sum();
    let last = bed(&site.display).await;
    assert!(last.starts_with("bed of N"), "in force all the same: {last:?}");
    site.display.await_live("p1").await;
    await_state_alarm(&site, true).await;

    disk.go_on();
    await_state_alarm(&site, false).await;
    assert_eq!(bed(&site.display).await, last);
    site.gateway.stop().await;
    verified(&disk.mounted);
    let rows = rows(&disk.mounted.join("said"));
    let by = rows.iter().filter_map(|row| row["by"].as_str());
    let written: Vec<&str> = by.filter(|by| by.starts_with('N')).collect();
    let people: HashSet<&str> = written.iter().copied().collect();
    let lost = rows.iter().filter(|row| row["kind"] == "lost");
    let told = lost.map(|row| row["details"].as_str().unwrap().split(' ').next().unwrap());
    let lacking: usize = told.map(|count| count.parse::<usize>().unwrap()).sum();
    println!("{} written afterwards, {lacking} told as lacking, {again} tries", written.len());
    assert!(lacking > 0, "more than it holds");
    assert!(people.len() + lacking >= PEOPLE, "each is there, or is told to lack");
    assert!(written.len() + lacking <= PEOPLE + again, "and nothing that nobody did");
    // And the state has it, whether its line is there or not.
    let site = self::site(&disk).await;
    assert_eq!(bed(&site.display).await, last);
    site.gateway.stop().await;
}
