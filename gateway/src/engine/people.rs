//! What people do to the alarms of the pumps, and of the gateway itself; and what a new alarm does to their pauses.

use std::time::Duration;

use ecmo_core::alarm::Refused;
use ecmo_core::alarm::condition::Condition;
use ecmo_core::alarm::occurrence::{OccurrenceId, Pause, PauseScope, Shelf};
use ecmo_core::alarm::quality::STALE_AFTER;
use ecmo_core::alarm::treatment::Treatment;
use ecmo_core::pump::Pump;
use ecmo_core::reconcile::Difference;
use ecmo_core::time::Instant;
use ecmo_proto::topic::{Id, PumpAddress};

use super::command::{Paused, Report, Target};
use super::entry::Entry;
use super::hub::{Hub, Outbox};
use super::rounds::Rounds;
use super::ward::Ward;
use crate::fanout::AlarmUpdate;

/// What ends when a person asks for sound again: everything, because too much sound is the safer error.
const EVERY_SCOPE: [PauseScope; 3] = [PauseScope::Alarm, PauseScope::Pump, PauseScope::Ward];

impl Rounds {
    /// Acknowledges an occurrence as far as it was shown.
    ///
    /// # Errors
    /// It has ended, never was, or has changed since.
    pub(super) fn acknowledge(
        &mut self,
        id: &str,
        revision: u32,
        person: (String, String),
        now: Instant,
    ) -> Result<AlarmUpdate, Refused> {
        let Some(found) = self.own(id) else {
            return self.ward.acknowledge(id, revision, person, now, &mut self.hub);
        };
        let name = found.occurrence.id;
        let (by, note) = person.clone();
        self.on_own(found.ward.as_ref(), now, |alarms, out| {
            alarms.acknowledge(&name, revision, person, now, out)
        })
        .ok_or(Refused::Unknown)??;
        Ok(self.own(id).unwrap_or_else(|| found.acknowledged(by, note, now)))
    }

    /// Pauses the sound of what signals now.
    ///
    /// # Errors
    /// The alarm or the pump is not there, or nothing of it signals.
    pub(super) fn pause(
        &mut self,
        target: &Target,
        lasts: Duration,
        by: String,
        now: Instant,
    ) -> Result<Paused, Refused> {
        let until = now.plus(lasts.min(self.ward.pause_max()));
        let pause = |scope| Pause { scope, until, by: by.clone() };
        let alarms = match target {
            Target::Alarm(id) => match self.own(id) {
                Some(found) => {
                    let (pause, name) = (pause(PauseScope::Alarm), found.occurrence.id);
                    self.on_own(found.ward.as_ref(), now, |own, out| {
                        own.pause(Some(&name), &pause, now, out)
                    })
                    .ok_or(Refused::Unknown)??
                }
                None => {
                    let pause = pause(PauseScope::Alarm);
                    self.ward.on_alarm(id, now, &mut self.hub, |pump, name, out| {
                        pump.pause(Some(name), &pause, now, out)
                    })?
                }
            },
            Target::Pump(address) => {
                let pause = pause(PauseScope::Pump);
                let act =
                    |pump: &mut Pump, out: &mut Outbox<'_>| pump.pause(None, &pause, now, out);
                self.ward.on_pump(address, now, &mut self.hub, act).ok_or(Refused::Unknown)??
            }
            Target::Ward(ward) => {
                let pause = pause(PauseScope::Ward);
                let of_pumps = self.ward.on_pumps(Some(ward), now, &mut self.hub, |pump, out| {
                    pump.pause(None, &pause, now, out).unwrap_or(0)
                });
                let own = self.on_all_own(Some(ward), now, |own, out| {
                    own.pause(None, &pause, now, out).unwrap_or(0)
                });
                match of_pumps.saturating_add(own) {
                    0 => return Err(Refused::NothingSounds),
                    alarms => alarms,
                }
            }
        };
        Ok(Paused { alarms, until })
    }

    /// Ends pauses before their time; how many.
    pub(super) fn resume(&mut self, target: &Target, now: Instant) -> u32 {
        match target {
            Target::Alarm(id) => match self.own(id) {
                Some(found) => {
                    let name = found.occurrence.id;
                    self.on_own(found.ward.as_ref(), now, |own, out| {
                        own.resume(Some(&name), &EVERY_SCOPE, now, out)
                    })
                    .unwrap_or(0)
                }
                None => self
                    .ward
                    .on_alarm(id, now, &mut self.hub, |pump, name, out| {
                        Ok(pump.resume(Some(name), &EVERY_SCOPE, now, out))
                    })
                    .unwrap_or(0),
            },
            Target::Pump(address) => self
                .ward
                .on_pump(address, now, &mut self.hub, |pump, out| {
                    pump.resume(None, &EVERY_SCOPE, now, out)
                })
                .unwrap_or(0),
            Target::Ward(ward) => self.resume_ward(Some(ward), &EVERY_SCOPE, now),
        }
    }

    /// Ends the pauses of these scopes at every pump of a ward, or all, and of the gateway's own alarms.
    fn resume_ward(&mut self, ward: Option<&Id>, scopes: &[PauseScope], now: Instant) -> u32 {
        let of_pumps = self
            .ward
            .on_pumps(ward, now, &mut self.hub, |pump, out| pump.resume(None, scopes, now, out));
        let own = self.on_all_own(ward, now, |own, out| own.resume(None, scopes, now, out));
        of_pumps.saturating_add(own)
    }

    /// A new or worse alarm that is heard ends the pauses of its ward; one of the gateway itself those of every ward.
    pub(super) fn break_pauses(&mut self) {
        let mut heard = self.hub.take_heard();
        heard.dedup();
        for ward in heard {
            self.resume_ward(ward.as_ref(), &[PauseScope::Ward], self.hub.now());
        }
    }

    /// Shelves the condition of an occurrence.
    ///
    /// # Errors
    /// It has ended, or is never shelved: a condition of the gateway itself, of high priority, or protected.
    pub(super) fn shelve(
        &mut self,
        id: &str,
        shelf: Shelf,
        now: Instant,
    ) -> Result<AlarmUpdate, Refused> {
        if self.own(id).is_some() {
            return Err(Refused::NeverShelved);
        }
        self.ward.on_alarm(id, now, &mut self.hub, |pump, name, out| {
            pump.shelve(name, shelf, now, out)
        })?;
        self.ward.update(id, &self.hub).ok_or(Refused::Unknown)
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

    /// Does something to one alarm by the id that displays know.
    fn on_alarm<T>(
        &mut self,
        id: &str,
        now: Instant,
        hub: &mut Hub,
        act: impl FnOnce(&mut Pump, &OccurrenceId, &mut Outbox<'_>) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let name = self.update(id, hub).ok_or(Refused::Unknown)?.occurrence.id;
        let key = key_of(id).ok_or(Refused::Unknown)?;
        let entry = self.pumps.get_mut(key).ok_or(Refused::Unknown)?;
        entry.act(now, hub, |pump, out| act(pump, &name, out))
    }

    fn acknowledge(
        &mut self,
        id: &str,
        revision: u32,
        person: (String, String),
        now: Instant,
        hub: &mut Hub,
    ) -> Result<AlarmUpdate, Refused> {
        let found = self.update(id, hub).ok_or(Refused::Unknown)?;
        let (by, note) = person.clone();
        self.on_alarm(id, now, hub, |pump, name, out| {
            pump.acknowledge(name, revision, person, now, out)
        })?;
        Ok(self.update(id, hub).unwrap_or_else(|| found.acknowledged(by, note, now)))
    }

    /// Ends the shelving of a condition.
    ///
    /// # Errors
    /// It is not shelved, or the pump was never seen.
    pub(super) fn unshelve(
        &mut self,
        address: &PumpAddress,
        condition: Condition,
        now: Instant,
        hub: &mut Hub,
    ) -> Result<(), Refused> {
        let act = |pump: &mut Pump, out: &mut Outbox<'_>| pump.unshelve(condition, now, out);
        self.on_pump(address, now, hub, act).ok_or(Refused::Unknown)?
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
