//! Several ways to one finding: one that is present is enough; one that cannot be judged is told.

use core::time::Duration;

use crate::alarm::Streak;
use crate::alarm::composite::frozen::{cut, lasts};
use crate::alarm::composite::{Evidence, Finding};
use crate::alarm::rule::NotEvaluable;
use crate::time::SampleTime;

/// What one way says: its evidence, nothing, or why it cannot say.
pub(super) type Branch = Result<Option<Evidence>, NotEvaluable>;

/// For so long the way that fired speaks for all once it no longer fires: else a way that can never be judged, for want
/// of a sensor, would keep the condition from ending.
const SPEAKS: Duration = Duration::from_secs(60);

/// Which way fired last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Branches {
    fired: Option<usize>,
    silent: Option<Streak>,
}

impl Branches {
    pub(super) const fn new() -> Self {
        Self { fired: None, silent: None }
    }

    pub(super) fn join(&mut self, branches: &[Branch], tick: SampleTime) -> Finding {
        let mut blind = None;
        for (place, branch) in branches.iter().enumerate() {
            match branch {
                Ok(Some(evidence)) => {
                    self.fired = Some(place);
                    self.silent = None;
                    return Finding::Present(*evidence);
                }
                Ok(None) => {}
                Err(reason) => blind = blind.or(Some(*reason)),
            }
        }
        if let Some(fired) = self.fired {
            match branches.get(fired) {
                Some(Err(reason)) => {
                    cut(&mut self.silent);
                    return Finding::Unknown(*reason);
                }
                Some(Ok(_)) if lasts(&mut self.silent, tick) < SPEAKS => return Finding::Absent,
                Some(Ok(_)) | None => *self = Self::new(),
            }
        }
        blind.map_or(Finding::Absent, Finding::Unknown)
    }

    pub(super) fn restart(&mut self) {
        if let Some(silent) = &mut self.silent {
            silent.restart();
        }
    }
}
