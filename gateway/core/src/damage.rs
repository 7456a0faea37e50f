//! Whether frames arrive that are damaged: how many lately over each path, and until when that is worth an alarm.

use core::time::Duration;

use crate::path::{Path, PerPath};
use crate::time::Instant;

/// Damaged frames over one path that are an alarm when they come within [`DAMAGED_WITHIN`] (operations reference, F25).
pub const DAMAGED_FRAMES: usize = 3;

/// Time in which [`DAMAGED_FRAMES`] must come (operations reference, F25).
pub const DAMAGED_WITHIN: Duration = Duration::from_secs(10);

/// The alarm ends when no damaged frame has come for this long, over any path (prop).
pub const DAMAGE_CLEAR: Duration = Duration::from_secs(10);

/// What came of late. Each path is counted for itself: what an agent damages comes twice where it sends over two, and is
/// found after as many frames as with one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Damage {
    /// When the newest came over each path, the newest first.
    newest: PerPath<[Option<Instant>; DAMAGED_FRAMES]>,
    last: Option<Instant>,
    since: Option<Instant>,
}

impl Damage {
    /// A damaged frame came. Whether that is an alarm now and was none before.
    pub(crate) fn note(&mut self, path: Path, now: Instant) -> bool {
        self.last = Some(now);
        let newest = self.newest.get_mut(path);
        newest.rotate_right(1);
        if let Some(first) = newest.first_mut() {
            *first = Some(now);
        }
        let oldest = newest.last().copied().flatten();
        let began = oldest.filter(|oldest| now.since(*oldest) <= DAMAGED_WITHIN);
        let is_news = self.since.is_none() && began.is_some();
        self.since = self.since.or(began);
        is_news
    }

    /// It was an alarm before a restart of the reader.
    pub(crate) fn resume(&mut self, now: Instant) {
        self.last = Some(now);
        self.since = Some(now);
    }

    /// When the first came of those that are an alarm now.
    pub(crate) const fn since(&self) -> Option<Instant> {
        self.since
    }

    /// When it is over if none comes any more.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.since.and(self.last).map(|last| last.plus(DAMAGE_CLEAR))
    }

    /// Notices that none came for long enough. Whether it is over now and was not before.
    pub(crate) fn on_tick(&mut self, now: Instant) -> bool {
        let is_over = self.deadline().is_some_and(|deadline| now >= deadline);
        if is_over {
            *self = Self::default();
        }
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// What is told, and when: true that it is an alarm, false that it is over.
    fn told(damaged: &[(u64, Path)], until_ms: u64) -> Vec<(u64, bool)> {
        let mut damage = Damage::default();
        let mut told = Vec::new();
        for ms in (0..=until_ms).step_by(100) {
            let now = Instant::from_millis(ms);
            if damage.on_tick(now) {
                told.push((ms, false));
            }
            for (_, path) in damaged.iter().filter(|(at, _)| *at == ms) {
                if damage.note(*path, now) {
                    told.push((ms, true));
                }
            }
        }
        told
    }

    #[test]
    fn three_damaged_frames_of_a_path_in_ten_seconds_are_an_alarm_until_none_came_for_ten() {
        use Path::{A, B};
        for (what, damaged, expected) in [
            ("two", &[(1_000, A), (2_000, A)][..], &[][..]),
            ("three at once", &[(500, A); 3], &[(500, true), (10_500, false)]),
            (
                "just in time",
                &[(0, A), (5_000, A), (10_000, A)],
                &[(10_000, true), (20_000, false)],
            ),
            ("too slow", &[(0, A), (5_000, A), (10_100, A)], &[]),
            ("two of each path", &[(0, A), (0, B), (100, A), (100, B)], &[]),
            (
                "one of the other goes on",
                &[(0, B), (100, B), (200, B), (9_000, A)],
                &[(200, true), (19_000, false)],
            ),
            (
                "on and on",
                &[(0, A), (100, A), (200, A), (10_100, A), (20_000, A)],
                &[(200, true), (30_000, false)],
            ),
        ] {
            assert_eq!(told(damaged, 60_000), expected, "{what}");
        }
    }

    #[test]
    fn what_was_an_alarm_before_a_restart_is_over_ten_seconds_after_it() {
        let mut damage = Damage::default();
        damage.resume(Instant::from_millis(3_000));
        assert!(!damage.on_tick(Instant::from_millis(12_999)));
        assert!(!damage.note(Path::B, Instant::from_millis(12_999)), "it is known");
        assert!(!damage.on_tick(Instant::from_millis(22_998)));
        assert!(damage.on_tick(Instant::from_millis(22_999)));
        assert_eq!(damage.since(), None);
    }
}
