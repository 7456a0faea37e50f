//! Occurrences that have ended, the newest of them: what a display missed while it was away.

use std::collections::VecDeque;
use std::sync::Arc;

use ecmo_core::time::Instant;
use ecmo_proto::topic::Id;

use super::{AlarmUpdate, Encoded, Listed};

/// Ended occurrences that are remembered: a whole alarm storm of 40 pumps, and hours of a usual day (prop).
pub const ENDED_MAX: usize = 1_024;

/// Until when a display has seen everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// By the clock of this start of the gateway: when the newest message that it had was made.
    Here(Instant),
    /// The gateway was started since: by the wall clock, in nanoseconds since 1970.
    Before(i64),
}

/// What an earlier start of the gateway remembered of what ended.
#[derive(Debug, Clone)]
pub struct Remembered {
    /// The oldest first, each with the wall time of its end in nanoseconds since 1970.
    pub ended: Vec<(AlarmUpdate, i64)>,
    /// What ended before is not among it, in nanoseconds since 1970.
    pub known_from_wall_ns: i64,
}

#[derive(Debug)]
struct Entry {
    alarm: Arc<Listed>,
    /// When its end was handed over; `None` for one of an earlier start.
    handed_at: Option<Instant>,
    wall_ns: i64,
}

/// The newest occurrences that ended, at most [`ENDED_MAX`].
#[derive(Debug)]
pub struct Ended {
    entries: VecDeque<Entry>,
    /// The newest that was forgotten was handed over then.
    forgotten_at: Option<Instant>,
    /// What ended before is not known, in nanoseconds since 1970.
    known_from_wall_ns: i64,
}

impl Ended {
    /// Nothing is remembered; what ended before now is not known.
    #[must_use]
    pub const fn new(wall_ns: i64) -> Self {
        Self { entries: VecDeque::new(), forgotten_at: None, known_from_wall_ns: wall_ns }
    }

    /// Takes over what an earlier start of the gateway remembered.
    pub fn restore(&mut self, remembered: Remembered) {
        self.known_from_wall_ns = remembered.known_from_wall_ns;
        for (update, wall_ns) in remembered.ended {
            self.push(Entry { alarm: Arc::new(Encoded::new(update)), handed_at: None, wall_ns });
        }
    }

    /// Remembers one whose end was handed over at this time, which is later than every one before.
    pub fn remember(&mut self, alarm: Arc<Listed>, handed_at: Instant, wall_ns: i64) {
        self.push(Entry { alarm, handed_at: Some(handed_at), wall_ns });
    }

    fn push(&mut self, entry: Entry) {
        if self.entries.len() >= ENDED_MAX
            && let Some(forgotten) = self.entries.pop_front()
        {
            self.forgotten_at = forgotten.handed_at.or(self.forgotten_at);
            self.known_from_wall_ns = self.known_from_wall_ns.max(forgotten.wall_ns);
        }
        self.entries.push_back(entry);
    }

    /// What ended since then and concerns the ward, the newest first; and whether more may have ended than is remembered.
    #[must_use]
    pub fn since(&self, seen: Seen, ward: Option<&Id>) -> (Vec<Arc<Listed>>, bool) {
        let is_newer = |entry: &&Entry| match seen {
            Seen::Here(at) => entry.handed_at.is_some_and(|handed| handed > at),
            // Without `=`, what ended in that very nanosecond would be lost; with it, it is told twice at most.
            Seen::Before(wall_ns) => entry.wall_ns >= wall_ns,
        };
        let incomplete = match seen {
            Seen::Here(at) => self.forgotten_at.is_some_and(|forgotten| forgotten > at),
            Seen::Before(wall_ns) => self.known_from_wall_ns > wall_ns,
        };
        let newer = self.entries.iter().rev().filter(is_newer);
        let ended = newer.filter(|entry| entry.alarm.value().concerns(ward));
        (ended.map(|entry| Arc::clone(&entry.alarm)).collect(), incomplete)
    }

    /// Everything that is remembered, the oldest first, with the wall time of its end in nanoseconds since 1970.
    pub fn all(&self) -> impl Iterator<Item = (&AlarmUpdate, i64)> {
        self.entries.iter().map(|entry| (entry.alarm.value(), entry.wall_ns))
    }
}
