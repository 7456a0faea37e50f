//! A reference that stands still while a fault that it tells of is there, and how it moves again.

use core::time::Duration;

use crate::alarm::Streak;
use crate::time::SampleTime;

/// After a recovery the reference moves again once its own window lies behind the fault.
const THAW: Duration = Duration::from_secs(11);

/// After this long without the fault, recovered or not, it moves again.
const THAW_LATEST: Duration = Duration::from_secs(600);

/// A reference of some kind that may be held.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frozen<T> {
    held: Option<T>,
    /// Whether the fault was there at the last point.
    present: bool,
    /// How long the fault has been absent, and for how long the circuit has been as before it.
    absent: Option<Streak>,
    recovered: Option<Streak>,
}

impl<T: Copy> Frozen<T> {
    pub(super) const fn new() -> Self {
        Self { held: None, present: false, absent: None, recovered: None }
    }

    /// The reference while it is held.
    pub(super) const fn held(&self) -> Option<T> {
        self.held
    }

    /// Whether the fault was there at the last point: what is present ends later than it began.
    pub(super) const fn is_present(&self) -> bool {
        self.present
    }

    /// The fault is there, told by this reference: hold it for as long as the fault lasts.
    pub(super) const fn on_present(&mut self, by: T) {
        self.held = Some(by);
        self.present = true;
        self.absent = None;
        self.recovered = None;
    }

    /// The fault is not there; `recovered`: it is as before, or the staff has changed the speed since.
    pub(super) fn on_absent(&mut self, recovered: bool, tick: SampleTime) {
        self.present = false;
        if self.held.is_none() {
            return;
        }
        let absent = lasts(&mut self.absent, tick);
        let recovered =
            if recovered { lasts(&mut self.recovered, tick) } else { cut(&mut self.recovered) };
        if recovered >= THAW || absent >= THAW_LATEST {
            *self = Self::new();
        }
    }

    /// A new boot: the clock begins anew, the fault may still be there.
    pub(super) fn restart(&mut self) {
        for streak in [&mut self.absent, &mut self.recovered].into_iter().flatten() {
            streak.restart();
        }
    }
}

/// Goes on with a streak and returns its length.
pub(super) fn lasts(streak: &mut Option<Streak>, tick: SampleTime) -> Duration {
    streak.get_or_insert_with(|| Streak::begin(tick)).extend(tick)
}

/// Ends a streak.
pub(super) const fn cut(streak: &mut Option<Streak>) -> Duration {
    *streak = None;
    Duration::ZERO
}
