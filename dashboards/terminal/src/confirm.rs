//! Tells the gateway which alarms this display has shown, beside the showing: a slow answer never delays a display.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use crate::client::{Gateway, ShownAlarm};

/// Revisions that wait to be confirmed. When full the oldest goes: its newer revision is what counts, and an alarm that
/// stays unconfirmed escalates at the gateway, which errs on the safe side.
const WAITING_MAX: usize = 1_024;

/// Wait before a confirmation that failed is sent again.
const RETRY: Duration = Duration::from_millis(500);

/// Longest wait for the last confirmations when a command ends.
const FINISH_MAX: Duration = Duration::from_secs(2);

/// How often what did not count yet is said again: the lease of a display that has just come takes a moment.
const TRIES_MAX: u32 = 10;

/// A confirmation that the gateway took.
#[derive(Debug)]
pub(crate) struct Confirmed {
    pub(crate) alarm: ShownAlarm,
    /// From the gateway's decision to the confirmation, by the gateway's clock.
    pub(crate) decided_to_confirmed_ns: u64,
}

/// Confirms in a task of its own.
#[derive(Debug)]
pub(crate) struct Confirmer {
    shown: Sender<ShownAlarm>,
    task: JoinHandle<usize>,
}

impl Confirmer {
    /// Starts the task; what the gateway took is told. A display that answers for its wards says again what does not count yet.
    pub(crate) fn start(
        gateway: Gateway,
        display: String,
        answers_for: bool,
        told: impl Fn(Confirmed) + Send + Sync + 'static,
    ) -> Self {
        let (shown, waiting) = channel(WAITING_MAX);
        let tries_max = if answers_for { TRIES_MAX } else { 1 };
        let task = tokio::spawn(confirm_all(gateway, display, tries_max, waiting, told));
        Self { shown, task }
    }

    /// Notes that a revision was shown; false when the queue is full and it will not be confirmed.
    pub(crate) fn shown(&self, alarm: ShownAlarm) -> bool {
        self.shown.try_send(alarm).is_ok()
    }

    /// Waits for what is still to be confirmed; the number of revisions that could not be.
    pub(crate) async fn finish(self) -> usize {
        drop(self.shown);
        match tokio::time::timeout(FINISH_MAX, self.task).await {
            Ok(Ok(unconfirmed)) => unconfirmed,
            Ok(Err(_)) | Err(_) => 1,
        }
    }
}

/// Confirms until the display has gone; returns how many revisions stayed unconfirmed.
async fn confirm_all(
    gateway: Gateway,
    display: String,
    tries_max: u32,
    mut waiting: Receiver<ShownAlarm>,
    told: impl Fn(Confirmed),
) -> usize {
    let mut tries = 0;
    let mut unconfirmed: VecDeque<ShownAlarm> = VecDeque::new();
    let mut batch = Vec::new();
    loop {
        if unconfirmed.is_empty() {
            waiting.recv_many(&mut batch, WAITING_MAX).await;
        } else {
            // What failed is tried again, together with what was shown since.
            tokio::time::sleep(RETRY).await;
            while let Ok(alarm) = waiting.try_recv() {
                batch.push(alarm);
            }
        }
        unconfirmed.extend(batch.drain(..));
        while unconfirmed.len() > WAITING_MAX {
            unconfirmed.pop_front();
        }
        if unconfirmed.is_empty() {
            return 0;
        }
        let Ok(answer) = gateway.confirm(&display, unconfirmed.make_contiguous()).await else {
            continue;
        };
        tries += 1;
        if !answer.counts && tries < tries_max && !waiting.is_closed() {
            // This display does not count there yet.
            continue;
        }
        tries = 0;
        let last = unconfirmed.drain(..).next_back();
        if let Some((alarm, decided_to_confirmed_ns)) = last.zip(answer.decided_to_confirmed_ns) {
            told(Confirmed { alarm, decided_to_confirmed_ns });
        }
    }
}

/// A name for this display: random, because a host's name may say too much.
pub(crate) fn display_name() -> String {
    format!("ecmoctl-{:08x}", fastrand::u32(..))
}
