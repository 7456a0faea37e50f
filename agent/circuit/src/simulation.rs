//! One circuit, moved on by ticks of 10 ms.

use core::time::Duration;

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;
use fastrand::Rng;

use crate::body::Body;
use crate::channel::{Channel, channels};
use crate::influence::{Influence, Tamper};
use crate::schedule::{Schedule, TICK_MS, ticks};
use crate::sensors::{Seen, Sensors};
use crate::setup::{Setup, What};
use crate::state::State;
use crate::truth::{Limits, Scene, Truth, Usual, Watch};

/// Time of one tick.
pub const TICK: Duration = Duration::from_millis(TICK_MS);

/// A simulated circuit with its patient and its sensors.
#[derive(Debug, Clone)]
pub struct Simulation {
    channels: Vec<Channel>,
    schedule: Schedule,
    body: Body,
    sensors: Sensors,
    limits: Limits,
    truth: Vec<Truth>,
    watches: Vec<Watch>,
    ticks: u64,
}

impl Simulation {
    /// A circuit that has run at its working point for a while.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a setup is made for one simulation")]
    pub fn new(setup: Setup) -> Self {
        let mut rng = Rng::with_seed(setup.seed);
        let body = Body::new(&setup, &mut rng);
        let mut schedule = Schedule::new(&setup);
        schedule.settled(body.circuit.speed_base);
        let mut limits = Limits::new(&setup);
        limits.membrane = body.state(0, schedule.influence()).membrane_resistance;
        let faults = setup.events.iter().filter_map(|event| match event.what {
            What::Fault(fault) => Some((fault, event)),
            What::Disturbance(_) => None,
        });
        let (truth, watches) = faults
            .map(|(fault, event)| {
                let start = ticks(event.at);
                let end = event.lasts.map_or(u64::MAX, |lasts| start.saturating_add(ticks(lasts)));
                (Truth { fault, onset: None, end: None }, Watch::new(start, end))
            })
            .unzip();
        Self {
            channels: channels(setup.feed),
            schedule,
            body,
            sensors: Sensors::new(setup.feed, rng.fork()),
            limits,
            truth,
            watches,
            ticks: 0,
        }
    }

    /// The channels of the feed; samples name their parameter.
    #[must_use]
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// Moves on by [`TICK`] and delivers the samples of that time, each with its own time since the start.
    pub fn tick(&mut self, out: &mut impl FnMut(Parameter, Duration, Reading)) {
        let tick = self.ticks;
        let time = self.passed();
        // A fault's "before" is what was usual up to now.
        let usual = self.body.means.usual;
        self.schedule.tick(tick, &self.body.means.sensed);
        let influence = self.schedule.influence();
        self.body.tick(tick, influence);
        let (body, circuit) = (&self.body, &self.body.circuit);
        let seen = Seen {
            pressures: [circuit.drain, circuit.pre, circuit.post, body.patient.arterial],
            flow: circuit.flow * 60.0,
            edges: [
                influence.air_arterial,
                influence.air_venous,
                influence.level_low,
                !influence.mains_lost,
            ],
        };
        self.sensors.tick(tick, time, &seen, influence, || body.state(tick, influence), out);
        self.judge(tick, usual);
        self.ticks += 1;
    }

    /// What is true of the faults at this tick.
    fn judge(&mut self, tick: u64, usual: Usual) {
        let pairs = self.watches.iter().zip(&self.truth);
        if !pairs.into_iter().any(|(watch, truth)| watch.is_awake(tick, truth)) {
            return;
        }
        let (body, influence) = (&self.body, self.schedule.influence());
        let now = body.state(tick, influence);
        let means = &body.means;
        let usual = Usual { swing: means.window.swing(), ..usual };
        let scene = Scene {
            now: &now,
            flow_fast: means.flow_fast,
            flow_slow: means.flow_slow,
            drain_slow: means.drain_slow,
            distal: body.patient.distal(),
            shown: [
                means.sensed.pre + shift(influence, Parameter::PressPre),
                means.sensed.post + shift(influence, Parameter::PressPost),
            ],
            window: &means.window,
        };
        for (watch, truth) in self.watches.iter_mut().zip(&mut self.truth) {
            if watch.is_awake(tick, truth) {
                watch.judge(tick, truth, &scene, &usual, &self.limits);
            }
        }
    }

    /// Time of the next tick, since the start.
    #[must_use]
    pub fn passed(&self) -> Duration {
        Duration::from_millis(self.ticks.saturating_mul(TICK_MS))
    }

    /// What is true of each fault, in the order of the events; filled while ticking. An onset is known 0.3 s after it, an
    /// end 1 s after it.
    #[must_use]
    pub fn truth(&self) -> &[Truth] {
        &self.truth
    }

    /// The physics of the last tick, without noise; before the first, the working point.
    #[must_use]
    pub fn state(&self) -> State {
        self.body.state(self.ticks.saturating_sub(1), self.schedule.influence())
    }
}

/// How much more a sensor shows than there is.
fn shift(influence: &Influence, parameter: Parameter) -> f64 {
    match influence.tamper(parameter) {
        Some(Tamper::Shifted(by)) => by,
        None | Some(Tamper::Silent(_) | Tamper::Frozen | Tamper::Fixed(_)) => 0.0,
    }
}
