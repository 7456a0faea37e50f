//! Joins what the gateways say about one row: the most serious word of those that are heard, and what a person did at any.

use std::cmp::Reverse;
use std::sync::Arc;

use ecmo_proto::v1;

use crate::lane::LinkId;
use crate::link::{Acknowledged, Link};
use crate::row::{Row, RowKey, Shown, Told, rank, signals};
use crate::time::LocalTime;

/// What one link holds of a row.
struct Held {
    link: LinkId,
    alarm: Arc<v1::Alarm>,
}

/// The row as it is to be shown at `local`; `None` when nobody holds it.
pub(crate) fn row(key: &RowKey, links: &[Link], local: LocalTime) -> Option<Row> {
    let mut heard = Vec::new();
    let mut unheard = Vec::new();
    for (id, link) in (0..).map(LinkId).zip(links) {
        let known = link.state(local).is_known();
        for alarm in link.of_row(key) {
            let held = Held { link: id, alarm: with_acknowledgement(key, alarm, link, links) };
            if known && !is_restored(key, alarm, link, links, local) {
                heard.push(held);
            } else if known {
                // It was over before this gateway came back.
                continue;
            } else if !is_over(key, alarm, link, links, local) {
                unheard.push(held);
            }
        }
    }
    let is_unheard = heard.is_empty();
    let held = if is_unheard { unheard } else { heard };
    let first = held.iter().max_by_key(|held| seriousness(held))?;
    Some(Row {
        key: key.clone(),
        alarm: Arc::clone(&first.alarm),
        link: first.link,
        unheard: is_unheard,
        told: held.iter().map(told).collect(),
    })
}

fn told(held: &Held) -> Told {
    let Held { link, alarm } = held;
    let shown = Shown { occurrence: alarm.occurrence.clone(), revision: alarm.revision };
    Told { link: *link, shown, call: alarm.call }
}

/// What of two words about one row is shown: the greater.
fn seriousness(held: &Held) -> (bool, u8, bool, bool, u32, bool, u32, Reverse<LinkId>) {
    let alarm = &held.alarm;
    let heard = matches!(alarm.audio(), v1::AudioState::Unspecified | v1::AudioState::On);
    let priority = rank(alarm.priority());
    let (signals, judged) = (signals(alarm), !alarm.last_known);
    let link = Reverse(held.link);
    (signals, priority, heard, alarm.present, alarm.call, judged, alarm.reminders, link)
}

/// The alarm with what a person did at another gateway: an acknowledgement there counts here for the calls that it covers. A
/// gateway's own word about its own acknowledgements is final, and one that does not count calls is taken at its word.
fn with_acknowledgement(
    key: &RowKey,
    alarm: &Arc<v1::Alarm>,
    link: &Link,
    links: &[Link],
) -> Arc<v1::Alarm> {
    if !signals(alarm) || alarm.call == 0 {
        return Arc::clone(alarm);
    }
    let others = links.iter().filter(|other| !std::ptr::eq(*other, link));
    let mut counts = others
        // A condition of a gateway itself is acknowledged at that gateway alone.
        .filter(|other| !key.is_own() || other.alarms.epoch == link.alarms.epoch)
        .filter_map(|other| other.acknowledged.get(&alarm.occurrence))
        .filter(|acknowledged| acknowledged.call >= alarm.call);
    let Some(Acknowledged { by, note, .. }) = counts.next() else {
        return Arc::clone(alarm);
    };
    let mut alarm = v1::Alarm::clone(alarm);
    alarm.set_signal(v1::SignalPresence::Acknowledged);
    alarm.set_audio(v1::AudioState::Off);
    alarm.acknowledged_by.clone_from(by);
    alarm.acknowledged_note.clone_from(note);
    Arc::new(alarm)
}

/// Whether a gateway that is heard has said that what this link last held is over.
fn is_over(key: &RowKey, alarm: &v1::Alarm, link: &Link, links: &[Link], local: LocalTime) -> bool {
    let heard = links.iter().filter(|other| {
        let same = other.alarms.epoch == link.alarms.epoch;
        other.state(local).is_known() && (!key.is_own() || same)
    });
    heard.into_iter().any(|other| {
        let ended = other.ended.get(&alarm.occurrence);
        let ended = ended.is_some_and(|(call, _at)| *call >= alarm.call);
        // It ended there after the last word that came from here.
        let last_word = link.last_word;
        let later = other.ended_rows.get(key).is_some_and(|at| *at > last_word);
        ended || later
    })
}

/// Whether what a gateway holds that was started anew is only what it had kept: another one that is heard has told before that it
/// ended, at this call or a later one.
fn is_restored(
    key: &RowKey,
    alarm: &v1::Alarm,
    link: &Link,
    links: &[Link],
    local: LocalTime,
) -> bool {
    let Some(since) = link.restarted_at.filter(|_| link.restores(local).is_some()) else {
        return false;
    };
    if key.is_own() || alarm.call == 0 {
        return false;
    }
    let over = |other: &&Link| {
        let told = other.ended.get(&alarm.occurrence);
        let before = told.is_some_and(|(call, at)| *call >= alarm.call && *at < since);
        before && !other.holds(&alarm.occurrence) && other.state(local).is_known()
    };
    links.iter().filter(|other| !std::ptr::eq(*other, link)).any(|other| over(&other))
}
