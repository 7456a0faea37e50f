//! Composites held against hand-made signals: what is found, when, and what cannot be judged.

mod circuit;
mod patient;
mod robust;
mod slow;

use core::time::Duration;

use super::{Composite, Finding, Memory, Scene};
use crate::alarm::rule::NotEvaluable;
use crate::case::{Case, PumpKind, Therapy};
use crate::parameter::Parameter;
use crate::reading::Reading;
use crate::signal::Signals;
use crate::time::SampleTime;

/// A circuit that works as it should: a newborn of 3 kg.
const HEALTHY: [(Parameter, f32); 22] = [
    (Parameter::PumpSpeed, 2_000.0),
    (Parameter::PumpSpeedSet, 2_000.0),
    (Parameter::FlowBlood, 360.0),
    (Parameter::PressDrain, -30.0),
    (Parameter::PressPre, 104.0),
    (Parameter::PressPost, 95.0),
    (Parameter::MotorCurrent, 0.5),
    (Parameter::FlowAcousticQuality, 92.0),
    (Parameter::SatDrain, 72.0),
    (Parameter::SatPre, 72.0),
    (Parameter::SatPost, 99.0),
    (Parameter::Hct, 40.0),
    (Parameter::GasSweep, 400.0),
    (Parameter::GasSweepSet, 400.0),
    (Parameter::GasFdo2, 60.0),
    (Parameter::PowerMains, 1.0),
    (Parameter::BatteryCharge, 100.0),
    (Parameter::PatientHr, 140.0),
    (Parameter::PatientSpo2, 94.0),
    (Parameter::PatientAbpSys, 60.0),
    (Parameter::PatientAbpDia, 40.0),
    (Parameter::PatientAbpMean, 45.0),
];

/// Signals that are sampled more often than once a second: every so many milliseconds, and how far the pulse moves them.
const SAMPLED: [(Parameter, u64, f32); 8] = [
    (Parameter::PressDrain, 10, 3.0),
    (Parameter::PressPre, 10, 6.0),
    (Parameter::PressPost, 10, 6.0),
    (Parameter::FlowBlood, 100, 12.0),
    (Parameter::PumpSpeed, 100, 2.0),
    (Parameter::MotorCurrent, 100, 0.01),
    (Parameter::PumpSpeedSet, 100, 0.0),
    (Parameter::FlowAcousticQuality, 100, 0.0),
];

fn sampling(parameter: Parameter) -> (u64, f32) {
    let fast = SAMPLED.iter().find(|(one, _ms, _pulse)| *one == parameter);
    fast.map_or((1_000, 0.3), |(_one, ms, pulse)| (*ms, *pulse))
}

/// A time as a share of another, both in milliseconds.
pub(super) fn share(ms: u64, of: u64) -> f32 {
    Duration::from_millis(ms).as_secs_f32() / Duration::from_millis(of).as_secs_f32()
}

/// One rule at one bed.
pub(super) struct Bed {
    pub(super) signals: Signals,
    pub(super) memory: Memory,
    composite: Composite,
    pub(super) case: Case,
    pub(super) circuit: u32,
    pub(super) baseline: Option<f32>,
    pub(super) meant_to_run: bool,
    levels: Vec<(Parameter, f32)>,
    start_ms: u64,
    now_ms: u64,
    /// Nothing is sampled more often than this: for runs over hours.
    coarse_ms: u64,
    last: Option<&'static str>,
    pub(super) finding: Option<Finding>,
}

/// A finding in a word.
fn word(finding: &Finding) -> &'static str {
    match finding {
        Finding::Unknown(_) => "unknown",
        Finding::Absent => "absent",
        Finding::Present(_) => "present",
    }
}

impl Bed {
    pub(super) fn new(composite: Composite) -> Self {
        let mut bed = Self {
            signals: Signals::new(),
            memory: Memory::new(&composite),
            composite,
            case: Case {
                pump_kind: Some(PumpKind::Centrifugal),
                therapy: Some(Therapy::VenoArterial),
                flow_target: Some(360.0),
                ..Case::default()
            },
            circuit: 1,
            baseline: None,
            meant_to_run: true,
            levels: HEALTHY.to_vec(),
            start_ms: 0,
            now_ms: 0,
            coarse_ms: 10,
            last: None,
            finding: None,
        };
        bed.declare();
        bed
    }

    /// Begins at another time of the sample clock.
    pub(super) fn at(mut self, start_ms: u64) -> Self {
        (self.start_ms, self.now_ms) = (start_ms, start_ms);
        self
    }

    /// Samples nothing more often than this.
    pub(super) fn coarse(mut self, ms: u64) -> Self {
        self.coarse_ms = ms;
        self.declare();
        self
    }

    /// A bed whose agent lacks a channel.
    pub(super) fn without(mut self, parameter: Parameter) -> Self {
        self.levels.retain(|(one, _level)| *one != parameter);
        self.signals.declare(parameter, None);
        self
    }

    pub(super) fn declare(&mut self) {
        for (parameter, _level) in &self.levels {
            let ms = sampling(*parameter).0.max(self.coarse_ms);
            self.signals.declare(*parameter, Some(Some(Duration::from_millis(ms))));
        }
    }

    /// Sets levels; NaN for no data.
    pub(super) fn set(&mut self, levels: &[(Parameter, f32)]) -> &mut Self {
        for (parameter, level) in levels {
            for (one, old) in &mut self.levels {
                if one == parameter {
                    *old = *level;
                }
            }
        }
        self
    }

    pub(super) fn level(&self, parameter: Parameter) -> f32 {
        self.levels.iter().find(|(one, _level)| *one == parameter).unwrap().1
    }

    /// Runs on; returns what changed, with the milliseconds since the start.
    pub(super) fn run(&mut self, ms: u64) -> Vec<(u64, &'static str)> {
        self.run_with(ms, |_bed, _ms| {})
    }

    /// As [`Bed::run`], with a hand on the levels before each sample.
    pub(super) fn run_with(
        &mut self,
        ms: u64,
        mut hand: impl FnMut(&mut Self, u64),
    ) -> Vec<(u64, &'static str)> {
        let mut changes = Vec::new();
        let begin = self.now_ms;
        while self.now_ms < begin + ms {
            let since = self.now_ms - begin;
            hand(self, since);
            self.sample();
            self.now_ms += self.coarse_ms;
            if let Some(tick) = self.signals.advance(SampleTime::from_millis(self.now_ms)) {
                let finding = self.judge(tick);
                let now = word(&finding);
                if self.last != Some(now) {
                    self.last = Some(now);
                    changes.push((self.now_ms - self.start_ms, now));
                }
                self.finding = Some(finding);
            }
        }
        changes
    }

    fn sample(&mut self) {
        // Relative to the start, so that a shifted run sees the same wave.
        let beat = (share(self.now_ms - self.start_ms, 417) * core::f32::consts::TAU).sin();
        for (parameter, level) in &self.levels {
            let (every, pulse) = sampling(*parameter);
            if self.now_ms.is_multiple_of(every.max(self.coarse_ms)) {
                let pulse = if level.abs() < 0.01 { 0.0 } else { pulse * beat };
                let reading = Reading::from_number(f64::from(level + pulse));
                self.signals.push(*parameter, reading, SampleTime::from_millis(self.now_ms));
            }
        }
    }

    pub(super) fn judge(&mut self, tick: SampleTime) -> Finding {
        let scene = Scene {
            signals: &self.signals,
            case: &self.case,
            circuit: self.circuit,
            membrane_baseline: self.baseline,
            meant_to_run: self.meant_to_run,
            tick,
        };
        self.memory.judge(&self.composite, &scene)
    }

    /// The agent starts anew: another clock.
    pub(super) fn reboot(&mut self) {
        self.memory.restart();
        self.signals.restart();
        self.start_ms = 0;
        self.now_ms = 0;
    }

    pub(super) fn reason(&self) -> Option<NotEvaluable> {
        match self.finding {
            Some(Finding::Unknown(reason)) => Some(reason),
            Some(Finding::Absent | Finding::Present(_)) | None => None,
        }
    }

    pub(super) fn is_present(&self) -> bool {
        matches!(self.finding, Some(Finding::Present(_)))
    }

    /// Settles for half a minute.
    pub(super) fn settled(mut self) -> Self {
        self.run(30_000);
        self
    }
}
