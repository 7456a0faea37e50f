//! Early hints of air in the blood (C7); the detector's bit is a limit of its own.

use core::time::Duration;

use crate::alarm::composite::branches::{Branch, Branches};
use crate::alarm::composite::frozen::Frozen;
use crate::alarm::composite::{Evidence, Finding, Scene};
use crate::alarm::rule::{NotEvaluable, Side};
use crate::parameter::Parameter;
use crate::signal::{Levels, median_of};

/// When air is suspected. Numbers of the reference, section 2.4 C7, proposals there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AirEntrainment {
    /// The flow sensor's coupling has fallen by more than this, in points.
    pub quality_fall: f32,
    /// Or lies below this, in percent: too little to measure (our own number).
    pub quality_min: f32,
    /// The flow's noise is more than this many times its usual one, the median over 60 s.
    pub noise_ratio: f32,
    /// The motor current has fallen by more than this share at constant speed.
    pub current_fall: f32,
    /// The drainage pressure is below this, in mmHg.
    pub drain_low: f32,
    /// A change of the speed by this share or more is a change.
    pub speed_steady: f32,
    /// For so long after a change of the speed nothing is decided.
    pub speed_pause: Duration,
}

impl Default for AirEntrainment {
    fn default() -> Self {
        Self {
            quality_fall: 20.0,
            quality_min: 40.0,
            noise_ratio: 5.0,
            current_fall: 0.2,
            drain_low: -75.0,
            speed_steady: 0.02,
            speed_pause: Duration::from_secs(2),
        }
    }
}

/// Seconds of which the flow's noise is remembered.
const NOISES: usize = 60;

/// With fewer the usual noise is not known.
const NOISES_MIN: usize = 10;

/// Noise below this is none, in mL/min: the step in which a console tells flow.
const NOISE_MIN: f32 = 10.0;

const SECOND_NS: u64 = 1_000_000_000;

/// What is present ends at this share of the thresholds that it began at.
const EASE: f32 = 0.8;

/// State of [`AirEntrainment`].
#[derive(Debug)]
pub(super) struct AirState {
    reference: Frozen<Levels>,
    branches: Branches,
    noises: [f32; NOISES],
    count: usize,
    next: usize,
    /// The usual noise of the flow, told once a second.
    usual_noise: Option<f32>,
}

impl AirState {
    pub(super) const fn new() -> Self {
        Self {
            reference: Frozen::new(),
            branches: Branches::new(),
            noises: [0.0; NOISES],
            count: 0,
            next: 0,
            usual_noise: None,
        }
    }

    pub(super) fn restart(&mut self) {
        self.reference.restart();
        self.branches.restart();
    }

    /// The coupling alone is sign enough: little else takes it away at once. Noise, a lighter motor and deep suction come
    /// with obstruction, coughing and suctioning too, so noise and one of the others are asked for. The reference is that of the 10 s
    /// that ended 1 s ago, and stands still while the signs are there.
    pub(super) fn judge(&mut self, rule: &AirEntrainment, scene: &Scene<'_>) -> Finding {
        let reference = self.reference.held().unwrap_or_else(|| scene.reference());
        let present = self.reference.is_present();
        let ease = if present { EASE } else { 1.0 };
        let moved = !present && scene.is_speed_moved(rule.speed_steady, rule.speed_pause);
        let noise = flow_noise(scene);
        let branches = [
            coupling(rule, scene, &reference, ease),
            if moved { Ok(None) } else { self.signs(rule, scene, &reference, ease, noise) },
        ];
        let finding = self.branches.join(&branches, scene.tick);
        match finding {
            Finding::Unknown(_) => {}
            Finding::Present(_) => self.reference.on_present(reference),
            Finding::Absent => self.reference.on_absent(true, scene.tick),
        }
        let is_present = matches!(finding, Finding::Present(_));
        if !is_present && !moved && scene.signals.passes(SECOND_NS) {
            self.note(noise);
        }
        finding
    }

    /// Noise, with a lighter motor; where the motor tells nothing, with deep suction.
    fn signs(
        &self,
        rule: &AirEntrainment,
        scene: &Scene<'_>,
        reference: &Levels,
        ease: f32,
        noise: Option<f32>,
    ) -> Branch {
        let flow = scene.beat(Parameter::FlowBlood)?;
        let noise = noise.ok_or(NotEvaluable::NoData(Parameter::FlowBlood))?;
        let usual = self.usual_noise.ok_or(NotEvaluable::NoReference)?;
        let noisy = noise > ease * rule.noise_ratio * usual.max(NOISE_MIN / rule.noise_ratio);
        let expected = reference.at_speed(scene.speed());
        let current = scene.beat(Parameter::MotorCurrent);
        let lighter = current
            .is_ok_and(|current| current < (1.0 - rule.current_fall * ease) * expected.current);
        let sucked = scene.beat(Parameter::PressDrain).is_ok_and(|drain| drain < rule.drain_low);
        // A lighter motor with deep suction alone is an obstructed drainage: there is less to pump.
        // And where the motor is known to work as ever, deep suction with noise is a vein that flutters.
        if !(noisy && (lighter || (sucked && current.is_err()))) {
            return match current {
                Err(reason) if scene.beat(Parameter::PressDrain).is_err() => Err(reason),
                Ok(_) | Err(_) => Ok(None),
            };
        }
        let parameter = Parameter::FlowBlood;
        Ok(Some(Evidence { parameter, value: flow, limit: None, priority: None }))
    }

    /// Remembers the noise of the last second.
    fn note(&mut self, noise: Option<f32>) {
        let Some(noise) = noise else { return };
        if let Some(place) = self.noises.get_mut(self.next) {
            *place = noise;
        }
        self.next = (self.next + 1) % NOISES;
        self.count = (self.count + 1).min(NOISES);
        let mut noises = self.noises;
        let known = noises.get_mut(..self.count).filter(|known| known.len() >= NOISES_MIN);
        self.usual_noise = known.and_then(median_of);
    }
}

/// The flow sensor has lost its coupling.
fn coupling(rule: &AirEntrainment, scene: &Scene<'_>, reference: &Levels, ease: f32) -> Branch {
    let quality = scene.tenth(Parameter::FlowAcousticQuality)?;
    if reference.quality.is_nan() {
        return Err(NotEvaluable::NoReference);
    }
    let limit = (reference.quality - rule.quality_fall * ease).max(rule.quality_min);
    let parameter = Parameter::FlowAcousticQuality;
    let limit_told = Some((Side::Below, limit));
    Ok((quality < limit).then_some(Evidence {
        parameter,
        value: quality,
        limit: limit_told,
        priority: None,
    }))
}

/// Noise of the flow over the last second: the median step from one tenth to the next. A flow that falls in one step, or
/// in a ramp, makes none.
fn flow_noise(scene: &Scene<'_>) -> Option<f32> {
    let trace = scene.signals.tenths(Parameter::FlowBlood)?;
    let mut steps = [0.0; 10];
    let mut count = 0;
    let mut before = f32::NAN;
    for value in trace.window(scene.tick, 0, 11) {
        let step = (value - before).abs();
        before = value;
        if !step.is_nan()
            && let Some(place) = steps.get_mut(count)
        {
            *place = step;
            count += 1;
        }
    }
    median_of(steps.get_mut(..count).filter(|steps| steps.len() >= 8)?)
}
