//! Oxygenated blood is drained again (C8, veno-venous): only a trend, because the true venous saturation is unknown.

use core::time::Duration;

use crate::alarm::composite::frozen::Frozen;
use crate::alarm::composite::history::History;
use crate::alarm::composite::inputs::SLOW;
use crate::alarm::composite::{Evidence, Finding, Scene};
use crate::alarm::rule::{NotEvaluable, Side};
use crate::case::Therapy;
use crate::parameter::Parameter;

/// When recirculation is suspected. Numbers of the reference, section 2.4 C8, proposals there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recirculation {
    /// The saturation before the membrane has risen by at least this, in points.
    pub sat_rise: f32,
    /// While the patient's has fallen by at least this, in points.
    pub spo2_fall: f32,
    /// And the flow is at least this share of what it was.
    pub flow_share: f32,
    /// Against so long ago; at most 5 min.
    pub over: Duration,
}

impl Default for Recirculation {
    fn default() -> Self {
        Self { sat_rise: 8.0, spo2_fall: 4.0, flow_share: 0.95, over: Duration::from_secs(300) }
    }
}

/// Notes: one in 10 s, over somewhat more than 5 min.
const NOTE_S: u64 = 10;
const NOTES: usize = 40;

/// Notes that tell how it was: a minute; and seconds that tell how it is now.
const BEFORE: usize = 6;
const NOW_S: u64 = 3;

/// Less than two minutes back tells no trend.
const BACK_MIN: usize = 9;

const SATURATIONS: [Parameter; 2] = [Parameter::SatPre, Parameter::SatDrain];

const PATIENT: [Parameter; 3] =
    [Parameter::PatientSpo2, Parameter::PatientSpo2Preductal, Parameter::PatientSpo2Postductal];

/// How it was: saturation before the membrane, the patient's, flow.
type Before = (f32, f32, f32);

/// State of [`Recirculation`].
#[derive(Debug)]
pub(super) struct RecirculationState {
    sat: History<NOTES>,
    spo2: History<NOTES>,
    flow: History<NOTES>,
    reference: Frozen<Before>,
}

impl RecirculationState {
    pub(super) const fn new() -> Self {
        Self {
            sat: History::new(NOTE_S),
            spo2: History::new(NOTE_S),
            flow: History::new(NOTE_S),
            reference: Frozen::new(),
        }
    }

    pub(super) fn restart(&mut self) {
        let Self { reference, .. } = *self;
        *self = Self { reference, ..Self::new() };
        self.reference.restart();
    }

    pub(super) fn judge(&mut self, rule: &Recirculation, scene: &Scene<'_>) -> Finding {
        match self.look(rule, scene) {
            Err(reason) => Finding::Unknown(reason),
            Ok(Some(evidence)) => Finding::Present(evidence),
            Ok(None) => Finding::Absent,
        }
    }

    fn look(
        &mut self,
        rule: &Recirculation,
        scene: &Scene<'_>,
    ) -> Result<Option<Evidence>, NotEvaluable> {
        match scene.case.therapy {
            Some(Therapy::VenoVenous) => {}
            // Blood that returns to an artery is not drained again at once.
            Some(Therapy::VenoArterial) => return Ok(None),
            None => return Err(NotEvaluable::NoTherapy),
        }
        let (from, sat) = scene.first_of(&SATURATIONS, SLOW)?;
        let (patient, spo2) = scene.first_of(&PATIENT, SLOW)?;
        let flow = scene.latest(Parameter::FlowBlood, SLOW)?;
        if self.sat.is_due(scene.tick) {
            self.sat.note(sat, scene.tick);
            self.spo2.note(spo2, scene.tick);
            self.flow.note(flow, scene.tick);
        }
        // While less is known than the rule looks back, what is known will do: a rise in less time is one too.
        let back = usize::try_from(rule.over.as_secs() / NOTE_S).unwrap_or(NOTES);
        let back = back.min(self.sat.len().saturating_sub(BEFORE / 2));
        let back = back.clamp(BACK_MIN, NOTES - BEFORE) - BEFORE / 2;
        let medians = || {
            let (sat, spo2) = (self.sat.median(back, BEFORE)?, self.spo2.median(back, BEFORE)?);
            Some((sat, spo2, self.flow.median(back, BEFORE)?))
        };
        // The newest seconds, not the notes: a note may be 10 s old.
        let newest = |parameter, value: f32| scene.median_s(parameter, NOW_S).unwrap_or(value);
        let now = (newest(from, sat), newest(patient, spo2), newest(Parameter::FlowBlood, flow));
        let before = self.reference.held().or_else(medians).ok_or(NotEvaluable::NoReference)?;
        let limit = before.0 + rule.sat_rise;
        let is = now.0 >= limit
            && now.1 <= before.1 - rule.spo2_fall
            && now.2 >= rule.flow_share * before.2;
        if is {
            self.reference.on_present(before);
        } else {
            let recovered =
                now.0 < before.0 + 0.5 * rule.sat_rise || now.1 > before.1 - 0.5 * rule.spo2_fall;
            self.reference.on_absent(recovered, scene.tick);
        }
        let limit = Some((Side::Above, limit));
        Ok(is.then_some(Evidence { parameter: from, value: now.0, limit, priority: None }))
    }
}
