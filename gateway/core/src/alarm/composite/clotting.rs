//! The membrane clots (C5): its resistance against the one it had when it was new, and how fast it grows.

mod slope;

use core::time::Duration;

use crate::alarm::Streak;
use crate::alarm::composite::frozen::cut;
use crate::alarm::composite::history::History;
use crate::alarm::composite::inputs::SLOW;
use crate::alarm::composite::{Evidence, Finding, Scene};
use crate::alarm::condition::Priority;
use crate::alarm::rule::{NotEvaluable, Side};
use crate::parameter::Parameter;
use crate::signal::median_of;
use crate::time::SampleTime;
use slope::{POINTS, slope};

const SECOND_NS: u64 = 1_000_000_000;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// When the membrane counts as clotting. Numbers of the reference, section 2.4 C5, proposals there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clotting {
    /// A minute counts when its flow stays within this share of its median.
    pub flow_steady: f32,
    /// And above this, in mL/min.
    pub flow_min: f32,
    /// The baseline is the median of a circuit's life from here.
    pub baseline_from: Duration,
    /// To here; at most 6 h after `baseline_from`.
    pub baseline_until: Duration,
    /// Low priority: the resistance is at least this many times the baseline.
    pub low_ratio: f32,
    /// For so long.
    pub low_for: Duration,
    /// Low priority too: the resistance grows by more than this share of the baseline an hour, over 6 h or over 24 h.
    pub slope_per_hour: f32,
    /// Medium priority: the resistance is at least this many times the baseline.
    pub medium_ratio: f32,
    /// Medium priority too: the pressure drop is above this, in mmHg.
    pub medium_delta: f32,
    /// For so long.
    pub medium_for: Duration,
    /// Medium becomes high when the saturation after the membrane has fallen by this many points within an hour (our own
    /// number).
    pub sat_fall: f32,
}

impl Default for Clotting {
    fn default() -> Self {
        Self {
            flow_steady: 0.05,
            flow_min: 150.0,
            baseline_from: Duration::from_secs(HOUR),
            baseline_until: Duration::from_secs(6 * HOUR),
            low_ratio: 1.5,
            low_for: Duration::from_secs(30 * MINUTE),
            slope_per_hour: 0.05,
            medium_ratio: 2.5,
            medium_delta: 30.0,
            medium_for: Duration::from_secs(10 * MINUTE),
            sat_fall: 2.0,
        }
    }
}

/// One point is the median of the minutes that count in 5 min; a day of them is kept.
const POINT_S: u64 = 300;
const DAY_POINTS: usize = 288;
const POINT_MINUTES: u64 = 5;

/// The slope over a day rests on every fourth point.
const DAY_STEP: usize = 4;

/// Points of the baseline, 6 h at most, and the least, half an hour.
const BASELINE_POINTS: usize = 72;
const BASELINE_POINTS_MIN: usize = 6;

/// Points of saturation: an hour, and a present one.
const SAT_POINTS: usize = 13;

/// So many minutes without one that counts, and nothing is known of the membrane.
const UNSTEADY_MAX: u32 = 15;

/// What is present ends at this share of the ratio that it began at.
const EASE: f32 = 0.95;

/// What one minute says.
#[derive(Debug, Clone, Copy)]
struct Minute {
    /// Pressure drop in mmHg.
    delta: f32,
    /// Flow in mL/min.
    flow: f32,
    /// Resistance in mmHg.min/L; `None` where the flow was not steady.
    resistance: Option<f32>,
}

/// State of [`Clotting`].
///
/// The baseline is learnt in the circuit's first hours. The core does not know when a circuit was begun: it counts from
/// its number's change, or from the rule's start. A baseline that is known from before goes first.
#[derive(Debug)]
pub(super) struct ClottingState {
    /// Number of the last minute judged, and minutes since the circuit began.
    minute: Option<u64>,
    seen: Option<Minute>,
    age: u32,
    unsteady: u32,
    /// Resistances of the present 5 min.
    accepted: [f32; 8],
    accepted_count: usize,
    points: History<DAY_POINTS>,
    learning: [f32; BASELINE_POINTS],
    learnt: usize,
    baseline: Option<f32>,
    /// Slopes in mmHg.min/L an hour, over 6 h and over 24 h.
    slopes: (Option<f32>, Option<f32>),
    sats: History<SAT_POINTS>,
    low: Option<Streak>,
    medium: Option<Streak>,
    finding: Option<Finding>,
}

impl ClottingState {
    pub(super) const fn new() -> Self {
        Self {
            minute: None,
            seen: None,
            age: 0,
            unsteady: 0,
            accepted: [0.0; 8],
            accepted_count: 0,
            points: History::new(POINT_S),
            learning: [0.0; BASELINE_POINTS],
            learnt: 0,
            baseline: None,
            slopes: (None, None),
            sats: History::new(POINT_S),
            low: None,
            medium: None,
            finding: None,
        }
    }

    /// A new boot: the clock begins anew, the membrane is the same. Points lose their distance in time, so the slopes
    /// begin anew.
    pub(super) fn restart(&mut self) {
        self.minute = None;
        self.seen = None;
        self.points = History::new(POINT_S);
        self.sats = History::new(POINT_S);
        self.accepted_count = 0;
        for streak in [&mut self.low, &mut self.medium].into_iter().flatten() {
            streak.restart();
        }
    }

    /// The baseline in mmHg.min/L, once the hours of learning are over.
    pub(super) const fn baseline(&self) -> Option<f32> {
        self.baseline
    }

    pub(super) fn judge(&mut self, rule: &Clotting, scene: &Scene<'_>) -> Finding {
        if let Err(reason) = demand(scene) {
            return Finding::Unknown(reason);
        }
        let number = scene.tick.as_nanos() / (MINUTE * SECOND_NS);
        let Some(before) = self.minute.replace(number) else {
            return self.finding.unwrap_or(Finding::Unknown(NotEvaluable::NoReference));
        };
        if number > before {
            let passed = u32::try_from(number - before).unwrap_or(u32::MAX);
            self.age = self.age.saturating_add(passed);
            self.finding = Some(self.on_minute(number, rule, scene));
        } else if let Some(minute) = self.seen
            && self.low.or(self.medium).is_some()
            && scene.tick.as_nanos().is_multiple_of(SECOND_NS)
        {
            // What has begun goes on until the next minute says otherwise: its time may be over before.
            self.finding = Some(self.find(minute, rule, scene));
        }
        self.finding.unwrap_or(Finding::Unknown(NotEvaluable::NoReference))
    }

    fn on_minute(&mut self, number: u64, rule: &Clotting, scene: &Scene<'_>) -> Finding {
        let Some(minute) = minute(rule, scene) else {
            return Finding::Unknown(NotEvaluable::NoReference);
        };
        self.seen = Some(minute);
        if let Some(resistance) = minute.resistance {
            self.unsteady = 0;
            if let Some(place) = self.accepted.get_mut(self.accepted_count) {
                *place = resistance;
                self.accepted_count += 1;
            }
        } else {
            self.unsteady = self.unsteady.saturating_add(1);
        }
        if number.is_multiple_of(POINT_MINUTES) {
            self.on_point(rule, scene);
        } else if number % POINT_MINUTES == 1 {
            // The two slopes are not computed at one point: each takes some 10 us.
            self.slopes.1 = slope(self.points.newest(DAY_POINTS).step_by(DAY_STEP));
        }
        self.find(minute, rule, scene)
    }

    fn on_point(&mut self, rule: &Clotting, scene: &Scene<'_>) {
        let point = self.accepted.get_mut(..self.accepted_count).and_then(median_of);
        self.accepted_count = 0;
        self.points.note(point.unwrap_or(f32::NAN), scene.tick);
        let sat = scene.median_s(Parameter::SatPost, 60);
        self.sats.note(sat.unwrap_or(f32::NAN), scene.tick);
        self.slopes.0 = slope(self.points.newest(POINTS));
        let age = Duration::from_secs(u64::from(self.age) * MINUTE);
        if self.baseline.is_some() || age < rule.baseline_from {
            return;
        }
        if let Some(point) = point
            && let Some(place) = self.learning.get_mut(self.learnt)
        {
            *place = point;
            self.learnt += 1;
        }
        if age >= rule.baseline_until {
            self.baseline = self.learnt_so_far();
        }
    }

    /// The baseline from what has been learnt by now.
    fn learnt_so_far(&self) -> Option<f32> {
        let mut learning = self.learning;
        let known = learning.get_mut(..self.learnt)?;
        if known.len() < BASELINE_POINTS_MIN { None } else { median_of(known) }
    }

    fn find(&mut self, minute: Minute, rule: &Clotting, scene: &Scene<'_>) -> Finding {
        let given = scene.membrane_baseline.filter(|given| given.is_finite() && *given > 0.0);
        let baseline = given.or(self.baseline).or_else(|| self.learnt_so_far());
        let ratio = baseline.zip(minute.resistance).map(|(baseline, now)| now / baseline);
        let tick = scene.tick;
        let low = hold(&mut self.low, ratio, rule.low_ratio, false, tick);
        let medium_delta = minute.delta > rule.medium_delta;
        let medium = hold(&mut self.medium, ratio, rule.medium_ratio, medium_delta, tick);
        let told = |priority, ratio: f32| {
            // What the pressure drop would be at this flow at the ratio.
            let limit = baseline.map(|baseline| baseline * ratio * minute.flow / 1_000.0);
            let limit = Some((Side::Above, limit.unwrap_or(rule.medium_delta)));
            let parameter = Parameter::PressDelta;
            Finding::Present(Evidence {
                parameter,
                value: minute.delta,
                limit,
                priority: Some(priority),
            })
        };
        if medium.is_some_and(|lasted| lasted >= rule.medium_for) {
            let priority =
                if self.sat_falls(rule, scene) { Priority::High } else { Priority::Medium };
            return told(priority, rule.medium_ratio);
        }
        let Some(baseline) = baseline else { return Finding::Unknown(NotEvaluable::NoReference) };
        let steepest = self.slopes.0.into_iter().chain(self.slopes.1).fold(0.0, f32::max);
        if low.is_some_and(|lasted| lasted >= rule.low_for)
            || steepest > rule.slope_per_hour * baseline
        {
            return told(Priority::Low, rule.low_ratio);
        }
        if self.unsteady > UNSTEADY_MAX {
            return Finding::Unknown(NotEvaluable::NoReference);
        }
        Finding::Absent
    }

    /// Whether the saturation after the membrane has fallen within the hour.
    fn sat_falls(&self, rule: &Clotting, scene: &Scene<'_>) -> bool {
        let highest = self.sats.newest(SAT_POINTS).fold(f32::NAN, |most, (_, sat)| most.max(sat));
        let now = scene.median_s(Parameter::SatPost, 60);
        now.is_some_and(|now| now <= highest - rule.sat_fall)
    }
}

/// How long the ratio has been reached, or something else has; a minute that does not count goes on with what was.
fn hold(
    streak: &mut Option<Streak>,
    ratio: Option<f32>,
    needed: f32,
    also: bool,
    tick: SampleTime,
) -> Option<Duration> {
    let needed = if streak.is_some() { needed * EASE } else { needed };
    let goes_on = match ratio {
        Some(ratio) => ratio >= needed,
        None => streak.is_some(),
    };
    if !goes_on && !also {
        cut(streak);
        return None;
    }
    // The median of a minute tells of its middle.
    let middle = tick.minus(Duration::from_secs(MINUTE / 2));
    Some(streak.get_or_insert_with(|| Streak::begin(middle)).extend(tick))
}

/// Whether the inputs are there: both pressures or their difference, and the flow.
fn demand(scene: &Scene<'_>) -> Result<(), NotEvaluable> {
    scene.latest(Parameter::FlowBlood, SLOW)?;
    let both = scene
        .latest(Parameter::PressPre, SLOW)
        .and_then(|_pre| scene.latest(Parameter::PressPost, SLOW));
    let Err(reason) = both else { return Ok(()) };
    scene.latest(Parameter::PressDelta, SLOW).map(|_delta| ()).map_err(|_| reason)
}

/// What the last minute says; `None` where too little is known of it.
fn minute(rule: &Clotting, scene: &Scene<'_>) -> Option<Minute> {
    let median = |parameter| scene.median_s(parameter, 60);
    let flow = median(Parameter::FlowBlood)?;
    let both = median(Parameter::PressPre).zip(median(Parameter::PressPost));
    let delta = both.map(|(pre, post)| pre - post).or_else(|| median(Parameter::PressDelta))?;
    let flows = scene.signals.seconds(Parameter::FlowBlood)?;
    let (mut known, mut near) = (0_u32, 0_u32);
    for value in flows.window(scene.tick, 0, 60).filter(|value| !value.is_nan()) {
        known += 1;
        near += u32::from((value - flow).abs() <= rule.flow_steady * flow);
    }
    // A breath or a cough in a few seconds of the minute does not move its median.
    let steady = near * 10 >= known * 9 && flow > rule.flow_min && delta > 0.0;
    let resistance = steady.then(|| delta / flow * 1_000.0);
    Some(Minute { delta, flow, resistance })
}
