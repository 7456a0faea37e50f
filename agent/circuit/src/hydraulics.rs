//! The blood's way: drainage, pump, membrane, return; resistances, inertia and compliances of a neonatal circuit.
//!
//! Assumptions: cannulae are chosen for the target flow, so that it costs 36 mmHg to drain and about 90 mmHg to return it;
//! the membrane drops 9 mmHg when it is clean. The centrifugal pump's head is 578 mmHg at 3000 rev/min without flow; the
//! roller moves 6.5 mL a turn, refills badly below -60 mmHg (its inlet servo), and its tube bursts at 700 mmHg.
//! Flows are in mL/s, pressures in mmHg, resistances in mmHg s/mL, compliances in mL/mmHg, inertia in mmHg s2/mL.

use ecmo_core::case::{PumpKind, Therapy};
use fastrand::Rng;

use crate::influence::Influence;
use crate::math::{Phase, Shape, approach};
use crate::patient::Patient;
use crate::setup::Setup;

/// Step of the integration, in seconds: a quarter of the shortest time constant.
const STEP_S: f64 = 0.002;

/// Steps in one tick.
const STEPS: u32 = 5;

/// Head of the centrifugal pump at no flow and [`HEAD_SPEED_RPM`], and its losses by flow.
const HEAD_MMHG: f64 = 578.0;
const HEAD_SPEED_RPM: f64 = 3000.0;
const HEAD_LOSS_LINEAR: f64 = 3.0;
const HEAD_LOSS_SQUARE: f64 = 1.8;

/// Volume that the roller moves in one turn, in mL.
const STROKE_ML: f64 = 6.5;

/// Inlet pressure below which the roller's tube does not refill, and the span to nothing.
const REFILL_MMHG: f64 = -60.0;
const REFILL_SPAN_MMHG: f64 = 95.0;

/// Pressure at which the line behind a roller gives way.
const BURST_MMHG: f64 = 700.0;

/// Inertia of the blood in drainage, pump and return.
const INERTIA_DRAIN: f64 = 0.12;
const INERTIA_PUMP: f64 = 0.15;
const INERTIA_RETURN: f64 = 0.12;

/// Tube between patient and pump, for each mL/s of target: smaller patients have smaller tubes.
const COMPLIANCE_DRAIN: f64 = 0.002;

/// Tube and housing on each side of the membrane.
const COMPLIANCE_MEMBRANE: f64 = 0.01;

/// What remains of a line's resistance when it lies open.
const OPEN_RETURN: (f64, f64) = (0.4, 0.02);
const OPEN_DRAIN: f64 = 0.3;
const OPEN_INLET: f64 = 0.5;

/// Below this inlet pressure the vein's wall is drawn in, doubling the resistance over this span.
const SUCTION_MMHG: f64 = -50.0;
const SUCTION_SPAN_MMHG: f64 = 120.0;

/// Time constants of the motor when it follows its setting, and when it stops, in seconds.
const MOTOR_S: f64 = 0.4;
const MOTOR_STOP_S: f64 = 0.05;

/// The circuit.
#[derive(Debug, Clone)]
pub(crate) struct Circuit {
    kind: PumpKind,
    drain_line: (f64, f64),
    drain_compliance: f64,
    return_line: (f64, f64),
    membrane_clean: f64,
    roller: Phase,
    ripple: Shape,
    pump_flow: f64,
    drain_flow: f64,
    /// Growth of the membrane's resistance by clots, 1 when clean.
    clot: f64,
    /// Set speed without what events do, and with it, in rev/min.
    pub(crate) speed_base: f64,
    pub(crate) speed_set: f64,
    /// Speed, in rev/min.
    pub(crate) speed: f64,
    /// Flow in the return limb, mL/s.
    pub(crate) flow: f64,
    /// Pressures at the pump's inlet, before and after the membrane.
    pub(crate) drain: f64,
    pub(crate) pre: f64,
    pub(crate) post: f64,
    /// Membrane resistance now.
    pub(crate) membrane: f64,
    air: f64,
}

impl Circuit {
    /// A circuit at about its working point.
    pub(crate) fn new(setup: &Setup, distal: f64, rng: &mut Rng) -> Self {
        let target = setup.flow_target() / 60.0;
        let mut around = |mean: f64, share: f64| mean * (1.0 + share * (2.0 * rng.f64() - 1.0));
        let drop_drain = around(36.0, 0.08);
        let drop_return = around(
            match setup.therapy {
                Therapy::VenoArterial => 82.0,
                Therapy::VenoVenous => 105.0,
            },
            0.06,
        );
        let drop_membrane = around(9.0, 0.2);
        let line = |drop: f64, square: f64| {
            (drop * (1.0 - square) / target, drop * square / (target * target))
        };
        let (drain, post) = (6.0 - drop_drain, distal + drop_return);
        let pre = post + drop_membrane;
        let speed =
            setup.speed_set.filter(|speed| speed.is_finite()).unwrap_or_else(|| match setup.kind {
                PumpKind::Centrifugal => speed_for(pre - drain, target),
                PumpKind::Roller => 60.0 * target / STROKE_ML,
            });
        Self {
            kind: setup.kind,
            drain_line: line(drop_drain, 0.35),
            drain_compliance: COMPLIANCE_DRAIN * target,
            return_line: line(drop_return, 0.55),
            membrane_clean: drop_membrane / target,
            roller: Phase(0),
            ripple: Shape::sine(),
            pump_flow: target,
            drain_flow: target,
            clot: 1.0,
            speed_base: speed.clamp(0.0, 6000.0),
            speed_set: speed,
            speed,
            flow: target,
            drain,
            pre,
            post,
            membrane: drop_membrane / target,
            air: 0.0,
        }
    }

    /// Moves on by one tick of 10 ms.
    pub(crate) fn tick(&mut self, patient: &mut Patient, influence: &Influence) {
        self.speed_set = (self.speed_base * influence.speed).clamp(0.0, 6000.0);
        let (goal, constant_s) =
            if influence.motor_stopped { (0.0, MOTOR_STOP_S) } else { (self.speed_set, MOTOR_S) };
        self.membrane = self.membrane_clean * self.clot * influence.membrane;
        self.air = influence.air;
        for _ in 0..STEPS {
            approach(&mut self.speed, goal, STEP_S, constant_s);
            self.step(patient, influence);
        }
    }

    /// One step. Flows are moved first, each with its resistance taken at the new flow, then pressures by the new
    /// flows: this order keeps the integration stable however tight a line gets.
    fn step(&mut self, patient: &mut Patient, influence: &Influence) {
        let suction = 1.0 + ((SUCTION_MMHG - self.drain) / SUCTION_SPAN_MMHG).max(0.0);
        let narrowing = influence.drain * suction * patient.narrowing();
        let source = patient.venous + influence.height;
        let (linear, square) = self.drain_line;
        let resistance = narrowing * (linear + square * self.drain_flow.abs());
        self.drain_flow = driven(self.drain_flow, source - self.drain, INERTIA_DRAIN, resistance);

        self.pump(influence);
        let through = (self.pre - self.post) / self.membrane;

        let (linear, square, distal) = if influence.return_open {
            (OPEN_RETURN.0, OPEN_RETURN.1, 0.0)
        } else {
            let (linear, square) = self.return_line;
            (linear * influence.back, square * influence.back, self.distal(patient, influence))
        };
        let resistance = linear + square * self.flow.abs();
        self.flow = driven(self.flow, self.post - distal, INERTIA_RETURN, resistance);

        let share = STEP_S / self.drain_compliance;
        self.drain += (self.drain_flow - self.pump_flow) * share;
        if influence.drain_open {
            // Taken at the new pressure: the tube empties faster than a step.
            self.drain /= 1.0 + share / OPEN_DRAIN;
        }
        let mut into_pre = self.pump_flow - through;
        if influence.inlet_open {
            into_pre -= self.pre / OPEN_INLET;
        }
        into_pre -= (self.pre - BURST_MMHG).max(0.0) / OPEN_INLET;
        self.pre += into_pre * STEP_S / COMPLIANCE_MEMBRANE;
        self.post += (through - self.flow) * STEP_S / COMPLIANCE_MEMBRANE;
        patient.drain(self.drain_flow, STEP_S, influence);
    }

    /// Pressure that the return limb works against.
    fn distal(&self, patient: &Patient, influence: &Influence) -> f64 {
        let pressure = match patient.therapy() {
            Therapy::VenoArterial => patient.arterial,
            Therapy::VenoVenous => patient.venous,
        };
        pressure + influence.height
    }

    /// Moves the flow through the pump.
    fn pump(&mut self, influence: &Influence) {
        match self.kind {
            PumpKind::Centrifugal => {
                let ratio = self.speed / HEAD_SPEED_RPM;
                let left = 1.0 - influence.air;
                let head = HEAD_MMHG * ratio * ratio * left * left;
                // A pump that stands still only resists.
                let loss = HEAD_LOSS_LINEAR * ratio + HEAD_LOSS_SQUARE * self.pump_flow.abs();
                let drive = head + self.drain - self.pre;
                self.pump_flow = driven(self.pump_flow, drive, INERTIA_PUMP, loss);
            }
            PumpKind::Roller => {
                let turns = self.speed / 60.0;
                // Two rollers: each leaves the tube once a turn.
                self.roller.advance(2.0 * turns, STEP_S);
                let refill = (1.0 + (self.drain - REFILL_MMHG) / REFILL_SPAN_MMHG).clamp(0.1, 1.0);
                let ripple = 1.0 + 0.05 * self.ripple.at(self.roller);
                let goal = turns * STROKE_ML * refill * ripple * (1.0 - influence.air);
                approach(&mut self.pump_flow, goal, STEP_S, 0.02);
            }
        }
    }

    /// Lets clots grow for so many hours, or leaves the membrane as it is.
    pub(crate) fn clot(&mut self, hours: f64, influence: &Influence) {
        if influence.clotting_per_hour > 0.0 && self.clot < influence.clotting_end {
            self.clot *= 1.0 + influence.clotting_per_hour * hours;
        }
    }

    /// Motor current, in A: friction, speed and load; air is light.
    pub(crate) fn current(&self) -> f64 {
        let load = (1.0 - 1.3 * self.air).max(0.1);
        match self.kind {
            PumpKind::Centrifugal => {
                let ratio = self.speed / HEAD_SPEED_RPM;
                let blood = 0.5 * ratio * ratio + 0.02 * ratio * self.pump_flow.max(0.0);
                0.1 * ratio + (0.1 * ratio + blood) * load
            }
            PumpKind::Roller => {
                let power = (self.pre - self.drain).max(0.0) * self.pump_flow.max(0.0);
                (if self.speed > 1.0 { 0.5 } else { 0.0 }) + 0.0004 * power * load
            }
        }
    }
}

/// A flow after a step of a drive against inertia and a resistance taken at the new flow.
fn driven(flow: f64, drive: f64, inertia: f64, resistance: f64) -> f64 {
    let share = STEP_S / inertia;
    (flow + share * drive) / (1.0 + share * resistance)
}

/// Speed at which the centrifugal pump gives a head at a flow, in rev/min.
fn speed_for(head: f64, flow: f64) -> f64 {
    let loss = HEAD_LOSS_LINEAR * flow;
    let needed = head + HEAD_LOSS_SQUARE * flow * flow;
    let ratio = (loss + (loss * loss + 4.0 * HEAD_MMHG * needed).sqrt()) / (2.0 * HEAD_MMHG);
    ratio * HEAD_SPEED_RPM
}
