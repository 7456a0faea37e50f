//! One alarm as it is shown: a row, what became of it, and what was missed.

use std::cmp::Reverse;
use std::sync::Arc;

use ecmo_proto::v1;

use crate::lane::LinkId;

/// What makes two alarms of two gateways one row: the same condition at the same pump. Conditions of a gateway itself stay
/// apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// Ward id; empty for what concerns a gateway as a whole.
    pub ward: String,
    /// Pump id; empty for a condition of a gateway itself.
    pub pump: String,
    /// Condition id, such as `pump.stop`.
    pub condition: String,
    /// For a condition of a gateway itself: which one's it is. Empty for one of a pump.
    pub gateway: String,
}

impl RowKey {
    /// The row of an alarm that this link told of.
    pub(crate) fn of(alarm: &v1::Alarm, link: LinkId) -> Self {
        let gateway = match (alarm.pump.is_empty(), alarm.gateway.is_empty()) {
            (false, _) => String::new(),
            (true, false) => alarm.gateway.clone(),
            // A gateway that does not say its name is told apart by its link.
            (true, true) => format!("#{}", link.0),
        };
        let (ward, pump) = (alarm.ward.clone(), alarm.pump.clone());
        Self { ward, pump, condition: alarm.condition.clone(), gateway }
    }

    /// Whether it is a condition of a gateway itself.
    #[must_use]
    pub const fn is_own(&self) -> bool {
        self.pump.is_empty()
    }
}

/// One revision, as it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shown {
    /// Occurrence id.
    pub occurrence: String,
    /// Revision.
    pub revision: u32,
}

/// What one gateway says about a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Which gateway.
    pub link: LinkId,
    /// What it told: an acknowledgement at this gateway names it.
    pub shown: Shown,
    /// How often it has called for a person by then.
    pub call: u32,
}

/// One alarm as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it is about.
    pub key: RowKey,
    /// The most serious of what the gateways say, with what a person did at any of them. Its times are of the clock of `link`.
    pub alarm: Arc<v1::Alarm>,
    /// Whose word that is: actions on it go there first.
    pub link: LinkId,
    /// No gateway that holds it can be heard now: it stays as it was last known.
    pub unheard: bool,
    /// Every gateway that holds it, and what it told.
    pub told: Vec<Told>,
    /// How often it has called for a person on this display: it began to signal, came back while it signalled, or became more
    /// urgent. Another gateway's name or count of the same is no call.
    pub calls: u32,
}

impl Row {
    /// Whether it calls for a person: nobody has acknowledged it.
    #[must_use]
    pub fn signals(&self) -> bool {
        signals(&self.alarm)
    }

    /// Whether it is heard: no pause, shelf or leader keeps it quiet, and it is no card.
    #[must_use]
    pub fn sounds(&self) -> bool {
        let heard = matches!(self.alarm.audio(), v1::AudioState::Unspecified | v1::AudioState::On);
        heard && self.signals() && self.alarm.priority() != v1::AlarmPriority::Information
    }

    /// The row with its count of calls, by how it was shown before.
    pub(crate) fn counted(self, before: Option<&Self>) -> Self {
        let calls = before.map_or(0, |before| before.calls);
        let anew = |before: &Self| {
            let back = self.alarm.present && !before.alarm.present;
            let more = rank(self.alarm.priority()) > rank(before.alarm.priority());
            // What came back while nobody listened was present before and is present now.
            let same = self.link == before.link && self.alarm.occurrence == before.alarm.occurrence;
            !before.signals() || back || more || (same && self.alarm.call > before.alarm.call)
        };
        let calls_anew = self.signals() && before.is_none_or(anew);
        Self { calls: calls.saturating_add(u32::from(calls_anew)), ..self }
    }

    /// What a gateway told of it; `None` when it does not hold it.
    #[must_use]
    pub fn told_by(&self, link: LinkId) -> Option<&Told> {
        self.told.iter().find(|told| told.link == link)
    }
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It was not there before.
    New(Row),
    /// Something of it is different; with the alarm as it was before.
    Changed(Row, Arc<v1::Alarm>),
    /// No gateway that is heard holds it any more; the alarm is as it ended.
    Ended(Row),
    /// It ended while this display did not hear the gateway; the row is as it was last known.
    EndedUnseen(Row),
    /// A gateway that was started anew does not know of it. Nothing says that it has ended.
    Forgotten(Row),
}

impl Change {
    /// The row, as it is now or was last.
    #[must_use]
    pub const fn row(&self) -> &Row {
        match self {
            Self::New(row)
            | Self::Changed(row, _)
            | Self::Ended(row)
            | Self::EndedUnseen(row)
            | Self::Forgotten(row) => row,
        }
    }
}

/// An alarm that came and went, and was never painted.
#[derive(Debug, Clone, PartialEq)]
pub struct Missed {
    /// The gateway that told of it.
    pub link: LinkId,
    /// As it ended.
    pub alarm: Arc<v1::Alarm>,
    /// True when it went by while this display did not hear the gateway; false when it went by between two pictures.
    pub unheard: bool,
}

/// Whether an occurrence has not ended.
pub(crate) fn is_active(alarm: &v1::Alarm) -> bool {
    alarm.present || alarm.signal() != v1::SignalPresence::Off
}

/// Whether an alarm calls for a person.
pub(crate) fn signals(alarm: &v1::Alarm) -> bool {
    match alarm.signal() {
        v1::SignalPresence::Unspecified | v1::SignalPresence::On | v1::SignalPresence::Latched => {
            true
        }
        v1::SignalPresence::Off | v1::SignalPresence::Acknowledged => false,
    }
}

/// How urgent a priority is; the greater the more. What is not said counts as high.
#[must_use]
pub const fn rank(priority: v1::AlarmPriority) -> u8 {
    match priority {
        v1::AlarmPriority::Information => 0,
        v1::AlarmPriority::Low => 1,
        v1::AlarmPriority::Medium => 2,
        v1::AlarmPriority::High | v1::AlarmPriority::Unspecified => 3,
    }
}

/// Order of a list: cards last, what calls for a person first, then by priority, the older first.
pub(crate) fn urgency(row: &Row) -> (bool, bool, Reverse<u8>, u64, &RowKey) {
    let priority = row.alarm.priority();
    let card = priority == v1::AlarmPriority::Information;
    // Two gateways' monotonic clocks do not compare; their wall clocks serve for an order that people read.
    let onset = u64::try_from(row.alarm.onset_wall_ns).unwrap_or(0);
    (card, !row.signals(), Reverse(rank(priority)), onset, &row.key)
}
