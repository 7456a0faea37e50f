//! Ends a thread that writes to a disk, and waits for no disk that hangs.

use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::clock::Clock;

/// Between two looks whether the thread has ended.
const LOOK: Duration = Duration::from_millis(5);

/// Tells the thread to end and waits so long for it; `what` names it in the log where it is left behind.
pub fn end_thread(
    what: &str,
    thread: &JoinHandle<()>,
    stop: oneshot::Sender<()>,
    clock: Clock,
    within: Duration,
) {
    // A thread that has ended already needs no telling.
    let _ended_already = stop.send(());
    let until = clock.now().plus(within);
    while !thread.is_finished() && clock.now() < until {
        std::thread::sleep(LOOK);
    }
    if !thread.is_finished() {
        tracing::error!("the {what} hangs in its disk; it is left behind");
    }
}
