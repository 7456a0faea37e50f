//! Truth about faults: when the noise-free physics fulfil the criterion of a condition, and until when.
//!
//! The criteria are those of the clinical reference, sections 2.2 and 2.4 (proposals there, unreviewed). A criterion
//! that is fulfilled for less than 0.3 s does not count: pulsation crosses every limit before a pressure lies beyond it.
//! The onset is where such an uninterrupted time begins.

use core::time::Duration;

use ecmo_core::case::PumpKind;

use crate::chatter::Window;
use crate::fault::Fault;
use crate::schedule::TICK_MS;
use crate::setup::Setup;
use crate::state::State;

/// Ticks that a criterion must be fulfilled without interruption.
const SETTLE: u64 = 30;

/// Ticks after which it has ended.
const GONE: u64 = 100;

/// What is true of one fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truth {
    /// The fault.
    pub fault: Fault,
    /// When its physics began to fulfil the criterion of the condition, since the first sample; not when it was switched on.
    pub onset: Option<Duration>,
    /// When they no longer did.
    pub end: Option<Duration>,
}

/// What criteria are decided by: the physics now, and what was usual before the fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) now: &'a State,
    /// Flow over 0.1 s and over 1 s, in mL/min; drainage pressure over 1 s.
    pub(crate) flow_fast: f64,
    pub(crate) flow_slow: f64,
    pub(crate) drain_slow: f64,
    /// Pressure where the blood returns to.
    pub(crate) distal: f64,
    /// What the sensors before and behind the membrane show, without noise.
    pub(crate) shown: [f64; 2],
    pub(crate) window: &'a Window,
}

/// What was usual before a fault.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Usual {
    pub(crate) speed: f64,
    pub(crate) flow: f64,
    pub(crate) drain: f64,
    pub(crate) pre: f64,
    pub(crate) post: f64,
    pub(crate) distal: f64,
    pub(crate) current: f64,
    pub(crate) quality: f64,
    pub(crate) sat_drain: f64,
    pub(crate) spo2: f64,
    pub(crate) hct: f64,
    pub(crate) mean: f64,
    pub(crate) heart_rate: f64,
    pub(crate) swing: f64,
}

/// Limits of the case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    kind: PumpKind,
    kg: f64,
    target: f64,
    oxygenator_min: f64,
    speed_max: f64,
    /// Membrane resistance when the circuit was new, in mmHg min/L.
    pub(crate) membrane: f64,
}

impl Limits {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            kind: setup.kind,
            kg: setup.weight_kg(),
            target: setup.flow_target(),
            oxygenator_min: setup.oxygenator_flow_min(),
            speed_max: setup.speed_max(),
            membrane: 0.0,
        }
    }
}

/// Watches one fault.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    start: u64,
    end: u64,
    usual: Option<Usual>,
    since: Option<u64>,
    gone: Option<u64>,
}

impl Watch {
    /// Watches from the tick at which a fault is switched on; `end` is where it is switched off.
    pub(crate) const fn new(start: u64, end: u64) -> Self {
        Self { start, end, usual: None, since: None, gone: None }
    }

    /// Whether there is anything to watch at a tick.
    pub(crate) const fn is_awake(&self, tick: u64, truth: &Truth) -> bool {
        tick >= self.start && truth.end.is_none()
    }

    /// Judges a tick.
    pub(crate) fn judge(
        &mut self,
        tick: u64,
        truth: &mut Truth,
        scene: &Scene<'_>,
        usual: &Usual,
        limits: &Limits,
    ) {
        let usual = *self.usual.get_or_insert(*usual);
        let fulfilled = if is_of_sensor(truth.fault) {
            // What a sensor does is true while it is done.
            tick < self.end
        } else {
            is_fulfilled(truth.fault, scene, &usual, limits)
        };
        if fulfilled {
            self.gone = None;
            let since = *self.since.get_or_insert(tick);
            let needed = if is_step(truth.fault) { 0 } else { SETTLE };
            if truth.onset.is_none() && tick - since >= needed {
                let first = first_sign(truth.fault, scene, self.start).unwrap_or(since);
                truth.onset = Some(at(first));
            }
        } else {
            let gone = *self.gone.get_or_insert(tick);
            self.since = None;
            if truth.onset.is_some() && tick - gone >= GONE {
                truth.end = Some(at(gone));
            }
        }
    }
}

fn at(tick: u64) -> Duration {
    Duration::from_millis(tick.saturating_mul(TICK_MS))
}

/// Faults that are there or not: nothing pulsates.
fn is_step(fault: Fault) -> bool {
    [
        Fault::AirBubble,
        Fault::AirVenous,
        Fault::LevelLow,
        Fault::MainsLoss,
        Fault::SensorOff,
        Fault::SensorFlatline,
        Fault::SensorRange,
        Fault::Chatter,
    ]
    .contains(&fault)
}

fn is_of_sensor(fault: Fault) -> bool {
    [Fault::SensorOff, Fault::SensorFlatline, Fault::SensorRange].contains(&fault)
}

/// A window is fulfilled by what lies in it: the first collapse in it is where chatter begins.
fn first_sign(fault: Fault, scene: &Scene<'_>, start: u64) -> Option<u64> {
    let first = if fault == Fault::Chatter { scene.window.first_collapse() } else { None };
    first.map(|tick| tick.max(start))
}

/// Whether the physics fulfil the criterion of the condition that a fault should raise.
fn is_fulfilled(fault: Fault, scene: &Scene<'_>, usual: &Usual, limits: &Limits) -> bool {
    let now = scene.now;
    let backwards = scene.flow_fast < -(5.0 * limits.kg).max(20.0);
    match fault {
        Fault::PumpStop => now.speed < stopped_below(usual, limits),
        Fault::PumpSpeedUnknown => {
            backwards || scene.flow_fast.abs() < (0.1 * usual.flow).max(20.0)
        }
        Fault::ReturnOpen => {
            let fallen = now.post < 0.7 * usual.post && now.post < usual.post - 25.0;
            fallen && scene.flow_slow >= 0.95 * usual.flow
        }
        Fault::MembraneInletOpen => {
            let fallen = now.pre < 0.7 * usual.pre && now.post < 0.7 * usual.post;
            fallen && scene.flow_fast < 0.7 * usual.flow
        }
        Fault::DrainageOpen => {
            let weak = scene.flow_fast < 0.7 * usual.flow || now.current < 0.8 * usual.current;
            let air = now.air_venous || now.air_arterial;
            usual.drain < -10.0 && now.drain.abs() < 5.0 && (weak || air)
        }
        Fault::ReturnObstruction => is_return_tight(scene, usual, limits),
        Fault::DrainageObstruction | Fault::Hypovolaemia => is_sucking(scene, usual, limits),
        Fault::Clotting => now.membrane_resistance >= 1.5 * limits.membrane,
        Fault::Chatter => scene.window.is_chatter(usual.swing),
        Fault::AirBubble => now.air_arterial,
        Fault::AirVenous => now.air_venous,
        Fault::AirEntrainment => {
            now.acoustic_quality < usual.quality - 20.0 || now.current < 0.8 * usual.current
        }
        Fault::Recirculation => {
            now.sat_drain >= usual.sat_drain + 8.0 && now.spo2 <= usual.spo2 - 4.0
        }
        Fault::GasFailure => now.sweep < 0.5 * now.sweep_set,
        Fault::OxygenFailure => (now.fdo2 - now.fdo2_set).abs() > 5.0,
        Fault::MembraneFailure | Fault::SatPostLow => now.sat_post < 95.0,
        Fault::MainsLoss => !now.mains,
        Fault::BatteryLow => now.battery_charge < 30.0 || now.battery_minutes < 30.0,
        Fault::BatteryCritical => now.battery_charge < 10.0 || now.battery_minutes < 10.0,
        Fault::SensorOff | Fault::SensorFlatline | Fault::SensorRange => false,
        Fault::SensorDriftImpossible => {
            let [pre, post] = scene.shown;
            pre < post - 10.0
        }
        Fault::FlowLow => scene.flow_fast < (80.0 * limits.kg).max(0.8 * limits.target),
        Fault::FlowVeryLow => scene.flow_fast < 0.5 * limits.target,
        Fault::FlowHigh => scene.flow_fast > 180.0 * limits.kg,
        Fault::FlowRetrograde => backwards,
        Fault::FlowBelowOxygenatorMinimum => scene.flow_fast < limits.oxygenator_min,
        Fault::DrainLow => scene.drain_slow < -50.0,
        Fault::DrainVeryLow => scene.drain_slow < -75.0,
        Fault::DrainHigh => is_suction_lost(scene, limits),
        Fault::PreHigh => now.pre > 250.0,
        Fault::PreVeryHigh => now.pre > 350.0,
        Fault::PostHigh => now.post > 200.0,
        Fault::PostVeryHigh => now.post > 300.0,
        Fault::DeltaHigh => now.pre - now.post > 50.0,
        Fault::LevelLow => now.level_low,
        Fault::SatDrainLow => now.sat_drain < 60.0,
        Fault::TempHigh => now.temp_return > 38.5,
        Fault::TempLow => now.temp_return < 35.0,
        Fault::HeaterOver => now.heater_water > 40.5,
        Fault::SpeedHigh => now.speed > limits.speed_max,
        Fault::Bleeding => is_bleeding(now, usual, scene.drain_slow),
        Fault::LowPulsePressure => now.arterial_systolic - now.arterial_diastolic < 10.0,
    }
}

/// C1; a roller's usual speed lies below 100 rev/min: there a tenth of it.
fn stopped_below(usual: &Usual, limits: &Limits) -> f64 {
    match limits.kind {
        PumpKind::Centrifugal => 100.0,
        PumpKind::Roller => 0.1 * usual.speed,
    }
}

/// C3: resistance of the return, pressure before it, flow.
fn is_return_tight(scene: &Scene<'_>, usual: &Usual, limits: &Limits) -> bool {
    let resistance = |post: f64, distal: f64, flow: f64| (post - distal) / flow.max(1.0);
    let was = resistance(usual.post, usual.distal, usual.flow);
    let is = resistance(scene.now.post, scene.distal, scene.flow_fast);
    let less = matches!(limits.kind, PumpKind::Roller) || scene.flow_slow < 0.98 * usual.flow;
    is > 1.5 * was && scene.now.post > usual.post + 30.0 && less
}

/// C4: a roller keeps its flow until its tube no longer fills.
fn is_sucking(scene: &Scene<'_>, usual: &Usual, limits: &Limits) -> bool {
    let less = matches!(limits.kind, PumpKind::Roller) || scene.flow_slow <= 0.9 * usual.flow;
    scene.drain_slow < usual.drain - 15.0 && less
}

fn is_suction_lost(scene: &Scene<'_>, limits: &Limits) -> bool {
    let fast = matches!(limits.kind, PumpKind::Centrifugal) && scene.now.speed > 1000.0;
    scene.drain_slow > 20.0 || (fast && scene.drain_slow > -2.0)
}

/// C12.
fn is_bleeding(now: &State, usual: &Usual, drain: f64) -> bool {
    now.hct <= usual.hct - 3.0
        && now.arterial_mean <= usual.mean - 3.0
        && now.heart_rate >= usual.heart_rate + 8.0
        && drain < usual.drain - 1.0
}
