//! The alarm thread's end: sums up the samples of each bin, and gives away the bins of a second at once.

use ecmo_core::alarm::preview::Bin;
use ecmo_core::alarm::profile::{Bound, Profile};
use ecmo_core::alarm::rule::Measure;
use ecmo_core::frame::Frame;
use ecmo_core::parameter::Parameter;
use ecmo_core::time::{ClockMap, Instant};

use super::{Row, tick_of};

/// Rows that wait to be given away: a second of every parameter, twice. Beyond, they are lost.
const ROWS_MAX: usize = 20 * Parameter::COUNT;

/// The parameters that the limits of a profile look at, and the speeds on which their gates depend.
#[must_use]
pub fn watched(profile: &Profile) -> [bool; Parameter::COUNT] {
    let mut watched = [false; Parameter::COUNT];
    let mut watch = |parameter: Parameter| {
        if let Some(place) = watched.get_mut(parameter.index()) {
            *place = true;
        }
    };
    watch(Parameter::PumpSpeed);
    watch(Parameter::PumpSpeedSet);
    for spec in &profile.limits {
        watch(spec.rule.parameter);
        if let Measure::DistanceFrom(other) = spec.rule.measure {
            watch(other);
        }
        if let Bound::OfParameter(other, _share) = spec.bound {
            watch(other);
        }
    }
    watched
}

#[derive(Debug, Clone, Copy, Default)]
struct Open {
    tick: u64,
    min: f32,
    max: f32,
    sum: f64,
    count: u32,
}

impl Open {
    fn add(&mut self, value: f32) {
        if self.count == 0 {
            (self.min, self.max, self.sum) = (value, value, 0.0);
        }
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.sum += f64::from(value);
        self.count = self.count.saturating_add(1);
    }

    fn close(&mut self) -> Option<Row> {
        let count = std::mem::take(&mut self.count);
        #[expect(clippy::cast_possible_truncation, reason = "a mean of f32 values fits an f32")]
        let mean = (self.sum / f64::from(count)) as f32;
        let bin = Bin { min: self.min, mean, max: self.max };
        (count > 0).then_some(Row { tick: self.tick, bin })
    }
}

/// The bins of one pump.
#[derive(Debug)]
pub struct Collector {
    watched: [bool; Parameter::COUNT],
    open: [Open; Parameter::COUNT],
    rows: Vec<(Parameter, Row)>,
    lost: u64,
}

impl Collector {
    /// Nothing is collected yet; only of these parameters anything will be.
    #[must_use]
    pub fn new(watched: [bool; Parameter::COUNT]) -> Self {
        let open = [Open::default(); Parameter::COUNT];
        Self { watched, open, rows: Vec::with_capacity(ROWS_MAX), lost: 0 }
    }

    /// Takes the samples of a frame, by the gateway's clock. For each frame, so it allocates nothing.
    pub fn on_frame(&mut self, frame: &Frame, clock: &ClockMap, now: Instant) {
        for (block, readings) in frame.blocks() {
            let place = block.parameter.index();
            if !self.watched.get(place).is_some_and(|watched| *watched) {
                continue;
            }
            let Some(open) = self.open.get_mut(place) else { continue };
            for (position, reading) in readings.iter().enumerate() {
                let Some(value) = reading.against_limits().filter(|value| !value.is_nan()) else {
                    continue;
                };
                let tick = tick_of(clock.to_reader(block.time_of(position), now));
                // A clock map that moved may set a sample back: it counts in the bin that is open.
                if tick > open.tick {
                    let done = open.close().map(|row| (block.parameter, row));
                    let is_full = self.rows.len() >= ROWS_MAX;
                    self.lost += u64::from(is_full && done.is_some());
                    self.rows.extend(done.filter(|_| !is_full));
                    open.tick = tick;
                }
                open.add(value);
            }
        }
    }

    /// The bins that are complete, and how many were lost since the last time.
    pub fn give(&mut self) -> (Vec<(Parameter, Row)>, u64) {
        let rows = self.rows.clone();
        self.rows.clear();
        (rows, std::mem::take(&mut self.lost))
    }
}
