//! Where lines come from: a file, a FIFO or a TCP server, read without waiting and opened again when it is there again.

use core::time::Duration;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use ecmo_core::time::SampleTime;
use rustix::fs::{FileType, Mode, OFlags, SeekFrom, fstat, open, seek, stat};
use rustix::io::Errno;

use super::super::connection::Connection;
use super::super::serial_port::Access;
use super::super::status::{Link, SourceState};
use crate::config::{LineSettings, PortAddress};

/// Waiting times before a file is opened again: doubled from the first to the last.
const REOPEN_FIRST: Duration = Duration::from_millis(100);
const REOPEN_LAST: Duration = Duration::from_secs(1);

/// How often a FIFO that nobody writes is looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Where lines come from.
#[derive(Debug)]
pub(super) enum Input {
    /// A TCP server. The stream is not closed for writing, because many servers take that for a goodbye; nothing is written.
    Tcp(Connection),
    /// A file or FIFO.
    Path(PathInput),
}

/// A file or FIFO.
#[derive(Debug)]
pub(super) struct PathInput {
    path: PathBuf,
    file: Option<OwnedFd>,
    is_regular: bool,
    /// Somebody has the FIFO open for writing.
    is_written: bool,
    is_silent: bool,
    open_at: SampleTime,
    wait: Duration,
    /// When it was last checked that the FIFO is still the one of that name.
    looked_at: SampleTime,
    connections: u64,
    is_warned: bool,
}

/// What a read gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Got {
    /// So many bytes.
    Bytes(usize),
    /// Nothing now.
    Nothing,
    /// The end of a file, or nobody writes the FIFO any more.
    End,
}

impl Input {
    pub(super) fn new(address: &PortAddress) -> Self {
        match address {
            PortAddress::Tcp(_) => {
                let line = LineSettings::eight_n_one(9600);
                Self::Tcp(Connection::new(address.clone(), line, Access::Ask))
            }
            PortAddress::Serial(path) => Self::Path(PathInput {
                path: path.clone(),
                file: None,
                is_regular: false,
                is_written: false,
                is_silent: false,
                open_at: SampleTime::default(),
                wait: REOPEN_FIRST,
                looked_at: SampleTime::default(),
                connections: 0,
                is_warned: false,
            }),
        }
    }

    /// Opens it when it is time to; true when it was opened just now.
    pub(super) fn open(&mut self, now: SampleTime) -> bool {
        match self {
            Self::Tcp(connection) => connection.open(now),
            Self::Path(path) => path.open(now),
        }
    }

    /// Whether somebody is there who could send a line.
    pub(super) const fn is_open(&self) -> bool {
        match self {
            Self::Tcp(connection) => connection.is_open(),
            Self::Path(path) => path.file.is_some() && (path.is_regular || path.is_written),
        }
    }

    /// Reads what has arrived.
    pub(super) fn read(&mut self, now: SampleTime, buffer: &mut [u8]) -> Got {
        match self {
            Self::Tcp(connection) => {
                connection.read(now, buffer).map_or(Got::Nothing, |bytes| Got::Bytes(bytes.len()))
            }
            Self::Path(path) => path.read(now, buffer),
        }
    }

    /// Whether it is a plain file, with an end.
    pub(super) const fn is_file(&self) -> bool {
        matches!(self, Self::Path(PathInput { file: Some(_), is_regular: true, .. }))
    }

    /// Begins a file again.
    pub(super) fn rewind(&self) {
        if let Self::Path(PathInput { file: Some(file), .. }) = self {
            // A regular file, open for reading: it can.
            let _begun = seek(file, SeekFrom::Start(0)).is_ok();
        }
    }

    pub(super) fn note_silence(&mut self, now: SampleTime, is_silent: bool) {
        match self {
            Self::Tcp(connection) => connection.note_silence(now, is_silent),
            Self::Path(path) => path.is_silent = is_silent,
        }
    }

    pub(super) const fn link(&self) -> Link {
        match self {
            Self::Tcp(connection) => connection.link(),
            Self::Path(path) => {
                let state = match (self.is_open(), path.is_silent) {
                    (false, _) => SourceState::Off,
                    (true, true) => SourceState::Silent,
                    (true, false) => SourceState::Live,
                };
                Link { state, connections: path.connections }
            }
        }
    }
}

impl PathInput {
    fn open(&mut self, now: SampleTime) -> bool {
        if self.file.is_some() || now < self.open_at {
            return false;
        }
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        match open(&self.path, flags, Mode::empty()).and_then(|file| Ok((fstat(&file)?, file))) {
            Ok((stat, file)) => {
                self.is_warned = false;
                self.is_regular = FileType::from_raw_mode(stat.st_mode).is_file();
                self.is_written = false;
                self.file = Some(file);
                self.wait = REOPEN_FIRST;
                self.connections += u64::from(self.is_regular);
                self.looked_at = now;
                tracing::info!(path = %self.path.display(), "opened");
                true
            }
            Err(error) => {
                self.lose(now, error);
                false
            }
        }
    }

    fn read(&mut self, now: SampleTime, buffer: &mut [u8]) -> Got {
        let Some(file) = &self.file else { return Got::Nothing };
        match rustix::io::read(file, &mut *buffer) {
            Ok(0) if self.is_regular => Got::End,
            // The last writer of a FIFO closed it. It stays open here: closing it could lose what the next one writes.
            Ok(0) if self.is_written => {
                self.is_written = false;
                self.looked_at = now;
                Got::End
            }
            Ok(0) => {
                if now.since(self.looked_at) >= LOOK_AGAIN {
                    self.looked_at = now;
                    self.drop_if_replaced();
                }
                Got::Nothing
            }
            Ok(count) => {
                self.note_writer();
                Got::Bytes(count)
            }
            Err(Errno::AGAIN | Errno::INTR) => {
                self.note_writer();
                Got::Nothing
            }
            Err(error) => {
                self.file = None;
                self.lose(now, error);
                Got::Nothing
            }
        }
    }

    fn note_writer(&mut self) {
        if !self.is_written {
            self.is_written = true;
            self.connections += u64::from(!self.is_regular);
        }
    }

    /// A FIFO that was removed and made anew is another one under the same name.
    fn drop_if_replaced(&mut self) {
        let ours = self.file.as_ref().map(fstat).and_then(Result::ok);
        let ours = ours.map(|stat| (stat.st_dev, stat.st_ino));
        let named = stat(&self.path).ok().map(|stat| (stat.st_dev, stat.st_ino));
        if ours != named {
            self.file = None;
        }
    }

    fn lose(&mut self, now: SampleTime, error: Errno) {
        if !self.is_warned {
            tracing::warn!(path = %self.path.display(), %error, "cannot read; trying again");
            self.is_warned = true;
        }
        self.open_at = now.plus(self.wait);
        self.wait = (self.wait * 2).min(REOPEN_LAST);
    }
}
