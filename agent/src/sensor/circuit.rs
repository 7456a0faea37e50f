//! The physics of a neonatal ECMO circuit: centrifugal pump, three resistances, compliances, a patient that pulsates.
//!
//! A model of our own for tests and demonstrations, chosen to lie where a newborn of about 3 kg does (120 mL/kg/min at
//! 2000 rev/min). Flows are in mL/s, pressures in mmHg, resistances in mmHg s/mL, compliances in mL/mmHg.

use core::f64::consts::TAU;

/// Step of the integration, in milliseconds; a tenth of the shortest time constant.
pub const STEP_MS: u64 = 1;

/// The same in seconds.
const STEP_S: f64 = 0.001;

/// Head of the pump at no flow and [`HEAD_SPEED_RPM`].
const HEAD_MMHG: f64 = 578.0;

/// Speed at which [`HEAD_MMHG`] is given.
const HEAD_SPEED_RPM: f64 = 3000.0;

/// Loss of head by flow and speed, in mmHg s/mL at [`HEAD_SPEED_RPM`].
const HEAD_LOSS_LINEAR: f64 = 3.0;

/// Loss of head by the square of the flow, in mmHg s2/mL2.
const HEAD_LOSS_SQUARE: f64 = 1.8;

/// Drainage cannula and tube.
const DRAINAGE_RESISTANCE: f64 = 6.0;

/// Membrane: 9 mmHg at 6 mL/s, as measured in clean neonatal circuits.
const MEMBRANE_RESISTANCE: f64 = 1.5;

/// Return cannula and tube, the part that grows with the flow and the part that grows with its square.
const RETURN_RESISTANCE: (f64, f64) = (6.0, 1.6);

/// What remains of the return line's resistance when it lies open.
const RETURN_OPEN_RESISTANCE: (f64, f64) = (0.4, 0.02);

/// Factor of the drainage resistance when the drainage is obstructed.
const OBSTRUCTION_FACTOR: f64 = 3.2;

/// Below this drainage pressure the vein begins to close around the cannula.
const COLLAPSE_MMHG: f64 = -50.0;

/// How far below [`COLLAPSE_MMHG`] the drainage resistance is doubled.
const COLLAPSE_SPAN_MMHG: f64 = 120.0;

/// Tube between patient and pump.
const DRAINAGE_COMPLIANCE: f64 = 0.03;

/// Tube and housing on each side of the membrane.
const MEMBRANE_COMPLIANCE: f64 = 0.01;

/// Inertia of the blood, in mmHg s2/mL.
const INERTIA: f64 = 0.25;

/// Time constants of the motor when it follows its set speed, and when it stops, in seconds.
const MOTOR_S: f64 = 0.4;
const MOTOR_STOP_S: f64 = 0.05;

/// Time in which an obstruction closes or opens, in seconds.
const OBSTRUCTION_S: f64 = 0.4;

/// What differs between two patients and their circuits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patient {
    /// Heart beats a second.
    pub heart_hz: f64,
    /// Breaths a second.
    pub breath_hz: f64,
    /// Mean arterial pressure.
    pub arterial_mmhg: f64,
    /// Mean central venous pressure.
    pub venous_mmhg: f64,
    /// Factor of all resistances, around 1.
    pub resistance: f64,
}

/// What is done to the circuit now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Input {
    /// Set speed, in rev/min.
    pub speed_set: f64,
    /// The pump has stopped against its setting.
    pub is_stopped: bool,
    /// The return line is open.
    pub is_return_open: bool,
    /// The drainage is obstructed.
    pub is_obstructed: bool,
}

/// State of the circuit.
#[derive(Debug, Clone, PartialEq)]
pub struct Circuit {
    patient: Patient,
    time_s: f64,
    obstruction: f64,
    /// Pump speed, in rev/min.
    pub speed: f64,
    /// Flow through the pump.
    pub pump_flow: f64,
    /// Flow through the return line, where the flow sensor sits.
    pub flow: f64,
    /// Pressure at the pump's inlet.
    pub drain: f64,
    /// Pressure before the membrane.
    pub pre: f64,
    /// Pressure after the membrane.
    pub post: f64,
}

impl Circuit {
    /// A circuit that has run at its set speed for a while.
    #[must_use]
    pub fn settled(patient: Patient, input: Input) -> Self {
        let mut circuit = Self {
            patient,
            time_s: 0.0,
            obstruction: 0.0,
            speed: input.speed_set,
            pump_flow: 0.0,
            flow: 0.0,
            drain: 0.0,
            pre: 0.0,
            post: 0.0,
        };
        // 3 s are ten of the longest time constants.
        for _ in 0..3000 {
            circuit.step(input);
        }
        circuit
    }

    /// Moves on by [`STEP_MS`].
    pub fn step(&mut self, input: Input) {
        self.time_s += STEP_S;
        let (target, motor_s) =
            if input.is_stopped { (0.0, MOTOR_STOP_S) } else { (input.speed_set, MOTOR_S) };
        self.speed += (target - self.speed) * STEP_S / motor_s;
        let closed = if input.is_obstructed { 1.0 } else { 0.0 };
        self.obstruction += (closed - self.obstruction) * STEP_S / OBSTRUCTION_S;

        let (venous, arterial) = self.patient_pressures();
        let inflow = (venous - self.drain) / self.drainage_resistance();
        let through = (self.pre - self.post) / (MEMBRANE_RESISTANCE * self.patient.resistance);
        self.flow = if input.is_return_open {
            outflow(self.post, RETURN_OPEN_RESISTANCE)
        } else {
            let (linear, square) = RETURN_RESISTANCE;
            let factor = self.patient.resistance;
            outflow(self.post - arterial, (linear * factor, square * factor))
        };

        // The flow is moved first and the pressures by the new flow: this order keeps the integration stable.
        self.pump_flow += (self.head() + self.drain - self.pre) * STEP_S / INERTIA;
        self.drain += (inflow - self.pump_flow) * STEP_S / DRAINAGE_COMPLIANCE;
        self.pre += (self.pump_flow - through) * STEP_S / MEMBRANE_COMPLIANCE;
        self.post += (through - self.flow) * STEP_S / MEMBRANE_COMPLIANCE;
    }

    /// Head of the pump at the present speed and flow, in mmHg; a pump that stands still only resists.
    fn head(&self) -> f64 {
        let ratio = self.speed / HEAD_SPEED_RPM;
        let flow = self.pump_flow;
        HEAD_MMHG * ratio * ratio
            - HEAD_LOSS_LINEAR * ratio * flow
            - HEAD_LOSS_SQUARE * flow * flow.abs()
    }

    /// Resistance of the drainage line with its obstruction and the vein's collapse.
    fn drainage_resistance(&self) -> f64 {
        let obstructed = 1.0 + (OBSTRUCTION_FACTOR - 1.0) * self.obstruction;
        let collapse = 1.0 + ((COLLAPSE_MMHG - self.drain) / COLLAPSE_SPAN_MMHG).max(0.0);
        DRAINAGE_RESISTANCE * self.patient.resistance * obstructed * collapse
    }

    /// Central venous and arterial pressure of the patient now.
    fn patient_pressures(&self) -> (f64, f64) {
        let beat = TAU * self.patient.heart_hz * self.time_s;
        let breath = TAU * self.patient.breath_hz * self.time_s;
        let pulse = beat.sin() + 0.4 * (2.0 * beat + 0.6).sin();
        let venous = self.patient.venous_mmhg + 1.5 * breath.sin() + 0.5 * beat.sin();
        let arterial = self.patient.arterial_mmhg + 7.0 * pulse + 1.0 * breath.sin();
        (venous, arterial)
    }

    /// Motor current, in A: friction, speed and load.
    #[must_use]
    pub fn motor_current(&self) -> f64 {
        let ratio = self.speed / HEAD_SPEED_RPM;
        0.2 * ratio + 0.5 * ratio * ratio + 0.02 * ratio * self.pump_flow.max(0.0)
    }
}

/// Flow that a pressure drives through a resistance with a linear and a square part; backwards when it is negative.
fn outflow(pressure: f64, (linear, square): (f64, f64)) -> f64 {
    let root = (linear * linear + 4.0 * square * pressure.abs()).sqrt();
    pressure.signum() * (root - linear) / (2.0 * square)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENT: Patient = Patient {
        heart_hz: 2.4,
        breath_hz: 0.6,
        arterial_mmhg: 45.0,
        venous_mmhg: 6.0,
        resistance: 1.0,
    };
    const RUNS: Input =
        Input { speed_set: 2000.0, is_stopped: false, is_return_open: false, is_obstructed: false };

    /// The circuit after so many milliseconds, and the means of flow in mL/min and the pressures over the last 500.
    fn after(input: Input, millis: usize) -> (Circuit, [f64; 4]) {
        let mut circuit = Circuit::settled(PATIENT, RUNS);
        let mut means = [0.0; 4];
        for millisecond in 0..millis {
            circuit.step(input);
            if millisecond + 500 >= millis {
                let now = [circuit.flow * 60.0, circuit.drain, circuit.pre, circuit.post];
                for (mean, value) in means.iter_mut().zip(now) {
                    *mean += value / 500.0;
                }
            }
        }
        (circuit, means)
    }

    #[test]
    fn a_healthy_circuit_lies_where_a_newborn_does() {
        let (_, [flow, drain, pre, post]) = after(RUNS, 5000);
        println!("{flow:.0} mL/min, {drain:.0}, {pre:.0}, {post:.0} mmHg");
        assert!((340.0..390.0).contains(&flow), "{flow}");
        assert!((-40.0..-22.0).contains(&drain), "{drain}");
        assert!((125.0..180.0).contains(&pre), "{pre}");
        assert!((110.0..160.0).contains(&post), "{post}");
        assert!((5.0..16.0).contains(&(pre - post)), "{}", pre - post);
    }

    #[test]
    fn a_stopped_pump_lets_blood_run_backwards() {
        let stopped = Input { is_stopped: true, ..RUNS };
        let (soon, _) = after(stopped, 300);
        assert!(soon.speed < 10.0, "{}", soon.speed);
        assert!(soon.pre - soon.drain < 40.0, "{}", soon.pre - soon.drain);
        let (_, [flow, drain, _, post]) = after(stopped, 5000);
        println!("{flow:.0} mL/min, {drain:.0}, {post:.0} mmHg");
        assert!((-200.0..-50.0).contains(&flow), "{flow}");
        assert!(post < 45.0, "{post}");
    }

    #[test]
    fn an_open_return_line_loses_its_pressure_and_flows_more() {
        let open = Input { is_return_open: true, ..RUNS };
        let (soon, _) = after(open, 300);
        assert!(soon.post < 15.0, "{}", soon.post);
        let (_, [flow, drain, pre, post]) = after(open, 5000);
        println!("{flow:.0} mL/min, {drain:.0}, {pre:.0}, {post:.0} mmHg");
        assert!((370.0..650.0).contains(&flow), "{flow}");
        assert!(post < 10.0, "{post}");
    }

    #[test]
    fn an_obstructed_drainage_sucks_and_flows_less() {
        let (_, [flow, drain, pre, post]) = after(Input { is_obstructed: true, ..RUNS }, 5000);
        println!("{flow:.0} mL/min, {drain:.0}, {pre:.0}, {post:.0} mmHg");
        assert!((-120.0..-80.0).contains(&drain), "{drain}");
        assert!((100.0..300.0).contains(&flow), "{flow}");
    }

    #[test]
    fn no_input_makes_the_integration_run_away() {
        for speed_set in [0.0, 500.0, 3000.0, 6000.0] {
            for bits in 0..8 {
                let input = Input {
                    speed_set,
                    is_stopped: bits & 1 != 0,
                    is_return_open: bits & 2 != 0,
                    is_obstructed: bits & 4 != 0,
                };
                let (circuit, _) = after(input, 5000);
                for value in [circuit.flow * 60.0, circuit.drain, circuit.pre, circuit.post] {
                    assert!(value.abs() < 3000.0, "{input:?}: {circuit:?}");
                }
            }
        }
    }
}
