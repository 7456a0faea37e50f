//! The way from the alarm thread to the journal: bounded, never waited for; and whether the journal keeps up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use ecmo_core::alarm::occurrence::OccurrenceId;
use ecmo_core::frame::BootId;
use ecmo_core::time::Instant;
use tokio::sync::mpsc;

use crate::config::{FRAMES_PER_SECOND, PUMPS_MAX};
use crate::fanout::{AlarmUpdate, PumpSlot};
use crate::metrics::Counter;

/// How long a disk may hold the journal up before frames are dropped, in seconds.
const STALL_S: usize = 2;

/// Most items on their way to the journal. Beyond, they are dropped and counted; frames are asked for again from the spool.
pub const ITEMS_MAX: usize = PUMPS_MAX * FRAMES_PER_SECOND * STALL_S;

const _: () = assert!(ITEMS_MAX == 25_600);

/// A journal thread that has not gone round for so long hangs in its disk.
const HANGS_AFTER: Duration = Duration::from_secs(2);

/// Something that the journal is to know.
#[derive(Debug)]
pub struct Item {
    /// The pump.
    pub slot: Arc<PumpSlot>,
    /// When it arrived.
    pub received: Instant,
    /// What.
    pub what: What,
}

/// What an item is.
#[derive(Debug)]
pub enum What {
    /// A frame that arrived for the first time, sealed.
    Frame {
        /// Its run.
        boot: BootId,
        /// Its number.
        sequence: u64,
        /// The sealed message.
        sealed: Bytes,
    },
    /// A birth that was accepted: its run and the message.
    Birth(BootId, Bytes),
    /// A heartbeat, unread.
    Heartbeat(Bytes),
    /// An alarm was raised live.
    Raised(OccurrenceId),
    /// A frame from the spool that was not there yet, sealed; for the history alone.
    Late {
        /// Its run.
        boot: BootId,
        /// The sealed message.
        sealed: Bytes,
    },
    /// A revision of an alarm; for the history alone.
    Alarm(Box<AlarmUpdate>),
}

impl What {
    /// The same for the history, which wants frames and births.
    #[must_use]
    pub fn for_history(&self) -> Option<Self> {
        match self {
            Self::Frame { boot, sequence, sealed } => {
                let (boot, sequence) = (*boot, *sequence);
                Some(Self::Frame { boot, sequence, sealed: sealed.clone() })
            }
            Self::Birth(boot, message) => Some(Self::Birth(*boot, message.clone())),
            Self::Heartbeat(_) | Self::Raised(_) | Self::Late { .. } | Self::Alarm(_) => None,
        }
    }
}

/// The state of the recording, as the journal thread says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingState {
    /// Everything is kept.
    Keeps,
    /// The disk is full.
    Full,
    /// The disk fails.
    Failed,
    /// The disk is too slow: something was dropped, or the journal thread hangs.
    Behind,
}

/// What both threads know of the recording.
#[derive(Debug, Default)]
struct Shared {
    state: AtomicU8,
    dropped: AtomicU64,
    beat: AtomicU64,
}

/// The way of items: bounded, never waited for. Every copy leads to the same thread.
#[derive(Debug, Clone)]
pub struct Feeder {
    items: mpsc::Sender<Item>,
    shared: Arc<Shared>,
    dropped: Counter,
}

impl Feeder {
    /// Hands over without waiting; what finds no room is dropped and counted.
    pub fn offer(&self, slot: &Arc<PumpSlot>, received: Instant, what: What) {
        let item = Item { slot: Arc::clone(slot), received, what };
        if self.items.try_send(item).is_err() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            self.dropped.increment(1);
        }
    }
}

/// The alarm thread's end.
#[derive(Debug)]
pub struct Intake {
    feeder: Feeder,
    looked: (u64, Instant),
    /// When it was first looked at.
    begun: Option<Instant>,
}

/// The journal thread's end.
#[derive(Debug)]
pub struct Outtake {
    /// What arrives.
    pub items: mpsc::Receiver<Item>,
    shared: Arc<Shared>,
}

/// Both ends.
#[must_use]
pub fn intake(dropped: Counter) -> (Intake, Outtake) {
    let (items, taken) = mpsc::channel(ITEMS_MAX);
    let shared = Arc::new(Shared::default());
    let looked = (0, Instant::default());
    (
        Intake {
            feeder: Feeder { items, shared: Arc::clone(&shared), dropped },
            looked,
            begun: None,
        },
        Outtake { items: taken, shared },
    )
}

impl Intake {
    /// Hands over without waiting; what finds no room is dropped and counted.
    pub fn offer(&self, slot: &Arc<PumpSlot>, received: Instant, what: What) {
        self.feeder.offer(slot, received, what);
    }

    /// The same way for another thread.
    #[must_use]
    pub fn feeder(&self) -> Feeder {
        self.feeder.clone()
    }

    /// How the recording does. To be asked a few times a second.
    pub fn state(&mut self, now: Instant) -> RecordingState {
        let shared = &self.feeder.shared;
        let dropped = shared.dropped.load(Ordering::Relaxed);
        if dropped != self.looked.0 {
            self.looked = (dropped, now);
        }
        let dropped_lately = dropped > 0 && now.since(self.looked.1) < Duration::from_secs(1);
        // A journal that is still being opened is given as long as one that goes round.
        let begun = *self.begun.get_or_insert(now);
        let beat = Instant::from_nanos(shared.beat.load(Ordering::Acquire)).max(begun);
        if dropped_lately || now.since(beat) >= HANGS_AFTER {
            return RecordingState::Behind;
        }
        match shared.state.load(Ordering::Acquire) {
            0 => RecordingState::Keeps,
            1 => RecordingState::Full,
            _failed => RecordingState::Failed,
        }
    }
}

impl Outtake {
    /// Items that found no room, ever.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Says how the recording does, and that the journal thread lives.
    pub fn tell(&self, state: RecordingState, now: Instant) {
        let code = match state {
            RecordingState::Keeps => 0,
            RecordingState::Full => 1,
            RecordingState::Failed | RecordingState::Behind => 2,
        };
        self.shared.state.store(code, Ordering::Release);
        self.shared.beat.store(now.as_nanos(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_that_hangs_or_fails_is_told_within_two_seconds() {
        let (mut intake, outtake) = intake(Counter::noop());
        let at = Instant::from_millis;
        outtake.tell(RecordingState::Keeps, at(1_000));
        assert_eq!(intake.state(at(1_000)), RecordingState::Keeps);
        assert_eq!(intake.state(at(2_999)), RecordingState::Keeps);
        assert_eq!(intake.state(at(3_000)), RecordingState::Behind, "it goes round no more");
        outtake.tell(RecordingState::Full, at(3_100));
        assert_eq!(intake.state(at(3_200)), RecordingState::Full);
        outtake.tell(RecordingState::Failed, at(3_300));
        assert_eq!(intake.state(at(3_400)), RecordingState::Failed);
        outtake.tell(RecordingState::Keeps, at(3_500));
        intake.feeder.shared.dropped.fetch_add(1, Ordering::Relaxed);
        assert_eq!(intake.state(at(3_600)), RecordingState::Behind, "something was dropped");
        outtake.tell(RecordingState::Keeps, at(4_500));
        assert_eq!(intake.state(at(4_700)), RecordingState::Keeps);
    }
}
