//! Which display has confirmed which alarm, and high alarms that no display has confirmed: nobody may have seen them.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Bound;
use core::time::Duration;

use crate::time::Instant;

/// A high alarm must be confirmed by a display within this time of its decision (clinical reference, section 2.2, prop).
pub const CONFIRM_WITHIN: Duration = Duration::from_secs(2);

/// An alarm as it was handed to the displays.
#[derive(Debug, Clone, Copy)]
pub struct HandedOver<'a> {
    /// The id that displays know.
    pub id: &'a str,
    /// Its ward; `None` for the gateway's own, which concerns every ward.
    pub ward: Option<&'a str>,
    /// The revision.
    pub revision: u32,
    /// The oldest revision that shows a person as much as this one.
    pub covers_from: u32,
    /// Whether a display must confirm it in time: high, and not about this itself.
    pub must_be_seen: bool,
    /// Whether it signals.
    pub signals: bool,
    /// Whether it has ended.
    pub is_over: bool,
}

/// That one display has shown an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// Name of the display.
    pub display: Arc<str>,
    /// The newest revision that it has named.
    pub revision: u32,
    /// The newest one that it has named while it attended, or that it named before it did; 0 for none.
    pub counted: u32,
    /// From the decision about the newest revision that it has named, where that is known.
    pub took: Option<Duration>,
}

impl Confirmation {
    /// Whether it counts for what a person would see since this revision.
    #[must_use]
    pub const fn covers(&self, covers_from: u32) -> bool {
        self.counted > 0 && self.counted >= covers_from
    }
}

/// An alarm that has not ended, and who has shown it.
#[derive(Debug)]
pub struct Watched {
    /// Its ward; `None` for the gateway's own.
    pub ward: Option<Box<str>>,
    /// The newest revision.
    pub revision: u32,
    /// The oldest revision that shows as much.
    pub covers_from: u32,
    /// Whether it signals.
    pub signals: bool,
    /// Whether a display must confirm it in time.
    pub must_be_seen: bool,
    /// Whether it was given to displays of other wards.
    pub redirected: bool,
    /// Who has confirmed it.
    pub confirmations: Vec<Confirmation>,
    waits_since: Option<Instant>,
}

impl Watched {
    /// Whether a display that counts has shown what a person would see now.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.confirmations.iter().any(|one| one.covers(self.covers_from))
    }

    /// Whether it has waited for a display for too long.
    #[must_use]
    pub fn is_overdue(&self, now: Instant) -> bool {
        self.waits_since.is_some_and(|since| now >= since.plus(CONFIRM_WITHIN))
    }

    fn settle(&mut self) {
        if self.is_confirmed() {
            self.waits_since = None;
        }
    }
}

/// Every alarm that has not ended: as many as pumps and gateway hold.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    alarms: BTreeMap<Box<str>, Watched>,
}

impl Delivery {
    /// Takes note of a revision.
    pub(super) fn on_alarm(&mut self, alarm: HandedOver<'_>, now: Instant) {
        if alarm.is_over {
            self.alarms.remove(alarm.id);
            return;
        }
        if !self.alarms.contains_key(alarm.id) {
            let new = Watched {
                ward: alarm.ward.map(Box::from),
                revision: 0,
                covers_from: 0,
                signals: false,
                must_be_seen: false,
                redirected: false,
                confirmations: Vec::new(),
                waits_since: None,
            };
            self.alarms.insert(Box::from(alarm.id), new);
        }
        let Some(watched) = self.alarms.get_mut(alarm.id) else { return };
        watched.revision = alarm.revision;
        watched.covers_from = alarm.covers_from;
        watched.signals = alarm.signals;
        watched.must_be_seen = alarm.must_be_seen;
        if !alarm.signals || !alarm.must_be_seen {
            watched.waits_since = None;
        } else if !watched.is_confirmed() {
            // What nobody has seen yet waits since it began.
            watched.waits_since.get_or_insert(now);
        }
    }

    /// A display has shown a revision. The alarm, if it is known and has that revision; of so many displays each is kept.
    pub(super) fn confirm(
        &mut self,
        id: &str,
        confirmation: Confirmation,
        kept: usize,
        is_known: impl Fn(&str) -> bool,
    ) -> Option<&Watched> {
        let watched = self.alarms.get_mut(id)?;
        // Nobody has shown what does not exist yet.
        if confirmation.revision > watched.revision {
            return None;
        }
        let by = |one: &&mut Confirmation| one.display == confirmation.display;
        match watched.confirmations.iter_mut().find(by) {
            Some(known) => {
                known.counted = known.counted.max(confirmation.counted);
                if confirmation.revision > known.revision {
                    known.revision = confirmation.revision;
                    known.took = confirmation.took;
                }
            }
            None => {
                if watched.confirmations.len() >= kept {
                    let old = watched.confirmations.iter().position(|one| !is_known(&one.display));
                    watched.confirmations.remove(old.unwrap_or(0));
                }
                watched.confirmations.push(confirmation);
            }
        }
        watched.settle();
        Some(watched)
    }

    /// A display attends from now on: what it has shown counts.
    pub(super) fn attends(&mut self, display: &str, covers: impl Fn(&Watched) -> bool) {
        for watched in self.alarms.values_mut() {
            if !covers(watched) {
                continue;
            }
            for own in watched.confirmations.iter_mut().filter(|one| *one.display == *display) {
                own.counted = own.revision;
            }
            watched.settle();
        }
    }

    pub(super) fn get(&self, id: &str) -> Option<&Watched> {
        self.alarms.get(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Watched)> {
        self.alarms.iter().map(|(id, watched)| (&**id, watched))
    }

    /// Since when the oldest waits that waits for too long.
    pub(super) fn overdue(&self, now: Instant) -> Option<Instant> {
        let oldest = self.oldest()?;
        (now >= oldest.plus(CONFIRM_WITHIN)).then_some(oldest)
    }

    /// When the next one waits for too long.
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        let due = self.alarms.values().filter_map(|one| one.waits_since);
        due.map(|since| since.plus(CONFIRM_WITHIN)).filter(|at| *at > now).min()
    }

    fn oldest(&self) -> Option<Instant> {
        self.alarms.values().filter_map(|one| one.waits_since).min()
    }

    /// Alarms of wards that have just become overdue: displays of other wards must be asked.
    pub(super) fn take_redirects(&mut self, now: Instant) -> Vec<Box<str>> {
        let due = self
            .alarms
            .iter_mut()
            .filter(|(_id, one)| one.ward.is_some() && !one.redirected && one.is_overdue(now));
        due.map(|(id, one)| {
            one.redirected = true;
            id.clone()
        })
        .collect()
    }

    /// Whether an alarm of the pump "ward/pump" is overdue.
    pub(super) fn is_pump_overdue(&self, pump: &str, now: Instant) -> bool {
        let from = (Bound::Included(pump), Bound::Unbounded);
        let begin_so = self.alarms.range::<str, _>(from);
        let mut begin_so = begin_so.take_while(|(id, _one)| id.starts_with(pump));
        // A pump whose id begins with that of another is another pump.
        let is_own = |id: &str| id.get(pump.len()..).is_some_and(|rest| rest.starts_with('/'));
        begin_so.any(|(id, one)| is_own(id) && one.is_overdue(now))
    }
}
