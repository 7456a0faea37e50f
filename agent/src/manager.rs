//! Tells the service manager that the agent is ready, that it goes on, and that it stops: systemd's notify protocol.
//!
//! The watchdog is fed by progress alone: ticks of the sampling thread *and* rounds of the framer. A sensor that blocks,
//! a taker that waits, or this runtime when it is stuck: each of them starves it, and the agent is started anew.

use core::time::Duration;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use tokio::time::{MissedTickBehavior, interval};

use crate::counters::Counters;

/// How often progress is looked at when no watchdog asks.
const LOOK_PERIOD: Duration = Duration::from_millis(250);

/// Looks in one watchdog time: one that is late, and the pause between two rounds, must not starve it.
const LOOKS: u32 = 4;

/// Shortest time between two looks: the framer shows progress at least every 100 ms.
const LOOK_PERIOD_MIN: Duration = Duration::from_millis(125);

/// The service manager that started this program; or nobody, to whom nothing is told.
#[derive(Debug, Default)]
pub struct Manager {
    socket: Option<UnixDatagram>,
    watchdog: Option<Duration>,
}

/// Why the service manager cannot be told anything.
#[derive(Debug, thiserror::Error)]
#[error("cannot reach the service manager at {}: start the agent as its service, or unset NOTIFY_SOCKET", address.display())]
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
            // A manager that does not read must not hold up the agent.
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

    /// Tells readiness once frames are made, and then each progress; never ends.
    pub async fn follow(&self, counters: &Counters, what: &str) {
        let look = self.watchdog.map_or(LOOK_PERIOD, |watchdog| watchdog / LOOKS);
        let mut looks = interval(look.max(LOOK_PERIOD_MIN));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut progress = Progress::default();
        let mut is_ready = false;
        loop {
            looks.tick().await;
            match (progress.look(counters), is_ready) {
                // A frame shows that both threads run and that samples come out.
                (_, false) if counters.frames_prepared.get() > 0 => {
                    is_ready = true;
                    self.tell(&format!("READY=1\nSTATUS=sampling {what}\nWATCHDOG=1"));
                }
                (_, false) => {}
                (Change::Goes, true) => self.feed(),
                (Change::GoesAgain, true) => {
                    tracing::warn!("sampling goes on");
                    self.tell(&format!("STATUS=sampling {what}\nWATCHDOG=1"));
                }
                (Change::Stopped, true) => {
                    let status = "no progress: a sensor or a way out holds up sampling";
                    tracing::error!(ticks = counters.ticks.get(), "{status}");
                    self.tell(&format!("STATUS={status}"));
                }
                (Change::Stands, true) => {}
            }
        }
    }

    /// Tells that the agent stops because it was asked to.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=stopping");
    }

    fn feed(&self) {
        if self.watchdog.is_some() {
            self.tell("WATCHDOG=1");
        }
    }

    fn tell(&self, words: &str) {
        let Some(socket) = &self.socket else { return };
        if let Err(error) = socket.send(words.as_bytes()) {
            tracing::debug!(%error, words, "the service manager does not listen");
        }
    }
}

/// What was seen of both threads at the last look.
#[derive(Debug, Default)]
struct Progress {
    ticks: u64,
    rounds: u64,
    stands: bool,
}

/// What a look shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Goes,
    GoesAgain,
    Stopped,
    Stands,
}

impl Progress {
    fn look(&mut self, counters: &Counters) -> Change {
        let (ticks, rounds) = (counters.ticks.get(), counters.framer_rounds.get());
        let goes = ticks > self.ticks && rounds > self.rounds;
        let change = match (goes, self.stands) {
            (true, false) => Change::Goes,
            (true, true) => Change::GoesAgain,
            (false, false) => Change::Stopped,
            (false, true) => Change::Stands,
        };
        // Each of them must move on from where both did: one that moves alone is no progress.
        if goes {
            (self.ticks, self.rounds) = (ticks, rounds);
        }
        self.stands = !goes;
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_both_threads_and_not_one_of_them() {
        let counters = Counters::default();
        let mut progress = Progress::default();
        assert_eq!(progress.look(&counters), Change::Stopped);
        counters.ticks.add(1);
        assert_eq!(progress.look(&counters), Change::Stands, "the framer stands");
        counters.framer_rounds.add(1);
        assert_eq!(progress.look(&counters), Change::GoesAgain);
        counters.framer_rounds.add(1);
        assert_eq!(progress.look(&counters), Change::Stopped, "the sampler stands");
        counters.ticks.add(1);
        assert_eq!(progress.look(&counters), Change::GoesAgain);
        counters.ticks.add(1);
        counters.framer_rounds.add(1);
        assert_eq!(progress.look(&counters), Change::Goes);
    }

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
}
