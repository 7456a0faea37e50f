//! Joins what the gateways say about one row: the most serious word of those that are heard, and what a person did at any.

use std::cmp::Reverse;
use std::sync::Arc;

use ecmo_proto::v1;

use crate::lane::LinkId;
use crate::link::{Acknowledged, Link, LinkState};
use crate::row::{Row, RowKey, Shown, Told, rank, signals};
use crate::time::{GatewayTime, LocalTime};

/// What one link holds of a row.
struct Held {
    link: LinkId,
    alarm: Arc<v1::Alarm>,
}

/// The row as it is to be shown at `local`; `None` when nobody holds it.
pub(crate) fn row(key: &RowKey, links: &[Link], local: LocalTime) -> Option<Row> {
    let mut heard = Vec::new();
    let mut behind = Vec::new();
    let mut unheard = Vec::new();
    for (id, link) in (0..).map(LinkId).zip(links) {
        let known = link.state(local).is_known();
        for alarm in link.of_row(key) {
            let held = Held { link: id, alarm: with_acknowledgement(key, alarm, link, links) };
            match elder_word(key, alarm, link, links, local) {
                // It was over before this gateway came back.
                Some(Elder::Ended) => {}
                _ if was_told_over(key, alarm, link, links, local) => {}
                _ if !known && is_over(key, alarm, link, links, local) => {}
                None | Some(Elder::Holds) if !known => unheard.push(held),
                None => heard.push(held),
                Some(Elder::Holds) => behind.push(held),
            }
        }
    }
    let is_unheard = heard.is_empty() && behind.is_empty();
    let held = match (is_unheard, heard.is_empty()) {
        (true, _) => &unheard,
        (false, true) => &behind,
        (false, false) => &heard,
    };
    let first = held.iter().max_by_key(|held| seriousness(held))?;
    // What is painted is painted of all of them: each must be told that it was.
    let all = if is_unheard { unheard.iter().chain(&[]) } else { heard.iter().chain(&behind) };
    Some(Row {
        key: key.clone(),
        alarm: Arc::clone(&first.alarm),
        link: first.link,
        unheard: is_unheard,
        told: all.map(told).collect(),
        calls: 0,
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

/// What another gateway, which was there before this one started anew, says of what this one holds.
enum Elder {
    /// It holds it, and has judged it since: what it calls it, and what a person did to it there, count.
    Holds,
    /// It has told the end of what this one goes on from.
    Ended,
}

/// A gateway that was just started names what it finds by what it saw of it, and knows what people did only once it has asked.
/// Until then the word of one that was there before goes before its own, unless its own is more urgent, or a later call. `None` where there is no
/// such word.
fn elder_word(
    key: &RowKey,
    alarm: &v1::Alarm,
    link: &Link,
    links: &[Link],
    local: LocalTime,
) -> Option<Elder> {
    // One that is lost again says no more than it did with its last word.
    let asked = if link.state(local).is_known() { local } else { link.last_word };
    let since = link.restarted_at.filter(|_| link.restores(asked).is_some())?;
    if key.is_own() || alarm.call == 0 {
        return None;
    }
    let is_elder = |other: &&Link| {
        let before = other.restarted_at.is_none_or(|at| at < since);
        !std::ptr::eq(*other, link) && before && other.state(local) == LinkState::Live
    };
    links.iter().filter(is_elder).find_map(|other| {
        let mut held = other.of_row(key).peekable();
        if held.peek().is_none() {
            return has_told_the_end(key, alarm, (link, since), other, local)
                .then_some(Elder::Ended);
        }
        let counts = |one: &v1::Alarm| {
            let same = one.occurrence == alarm.occurrence;
            let behind = same && one.call < alarm.call;
            // What was acknowledged here before the restart, and is over here, quiets nothing of another name.
            let covered = link.acknowledged.get(&one.occurrence);
            let borrowed =
                !same && signals(one) && covered.is_some_and(|covered| covered.call >= one.call);
            !one.last_known
                && !behind
                && !borrowed
                && rank(one.priority()) >= rank(alarm.priority())
        };
        held.any(|one| counts(one)).then_some(Elder::Holds)
    })
}

/// Whether any gateway, heard or lost, has told the end of what this one goes on from: it was started anew since then, or is another
/// one behind this link, and has not judged it yet.
fn was_told_over(
    key: &RowKey,
    alarm: &v1::Alarm,
    link: &Link,
    links: &[Link],
    local: LocalTime,
) -> bool {
    let Some(since) = link.restarted_at.filter(|_| alarm.last_known) else { return false };
    // A condition of a gateway itself is known to that gateway alone.
    let mut knows = links.iter().filter(|other| !key.is_own() || std::ptr::eq(*other, link));
    knows.any(|other| {
        // Of one that has called again its onset does not tell whether it did so after an end under another name.
        let is_clear = alarm.call <= 1 || other.ended.get(&alarm.occurrence).is_some();
        is_clear && has_told_the_end(key, alarm, (link, since), other, local)
    })
}

/// Whether a gateway has told, before this one came back, the end of what this one holds; under this name or under its own, where
/// it ended after this one began. What has called since is not over.
fn has_told_the_end(
    key: &RowKey,
    alarm: &v1::Alarm,
    (link, since): (&Link, LocalTime),
    other: &Link,
    local: LocalTime,
) -> bool {
    if let Some((call, at)) = other.ended.get(&alarm.occurrence) {
        return *call >= alarm.call && *at < since;
    }
    let age = link.alarms.clock.now(local).map(|now| GatewayTime(alarm.onset_mono_ns).age_at(now));
    let row = other.ended_rows.get(key).zip(age);
    let called = link.has_called(&alarm.occurrence);
    !called && row.is_some_and(|(ended, age)| *ended < since && local.since(*ended) < age)
}
