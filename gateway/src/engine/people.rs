//! What people do to the pumps and their alarms, and to those of the gateway itself; and what a new alarm does to pauses.

use ecmo_core::alarm::action::{Action, AlarmRef, Ask, What};
use ecmo_core::alarm::occurrence::{Occurrence, OccurrenceId, PauseScope};
use ecmo_core::alarm::quality::STALE_AFTER;
use ecmo_core::alarm::treatment::Treatment;
use ecmo_core::alarm::{Refused, Waiting};
use ecmo_core::pump::Pump;
use ecmo_core::reconcile::Difference;
use ecmo_core::time::Instant;
use ecmo_proto::topic::{Id, PumpAddress, WHOLE_WARD};

use super::command::Report;
use super::entry::Entry;
use super::hub::{Hub, Outbox};
use super::rounds::Rounds;
use super::ward::Ward;
use crate::action::{ActionRecord, Applied, Intent, Prepared, Target};
use crate::fanout::AlarmUpdate;

impl Rounds {
    /// What an intent means at each pump that it concerns. Changes nothing.
    ///
    /// # Errors
    /// See [`super::EngineHandle::prepare`].
    pub(super) fn prepare(
        &mut self,
        intent: &Intent,
        by: &str,
        now: Instant,
    ) -> Result<Vec<Prepared>, Refused> {
        match intent {
            Intent::Acknowledge { id, revision } => {
                let (address, found) = self.find(id)?;
                let ask = Ask::Acknowledge { id: found.id, revision: *revision };
                self.prepare_at(address, ask, by, now).map(|one| vec![one])
            }
            Intent::Shelve { id, lasts } => {
                let (address, found) = self.find(id)?;
                if address.as_ref().is_none_or(is_whole_ward) {
                    return Err(Refused::NeverShelved);
                }
                let ask = Ask::Shelve { id: found.id, lasts: *lasts };
                self.prepare_at(address, ask, by, now).map(|one| vec![one])
            }
            Intent::Pause { target, lasts } => {
                let asks = |id, scope| Ask::Pause { id, scope, lasts: *lasts };
                let found = self.prepare_sound(target, asks, by, now)?;
                if found.is_empty() { Err(Refused::NothingSounds) } else { Ok(found) }
            }
            Intent::Resume { target } => {
                let asks = |id, scope| Ask::Resume { id, scope };
                // What is not there makes no sound that could be missing.
                Ok(self.prepare_sound(target, asks, by, now).unwrap_or_default())
            }
            Intent::Unshelve { address, condition } => {
                self.prepare_pump(address, Ask::Unshelve(*condition), by, now)
            }
            Intent::Accept { address } => self.prepare_pump(address, Ask::Accept, by, now),
            Intent::HandOver { address, to } => {
                self.prepare_pump(address, Ask::HandOver { to }, by, now)
            }
            Intent::Reject { address } => self.prepare_pump(address, Ask::Reject, by, now),
            Intent::AssignBed { address, bed } => {
                self.prepare_pump(address, Ask::AssignBed(bed), by, now)
            }
        }
    }

    /// The alarm that displays know by this id, and its pump; none for the gateway's own.
    fn find(&self, id: &str) -> Result<(Option<PumpAddress>, Occurrence), Refused> {
        let of_ward = || self.ward.update(id, &self.hub);
        let found = self.own(id).or_else(of_ward).ok_or(Refused::Unknown)?;
        let about_ward = || found.ward.as_deref().and_then(whole_ward);
        Ok((found.address.clone().or_else(about_ward), found.occurrence))
    }

    fn prepare_at(
        &mut self,
        address: Option<PumpAddress>,
        ask: Ask<'_>,
        by: &str,
        now: Instant,
    ) -> Result<Prepared, Refused> {
        let what = match &address {
            None => self.uplink.alarms_mut().prepare(ask),
            Some(address) if is_whole_ward(address) => {
                let alarms = self.attendance.ward_alarms_mut(address.ward.as_str());
                alarms.ok_or(Refused::Unknown)?.prepare(ask)
            }
            Some(address) => self.ward.pump(address).ok_or(Refused::Unknown)?.prepare(ask, by, now),
        };
        let what = what?;
        let is_named = |one: &&Occurrence| match &what {
            What::Acknowledge(alarm) | What::AcknowledgeEnded(alarm) => one.id == alarm.id,
            What::Pause { alarms, .. } => alarms.iter().any(|alarm| alarm.id == one.id),
            What::Resume { .. } | What::Shelve { .. } | What::Own(_) | What::Bed(_) => false,
        };
        let named = self.alarms_at(address.as_ref()).iter().filter(is_named).cloned().collect();
        Ok(Prepared { address, what, named })
    }

    fn prepare_pump(
        &mut self,
        address: &PumpAddress,
        ask: Ask<'_>,
        by: &str,
        now: Instant,
    ) -> Result<Vec<Prepared>, Refused> {
        self.prepare_at(Some(address.clone()), ask, by, now).map(|one| vec![one])
    }

    /// What is asked for about sound, at each pump of the target at which there is something to do.
    fn prepare_sound<'a>(
        &mut self,
        target: &Target,
        asks: impl Fn(Option<OccurrenceId>, PauseScope) -> Ask<'a>,
        by: &str,
        now: Instant,
    ) -> Result<Vec<Prepared>, Refused> {
        let found = match target {
            Target::Alarm(id) => {
                let (address, found) = self.find(id)?;
                vec![self.prepare_at(address, asks(Some(found.id), PauseScope::Alarm), by, now)?]
            }
            Target::Pump(address) => {
                self.prepare_pump(address, asks(None, PauseScope::Pump), by, now)?
            }
            Target::Ward(ward) => {
                let ask = asks(None, PauseScope::Ward);
                let of_pumps = self.ward.addresses(ward).into_iter().map(Some);
                let of_ward = whole_ward(ward.as_str()).map(Some);
                let places: Vec<_> = of_pumps.chain(of_ward).chain([None]).collect();
                let at = |address| self.prepare_at(address, ask, by, now).ok();
                places.into_iter().filter_map(at).collect()
            }
        };
        let something = |one: &Prepared| !alarms_of(&one.what).is_empty();
        Ok(found.into_iter().filter(something).collect())
    }

    /// Lets actions of one person here take effect.
    ///
    /// # Errors
    /// None of them did: see [`super::EngineHandle::apply`].
    pub(super) fn apply(
        &mut self,
        records: &[ActionRecord],
        now: Instant,
    ) -> Result<Applied, Refused> {
        let mut applied = Applied::default();
        let mut done = if records.is_empty() { Ok(()) } else { Err(Refused::NothingSounds) };
        for ActionRecord { address, action, .. } in records {
            let before = self.concerned(address.as_ref(), &action.what);
            let paused = self.paused(address.as_ref());
            let answer = self.is_news(address.as_ref(), &action.what);
            let answer = answer.and_then(|()| self.act(address.as_ref(), action, now));
            if answer.is_ok() {
                self.tell_applied(&mut applied, address.as_ref(), (action, before, paused), now);
            }
            done = done.or(answer);
        }
        done.map(|()| applied)
    }

    /// Whether nobody has changed meanwhile what an action was prepared from.
    fn is_news(&self, address: Option<&PumpAddress>, what: &What) -> Result<(), Refused> {
        let (What::Own(state), Some(address)) = (what, address) else { return Ok(()) };
        let version = self.ward.pump(address).ok_or(Refused::Unknown)?.ownership().version;
        if state.version > version {
            return Ok(());
        }
        Err(Refused::Changed { revision: u32::try_from(version).unwrap_or(u32::MAX) })
    }

    fn tell_applied(
        &self,
        applied: &mut Applied,
        address: Option<&PumpAddress>,
        (action, before, paused): (&Action, Option<AlarmUpdate>, usize),
        now: Instant,
    ) {
        match &action.what {
            What::Acknowledge(_) | What::AcknowledgeEnded(_) | What::Shelve { .. } => {
                let is_it = |one: &&Occurrence| {
                    before.as_ref().is_some_and(|before| before.occurrence.id == one.id)
                };
                let present = self.alarms_at(address).iter().find(is_it);
                let left = || {
                    let AlarmRef { call, .. } = before.as_ref()?.occurrence.named();
                    Some(before.as_ref()?.acknowledged(action, call, now))
                };
                let update = present.map(|one| self.hub.update_of(address, one)).or_else(left);
                applied.updates.extend(update);
            }
            What::Pause { left, .. } => {
                let is_it = |one: &&Occurrence| {
                    one.pause.as_ref().is_some_and(|pause| pause.order == action.order)
                };
                let until = |one: &Occurrence| one.pause.as_ref().map(|pause| pause.until);
                let mut now_paused = self.alarms_at(address).iter().filter(is_it).peekable();
                let until = now_paused.peek().and_then(|one| until(one));
                applied.until = applied.until.or(until).or_else(|| Some(now.plus(*left)));
                applied.count += u32::try_from(now_paused.count()).unwrap_or(u32::MAX);
            }
            What::Resume { .. } => {
                let ended = paused.saturating_sub(self.paused(address));
                applied.count += u32::try_from(ended).unwrap_or(u32::MAX);
            }
            What::Own(_) | What::Bed(_) => {
                let pump = address.and_then(|address| self.ward.pump(address));
                applied.ownership = pump.map(|pump| pump.ownership().clone());
            }
        }
    }

    /// Lets an action take effect that another gateway tells of.
    pub(super) fn merge(&mut self, record: &ActionRecord, now: Instant) {
        if let Err(refused) = self.act(record.address.as_ref(), &record.action, now) {
            // It has ended, or has called again since; or it is not there yet and the action waits.
            tracing::debug!(id = record.id, ?refused, "an action changes nothing here");
        }
    }

    /// Lets an alarm wait for a person that waits at another gateway.
    pub(super) fn adopt(&mut self, address: &PumpAddress, waiting: Waiting, now: Instant) {
        let adopt = |pump: &mut Pump, out: &mut Outbox<'_>| pump.adopt(waiting, now, out);
        // Of a pump that is not known here nothing is told here.
        let _unknown = self.ward.on_pump(address, now, &mut self.hub, adopt);
    }

    fn act(
        &mut self,
        address: Option<&PumpAddress>,
        action: &Action,
        now: Instant,
    ) -> Result<(), Refused> {
        match address {
            None => {
                let done = self.on_own(None, now, |own, out| own.apply(action, now, out));
                done.ok_or(Refused::Unknown)?
            }
            Some(address) if is_whole_ward(address) => {
                let ward = address.ward.as_str().into();
                let done = self.on_own(Some(&ward), now, |own, out| own.apply(action, now, out));
                done.ok_or(Refused::Unknown)?
            }
            Some(address) => self
                .ward
                .on_pump(address, now, &mut self.hub, |pump, out| pump.apply(action, now, out))
                .ok_or(Refused::Unknown)?,
        }
    }

    fn alarms_at(&self, address: Option<&PumpAddress>) -> &[Occurrence] {
        match address {
            None => self.uplink.alarms(),
            Some(address) if is_whole_ward(address) => {
                let mut of_wards = self.attendance.ward_alarms();
                let found = of_wards.find(|(ward, _alarms)| ***ward == *address.ward.as_str());
                found.map_or(&[], |(_ward, alarms)| alarms)
            }
            Some(address) => self.ward.pump(address).map_or(&[], Pump::alarms),
        }
    }

    fn paused(&self, address: Option<&PumpAddress>) -> usize {
        self.alarms_at(address).iter().filter(|one| one.pause.is_some()).count()
    }

    /// The alarm that is acknowledged or shelved, as it is now.
    fn concerned(&self, address: Option<&PumpAddress>, what: &What) -> Option<AlarmUpdate> {
        let is_it = |one: &&Occurrence| match what {
            What::Acknowledge(alarm) | What::AcknowledgeEnded(alarm) => one.id == alarm.id,
            What::Shelve { condition, .. } => one.id.condition == *condition,
            What::Pause { .. } | What::Resume { .. } | What::Own(_) | What::Bed(_) => false,
        };
        let found = self.alarms_at(address).iter().find(is_it);
        found.map(|one| self.hub.update_of(address, one))
    }

    /// A new or worse alarm that is heard ends the pauses of its ward; one of the gateway itself those of every ward.
    pub(super) fn break_pauses(&mut self) {
        let mut heard = self.hub.take_heard();
        heard.dedup();
        for ward in heard {
            let now = self.hub.now();
            let end = |pump: &mut Pump, out: &mut Outbox<'_>| pump.break_pauses(now, out);
            self.ward.on_pumps(ward.as_ref(), now, &mut self.hub, end);
            self.on_all_own(ward.as_ref(), now, |own, out| own.break_pauses(now, out));
        }
    }
}

/// Where an action names the alarms about the displays of a ward.
fn whole_ward(ward: &str) -> Option<PumpAddress> {
    Some(PumpAddress { ward: Id::new(ward).ok()?, pump: Id::new(WHOLE_WARD).ok()? })
}

fn is_whole_ward(address: &PumpAddress) -> bool {
    address.pump.as_str() == WHOLE_WARD
}

/// The alarms whose sound an action is about.
fn alarms_of(what: &What) -> &[AlarmRef] {
    match what {
        What::Pause { alarms, .. } | What::Resume { alarms, .. } => alarms,
        What::Acknowledge(_)
        | What::AcknowledgeEnded(_)
        | What::Shelve { .. }
        | What::Own(_)
        | What::Bed(_) => &[],
    }
}

/// The "ward/pump" at the start of an alarm's id.
fn key_of(id: &str) -> Option<&str> {
    let (ward, rest) = id.split_once('/')?;
    let (pump, _condition) = rest.split_once('/')?;
    id.get(..ward.len() + 1 + pump.len())
}

impl Ward {
    /// The occurrence that displays know by this id.
    pub(super) fn update(&self, id: &str, hub: &Hub) -> Option<AlarmUpdate> {
        let entry = self.pumps.get(key_of(id)?)?;
        let address = &entry.slot.address;
        let updates = entry.pump.alarms().iter().map(|one| hub.update_of(Some(address), one));
        updates.into_iter().find(|update| update.id() == id)
    }

    /// One pump; `None` when it was never seen.
    fn pump(&self, address: &PumpAddress) -> Option<&Pump> {
        self.pumps.get(address.to_string().as_str()).map(|entry| &entry.pump)
    }

    /// The pumps of a ward.
    fn addresses(&self, ward: &Id) -> Vec<PumpAddress> {
        let addresses = self.pumps.values().map(|entry| &entry.slot.address);
        addresses.filter(|address| address.ward == *ward).cloned().collect()
    }

    /// Does something to one pump; `None` when it was never seen.
    fn on_pump<T>(
        &mut self,
        address: &PumpAddress,
        now: Instant,
        hub: &mut Hub,
        act: impl FnOnce(&mut Pump, &mut Outbox<'_>) -> T,
    ) -> Option<T> {
        let entry = self.pumps.get_mut(address.to_string().as_str())?;
        Some(entry.act(now, hub, act))
    }

    /// Does something to every pump of a ward, or all, and adds up the counts.
    fn on_pumps(
        &mut self,
        ward: Option<&Id>,
        now: Instant,
        hub: &mut Hub,
        mut act: impl FnMut(&mut Pump, &mut Outbox<'_>) -> u32,
    ) -> u32 {
        let of_ward = |entry: &&mut Entry| ward.is_none_or(|it| entry.slot.address.ward == *it);
        let mut total = 0_u32;
        for entry in self.pumps.values_mut().filter(of_ward) {
            let was_changed = entry.changed;
            let count = entry.act(now, hub, &mut act);
            // A pump at which nothing was done is not shown anew.
            entry.changed = was_changed || count > 0;
            total = total.saturating_add(count);
        }
        total
    }

    /// Raises the notice that something was missed.
    ///
    /// # Errors
    /// The pump was never seen.
    pub(super) fn note_missed(
        &mut self,
        address: &PumpAddress,
        now: Instant,
        hub: &mut Hub,
    ) -> Result<(), Refused> {
        let act = |pump: &mut Pump, out: &mut Outbox<'_>| pump.on_missed(now, out);
        self.on_pump(address, now, hub, act).ok_or(Refused::Unknown)
    }

    /// Tells that agent and gateway found different things afterwards.
    ///
    /// # Errors
    /// The pump was never seen.
    pub(super) fn note_difference(
        &mut self,
        address: &PumpAddress,
        difference: Difference,
        now: Instant,
        hub: &mut Hub,
    ) -> Result<(), Refused> {
        let act = |pump: &mut Pump, out: &mut Outbox<'_>| {
            pump.on_difference_afterwards(difference, now, out);
        };
        self.on_pump(address, now, hub, act).ok_or(Refused::Unknown)
    }

    /// Puts a treatment in force, and shows what follows from it at once.
    ///
    /// # Errors
    /// The pump was never seen.
    pub(super) fn treat(
        &mut self,
        address: &PumpAddress,
        treatment: Treatment,
        now: Instant,
        hub: &mut Hub,
    ) -> Result<(), Refused> {
        let key = address.to_string();
        let entry = self.pumps.get_mut(key.as_str()).ok_or(Refused::Unknown)?;
        entry.treat(treatment, now, hub);
        Ok(())
    }

    /// How good the alarms of a pump were; `None` when it was never seen.
    pub(super) fn report(&mut self, address: &PumpAddress, now: Instant) -> Option<Report> {
        let entry = self.pumps.get_mut(address.to_string().as_str())?;
        let old = |onset: Instant| now.since(onset) > STALE_AFTER;
        let stale = entry.pump.alarms().iter().filter(|one| old(one.onset_at)).count();
        let spikes = entry.pump.spikes();
        let quality = entry.pump.quality();
        let summary = quality.summary(now);
        let counts = quality.conditions().map(|(name, of)| (name, of.raised, of.chattering));
        let mut conditions: Vec<_> = counts.collect();
        conditions.sort_by_key(|(_name, raised, _chattering)| std::cmp::Reverse(*raised));
        let stale = u32::try_from(stale).unwrap_or(u32::MAX);
        Some(Report { summary, conditions, stale, spikes })
    }
}
