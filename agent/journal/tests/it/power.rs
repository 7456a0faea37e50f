//! Power loss on a real file system: a loop-mounted ext4 that is shut down without writing its journal.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use ecmo_journal::Journal;

use crate::log::{open, options, records};

/// Shuts a file system down as if the power had failed: EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH.
const SHUT_DOWN: &str = "
import fcntl, os, struct, sys
folder = os.open(sys.argv[1], os.O_RDONLY)
fcntl.ioctl(folder, 0x8004587d, struct.pack('I', 2))
";

const SYNC_EVERY: Duration = Duration::from_secs(1);

/// An ext4 in a file.
struct Ext4 {
    image: PathBuf,
    mount: PathBuf,
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).status();
    assert!(status.is_ok_and(|status| status.success()), "{program} {arguments:?}");
}

impl Ext4 {
    fn make(folder: &Path) -> Self {
        let (image, mount) = (folder.join("image"), folder.join("mount"));
        File::create(&image).unwrap().set_len(64 << 20).unwrap();
        std::fs::create_dir(&mount).unwrap();
        run("mkfs.ext4", &["-q", "-F", image.to_str().unwrap()]);
        let ext4 = Self { image, mount };
        ext4.mount();
        ext4
    }

    fn mount(&self) {
        run("mount", &["-o", "loop", self.image.to_str().unwrap(), self.mount.to_str().unwrap()]);
    }

    fn unmount(&self) {
        run("umount", &[self.mount.to_str().unwrap()]);
    }

    fn lose_power(&self) {
        run("python3", &["-c", SHUT_DOWN, self.mount.to_str().unwrap()]);
    }
}

impl Drop for Ext4 {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.mount).stderr(Stdio::null()).status();
        assert!(unmounted.is_ok(), "umount is there");
    }
}

#[test]
#[ignore = "needs root, a loop device, mkfs.ext4 and python3; cargo xtask ci runs it"]
fn fault_f02_power_loss_keeps_all_but_the_last_second() {
    let folder = tempfile::tempdir().unwrap();
    let ext4 = Ext4::make(folder.path());
    let mut before = 0;
    for syncs in [1, 3] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "power::appends_and_syncs_until_the_disk_fails", "--nocapture"])
            .env("ECMO_TEST_POWER", &ext4.mount)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = Said::default();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        // The power fails half a second after a sync, by the child's own clock.
        while said.syncs < syncs || said.appended_us < said.synced_us + 500_000 {
            said.hear(&lines.next().unwrap());
        }
        ext4.lose_power();
        lines.for_each(|line| said.hear(&line));
        child.wait().unwrap();
        ext4.unmount();
        ext4.mount();
        let journal = open(&options(&ext4.mount));
        let kept = records(&journal.reader());
        let numbers: Vec<u64> = kept.iter().map(|(number, ..)| *number).collect();
        assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>(), "a whole prefix");
        let last_us = u64::from_le_bytes(kept.last().unwrap().2[..8].try_into().unwrap());
        assert!(numbers.len() as u64 >= said.synced_number, "{said:?}, {} kept", numbers.len());
        assert!(numbers.len() as u64 > before, "the log goes on after a power loss");
        let lost_us = said.appended_us.saturating_sub(last_us);
        let allowed_us = SYNC_EVERY.as_micros() as u64 + said.slowest_us;
        assert!(lost_us <= allowed_us, "{lost_us} us lost, {said:?}");
        println!("{lost_us} us lost of {} us, {said:?}", said.appended_us);
        before = numbers.len() as u64;
    }
}

/// What the child said.
#[derive(Debug, Default)]
struct Said {
    syncs: u64,
    /// Records that a sync covers, and when it ended.
    synced_number: u64,
    synced_us: u64,
    appended_us: u64,
    /// Longest that one append or sync took.
    slowest_us: u64,
}

impl Said {
    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().unwrap();
        match words[0] {
            "appended" => self.appended_us = number(1),
            "synced" => {
                self.syncs += 1;
                (self.synced_number, self.synced_us) = (number(1), number(2));
                self.slowest_us = self.slowest_us.max(number(3));
            }
            _ => {}
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a child of a test has no other clock")]
fn appends_and_syncs_until_the_disk_fails() {
    let Ok(folder) = std::env::var("ECMO_TEST_POWER") else { return };
    let start = std::time::Instant::now();
    let mut options = options(folder.as_ref());
    options.sync_every = SYNC_EVERY;
    let mut journal = Journal::<()>::open(options, Duration::ZERO).unwrap();
    let mut out = std::io::stdout().lock();
    // The test's own name stands at the begin of the line.
    writeln!(out).unwrap();
    let end = Duration::from_secs(60);
    while start.elapsed() < end {
        let now = start.elapsed();
        let micros = now.as_micros() as u64;
        let mut payload = micros.to_le_bytes().to_vec();
        payload.resize(300, 7);
        if journal.append(now, 1, &payload).is_err() {
            return;
        }
        let waiting = journal.first_unsynced();
        let next = journal.append(now, 1, &payload).map(|place| place.number + 1);
        let (Ok(next), Ok(())) = (next, journal.sync_if_due(now)) else { return };
        let said = if journal.first_unsynced() > waiting {
            let took = (start.elapsed() - now).as_micros();
            writeln!(out, "synced {next} {micros} {took}")
        } else {
            writeln!(out, "appended {micros}")
        };
        if said.is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
