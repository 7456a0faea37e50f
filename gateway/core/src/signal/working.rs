//! Where the circuit usually works: the levels over the last minutes, of times that were like those before.
//!
//! It is what a fault is told by when the last seconds are no measure: a slow fault drags a reference of 10 s along, and
//! the end of a fault looks like its opposite. So what is unlike the usual does not count, until it has lasted for
//! 10 min: then it is the usual. A rule that has found a fault by then keeps the reference that it was found by.

use super::{Levels, median_of};
use crate::parameter::Parameter;

/// Time between two offers, in nanoseconds.
pub(super) const STEP_NS: u64 = 10_000_000_000;

/// Offers that are remembered: 10 min.
const SPAN: usize = 60;

/// After so many unlike offers in a row, 10 min, they are the usual.
const STRANGE_MAX: u16 = 60;

/// Below this flow resistances mean nothing, in mL/min (reference, section 2.4).
const FLOW_MIN: f32 = 100.0;

/// A change of the speed by this share or more makes another working point.
const SPEED_SHARE: f32 = 0.02;

/// Pressures this near, in mmHg, and flows within this share are alike. Less than any sign of a fault.
const DRAIN_NEAR: f32 = 10.0;
const POST_NEAR: f32 = 15.0;
const POST_SHARE: f32 = 0.15;
const FLOW_SHARE: f32 = 0.12;

/// The usual levels.
#[derive(Debug, Clone)]
pub(super) struct Working {
    taken: [Levels; SPAN],
    count: usize,
    next: usize,
    point: Option<Levels>,
    /// The working point before the present one: what was usual for long is so again as soon as it is back.
    former: Option<Levels>,
    /// An offer at another speed, and what it was.
    moved: Option<Levels>,
    strange: u16,
}

impl Working {
    pub(super) const fn new() -> Self {
        Self {
            taken: [Levels::NONE; SPAN],
            count: 0,
            next: 0,
            point: None,
            former: None,
            moved: None,
            strange: 0,
        }
    }

    /// A new boot of the agent: the circuit goes on.
    pub(super) const fn restart(&mut self) {
        self.moved = None;
    }

    pub(super) const fn point(&self) -> Option<&Levels> {
        self.point.as_ref()
    }

    /// Takes the levels of the last 10 s, in which the speed was steady.
    pub(super) fn offer(&mut self, levels: Levels) {
        let pressure = !levels.post.is_nan() || !levels.pre.is_nan() || !levels.drain.is_nan();
        if levels.flow.is_nan() || levels.flow < FLOW_MIN || !pressure {
            return;
        }
        let Some(point) = self.point else { return self.take(levels) };
        let ratio = levels.speed / point.speed;
        if (ratio - 1.0).abs() >= SPEED_SHARE {
            self.offer_moved(levels, &point, ratio);
        } else if is_alike(&levels, &point) {
            self.strange = 0;
            self.moved = None;
            self.take(levels);
        } else if self.former.is_some_and(|former| is_alike(&levels, &former)) {
            self.begin_anew(levels);
        } else {
            self.is_strange(levels);
        }
    }

    /// Takes another speed's working point once it has come twice.
    fn offer_moved(&mut self, levels: Levels, point: &Levels, ratio: f32) {
        if !is_explained(&levels, point, ratio) {
            return self.is_strange(levels);
        }
        let again = self.moved.replace(levels).is_some_and(|before| {
            (levels.speed / before.speed - 1.0).abs() < SPEED_SHARE && is_alike(&levels, &before)
        });
        if again {
            self.begin_anew(levels);
        }
    }

    fn is_strange(&mut self, levels: Levels) {
        self.moved = None;
        self.strange = self.strange.saturating_add(1);
        if self.strange >= STRANGE_MAX {
            self.begin_anew(levels);
        }
    }

    fn begin_anew(&mut self, levels: Levels) {
        *self = Self { former: self.point, ..Self::new() };
        self.take(levels);
    }

    fn take(&mut self, levels: Levels) {
        if let Some(place) = self.taken.get_mut(self.next) {
            *place = levels;
        }
        self.next = (self.next + 1) % SPAN;
        self.count = (self.count + 1).min(SPAN);
        let taken = self.taken.get(..self.count).unwrap_or_default();
        self.point = Some(Levels::each(|parameter| median_over(taken, parameter)));
    }
}

fn median_over(taken: &[Levels], parameter: Parameter) -> Option<f32> {
    let mut values = [0.0; SPAN];
    let mut count = 0;
    for level in taken.iter().filter_map(|levels| levels.of(parameter)) {
        if let Some(place) = values.get_mut(count) {
            *place = level;
            count += 1;
        }
    }
    median_of(values.get_mut(..count)?)
}

/// Whether a level is within a distance of another; an unknown one contradicts nothing.
fn is_near(one: f32, other: f32, distance: f32) -> bool {
    one.is_nan() || other.is_nan() || (one - other).abs() <= distance
}

fn is_alike(levels: &Levels, point: &Levels) -> bool {
    let wide = |level: f32| POST_NEAR.max(POST_SHARE * level.abs());
    is_near(levels.flow, point.flow, FLOW_SHARE * point.flow.abs())
        && is_near(levels.drain, point.drain, DRAIN_NEAR)
        && is_near(levels.pre, point.pre, wide(point.pre))
        && is_near(levels.post, point.post, wide(point.post))
}

/// Whether a change of speed alone may have made the change: nothing goes against what more or less speed does.
fn is_explained(levels: &Levels, point: &Levels, ratio: f32) -> bool {
    let falls = |one: f32, other: f32, distance: f32| one < other - distance;
    let expected = point.at_speed(levels.speed);
    if ratio > 1.0 {
        !falls(levels.flow, point.flow, 0.03 * point.flow)
            && !falls(levels.post, point.post, POST_NEAR)
            && !falls(levels.pre, point.pre, POST_NEAR)
            && !falls(point.drain, levels.drain, DRAIN_NEAR)
            // And nothing goes further than the square of the speed: a servo hides an obstruction behind more speed.
            && !falls(ratio * ratio * point.post, levels.post, POST_NEAR)
            && !falls(levels.drain, ratio * ratio * point.drain, DRAIN_NEAR)
    } else {
        let open = levels.flow > 0.97 * expected.flow
            && falls(levels.post, expected.post, 0.15 * expected.post);
        !open
            && !falls(point.flow, levels.flow, 0.03 * point.flow)
            && !falls(point.post, levels.post, POST_NEAR)
            && !falls(point.pre, levels.pre, POST_NEAR)
            && !falls(levels.drain, point.drain, DRAIN_NEAR)
    }
}
