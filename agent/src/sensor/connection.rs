//! The connection to an instrument: opened again by itself when it is lost, told to the log once a burst.

use core::time::Duration;

use ecmo_core::time::SampleTime;
use rustix::io::Errno;

use super::serial_port::{Access, Port, Read};
use super::status::{Link, SourceState};
use crate::config::{LineSettings, PortAddress};

/// Waiting times before the port is opened again: doubled from the first to the last.
const REOPEN_FIRST: Duration = Duration::from_millis(100);
const REOPEN_LAST: Duration = Duration::from_secs(2);

/// A terminal server that is silent for so long after the driver called it silent is connected to again: the other side may
/// have gone without a word.
const TCP_SILENCE_MAX: Duration = Duration::from_secs(10);

/// A port that is opened when it is there.
#[derive(Debug)]
pub struct Connection {
    address: PortAddress,
    line: LineSettings,
    access: Access,
    state: State,
    connections: u64,
    /// The log has a word about the port being away.
    is_warned: bool,
    /// The driver says that nothing is heard, and since when.
    silent_since: Option<SampleTime>,
}

#[derive(Debug)]
enum State {
    Closed { open_at: SampleTime, wait: Duration },
    Open(Port),
}

impl Connection {
    /// Not opened yet; the port need not exist.
    #[must_use]
    pub const fn new(address: PortAddress, line: LineSettings, access: Access) -> Self {
        let state = State::Closed { open_at: SampleTime::from_nanos(0), wait: REOPEN_FIRST };
        Self { address, line, access, state, connections: 0, is_warned: false, silent_since: None }
    }

    /// Opens the port when it is time to; true when it was opened just now, and nothing read before counts any more.
    pub fn open(&mut self, now: SampleTime) -> bool {
        let State::Closed { open_at, wait } = self.state else { return false };
        if now < open_at {
            return false;
        }
        match Port::open(&self.address, &self.line, self.access) {
            Ok(port) => {
                tracing::info!(port = %self.address, "port opened");
                self.is_warned = false;
                self.silent_since = None;
                self.connections = self.connections.saturating_add(1);
                self.state = State::Open(port);
                true
            }
            Err(error) => {
                if !self.is_warned {
                    tracing::warn!(port = %self.address, %error, "cannot open port; trying again");
                    self.is_warned = true;
                }
                let wait = (wait * 2).min(REOPEN_LAST);
                self.state = State::Closed { open_at: now.plus(wait), wait };
                false
            }
        }
    }

    /// Whether the port is open.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Reads what has arrived; `None` when that is nothing, or the port is closed or gone just now.
    pub fn read<'a>(&mut self, now: SampleTime, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
        let State::Open(port) = &self.state else { return None };
        match port.read(buffer) {
            Read::Bytes(count) => buffer.get(..count),
            Read::Nothing => None,
            Read::Gone(error) => {
                self.lose(now, error);
                None
            }
        }
    }

    /// Sends bytes that the driver's allow-list let pass, without waiting; false when they were not sent whole.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        let State::Open(port) = &self.state else { return false };
        // A port that is gone is noticed by the next read.
        port.write(bytes).is_ok()
    }

    /// Closes the port because what comes over it is not the device's language; it is opened again.
    pub fn give_up(&mut self, now: SampleTime) {
        self.lose(now, Errno::PROTO);
    }

    /// The driver hears something, or nothing for longer than its device may be silent.
    pub fn note_silence(&mut self, now: SampleTime, is_silent: bool) {
        if !is_silent {
            self.silent_since = None;
            return;
        }
        let since = *self.silent_since.get_or_insert(now);
        let is_tcp = matches!(self.address, PortAddress::Tcp(_));
        if is_tcp && self.is_open() && now.since(since) >= TCP_SILENCE_MAX {
            self.lose(now, Errno::TIMEDOUT);
        }
    }

    /// What it does, for others to know.
    #[must_use]
    pub const fn link(&self) -> Link {
        let state = match (&self.state, self.silent_since) {
            (State::Closed { .. }, _) => SourceState::Off,
            (State::Open(_), Some(_)) => SourceState::Silent,
            (State::Open(_), None) => SourceState::Live,
        };
        Link { state, connections: self.connections }
    }

    fn lose(&mut self, now: SampleTime, error: Errno) {
        tracing::warn!(port = %self.address, %error, "port is gone; opening it again");
        self.is_warned = true;
        self.silent_since = None;
        self.state = State::Closed { open_at: now.plus(REOPEN_FIRST), wait: REOPEN_FIRST };
    }
}
