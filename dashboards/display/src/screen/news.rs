//! What became of rows: told once, and what was never painted told as missed.

use std::sync::Arc;

use ecmo_proto::v1;

use crate::lane::LinkId;
use crate::link::Link;
use crate::merge;
use crate::row::{Change, Missed, Row, RowKey, is_active};
use crate::screen::{CHANGES_MAX, MISSED_MAX, Screen};

/// Why a row may have changed.
#[derive(Debug, Clone)]
pub(super) enum Cause {
    /// A revision came from this link.
    Revision(LinkId, Arc<v1::Alarm>),
    /// A snapshot came; of the same start of the gateway as before, or of another one.
    Snapshot { same_epoch: bool },
    /// A link was lost, or is heard again.
    Link,
}

impl Screen {
    /// Makes a row anew, and notes what became of it.
    pub(super) fn refresh(&mut self, key: &RowKey, cause: &Cause) {
        let before = self.rows.remove(key);
        let row = merge::row(key, &self.links, self.now).map(|row| row.counted(before.as_ref()));
        if let Some(row) = &row {
            self.rows.insert(key.clone(), row.clone());
        }
        let change = match (before, row) {
            (None, None) => None,
            (None, Some(row)) => Some(Change::New(row)),
            (Some(before), Some(row)) => changed(&before, row, cause),
            (Some(before), None) => {
                let alarm = Arc::clone(&before.alarm);
                let link = before.link;
                let unheard = before.unheard || matches!(cause, Cause::Snapshot { .. });
                let change = gone(before, cause, &self.links);
                if !matches!(change, Change::Forgotten(_)) {
                    self.note_missed(link, alarm, unheard);
                }
                Some(change)
            }
        };
        if let Some(change) = change {
            if self.changes.len() >= CHANGES_MAX {
                self.changes.pop_front();
                self.changes_lost = self.changes_lost.saturating_add(1);
            }
            self.changes.push_back(change);
        }
    }

    /// It has ended: what was never painted was missed.
    pub(super) fn note_missed(&mut self, link: LinkId, alarm: Arc<v1::Alarm>, unheard: bool) {
        let painted = self.painted.get(&alarm.occurrence).is_some_and(|call| *call >= alarm.call);
        let held = || self.links.iter().any(|link| link.holds(&alarm.occurrence));
        let known = |missed: &Missed| missed.alarm.occurrence == alarm.occurrence;
        if painted || held() {
            return;
        }
        // Another gateway tells of the same one, or it went on to be worse.
        self.missed.retain(|missed| !known(missed));
        self.missed.push_front(Missed { link, alarm, unheard });
        if self.missed.len() > MISSED_MAX {
            self.missed.pop_back();
            self.missed_incomplete = true;
        }
    }
}

/// What became of a row that is still there; `None` when nothing of it is news.
fn changed(before: &Row, row: Row, cause: &Cause) -> Option<Change> {
    let names = |row: &Row, occurrence: &str| {
        row.told.iter().any(|told| told.shown.occurrence == occurrence)
    };
    let same = names(before, &row.alarm.occurrence) || names(&row, &before.alarm.occurrence);
    if !same && row.calls > before.calls {
        return Some(Change::New(row));
    }
    // One gateway's every revision is told; of two that say the same, one.
    let alone = match cause {
        Cause::Revision(link, _) => row.told.iter().all(|told| told.link == *link),
        Cause::Snapshot { .. } | Cause::Link => false,
    };
    (alone || row.calls > before.calls || differs(&before.alarm, &row.alarm))
        .then(|| Change::Changed(row, Arc::clone(&before.alarm)))
}

/// Whether two words about one alarm show a person something different. Values and times go on by themselves.
fn differs(one: &v1::Alarm, other: &v1::Alarm) -> bool {
    let seen = |alarm: &v1::Alarm| {
        let flags = (alarm.present, alarm.last_known, alarm.escalated, alarm.redirected);
        let states = (alarm.signal(), alarm.audio(), alarm.priority());
        (flags, states, alarm.call, alarm.reminders, alarm.limit.map(f32::to_bits))
    };
    seen(one) != seen(other) || one.acknowledged_by != other.acknowledged_by
}

/// What became of a row that nobody holds any more.
fn gone(before: Row, cause: &Cause, links: &[Link]) -> Change {
    match cause {
        Cause::Revision(link, alarm) if !is_active(alarm) => {
            Change::Ended(Row { alarm: Arc::clone(alarm), link: *link, ..before })
        }
        Cause::Revision(..) | Cause::Link | Cause::Snapshot { same_epoch: true } => {
            Change::EndedUnseen(before)
        }
        Cause::Snapshot { same_epoch: false } => {
            let told = links.iter().any(|link| link.ended.get(&before.alarm.occurrence).is_some());
            if told { Change::EndedUnseen(before) } else { Change::Forgotten(before) }
        }
    }
}
