//! One occurrence of an alarm condition, from its onset until it has ended: raised, acknowledged, latched, ended.

use alloc::string::String;
use core::fmt;
use core::time::Duration;

use crate::alarm::action::{AlarmRef, Order};
use crate::alarm::condition::{Condition, Kind, Priority};
use crate::alarm::rule::Side;
use crate::frame::BootId;
use crate::parameter::Parameter;
use crate::reading::NoData;
use crate::time::Instant;

/// Returns of an occurrence that are remembered (prop): as many as may come while an acknowledgement is on its way.
pub const RETURNS_MAX: usize = 8;

/// Another gateway, which judges the same samples, may be ahead by so much (prop).
const AHEAD_MAX: Duration = Duration::from_secs(5);

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

/// Who acknowledged, when by the reader's clock, and what they had seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Acknowledgement {
    /// The person, as they named themselves.
    pub by: String,
    /// What they added; may be empty.
    pub note: String,
    /// When.
    pub at: Instant,
    /// Worst value so far.
    pub worst: Option<f32>,
    /// The last call that it covers.
    pub call: u32,
    /// Its place among other acknowledgements.
    pub order: Order,
}

/// What a pause of the audio covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PauseScope {
    /// One alarm.
    Alarm,
    /// The alarms of one pump that were there.
    Pump,
    /// The alarms of one ward that were there.
    Ward,
}

/// The sound is paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// What the person paused.
    pub scope: PauseScope,
    /// When it ends by itself, by the reader's clock.
    pub until: Instant,
    /// The person, as they named themselves.
    pub by: String,
    /// Its place among other pauses of this alarm.
    pub order: Order,
}

/// The condition is shelved: its alarms make no sound for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    /// When it ends by itself, by the reader's clock.
    pub until: Instant,
    /// The person, as they named themselves.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Its place among other shelvings of the condition.
    pub order: Order,
}

/// What is heard of an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audio {
    /// Its sound.
    On,
    /// Nothing: acknowledged, ended, or no alarm but information.
    Off,
    /// Nothing until then: a person paused it.
    Paused {
        /// When the pause ends.
        until: Instant,
    },
    /// Nothing until then: a person shelved the condition.
    Shelved {
        /// When the shelving ends.
        until: Instant,
    },
    /// Nothing: it is the consequence of another alarm that signals.
    Grouped {
        /// The cause.
        leader: Condition,
    },
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
    /// It is worse than what a person acknowledged, or its priority went up; what was acknowledged counts no longer.
    Worsened,
    /// Its limit changed, or its priority went down.
    RuleChanged,
    /// Its sound was paused, shelved or grouped, or is heard again.
    AudioChanged,
    /// Nobody has acknowledged it for a while.
    Reminded,
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
    /// How often it called for a person: 1 when it was raised, and one more each time that it returned or worsened.
    pub call: u32,
    /// Where it began again each time that it returned, and which call that was; the last [`RETURNS_MAX`]. Elsewhere, where it
    /// had been acknowledged before it returned, that is another occurrence with that onset.
    pub returned: [Option<(u64, u32)>; RETURNS_MAX],
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
    /// Number of the rule of the condition that it follows; 0 where no limit or composite raised it.
    pub rule: u8,
    /// Set while a person has paused its sound.
    pub pause: Option<Pause>,
    /// The last that a person did to its pause, if anybody did.
    pub sound: Order,
    /// Set while a person has shelved its condition.
    pub shelf: Option<Shelf>,
    /// The alarm whose consequence it is.
    pub leader: Option<Condition>,
    /// Its priority went up because nobody acknowledged it in time.
    pub escalated: bool,
    /// When that will happen, by the reader's clock.
    pub escalate_at: Option<Instant>,
    /// When it is recalled next, by the reader's clock.
    pub remind_at: Option<Instant>,
    /// How often it was recalled.
    pub reminders: u32,
    /// Its rule had never found the condition absent here when it raised it: it may have begun before the reader did, and have
    /// another name elsewhere.
    pub late: bool,
    /// No rule here can say whether it is still present: it was before a restart, and stays until a person acknowledges it
    /// anew or a rule finds it.
    pub orphan: bool,
}

impl Occurrence {
    /// A condition that has just become present, without value or limit.
    #[must_use]
    pub(crate) fn new(
        id: OccurrenceId,
        kind: Kind,
        priority: Priority,
        onset_at: Instant,
        now: Instant,
    ) -> Self {
        Self {
            id,
            revision: 0,
            call: 1,
            returned: [None; RETURNS_MAX],
            kind,
            priority,
            present: true,
            latching: false,
            acknowledged: None,
            covers_from: 0,
            last_known: false,
            parameter: None,
            value: None,
            value_at: None,
            worst: None,
            limit: None,
            no_data: None,
            onset_at,
            changed_at: now,
            unreviewed: false,
            rule: 0,
            pause: None,
            sound: Order::default(),
            shelf: None,
            leader: None,
            escalated: false,
            escalate_at: None,
            remind_at: None,
            reminders: 0,
            late: false,
            orphan: false,
        }
    }

    /// As an action names it now.
    #[must_use]
    pub const fn named(&self) -> AlarmRef {
        AlarmRef { id: self.id, call: self.call }
    }

    /// Whether it signals for a person: it is on or latched, and more than a card.
    #[must_use]
    pub fn calls(&self) -> bool {
        let signals = matches!(self.signal(), Signal::On | Signal::Latched);
        signals && self.priority != Priority::Information
    }

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

    /// What is heard of it.
    #[must_use]
    pub fn audio(&self) -> Audio {
        if !self.calls() {
            return Audio::Off;
        }
        match (&self.shelf, &self.pause, self.leader) {
            (Some(shelf), _, _) => Audio::Shelved { until: shelf.until },
            (None, Some(pause), _) => Audio::Paused { until: pause.until },
            (None, None, Some(leader)) => Audio::Grouped { leader },
            (None, None, None) => Audio::On,
        }
    }

    /// Whether it is far worse than what the person saw who acknowledged it: its excess beyond the limit has doubled, and
    /// has grown by more than a tenth of the limit.
    #[must_use]
    pub fn outgrew_acknowledgement(&self) -> bool {
        let seen = self.acknowledged.as_ref().and_then(|seen| seen.worst);
        let (Some(seen), Some(worst), Some((side, limit))) = (seen, self.worst, self.limit) else {
            return false;
        };
        let (before, now) = (side.excess(seen, limit), side.excess(worst, limit));
        now - before > before.max(0.1 * limit.abs())
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
            _ if self.priority == Priority::Information => 4,
            Signal::On => 0,
            Signal::Latched => 1,
            Signal::Acknowledged => 2,
            Signal::Off => 3,
        };
        (signalling, core::cmp::Reverse(self.priority), self.onset_at, self.id.condition)
    }

    /// The condition, gone but latched, is present again: what a person must know is what it is like now.
    pub(crate) fn come_back(&mut self, new: Self, now: Instant) {
        self.present = true;
        self.orphan = false;
        self.call_again(now);
        self.returned.rotate_left(1);
        if let Some(last) = self.returned.last_mut() {
            *last = Some((new.id.onset, self.call));
        }
        self.last_known = new.last_known;
        self.priority = self.priority.max(new.priority);
        self.parameter = new.parameter;
        self.value = new.value;
        self.value_at = new.value_at;
        self.rule = new.rule;
        if self.limit != new.limit {
            self.limit = new.limit;
            self.worst = new.worst;
        } else if let (Some((side, _limit)), Some(value)) = (self.limit, new.value) {
            self.worst = Some(self.worst.map_or(value, |worst| side.worse(worst, value)));
        }
    }

    /// It calls for a person once more. What was acknowledged counts no longer, unless it has just covered this call already:
    /// another gateway may have been ahead. One that counted otherwise, because it was started anew, covers nothing later.
    pub(crate) fn call_again(&mut self, now: Instant) {
        self.call = self.call.saturating_add(1);
        self.pause = None;
        let (call, by_samples) = (self.call, self.rule > 0);
        let covers = |seen: &Acknowledgement| {
            // What no sample decides each gateway finds by its own clock, in its own time.
            seen.call >= call && (!by_samples || now.since(seen.at) <= AHEAD_MAX)
        };
        if !self.acknowledged.as_ref().is_some_and(covers) {
            self.acknowledged = None;
        }
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
        let id =
            OccurrenceId { condition: Condition::PUMP_STOP, boot: BootId::new(0xabc), onset: 255 };
        let start = Instant::default();
        let acknowledgement = || Acknowledgement {
            by: "nurse".to_string(),
            note: String::new(),
            at: start,
            worst: Some(-80.0),
            call: 1,
            order: Order::default(),
        };
        Occurrence {
            present,
            latching,
            acknowledged: acknowledged.then(acknowledgement),
            ..Occurrence::new(id, Kind::Technical, Priority::High, start, start)
        }
    }

    #[test]
    fn what_is_heard_follows_signal_shelf_pause_and_group() {
        let until = Instant::from_millis(9);
        let (by, order) = (|| "nurse".to_string(), Order::default);
        let pause = || Some(Pause { scope: PauseScope::Pump, until, by: by(), order: order() });
        let reason = || "known".to_string();
        let shelf = || Some(Shelf { until, by: by(), reason: reason(), order: order() });
        let on = || occurrence(true, true, false);
        assert_eq!(on().audio(), Audio::On);
        assert_eq!(occurrence(false, true, false).audio(), Audio::On);
        assert_eq!(occurrence(true, true, true).audio(), Audio::Off);
        assert_eq!(Occurrence { pause: pause(), ..on() }.audio(), Audio::Paused { until });
        let shelved = Occurrence { pause: pause(), shelf: shelf(), ..on() };
        assert_eq!(shelved.audio(), Audio::Shelved { until });
        let leader = Condition::PUMP_STOP;
        assert_eq!(Occurrence { leader: Some(leader), ..on() }.audio(), Audio::Grouped { leader });
        assert_eq!(Occurrence { priority: Priority::Information, ..on() }.audio(), Audio::Off);
    }

    #[test]
    fn an_acknowledgement_of_a_gateway_that_is_ahead_covers_the_call_that_follows_at_once_and_no_later_one()
     {
        let at = |ms| Instant::from_millis(ms);
        let ahead = || {
            let mut one = occurrence(true, true, true);
            one.acknowledged = one.acknowledged.map(|seen| Acknowledgement { call: 3, ..seen });
            one.rule = 1;
            one
        };
        let mut one = ahead();
        one.call_again(at(4_000));
        assert_eq!((one.call, one.signal()), (2, Signal::Acknowledged));
        one.call_again(at(5_001));
        assert_eq!((one.call, one.signal()), (3, Signal::On), "it counted otherwise");
        let mut one = ahead();
        one.call_again(at(5_000));
        assert_eq!(one.signal(), Signal::Acknowledged);
        let mut one = Occurrence { rule: 0, ..ahead() };
        one.call_again(at(60_000));
        assert_eq!(one.signal(), Signal::Acknowledged, "no sample decides when it calls");
    }

    #[test]
    fn an_acknowledgement_covers_noise_and_not_twice_the_excess() {
        let limit = Some((Side::Below, -75.0));
        for (worst, expected) in [(-80.0, false), (-84.0, false), (-88.0, true), (-60.0, false)] {
            let seen = Occurrence { worst: Some(worst), limit, ..occurrence(true, false, true) };
            assert_eq!(seen.outgrew_acknowledgement(), expected, "{worst}");
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
