//! The events that are under way, and what they do now.
//!
//! Each event has numbers of its own from seed and place, so that one more event changes nothing about the others.

mod harm;

mod upset;

use core::time::Duration;

use ecmo_core::parameter::Parameter;
use fastrand::Rng;

use crate::fault::Fault;
use crate::influence::Influence;
use crate::math::approach;
use crate::setup::{Event, Setup, What};

use upset::Habits;

/// Seconds in a tick.
pub(crate) const TICK_S: f64 = 0.01;

/// Milliseconds in a tick.
pub(crate) const TICK_MS: u64 = 10;

/// Smoothed physics that faults of a given size are steered by; pressures in mmHg, flow in mL/min.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Sensed {
    pub(crate) drain: f64,
    pub(crate) pre: f64,
    pub(crate) post: f64,
    pub(crate) flow: f64,
}

/// One event that is under way, or fades.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub(crate) what: What,
    start: u64,
    end: Option<u64>,
    /// Four numbers from 0 to 1 that are its own.
    pub(crate) draw: [f64; 4],
    /// How far it has come, 0 to 1.
    pub(crate) level: f64,
    /// What its steering has reached.
    pub(crate) steer: [f64; 2],
    /// Whether it lasts at this tick.
    pub(crate) on: bool,
    /// Since its start, in seconds.
    pub(crate) seconds: f64,
    /// Nothing more comes of it.
    pub(crate) done: bool,
}

impl Live {
    /// Moves the level up while the event lasts and down afterwards.
    pub(crate) fn ramp(&mut self, rise_s: f64) {
        approach(&mut self.level, if self.on { 1.0 } else { 0.0 }, TICK_S, rise_s);
    }

    /// A sensor that was drawn for the event.
    pub(crate) fn sensor(&self, among: &[Parameter]) -> Parameter {
        let [first, ..] = self.draw;
        let mut count = 0.0;
        let each = 1.0 / f64::from(u32::try_from(among.len()).unwrap_or(1));
        for parameter in among {
            count += each;
            if first < count {
                return *parameter;
            }
        }
        Parameter::PressDrain
    }

    /// Whether it has no end.
    pub(crate) const fn is_endless(&self) -> bool {
        self.end.is_none()
    }

    /// Whether nothing is left of it.
    fn is_over(&self) -> bool {
        self.done
            || !self.on && self.level < 1e-3 && self.steer.iter().all(|steer| steer.abs() < 1e-3)
    }
}

/// All events of a circuit.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    /// Those to come, the next one last.
    waiting: Vec<Live>,
    live: Vec<Live>,
    habits: Habits,
    fault_context: harm::Context,
    influence: Influence,
    is_quiet: bool,
}

impl Schedule {
    /// The events of a setup.
    pub(crate) fn new(setup: &Setup) -> Self {
        let mut waiting: Vec<Live> =
            (0..).zip(&setup.events).map(|(place, event)| live(setup.seed, place, event)).collect();
        waiting.sort_by_key(|event| core::cmp::Reverse(event.start));
        Self {
            waiting,
            live: Vec::new(),
            habits: Habits::default(),
            fault_context: harm::Context::new(setup),
            influence: Influence::default(),
            is_quiet: true,
        }
    }

    /// What events do now.
    pub(crate) fn influence(&self) -> &Influence {
        &self.influence
    }

    /// The circuit has settled at a set speed, in rev/min.
    pub(crate) fn settled(&mut self, speed_base: f64) {
        self.fault_context.speed_base = speed_base.max(1.0);
    }

    /// Moves on to a tick.
    pub(crate) fn tick(&mut self, tick: u64, sensed: &Sensed) {
        while self.waiting.last().is_some_and(|next| next.start <= tick) {
            self.live.extend(self.waiting.pop());
        }
        if self.live.is_empty() && self.habits.is_settled() {
            if !self.is_quiet {
                self.is_quiet = true;
                self.influence.clone_from(&Influence::default());
                self.habits.apply(&mut self.influence);
            }
            return;
        }
        self.is_quiet = false;
        let mut tampers = core::mem::take(&mut self.influence.tampers);
        tampers.clear();
        self.influence = Influence { tampers, ..Influence::default() };
        for event in &mut self.live {
            event.on = event.end.is_none_or(|end| tick < end);
            match event.what {
                What::Fault(fault) => {
                    harm::apply(fault, event, sensed, &self.fault_context, &mut self.influence);
                }
                What::Disturbance(disturbance) => {
                    upset::apply(disturbance, event, &mut self.habits, &mut self.influence);
                }
            }
            event.seconds += TICK_S;
        }
        self.live.retain(|event| !event.is_over());
        self.habits.tick();
        self.habits.apply(&mut self.influence);
    }
}

/// An event with its own numbers.
fn live(seed: u64, place: u64, event: &Event) -> Live {
    let mix = place.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut rng = Rng::with_seed(seed ^ mix);
    let draw = [rng.f64(), rng.f64(), rng.f64(), rng.f64()];
    let start = ticks(event.at);
    let lasts = match event.what {
        What::Fault(_) => event.lasts,
        What::Disturbance(disturbance) => event.lasts.or_else(|| {
            let [_, _, _, share] = draw;
            // From two thirds to four thirds of the usual.
            let factor = 2.0 / 3.0 * (1.0 + share);
            let usual = disturbance.usual_seconds();
            usual.map(|seconds| Duration::from_secs_f64(seconds * factor))
        }),
    };
    let end = lasts.map(|lasts| start.saturating_add(ticks(lasts).max(1)));
    Live {
        what: event.what,
        start,
        end,
        draw,
        level: 0.0,
        steer: [0.0; 2],
        on: false,
        seconds: 0.0,
        done: false,
    }
}

/// Whole ticks of a time.
pub(crate) fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX) / TICK_MS
}

/// Whether a setup needs a battery that is not full: one that has a battery fault.
pub(crate) fn is_after_transport(setup: &Setup) -> bool {
    setup
        .events
        .iter()
        .any(|event| matches!(event.what, What::Fault(Fault::BatteryLow | Fault::BatteryCritical)))
}
