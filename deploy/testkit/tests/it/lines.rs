//! The pseudo terminal: bytes unchanged both ways, and an unplugging that the driver sees.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::AsFd,
};

use ecmo_testkit::{Pty, eventually_sync};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::SOON;

fn driver(pty: &Pty) -> std::io::Result<File> {
    File::options().read(true).write(true).open(pty.path())
}

/// Whether the driver sees a hang-up now.
fn hung_up(line: &File) -> bool {
    let fd = line.as_fd();
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&now)).is_ok() && fds[0].revents().contains(PollFlags::HUP)
}

#[test]
fn every_byte_passes_both_ways_unchanged_and_without_echo() {
    let pty = Pty::open().unwrap();
    let mut line = driver(&pty).unwrap();
    let all: Vec<u8> = (0..=255).collect();
    pty.write_sync(&all).unwrap();
    let mut seen = [0; 256];
    line.read_exact(&mut seen).unwrap();
    assert_eq!(seen[..], all);
    line.write_all(&all).unwrap();
    assert_eq!(pty.read_exactly_sync(256, SOON).unwrap(), all);
    assert_eq!(pty.try_read(1).unwrap(), None);
}

#[tokio::test]
async fn the_device_speaks_from_inside_a_runtime() {
    let pty = Pty::open().unwrap();
    pty.write(b"42\r").await.unwrap();
    let mut line = driver(&pty).unwrap();
    let mut seen = [0; 3];
    line.read_exact(&mut seen).unwrap();
    assert_eq!(&seen, b"42\r");
    line.write_all(b"ask\r").unwrap();
    assert_eq!(pty.read_exactly(4, SOON).await.unwrap(), b"ask\r");
}

#[test]
fn a_driver_may_close_the_line_and_open_it_again() {
    let pty = Pty::open().unwrap();
    drop(driver(&pty).unwrap());
    pty.write_sync(b"kept").unwrap();
    let mut line = driver(&pty).unwrap();
    let mut seen = [0; 4];
    line.read_exact(&mut seen).unwrap();
    assert_eq!(&seen, b"kept");
}

#[test]
fn unplugging_is_a_hang_up_for_the_driver_and_takes_the_name_away() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("flow-meter");
    let pty = Pty::open_at(&name).unwrap();
    assert_eq!(pty.path(), name);
    let mut line = driver(&pty).unwrap();
    assert!(!hung_up(&line));
    pty.unplug().unwrap();
    assert!(hung_up(&line));
    let mut byte = [0];
    assert!(line.read(&mut byte).map_or(true, |count| count == 0));
    assert!(line.write_all(b"gone").is_err());
    assert!(!name.exists());
    // The device comes back under the same name.
    let pty = Pty::open_at(&name).unwrap();
    let mut line = driver(&pty).unwrap();
    pty.write_sync(b"!").unwrap();
    line.read_exact(&mut byte).unwrap();
    assert_eq!(&byte, b"!");
    drop(pty);
    assert!(hung_up(&line));
    assert!(!name.exists());
}

#[test]
fn a_silent_driver_is_an_error_that_shows_what_came() {
    let pty = Pty::open().unwrap();
    let mut line = driver(&pty).unwrap();
    line.write_all(b"ha").unwrap();
    let late = std::time::Duration::from_millis(20);
    let error = pty.read_exactly_sync(4, late).unwrap_err().to_string();
    assert!(error.contains("2 of 4 bytes"), "{error}");
}

#[test]
fn a_line_that_nobody_reads_fills_up() {
    let pty = Pty::open().unwrap();
    let sent = eventually_sync(SOON, "the line is full", || {
        let chunk = [7; 1000];
        let mut sent = 0;
        while let Ok(Some(count)) = pty.try_write(&chunk) {
            sent += count;
            if sent > 1 << 20 {
                return Err("a mebibyte went in".to_owned());
            }
        }
        Ok(sent)
    })
    .unwrap();
    assert!(sent > 0);
}
