//! The bounded mailbox through which a display gets every alarm: full, the display is cut off and told so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ecmo_proto::topic::Id;
use tokio::sync::mpsc;

use super::{AlarmItem, Handed, Seen};

/// Alarm changes that a display may be behind: every one of 256 pumps raising four at once. Beyond, it is cut off.
pub const ALARMS_QUEUED_MAX: usize = 1_024;

/// The alarm thread's end of a mailbox.
#[derive(Debug)]
pub struct AlarmOutlet {
    ward: Option<Id>,
    seen: Option<Seen>,
    items: mpsc::Sender<Handed>,
    cut_off: Arc<AtomicBool>,
}

/// The display's end of a mailbox.
#[derive(Debug)]
pub struct AlarmMailbox {
    items: mpsc::Receiver<Handed>,
    cut_off: Arc<AtomicBool>,
}

/// Why a mailbox ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailboxEnd {
    /// The display read too slowly: an alarm found no place.
    CutOff,
    /// The alarm thread has ended.
    Closed,
}

/// The display is gone or was cut off: forget its outlet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutletEnd {
    /// The display closed its mailbox.
    Gone,
    /// The mailbox was full.
    CutOff,
}

/// A mailbox for a display that wants one ward, or all, and has seen everything until `seen`.
#[must_use]
pub fn alarm_mailbox(ward: Option<Id>, seen: Option<Seen>) -> (AlarmOutlet, AlarmMailbox) {
    let (items, received) = mpsc::channel(ALARMS_QUEUED_MAX);
    let cut_off = Arc::new(AtomicBool::new(false));
    (
        AlarmOutlet { ward, seen, items, cut_off: Arc::clone(&cut_off) },
        AlarmMailbox { items: received, cut_off },
    )
}

impl AlarmOutlet {
    /// The ward that the display asked for.
    #[must_use]
    pub const fn ward(&self) -> Option<&Id> {
        self.ward.as_ref()
    }

    /// Until when the display has seen everything; `None` at its first start.
    #[must_use]
    pub const fn seen(&self) -> Option<Seen> {
        self.seen
    }

    /// Hands over without waiting.
    ///
    /// # Errors
    /// The display is gone, or is cut off by this call because its mailbox is full.
    pub fn hand_over(&self, item: &Handed) -> Result<(), OutletEnd> {
        if let AlarmItem::Change(update) = &item.value().item
            && !update.value().concerns(self.ward())
        {
            return Ok(());
        }
        self.items.try_send(Arc::clone(item)).map_err(|refused| match refused {
            mpsc::error::TrySendError::Closed(_) => OutletEnd::Gone,
            mpsc::error::TrySendError::Full(_) => {
                self.cut_off.store(true, Ordering::Release);
                OutletEnd::CutOff
            }
        })
    }
}

impl AlarmMailbox {
    /// Waits for the next item.
    ///
    /// # Errors
    /// The display was cut off, or the alarm thread has ended.
    pub async fn next(&mut self) -> Result<Handed, MailboxEnd> {
        // What still lies in the mailbox of a display that was cut off is no longer complete.
        if self.is_cut_off() {
            return Err(MailboxEnd::CutOff);
        }
        match self.items.recv().await {
            Some(item) => Ok(item),
            None if self.is_cut_off() => Err(MailboxEnd::CutOff),
            None => Err(MailboxEnd::Closed),
        }
    }

    fn is_cut_off(&self) -> bool {
        self.cut_off.load(Ordering::Acquire)
    }
}
