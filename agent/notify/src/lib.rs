//! Tells the service manager that started a program that it is ready, goes on, and stops: systemd's notify protocol.

use core::time::Duration;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// How often progress is looked at when no watchdog asks.
const LOOK_PERIOD: Duration = Duration::from_millis(250);

/// Looks in one watchdog time: one that is late, and the pause between two rounds, must not starve it.
const LOOKS: u32 = 4;

/// Shortest time between two looks.
const LOOK_PERIOD_MIN: Duration = Duration::from_millis(125);

/// The service manager that started this program; or nobody, to whom nothing is told.
#[derive(Debug, Default)]
pub struct Manager {
    socket: Option<UnixDatagram>,
    watchdog: Option<Duration>,
}

/// Why the service manager cannot be told anything.
#[derive(Debug, thiserror::Error)]
#[error("cannot reach the service manager at {}: start the program as its service, or unset NOTIFY_SOCKET", address.display())]
pub struct Unreachable {
    address: OsString,
    source: io::Error,
}

impl Manager {
    /// The manager that the environment names, if it does.
    ///
    /// # Errors
    /// One is named and cannot be reached.
    pub fn from_environment() -> Result<Self, Unreachable> {
        let Some(address) = env::var_os("NOTIFY_SOCKET") else { return Ok(Self::default()) };
        let number = |name| env::var(name).ok()?.parse::<u64>().ok();
        let is_for_us =
            number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|micros| is_for_us && *micros > 0);
        Self::at(&address, watchdog.map(Duration::from_micros))
    }

    /// A manager at an address, which is a path, or `@` and a name; `watchdog` is how long it waits for a sign of life.
    ///
    /// # Errors
    /// It cannot be reached.
    pub fn at(address: &OsStr, watchdog: Option<Duration>) -> Result<Self, Unreachable> {
        let unreachable = |source| Unreachable { address: address.to_owned(), source };
        let connect = || {
            let socket = UnixDatagram::unbound()?;
            // A manager that does not read must not hold up the program.
            socket.set_nonblocking(true)?;
            let to = match address.as_bytes().strip_prefix(b"@") {
                Some(name) => SocketAddr::from_abstract_name(name)?,
                None => SocketAddr::from_pathname(address)?,
            };
            socket.connect_addr(&to)?;
            Ok(socket)
        };
        Ok(Self { socket: Some(connect().map_err(unreachable)?), watchdog })
    }

    /// How often to look for progress, so that the manager hears of it in time.
    #[must_use]
    pub fn look_period(&self) -> Duration {
        let look = self.watchdog.map_or(LOOK_PERIOD, |watchdog| watchdog / LOOKS);
        look.max(LOOK_PERIOD_MIN)
    }

    /// Tells that the program is ready, and what it does.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}\nWATCHDOG=1"));
    }

    /// Tells that the program stops because it was asked to.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=stopping");
    }

    /// Tells that there is progress, if a watchdog asks.
    pub fn feed(&self) {
        if self.watchdog.is_some() {
            self.tell("WATCHDOG=1");
        }
    }

    /// Tells that there is progress again, and what the program does.
    pub fn goes_again(&self, status: &str) {
        self.tell(&format!("STATUS={status}\nWATCHDOG=1"));
    }

    /// Tells that there is no progress, and why; the watchdog is not fed.
    pub fn stands(&self, status: &str) {
        self.tell(&format!("STATUS={status}"));
    }

    fn tell(&self, words: &str) {
        let Some(socket) = &self.socket else { return };
        if let Err(error) = socket.send(words.as_bytes()) {
            tracing::debug!(%error, words, "the service manager does not listen");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manager_is_reached_by_path_and_by_abstract_name_and_its_absence_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let name = format!("ecmo-trial-{}", fastrand::u64(..));
        let by_name = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
        for (listener, address) in [
            (UnixDatagram::bind(&path).unwrap(), path.clone().into_os_string()),
            (UnixDatagram::bind_addr(&by_name).unwrap(), format!("@{name}").into()),
        ] {
            Manager::at(&address, None).unwrap().stopping();
            let mut heard = [0; 100];
            let length = listener.recv(&mut heard).unwrap();
            assert_eq!(&heard[..length], b"STOPPING=1\nSTATUS=stopping");
        }
        let error = Manager::at(OsStr::new("/nowhere/notify"), None).unwrap_err();
        assert!(error.to_string().contains("/nowhere/notify"), "{error}");
    }

    #[test]
    fn nobody_is_told_nothing_and_a_manager_without_a_watchdog_is_not_fed() {
        Manager::default().ready("alone");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let listener = UnixDatagram::bind(&path).unwrap();
        let manager = Manager::at(path.as_os_str(), None).unwrap();
        manager.feed();
        manager.stands("stuck");
        let mut heard = [0; 100];
        let length = listener.recv(&mut heard).unwrap();
        assert_eq!(&heard[..length], b"STATUS=stuck");
        let looks = |micros| {
            let watchdog = Some(Duration::from_micros(micros));
            Manager::at(path.as_os_str(), watchdog).unwrap().look_period()
        };
        assert_eq!(looks(2_000_000), Duration::from_millis(500));
        assert_eq!(looks(1), LOOK_PERIOD_MIN);
    }
}
