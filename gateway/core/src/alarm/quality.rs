//! How good the alarms of one pump are as alarms: rates, floods, chatter, stale ones, mix (EEMUA 191, ISA-18.2).

use core::time::Duration;

use crate::alarm::condition::{Condition, Priority};
use crate::time::Instant;

/// Hours that are kept.
pub const HOURS: usize = 24;

const HOUR: Duration = Duration::from_hours(1);

/// More than this many alarms within [`FLOOD_WINDOW`] are a flood (EEMUA 191).
pub const FLOOD_ALARMS: usize = 10;

/// See [`FLOOD_ALARMS`].
pub const FLOOD_WINDOW: Duration = Duration::from_mins(10);

/// The same alarm this often within [`CHATTER_WINDOW`] chatters (ISA-18.2, from memory in the reference).
pub const CHATTER_ALARMS: usize = 3;

/// See [`CHATTER_ALARMS`].
pub const CHATTER_WINDOW: Duration = Duration::from_mins(1);

/// An alarm that is active for longer is stale.
pub const STALE_AFTER: Duration = Duration::from_hours(24);

/// Conditions whose counts are kept; the faults of sensors count as one family.
const CONDITIONS: usize = Condition::ALL.len() + 1;

/// Counts of one hour, or of all hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Alarms raised, by priority: information, low, medium, high.
    pub raised: [u32; 4],
    /// Floods that began.
    pub floods: u32,
    /// Times an alarm began to chatter.
    pub chattering: u32,
    /// Reminders given.
    pub reminders: u32,
    /// Alarms that escalated.
    pub escalations: u32,
}

impl Counts {
    /// Alarms raised that were more than information.
    #[must_use]
    pub fn alarms(&self) -> u32 {
        self.raised.iter().skip(1).sum()
    }

    fn add(&mut self, other: &Self) {
        for (sum, part) in self.raised.iter_mut().zip(other.raised) {
            *sum += part;
        }
        self.floods += other.floods;
        self.chattering += other.chattering;
        self.reminders += other.reminders;
        self.escalations += other.escalations;
    }
}

/// Counts of one condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OfCondition {
    /// Times raised within the hours kept.
    pub raised: u32,
    /// Times it began to chatter.
    pub chattering: u32,
    recent: [Option<Instant>; CHATTER_ALARMS],
    chatters: bool,
}

/// The counters of one pump.
#[derive(Debug, Clone)]
pub struct Quality {
    started: Instant,
    hours: [Counts; HOURS],
    hour: u64,
    recent: [Option<Instant>; FLOOD_ALARMS],
    in_flood: bool,
    conditions: [OfCondition; CONDITIONS],
}

/// What a report tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Over the time covered.
    pub total: Counts,
    /// Most alarms in one hour.
    pub peak_hour: u32,
    /// The time covered, at most a day.
    pub covered: Duration,
    /// Whether a flood is going on.
    pub in_flood: bool,
}

fn place(condition: Condition) -> usize {
    let known = Condition::ALL.iter().position(|one| one.family() == condition.family());
    known.unwrap_or(CONDITIONS - 1)
}

/// Puts a time into a ring of the newest ones; the oldest that it had.
fn remember<const N: usize>(recent: &mut [Option<Instant>; N], now: Instant) -> Option<Instant> {
    recent.rotate_left(1);
    recent.last_mut().and_then(|place| place.replace(now))
}

/// Whether all of the newest times lie within a window.
fn crowded(recent: &[Option<Instant>], now: Instant, window: Duration) -> bool {
    recent.iter().all(|time| time.is_some_and(|time| now.since(time) <= window))
}

impl Quality {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            started: now,
            hours: [Counts::default(); HOURS],
            hour: 0,
            recent: [None; FLOOD_ALARMS],
            in_flood: false,
            conditions: [OfCondition::default(); CONDITIONS],
        }
    }

    /// Changes the counts of the present hour; forgets hours that are a day old.
    fn count(&mut self, now: Instant, change: impl FnOnce(&mut Counts)) {
        let hour = now.since(self.started).as_secs() / HOUR.as_secs();
        while self.hour < hour {
            // At most a day of steps: the rest would empty the same places again.
            self.hour = (self.hour + 1).max(hour.saturating_sub(HOURS as u64));
            let place = usize::try_from(self.hour).unwrap_or(0) % HOURS;
            if let Some(counts) = self.hours.get_mut(place) {
                *counts = Counts::default();
            }
        }
        let place = usize::try_from(self.hour).unwrap_or(0) % HOURS;
        if let Some(counts) = self.hours.get_mut(place) {
            change(counts);
        }
    }

    /// An alarm was raised, or returned.
    pub(crate) fn raised(&mut self, condition: Condition, priority: Priority, now: Instant) {
        self.count(now, |counts| {
            if let Some(raised) = counts.raised.get_mut(priority as usize) {
                *raised += 1;
            }
        });
        let began = self.conditions.get_mut(place(condition)).is_some_and(|of| {
            of.raised = of.raised.saturating_add(1);
            if priority == Priority::Information {
                return false;
            }
            remember(&mut of.recent, now);
            let chatters = crowded(&of.recent, now, CHATTER_WINDOW);
            let began = chatters && !of.chatters;
            of.chatters = chatters;
            of.chattering += u32::from(began);
            began
        });
        if priority == Priority::Information {
            return;
        }
        // Eleven alarms make a flood: the one before the ten that are remembered, and these.
        let before = remember(&mut self.recent, now);
        let floods = before.is_some_and(|before| now.since(before) <= FLOOD_WINDOW);
        let flood_began = floods && !self.in_flood;
        self.in_flood = floods;
        self.count(now, |counts| {
            counts.chattering += u32::from(began);
            counts.floods += u32::from(flood_began);
        });
    }

    pub(crate) fn reminded(&mut self, now: Instant) {
        self.count(now, |counts| counts.reminders += 1);
    }

    pub(crate) fn escalated(&mut self, now: Instant) {
        self.count(now, |counts| counts.escalations += 1);
    }

    /// What the last day looked like.
    #[must_use]
    pub fn summary(&mut self, now: Instant) -> Summary {
        self.count(now, |_counts| {});
        let mut total = Counts::default();
        self.hours.iter().for_each(|hour| total.add(hour));
        let peak_hour = self.hours.iter().map(Counts::alarms).max().unwrap_or(0);
        let oldest_hour = self.hour.saturating_sub(HOURS as u64 - 1);
        let from = self.started.plus(HOUR.saturating_mul(u32::try_from(oldest_hour).unwrap_or(0)));
        let last = self.recent.last().copied().flatten();
        let in_flood = self.in_flood && last.is_some_and(|last| now.since(last) <= FLOOD_WINDOW);
        Summary { total, peak_hour, covered: now.since(from), in_flood }
    }

    /// Counts of the conditions that were raised since the pump is known; the faults of sensors as one.
    pub fn conditions(&self) -> impl Iterator<Item = (&'static str, &OfCondition)> {
        let names = Condition::ALL.iter().map(|condition| condition.family());
        names
            .chain([Condition::SENSOR_FAULT_FAMILY])
            .zip(&self.conditions)
            .filter(|(_name, counts)| counts.raised > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1_000)
    }

    #[test]
    fn eleven_alarms_in_ten_minutes_are_one_flood() {
        let mut quality = Quality::new(at(0));
        for alarm in 0..20 {
            quality.raised(Condition::FLOW_LOW, Priority::Medium, at(alarm * 59));
            let floods = quality.summary(at(alarm * 59)).total.floods;
            assert_eq!(floods, u32::from(alarm >= 10), "{alarm}");
        }
        assert!(quality.summary(at(19 * 59)).in_flood);
        assert!(!quality.summary(at(19 * 59 + 601)).in_flood);
    }

    #[test]
    fn three_times_in_a_minute_chatters_once() {
        let mut quality = Quality::new(at(0));
        for seconds in [0, 20, 40, 50, 59] {
            quality.raised(Condition::DRAIN_LOW_WARN, Priority::Medium, at(seconds));
        }
        quality.raised(Condition::FLOW_LOW, Priority::Medium, at(60));
        quality.raised(Condition::FLOW_LOW, Priority::Medium, at(70));
        let found: Vec<_> = quality.conditions().map(|(name, of)| (name, of.chattering)).collect();
        assert_eq!(found, [("flow.low", 0), ("drain.low.warn", 1)]);
        assert_eq!(quality.summary(at(90)).total.chattering, 1);
    }

    #[test]
    fn a_day_old_hour_is_forgotten_and_the_mix_is_kept() {
        let mut quality = Quality::new(at(0));
        quality.raised(Condition::PUMP_STOP, Priority::High, at(10));
        quality.raised(
            Condition::sensor_fault(crate::parameter::Parameter::Hb),
            Priority::Low,
            at(20),
        );
        let day = quality.summary(at(23 * 3_600));
        assert_eq!((day.total.raised, day.peak_hour), ([0, 1, 0, 1], 2));
        assert_eq!(quality.summary(at(24 * 3_600 + 1)).total.alarms(), 0);
        quality.raised(Condition::PUMP_STOP, Priority::High, at(1_000_000));
        let later = quality.summary(at(1_000_000));
        assert_eq!(later.total.alarms(), 1);
        assert!(later.covered <= Duration::from_hours(24));
    }
}
