//! What each fault does to circuit, patient and sensors.
//!
//! Faults that are defined by a limit are steered until they lie clearly beyond it, whatever the circuit: a lever (a
//! resistance, the speed, the height of the bed) is moved until the quantity is where it should be.

use ecmo_core::case::{PumpKind, Therapy};
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::NoData;

use super::{Live, Sensed, TICK_S};
use crate::fault::Fault;
use crate::influence::{Influence, Tamper};
use crate::math::between;
use crate::setup::Setup;

/// What faults must know of the setup.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    kind: PumpKind,
    kg: f64,
    target: f64,
    oxygenator_min: f64,
    speed_goal: f64,
    /// Oxygen uptake of a patient who is far too restless, beyond the usual; returned to a vein, more blood is full.
    uptake: f64,
    pace: f64,
    /// Set speed of the healthy circuit, in rev/min; known when it has settled.
    pub(crate) speed_base: f64,
}

impl Context {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            kind: setup.kind,
            kg: setup.weight_kg(),
            target: setup.flow_target(),
            oxygenator_min: setup.oxygenator_flow_min(),
            speed_goal: 1.06 * setup.speed_max(),
            uptake: match setup.therapy {
                Therapy::VenoArterial => 1.4,
                Therapy::VenoVenous => 2.3,
            },
            pace: setup.pace_taken(),
            speed_base: 1.0,
        }
    }
}

/// What is steered.
#[derive(Debug, Clone, Copy)]
enum Lever {
    Speed,
    Drain,
    Membrane,
    Bed,
    /// Return resistance, and the speed so that the flow is held.
    Back,
}

/// The lever, what it moves as a share of its goal's distance, and the error of this moment: above 0 the lever goes up.
fn steering(fault: Fault, now: &Sensed, context: &Context) -> Option<(Lever, f64)> {
    let flow = |goal: f64| Some((Lever::Speed, (goal - now.flow) / context.target));
    let pressure = |lever, value: f64, goal: f64| Some((lever, (goal - value) / goal));
    let suction = |goal: f64| Some((Lever::Drain, (now.drain - goal) / 40.0));
    let table = [
        (Fault::FlowLow, flow(0.68 * context.target.min(100.0 * context.kg))),
        (Fault::FlowVeryLow, flow(0.38 * context.target)),
        (Fault::FlowHigh, flow(205.0 * context.kg)),
        (Fault::FlowRetrograde, flow(-(15.0 * context.kg).max(60.0))),
        (Fault::FlowBelowOxygenatorMinimum, flow(0.85 * context.oxygenator_min)),
        (Fault::DrainLow, suction(-64.0)),
        (Fault::DrainVeryLow, suction(-96.0)),
        (Fault::DrainHigh, pressure(Lever::Bed, now.drain, 30.0)),
        (Fault::PreHigh, pressure(Lever::Back, now.pre, 290.0)),
        (Fault::PreVeryHigh, pressure(Lever::Back, now.pre, 395.0)),
        (Fault::PostHigh, pressure(Lever::Back, now.post, 240.0)),
        (Fault::PostVeryHigh, pressure(Lever::Back, now.post, 350.0)),
        (Fault::DeltaHigh, pressure(Lever::Membrane, now.pre - now.post, 64.0)),
    ];
    table.into_iter().find(|(of, _)| *of == fault).and_then(|(_, steering)| steering)
}

/// Moves the levers of a steered fault; afterwards lets them go back.
fn steer(lever: Lever, error: f64, event: &mut Live, context: &Context, now: &Sensed) {
    let [main, hold] = &mut event.steer;
    if event.on {
        let (gain, most) = match lever {
            Lever::Speed => (0.25, 1.5),
            Lever::Drain | Lever::Membrane => (0.6, 4.5),
            Lever::Back => (0.4, 1.8),
            Lever::Bed => (15.0, 90.0),
        };
        *main = (*main + gain * error.clamp(-1.0, 1.0) * TICK_S).clamp(-most, most);
        if matches!(lever, Lever::Back) && matches!(context.kind, PumpKind::Centrifugal) {
            let missing = (context.target - now.flow) / context.target;
            *hold = (*hold + 0.12 * missing.clamp(-1.0, 1.0) * TICK_S).clamp(-0.5, 0.7);
        }
    } else {
        *main -= *main * TICK_S / 1.5;
        *hold -= *hold * TICK_S / 0.7;
    }
}

fn steered(lever: Lever, event: &Live, out: &mut Influence) {
    let [main, hold] = event.steer;
    match lever {
        Lever::Speed => out.speed *= libm::exp(main),
        Lever::Drain => out.drain *= libm::exp(main),
        Lever::Membrane => out.membrane *= libm::exp(main),
        Lever::Bed => out.height += main,
        Lever::Back => {
            out.back *= libm::exp(main);
            out.speed *= libm::exp(hold);
        }
    }
}

/// How long a fault takes to come and go, in seconds.
fn rise_seconds(fault: Fault) -> f64 {
    let table = [
        (Fault::DrainageOpen, 0.15),
        (Fault::AirEntrainment, 0.3),
        (Fault::OxygenFailure, 1.0),
        (Fault::Chatter, 1.0),
        (Fault::SpeedHigh, 1.5),
        (Fault::SatPostLow, 6.0),
        (Fault::Recirculation, 8.0),
        (Fault::LowPulsePressure, 15.0),
        (Fault::MembraneFailure, 15.0),
        (Fault::SatDrainLow, 20.0),
    ];
    table.into_iter().find(|(of, _)| *of == fault).map_or(0.4, |(_, seconds)| seconds)
}

/// What a fault does at this tick.
pub(crate) fn apply(
    fault: Fault,
    event: &mut Live,
    now: &Sensed,
    context: &Context,
    out: &mut Influence,
) {
    if let Some((lever, error)) = steering(fault, now, context) {
        steer(lever, error, event, context, now);
        steered(lever, event, out);
        if fault == Fault::FlowHigh {
            // Volume was given before: the cannula drains easily.
            event.ramp(2.0);
            out.drain *= between(1.0, 0.5, event.level);
        }
        return;
    }
    event.ramp(rise_seconds(fault));
    let (on, level) = (event.on, event.level);
    match fault {
        Fault::PumpStop => out.motor_stopped |= on,
        Fault::PumpSpeedUnknown | Fault::SensorOff | Fault::SensorFlatline => {}
        Fault::SensorDriftImpossible | Fault::SensorRange => {}
        Fault::ReturnOpen => out.return_open |= on,
        Fault::MembraneInletOpen => out.inlet_open |= on,
        Fault::DrainageOpen => entrain(event, out),
        Fault::ReturnObstruction => out.back *= 1.0 + 5.0 * level,
        Fault::DrainageObstruction => out.drain *= 1.0 + 3.2 * level,
        Fault::Hypovolaemia => lose_volume(event, context, out),
        Fault::Clotting => {
            out.clotting_per_hour += if on { 0.12 } else { 0.0 };
            out.clotting_end = 6.0;
        }
        Fault::Chatter => out.filling *= between(1.0, 0.29, level),
        Fault::AirBubble => {
            out.air_arterial |= on;
            out.quality += 12.0 * level;
            out.froth += 0.3 * level;
        }
        Fault::AirVenous => out.air_venous |= on,
        Fault::AirEntrainment => {
            out.air += 0.2 * level;
            out.quality += 38.0 * level;
            out.froth += level;
        }
        Fault::Recirculation => out.recirculation += 0.55 * level,
        Fault::GasFailure => out.sweep *= if on { 0.0 } else { 1.0 },
        Fault::OxygenFailure => out.gas_air += level,
        Fault::MembraneFailure => out.exchange *= 1.0 - 0.7 * level,
        Fault::SatPostLow => out.exchange *= 1.0 - 0.5 * level,
        Fault::MainsLoss => out.mains_lost |= on,
        Fault::BatteryLow => drain_battery(on, 3.0, out),
        Fault::BatteryCritical => drain_battery(on, 12.0, out),
        Fault::LevelLow => out.level_low |= on,
        Fault::SatDrainLow => out.uptake *= 1.0 + context.uptake * level,
        Fault::TempHigh => out.heater_set += if on { 2.9 } else { 0.0 },
        Fault::TempLow => out.heater_off |= on,
        Fault::HeaterOver => out.heater_runs_away |= on,
        Fault::SpeedHigh => {
            out.speed *= between(1.0, context.speed_goal / context.speed_base, level)
        }
        Fault::Bleeding => bleed(event, context, out),
        Fault::LowPulsePressure => out.pulse *= 1.0 - 0.8 * level,
        Fault::FlowLow | Fault::FlowVeryLow | Fault::FlowHigh | Fault::FlowRetrograde => {}
        Fault::DrainLow | Fault::DrainVeryLow | Fault::DrainHigh | Fault::DeltaHigh => {}
        Fault::PreHigh | Fault::PreVeryHigh | Fault::PostHigh | Fault::PostVeryHigh => {}
        Fault::FlowBelowOxygenatorMinimum => {}
    }
    if on {
        tamper(fault, event, out);
    }
}

/// What a fault does to sensors.
fn tamper(fault: Fault, event: &Live, out: &mut Influence) {
    let silent = Tamper::Silent;
    if fault == Fault::PumpSpeedUnknown {
        out.motor_stopped = true;
        out.tampers.push((Parameter::PumpSpeed, silent(NoData::CommLost)));
        out.tampers.push((Parameter::MotorCurrent, silent(NoData::CommLost)));
    }
    if fault == Fault::SensorOff {
        out.tampers.push((Parameter::PressPre, silent(NoData::SensorOff)));
        out.tampers.push((Parameter::FlowBlood, silent(NoData::SensorOff)));
    }
    if fault == Fault::SensorFlatline {
        let pressures = [Parameter::PressDrain, Parameter::PressPre, Parameter::PressPost];
        out.tampers.push((event.sensor(&pressures), Tamper::Frozen));
    }
    if fault == Fault::SensorDriftImpossible {
        let drift = drift(event.seconds);
        out.tampers.push((Parameter::PressPre, Tamper::Shifted(drift)));
    }
    if fault == Fault::SensorRange {
        // More than any line holds, and within what the electronics can express.
        out.tampers.push((Parameter::PressPost, Tamper::Fixed(960.0)));
    }
}

/// Drift after so many seconds: 2 mmHg a second, to 60 mmHg.
fn drift(seconds: f64) -> f64 {
    -(2.0 * seconds).min(60.0)
}

/// An open drainage line: air is at the venous detector at once, in the pump within moments, at the arterial one later.
fn entrain(event: &Live, out: &mut Influence) {
    out.drain_open |= event.on;
    out.air += 0.75 * event.level;
    out.froth += event.level;
    out.quality += 60.0 * event.level;
    out.air_venous |= event.on && event.seconds > 0.2;
    out.air_arterial |= event.on && event.seconds > 2.5;
}

/// Volume is lost over eight minutes at pace 1, to four fifths.
fn lose_volume(event: &mut Live, context: &Context, out: &mut Influence) {
    let [lost, _] = &mut event.steer;
    let step = TICK_S * context.pace / 480.0;
    *lost = if event.on { (*lost + step).min(1.0) } else { *lost - *lost * TICK_S / 20.0 };
    out.volume_lost += 0.215 * *lost;
}

/// 0.65 mL/kg a minute are lost and half of it is given as fluid, for 35 minutes at pace 1.
fn bleed(event: &mut Live, context: &Context, out: &mut Influence) {
    let [minutes, _] = &mut event.steer;
    if event.on && *minutes < 35.0 {
        *minutes += TICK_S * context.pace / 60.0;
        out.bleeding += 0.65 * context.pace;
        out.fluid += 0.32 * context.pace;
    }
    if !event.on {
        *minutes = 0.0;
    }
}

fn drain_battery(on: bool, wear: f64, out: &mut Influence) {
    out.mains_lost |= on;
    if on {
        out.battery_wear += wear;
    }
}
