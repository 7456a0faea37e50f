//! The drainage cannula sucks itself to the vein again and again (C6).

use crate::alarm::composite::inputs::WAVE;
use crate::alarm::composite::{Evidence, Finding, Scene};
use crate::alarm::condition::Priority;
use crate::alarm::rule::{NotEvaluable, Side};
use crate::parameter::Parameter;
use crate::signal::{Trace, median_of};

/// When the drainage counts as chattering. Numbers of the reference, section 2.4 C6, proposals there; the window is 4 s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chatter {
    /// The drainage pressure swings by more than this between its 5th and 95th percentile, in mmHg.
    pub swing_min: f32,
    /// And by more than this many times its usual swing, the median over 300 s.
    pub swing_ratio: f32,
    /// It falls this far below its median, in mmHg.
    pub dip: f32,
    /// At least so many times in 10 s.
    pub dips_per_10_s: f32,
    /// And the flow swings by more than this share of its median.
    pub flow_swing: f32,
    /// High priority: the flow is below this share of its target.
    pub target_share: f32,
    /// High priority too: the drainage pressure falls below this, in mmHg.
    pub drain_very_low: f32,
    /// The speed is constant while it stays within this share.
    pub speed_steady: f32,
}

impl Default for Chatter {
    fn default() -> Self {
        Self {
            swing_min: 30.0,
            swing_ratio: 3.0,
            dip: 20.0,
            dips_per_10_s: 3.0,
            flow_swing: 0.2,
            target_share: 0.5,
            drain_very_low: -100.0,
            speed_steady: 0.02,
        }
    }
}

/// Bins of 50 ms in the window of 4 s.
const BINS: usize = 80;

/// The usual swing is noted once in so many nanoseconds, over 300 s.
const NOTE_NS: u64 = 5_000_000_000;
const NOTES: usize = 60;

/// With fewer notes, 30 s, the usual swing is not known.
const NOTES_MIN: usize = 6;

/// Of a swing below this share of `swing_min` nothing more is asked.
const CALM: f32 = 0.5;

/// State of [`Chatter`].
#[derive(Debug)]
pub(super) struct ChatterState {
    notes: [f32; NOTES],
    count: usize,
    next: usize,
}

/// What the window says of the drainage pressure.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Swing {
    low: f32,
    high: f32,
    dips_per_10_s: f32,
}

impl ChatterState {
    pub(super) const fn new() -> Self {
        Self { notes: [0.0; NOTES], count: 0, next: 0 }
    }

    pub(super) fn judge(&mut self, rule: &Chatter, scene: &Scene<'_>) -> Finding {
        match self.look(rule, scene) {
            Err(reason) => Finding::Unknown(reason),
            Ok(Some(evidence)) => Finding::Present(evidence),
            Ok(None) => Finding::Absent,
        }
    }

    fn look(
        &mut self,
        rule: &Chatter,
        scene: &Scene<'_>,
    ) -> Result<Option<Evidence>, NotEvaluable> {
        scene.demand(Parameter::PressDrain, WAVE)?;
        let beat = scene.beat(Parameter::FlowBlood)?;
        let missing = NotEvaluable::NoData(Parameter::PressDrain);
        let window = scene.signals.drain().span(scene.tick, 0, 80).ok_or(missing)?;
        let due = scene.signals.passes(NOTE_NS);
        let calm = window.1 - window.0 < CALM * rule.swing_min;
        if calm && !due {
            return Ok(None);
        }
        let swing = swing(scene.signals.drain(), rule.dip, scene).ok_or(missing)?;
        let flow = flow_swing(scene)?;
        let usual = self.usual();
        let height = swing.high - swing.low;
        let is = height > rule.swing_min
            && usual.is_none_or(|usual| height > rule.swing_ratio * usual)
            && swing.dips_per_10_s >= rule.dips_per_10_s
            // A pressure that swings with the heart or the ventilator moves the flow by less than a tenth.
            && flow > rule.flow_swing
            && is_speed_constant(rule.speed_steady, scene);
        // What may be chatter is no measure of what is usual.
        if due && !(height > rule.swing_min && swing.dips_per_10_s >= rule.dips_per_10_s) {
            self.note(height);
        }
        if !is {
            return Ok(None);
        }
        let half = scene.case.flow_target.is_some_and(|target| beat < rule.target_share * target);
        let priority = (half || swing.low < rule.drain_very_low).then_some(Priority::High);
        let limit = Some((Side::Below, swing.high - rule.swing_min));
        Ok(Some(Evidence { parameter: Parameter::PressDrain, value: swing.low, limit, priority }))
    }

    fn note(&mut self, height: f32) {
        if let Some(place) = self.notes.get_mut(self.next) {
            *place = height;
        }
        self.next = (self.next + 1) % NOTES;
        self.count = (self.count + 1).min(NOTES);
    }

    /// The usual swing, once it has been seen for half a minute.
    fn usual(&self) -> Option<f32> {
        let mut notes = self.notes;
        let known = notes.get_mut(..self.count).filter(|known| known.len() >= NOTES_MIN)?;
        median_of(known)
    }
}

/// Percentiles 5 and 95 of the window, and how often the pressure dips.
fn swing(trace: &Trace<128>, dip: f32, scene: &Scene<'_>) -> Option<Swing> {
    let mut values = [0.0; BINS];
    let mut count = 0;
    for value in trace.window(scene.tick, 0, 80).filter(|value| !value.is_nan()) {
        *values.get_mut(count)? = value;
        count += 1;
    }
    let known = values.get_mut(..count)?;
    let (low_place, high_place) = (count / 20, count.saturating_sub(1 + count / 20));
    let median = median_of(known)?;
    let low = *known.select_nth_unstable_by(low_place, f32::total_cmp).1;
    let high = *known.select_nth_unstable_by(high_place, f32::total_cmp).1;
    let mut dips = 0.0;
    let mut below = true;
    for value in trace.window(scene.tick, 0, 80).filter(|value| !value.is_nan()) {
        // It must come back to the median before it can dip again: noise at the line is no dip.
        if value < median - dip {
            if !below {
                dips += 1.0;
            }
            below = true;
        } else if value >= median {
            below = false;
        }
    }
    Some(Swing { low, high, dips_per_10_s: dips * 2.5 })
}

/// How far the flow swings within the window, as a share of its median.
fn flow_swing(scene: &Scene<'_>) -> Result<f32, NotEvaluable> {
    let missing = NotEvaluable::NoData(Parameter::FlowBlood);
    let trace = scene.signals.tenths(Parameter::FlowBlood).ok_or(missing)?;
    let (least, greatest) = trace.span(scene.tick, 0, 40).ok_or(missing)?;
    let median = trace.median(scene.tick, 0, 40).ok_or(missing)?;
    // Of no flow every swing is a great one.
    Ok(if median > 0.0 { (greatest - least) / median } else { f32::MAX })
}

/// Whether the speed stayed within its share over the window: halves of it are compared, for the load makes it swing.
fn is_speed_constant(steady: f32, scene: &Scene<'_>) -> bool {
    let set = scene.signals.tenths(Parameter::PumpSpeedSet);
    let set = set.and_then(|trace| trace.span(scene.tick, 0, 40));
    if set.is_some_and(|(least, greatest)| greatest - least > steady * greatest) {
        return false;
    }
    let Some(speed) = scene.signals.tenths(Parameter::PumpSpeed) else { return true };
    let halves = speed.mean(scene.tick, 0, 20).zip(speed.mean(scene.tick, 20, 20));
    halves.is_none_or(|(now, before)| (now - before).abs() <= 2.0 * steady * before.abs())
}
