//! What the sensors make of the physics: noise, steps, lag, ranges, and what is done to them.

use core::time::Duration;

use ecmo_core::parameter::Parameter as P;
use ecmo_core::reading::{NoData, Reading};
use fastrand::Rng;

use crate::channel::{Channel, channels};
use crate::influence::{Influence, Tamper};
use crate::math::{approach, noise, quantise};
use crate::setup::Feed;
use crate::state::State;

/// Time constant of optical, gas and temperature sensors, in seconds.
const LAG_S: f64 = 1.5;

/// Noise of a pressure transducer, in mmHg.
const PRESSURE_NOISE: f64 = 0.5;

/// Noise of the flow meter, and what froth adds, in mL/min.
const FLOW_NOISE: f64 = 3.0;
const FROTH_NOISE: f64 = 70.0;

/// Pressures that are sampled as waves, in the order of [`Sensors::waves`].
const WAVES: [P; 4] = [P::PressDrain, P::PressPre, P::PressPost, P::PatientAbp];

type Read = fn(&State) -> f64;

/// Noise and origin of every numeric that is neither a wave nor an edge nor computed from waves.
const NUMERICS: &[(P, f64, Read)] = &[
    // A tachometer loses the last turns.
    (
        P::PumpSpeed,
        0.0,
        |state| {
            if state.speed < 0.005 * state.speed_set { 0.0 } else { state.speed }
        },
    ),
    (P::PumpSpeedSet, 0.0, |state| state.speed_set),
    (P::MotorCurrent, 0.004, |state| state.current),
    (P::FlowAcousticQuality, 0.7, |state| state.acoustic_quality),
    (P::SatDrain, 0.25, |state| state.sat_drain),
    (P::SatPre, 0.25, |state| state.sat_drain),
    (P::SatPost, 0.1, |state| state.sat_post),
    (P::Po2Post, 2.0, |state| state.po2_post),
    (P::Pco2Post, 0.3, |state| state.pco2_post),
    (P::PhPost, 0.003, |state| 7.40 - 0.008 * (state.pco2_post - 40.0)),
    (P::Hb, 0.06, |state| state.hct / 3.0),
    (P::Hct, 0.15, |state| state.hct),
    (P::TempDrain, 0.03, |state| state.temp_drain),
    (P::TempReturn, 0.03, |state| state.temp_return),
    (P::HeaterWater, 0.05, |state| state.heater_water),
    (P::HeaterSet, 0.0, |state| state.heater_set),
    (P::GasSweep, 3.0, |state| state.sweep),
    (P::GasSweepSet, 0.0, |state| state.sweep_set),
    (P::GasFdo2, 0.2, |state| state.fdo2),
    (P::GasFdo2Set, 0.0, |state| state.fdo2_set),
    (P::GasCo2Exhaust, 0.3, |state| state.co2_exhaust),
    (P::BatteryCharge, 0.0, |state| state.battery_charge),
    (P::BatteryTimeLeft, 0.0, |state| state.battery_minutes),
    (P::PatientHr, 0.8, |state| state.heart_rate),
    (P::PatientSpo2, 0.4, |state| state.spo2),
    (P::PatientAbpSys, 0.5, |state| state.arterial_systolic),
    (P::PatientAbpDia, 0.5, |state| state.arterial_diastolic),
    (P::PatientAbpMean, 0.3, |state| state.arterial_mean),
    (P::PatientCvp, 0.3, |state| state.venous),
];

/// A mean over the time between two numerics, or why there is none.
#[derive(Debug, Clone, Copy, Default)]
struct Meter {
    sum: f64,
    count: f64,
    silent: Option<NoData>,
}

impl Meter {
    fn add(&mut self, value: Result<f64, NoData>) {
        match value {
            Ok(value) => {
                self.sum += value;
                self.count += 1.0;
            }
            Err(reason) => self.silent = Some(reason),
        }
    }

    fn take(&mut self) -> Result<f64, NoData> {
        let meter = core::mem::take(self);
        match meter.silent {
            Some(reason) => Err(reason),
            None => Ok(meter.sum / meter.count.max(1.0)),
        }
    }
}

/// A numeric with its noise and origin.
#[derive(Debug, Clone, Copy)]
struct Numeric {
    channel: Channel,
    noise: f64,
    read: Option<Read>,
    last: f64,
}

/// An edge and what it last said.
#[derive(Debug, Clone, Copy)]
struct Edge {
    channel: Channel,
    last: Option<bool>,
}

/// The sensors of one circuit.
#[derive(Debug, Clone)]
pub(crate) struct Sensors {
    feed: Feed,
    rng: Rng,
    /// Drain, pre, post, arterial; with the last value of each.
    waves: [Option<Channel>; 4],
    held: [f64; 4],
    /// Shaking of the transducers: two values back of a resonance.
    shaken: [[f64; 2]; 3],
    resonance: [f64; 2],
    /// Numerics by their number of ticks.
    numerics: [(u64, Vec<Numeric>); 3],
    edges: Vec<Edge>,
    /// Means of drain, pre, post and flow since the last numeric.
    meters: [Meter; 4],
    lagged: Option<State>,
}

/// What sensors see at one tick beside the state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// Drain, pre, post, arterial, in mmHg.
    pub(crate) pressures: [f64; 4],
    /// Flow in mL/min.
    pub(crate) flow: f64,
    /// Arterial bubble, venous bubble, level low, mains.
    pub(crate) edges: [bool; 4],
}

impl Sensors {
    pub(crate) fn new(feed: Feed, rng: Rng) -> Self {
        let all = channels(feed);
        let find = |parameter: P, interval: u128| {
            let is = |channel: &&Channel| {
                channel.parameter == parameter
                    && channel.interval.map(|interval| interval.as_millis()) == Some(interval)
            };
            all.iter().find(is).copied()
        };
        let is_edge = |parameter| edge_of(parameter).is_some();
        let numerics = [10_u64, 100, 500].map(|ticks| {
            let millis = u128::from(ticks) * 10;
            let due = all.iter().filter(|channel| {
                channel.interval.map(|interval| interval.as_millis()) == Some(millis)
                    && !is_edge(channel.parameter)
            });
            (ticks, due.map(numeric).collect())
        });
        let edges = all.iter().filter(|channel| is_edge(channel.parameter));
        // A resonance at 11 Hz, as a transport trolley has it.
        let angle = core::f64::consts::TAU * 11.0 * 0.01;
        Self {
            feed,
            rng,
            waves: WAVES.map(|parameter| find(parameter, 10)),
            held: [0.0; 4],
            shaken: [[0.0; 2]; 3],
            resonance: [2.0 * 0.88 * libm::cos(angle), -0.88 * 0.88],
            numerics,
            edges: edges.map(|channel| Edge { channel: *channel, last: None }).collect(),
            meters: [Meter::default(); 4],
            lagged: None,
        }
    }

    /// The samples of one tick; `state` is asked for only when a numeric is due.
    pub(crate) fn tick(
        &mut self,
        tick: u64,
        time: Duration,
        seen: &Seen,
        influence: &Influence,
        state: impl FnOnce() -> State,
        out: &mut impl FnMut(P, Duration, Reading),
    ) {
        self.sample_waves(time, seen, influence, out);
        let flow = tampered(influence, P::FlowBlood, seen.flow, f64::NAN);
        let [.., meter] = &mut self.meters;
        meter.add(flow);
        if tick.is_multiple_of(10) {
            let shown = self.lag(state());
            self.sample_numerics(tick, time, &shown, influence, out);
        }
        self.sample_edges(tick, time, seen, out);
    }

    fn sample_waves(
        &mut self,
        time: Duration,
        seen: &Seen,
        influence: &Influence,
        out: &mut impl FnMut(P, Duration, Reading),
    ) {
        let shake = self.shake(influence.shake);
        for place in 0..4 {
            let (Some(parameter), Some(exact), Some(held)) =
                (WAVES.get(place), seen.pressures.get(place), self.held.get_mut(place))
            else {
                continue;
            };
            let exact = exact + shake.get(place).copied().unwrap_or(0.0);
            let tamper = influence.tamper(*parameter);
            let is_steady = matches!(tamper, Some(Tamper::Frozen | Tamper::Fixed(_)));
            let value = apply(tamper, exact, *held);
            if let Some(meter) = self.meters.get_mut(place)
                && place < 3
            {
                meter.add(value);
            }
            if let Some(Some(channel)) = self.waves.get(place) {
                let error = noise(&mut self.rng) * PRESSURE_NOISE;
                let noisy = value.map(|value| if is_steady { value } else { value + error });
                let reading = show(channel, noisy);
                if let Ok(value) = noisy {
                    *held = value;
                }
                out(*parameter, time, reading);
            }
        }
    }

    /// Shaking of the three transducers, a resonance that noise drives.
    fn shake(&mut self, strength: f64) -> [f64; 3] {
        if strength <= 0.0 {
            return [0.0; 3];
        }
        let [near, far] = self.resonance;
        let rng = &mut self.rng;
        self.shaken.each_mut().map(|[last, before]| {
            let next = near * *last + far * *before + 0.4 * noise(rng);
            (*before, *last) = (*last, next);
            strength * next
        })
    }

    /// The state as slow sensors follow it.
    fn lag(&mut self, state: State) -> State {
        let lagged = self.lagged.get_or_insert(state);
        let mut shown = state;
        let pairs = [
            (&mut lagged.sat_drain, &mut shown.sat_drain),
            (&mut lagged.sat_post, &mut shown.sat_post),
            (&mut lagged.po2_post, &mut shown.po2_post),
            (&mut lagged.pco2_post, &mut shown.pco2_post),
            (&mut lagged.co2_exhaust, &mut shown.co2_exhaust),
            (&mut lagged.fdo2, &mut shown.fdo2),
            (&mut lagged.spo2, &mut shown.spo2),
            (&mut lagged.temp_drain, &mut shown.temp_drain),
            (&mut lagged.temp_return, &mut shown.temp_return),
            (&mut lagged.heater_water, &mut shown.heater_water),
            (&mut lagged.venous, &mut shown.venous),
        ];
        for (slow, now) in pairs {
            approach(slow, *now, 0.1, LAG_S);
            *now = *slow;
        }
        shown
    }

    fn sample_numerics(
        &mut self,
        tick: u64,
        time: Duration,
        shown: &State,
        influence: &Influence,
        out: &mut impl FnMut(P, Duration, Reading),
    ) {
        let fast = matches!(self.feed, Feed::Raw);
        if !fast && !tick.is_multiple_of(100) {
            return;
        }
        let [drain, pre, post, flow] = self.meters.each_mut().map(Meter::take);
        let delta = match (pre, post) {
            (Ok(pre), Ok(post)) => Ok(pre - post),
            (Err(reason), _) | (_, Err(reason)) => Err(reason),
        };
        let flow_noise = FLOW_NOISE + FROTH_NOISE * influence.froth;
        let rng = &mut self.rng;
        for (_, due) in self.numerics.iter_mut().filter(|(every, _)| tick.is_multiple_of(*every)) {
            for numeric in due {
                let parameter = numeric.channel.parameter;
                let error = noise(rng);
                let value = match (numeric.read, parameter) {
                    (Some(read), _) => {
                        let exact = read(shown) + error * numeric.noise;
                        tampered(influence, parameter, exact, numeric.last)
                    }
                    (None, P::PressDrain) => drain,
                    (None, P::PressPre) => pre,
                    (None, P::PressPost) => post,
                    (None, P::FlowBlood) => flow.map(|flow| flow + error * flow_noise),
                    (None, _) => delta,
                };
                if let Ok(value) = value {
                    numeric.last = value;
                }
                out(parameter, time, show(&numeric.channel, value));
            }
        }
    }

    fn sample_edges(
        &mut self,
        tick: u64,
        time: Duration,
        seen: &Seen,
        out: &mut impl FnMut(P, Duration, Reading),
    ) {
        let is_turn = tick.is_multiple_of(100);
        for edge in &mut self.edges {
            let place = edge_of(edge.channel.parameter).unwrap_or(0);
            let now = seen.edges.get(place).copied().unwrap_or(false);
            let is_due = is_turn || (edge.channel.interval.is_none() && edge.last != Some(now));
            if is_due {
                edge.last = Some(now);
                out(edge.channel.parameter, time, Reading::Value(f32::from(u8::from(now))));
            }
        }
    }
}

/// Place of an edge in [`Seen::edges`].
fn edge_of(parameter: P) -> Option<usize> {
    [P::AirBubble, P::AirVenous, P::LevelReservoir, P::PowerMains]
        .into_iter()
        .position(|edge| edge == parameter)
}

fn numeric(channel: &Channel) -> Numeric {
    let found = NUMERICS.iter().find(|(parameter, _, _)| *parameter == channel.parameter);
    let (noise, read) = found.map_or((0.0, None), |(_, noise, read)| (*noise, Some(*read)));
    Numeric { channel: *channel, noise, read, last: 0.0 }
}

fn tampered(influence: &Influence, parameter: P, exact: f64, last: f64) -> Result<f64, NoData> {
    if influence.tampers.is_empty() {
        return Ok(exact);
    }
    apply(influence.tamper(parameter), exact, last)
}

fn apply(tamper: Option<Tamper>, exact: f64, last: f64) -> Result<f64, NoData> {
    match tamper {
        None => Ok(exact),
        Some(Tamper::Silent(reason)) => Err(reason),
        Some(Tamper::Frozen) => Ok(last),
        Some(Tamper::Shifted(by)) => Ok(exact + by),
        Some(Tamper::Fixed(value)) => Ok(value),
    }
}

/// A value as the channel can express it.
fn show(channel: &Channel, value: Result<f64, NoData>) -> Reading {
    let value = match value {
        Ok(value) => quantise(value, channel.resolution),
        Err(reason) => return Reading::NoData(reason),
    };
    let (low, high) = channel.range;
    // Half a step: a sensor whose last number is its greatest one shows it.
    let slack = 0.5 * channel.resolution;
    if value < low - slack {
        Reading::NoData(NoData::BelowRange)
    } else if value > high + slack {
        Reading::NoData(NoData::AboveRange)
    } else {
        Reading::from_number(value.clamp(low, high))
    }
}
