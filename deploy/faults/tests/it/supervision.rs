//! F15: a gateway whose alarm thread hangs while everything else goes on: its service manager must hear of it.
#![cfg(test)]

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use ecmo_faults::Ward;
use ecmo_faults::cgroup::Group;

use crate::site::SETTLE;

/// As deploy/systemd/ecmo-gateway.service says.
const WATCHDOG: Duration = Duration::from_secs(2);

/// A service manager: a socket that hears.
struct Systemd(UnixDatagram);

impl Systemd {
    /// The next message; `None` when none comes for so long.
    fn hear(&self, patience: Duration) -> Option<String> {
        self.0.set_read_timeout(Some(patience)).unwrap();
        let mut heard = [0; 1000];
        let length = self.0.recv(&mut heard).ok()?;
        Some(String::from_utf8_lossy(&heard[..length]).into_owned())
    }

    fn await_words(&self, words: &str) {
        while !self.hear(SETTLE).unwrap_or_else(|| panic!("{words} never came")).contains(words) {}
    }
}

#[test]
#[ignore = "needs Mosquitto and root"]
fn fault_f15_a_hung_alarm_thread_starves_the_watchdog_while_the_rest_of_the_gateway_lives() {
    let ward = Ward::start(1).unwrap();
    let socket = ward.folder().join("notify");
    let systemd = Systemd(UnixDatagram::bind(&socket).unwrap());
    let settings = ward.gateway_settings(&ward.broker_addresses(), "").unwrap();
    let environment = [
        ("NOTIFY_SOCKET", socket.display().to_string()),
        ("WATCHDOG_USEC", WATCHDOG.as_micros().to_string()),
    ];
    let gateway = ward.gateway_in(&settings, &environment).unwrap();
    systemd.await_words("READY=1");
    for _sign in 0..4 {
        systemd.await_words("WATCHDOG=1");
    }

    let group = Group::freezer().unwrap();
    group.take_thread(gateway.pid(), "alarm").unwrap();
    group.freeze(true).unwrap();
    // Signs of life that were on their way are heard first; then there is silence, and systemd would start the gateway anew.
    let before: Vec<_> = (0..50).map_while(|_message| systemd.hear(2 * WATCHDOG)).collect();
    assert!(before.len() < 50, "still fed: {before:?}");
    let last = before.last().expect("the serving side says so");
    assert!(last.contains("STATUS=no progress") && !last.contains("WATCHDOG"), "{before:?}");
    assert!(std::net::TcpStream::connect(ward.displays_at()).is_ok(), "the rest of it lives");

    group.freeze(false).unwrap();
    systemd.await_words("STATUS=judging");
    systemd.await_words("WATCHDOG=1");
    assert!(gateway.terminate().unwrap().success());
    systemd.await_words("STOPPING=1");
}
