//! Two sensors that contradict each other (C11d): what no circuit can do.

use core::time::Duration;

use super::Doubt;
use crate::parameter::Parameter;
use crate::signal::Signals;
use crate::time::SampleTime;

/// A contradiction that two sensors may be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// The pressure before the membrane is less than that behind it, by more than 10 mmHg.
    PreBelowPost,
    /// The pressure before the pump is greater than that behind it, at more than 1,000 rev/min.
    DrainAbovePre,
    /// Blood flows although the pump stands: more than 0.3 of its median over 60 s, for 5 s.
    FlowWithoutSpeed,
    /// The blood behind the membrane holds less oxygen than before it, by more than 5 points.
    SatPostBelowPre,
}

pub(super) const CHECKS: [Check; 4] =
    [Check::PreBelowPost, Check::DrainAbovePre, Check::FlowWithoutSpeed, Check::SatPostBelowPre];

const PRE_BELOW_POST: f32 = 10.0;
const TURNING_FAST: f32 = 1_000.0;
const STANDS: f32 = 1.0;
const FLOW_SHARE: f32 = 0.3;
const FLOW_MIN: f32 = 50.0;
const SAT_BELOW: f32 = 5.0;

/// Longer than zeroing takes to be told: it is no contradiction.
const HOLD: Duration = Duration::from_secs(6);
/// Saturations come from two cells that see the same blood one after the other.
const HOLD_SAT: Duration = Duration::from_secs(15);
const CLEAR: Duration = Duration::from_secs(2);

/// State of one check.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cross {
    check: Check,
    since: Option<SampleTime>,
    gone_since: Option<SampleTime>,
    /// Who is doubted, and whom it contradicts.
    doubted: Option<(Parameter, Parameter)>,
    /// Usual flow before the pump stood.
    flow_before: f32,
}

impl Cross {
    pub(super) const fn new(check: Check) -> Self {
        Self { check, since: None, gone_since: None, doubted: None, flow_before: f32::NAN }
    }

    pub(super) const fn is_believed(&self) -> bool {
        self.doubted.is_none()
    }

    pub(super) fn doubt(&self, parameter: Parameter) -> Option<Doubt> {
        let (doubted, other) = self.doubted?;
        (doubted == parameter).then_some(Doubt::Disagrees(other))
    }

    /// Judges at a point of the grid; `zeroing` says whose pressure may be the room's just now.
    pub(super) fn judge(
        &mut self,
        signals: &Signals,
        tick: SampleTime,
        zeroing: impl Fn(Parameter) -> bool,
    ) {
        let (one, other) = self.pair();
        let found = match self.contradicts(signals, tick) {
            // Nothing is known, so nothing is taken back.
            None => return,
            Some(found) => found && !zeroing(one) && !zeroing(other),
        };
        if !found {
            self.since = None;
            let gone = *self.gone_since.get_or_insert(tick);
            if tick.since(gone) >= CLEAR {
                self.doubted = None;
            }
            return;
        }
        self.gone_since = None;
        let since = *self.since.get_or_insert(tick);
        let hold = if self.check == Check::SatPostBelowPre { HOLD_SAT } else { HOLD };
        if tick.since(since) >= hold && self.doubted.is_none() {
            self.doubted = Some(self.blame(signals, tick));
        }
    }

    const fn pair(&self) -> (Parameter, Parameter) {
        match self.check {
            Check::PreBelowPost => (Parameter::PressPre, Parameter::PressPost),
            Check::DrainAbovePre => (Parameter::PressDrain, Parameter::PressPre),
            Check::FlowWithoutSpeed => (Parameter::PumpSpeed, Parameter::FlowBlood),
            Check::SatPostBelowPre => (Parameter::SatPost, Parameter::SatPre),
        }
    }

    fn contradicts(&mut self, signals: &Signals, tick: SampleTime) -> Option<bool> {
        // Over a second: the pulse reaches two transducers one after the other.
        let level = |parameter| {
            let tenths = signals.tenths(parameter).and_then(|trace| trace.mean(tick, 0, 10));
            tenths.or_else(|| signals.latest(parameter, tick))
        };
        let (one, other) = self.pair();
        let (one, other) = (level(one)?, level(other)?);
        Some(match self.check {
            Check::PreBelowPost => one < other - PRE_BELOW_POST,
            Check::DrainAbovePre => {
                one > other && level(Parameter::PumpSpeed).is_some_and(|rpm| rpm > TURNING_FAST)
            }
            Check::FlowWithoutSpeed => {
                let stands = one < STANDS;
                if !stands || self.flow_before.is_nan() {
                    let flow = signals.seconds(Parameter::FlowBlood);
                    let usual = flow.and_then(|flow| flow.median(tick, 0, 60));
                    self.flow_before = usual.unwrap_or(f32::NAN);
                }
                stands && other > (FLOW_SHARE * self.flow_before).max(FLOW_MIN)
            }
            Check::SatPostBelowPre => one < other - SAT_BELOW,
        })
    }

    /// Whom to doubt: of two pressures the one that has left its usual level further.
    fn blame(&self, signals: &Signals, tick: SampleTime) -> (Parameter, Parameter) {
        let (one, other) = self.pair();
        let Some(usual) = signals.working() else { return (one, other) };
        let off = |parameter, usual: f32| {
            let trace = signals.tenths(parameter)?;
            trace.mean(tick, 0, 10).map(|now| (now - usual).abs()).filter(|off| !off.is_nan())
        };
        let offs = match self.check {
            Check::PreBelowPost => (off(one, usual.pre), off(other, usual.post)),
            Check::DrainAbovePre => (off(one, usual.drain), off(other, usual.pre)),
            Check::FlowWithoutSpeed | Check::SatPostBelowPre => return (one, other),
        };
        match offs {
            (Some(first), Some(second)) if second > first => (other, one),
            _ => (one, other),
        }
    }
}
