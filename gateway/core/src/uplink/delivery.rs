//! High alarms that no display has confirmed yet: nobody may have seen them.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::time::Instant;

/// A high alarm must be confirmed by a display within this time of its decision (clinical reference, section 2.2, prop).
pub const CONFIRM_WITHIN: Duration = Duration::from_secs(2);

/// Alarms that are waited for; beyond, the oldest stands for all.
const WAITING_MAX: usize = 1_024;

/// A high alarm that no display has confirmed.
#[derive(Debug)]
struct Waiting {
    id: String,
    revision: u32,
    since: Instant,
}

/// The high alarms that wait for a display.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    waiting: Vec<Waiting>,
}

impl Delivery {
    /// A high alarm began to signal, or came back, with this revision.
    pub(super) fn signals(&mut self, id: &str, revision: u32, now: Instant) {
        if let Some(known) = self.waiting.iter_mut().find(|one| one.id == id) {
            // What nobody has seen yet waits since it began.
            known.revision = revision;
        } else if self.waiting.len() < WAITING_MAX {
            self.waiting.push(Waiting { id: id.into(), revision, since: now });
        }
    }

    /// It signals no longer: acknowledged, ended, or not high any more.
    pub(super) fn quiet(&mut self, id: &str) {
        self.waiting.retain(|one| one.id != id);
    }

    /// A display has shown a revision of it.
    pub(super) fn confirmed(&mut self, id: &str, revision: u32) {
        self.waiting.retain(|one| one.id != id || one.revision > revision);
    }

    /// Since when the oldest waits that waits for too long.
    pub(super) fn overdue(&self, now: Instant) -> Option<Instant> {
        let oldest = self.oldest()?;
        (now >= oldest.plus(CONFIRM_WITHIN)).then_some(oldest)
    }

    /// When the next one waits for too long.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.oldest().map(|oldest| oldest.plus(CONFIRM_WITHIN))
    }

    fn oldest(&self) -> Option<Instant> {
        self.waiting.iter().map(|one| one.since).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn a_high_alarm_waits_until_a_display_has_shown_what_is_new() {
        let mut delivery = Delivery::default();
        delivery.signals("a", 1, at(0));
        delivery.signals("b", 1, at(500));
        assert_eq!((delivery.deadline(), delivery.overdue(at(1_999))), (Some(at(2_000)), None));
        assert_eq!(delivery.overdue(at(2_000)), Some(at(0)));
        delivery.confirmed("a", 1);
        assert_eq!(delivery.overdue(at(2_000)), None);
        // It comes back worse: an old confirmation does not cover it.
        delivery.signals("b", 3, at(600));
        delivery.confirmed("b", 2);
        assert_eq!(delivery.overdue(at(2_500)), Some(at(500)));
        delivery.quiet("b");
        assert_eq!(delivery.deadline(), None);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut delivery = Delivery::default();
        for number in 0..5_000_u32 {
            delivery.signals(&alloc::format!("{number}"), 1, at(u64::from(number)));
        }
        assert_eq!(delivery.waiting.len(), WAITING_MAX);
        assert_eq!(delivery.deadline(), Some(at(2_000)));
    }
}
