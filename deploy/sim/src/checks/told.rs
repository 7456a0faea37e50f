//! I1: a true excursion that lasts longer than its bound is told at every display that is connected.

use ecmo_display::LOST_AFTER;

use super::{Invariant, Verdict, Violation};
use crate::display::PAINT;
use crate::many::Many;
use crate::rules::{Pace, WATCHED, Watched};
use crate::time::{MS, Nanos};
use crate::truth::Truth;

/// What networks that carry, and hosts that run, may add.
const SLACK: Nanos = 500 * MS;

/// How long a display that hears a gateway may say nothing of a signal that is beyond its limit: until the limit or the
/// sensor's silence is decided, or, where nothing fresh arrives, until that is noticed at the gateway; and until a gateway
/// that stands still is noticed at the display.
#[must_use]
pub fn bound(pace: Pace, watched: &Watched) -> Nanos {
    let decided = pace.delay(watched).max(pace.channel()) + pace.period;
    let lost = u64::try_from(LOST_AFTER.as_nanos()).unwrap_or(u64::MAX);
    decided + pace.silence() + lost + PAINT + SLACK
}

/// Since when each display has been silent about each signal that is beyond its limit.
#[derive(Debug)]
pub struct Untold {
    since: Many<Many<Many<Option<Nanos>>>>,
    /// When the first of them has been silent for too long.
    due: Nanos,
    bounds: Vec<Nanos>,
    /// The longest silence so far.
    pub longest: Nanos,
}

impl Untold {
    /// Nothing is beyond its limit.
    #[must_use]
    pub fn new(displays: usize, pumps: usize, pace: Pace) -> Self {
        let none = |_| Many::new(pumps, |_| Many::new(WATCHED.len(), |_| None));
        let bounds = WATCHED.iter().map(|watched| bound(pace, watched)).collect();
        Self { since: Many::new(displays, none), due: u64::MAX, bounds, longest: 0 }
    }

    /// Looks at a display; `tells` says whether it tells of a signal. One that does not run tells nobody, and nobody looks.
    pub fn look(
        &mut self,
        display: usize,
        truths: &Many<Truth>,
        now: Nanos,
        tells: impl Fn(usize, usize) -> bool,
    ) {
        for (pump, truth) in truths.iter().enumerate() {
            for (place, signal) in truth.signals.iter().enumerate() {
                let since = &mut self.since[display][pump][place];
                let untold = signal.beyond_since.is_some() && !tells(pump, place);
                if untold {
                    since.get_or_insert(now);
                } else if let Some(since) = since.take() {
                    self.longest = self.longest.max(now.saturating_sub(since));
                }
            }
        }
        self.due = self.each().map(|(_, due)| due).min().unwrap_or(u64::MAX);
    }

    fn each(&self) -> impl Iterator<Item = ((usize, usize, usize), Nanos)> {
        self.since.iter().enumerate().flat_map(move |(display, pumps)| {
            pumps.iter().enumerate().flat_map(move |(pump, places)| {
                let bounds = places.iter().zip(&self.bounds).enumerate();
                bounds.filter_map(move |(place, (since, bound))| {
                    Some(((display, pump, place), (*since)? + bound))
                })
            })
        })
    }

    /// I1, at every step.
    ///
    /// # Errors
    /// A display has been silent for too long.
    pub fn check(&self, now: Nanos) -> Verdict {
        if now <= self.due {
            return Ok(());
        }
        let late = self.each().find(|(_, due)| now > *due);
        let Some(((display, pump, place), due)) = late else { return Ok(()) };
        let bound = self.bounds.get(place).copied().unwrap_or(0);
        let condition = WATCHED.get(place).map(|watched| watched.condition.to_string());
        let what = format!(
            "display {display} has told nothing of {} at pump {pump} since {} ms, bound {} ms",
            condition.unwrap_or_default(),
            (now - (due - bound)) / MS,
            bound / MS
        );
        Err(Violation::new(Invariant::Told, now, what))
    }
}
