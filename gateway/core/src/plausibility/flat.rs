//! One sensor that does not move: a flat line (C11b), or a transducer open to air (C11e).

use core::time::Duration;

use super::Doubt;
use crate::parameter::Parameter;
use crate::signal::{Rate, Signals};
use crate::time::SampleTime;

/// Sensors that move with every beat of the heart, as long as blood flows.
pub(super) const WATCHED: [Parameter; 4] =
    [Parameter::PressDrain, Parameter::PressPre, Parameter::PressPost, Parameter::FlowBlood];

/// The slowest feed that counts as a raw one: it carries the pulse.
const RAW: Duration = Duration::from_millis(100);

/// Bins of 100 ms of a raw feed, and seconds of a console's, over which a sensor must move.
const RAW_BINS: u64 = 50;
const CONSOLE_SECONDS: u64 = 60;

/// A range below this is flat, and neighbours that range over more than the second number move.
const PRESSURE_FLAT: (f32, f32) = (0.2, 1.0);
const FLOW_FLAT: (f32, f32) = (2.0, 5.0);

/// A console's numbers come in steps: its neighbours must move by many of them.
const CONSOLE_FACTOR: f32 = 6.0;

/// Open to air: within this of the room's pressure, and within this range, in mmHg.
const ZERO: f32 = 2.0;
const ZERO_RANGE: f32 = 1.5;

/// So many bins near zero tell zeroing at once when the flow has not changed and the pressure came from afar: earlier than
/// any limit on a pressure that has gone.
const ZERO_SUDDEN_BINS: u64 = 15;
const ZERO_FROM: f32 = 6.0;

/// The flow within this share of its reference has not changed; beyond it, no pressure is being zeroed.
const FLOW_SAME: f32 = 0.05;
const FLOW_LOST: f32 = 0.2;

/// Zeroing takes no longer. That of the drainage pressure is given less: a suction that is lost looks like it until air
/// reaches the pump.
const ZERO_MAX: Duration = Duration::from_secs(60);
const ZERO_MAX_DRAIN: Duration = Duration::from_secs(20);

/// The pump turns from this speed on, in rev/min; rollers turn slowly.
const TURNING: f32 = 5.0;

/// What is known of one sensor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flatness {
    parameter: Parameter,
    zero_since: Option<SampleTime>,
    /// The level that it came from, while it is near zero.
    came_from: f32,
    doubt: Option<Doubt>,
}

impl Flatness {
    pub(super) const fn new(parameter: Parameter) -> Self {
        Self { parameter, zero_since: None, came_from: f32::NAN, doubt: None }
    }

    pub(super) const fn parameter(&self) -> Parameter {
        self.parameter
    }

    pub(super) const fn doubt(&self) -> Option<Doubt> {
        self.doubt
    }

    /// Whether it may be that it is being zeroed, for however short a time.
    pub(super) const fn is_near_zero(&self) -> bool {
        self.zero_since.is_some()
    }

    pub(super) fn judge(&mut self, signals: &Signals, tick: SampleTime) {
        let speed = signals.latest(Parameter::PumpSpeed, tick);
        if speed.is_some_and(|speed| speed < TURNING) {
            // Where no blood moves nothing need move; a pump that stands is told by other rules.
            *self = Self::new(self.parameter);
            return;
        }
        let flat = self.is_flat(signals, tick);
        let zeroing = self.is_zeroing(signals, tick);
        self.doubt = match self.zero_since {
            Some(since) if zeroing && tick.since(since) < self.zero_max() => Some(Doubt::Zeroing),
            Some(_) if zeroing => Some(Doubt::Flat),
            Some(_) | None => flat.then_some(Doubt::Flat),
        };
    }

    const fn zero_max(&self) -> Duration {
        if matches!(self.parameter, Parameter::PressDrain) { ZERO_MAX_DRAIN } else { ZERO_MAX }
    }

    /// Whether it has not moved at all while a neighbour has.
    fn is_flat(&self, signals: &Signals, tick: SampleTime) -> bool {
        let raw = match signals.rate(self.parameter) {
            Rate::Every(interval) => interval <= RAW,
            Rate::Absent | Rate::OnChange => return false,
        };
        let span = |parameter| {
            if raw {
                signals.tenths(parameter)?.span(tick, 0, RAW_BINS)
            } else {
                signals.seconds(parameter)?.span(tick, 0, CONSOLE_SECONDS)
            }
        };
        let Some((least, greatest)) = span(self.parameter) else { return false };
        let info = self.parameter.info();
        // Beyond what it can measure it says so, again and again: that is no flat line.
        let beyond = greatest <= info.possible_low || least >= info.possible_high;
        if beyond || greatest - least >= steps(self.parameter).0 {
            return false;
        }
        // A console's number may stay the same while one neighbour is being zeroed: two must move, and by many steps.
        let (factor, needed) = if raw { (1.0, 1) } else { (CONSOLE_FACTOR, 2) };
        let moves = |other: &Parameter| {
            *other != self.parameter
                && span(*other)
                    .is_some_and(|(least, greatest)| greatest - least > factor * steps(*other).1)
        };
        WATCHED.iter().filter(|other| moves(other)).count() >= needed
    }

    /// Whether a transducer is open to air: near the room's pressure, without a pulse, while blood flows as before.
    fn is_zeroing(&mut self, signals: &Signals, tick: SampleTime) -> bool {
        let span = |bins| signals.tenths(self.parameter)?.span(tick, 0, bins);
        let near = |bins| {
            span(bins).is_some_and(|(least, greatest)| {
                least >= -ZERO && greatest <= ZERO && greatest - least < ZERO_RANGE
            })
        };
        if self.parameter == Parameter::FlowBlood || !near(3) {
            self.zero_since = None;
            return false;
        }
        let reference = signals.reference();
        if self.zero_since.is_none() {
            self.zero_since = Some(tick);
            self.came_from = reference.of(self.parameter).unwrap_or(f32::NAN);
        }
        let flow = signals.tenths(Parameter::FlowBlood).and_then(|flow| flow.mean(tick, 0, 5));
        let usual = signals.working().map_or(reference.flow, |working| working.flow);
        let change = |before: f32| flow.map(|flow| (flow - before).abs() / before.abs());
        let is_lost = change(usual).is_some_and(|change| change > FLOW_LOST);
        let is_same = change(reference.flow).is_some_and(|change| change <= FLOW_SAME);
        let sudden = near(ZERO_SUDDEN_BINS) && is_same && self.came_from.abs() > ZERO_FROM;
        // A console's numbers have no pulse: for them, near zero is near zero for as long as it lasts.
        (near(RAW_BINS) || sudden) && !is_lost
    }
}

fn steps(parameter: Parameter) -> (f32, f32) {
    if parameter == Parameter::FlowBlood { FLOW_FLAT } else { PRESSURE_FLAT }
}
