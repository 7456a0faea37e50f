//! What composites ask of their inputs: whether a channel is there, fast enough and measuring, and whether speed is steady.

use core::time::Duration;

use crate::alarm::composite::Scene;
use crate::alarm::rule::NotEvaluable;
use crate::case::{PumpKind, Therapy};
use crate::parameter::Parameter;
use crate::signal::{Levels, Rate};

/// The slowest channel of which tenths of a second may be judged (reference, section 2.4: at least 10 Hz).
pub(super) const FAST: Duration = Duration::from_millis(100);

/// The slowest channel of which a wave may be judged (C6).
pub(super) const WAVE: Duration = Duration::from_millis(50);

/// The slowest channel of saturations, patient numerics and the like.
pub(super) const SLOW: Duration = Duration::from_secs(10);

/// Bins of 100 ms that tell how it is now: about one beat of a newborn's heart.
const NOW: u64 = 5;

/// A set speed that differs by more than this share has been changed.
const SET_STEP: f32 = 0.005;

/// Bins of 100 ms in a time; 10 s at most.
fn tenths_of(pause: Duration) -> u64 {
    u64::try_from(pause.as_millis()).unwrap_or(u64::MAX).div_euclid(100).clamp(3, 100)
}

/// No roller turns faster, in rev/min (reference, section 1.1).
const ROLLER_SPEED_MAX: f32 = 250.0;

impl Scene<'_> {
    /// Whether a channel is there, and fast enough.
    pub(super) fn demand(
        &self,
        parameter: Parameter,
        slowest: Duration,
    ) -> Result<(), NotEvaluable> {
        match self.signals.rate(parameter) {
            Rate::Absent => Err(NotEvaluable::NoSensor(parameter)),
            Rate::Every(interval) if interval > slowest => Err(NotEvaluable::TooSlow(parameter)),
            Rate::Every(_) | Rate::OnChange => Ok(()),
        }
    }

    /// A fast signal over the last tenth of a second.
    pub(super) fn tenth(&self, parameter: Parameter) -> Result<f32, NotEvaluable> {
        self.tenths(parameter, 1)
    }

    /// A fast signal over the last half second, about one beat of the heart.
    pub(super) fn beat(&self, parameter: Parameter) -> Result<f32, NotEvaluable> {
        self.tenths(parameter, NOW)
    }

    fn tenths(&self, parameter: Parameter, bins: u64) -> Result<f32, NotEvaluable> {
        self.demand(parameter, FAST)?;
        let trace = self.signals.tenths(parameter);
        let mean = trace.and_then(|trace| trace.mean(self.tick, 0, bins));
        mean.ok_or(NotEvaluable::NoData(parameter))
    }

    /// The newest value of a slow signal.
    pub(super) fn latest(
        &self,
        parameter: Parameter,
        slowest: Duration,
    ) -> Result<f32, NotEvaluable> {
        self.demand(parameter, slowest)?;
        let latest = self.signals.latest(parameter, self.tick);
        latest.ok_or(NotEvaluable::NoData(parameter))
    }

    /// The newest value of the first of several channels that has one.
    pub(super) fn first_of(
        &self,
        parameters: &[Parameter],
        slowest: Duration,
    ) -> Result<(Parameter, f32), NotEvaluable> {
        let mut missing = None;
        for parameter in parameters {
            match self.latest(*parameter, slowest) {
                Ok(value) => return Ok((*parameter, value)),
                // A sensor that is there and does not measure says more than one that is not there.
                Err(reason @ (NotEvaluable::NoData(_) | NotEvaluable::TooSlow(_))) => {
                    missing = Some(reason);
                }
                Err(reason) => missing = missing.or(Some(reason)),
            }
        }
        Err(missing.unwrap_or(NotEvaluable::NoReference))
    }

    /// Median of a signal over its last seconds, without a demand on its rate.
    pub(super) fn median_s(&self, parameter: Parameter, seconds: u64) -> Option<f32> {
        self.signals.seconds(parameter)?.median(self.tick, 0, seconds)
    }

    /// Whether the speed was set anew, either way, or has fallen within the pause before now.
    ///
    /// A speed that rises by itself is no excuse: a pump whose circuit opens runs faster, and no pressure falls by it.
    pub(super) fn is_speed_moved(&self, steady: f32, pause: Duration) -> bool {
        self.is_speed_reduced(steady, pause) || self.is_set_anew(pause, 0.0)
    }

    /// Whether the speed was set lower, or has fallen within the pause before now.
    pub(super) fn is_speed_reduced(&self, steady: f32, pause: Duration) -> bool {
        if self.is_set_anew(pause, f32::INFINITY) {
            return true;
        }
        let bins = tenths_of(pause);
        let Some(speed) = self.signals.tenths(Parameter::PumpSpeed) else { return false };
        let now = speed.mean(self.tick, 0, 3);
        let before = speed.mean(self.tick, bins, 3);
        now.zip(before).is_some_and(|(now, before)| now < before * (1.0 - steady))
    }

    /// Whether the set speed has changed within the pause: fallen, or risen by more than a share.
    fn is_set_anew(&self, pause: Duration, rise: f32) -> bool {
        let set = self.signals.tenths(Parameter::PumpSpeedSet);
        let Some(set) = set else { return false };
        let now = set.mean(self.tick, 0, 1);
        let span = set.span(self.tick, 0, tenths_of(pause));
        now.zip(span).is_some_and(|(now, (least, greatest))| {
            let step = SET_STEP * greatest.abs();
            greatest - now > step || now - least > step.max(rise)
        })
    }

    /// Whether the pump pushes its flow on whatever the pressure is. Where nobody has said what drives the blood its speed
    /// does; where that is unknown too, it may be either, and a false alarm is better than none.
    pub(super) fn is_pushed(&self, speed: f32) -> bool {
        match self.case.pump_kind {
            Some(PumpKind::Centrifugal) => false,
            Some(PumpKind::Roller) => true,
            None => speed.is_nan() || speed <= ROLLER_SPEED_MAX,
        }
    }

    /// The pump's speed now; NaN where nothing tells it.
    pub(super) fn speed(&self) -> f32 {
        self.beat(Parameter::PumpSpeed).unwrap_or(f32::NAN)
    }

    /// How it was in the 10 s that ended 1 s ago; where too little is known of them, as it usually is.
    pub(super) fn reference(&self) -> Levels {
        let reference = *self.signals.reference();
        self.signals.working().map_or(reference, |usual| reference.or(usual))
    }

    /// The pressure that the return line runs against, of levels: the patient's, where it is known and below the line's.
    pub(super) fn distal(&self, levels: &Levels) -> f32 {
        let patient = match self.case.therapy {
            Some(Therapy::VenoArterial) => levels.arterial,
            Some(Therapy::VenoVenous) => levels.venous,
            None => 0.0,
        };
        // Where the line's own pressure is hardly above it, the transducers differ in height: no difference is sound.
        if levels.post - patient > 10.0 { patient } else { 0.0 }
    }

    /// Levels now, over about one beat of the heart; the patient's are the newest.
    pub(super) fn now(&self) -> Levels {
        let known = |parameter| self.beat(parameter).unwrap_or(f32::NAN);
        let patient = |parameter| self.signals.latest(parameter, self.tick).unwrap_or(f32::NAN);
        Levels {
            speed: known(Parameter::PumpSpeed),
            flow: known(Parameter::FlowBlood),
            drain: known(Parameter::PressDrain),
            pre: known(Parameter::PressPre),
            post: known(Parameter::PressPost),
            current: known(Parameter::MotorCurrent),
            quality: known(Parameter::FlowAcousticQuality),
            arterial: patient(Parameter::PatientAbpMean),
            venous: patient(Parameter::PatientCvp),
        }
    }
}
