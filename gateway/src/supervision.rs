//! Tells the service manager that the gateway is ready, and that the alarm thread goes on.
//!
//! The watchdog is fed by finished rounds of the alarm thread alone: one that hangs, or a serving side that cannot even look,
//! starves it, and the gateway is started anew.

use ecmo_core::time::Instant;
use ecmo_notify::Manager;
use tokio::time::{MissedTickBehavior, interval};

const JUDGING: &str = "judging";

/// Tells readiness once the alarm thread has finished a round, and then each progress; never ends. `last_round` tells when the
/// last round ended.
pub async fn follow(manager: &Manager, last_round: impl Fn() -> Instant) {
    let mut looks = interval(manager.look_period());
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = Instant::default();
    let mut stands = true;
    let mut is_ready = false;
    loop {
        looks.tick().await;
        let goes = last_round() > seen;
        seen = last_round();
        match (goes, std::mem::replace(&mut stands, !goes), is_ready) {
            (true, _, false) => {
                is_ready = true;
                manager.ready(JUDGING);
            }
            (true, false, true) => manager.feed(),
            (true, true, true) => {
                tracing::warn!("the alarm thread goes on");
                manager.goes_again(JUDGING);
            }
            (false, false, true) => {
                let status = "no progress: the alarm thread hangs";
                tracing::error!("{status}");
                manager.stands(status);
            }
            (false, true, _) | (false, _, false) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    const WATCHDOG: Duration = Duration::from_secs(2);

    /// What a service manager has heard until now.
    fn heard(listener: &UnixDatagram) -> Vec<String> {
        let mut bytes = [0; 200];
        let mut next = || listener.recv(&mut bytes).ok().map(|length| bytes[..length].to_vec());
        std::iter::from_fn(&mut next).map(|it| String::from_utf8(it).unwrap()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn only_finished_rounds_of_the_alarm_thread_feed_the_watchdog() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let listener = UnixDatagram::bind(&path).unwrap();
        listener.set_nonblocking(true).unwrap();
        let manager = Manager::at(path.as_os_str(), Some(WATCHDOG)).unwrap();
        let round = Arc::new(AtomicU64::new(0));
        let last_round = {
            let round = Arc::clone(&round);
            move || Instant::from_nanos(round.load(Ordering::Relaxed))
        };
        let following = tokio::spawn(async move { follow(&manager, last_round).await });
        let look = async || tokio::time::sleep(WATCHDOG / 4).await;
        // The first look is at once; sleeping behind it keeps the order of looks and steps.
        tokio::time::sleep(WATCHDOG / 8).await;
        look().await;
        assert_eq!(heard(&listener), [""; 0], "no round was finished: not ready");
        round.store(1, Ordering::Relaxed);
        look().await;
        assert_eq!(heard(&listener), ["READY=1\nSTATUS=judging\nWATCHDOG=1"]);
        for finished in 2..6 {
            round.store(finished, Ordering::Relaxed);
            look().await;
            assert_eq!(heard(&listener), ["WATCHDOG=1"]);
        }
        look().await;
        assert_eq!(heard(&listener), ["STATUS=no progress: the alarm thread hangs"]);
        tokio::time::sleep(10 * WATCHDOG).await;
        assert_eq!(heard(&listener), [""; 0], "it is not fed while the thread hangs");
        round.store(6, Ordering::Relaxed);
        look().await;
        assert_eq!(heard(&listener), ["STATUS=judging\nWATCHDOG=1"]);
        following.abort();
    }
}
