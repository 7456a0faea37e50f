//! What each harmless disturbance does: as strong as it is at a bedside, and no stronger.

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::NoData;

use super::{Live, TICK_S};
use crate::disturbance::Disturbance;
use crate::influence::{Influence, Tamper};
use crate::math::between;

const PRESSURES: [Parameter; 3] =
    [Parameter::PressDrain, Parameter::PressPre, Parameter::PressPost];

const SENSORS: [Parameter; 6] = [
    Parameter::PressDrain,
    Parameter::PressPre,
    Parameter::PressPost,
    Parameter::FlowBlood,
    Parameter::PumpSpeed,
    Parameter::SatPost,
];

/// What stays as it was left: how the patient lies, how high the bed is, what speed is set. A new one takes the place of
/// the old one, so that a day of changes goes nowhere.
#[derive(Debug, Clone, Default)]
pub(crate) struct Habits {
    /// Factor of the drainage resistance beyond 1, and of the filling pressure below 1.
    posture: Settling,
    /// In mmHg of blood.
    height: Settling,
    /// Share of the set speed.
    speed: Settling,
    slow_clotting: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Settling {
    now: f64,
    goal: f64,
}

impl Settling {
    fn is_settled(self) -> bool {
        (self.now - self.goal).abs() < 1e-6
    }

    /// Ramps to the goal.
    fn ramp(&mut self, per_second: f64) {
        let step = per_second * TICK_S;
        self.now += (self.goal - self.now).clamp(-step, step);
    }
}

impl Habits {
    pub(crate) fn is_settled(&self) -> bool {
        self.posture.is_settled() && self.height.is_settled() && self.speed.is_settled()
    }

    pub(crate) fn tick(&mut self) {
        self.posture.ramp(0.04);
        self.height.ramp(1.5);
        self.speed.ramp(0.04);
    }

    pub(crate) fn apply(&self, out: &mut Influence) {
        out.drain *= 1.0 + self.posture.now;
        out.filling *= 1.0 - 0.3 * self.posture.now.max(0.0);
        out.height += self.height.now;
        out.speed *= 1.0 + self.speed.now;
        if self.slow_clotting {
            out.clotting_per_hour += 0.005;
            out.clotting_end = out.clotting_end.max(1.15);
        }
    }

    /// A new habit, or the usual one again.
    fn set(&mut self, disturbance: Disturbance, [one, other, ..]: [f64; 4], on: bool) {
        match disturbance {
            Disturbance::PositionChange => {
                // Up to a fifth more to drain: some -7 mmHg and -5 % of flow.
                self.posture.goal = if on { between(-0.05, 0.2, one) } else { 0.0 };
            }
            Disturbance::BedHeight => {
                // Up to 8 cm, 6 mmHg of blood.
                self.height.goal = if on { between(-6.0, 6.0, one) } else { 0.0 };
            }
            Disturbance::SpeedChange => {
                // Steps of 3 to 8 %, that stay between -5 and +8 %.
                let step = between(0.03, 0.08, one);
                let now = self.speed.goal;
                let up = if now.abs() < 1e-9 { other < 0.6 } else { now < 0.0 };
                let next = if up { now + step } else { now - step };
                self.speed.goal = if on { next.clamp(-0.05, 0.08) } else { 0.0 };
            }
            Disturbance::SlowClotting => self.slow_clotting = on,
            Disturbance::Suctioning
            | Disturbance::Coughing
            | Disturbance::Zeroing
            | Disturbance::Flush
            | Disturbance::Vibration
            | Disturbance::BloodDraw
            | Disturbance::Dropout
            | Disturbance::Hiccup => {}
        }
    }
}

/// What a disturbance does at this tick.
pub(crate) fn apply(
    disturbance: Disturbance,
    event: &mut Live,
    habits: &mut Habits,
    out: &mut Influence,
) {
    match disturbance {
        Disturbance::PositionChange
        | Disturbance::SpeedChange
        | Disturbance::SlowClotting
        | Disturbance::BedHeight => settle(disturbance, event, habits),
        Disturbance::Suctioning => suction(event, out),
        Disturbance::Coughing => {
            event.ramp(0.05);
            let [apart, ..] = event.draw;
            cough(event, between(0.6, 1.6, apart), out);
        }
        Disturbance::Zeroing if event.on => {
            // A zero that is off by up to 1 mmHg until it is set.
            let [_, left, ..] = event.draw;
            let left = between(-1.0, 1.0, left);
            out.tampers.push((event.sensor(&PRESSURES), Tamper::Fixed(left)));
        }
        Disturbance::Flush if event.on => {
            let [_, bag, ..] = event.draw;
            let bag = between(240.0, 300.0, bag);
            out.tampers.push((event.sensor(&PRESSURES), Tamper::Fixed(bag)));
        }
        Disturbance::Vibration => {
            event.ramp(2.0);
            let [strength, ..] = event.draw;
            out.shake += between(3.0, 9.0, strength) * event.level;
        }
        Disturbance::BloodDraw => draw_blood(event, out),
        Disturbance::Dropout if event.on => {
            out.tampers.push((event.sensor(&SENSORS), Tamper::Silent(NoData::NotMeasured)));
        }
        Disturbance::Hiccup if event.on => hiccup(event, out),
        Disturbance::Zeroing | Disturbance::Flush | Disturbance::Dropout | Disturbance::Hiccup => {}
    }
}

/// Sets a habit at the event's start, and undoes it at its end where it has one.
fn settle(disturbance: Disturbance, event: &mut Live, habits: &mut Habits) {
    let [has_begun, _] = &mut event.steer;
    if *has_begun < 0.5 && event.on {
        *has_begun = 1.0;
        habits.set(disturbance, event.draw, true);
        // Without an end the habit has taken over.
        event.done = event.is_endless();
    } else if *has_begun > 0.5 && !event.on {
        *has_begun = 0.0;
        habits.set(disturbance, event.draw, false);
    }
}

/// The airway is cleared: the child struggles against it, the heart slows, coughs follow one another.
fn suction(event: &mut Live, out: &mut Influence) {
    event.ramp(1.0);
    let level = event.level;
    let [strength, arterial, hertz, apart] = event.draw;
    let strength = between(0.6, 1.2, strength);
    out.heart_rate -= 28.0 * strength * level;
    out.arterial += between(-8.0, 10.0, arterial) * level;
    out.chest += 5.0 * strength * level * wave(event.seconds, between(0.6, 1.1, hertz));
    cough(event, between(1.2, 2.4, apart), out);
}

/// Coughs so many seconds apart: a third of a second each.
fn cough(event: &Live, apart_s: f64, out: &mut Influence) {
    let into = event.seconds - (event.seconds / apart_s).floor() * apart_s;
    if into < 0.35 && event.on {
        let bump = wave(into, 1.0 / 0.7).max(0.0);
        let [_, _, strength, _] = event.draw;
        let strength = between(0.7, 1.3, strength);
        out.chest += 16.0 * strength * bump;
        // The chest squeezes the vein around the cannula.
        out.drain *= 1.0 + 1.6 * strength * bump;
    }
}

/// 0.7 mL/kg from the drainage line, and as much fluid in the same time after it.
fn draw_blood(event: &mut Live, out: &mut Influence) {
    let [drawn_s, _] = &mut event.steer;
    if event.on {
        out.bleeding += 4.0;
        *drawn_s += TICK_S;
    } else {
        out.fluid += 4.0;
        *drawn_s -= TICK_S;
        event.done = *drawn_s <= 0.0;
    }
}

/// One wild sample: a pressure's first tick, a slower channel's one turn.
fn hiccup(event: &Live, out: &mut Influence) {
    let sensor = event.sensor(&SENSORS);
    let is_wave = PRESSURES.contains(&sensor);
    if is_wave && event.seconds > 0.5 * TICK_S {
        return;
    }
    let [_, wild, ..] = event.draw;
    let wild = if is_wave {
        between(-180.0, 420.0, wild)
    } else if sensor == Parameter::SatPost {
        62.0
    } else {
        between(0.0, 900.0, wild)
    };
    out.tampers.push((sensor, Tamper::Fixed(wild)));
}

/// A sine of a frequency after so many seconds.
fn wave(seconds: f64, hertz: f64) -> f64 {
    libm::sin(core::f64::consts::TAU * seconds * hertz)
}
