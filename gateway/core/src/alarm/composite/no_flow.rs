//! Pump stop without its speed (C1, second half): no flow, no pressure drop, no head.

use core::time::Duration;

use crate::alarm::Streak;
use crate::alarm::composite::frozen::lasts;
use crate::alarm::composite::{Evidence, Finding, Scene};
use crate::alarm::rule::{NotEvaluable, Side};
use crate::parameter::Parameter;

/// When a pump counts as not moving blood. Numbers of the reference, section 2.4 C1, proposals there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoFlow {
    /// Flow below this is none, in mL/min.
    pub flow_min: f32,
    /// So is flow below this share of its median over 60 s.
    pub flow_share: f32,
    /// Pressure drop over the membrane below this is none, in mmHg.
    pub delta_max: f32,
    /// Pump head below this share of its median over 60 s is none.
    pub head_share: f32,
}

impl Default for NoFlow {
    fn default() -> Self {
        Self { flow_min: 20.0, flow_share: 0.1, delta_max: 3.0, head_share: 0.2 }
    }
}

/// The least time of a median over 60 s, in seconds: a pump that stops soon after the gateway has joined is found too.
const SECONDS: [u64; 3] = [60, 30, 10];

/// So long after it moves blood again the medians have forgotten that it did not.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// What the pump usually does.
#[derive(Debug, Clone, Copy)]
struct Usual {
    flow: f32,
    head: f32,
}

/// State of [`NoFlow`].
#[derive(Debug)]
pub(super) struct NoFlowState {
    /// What it did before it stopped; held until it has moved blood for a minute.
    held: Option<Usual>,
    moves: Option<Streak>,
}

impl NoFlowState {
    pub(super) const fn new() -> Self {
        Self { held: None, moves: None }
    }

    pub(super) fn restart(&mut self) {
        if let Some(moves) = &mut self.moves {
            moves.restart();
        }
    }

    pub(super) fn judge(&mut self, rule: &NoFlow, scene: &Scene<'_>) -> Finding {
        if !scene.meant_to_run {
            *self = Self::new();
            return Finding::Absent;
        }
        match self.look(rule, scene) {
            Err(reason) => Finding::Unknown(reason),
            Ok(Some(evidence)) => Finding::Present(evidence),
            Ok(None) => Finding::Absent,
        }
    }

    fn look(&mut self, rule: &NoFlow, scene: &Scene<'_>) -> Result<Option<Evidence>, NotEvaluable> {
        let flow = scene.tenth(Parameter::FlowBlood)?;
        let pre = scene.tenth(Parameter::PressPre)?;
        let post = scene.tenth(Parameter::PressPost)?;
        let drain = scene.tenth(Parameter::PressDrain)?;
        let usual = self.held.or_else(|| usual(scene)).ok_or(NotEvaluable::NoReference)?;
        let limit = rule.flow_min.max(rule.flow_share * usual.flow);
        // Blood that runs backwards is moved by no pump: signs count.
        let none = flow < limit
            && pre - post < rule.delta_max
            && pre - drain < rule.head_share * usual.head;
        if none {
            self.held = Some(usual);
            self.moves = None;
            let limit = Some((Side::Below, limit));
            let parameter = Parameter::FlowBlood;
            return Ok(Some(Evidence { parameter, value: flow, limit, priority: None }));
        }
        if self.held.is_some() && lasts(&mut self.moves, scene.tick) >= FORGOTTEN {
            *self = Self::new();
        }
        Ok(None)
    }
}

fn usual(scene: &Scene<'_>) -> Option<Usual> {
    SECONDS.into_iter().find_map(|seconds| {
        let flow = scene.median_s(Parameter::FlowBlood, seconds)?;
        let pre = scene.median_s(Parameter::PressPre, seconds)?;
        let drain = scene.median_s(Parameter::PressDrain, seconds)?;
        Some(Usual { flow, head: pre - drain })
    })
}
