//! Displays and what they answer for: who attends which ward, who has shown which alarm, and what must be told when nobody has.
//!
//! A display holds a lease and says what it has painted. Only one that attends counts: what nobody sees is not confirmed.

mod delivery;

mod display;

mod ward;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::alarm::occurrence::Occurrence;
use crate::alarm::profile::Profile;
use crate::alarm::rule::Rules;
use crate::alarm::{AlarmChange, Alarms};
use crate::time::Instant;

use delivery::Delivery;
use ward::{Seen, WardWatch};

pub use delivery::{CONFIRM_WITHIN, Confirmation, HandedOver, Watched};
pub use display::{AudioOutput, Display, DisplayState, Health, LEASE, LOST_FOR, PAINTED_WITHIN};
pub use ward::UNWATCHED_AFTER;

/// Takes what is so of a ward.
pub trait WardOutput {
    /// A condition about one ward changed.
    fn ward_alarm(&mut self, ward: &Arc<str>, change: AlarmChange<'_>);
}

/// A display's word that it attends.
#[derive(Debug, Clone)]
pub struct AttendWord {
    /// Its name, unique in the unit.
    pub display: Arc<str>,
    /// Wards; empty for all.
    pub wards: Vec<Arc<str>>,
    /// How it does.
    pub health: Health,
}

/// The most displays are known: a new one finds no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyDisplays;

/// What became of a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// The alarm is known, and has this revision.
    pub known: bool,
    /// The display counts for it.
    pub counts: bool,
}

/// Displays, wards, and the alarms that wait for a display.
#[derive(Debug)]
pub struct Attendance {
    rules: Arc<Rules>,
    displays_max: usize,
    displays: Vec<Display>,
    delivery: Delivery,
    wards: Vec<WardWatch>,
    with_pumps: Vec<Arc<str>>,
}

impl Attendance {
    /// Nobody attends; at most so many displays are known at a time.
    #[must_use]
    pub fn new(profile: &Profile, displays_max: usize) -> Self {
        let unreviewed = profile.reviewed_by.is_none();
        let rules =
            Rules::new(Vec::new(), Vec::new(), profile.silence, profile.signals, unreviewed);
        Self {
            rules: Arc::new(rules),
            displays_max,
            displays: Vec::new(),
            delivery: Delivery::default(),
            wards: Vec::new(),
            with_pumps: Vec::new(),
        }
    }

    /// Takes or renews a lease; what the display is taken for.
    ///
    /// # Errors
    /// The most displays are known, and none of them is lost.
    pub fn attend(
        &mut self,
        word: AttendWord,
        now: Instant,
    ) -> Result<DisplayState, TooManyDisplays> {
        let AttendWord { display: name, wards, health } = word;
        let known = self.displays.iter_mut().find(|one| one.name == name);
        let (display, attended) = match known {
            Some(known) => {
                let attended = known.attends(None, now) && known.wards == wards;
                known.wards = wards;
                known.renew(health, now);
                (&*known, attended)
            }
            None => {
                self.make_room(now)?;
                self.displays.push(Display::new(name, wards, health, now));
                (self.displays.last().ok_or(TooManyDisplays)?, false)
            }
        };
        if !attended && display.attends(None, now) {
            self.delivery.attends(&display.name, |one| covers(display, one));
        }
        Ok(display.state(now))
    }

    /// A display that is lost makes room for one that lives.
    fn make_room(&mut self, now: Instant) -> Result<(), TooManyDisplays> {
        if self.displays.len() < self.displays_max {
            return Ok(());
        }
        let lapsed = self.displays.iter().enumerate();
        let lapsed = lapsed.filter(|(_, one)| one.state(now) == DisplayState::Lost);
        let oldest = lapsed.min_by_key(|(_, one)| one.lease_until).map(|(place, _)| place);
        self.displays.remove(oldest.ok_or(TooManyDisplays)?);
        Ok(())
    }

    /// A display says goodbye: nobody need wonder where it is.
    pub fn leave(&mut self, display: &str) {
        self.displays.retain(|one| *one.name != *display);
    }

    /// Every display that holds a lease or has lost one.
    #[must_use]
    pub fn displays(&self) -> &[Display] {
        &self.displays
    }

    /// How many displays attend a ward; any ward for `None`.
    #[must_use]
    pub fn attending(&self, ward: Option<&str>, now: Instant) -> usize {
        self.displays.iter().filter(|one| one.attends(ward, now)).count()
    }

    /// Whether a display of this name attends.
    #[must_use]
    pub fn is_attending(&self, display: &str, now: Instant) -> bool {
        self.displays.iter().any(|one| *one.name == *display && one.attends(None, now))
    }

    /// Since when the display of this name attends without a break.
    #[must_use]
    pub fn attends_since(&self, display: &str, now: Instant) -> Option<Instant> {
        self.displays.iter().find(|one| *one.name == *display)?.attends_since(now)
    }

    /// An alarm was handed to the displays.
    pub fn on_alarm(&mut self, alarm: HandedOver<'_>, now: Instant) {
        self.delivery.on_alarm(alarm, now);
    }

    /// A display says that it has shown a revision of an alarm, so long after the decision where that is known.
    pub fn confirm(
        &mut self,
        display: &str,
        id: &str,
        revision: u32,
        took: Option<Duration>,
        now: Instant,
    ) -> Taken {
        let Some(by) = self.displays.iter().find(|one| *one.name == *display) else {
            let alarm = self.delivery.get(id);
            let known = alarm.is_some_and(|alarm| revision <= alarm.revision);
            return Taken { known, counts: false };
        };
        let attends = by.attends(None, now);
        let counts = attends && self.delivery.get(id).is_some_and(|alarm| covers(by, alarm));
        let display = Arc::clone(&by.name);
        let confirmation =
            Confirmation { display, revision, counted: if counts { revision } else { 0 }, took };
        let displays = &self.displays;
        let is_known = |name: &str| displays.iter().any(|one| *one.name == *name);
        let known = self.delivery.confirm(id, confirmation, self.displays_max, is_known);
        Taken { known: known.is_some(), counts: known.is_some() && counts }
    }

    /// Every alarm that has not ended, with who has confirmed it.
    pub fn alarms(&self) -> impl Iterator<Item = (&str, &Watched)> {
        self.delivery.iter()
    }

    /// One of them.
    #[must_use]
    pub fn alarm(&self, id: &str) -> Option<&Watched> {
        self.delivery.get(id)
    }

    /// Names of the displays that attend the ward of an alarm and have not confirmed what a person would see now.
    pub fn missing(&self, alarm: &Watched, now: Instant) -> Vec<Arc<str>> {
        let ward = alarm.ward.as_deref();
        let has = |name: &str| {
            let mut own = alarm.confirmations.iter().filter(|one| *one.display == *name);
            own.any(|one| one.covers(alarm.covers_from))
        };
        let attending = self.displays.iter().filter(|one| one.attends(ward, now));
        attending.filter(|one| !has(&one.name)).map(|one| Arc::clone(&one.name)).collect()
    }

    /// Since when the oldest high alarm waits that no display has confirmed in time.
    #[must_use]
    pub fn overdue(&self, now: Instant) -> Option<Instant> {
        self.delivery.overdue(now)
    }

    /// Alarms that displays of other wards must be given from now on; each is named once.
    pub fn take_redirects(&mut self, now: Instant) -> Vec<Box<str>> {
        self.delivery.take_redirects(now)
    }

    /// Whether displays of other wards were given it.
    #[must_use]
    pub fn is_redirected(&self, id: &str) -> bool {
        self.delivery.get(id).is_some_and(|one| one.redirected)
    }

    /// Whether an alarm of the pump "ward/pump" waits for a display for too long: its agent must not be quiet.
    #[must_use]
    pub fn is_unheard(&self, pump: &str, now: Instant) -> bool {
        self.delivery.is_pump_overdue(pump, now)
    }

    /// Wards with pumps that live or are expected: somebody must watch them.
    pub fn set_wards(&mut self, wards: Vec<Arc<str>>, now: Instant) {
        for ward in &wards {
            if !self.wards.iter().any(|known| known.name == *ward) {
                let rules = Arc::clone(&self.rules);
                self.wards.push(WardWatch::new(Arc::clone(ward), rules, now));
            }
        }
        self.with_pumps = wards;
    }

    /// Judges every ward, and forgets displays that are gone for good.
    pub fn on_tick(&mut self, now: Instant, out: &mut impl WardOutput) {
        self.displays.retain(|one| !one.is_over(now));
        for ward in &mut self.wards {
            let own = || self.displays.iter().filter(|one| one.is_of(&ward.name));
            let attending = || own().filter(|one| one.attends(None, now));
            let seen = Seen {
                has_pumps: self.with_pumps.contains(&ward.name),
                attended: attending().next().is_some(),
                heard: attending().any(|one| one.health.audio == AudioOutput::On),
                lost_since: own().filter_map(|one| one.lost_since(now)).min(),
            };
            ward.on_tick(seen, now, out);
        }
        let with_pumps = &self.with_pumps;
        self.wards
            .retain(|ward| with_pumps.contains(&ward.name) || !ward.alarms.active().is_empty());
    }

    /// When [`Attendance::on_tick`] has something to do, besides about once a second.
    #[must_use]
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let wards = self.wards.iter().filter_map(|ward| ward.next_deadline(now));
        wards.chain(self.delivery.deadline(now)).min()
    }

    /// The gateway's own alarms about wards, ward by ward.
    pub fn ward_alarms(&self) -> impl Iterator<Item = (&Arc<str>, &[Occurrence])> {
        self.wards.iter().map(|ward| (&ward.name, ward.alarms.active()))
    }

    /// Those of one ward, for what a person does to their signals.
    pub fn ward_alarms_mut(&mut self, ward: &str) -> Option<&mut Alarms> {
        self.wards.iter_mut().find(|one| *one.name == *ward).map(|one| &mut one.alarms)
    }
}

/// Whether a display that attends counts for an alarm: it is of its ward, of none, or was given to displays of all wards.
fn covers(display: &Display, alarm: &Watched) -> bool {
    alarm.redirected || alarm.ward.as_deref().is_none_or(|ward| display.is_of(ward))
}

#[cfg(test)]
mod tests;
