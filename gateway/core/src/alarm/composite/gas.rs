//! The membrane does not oxygenate (C9), by its blood or by its gas. Blood flow plays no part: it is no pump fault.

use core::time::Duration;

use crate::alarm::Streak;
use crate::alarm::composite::branches::{Branch, Branches};
use crate::alarm::composite::frozen::{cut, lasts};
use crate::alarm::composite::inputs::SLOW;
use crate::alarm::composite::{Evidence, Finding, Scene};
use crate::alarm::rule::Side;
use crate::parameter::Parameter;

/// When the membrane counts as not oxygenating. Numbers of the reference, section 2.4 C9, proposals there.
///
/// Its branches have delays of their own, so a rule's hold adds to them: zero is meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GasFailure {
    /// The saturation after the membrane is below this, in percent.
    pub sat_post_min: f32,
    /// While the gas holds at least this much oxygen, in percent.
    pub fdo2_min: f32,
    /// Or the membrane adds less than this, in points.
    pub gain_min: f32,
    /// While the blood before it is below this, in percent.
    pub sat_pre_max: f32,
    /// Either for so long.
    pub sat_for: Duration,
    /// Or the sweep gas is below this share of what is set.
    pub sweep_share: f32,
    /// For so long.
    pub sweep_for: Duration,
}

impl Default for GasFailure {
    fn default() -> Self {
        Self {
            sat_post_min: 95.0,
            fdo2_min: 40.0,
            gain_min: 5.0,
            sat_pre_max: 90.0,
            sat_for: Duration::from_secs(15),
            sweep_share: 0.5,
            sweep_for: Duration::from_secs(3),
        }
    }
}

/// The slowest sweep channel of which seconds may be judged.
const SWEEP: Duration = Duration::from_secs(1);

/// State of [`GasFailure`].
#[derive(Debug)]
pub(super) struct GasState {
    sat: Option<Streak>,
    gain: Option<Streak>,
    sweep: Option<Streak>,
    branches: Branches,
}

impl GasState {
    pub(super) const fn new() -> Self {
        Self { sat: None, gain: None, sweep: None, branches: Branches::new() }
    }

    pub(super) fn restart(&mut self) {
        let streaks = [&mut self.sat, &mut self.gain, &mut self.sweep];
        streaks.into_iter().flatten().for_each(Streak::restart);
        self.branches.restart();
    }

    /// The gas tells first: the blood needs a washout until it shows what the gas no longer does. With a feed of 6 s the
    /// branches of the blood need 15 s and up to 12 s more.
    pub(super) fn judge(&mut self, rule: &GasFailure, scene: &Scene<'_>) -> Finding {
        let branches = [self.sweep(rule, scene), self.sat(rule, scene), self.gain(rule, scene)];
        self.branches.join(&branches, scene.tick)
    }

    fn sweep(&mut self, rule: &GasFailure, scene: &Scene<'_>) -> Branch {
        let sweep = scene.latest(Parameter::GasSweep, SWEEP)?;
        let set = scene.latest(Parameter::GasSweepSet, SLOW)?;
        let limit = rule.sweep_share * set;
        let found = (Parameter::GasSweep, sweep, limit);
        Ok(held(&mut self.sweep, sweep < limit, rule.sweep_for, found, scene))
    }

    fn sat(&mut self, rule: &GasFailure, scene: &Scene<'_>) -> Branch {
        let sat = scene.latest(Parameter::SatPost, SLOW)?;
        let fdo2 = scene.first_of(&[Parameter::GasFdo2, Parameter::GasFdo2Set], SLOW);
        // Little oxygen in the gas explains little in the blood; that nobody measures it does not.
        let poor = fdo2.is_ok_and(|(_parameter, fdo2)| fdo2 < rule.fdo2_min);
        let is = sat < rule.sat_post_min && !poor;
        let found = (Parameter::SatPost, sat, rule.sat_post_min);
        Ok(held(&mut self.sat, is, rule.sat_for, found, scene))
    }

    fn gain(&mut self, rule: &GasFailure, scene: &Scene<'_>) -> Branch {
        let post = scene.latest(Parameter::SatPost, SLOW)?;
        let (_parameter, pre) = scene.first_of(&[Parameter::SatPre, Parameter::SatDrain], SLOW)?;
        let limit = pre + rule.gain_min;
        let is = pre < rule.sat_pre_max && post < limit;
        let found = (Parameter::SatPost, post, limit);
        Ok(held(&mut self.gain, is, rule.sat_for, found, scene))
    }
}

/// Evidence once something has been so for its time.
fn held(
    streak: &mut Option<Streak>,
    is: bool,
    needed: Duration,
    (parameter, value, limit): (Parameter, f32, f32),
    scene: &Scene<'_>,
) -> Option<Evidence> {
    let lasted = if is { lasts(streak, scene.tick) } else { cut(streak) };
    let limit = Some((Side::Below, limit));
    (is && lasted >= needed).then_some(Evidence { parameter, value, limit, priority: None })
}
