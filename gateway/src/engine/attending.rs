//! Displays on the alarm thread: leases, confirmations, alarms that must go to other wards, and the gateway's own alarms.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ecmo_core::alarm::Alarms;
use ecmo_core::alarm::occurrence::Signal;
use ecmo_core::attendance::{
    AttendWord, Attendance, Confirmation, DisplayState, Health, TooManyDisplays, Watched,
};
use ecmo_core::pump::Link;
use ecmo_core::time::Instant;
use ecmo_core::uplink::{self, PeerHeard};
use ecmo_proto::topic::Id;
use tokio::sync::oneshot;

use super::command::{Command, EngineHandle, NoAnswer};
use super::drill::DrillDecision;
use super::entry::Entry;
use super::hub::{Confirmed, Note, Outbox, Revision};
use super::rounds::Rounds;
use super::ward::Ward;
use crate::fanout::AlarmUpdate;
use crate::ingest::Arrival;
use crate::latency::Hop;
use crate::metrics::{CanaryStage, StreamKind};

/// A display as the gateway knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct DisplayView {
    /// Its name.
    pub name: Arc<str>,
    /// Wards that it attends; empty for all.
    pub wards: Vec<Arc<str>>,
    /// What it does.
    pub state: DisplayState,
    /// What it last said of itself.
    pub health: Health,
    /// When its lease ends.
    pub lease_until: Instant,
    /// High alarms of its wards that it has not confirmed.
    pub unconfirmed: u32,
}

/// Who has shown one alarm that signals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmConfirmations {
    /// The id that displays know.
    pub occurrence: String,
    /// The newest revision.
    pub revision: u32,
    /// The oldest revision that shows as much.
    pub covers_from: u32,
    /// Displays that have shown it: name, revision, and time from the decision where it is known.
    pub confirmations: Vec<(Arc<str>, u32, Option<Duration>)>,
    /// Displays that attend its ward and have not.
    pub missing: Vec<Arc<str>>,
}

/// What is asked about displays, and what the other parts tell of themselves.
#[derive(Debug)]
pub(super) enum SelfCommand {
    Attend { word: AttendWord, reply: oneshot::Sender<Result<DisplayState, TooManyDisplays>> },
    Leave { display: String, reply: oneshot::Sender<()> },
    Displays { ward: Option<Id>, reply: oneshot::Sender<Vec<DisplayView>> },
    Confirmations { ward: Option<Id>, reply: oneshot::Sender<Vec<AlarmConfirmations>> },
    Confirm { display: String, shown: Vec<(String, u32)>, reply: oneshot::Sender<Confirmed> },
    DrillSent { number: u64 },
    Peer(PeerHeard),
    StateDurable(bool),
}

impl EngineHandle {
    /// Takes or renews the lease of a display; what it is taken for.
    ///
    /// # Errors
    /// The alarm thread does not answer; or, inside, the most displays are known.
    pub async fn attend(
        &self,
        word: AttendWord,
    ) -> Result<Result<DisplayState, TooManyDisplays>, NoAnswer> {
        self.ask(|reply| Command::OfItself(SelfCommand::Attend { word, reply })).await
    }

    /// Ends the lease of a display that says goodbye.
    ///
    /// # Errors
    /// The alarm thread does not answer.
    pub async fn leave(&self, display: String) -> Result<(), NoAnswer> {
        self.ask(|reply| Command::OfItself(SelfCommand::Leave { display, reply })).await
    }

    /// Every display that holds a lease or has lost one, of one ward or all, by name.
    ///
    /// # Errors
    /// The alarm thread does not answer.
    pub async fn displays(&self, ward: Option<Id>) -> Result<Vec<DisplayView>, NoAnswer> {
        self.ask(|reply| Command::OfItself(SelfCommand::Displays { ward, reply })).await
    }

    /// Who has shown each alarm that signals, of one ward or all, most urgent first.
    ///
    /// # Errors
    /// The alarm thread does not answer.
    pub async fn confirmations(
        &self,
        ward: Option<Id>,
    ) -> Result<Vec<AlarmConfirmations>, NoAnswer> {
        self.ask(|reply| Command::OfItself(SelfCommand::Confirmations { ward, reply })).await
    }

    /// Takes note of what a display has shown: alarms, and drills.
    ///
    /// # Errors
    /// The alarm thread does not answer.
    pub async fn confirm(
        &self,
        display: String,
        shown: Vec<(String, u32)>,
    ) -> Result<Confirmed, NoAnswer> {
        self.ask(|reply| Command::OfItself(SelfCommand::Confirm { display, shown, reply })).await
    }

    /// The frame of a drill that crosses the limit is being sent: to be called before it is.
    ///
    /// # Errors
    /// There is no room for the command: the drill will not be judged.
    pub fn drill_sent(&self, number: u64) -> Result<(), NoAnswer> {
        self.tell(Command::OfItself(SelfCommand::DrillSent { number }))
    }

    /// Another gateway was heard: [`ecmo_core::uplink::PeerWord::hear`] says what its word means.
    ///
    /// # Errors
    /// There is no room for the command; the next heartbeat comes in a second.
    pub fn peer(&self, heard: PeerHeard) -> Result<(), NoAnswer> {
        self.tell(Command::OfItself(SelfCommand::Peer(heard)))
    }

    /// What people do is durable, or could not be written just now. To be called when it changes, and again if refused.
    ///
    /// # Errors
    /// There is no room for the command.
    pub fn state_durable(&self, durable: bool) -> Result<(), NoAnswer> {
        self.tell(Command::OfItself(SelfCommand::StateDurable(durable)))
    }
}

impl Rounds {
    /// Takes note of what was handed to the displays, and judges at once: an alarm that has ended is no longer one that
    /// nobody has seen.
    pub(super) fn answer_for(&mut self, notes: Vec<Note>, now: Instant) {
        for note in notes {
            match note {
                Note::Alarm(one) => self.attendance.on_alarm(one.handed_over(), now),
                Note::Took(hop, took) => self.uplink.on_alarm_hop(hop, took, now),
            }
        }
        self.attend(now);
    }

    /// Answers from the start for alarms that were there before: nobody has seen them yet in this start of the gateway.
    pub(super) fn answer_for_restored(&mut self, now: Instant) {
        for update in self.alarms(None) {
            let revision = Revision::of(update.id(), &update.occurrence);
            self.attendance.on_alarm(revision.handed_over(), now);
        }
    }

    /// Judges the gateway and its displays, and gives what nobody of its ward has confirmed to the others.
    pub(super) fn attend(&mut self, now: Instant) {
        self.uplink.on_attended(self.attendance.attending(None, now) > 0);
        self.uplink.on_undelivered(self.attendance.overdue(now));
        if let Some(decided) = self.drill.on_tick(now) {
            self.drill_decided(&decided);
        }
        self.uplink.on_tick(now, &mut Outbox::own(&mut self.hub, None, now));
        self.attendance.on_tick(now, &mut self.hub);
        for id in self.attendance.take_redirects(now) {
            let Some(update) = self.update_of(&id) else { continue };
            self.metrics.alarms_redirected.increment(1);
            tracing::warn!(alarm = %id, "no display of its ward has confirmed it; given to all");
            self.hub.redirect(update);
        }
    }

    /// Does what is due each second: which wards are to be watched, and what Prometheus is told.
    pub(super) fn on_beat(&mut self, now: Instant) {
        let wards = self.ward.to_watch(now);
        let attended = |ward: &&Arc<str>| self.attendance.attending(Some(ward), now) > 0;
        let unattended = wards.iter().filter(|ward| !attended(ward)).count();
        let gauge = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        self.metrics.wards_unattended.set(gauge(unattended));
        self.metrics.displays_attending.set(gauge(self.attendance.attending(None, now)));
        self.metrics.canary_failures.absolute(self.uplink.drill_failures());
        self.attendance.set_wards(wards, now);
        self.tell_unacknowledged(now);
    }

    /// Takes a message of a synthetic pump.
    pub(super) fn on_drill(&mut self, arrival: &Arrival) {
        if let Some(decided) = self.drill.on_arrival(arrival) {
            self.drill_decided(&decided);
        }
    }

    fn drill_decided(&mut self, decided: &DrillDecision) {
        let now = self.clock.now();
        let latency = self.metrics.canary_latency_seconds.get(CanaryStage::Decided);
        latency.record(now.since(decided.sampled).as_secs_f64());
        self.hub.drill(Arc::clone(&decided.occurrence), decided.revision);
        self.uplink.on_drill_decided(now);
    }

    /// Takes what a display has shown: measures it, and lets it count if the display attends.
    fn confirm(&mut self, display: &str, shown: &[(String, u32)], now: Instant) -> Confirmed {
        // What was handed over in this round is known first.
        self.judge_self();
        let waited = self.attendance.overdue(now).is_some();
        let attends = self.attendance.is_attending(display, now);
        let mut confirmed = Confirmed { counts: attends, ..Confirmed::default() };
        for (id, revision) in shown {
            if self.drill.is_newest(id, *revision) {
                confirmed.known += 1;
                if attends {
                    self.drill_confirmed(now);
                }
                continue;
            }
            let found = self.hub.recent.find(id, *revision);
            let took = found.map(|found| now.since(found.decided_at));
            let taken = self.attendance.confirm(display, id, *revision, took, now);
            confirmed.counts &= taken.counts || !taken.known;
            self.metrics.confirmations.increment(u64::from(taken.counts));
            let Some(took) = took else { continue };
            confirmed.known += 1;
            confirmed.last_took = Some(took);
            self.measure(display, (id, *revision), taken.counts, now);
        }
        if waited {
            // What was seen no longer waits.
            self.attend(now);
        }
        confirmed
    }

    fn drill_confirmed(&mut self, now: Instant) {
        self.uplink.on_drill_confirmed();
        if let Some(sampled) = self.drill.confirm() {
            let latency = self.metrics.canary_latency_seconds.get(CanaryStage::Confirmed);
            latency.record(now.since(sampled).as_secs_f64());
        }
    }

    /// Measures a confirmation. The first display counts: from then on somebody can know. Later ones may have joined later.
    fn measure(&mut self, display: &str, (id, revision): (&str, u32), counts: bool, now: Instant) {
        let since = self.attendance.attends_since(display, now);
        let (hub, uplink) = (&mut self.hub, &mut self.uplink);
        let Some(found) = hub.recent.find(id, revision) else { return };
        let took = now.since(found.decided_at);
        if !std::mem::replace(&mut found.confirmed, true) {
            hub.latencies.record_between(Hop::DecidedToConfirmed, found.decided_at, now);
            if let Some(before) = found.sampled_to_decided {
                let nanos = i64::try_from((before + took).as_nanos()).unwrap_or(i64::MAX);
                if let Some(seconds) = hub.latencies.record(Hop::SampledToConfirmed, nanos) {
                    let end_to_end = &hub.metrics.end_to_end_latency_seconds;
                    end_to_end.get(StreamKind::Alarm).record(seconds);
                }
            }
        }
        if !counts || std::mem::replace(&mut found.counted, true) {
            return;
        }
        // One that came later than the alarm did not take so long to show it.
        if since.is_some_and(|since| since <= found.decided_at) {
            uplink.on_hop(uplink::Hop::Display, took, now);
            if found.is_high {
                uplink.on_alarm_hop(uplink::Hop::Display, took, now);
            }
        }
    }

    /// Who has shown each alarm that signals, most urgent first.
    fn confirmations(&self, ward: Option<&Id>, now: Instant) -> Vec<AlarmConfirmations> {
        let signals =
            |one: &AlarmUpdate| matches!(one.occurrence.signal(), Signal::On | Signal::Latched);
        let of = |update: AlarmUpdate| {
            let occurrence = update.id();
            let watched = self.attendance.alarm(&occurrence)?;
            let by = watched.confirmations.iter().filter(|one| one.counted > 0);
            // How long it took is of the newest revision that it has named.
            let took = |one: &Confirmation| one.took.filter(|_| one.counted == one.revision);
            let by = by.map(|one| (Arc::clone(&one.display), one.counted, took(one)));
            Some(AlarmConfirmations {
                occurrence,
                revision: watched.revision,
                covers_from: watched.covers_from,
                confirmations: by.collect(),
                missing: self.attendance.missing(watched, now),
            })
        };
        self.alarms(ward).into_iter().filter(signals).filter_map(of).collect()
    }

    /// Every occurrence that has not ended, most urgent first.
    pub(super) fn alarms(&self, ward: Option<&Id>) -> Vec<AlarmUpdate> {
        // One of another ward may have been given to all.
        let mut alarms = self.ward.alarms(ward.filter(|_| !self.hub.redirects()), &self.hub);
        alarms.extend(self.own_alarms());
        alarms.retain(|one| one.concerns(ward));
        alarms.sort_by_key(|one| one.occurrence.urgency());
        alarms
    }

    pub(super) fn own_alarms(&self) -> impl Iterator<Item = AlarmUpdate> {
        let of_wards = self.attendance.ward_alarms();
        let of_wards = of_wards.flat_map(move |(ward, alarms)| {
            alarms.iter().map(move |one| self.hub.update_of_ward(ward, one))
        });
        self.uplink.alarms().iter().map(|one| self.hub.update_of(None, one)).chain(of_wards)
    }

    /// The occurrence of the gateway itself, or about one of its wards, that displays know by this id.
    pub(super) fn own(&self, id: &str) -> Option<AlarmUpdate> {
        self.own_alarms().find(|update| update.id() == id)
    }

    fn update_of(&self, id: &str) -> Option<AlarmUpdate> {
        self.own(id).or_else(|| self.ward.update(id, &self.hub))
    }

    /// Does something to the gateway's own alarms, or to those about one ward; `None` where there are none about it.
    pub(super) fn on_own<T>(
        &mut self,
        ward: Option<&Arc<str>>,
        now: Instant,
        act: impl FnOnce(&mut Alarms, &mut Outbox<'_>) -> T,
    ) -> Option<T> {
        let mut outbox = Outbox::own(&mut self.hub, ward, now);
        match ward {
            None => Some(act(self.uplink.alarms_mut(), &mut outbox)),
            Some(ward) => {
                let alarms = self.attendance.ward_alarms_mut(ward);
                alarms.map(|alarms| act(alarms, &mut outbox))
            }
        }
    }

    /// Does something to the gateway's own alarms and to those about a ward, or all wards, and adds up the counts.
    pub(super) fn on_all_own(
        &mut self,
        ward: Option<&Id>,
        now: Instant,
        act: impl Fn(&mut Alarms, &mut Outbox<'_>) -> u32,
    ) -> u32 {
        let wards = self.attendance.ward_alarms().map(|(name, _alarms)| Arc::clone(name));
        let wards: Vec<_> =
            wards.filter(|name| ward.is_none_or(|ward| **name == *ward.as_str())).collect();
        let abouts = std::iter::once(None).chain(wards.iter().map(Some));
        abouts.fold(0, |sum, about| sum.saturating_add(self.on_own(about, now, &act).unwrap_or(0)))
    }

    /// Carries out what is asked about displays, or takes what other parts tell.
    pub(super) fn on_self_command(&mut self, command: SelfCommand, now: Instant) {
        // An asker that has gone away needs no answer: hence the ignored results of send.
        match command {
            SelfCommand::Attend { word, reply } => {
                let _asker_gone = reply.send(self.attendance.attend(word, now));
            }
            SelfCommand::Leave { display, reply } => {
                self.attendance.leave(&display);
                let _asker_gone = reply.send(());
            }
            SelfCommand::Displays { ward, reply } => {
                let _asker_gone = reply.send(displays(&self.attendance, ward.as_ref(), now));
            }
            SelfCommand::Confirmations { ward, reply } => {
                let _asker_gone = reply.send(self.confirmations(ward.as_ref(), now));
            }
            SelfCommand::Confirm { display, shown, reply } => {
                let _asker_gone = reply.send(self.confirm(&display, &shown, now));
            }
            SelfCommand::DrillSent { number } => {
                tracing::debug!(number, "drill sent");
                self.uplink.on_drill_sent(now);
            }
            SelfCommand::Peer(heard) => self.uplink.on_peer(&heard, now),
            SelfCommand::StateDurable(durable) => self.uplink.on_state(durable, now),
        }
    }
}

/// The displays of a ward, or all, by name.
fn displays(attendance: &Attendance, ward: Option<&Id>, now: Instant) -> Vec<DisplayView> {
    let own = attendance.displays().iter();
    let own = own.filter(|one| ward.is_none_or(|ward| one.is_of(ward.as_str())));
    let mut views: Vec<_> = own
        .map(|one| {
            let due = attendance.alarms().filter(|(_id, alarm)| {
                alarm.signals
                    && alarm.must_be_seen
                    && alarm.ward.as_deref().is_none_or(|ward| one.is_of(ward))
            });
            let has_not = |alarm: &&Watched| {
                !alarm
                    .confirmations
                    .iter()
                    .any(|by| by.display == one.name && by.revision >= alarm.covers_from)
            };
            let unconfirmed = due.map(|(_id, alarm)| alarm).filter(has_not).count();
            DisplayView {
                name: Arc::clone(&one.name),
                wards: one.wards.clone(),
                state: one.state(now),
                health: one.health,
                lease_until: one.lease_until,
                unconfirmed: u32::try_from(unconfirmed).unwrap_or(u32::MAX),
            }
        })
        .collect();
    views.sort_by(|one, other| one.name.cmp(&other.name));
    views
}

impl Ward {
    /// Wards that somebody must watch: one of their pumps lives, is expected, or has an alarm that is not over.
    fn to_watch(&self, now: Instant) -> Vec<Arc<str>> {
        let is_due = |entry: &&Entry| {
            let expected = matches!(entry.pump.link(now), Link::Live | Link::NeverSeen);
            expected || !entry.pump.alarms().is_empty()
        };
        let due = self.pumps.values().filter(is_due);
        let names: BTreeSet<&str> = due.map(|entry| entry.slot.address.ward.as_str()).collect();
        names.into_iter().map(Arc::from).collect()
    }
}
