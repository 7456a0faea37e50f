//! The alarms that are active, kept from a snapshot and the changes after it. Pure.

use std::collections::BTreeMap;

use crate::model::{Alarm, Audio, Signal, Transition};

/// Most occurrences kept. 64 pumps with 64 conditions each fit; beyond it a new one is told once and not listed, and
/// `unlisted` says so.
const OCCURRENCES_MAX: usize = 64 * 64;

/// What happened to an occurrence.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// Not known before.
    New(Alarm),
    /// A newer revision.
    Changed(Alarm),
    /// The gateway says that it has ended.
    Ended(Alarm),
    /// Gone from the gateway's list while this display was not connected: it has ended.
    Vanished(Alarm),
    /// Of before a restart of the gateway, and not told by it since. Nothing says that it has ended.
    Forgotten(Alarm),
}

/// The active alarms.
#[derive(Debug, Default)]
pub(crate) struct AlarmBook {
    epoch: Option<u64>,
    active: BTreeMap<String, Alarm>,
    unlisted: usize,
}

impl AlarmBook {
    /// Takes a snapshot: what it does not name is gone. After a restart of the gateway every alarm is told anew, and what
    /// it does not name is forgotten: that the gateway knows no more of it is no proof of its end.
    pub(crate) fn snapshot(&mut self, epoch: u64, alarms: Vec<Alarm>) -> Vec<Change> {
        let mut before = std::mem::take(&mut self.active);
        let same_epoch = self.epoch == Some(epoch);
        self.epoch = Some(epoch);
        self.unlisted = 0;
        let mut changes = Vec::new();
        for alarm in alarms.into_iter().filter(Alarm::is_active) {
            match before.remove(&alarm.occurrence) {
                Some(old) if same_epoch && old.revision >= alarm.revision => {}
                Some(_) if same_epoch => changes.push(Change::Changed(alarm.clone())),
                Some(_) | None => changes.push(Change::New(alarm.clone())),
            }
            self.keep(alarm);
        }
        let gone = if same_epoch { Change::Vanished } else { Change::Forgotten };
        changes.extend(before.into_values().map(gone));
        changes
    }

    /// Takes one revision; `None` when it is not newer than what is known.
    pub(crate) fn apply(&mut self, mut alarm: Alarm) -> Option<Change> {
        let known = self.active.get(&alarm.occurrence);
        if known.is_some_and(|known| known.revision >= alarm.revision) {
            return None;
        }
        // The wire tells an escalation as a worsening; that it is one shows beside what was known before.
        let is_new = known.is_some_and(|known| !known.escalated) && alarm.escalated;
        if alarm.transition == Some(Transition::Worsened) && is_new {
            alarm.transition = Some(Transition::Escalated);
        }
        let change = match (alarm.is_active(), known.is_some()) {
            (false, _) => Change::Ended(alarm.clone()),
            (true, true) => Change::Changed(alarm.clone()),
            (true, false) => Change::New(alarm.clone()),
        };
        if alarm.is_active() {
            self.keep(alarm);
        } else {
            self.active.remove(&alarm.occurrence);
        }
        Some(change)
    }

    /// The active alarms, most urgent first.
    pub(crate) fn by_urgency(&self) -> Vec<&Alarm> {
        let mut alarms: Vec<&Alarm> = self.active.values().collect();
        alarms.sort_by_key(|alarm| alarm.urgency());
        alarms
    }

    /// The active alarms in no order of urgency.
    pub(crate) fn active(&self) -> impl Iterator<Item = &Alarm> {
        self.active.values()
    }

    /// One active alarm.
    pub(crate) fn get(&self, occurrence: &str) -> Option<&Alarm> {
        self.active.get(occurrence)
    }

    /// How many active alarms were too many to keep.
    pub(crate) const fn unlisted(&self) -> usize {
        self.unlisted
    }

    fn keep(&mut self, alarm: Alarm) {
        if self.active.len() >= OCCURRENCES_MAX && !self.active.contains_key(&alarm.occurrence) {
            self.unlisted = self.unlisted.saturating_add(1);
            return;
        }
        self.active.insert(alarm.occurrence.clone(), alarm);
    }
}

impl Change {
    /// The occurrence as it is now; for a vanished or forgotten one, as it was last known.
    pub(crate) const fn alarm(&self) -> &Alarm {
        match self {
            Self::New(alarm)
            | Self::Changed(alarm)
            | Self::Ended(alarm)
            | Self::Vanished(alarm)
            | Self::Forgotten(alarm) => alarm,
        }
    }

    /// Stable id of what happened, for programs.
    pub(crate) fn id(&self) -> &'static str {
        match self {
            Self::New(alarm) if alarm.signal == Signal::Acknowledged => "acknowledged",
            Self::New(_) => "active",
            Self::Changed(alarm) => changed_id(alarm),
            Self::Ended(_) => "ended",
            Self::Vanished(_) => "ended_unseen",
            Self::Forgotten(_) => "forgotten",
        }
    }
}

/// What a newer revision is about; where the gateway does not say, where the occurrence stands.
fn changed_id(alarm: &Alarm) -> &'static str {
    match alarm.transition {
        Some(Transition::AudioChanged) => match alarm.audio {
            Audio::Paused => "paused",
            Audio::Shelved => "shelved",
            Audio::Grouped => "grouped",
            Audio::On => "audible",
            Audio::Off => "silent",
        },
        Some(Transition::Worsened) => "worsened",
        Some(Transition::Escalated) => "escalated",
        Some(Transition::Returned) => "returned",
        Some(Transition::DataLost) => "data_lost",
        Some(Transition::DataBack) => "data_back",
        Some(Transition::RuleChanged) => "rule_changed",
        Some(Transition::Reminded) => "reminded",
        Some(
            Transition::Raised | Transition::Latched | Transition::Acknowledged | Transition::Ended,
        )
        | None => match alarm.signal {
            Signal::Acknowledged => "acknowledged",
            Signal::Latched => "latched",
            Signal::On | Signal::Off => "changed",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::age::GatewayTime;
    use crate::model::Priority;
    use crate::words::tests::pump_stop;

    fn alarm(occurrence: &str, revision: u32) -> Alarm {
        Alarm { occurrence: occurrence.to_owned(), revision, ..pump_stop() }
    }

    fn ended(occurrence: &str, revision: u32) -> Alarm {
        Alarm { present: false, signal: Signal::Off, ..alarm(occurrence, revision) }
    }

    #[test]
    fn a_revision_is_told_once_and_an_older_one_never() {
        let mut book = AlarmBook::default();
        assert_eq!(book.snapshot(1, vec![alarm("a", 2)]).len(), 1);
        assert_eq!(book.apply(alarm("a", 2)), None);
        assert_eq!(book.apply(alarm("a", 1)), None);
        assert!(matches!(book.apply(alarm("a", 3)), Some(Change::Changed(_))));
        assert!(matches!(book.apply(ended("a", 4)), Some(Change::Ended(_))));
        assert_eq!(book.active().count(), 0);
    }

    #[test]
    fn a_snapshot_after_a_cut_tells_what_is_new_and_what_is_gone() {
        let mut book = AlarmBook::default();
        book.snapshot(1, vec![alarm("a", 1), alarm("b", 1)]);
        let changes = book.snapshot(1, vec![alarm("b", 1), alarm("c", 1)]);
        assert_eq!(changes, [Change::New(alarm("c", 1)), Change::Vanished(alarm("a", 1))]);
    }

    #[test]
    fn after_a_restart_of_the_gateway_every_alarm_is_told_anew() {
        let mut book = AlarmBook::default();
        book.snapshot(1, vec![alarm("a", 7)]);
        assert_eq!(book.snapshot(2, vec![alarm("a", 1)]), [Change::New(alarm("a", 1))]);
        assert_eq!(book.get("a").unwrap().revision, 1);
    }

    #[test]
    fn what_a_restarted_gateway_does_not_name_is_forgotten_and_not_ended() {
        let mut book = AlarmBook::default();
        book.snapshot(1, vec![alarm("a", 7), alarm("b", 1)]);
        let changes = book.snapshot(2, vec![alarm("b", 1)]);
        assert_eq!(changes, [Change::New(alarm("b", 1)), Change::Forgotten(alarm("a", 7))]);
        assert_eq!(changes[1].id(), "forgotten");
        assert_eq!(book.active().count(), 1, "it is not listed as if it were known now");
        let changes = book.snapshot(2, Vec::new());
        assert_eq!(changes, [Change::Vanished(alarm("b", 1))]);
        assert_eq!(changes[0].id(), "ended_unseen");
    }

    #[test]
    fn what_nobody_acknowledged_comes_first_then_priority_then_the_older() {
        let mut book = AlarmBook::default();
        let later = GatewayTime(2_000_000_000);
        let acknowledged = Alarm { signal: Signal::Acknowledged, ..alarm("high, acknowledged", 1) };
        book.snapshot(
            1,
            vec![
                acknowledged,
                Alarm { priority: Priority::Low, ..alarm("low", 1) },
                Alarm { onset: later, ..alarm("high, later", 1) },
                alarm("high", 1),
            ],
        );
        let order: Vec<&str> =
            book.by_urgency().into_iter().map(|alarm| alarm.occurrence.as_str()).collect();
        assert_eq!(order, ["high", "high, later", "low", "high, acknowledged"]);
    }

    #[test]
    fn a_change_is_named_by_what_changed() {
        let told = |before: Alarm, after: Alarm| {
            let mut book = AlarmBook::default();
            book.apply(Alarm { revision: 1, ..before });
            book.apply(Alarm { revision: 2, ..after }).unwrap().id()
        };
        let with = |transition| Alarm { transition: Some(transition), ..alarm("a", 1) };
        let heard = |audio| Alarm { audio, ..with(Transition::AudioChanged) };
        let escalated = Alarm { escalated: true, ..with(Transition::Worsened) };
        let acknowledged = Alarm { signal: Signal::Acknowledged, ..with(Transition::Acknowledged) };
        let latched = Alarm { signal: Signal::Latched, ..with(Transition::Latched) };
        for (after, id) in [
            (with(Transition::Worsened), "worsened"),
            (escalated.clone(), "escalated"),
            (with(Transition::Returned), "returned"),
            (with(Transition::DataLost), "data_lost"),
            (with(Transition::DataBack), "data_back"),
            (with(Transition::RuleChanged), "rule_changed"),
            (with(Transition::Reminded), "reminded"),
            (heard(Audio::Paused), "paused"),
            (heard(Audio::Shelved), "shelved"),
            (heard(Audio::Grouped), "grouped"),
            (heard(Audio::On), "audible"),
            (heard(Audio::Off), "silent"),
            (acknowledged, "acknowledged"),
            (latched, "latched"),
            (alarm("a", 1), "changed"),
        ] {
            assert_eq!(told(alarm("a", 1), after), id);
        }
        // One that has escalated before is worse for another reason now.
        assert_eq!(told(escalated.clone(), escalated), "worsened");
    }

    #[test]
    fn an_alarm_too_many_is_counted_and_the_kept_ones_stay() {
        let mut book = AlarmBook::default();
        let many = (0..=OCCURRENCES_MAX).map(|number| alarm(&number.to_string(), 1)).collect();
        assert_eq!(book.snapshot(1, many).len(), OCCURRENCES_MAX + 1);
        assert_eq!((book.active().count(), book.unlisted()), (OCCURRENCES_MAX, 1));
    }
}
