//! Remembers what the rules found while no gateway held the lease, so that a gateway can be told afterwards. Pure.

use std::collections::VecDeque;

use ecmo_proto::v1::LocalOccurrence;

/// Most occurrences that are kept; beyond, the oldest go.
pub const UNLEASED_MAX: usize = 64;

/// How long one is kept, by the wall clock: a gateway that has not come back by then asks the spool.
const KEPT_FOR_NS: i64 = 24 * 3600 * 1_000_000_000;

/// One occurrence, with the wall time at which it was noticed.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Entry {
    /// What is told of it.
    #[prost(message, optional, tag = "1")]
    pub occurrence: Option<LocalOccurrence>,
    /// Wall time at which it was noticed, in nanoseconds since 1970 UTC.
    #[prost(int64, tag = "2")]
    pub wall_ns: i64,
}

/// Names an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name<'a> {
    /// Condition id.
    pub condition: &'a str,
    /// The agent run.
    pub boot_id: u64,
    /// Onset within the boot, in nanoseconds.
    pub onset: u64,
}

impl Name<'_> {
    fn is_of(&self, entry: &Entry) -> bool {
        entry.occurrence.as_ref().is_some_and(|one| {
            one.condition == self.condition
                && one.boot_id == self.boot_id
                && one.onset == self.onset
        })
    }
}

/// What was found, the newest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Unleased {
    entries: VecDeque<Entry>,
}

impl Unleased {
    /// What an earlier run has left. What it saw present ended, as far as it could tell, at `last_mono_ns`.
    #[must_use]
    pub fn restored(entries: Vec<Entry>, last_mono_ns: u64) -> Self {
        let mut entries = VecDeque::from(entries);
        entries.truncate(UNLEASED_MAX);
        for occurrence in entries.iter_mut().filter_map(|entry| entry.occurrence.as_mut()) {
            occurrence.end_mono_ns.get_or_insert(last_mono_ns);
        }
        Self { entries }
    }

    /// Takes note of what is present; whether that is news.
    pub fn note(&mut self, name: Name<'_>, priority: u32, sounds: bool, wall_ns: i64) -> bool {
        let found = self.entries.iter_mut().find(|entry| name.is_of(entry));
        if let Some(known) = found.and_then(|entry| entry.occurrence.as_mut()) {
            let is_news = (sounds && !known.sounded) || priority != known.priority;
            known.sounded |= sounds;
            known.priority = priority;
            return is_news;
        }
        let occurrence = LocalOccurrence {
            condition: name.condition.to_owned(),
            boot_id: name.boot_id,
            onset: name.onset,
            end_mono_ns: None,
            priority,
            sounded: sounds,
        };
        self.entries.push_front(Entry { occurrence: Some(occurrence), wall_ns });
        self.entries.truncate(UNLEASED_MAX);
        true
    }

    /// The condition is gone; whether that is news.
    pub fn end(&mut self, name: Name<'_>, end_mono_ns: u64) -> bool {
        let found = self.entries.iter_mut().find(|entry| name.is_of(entry));
        match found.and_then(|entry| entry.occurrence.as_mut()) {
            Some(known) if known.end_mono_ns.is_none() => {
                known.end_mono_ns = Some(end_mono_ns);
                true
            }
            Some(_) | None => false,
        }
    }

    /// Forgets what is older than a day and has ended; whether there was any.
    pub fn forget(&mut self, wall_ns: i64) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| {
            let is_old = wall_ns.saturating_sub(entry.wall_ns) > KEPT_FOR_NS;
            let has_ended = entry.occurrence.as_ref().is_none_or(|one| one.end_mono_ns.is_some());
            !(is_old && has_ended)
        });
        self.entries.len() < before
    }

    /// What is kept.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }

    /// What is told, the newest first.
    #[must_use]
    pub fn told(&self) -> Vec<LocalOccurrence> {
        self.entries.iter().filter_map(|entry| entry.occurrence.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(onset: u64) -> Name<'static> {
        Name { condition: "pump.stop", boot_id: 7, onset }
    }

    #[test]
    fn an_occurrence_is_noted_once_and_ended_once() {
        let mut unleased = Unleased::default();
        assert!(unleased.note(name(1), 3, false, 10));
        assert!(!unleased.note(name(1), 3, false, 11));
        assert!(unleased.note(name(1), 3, true, 12), "that it sounded is news");
        assert!(unleased.end(name(1), 50) && !unleased.end(name(1), 60));
        assert!(!unleased.end(name(2), 50));
        let told = unleased.told();
        assert_eq!((told.len(), told[0].end_mono_ns, told[0].sounded), (1, Some(50), true));
    }

    #[test]
    fn the_newest_64_are_kept_for_a_day_and_what_lasts_longer() {
        let mut unleased = Unleased::default();
        for onset in 0..100 {
            unleased.note(name(onset), 3, false, i64::try_from(onset).unwrap());
            unleased.end(name(onset), onset + 1);
        }
        let onsets: Vec<u64> = unleased.told().iter().map(|one| one.onset).collect();
        assert_eq!(onsets, (36..100).rev().collect::<Vec<_>>());
        unleased.note(name(100), 3, false, 0);
        assert!(unleased.forget(KEPT_FOR_NS + 99));
        let onsets: Vec<u64> = unleased.told().iter().map(|one| one.onset).collect();
        assert_eq!(onsets, [100, 99]);
    }

    #[test]
    fn what_an_earlier_run_saw_present_ended_with_what_it_knew_last() {
        let mut unleased = Unleased::default();
        unleased.note(name(1), 3, true, 10);
        let restored = Unleased::restored(unleased.entries(), 77);
        assert_eq!(restored.told()[0].end_mono_ns, Some(77));
    }
}
