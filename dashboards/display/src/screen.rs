//! The screen: takes what the gateways say, and knows at any time what may be shown and what must be confirmed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use ecmo_proto::v1;
use v1::watch_alarms_response::Update;

use crate::bounded::Bounded;
use crate::lane::{LinkId, Place, Why};
use crate::link::{Link, LinkState, LinkView, OCCURRENCES_MAX};
use crate::pump::{self, PumpView};
use crate::row::{Change, Missed, Row, RowKey, is_active, urgency};
use crate::time::{GatewayTime, LocalTime};

mod deadline;

mod news;

mod paint;

use news::Cause;
pub use paint::Picture;

/// Most missed alarms kept; as many as a gateway remembers.
const MISSED_MAX: usize = 1_024;

/// Most changes that wait to be taken; beyond it the oldest go, and are counted.
const CHANGES_MAX: usize = 4_096;

/// What of a link must be subscribed anew, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resubscribe {
    /// The alarms.
    pub alarms: Option<Why>,
    /// The pumps.
    pub pumps: Option<Why>,
}

/// What one display knows. Every input carries the display's own monotonic time; outputs are of the newest of these times.
#[derive(Debug, Clone)]
pub struct Screen {
    ward: String,
    links: Vec<Link>,
    now: LocalTime,
    rows: BTreeMap<RowKey, Row>,
    /// Which links were known when the rows were last made, and which went on from what they had kept.
    known: Vec<(bool, bool)>,
    /// Occurrences that were painted, with the greatest call that was.
    painted: Bounded<String, u32>,
    missed: VecDeque<Missed>,
    missed_incomplete: bool,
    changes: VecDeque<Change>,
    changes_lost: usize,
}

impl Screen {
    /// A display of one ward, or of all (empty), with so many links.
    #[must_use]
    pub fn new(links: u8, ward: &str) -> Self {
        let links: Vec<Link> = (0..links).map(|_| Link::new()).collect();
        Self {
            ward: ward.to_owned(),
            known: vec![(false, false); links.len()],
            links,
            now: LocalTime::default(),
            rows: BTreeMap::new(),
            painted: Bounded::new(2 * OCCURRENCES_MAX),
            missed: VecDeque::new(),
            missed_incomplete: false,
            changes: VecDeque::new(),
            changes_lost: 0,
        }
    }

    /// Takes a message of the alarms of a link.
    pub fn on_alarms(&mut self, id: LinkId, message: v1::WatchAlarmsResponse, local: LocalTime) {
        self.advance(local);
        let Some(link) = self.link_mut(id) else { return };
        let (epoch, now) = (message.epoch, GatewayTime(message.now_mono_ns));
        let before = link.alarms.epoch;
        let place = link.alarms.take(message.sequence, epoch, now, local);
        if before != link.alarms.epoch {
            link.heartbeat = None;
            link.restarted_at = before.map(|_before| local);
        }
        if place != Place::Useless {
            link.last_word = local;
            link.share_clock(now, local, place == Place::First);
        }
        match (place, message.update) {
            (Place::Useless, _) => {}
            (Place::First | Place::Next, Some(Update::Snapshot(snapshot))) => {
                self.take_snapshot(id, snapshot, before == Some(epoch));
            }
            // A subscription that does not begin with everything tells nothing.
            (Place::First, _) => link.alarms.lose(Why::Gap { expected: 0, got: 0 }, local),
            (Place::Next, Some(Update::Alarm(alarm))) => self.take_revision(id, alarm),
            (Place::Next, Some(Update::Heartbeat(beat))) => {
                link.heartbeat = Some((beat.wall_ns, now));
            }
            (Place::Next, Some(Update::Drill(drill))) => link.drill(drill),
            // A newer gateway's kind of message: it proves life and nothing more.
            (Place::Next, None) => {}
        }
        self.settle();
    }

    /// Takes a message of the pumps of a link.
    pub fn on_pumps(&mut self, id: LinkId, message: v1::WatchPumpsResponse, local: LocalTime) {
        let stamp = Stamp {
            sequence: message.sequence,
            epoch: message.epoch,
            now: message.now_mono_ns,
            round: message.alarm_thread_mono_ns,
        };
        self.take_pumps(id, stamp, Some(message.pumps), local);
    }

    /// Takes a message of the stream of a ward; the waveform in it is returned, when the message has its place.
    pub fn on_ward(
        &mut self,
        id: LinkId,
        message: v1::WatchWardResponse,
        local: LocalTime,
    ) -> Option<v1::WaveformUpdate> {
        let stamp = Stamp {
            sequence: message.sequence,
            epoch: message.epoch,
            now: message.now_mono_ns,
            round: message.alarm_thread_mono_ns,
        };
        let (pumps, waveform) = match message.update {
            Some(v1::watch_ward_response::Update::Pumps(update)) => (Some(update.pumps), None),
            Some(v1::watch_ward_response::Update::Waveform(waveform)) => (None, Some(waveform)),
            None => (None, None),
        };
        let placed = self.take_pumps(id, stamp, pumps, local);
        waveform.filter(|_| placed)
    }

    /// A link is being opened anew: both of its subscriptions are of no use until they begin.
    pub fn on_connecting(&mut self, id: LinkId, local: LocalTime) {
        self.on_lost(id, local);
    }

    /// A link was lost.
    pub fn on_lost(&mut self, id: LinkId, local: LocalTime) {
        self.advance(local);
        if let Some(link) = self.link_mut(id) {
            link.alarms.lose(Why::Ended, local);
            link.pumps.lose(Why::Ended, local);
        }
        self.settle();
    }

    /// The subscription to the alarms of a link was lost alone.
    pub fn on_alarms_lost(&mut self, id: LinkId, local: LocalTime) {
        self.advance(local);
        if let Some(link) = self.link_mut(id) {
            link.alarms.lose(Why::Ended, local);
        }
        self.settle();
    }

    /// The subscription to the pumps of a link was lost alone.
    pub fn on_pumps_lost(&mut self, id: LinkId, local: LocalTime) {
        self.advance(local);
        if let Some(link) = self.link_mut(id) {
            link.pumps.lose(Why::Ended, local);
        }
    }

    /// A call that was sent at `sent` was answered by the gateway of this epoch at its time `now_mono_ns`: it bounds how late
    /// everything from there can be.
    pub fn on_answer(
        &mut self,
        id: LinkId,
        epoch: u64,
        now_mono_ns: u64,
        sent: LocalTime,
        local: LocalTime,
    ) {
        self.advance(local);
        let Some(link) = self.link_mut(id) else { return };
        for lane in [&mut link.alarms, &mut link.pumps] {
            lane.answered(epoch, GatewayTime(now_mono_ns), sent, local);
        }
        self.settle();
    }

    /// Time has passed.
    pub fn tick(&mut self, local: LocalTime) {
        self.advance(local);
        self.settle();
    }

    /// The newest time that an input carried.
    #[must_use]
    pub const fn now(&self) -> LocalTime {
        self.now
    }

    /// The alarms, one row each, the most urgent first.
    #[must_use]
    pub fn rows(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.values().collect();
        rows.sort_by(|one, other| urgency(one).cmp(&urgency(other)));
        rows
    }

    /// One row.
    #[must_use]
    pub fn row(&self, key: &RowKey) -> Option<&Row> {
        self.rows.get(key)
    }

    /// Every pump that any gateway told of, by ward and pump, each by the freshest link that is known.
    #[must_use]
    pub fn pumps(&self) -> Vec<PumpView> {
        let mut views: BTreeMap<&(String, String), PumpView> = BTreeMap::new();
        for (id, link) in self.each() {
            for (name, pump) in &link.by_pump {
                let view = pump::view(id, link, pump, self.now);
                let better = views.get(name).is_none_or(|other| pump::is_better(&view, other));
                if better {
                    views.insert(name, view);
                }
            }
        }
        views.into_values().collect()
    }

    /// The links, in their order.
    #[must_use]
    pub fn links(&self) -> Vec<LinkView> {
        self.links.iter().map(|link| link.view(self.now)).collect()
    }

    /// One link.
    #[must_use]
    pub fn link(&self, id: LinkId) -> Option<LinkView> {
        self.links.get(usize::from(id.0)).map(|link| link.view(self.now))
    }

    /// Whether any link is known: without one nothing on the screen holds.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.links.iter().any(|link| link.state(self.now).is_known())
    }

    /// The present time of a link's gateway, by which the ages in its rows are counted; `None` before its first message.
    #[must_use]
    pub fn gateway_now(&self, id: LinkId) -> Option<GatewayTime> {
        self.links.get(usize::from(id.0))?.alarms.clock.now(self.now)
    }

    /// The time of the gateway by which the alarm of a change is dated.
    #[must_use]
    pub fn now_for(&self, change: &Change) -> GatewayTime {
        let Some(link) = self.links.get(usize::from(change.row().link.0)) else {
            return GatewayTime::default();
        };
        let clock = match change {
            Change::Forgotten(_) => &link.alarms.clock_before,
            Change::New(_) | Change::Changed(..) | Change::Ended(_) | Change::EndedUnseen(_) => {
                &link.alarms.clock
            }
        };
        clock.now(self.now).unwrap_or_default()
    }

    /// What came and went without being painted, the newest first; at most 1,024.
    #[must_use]
    pub fn missed(&self) -> impl ExactSizeIterator<Item = &Missed> {
        self.missed.iter()
    }

    /// Whether more was missed than is known.
    #[must_use]
    pub const fn missed_is_incomplete(&self) -> bool {
        self.missed_incomplete
    }

    /// A person has read what was missed.
    pub fn forget_missed(&mut self) {
        self.missed.clear();
        self.missed_incomplete = false;
    }

    /// What became of rows since this was last asked, the oldest first; and how many changes were too many to keep.
    pub fn take_changes(&mut self) -> (Vec<Change>, usize) {
        (std::mem::take(&mut self.changes).into(), std::mem::take(&mut self.changes_lost))
    }

    /// Until when everything of a link has been seen; for the next subscription to its alarms.
    #[must_use]
    pub fn seen_until(&self, id: LinkId) -> Option<v1::SeenUntil> {
        let link = self.links.get(usize::from(id.0))?;
        let epoch = link.alarms.epoch?;
        let wall_ns = link.heartbeat.map_or(0, |(wall_ns, _)| wall_ns);
        Some(v1::SeenUntil { epoch, mono_ns: link.alarms.newest.0, wall_ns })
    }

    /// What of a link must be subscribed anew.
    #[must_use]
    pub fn needs_resubscribe(&self, id: LinkId) -> Resubscribe {
        let Some(link) = self.links.get(usize::from(id.0)) else {
            return Resubscribe { alarms: None, pumps: None };
        };
        let other_epoch = link.pumps.epoch != link.alarms.epoch;
        let pumps = link.pumps.broken(self.now);
        let both = link.alarms.broken(self.now).is_none() && other_epoch;
        Resubscribe {
            alarms: link.why(self.now),
            pumps: pumps.or_else(|| both.then_some(Why::Epoch)),
        }
    }

    fn take_pumps(
        &mut self,
        id: LinkId,
        stamp: Stamp,
        pumps: Option<Vec<v1::Pump>>,
        local: LocalTime,
    ) -> bool {
        self.advance(local);
        let Some(link) = self.link_mut(id) else { return false };
        let now = GatewayTime(stamp.now);
        let place = link.pumps.take(stamp.sequence, stamp.epoch, now, local);
        if place != Place::Useless {
            link.share_clock(now, local, place == Place::First);
            link.alarm_round = GatewayTime(stamp.round);
        }
        match (place, pumps) {
            (Place::Useless, _) | (Place::Next, None) => {}
            (Place::First, Some(pumps)) => link.keep_pumps(pumps, true),
            (Place::First, None) => link.pumps.lose(Why::Gap { expected: 0, got: 0 }, local),
            (Place::Next, Some(pumps)) => link.keep_pumps(pumps, false),
        }
        self.settle();
        place != Place::Useless
    }

    fn take_snapshot(&mut self, id: LinkId, snapshot: v1::AlarmSnapshot, same_epoch: bool) {
        let local = self.now;
        let keyed = |alarm: v1::Alarm| (RowKey::of(&alarm, id), Arc::new(alarm));
        let (ward, missed_more) = (self.ward.clone(), snapshot.ended_incomplete);
        let shown = |alarm: &v1::Alarm| is_active(alarm) && concerns(&ward, alarm);
        let alarms = snapshot.alarms.into_iter().filter(shown).map(keyed).collect();
        let ended: Vec<_> = snapshot.ended.into_iter().map(keyed).collect();
        let Some(link) = self.link_mut(id) else { return };
        let mut touched: BTreeSet<RowKey> = link.rows().cloned().collect();
        link.replace(alarms);
        touched.extend(link.rows().cloned());
        for (key, alarm) in ended.iter().rev() {
            link.note_ended(alarm, key.clone(), local);
            touched.insert(key.clone());
        }
        self.missed_incomplete |= missed_more;
        for key in &touched {
            self.refresh(key, &Cause::Snapshot { same_epoch });
        }
        for (_, alarm) in ended.into_iter().rev() {
            self.note_missed(id, alarm, true);
        }
    }

    fn take_revision(&mut self, id: LinkId, alarm: v1::Alarm) {
        let local = self.now;
        let concerned = concerns(&self.ward, &alarm);
        let (key, alarm) = (RowKey::of(&alarm, id), Arc::new(alarm));
        let Some(link) = self.link_mut(id) else { return };
        let is_news = if concerned || !is_active(&alarm) {
            link.keep(Arc::clone(&alarm), key.clone(), local)
        } else {
            // It was sent here although it is of another ward, and is so no longer.
            link.remove(&alarm.occurrence);
            true
        };
        if is_news {
            self.refresh(&key, &Cause::Revision(id, Arc::clone(&alarm)));
            // Its row may go on with a newer occurrence.
            if !is_active(&alarm) {
                self.note_missed(id, alarm, false);
            }
        }
    }

    fn advance(&mut self, local: LocalTime) {
        self.now = self.now.max(local);
    }

    /// Makes the rows anew when a link was lost or is heard again.
    fn settle(&mut self) {
        let now = self.now;
        let state = |link: &Link| (link.state(now).is_known(), link.restores(now).is_some());
        let known: Vec<_> = self.links.iter().map(state).collect();
        if known == self.known {
            return;
        }
        self.known = known;
        let mut touched: BTreeSet<RowKey> = self.rows.keys().cloned().collect();
        touched.extend(self.links.iter().flat_map(Link::rows).cloned());
        for key in &touched {
            self.refresh(key, &Cause::Link);
        }
    }

    fn link_mut(&mut self, id: LinkId) -> Option<&mut Link> {
        self.links.get_mut(usize::from(id.0))
    }

    fn each(&self) -> impl Iterator<Item = (LinkId, &Link)> {
        (0..).map(LinkId).zip(&self.links)
    }
}

/// What every message of pumps carries.
struct Stamp {
    sequence: u64,
    epoch: u64,
    now: u64,
    round: u64,
}

/// Whether an alarm is for a display of this ward.
fn concerns(ward: &str, alarm: &v1::Alarm) -> bool {
    ward.is_empty() || alarm.ward.is_empty() || alarm.ward == ward || alarm.redirected
}

/// States of links are for people too.
impl std::fmt::Display for LinkState {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Late => "late",
            Self::Lost => "lost",
        })
    }
}
