//! One link: what one gateway says, and how much of it is known now.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ecmo_proto::v1;

use crate::bounded::Bounded;
use crate::lane::{LATE_AFTER, Lane, Why};
use crate::row::{RowKey, Shown, is_active, signals};
use crate::time::{GatewayTime, LocalTime};

/// Most occurrences kept of one gateway: 64 pumps with 64 conditions each. What is beyond is counted and told.
pub(crate) const OCCURRENCES_MAX: usize = 64 * 64;

/// Most pumps kept of one gateway.
const PUMPS_MAX: usize = 256;

/// A gateway that was started anew goes on from what it had kept, and learns within this (prop) what has ended meanwhile: by its
/// samples, or from the other gateway.
const RESTORES_FOR: Duration = Duration::from_secs(15);

/// Most drills that wait to be confirmed; when full the oldest goes, and the gateway tells that it was missed.
const DRILLS_MAX: usize = 16;

/// What is known of one link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// Nothing has come yet.
    Connecting,
    /// What it says holds now.
    Live,
    /// It has said nothing for more than [`LATE_AFTER`]; what it said may still hold.
    Late,
    /// Nothing that it said is known to hold.
    Lost,
}

impl LinkState {
    /// Whether what the link says may be shown as it is now.
    #[must_use]
    pub const fn is_known(self) -> bool {
        match self {
            Self::Live | Self::Late => true,
            Self::Connecting | Self::Lost => false,
        }
    }
}

/// One link as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkView {
    /// What is known of it.
    pub state: LinkState,
    /// Why it is not known, where it is not.
    pub why: Option<Why>,
    /// For how long it has been lost.
    pub lost_for: Option<Duration>,
    /// How old the newest message of its alarm thread is; absent before the first one of a subscription.
    pub silence: Option<Duration>,
    /// Epoch of the gateway; absent before the first message.
    pub epoch: Option<u64>,
    /// Whether its pumps are known, beside its alarms.
    pub pumps_known: bool,
    /// How old the newest message of its pumps is; absent before the first one of a subscription.
    pub pumps_silence: Option<Duration>,
    /// Alarms that were too many to keep.
    pub unlisted: usize,
    /// When the gateway's alarm thread last finished a round, by its own clock; absent while its pumps are not known.
    pub alarm_round: Option<GatewayTime>,
    /// Epoch of its pumps; absent before the first message of them.
    pub pumps_epoch: Option<u64>,
    /// The newest heartbeat of its alarm thread: the gateway's wall time in nanoseconds since 1970 UTC, and its age.
    pub heartbeat: Option<(i64, Duration)>,
    /// The gateway's present time; absent before its first message.
    pub now: Option<GatewayTime>,
}

/// An acknowledgement that a gateway told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Acknowledged {
    pub(crate) call: u32,
    pub(crate) by: String,
    pub(crate) note: String,
}

/// An occurrence that has not ended.
#[derive(Debug, Clone)]
struct Active {
    key: RowKey,
    alarm: Arc<v1::Alarm>,
    /// How often it had called when this subscription first told of it.
    first_call: u32,
}

/// What one gateway says.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) alarms: Lane,
    pub(crate) pumps: Lane,
    /// By occurrence id.
    active: BTreeMap<String, Active>,
    /// The occurrences of each row; hardly ever more than one.
    by_row: BTreeMap<RowKey, Vec<String>>,
    /// When its newest message of alarms came, by this display's clock.
    pub(crate) last_word: LocalTime,
    pub(crate) unlisted: usize,
    pub(crate) acknowledged: Bounded<String, Acknowledged>,
    /// What ended here lately, with the call at which it did.
    pub(crate) ended: Bounded<String, (u32, LocalTime)>,
    /// When something of a row last ended here, by this display's clock: not when its word came.
    pub(crate) ended_rows: Bounded<RowKey, LocalTime>,
    /// When the gateway was first heard after it had started anew, by this display's clock.
    pub(crate) restarted_at: Option<LocalTime>,
    /// By ward and pump.
    pub(crate) by_pump: BTreeMap<(String, String), Arc<v1::Pump>>,
    pub(crate) alarm_round: GatewayTime,
    /// Wall time and time of the newest heartbeat of this epoch.
    pub(crate) heartbeat: Option<(i64, GatewayTime)>,
    drills: Vec<Shown>,
    /// Painted and to be confirmed: occurrence, revision.
    to_confirm: BTreeMap<String, u32>,
    confirmed: BTreeMap<String, u32>,
    /// Epoch and time of the newest message of the alarm stream that was painted.
    pub(crate) painted: Option<(u64, GatewayTime)>,
}

impl Link {
    /// Nothing has been heard of it.
    pub(crate) fn new() -> Self {
        Self {
            alarms: Lane::new(),
            pumps: Lane::new(),
            active: BTreeMap::new(),
            by_row: BTreeMap::new(),
            last_word: LocalTime::default(),
            unlisted: 0,
            acknowledged: Bounded::new(OCCURRENCES_MAX),
            ended: Bounded::new(OCCURRENCES_MAX),
            ended_rows: Bounded::new(OCCURRENCES_MAX),
            restarted_at: None,
            by_pump: BTreeMap::new(),
            alarm_round: GatewayTime::default(),
            heartbeat: None,
            drills: Vec::new(),
            to_confirm: BTreeMap::new(),
            confirmed: BTreeMap::new(),
            painted: None,
        }
    }

    /// What is known of it.
    pub(crate) fn state(&self, local: LocalTime) -> LinkState {
        if self.alarms.epoch.is_none() {
            return LinkState::Connecting;
        }
        if self.why(local).is_some() {
            return LinkState::Lost;
        }
        match self.alarms.silence(local) {
            Some(silence) if silence <= LATE_AFTER => LinkState::Live,
            Some(_) | None => LinkState::Late,
        }
    }

    /// Why its alarms are not known; `None` while they are.
    pub(crate) fn why(&self, local: LocalTime) -> Option<Why> {
        let stream = self.alarms.broken(local);
        // A pump stream of a newer start than the alarms: these are of a gateway that is no more.
        let restarted =
            || self.pumps.broken(local).is_none() && self.pumps.epoch != self.alarms.epoch;
        stream.or_else(|| restarted().then_some(Why::Epoch))
    }

    /// Whether the values of its pumps are known. Where the alarms' subscription alone has ended, they go on, and age; where a
    /// message is missing or the gateway has restarted, nothing of the link counts until it begins anew.
    pub(crate) fn pumps_known(&self, local: LocalTime) -> bool {
        let of_one_start = match self.alarms.cut() {
            None => self.alarms.epoch == self.pumps.epoch,
            Some(Why::Ended | Why::Silent) => true,
            Some(Why::Gap { .. } | Why::Epoch) => false,
        };
        of_one_start && self.pumps.broken(local).is_none()
    }

    /// The link as it may be shown.
    pub(crate) fn view(&self, local: LocalTime) -> LinkView {
        let state = self.state(local);
        let silent_since = || {
            let silence = self.alarms.silence(local)?;
            Some(silence.saturating_sub(crate::lane::LOST_AFTER))
        };
        let lost_for = match state {
            LinkState::Lost => self.alarms.lost_at.map(|at| local.since(at)).or_else(silent_since),
            LinkState::Connecting | LinkState::Live | LinkState::Late => None,
        };
        LinkView {
            state,
            why: self.why(local),
            lost_for,
            silence: self.alarms.silence(local),
            epoch: self.alarms.epoch,
            pumps_known: self.pumps_known(local),
            pumps_silence: self.pumps.silence(local),
            unlisted: self.unlisted,
            alarm_round: Some(self.alarm_round).filter(|_| self.pumps_known(local)),
            pumps_epoch: self.pumps.epoch,
            heartbeat: self.heartbeat.map(|(wall_ns, at)| {
                (wall_ns, at.age_at(self.alarms.clock.now(local).unwrap_or_default()))
            }),
            now: self.alarms.clock.now(local).or_else(|| self.pumps.clock.now(local)),
        }
    }

    /// For how long yet the gateway is held for one that goes on from what it had kept; `None` when it is not.
    pub(crate) fn restores(&self, local: LocalTime) -> Option<Duration> {
        let since = local.since(self.restarted_at?);
        RESTORES_FOR.checked_sub(since).filter(|left| !left.is_zero())
    }

    /// Whether it holds an occurrence.
    pub(crate) fn holds(&self, occurrence: &str) -> bool {
        self.active.contains_key(occurrence)
    }

    /// Whether an occurrence has called anew since this subscription first told of it.
    pub(crate) fn has_called(&self, occurrence: &str) -> bool {
        self.active.get(occurrence).is_some_and(|one| one.alarm.call > one.first_call)
    }

    /// Both subscriptions of one start of the gateway have one clock: the faster message serves both.
    pub(crate) fn share_clock(&mut self, now: GatewayTime, local: LocalTime, begins: bool) {
        if self.alarms.epoch == self.pumps.epoch {
            if begins {
                let joined = self.alarms.clock.joined(&self.pumps.clock, local);
                (self.alarms.clock, self.pumps.clock) = (joined.clone(), joined);
            }
            self.alarms.clock.observe(now, local);
            self.pumps.clock.observe(now, local);
        }
    }

    /// What it holds of a row.
    pub(crate) fn of_row(&self, key: &RowKey) -> impl Iterator<Item = &Arc<v1::Alarm>> {
        let occurrences = self.by_row.get(key).into_iter().flatten();
        occurrences.filter_map(|occurrence| self.active.get(occurrence)).map(|one| &one.alarm)
    }

    /// Every row that it holds something of.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &RowKey> {
        self.by_row.keys()
    }

    /// Keeps a revision; false when what is known is as new.
    pub(crate) fn keep(&mut self, alarm: Arc<v1::Alarm>, key: RowKey, local: LocalTime) -> bool {
        let known = self.active.get(&alarm.occurrence);
        if known.is_some_and(|known| known.alarm.revision >= alarm.revision) {
            return false;
        }
        if is_active(&alarm) {
            self.note_acknowledged(&alarm);
            self.insert(key, alarm);
        } else {
            self.note_ended(&alarm, key, local);
            self.remove(&alarm.occurrence);
        }
        true
    }

    /// It ended here.
    pub(crate) fn note_ended(&mut self, alarm: &v1::Alarm, key: RowKey, local: LocalTime) {
        self.note_acknowledged(alarm);
        self.ended.put(alarm.occurrence.clone(), (alarm.call, local));
        let late =
            self.alarms.clock.now(local).map(|now| GatewayTime(alarm.changed_mono_ns).age_at(now));
        self.ended_rows.put(key, local.before(late.unwrap_or_default()));
    }

    /// Takes the place of everything that was known.
    pub(crate) fn replace(&mut self, alarms: Vec<(RowKey, Arc<v1::Alarm>)>) {
        self.active.clear();
        self.by_row.clear();
        self.unlisted = 0;
        for (key, alarm) in alarms {
            self.note_acknowledged(&alarm);
            self.insert(key, alarm);
        }
        // Whoever listens now may not know what was confirmed before: everything is confirmed once more when painted.
        self.to_confirm.clear();
        self.confirmed.clear();
        self.drills.clear();
    }

    fn insert(&mut self, key: RowKey, alarm: Arc<v1::Alarm>) {
        let occurrence = alarm.occurrence.clone();
        if self.active.len() >= OCCURRENCES_MAX && !self.active.contains_key(&occurrence) {
            self.unlisted = self.unlisted.saturating_add(1);
            return;
        }
        let of_row = self.by_row.entry(key.clone()).or_default();
        if !of_row.contains(&occurrence) {
            of_row.push(occurrence.clone());
        }
        let first_call = self.active.get(&occurrence).map_or(alarm.call, |one| one.first_call);
        self.active.insert(occurrence, Active { key, alarm, first_call });
    }

    /// Holds it no longer.
    pub(crate) fn remove(&mut self, occurrence: &str) {
        self.to_confirm.remove(occurrence);
        self.confirmed.remove(occurrence);
        let Some(Active { key, .. }) = self.active.remove(occurrence) else { return };
        if let Some(of_row) = self.by_row.get_mut(&key) {
            of_row.retain(|one| one != occurrence);
            if of_row.is_empty() {
                self.by_row.remove(&key);
            }
        }
    }

    fn note_acknowledged(&mut self, alarm: &v1::Alarm) {
        if signals(alarm) || alarm.acknowledged_by.is_empty() {
            return;
        }
        let (by, note) = (alarm.acknowledged_by.clone(), alarm.acknowledged_note.clone());
        let newer =
            self.acknowledged.get(&alarm.occurrence).is_none_or(|ack| ack.call <= alarm.call);
        if newer {
            let acknowledged = Acknowledged { call: alarm.call, by, note };
            self.acknowledged.put(alarm.occurrence.clone(), acknowledged);
        }
    }

    /// Keeps pumps: all of them, or those that changed.
    pub(crate) fn keep_pumps(&mut self, pumps: Vec<v1::Pump>, all: bool) {
        if all {
            self.by_pump.clear();
        }
        for pump in pumps {
            let name = (pump.ward.clone(), pump.pump.clone());
            if self.by_pump.len() < PUMPS_MAX || self.by_pump.contains_key(&name) {
                self.by_pump.insert(name, Arc::new(pump));
            }
        }
    }

    /// A drill came: to be confirmed with the next picture, and never shown.
    pub(crate) fn drill(&mut self, drill: v1::Drill) {
        if self.drills.len() >= DRILLS_MAX {
            self.drills.remove(0);
        }
        self.drills.push(Shown { occurrence: drill.occurrence, revision: drill.revision });
    }

    /// A revision was painted.
    pub(crate) fn painted_alarm(&mut self, occurrence: &str, revision: u32) {
        let is_newer = |known: &BTreeMap<String, u32>| {
            known.get(occurrence).is_none_or(|known| *known < revision)
        };
        // What has ended meanwhile needs no confirmation.
        let is_known = self.active.contains_key(occurrence);
        if is_known && is_newer(&self.confirmed) && is_newer(&self.to_confirm) {
            self.to_confirm.insert(occurrence.to_owned(), revision);
        }
    }

    /// A picture was painted in which so many drills had come.
    pub(crate) fn painted_drills(&mut self, count: usize) {
        let painted = self.drills.drain(..count.min(self.drills.len()));
        self.to_confirm.extend(painted.map(|drill| (drill.occurrence, drill.revision)));
    }

    /// How many drills wait.
    pub(crate) const fn drills(&self) -> usize {
        self.drills.len()
    }

    /// What was painted and is to be confirmed; it counts as confirmed from now on.
    pub(crate) fn take_confirmations(&mut self) -> Vec<Shown> {
        let taken = std::mem::take(&mut self.to_confirm);
        self.confirmed
            .extend(taken.iter().map(|(occurrence, revision)| (occurrence.clone(), *revision)));
        let shown = |(occurrence, revision)| Shown { occurrence, revision };
        taken.into_iter().map(shown).collect()
    }

    /// These could not be confirmed, or did not count: they are tried again.
    pub(crate) fn put_back(&mut self, shown: Vec<Shown>) {
        for Shown { occurrence, revision } in shown {
            if self.confirmed.get(&occurrence) == Some(&revision) {
                self.confirmed.remove(&occurrence);
                self.painted_alarm(&occurrence, revision);
            }
        }
    }
}
