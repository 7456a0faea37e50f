//! An open circuit (C2): its signs in flow and pressures together, and the sudden fall of the return pressure alone.

use core::time::Duration;

use crate::alarm::composite::branches::{Branch, Branches};
use crate::alarm::composite::frozen::Frozen;
use crate::alarm::composite::{Evidence, Finding, Scene};
use crate::alarm::rule::{NotEvaluable, Side};
use crate::parameter::Parameter;
use crate::signal::Levels;

/// Below this flow its changes mean nothing, in mL/min (reference, section 2.4).
const FLOW_MIN: f32 = 100.0;

/// A drainage pressure that has fallen by more than this, in mmHg, starves a roller (reference, section 2.4 C4).
const STARVED: f32 = 15.0;

/// What is present ends at this share of the thresholds that it began at.
const EASE: f32 = 0.8;

/// When the circuit counts as open. Numbers of the reference, section 2.4 C2, proposals there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Disconnection {
    /// Return side: the pressure after the membrane has fallen by more than this share.
    pub fall_share: f32,
    /// And by more than this, in mmHg.
    pub fall_min: f32,
    /// While the flow is still at least this share of what it was.
    pub flow_share: f32,
    /// And the resistance of the return has fallen by more than this share.
    pub resistance_fall: f32,
    /// Before the membrane, and drainage side: the flow has fallen by more than this share.
    pub flow_fall: f32,
    /// Drainage side: the pressure has come within this of the room's, in mmHg.
    pub drain_near: f32,
    /// From below this, in mmHg.
    pub drain_from: f32,
    /// The motor current has fallen by more than this share.
    pub current_fall: f32,
    /// A change of the speed by this share or more is a change.
    pub speed_steady: f32,
    /// For so long after a change of the speed nothing is decided.
    pub speed_pause: Duration,
}

impl Default for Disconnection {
    fn default() -> Self {
        Self {
            fall_share: 0.3,
            fall_min: 25.0,
            flow_share: 0.95,
            resistance_fall: 0.4,
            flow_fall: 0.3,
            drain_near: 5.0,
            drain_from: -10.0,
            current_fall: 0.2,
            speed_steady: 0.02,
            speed_pause: Duration::from_secs(2),
        }
    }
}

/// When the return pressure counts as fallen (`post.low`). Numbers of the reference, section 2.4 C2, proposals there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PostFall {
    /// The pressure after the membrane has fallen by more than this share.
    pub fall_share: f32,
    /// And by more than this, in mmHg.
    pub fall_min: f32,
    /// A change of the speed by this share or more is a change.
    pub speed_steady: f32,
    /// For so long after a change of the speed nothing is decided.
    pub speed_pause: Duration,
}

impl Default for PostFall {
    fn default() -> Self {
        let Disconnection { fall_share, fall_min, speed_steady, speed_pause, .. } =
            Disconnection::default();
        Self { fall_share, fall_min, speed_steady, speed_pause }
    }
}

/// What the circuit is held against.
#[derive(Debug, Clone, Copy)]
struct Before {
    /// In the 10 s that ended 1 s ago.
    recent: Levels,
    /// Usually.
    usual: Option<Levels>,
}

impl Before {
    fn of(scene: &Scene<'_>) -> Self {
        Self { recent: scene.reference(), usual: scene.signals.working().copied() }
    }
}

/// A transducer that ranges over less than this within 2 s has no pulse, in mmHg (own, prop).
const DEAD_RANGE: f32 = 0.2;

/// A pressure within this of 0 is that of the room, in mmHg.
const ROOM: f32 = 3.0;

/// State of [`Disconnection`].
#[derive(Debug)]
pub(super) struct DisconnectionState {
    reference: Frozen<Before>,
    branches: Branches,
}

impl DisconnectionState {
    pub(super) const fn new() -> Self {
        Self { reference: Frozen::new(), branches: Branches::new() }
    }

    pub(super) fn restart(&mut self) {
        self.reference.restart();
        self.branches.restart();
    }

    /// The reference is that of the 10 s that ended 1 s ago; while the circuit is open it stands still. It moves again
    /// 11 s after pressures and flow are near it, or the staff has changed the speed and nothing looks open any more.
    pub(super) fn judge(&mut self, rule: &Disconnection, scene: &Scene<'_>) -> Finding {
        let reference = self.reference.held().unwrap_or_else(|| Before::of(scene));
        let present = self.reference.is_present();
        let look = Look::new(scene, &reference, present);
        let branches = if !present && scene.is_speed_moved(rule.speed_steady, rule.speed_pause) {
            [Ok(None); 3]
        } else {
            [look.return_side(rule), look.before_membrane(rule), look.drainage_side(rule)]
        };
        let finding = self.branches.join(&branches, scene.tick);
        settle(&mut self.reference, &finding, &reference, rule.speed_steady, scene);
        finding
    }
}

/// State of [`PostFall`].
#[derive(Debug)]
pub(super) struct PostFallState {
    reference: Frozen<Before>,
}

impl PostFallState {
    pub(super) const fn new() -> Self {
        Self { reference: Frozen::new() }
    }

    pub(super) fn restart(&mut self) {
        self.reference.restart();
    }

    /// The reference is that of [`DisconnectionState::judge`].
    pub(super) fn judge(&mut self, rule: &PostFall, scene: &Scene<'_>) -> Finding {
        let reference = self.reference.held().unwrap_or_else(|| Before::of(scene));
        let present = self.reference.is_present();
        let branch = if !present && scene.is_speed_moved(rule.speed_steady, rule.speed_pause) {
            Ok(None)
        } else {
            Look::new(scene, &reference, present).post_fell(rule)
        };
        let finding = match branch {
            Err(reason) => Finding::Unknown(reason),
            Ok(None) => Finding::Absent,
            Ok(Some(evidence)) => Finding::Present(evidence),
        };
        settle(&mut self.reference, &finding, &reference, rule.speed_steady, scene);
        finding
    }
}

/// Holds the reference while something is open, and lets it go.
fn settle(
    held: &mut Frozen<Before>,
    finding: &Finding,
    before: &Before,
    speed_steady: f32,
    scene: &Scene<'_>,
) {
    match finding {
        Finding::Unknown(_) => {}
        Finding::Present(_) => held.on_present(*before),
        Finding::Absent => {
            let (now, reference) = (scene.now(), before.recent);
            let near = |one: f32, other: f32, least: f32| {
                one.is_nan()
                    || other.is_nan()
                    || (one - other).abs() <= least.max(0.1 * other.abs())
            };
            let recovered = near(now.post, reference.post, 10.0)
                && near(now.drain, reference.drain, 8.0)
                && near(now.flow, reference.flow, 0.0);
            let changed = (now.speed / reference.speed - 1.0).abs() >= speed_steady;
            held.on_absent(recovered || changed, scene.tick);
        }
    }
}

/// The circuit now against its reference.
struct Look<'a> {
    scene: &'a Scene<'a>,
    /// What the reference would be at the present speed.
    reference: Levels,
    /// And what the circuit usually does.
    usual: Option<Levels>,
    /// Factor of the thresholds: less than 1 for what is present already.
    ease: f32,
}

impl<'a> Look<'a> {
    fn new(scene: &'a Scene<'a>, before: &Before, present: bool) -> Self {
        let speed = scene.speed();
        Self {
            scene,
            reference: before.recent.at_speed(speed),
            usual: before.usual.map(|usual| usual.at_speed(speed)),
            ease: if present { EASE } else { 1.0 },
        }
    }

    fn known(level: f32) -> Result<f32, NotEvaluable> {
        if level.is_nan() { Err(NotEvaluable::NoReference) } else { Ok(level) }
    }

    /// Flow now and before; it must have been enough to tell something.
    fn flow(&self) -> Result<(f32, f32), NotEvaluable> {
        let beat = self.scene.beat(Parameter::FlowBlood)?;
        let before = Self::known(self.reference.flow)?;
        if before < FLOW_MIN { Err(NotEvaluable::NoReference) } else { Ok((beat, before)) }
    }

    /// The lesser of a signal's last tenth and its last beat: of what falls, the tenth is of the pressures' time, and of
    /// what has fallen, the beat is steady.
    fn least(&self, parameter: Parameter) -> Result<f32, NotEvaluable> {
        Ok(self.scene.tenth(parameter)?.min(self.scene.beat(parameter)?))
    }

    /// How deep the pressure after the membrane must have fallen, and how deep it has; `None` when it has not, or when
    /// the pressure before the membrane does not follow, or when it is only back from above the usual.
    fn fall(&self, share: f32, least: f32) -> Result<Option<(f32, f32)>, NotEvaluable> {
        let post = self.scene.tenth(Parameter::PressPost)?;
        let before = Self::known(self.reference.post)?;
        let needed = (share * before).max(least) * self.ease;
        let fall = before - post;
        // Zeroing or flushing one transducer moves one pressure alone.
        let pre = self.scene.tenth(Parameter::PressPre).ok().filter(|_| !self.is_pre_dead());
        let pre_fall = pre.map(|pre| self.reference.pre - pre).filter(|fall| !fall.is_nan());
        let follows = pre_fall.is_none_or(|pre_fall| pre_fall >= 0.5 * fall);
        let below_usual = self.usual.is_none_or(|usual| {
            usual.post.is_nan() || usual.post - post > 0.5 * (share * usual.post).max(least)
        });
        Ok((fall > needed && follows && below_usual).then_some((post, before - needed)))
    }

    /// Whether the pressure before the membrane tells nothing: without a pulse for 2 s, or that of the room. A transducer
    /// that is stuck or being zeroed is no witness that the circuit is closed.
    fn is_pre_dead(&self) -> bool {
        let span = self.scene.signals.tenths(Parameter::PressPre);
        let span = span.and_then(|trace| trace.span(self.scene.tick, 0, 20));
        span.is_some_and(|(least, greatest)| {
            greatest - least < DEAD_RANGE || (least >= -ROOM && greatest <= ROOM)
        })
    }

    /// C2a: the return is open, so its pressure falls and its flow does not.
    fn return_side(&self, rule: &Disconnection) -> Branch {
        let (beat, before) = self.flow()?;
        let fall = self.fall(rule.fall_share, rule.fall_min)?;
        let Some((post, limit)) = fall else { return Ok(None) };
        let flow = self.scene.tenth(Parameter::FlowBlood)?.max(beat);
        let flows = flow >= rule.flow_share * before * (0.5 + 0.5 * self.ease);
        let distal = self.scene.distal(&self.reference);
        let resistance = (post - distal) / flow;
        let usual = (self.reference.post - distal) / before;
        let opened = resistance < (1.0 - rule.resistance_fall * self.ease) * usual;
        Ok((flows && opened).then(|| evidence(Parameter::PressPost, post, Side::Below, limit)))
    }

    /// Whether the pump's head is what it was: a centrifugal pump that moves more makes less of it, and behind an
    /// obstructed drainage more.
    fn head_stays(&self, pre: f32) -> bool {
        let Ok(drain) = self.scene.tenth(Parameter::PressDrain) else { return false };
        let stays = |levels: &Levels| pre - drain >= 0.95 * (levels.pre - levels.drain);
        stays(&self.reference) || self.usual.is_some_and(|usual| stays(&usual))
    }

    /// Whether a centrifugal pump works less than it did: it would work harder if it moved more, and one that is filled
    /// with air does not.
    fn is_lighter(&self) -> bool {
        let Ok(current) = self.least(Parameter::MotorCurrent) else { return false };
        let less = |levels: &Levels| current < 0.9 * levels.current;
        less(&self.reference) || self.usual.is_some_and(|usual| less(&usual))
    }

    /// Whether a roller lacks blood: its flow is less because the drainage gives less, not because it is lost behind.
    fn is_starved(&self) -> bool {
        let Ok(drain) = self.scene.beat(Parameter::PressDrain) else { return false };
        let fell = |levels: &Levels| drain < levels.drain - STARVED;
        fell(&self.reference) || self.usual.is_some_and(|usual| fell(&usual))
    }

    /// C2b: open between pump and membrane, so both pressures and the flow behind fall, and no other cause explains it.
    fn before_membrane(&self, rule: &Disconnection) -> Branch {
        self.scene.tenth(Parameter::PumpSpeed)?;
        let pre = self.scene.tenth(Parameter::PressPre)?;
        let before = Self::known(self.reference.pre)?;
        let (_beat, flow_before) = self.flow()?;
        let flow = self.least(Parameter::FlowBlood)?;
        let kept = 1.0 - rule.fall_share * self.ease;
        let Some(_fall) = self.fall(rule.fall_share, rule.fall_min)? else { return Ok(None) };
        let other_cause = if self.scene.is_pushed(self.reference.speed) {
            self.is_starved()
        } else {
            self.head_stays(pre) || self.is_lighter()
        };
        let is = pre < kept * before
            && flow < (1.0 - rule.flow_fall * self.ease) * flow_before
            && !other_cause;
        Ok(is.then(|| evidence(Parameter::PressPre, pre, Side::Below, kept * before)))
    }

    /// C2c: the drainage is open, so its suction is gone, and air or less blood comes. Behind a closed return the suction
    /// is gone too, but the pressure rises there.
    fn drainage_side(&self, rule: &Disconnection) -> Branch {
        self.scene.tenth(Parameter::PumpSpeed)?;
        let drain = self.scene.tenth(Parameter::PressDrain)?;
        let before = Self::known(self.reference.drain)?;
        let flow = self.flow();
        let current = self.least(Parameter::MotorCurrent);
        if let (Err(reason), Err(_)) = (flow, current) {
            return Err(reason);
        }
        let limit = -rule.drain_near / self.ease;
        if drain <= limit || before >= rule.drain_from {
            return Ok(None);
        }
        let air = [Parameter::AirBubble, Parameter::AirVenous].into_iter().any(|one| {
            self.scene.signals.latest(one, self.scene.tick).is_some_and(|air| air > 0.5)
        });
        let least = self.least(Parameter::FlowBlood);
        let less = flow.is_ok_and(|(_beat, before)| {
            least.is_ok_and(|least| least < (1.0 - rule.flow_fall * self.ease) * before)
        });
        let lighter = current.is_ok_and(|current| {
            current < (1.0 - rule.current_fall * self.ease) * self.reference.current
        });
        let post = self.scene.beat(Parameter::PressPost);
        let closed = post.is_ok_and(|post| post > 1.1 * self.reference.post + 5.0);
        let is = (air || less || lighter) && !closed;
        Ok(is.then(|| evidence(Parameter::PressDrain, drain, Side::Above, limit)))
    }

    /// The pressure after the membrane has fallen by more than the flow explains; where the flow is unknown, at all.
    fn post_fell(&self, rule: &PostFall) -> Branch {
        let Some((post, limit)) = self.fall(rule.fall_share, rule.fall_min)? else {
            return Ok(None);
        };
        let distal = self.scene.distal(&self.reference);
        let explained = self.flow().is_ok_and(|(beat, before)| {
            // The flow of the same tenth as the pressure: over a beat it comes later.
            let flow = self.scene.tenth(Parameter::FlowBlood).map_or(beat, |flow| flow.min(beat));
            let share = (flow.max(0.0) / before).min(1.0);
            let expected = distal + (self.reference.post - distal) * share * share;
            post > expected - (0.1 * self.reference.post).max(10.0)
        });
        Ok((!explained).then(|| evidence(Parameter::PressPost, post, Side::Below, limit)))
    }
}

const fn evidence(parameter: Parameter, value: f32, side: Side, limit: f32) -> Evidence {
    Evidence { parameter, value, limit: Some((side, limit)), priority: None }
}
