//! Cards to read, no alarms: signs that go together with a loss of blood (C12), and a heart that hardly ejects (C13).

use core::time::Duration;

use crate::alarm::composite::history::History;
use crate::alarm::composite::inputs::SLOW;
use crate::alarm::composite::{Evidence, Finding, Scene};
use crate::alarm::rule::{NotEvaluable, Side};
use crate::case::Therapy;
use crate::parameter::Parameter;

/// When the bleeding card is shown. The reference (2.4 C12) gives the window and the haematocrit; the rest is our own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BleedingTrend {
    /// Everything against so long ago; at most 30 min.
    pub over: Duration,
    /// The drainage pressure has fallen by at least this, in mmHg.
    pub drain_fall: f32,
    /// The mean arterial pressure has fallen by at least this, in mmHg.
    pub arterial_fall: f32,
    /// The heart rate has risen by at least this, in beats a minute.
    pub heart_rise: f32,
    /// The haematocrit has fallen by at least this, in points.
    pub hct_fall: f32,
}

impl Default for BleedingTrend {
    fn default() -> Self {
        Self {
            over: Duration::from_secs(30 * 60),
            drain_fall: 5.0,
            arterial_fall: 5.0,
            heart_rise: 10.0,
            hct_fall: 3.0,
        }
    }
}

/// When the low-pulse card is shown. Numbers of the reference, section 2.4 C13, from adult teaching.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PulseLow {
    /// Systolic less diastolic pressure is below this, as a median over 60 s, in mmHg.
    pub pulse_min: f32,
}

impl Default for PulseLow {
    fn default() -> Self {
        Self { pulse_min: 10.0 }
    }
}

/// Notes: one a minute, over somewhat more than 30 min.
const NOTE_S: u64 = 60;
const NOTES: usize = 36;

/// Notes that tell how it is now, and how it was.
const NOW: usize = 3;
const BEFORE: usize = 5;

/// The slowest haematocrit of which half an hour may be judged.
const BLOOD: Duration = Duration::from_secs(300);

/// State of [`BleedingTrend`]: drainage and arterial pressure, heart rate, haematocrit.
#[derive(Debug)]
pub(super) struct BleedingState {
    notes: [History<NOTES>; 4],
}

const SIGNS: [(Parameter, Duration); 4] = [
    (Parameter::PressDrain, SLOW),
    (Parameter::PatientAbpMean, SLOW),
    (Parameter::PatientHr, SLOW),
    (Parameter::Hct, BLOOD),
];

impl BleedingState {
    pub(super) const fn new() -> Self {
        Self { notes: [const { History::new(NOTE_S) }; 4] }
    }

    pub(super) const fn restart(&mut self) {
        *self = Self::new();
    }

    pub(super) fn judge(&mut self, rule: &BleedingTrend, scene: &Scene<'_>) -> Finding {
        match self.look(rule, scene) {
            Err(reason) => Finding::Unknown(reason),
            Ok(Some(evidence)) => Finding::Present(evidence),
            Ok(None) => Finding::Absent,
        }
    }

    fn look(
        &mut self,
        rule: &BleedingTrend,
        scene: &Scene<'_>,
    ) -> Result<Option<Evidence>, NotEvaluable> {
        let mut missing = None;
        for ((parameter, slowest), notes) in SIGNS.into_iter().zip(&mut self.notes) {
            let latest = scene.latest(parameter, slowest);
            if notes.is_due(scene.tick) {
                // What is sampled often is noted as a median, what is rare as it is.
                let median = scene.median_s(parameter, 60);
                let value = median.or_else(|| latest.ok()).unwrap_or(f32::NAN);
                notes.note(value, scene.tick);
            }
            missing = missing.or_else(|| latest.err());
        }
        if let Some(reason) = missing {
            return Err(reason);
        }
        let back = usize::try_from(rule.over.as_secs() / NOTE_S).unwrap_or(NOTES);
        let back = back.clamp(NOW, NOTES - BEFORE);
        let change = |place: usize| {
            let notes = self.notes.get(place)?;
            Some(notes.median(0, NOW)? - notes.median(back, BEFORE)?)
        };
        let all = (change(0), change(1), change(2), change(3));
        let (Some(drain), Some(arterial), Some(heart), Some(hct)) = all else {
            return Err(NotEvaluable::NoReference);
        };
        let is = drain <= -rule.drain_fall
            && arterial <= -rule.arterial_fall
            && heart >= rule.heart_rise
            && hct <= -rule.hct_fall;
        let value = scene.latest(Parameter::Hct, BLOOD)?;
        let limit = Some((Side::Below, value - hct - rule.hct_fall));
        Ok(is.then_some(Evidence { parameter: Parameter::Hct, value, limit, priority: None }))
    }
}

impl PulseLow {
    pub(super) fn judge(&self, scene: &Scene<'_>) -> Finding {
        match self.look(scene) {
            Err(reason) => Finding::Unknown(reason),
            Ok(Some(evidence)) => Finding::Present(evidence),
            Ok(None) => Finding::Absent,
        }
    }

    fn look(&self, scene: &Scene<'_>) -> Result<Option<Evidence>, NotEvaluable> {
        match scene.case.therapy {
            Some(Therapy::VenoArterial) => {}
            // The heart ejects against no pump.
            Some(Therapy::VenoVenous) => return Ok(None),
            None => return Err(NotEvaluable::NoTherapy),
        }
        let mut medians = [0.0; 2];
        for (parameter, place) in
            [Parameter::PatientAbpSys, Parameter::PatientAbpDia].into_iter().zip(&mut medians)
        {
            scene.latest(parameter, SLOW)?;
            *place = scene.median_s(parameter, 60).ok_or(NotEvaluable::NoReference)?;
        }
        let [systolic, diastolic] = medians;
        let limit = Some((Side::Below, diastolic + self.pulse_min));
        let is = systolic - diastolic < self.pulse_min;
        let parameter = Parameter::PatientAbpSys;
        Ok(is.then_some(Evidence { parameter, value: systolic, limit, priority: None }))
    }
}
