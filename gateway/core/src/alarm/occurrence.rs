//! One occurrence of an alarm condition, from its onset until it has ended: raised, acknowledged, latched, ended.

use alloc::string::String;
use core::fmt;

use crate::alarm::rule::{Condition, Kind, Priority, Side};
use crate::frame::BootId;
use crate::parameter::Parameter;
use crate::reading::NoData;
use crate::time::Instant;

/// Names an occurrence within its pump: the same on every gateway and in every replay of the same frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OccurrenceId {
    /// What is wrong.
    pub condition: Condition,
    /// The agent's run at the onset; `None` when there was none yet.
    pub boot: Option<BootId>,
    /// The onset within the boot: time of the first sample beyond the limit in nanoseconds, or, for silence, the
    /// sequence of the last frame before it.
    pub onset: u64,
}

impl fmt::Display for OccurrenceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let boot = self.boot.map_or(0, BootId::get);
        write!(formatter, "{}/{boot:016x}-{:x}", self.condition, self.onset)
    }
}

/// Who acknowledged, and when by the reader's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The person, as they named themselves.
    pub by: String,
    /// When.
    pub at: Instant,
}

/// What the signal of an occurrence does (ISO/IEEE 11073 BICEPS: On, Off, Latch, Ack).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Present and not acknowledged.
    On,
    /// Ended.
    Off,
    /// Gone and not acknowledged: waits for a person.
    Latched,
    /// Present and acknowledged.
    Acknowledged,
}

/// What changed with a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transition {
    /// The condition became present.
    Raised,
    /// The condition, gone but latched, is present again.
    Returned,
    /// The condition is gone; the signal stays until acknowledged.
    Latched,
    /// A person acknowledged it.
    Acknowledged,
    /// Its data is missing: it stays, as last known.
    DataLost,
    /// Its data is back and it is still present.
    DataBack,
    /// The occurrence has ended.
    Ended,
}

/// An occurrence as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Occurrence {
    /// Its name.
    pub id: OccurrenceId,
    /// Goes up by one with each change; the first is 1.
    pub revision: u32,
    /// Physiological or technical.
    pub kind: Kind,
    /// How urgent.
    pub priority: Priority,
    /// Whether the condition is present.
    pub present: bool,
    /// Whether it stays until acknowledged.
    pub latching: bool,
    /// Set once a person has acknowledged it.
    pub acknowledged: Option<Acknowledgement>,
    /// The oldest revision that an acknowledgement may name: since then only its data came and went, which changes
    /// nothing that a person would see differently.
    pub covers_from: u32,
    /// True while its data is missing.
    pub last_known: bool,
    /// What it watches.
    pub parameter: Option<Parameter>,
    /// Newest value, as it is held against the limit.
    pub value: Option<f32>,
    /// When that value was taken, by the reader's clock.
    pub value_at: Option<Instant>,
    /// Value furthest beyond the limit.
    pub worst: Option<f32>,
    /// The violated limit and its side.
    pub limit: Option<(Side, f32)>,
    /// Why there is no value, where that is the condition.
    pub no_data: Option<NoData>,
    /// When it began, by the reader's clock.
    pub onset_at: Instant,
    /// When this revision was made, by the reader's clock.
    pub changed_at: Instant,
    /// Whether its limits are a proposal that no clinician has signed.
    pub unreviewed: bool,
}

impl Occurrence {
    /// What the signal does.
    #[must_use]
    pub const fn signal(&self) -> Signal {
        match (self.present, self.acknowledged.is_some()) {
            (true, false) => Signal::On,
            (true, true) => Signal::Acknowledged,
            (false, false) if self.latching => Signal::Latched,
            (false, _) => Signal::Off,
        }
    }

    /// Whether it has ended and can be forgotten.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.signal() == Signal::Off
    }

    /// Order of urgency: what signals before what does not, then priority, then the older first.
    #[must_use]
    pub fn urgency(&self) -> (u8, core::cmp::Reverse<Priority>, Instant, Condition) {
        let signalling = match self.signal() {
            Signal::On => 0,
            Signal::Latched => 1,
            Signal::Acknowledged => 2,
            Signal::Off => 3,
        };
        (signalling, core::cmp::Reverse(self.priority), self.onset_at, self.id.condition)
    }

    /// Makes a new revision.
    pub(crate) fn revise(&mut self, now: Instant) {
        self.revision = self.revision.saturating_add(1);
        self.changed_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn occurrence(present: bool, latching: bool, acknowledged: bool) -> Occurrence {
        Occurrence {
            id: OccurrenceId {
                condition: Condition::named("pump.stop"),
                boot: BootId::new(0xabc),
                onset: 255,
            },
            revision: 1,
            kind: Kind::Technical,
            priority: Priority::High,
            present,
            latching,
            acknowledged: acknowledged
                .then(|| Acknowledgement { by: "nurse".to_string(), at: Instant::default() }),
            covers_from: 1,
            last_known: false,
            parameter: None,
            value: None,
            value_at: None,
            worst: None,
            limit: None,
            no_data: None,
            onset_at: Instant::default(),
            changed_at: Instant::default(),
            unreviewed: true,
        }
    }

    #[test]
    fn the_signal_follows_presence_acknowledgement_and_latching() {
        for (present, latching, acknowledged, expected) in [
            (true, false, false, Signal::On),
            (true, true, false, Signal::On),
            (true, false, true, Signal::Acknowledged),
            (true, true, true, Signal::Acknowledged),
            (false, false, false, Signal::Off),
            (false, false, true, Signal::Off),
            (false, true, false, Signal::Latched),
            (false, true, true, Signal::Off),
        ] {
            assert_eq!(occurrence(present, latching, acknowledged).signal(), expected);
        }
    }

    #[test]
    fn an_occurrence_is_named_by_condition_boot_and_onset() {
        let name = occurrence(true, true, false).id.to_string();
        assert_eq!(name, "pump.stop/0000000000000abc-ff");
    }

    #[test]
    fn what_signals_comes_before_what_a_person_has_seen() {
        let unseen_low = Occurrence { priority: Priority::Low, ..occurrence(true, false, false) };
        let seen_high = occurrence(true, false, true);
        assert!(unseen_low.urgency() < seen_high.urgency());
    }
}
