//! Revisions that were handed to the displays, so that their confirmations can be measured.

use std::collections::VecDeque;
use std::time::Duration;

use ecmo_core::time::Instant;

/// Revisions that are remembered: all of the last alarm storm.
const RECENT_MAX: usize = 4_096;

/// A revision that was handed over.
#[derive(Debug)]
pub(super) struct HandedOver {
    /// The id that displays know.
    pub(super) id: String,
    /// The revision.
    pub(super) revision: u32,
    /// When it was decided.
    pub(super) decided_at: Instant,
    /// From the sample to the decision, where it is known.
    pub(super) sampled_to_decided: Option<Duration>,
    /// Whether it is of high priority.
    pub(super) is_high: bool,
    /// A display has confirmed it.
    pub(super) confirmed: bool,
    /// A display that attends has confirmed it.
    pub(super) counted: bool,
}

/// The last revisions; the oldest go first.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<HandedOver>);

impl Recent {
    /// Remembers one.
    pub(super) fn push(&mut self, one: HandedOver) {
        if self.0.len() >= RECENT_MAX {
            self.0.pop_front();
        }
        self.0.push_back(one);
    }

    /// The newest of this id and revision.
    pub(super) fn find(&mut self, id: &str, revision: u32) -> Option<&mut HandedOver> {
        self.0.iter_mut().rev().find(|one| one.revision == revision && one.id == id)
    }
}
