//! Obstructed lines: the return (C3) and the drainage, or a patient who lacks volume (C4).

use core::time::Duration;

use crate::alarm::composite::frozen::Frozen;
use crate::alarm::composite::{Evidence, Finding, Scene};
use crate::alarm::condition::Priority;
use crate::alarm::rule::{NotEvaluable, Side};
use crate::parameter::Parameter;
use crate::signal::Levels;

/// Below this flow its changes mean nothing, in mL/min (reference, section 2.4).
const FLOW_MIN: f32 = 100.0;

/// Blood that runs backwards faster than this, in mL/min, is obstructed by nothing.
const FLOW_ZERO: f32 = 20.0;

/// A head below this share of the usual one has fallen.
const HEAD_LOST: f32 = 0.85;

/// What is present ends at this share of the thresholds that it began at.
const EASE: f32 = 0.8;

/// When the return counts as obstructed. Numbers of the reference, section 2.4 C3, proposals there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReturnObstruction {
    /// The resistance of the return is more than this many times what it was.
    pub resistance_ratio: f32,
    /// And the pressure after the membrane has risen by more than this, in mmHg.
    pub rise_min: f32,
    /// And, unless a roller drives the blood, the flow has fallen by at least this share (our own number).
    pub flow_fall: f32,
    /// Above this pressure after the membrane it is of high priority, in mmHg.
    pub post_high: f32,
    /// A change of the speed by this share or more is a change.
    pub speed_steady: f32,
    /// For so long after a change of the speed nothing is decided.
    pub speed_pause: Duration,
}

impl Default for ReturnObstruction {
    fn default() -> Self {
        Self {
            resistance_ratio: 1.5,
            rise_min: 30.0,
            flow_fall: 0.03,
            post_high: 300.0,
            speed_steady: 0.02,
            speed_pause: Duration::from_secs(2),
        }
    }
}

/// When the drainage counts as obstructed. Numbers of the reference, section 2.4 C4, proposals there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DrainObstruction {
    /// The drainage pressure has fallen by more than this, in mmHg.
    pub fall_min: f32,
    /// And, unless a roller drives the blood, the flow by at least this share.
    pub flow_fall: f32,
    /// A change of the speed by this share or more is a change.
    pub speed_steady: f32,
    /// For so long after a change of the speed nothing is decided.
    pub speed_pause: Duration,
}

impl Default for DrainObstruction {
    fn default() -> Self {
        Self {
            fall_min: 15.0,
            flow_fall: 0.1,
            speed_steady: 0.02,
            speed_pause: Duration::from_secs(2),
        }
    }
}

/// State of both rules: the working point that the obstruction is told by.
///
/// It is the circuit's usual one over minutes ([`crate::signal::Signals::working`]), so that a line that closes slowly
/// does not drag its measure along; while the line is obstructed it stands still. It moves again 11 s after the circuit is
/// near it, or unobstructed at another speed; at the latest after 10 min that were not obstructed.
#[derive(Debug)]
pub(super) struct ObstructionState {
    reference: Frozen<Levels>,
}

/// The circuit now, and what it would be if nothing were obstructed.
struct Look {
    now: Levels,
    usual: Levels,
    /// The same, grown or shrunk with the speed.
    at_speed: Levels,
    /// The pump pushes the same flow through an obstruction.
    pushes: bool,
    ease: f32,
}

impl ObstructionState {
    pub(super) const fn new() -> Self {
        Self { reference: Frozen::new() }
    }

    pub(super) fn restart(&mut self) {
        self.reference.restart();
    }

    pub(super) fn judge_return(&mut self, rule: &ReturnObstruction, scene: &Scene<'_>) -> Finding {
        let pause = (rule.speed_steady, rule.speed_pause);
        let recovered = |look: &Look| look.now.post - look.usual.post < 0.5 * rule.rise_min;
        self.judge(
            scene,
            Parameter::PressPost,
            pause,
            |look| look.return_is(rule, scene),
            recovered,
        )
    }

    pub(super) fn judge_drain(&mut self, rule: &DrainObstruction, scene: &Scene<'_>) -> Finding {
        let pause = (rule.speed_steady, rule.speed_pause);
        let recovered = |look: &Look| look.usual.drain - look.now.drain < 0.5 * rule.fall_min;
        self.judge(scene, Parameter::PressDrain, pause, |look| look.drain_is(rule), recovered)
    }

    fn judge(
        &mut self,
        scene: &Scene<'_>,
        pressure: Parameter,
        (speed_steady, speed_pause): (f32, Duration),
        find: impl Fn(&Look) -> Result<Option<Evidence>, NotEvaluable>,
        recovered: impl Fn(&Look) -> bool,
    ) -> Finding {
        for needed in [pressure, Parameter::FlowBlood] {
            if let Err(reason) = scene.beat(needed) {
                return Finding::Unknown(reason);
            }
        }
        let Some(reference) = self.reference.held().or_else(|| scene.signals.working().copied())
        else {
            return Finding::Unknown(NotEvaluable::NoReference);
        };
        let present = self.reference.is_present();
        let now = scene.now();
        let ease = if present { EASE } else { 1.0 };
        let pushes = scene.is_pushed(now.speed);
        let look =
            Look { now, usual: reference, at_speed: reference.scaled_to(now.speed), pushes, ease };
        // More speed is no excuse: what an obstruction takes away, a servo or a person tries to make good by it.
        if !present && scene.is_speed_reduced(speed_steady, speed_pause) {
            return Finding::Absent;
        }
        match find(&look) {
            Err(reason) => Finding::Unknown(reason),
            Ok(Some(evidence)) => {
                self.reference.on_present(reference);
                Finding::Present(evidence)
            }
            Ok(None) => {
                let changed = (now.speed / reference.speed - 1.0).abs() >= speed_steady;
                self.reference.on_absent(changed || recovered(&look), scene.tick);
                Finding::Absent
            }
        }
    }
}

impl Look {
    /// Whether the flow has fallen below a share of what is expected, as behind an obstruction; a roller needs no such sign.
    fn flow_fell(&self, share: f32, expected: f32) -> bool {
        self.pushes || self.now.flow < (1.0 - share * self.ease) * expected
    }

    fn return_is(
        &self,
        rule: &ReturnObstruction,
        scene: &Scene<'_>,
    ) -> Result<Option<Evidence>, NotEvaluable> {
        let Self { now, ease, .. } = self;
        let usual = &self.usual;
        if usual.post.is_nan() || usual.flow.is_nan() || usual.flow < FLOW_MIN {
            return Err(NotEvaluable::NoReference);
        }
        // A roller's pressures grow with its speed; a centrifugal pump's flow does, or else something is in its way. They
        // are not made smaller with a lower speed: the patient's own pressure does not go with it.
        let grown = if self.pushes { self.at_speed.post } else { usual.post };
        let limit = usual.post.max(grown) + rule.rise_min * ease;
        // Products instead of quotients: a line that is closed has no flow to divide by.
        // The resistance of a cannula grows with its flow: more flow explains more resistance.
        let more = (now.flow / usual.flow).max(1.0);
        let before = (usual.post - scene.distal(usual)) * now.flow.max(0.0) * more;
        let resistance = (now.post - scene.distal(now)) * usual.flow;
        let ratio = 1.0 + (rule.resistance_ratio - 1.0) * ease;
        let is = now.post > limit
            && resistance > ratio * before
            && now.flow > -FLOW_ZERO
            && self.flow_fell(rule.flow_fall, self.at_speed.flow);
        if !is {
            return Ok(None);
        }
        let priority = (now.post > rule.post_high).then_some(Priority::High);
        let limit = Some((Side::Above, limit));
        Ok(Some(Evidence { parameter: Parameter::PressPost, value: now.post, limit, priority }))
    }

    fn drain_is(&self, rule: &DrainObstruction) -> Result<Option<Evidence>, NotEvaluable> {
        let Self { now, ease, .. } = self;
        let usual = &self.usual;
        if usual.drain.is_nan() || usual.flow.is_nan() || usual.flow < FLOW_MIN {
            return Err(NotEvaluable::NoReference);
        }
        // More speed sucks more: that alone is no obstruction.
        let limit = usual.drain.min(self.at_speed.drain) - rule.fall_min * ease;
        // Behind an obstructed drainage the head of a pump rises; where it falls, blood is lost behind the pump.
        let head = (now.pre - now.drain, self.at_speed.pre - self.at_speed.drain);
        let lost = head.0 < HEAD_LOST * head.1;
        if now.drain >= limit
            || lost
            || !self.flow_fell(rule.flow_fall, usual.flow.min(self.at_speed.flow))
        {
            return Ok(None);
        }
        let limit = Some((Side::Below, limit));
        let value = now.drain;
        Ok(Some(Evidence { parameter: Parameter::PressDrain, value, limit, priority: None }))
    }
}
