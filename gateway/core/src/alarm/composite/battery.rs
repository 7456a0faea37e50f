//! The battery runs down (C10): when it will be empty, by its own slope.

use core::time::Duration;

use crate::alarm::composite::history::History;
use crate::alarm::composite::{Evidence, Finding, Scene};
use crate::alarm::rule::{NotEvaluable, Side};
use crate::parameter::Parameter;

/// When the battery counts as running down. Numbers of the reference, section 2.4 C10, proposals there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Depleting {
    /// The slope is taken over so long; at most 5 min.
    pub over: Duration,
    /// By it the battery is empty within less than this.
    pub empty_within: Duration,
}

impl Default for Depleting {
    fn default() -> Self {
        Self { over: Duration::from_secs(300), empty_within: Duration::from_secs(600) }
    }
}

/// The slowest battery channel of which minutes may be judged.
const SLOWEST: Duration = Duration::from_secs(30);

/// Notes of the charge: one in 5 s, over 5 min.
const NOTE_S: u64 = 5;
const NOTES: usize = 60;

/// With fewer, a minute, there is no slope.
const NOTES_MIN: f32 = 12.0;

/// State of [`Depleting`].
#[derive(Debug)]
pub(super) struct BatteryState {
    charges: History<NOTES>,
}

impl BatteryState {
    pub(super) const fn new() -> Self {
        Self { charges: History::new(NOTE_S) }
    }

    pub(super) const fn restart(&mut self) {
        self.charges = History::new(NOTE_S);
    }

    /// Counts from the loss of mains on, where mains is known: a battery that is charged has another slope.
    pub(super) fn judge(&mut self, rule: &Depleting, scene: &Scene<'_>) -> Finding {
        match self.look(rule, scene) {
            Err(reason) => Finding::Unknown(reason),
            Ok(Some(evidence)) => Finding::Present(evidence),
            Ok(None) => Finding::Absent,
        }
    }

    fn look(
        &mut self,
        rule: &Depleting,
        scene: &Scene<'_>,
    ) -> Result<Option<Evidence>, NotEvaluable> {
        let mains = scene.signals.latest(Parameter::PowerMains, scene.tick);
        if mains.is_some_and(|mains| mains > 0.5) {
            self.restart();
            return Ok(None);
        }
        let charge = scene.latest(Parameter::BatteryCharge, SLOWEST)?;
        if self.charges.is_due(scene.tick) {
            self.charges.note(charge, scene.tick);
        }
        let slope = self.slope(rule.over).ok_or(NotEvaluable::NoReference)?;
        let within = rule.empty_within.as_secs_f32();
        // Products instead of a quotient: a battery that holds its charge is never empty.
        let limit = -slope * within;
        let is = slope < 0.0 && charge < limit;
        let limit = Some((Side::Below, limit));
        let parameter = Parameter::BatteryCharge;
        Ok(is.then_some(Evidence { parameter, value: charge, limit, priority: None }))
    }

    /// Least squares over the time, in percent a second.
    fn slope(&self, over: Duration) -> Option<f32> {
        let notes = usize::try_from(over.as_secs() / NOTE_S).unwrap_or(NOTES).clamp(2, NOTES);
        let (mut count, mut sum_x, mut sum_y) = (0.0_f32, 0.0, 0.0);
        for (age, charge) in self.charges.newest(notes) {
            count += 1.0;
            sum_x -= age;
            sum_y += charge;
        }
        if count < NOTES_MIN {
            return None;
        }
        let (mean_x, mean_y) = (sum_x / count, sum_y / count);
        let (mut upper, mut lower) = (0.0, 0.0);
        for (age, charge) in self.charges.newest(notes) {
            upper += (-age - mean_x) * (charge - mean_y);
            lower += (-age - mean_x) * (-age - mean_x);
        }
        (lower > 0.0).then(|| upper / lower)
    }
}
