//! Recent history of the signals that several rules look at together, in bins on the grid of the sample clock.
//!
//! Everything is decided at points of one grid of 100 ms, from whole bins before the point. The grid is that of the
//! agent's clock, so that two gateways that joined at different times decide alike. Medians over a minute and more rest
//! on bins of 1 s to 5 min: a shift of time by a multiple of 5 min changes nothing at all, a shift by
//! 100 ms nothing in what looks back less than a minute.

mod spike;
mod trace;
mod working;

use alloc::vec::Vec;
use core::time::Duration;

use crate::parameter::Parameter;
use crate::reading::{NoData, Reading};
use crate::time::SampleTime;

use spike::Spikes;
use working::Working;

pub(crate) use trace::{Trace, median_of};

/// Time between two points of the grid, in milliseconds.
const GRID_MS: u64 = 100;

/// The same in nanoseconds.
const GRID_NS: u64 = GRID_MS * 1_000_000;

/// The reference is made anew so often, in nanoseconds.
const REFERENCE_NS: u64 = 500_000_000;

/// Signals with a history in bins of 100 ms, and of 1 s.
const FAST: [Parameter; 8] = [
    Parameter::PumpSpeed,
    Parameter::PumpSpeedSet,
    Parameter::FlowBlood,
    Parameter::PressDrain,
    Parameter::PressPre,
    Parameter::PressPost,
    Parameter::MotorCurrent,
    Parameter::FlowAcousticQuality,
];

/// Signals with a history in bins of 1 s alone.
const SLOW: [Parameter; 25] = [
    Parameter::PressDelta,
    Parameter::SatDrain,
    Parameter::SatPre,
    Parameter::SatPost,
    Parameter::Hb,
    Parameter::Hct,
    Parameter::TempDrain,
    Parameter::TempReturn,
    Parameter::GasSweep,
    Parameter::GasSweepSet,
    Parameter::GasFdo2,
    Parameter::GasFdo2Set,
    Parameter::AirBubble,
    Parameter::AirVenous,
    Parameter::PowerMains,
    Parameter::BatteryCharge,
    Parameter::BatteryTimeLeft,
    Parameter::PatientHr,
    Parameter::PatientSpo2,
    Parameter::PatientSpo2Preductal,
    Parameter::PatientSpo2Postductal,
    Parameter::PatientAbpSys,
    Parameter::PatientAbpDia,
    Parameter::PatientAbpMean,
    Parameter::PatientCvp,
];

/// How a channel is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rate {
    /// The agent has no such channel.
    Absent,
    /// When its value changes.
    OnChange,
    /// Once in so long.
    Every(Duration),
}

/// One signal.
#[derive(Debug)]
struct Signal {
    rate: Rate,
    spikes: Spikes,
    seconds: Trace<64>,
}

/// Levels of the circuit over some time; NaN where nothing is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Levels {
    /// In rev/min.
    pub(crate) speed: f32,
    /// In mL/min.
    pub(crate) flow: f32,
    /// Pressures in mmHg.
    pub(crate) drain: f32,
    pub(crate) pre: f32,
    pub(crate) post: f32,
    /// In A.
    pub(crate) current: f32,
    /// In percent.
    pub(crate) quality: f32,
    /// Mean pressures of the patient, in mmHg.
    pub(crate) arterial: f32,
    pub(crate) venous: f32,
}

impl Levels {
    /// Nothing is known.
    const NONE: Self = Self {
        speed: f32::NAN,
        flow: f32::NAN,
        drain: f32::NAN,
        pre: f32::NAN,
        post: f32::NAN,
        current: f32::NAN,
        quality: f32::NAN,
        arterial: f32::NAN,
        venous: f32::NAN,
    };

    /// Each level by a function of its parameter.
    fn each(mut level: impl FnMut(Parameter) -> Option<f32>) -> Self {
        let mut known = |parameter| level(parameter).unwrap_or(f32::NAN);
        Self {
            speed: known(Parameter::PumpSpeed),
            flow: known(Parameter::FlowBlood),
            drain: known(Parameter::PressDrain),
            pre: known(Parameter::PressPre),
            post: known(Parameter::PressPost),
            current: known(Parameter::MotorCurrent),
            quality: known(Parameter::FlowAcousticQuality),
            arterial: known(Parameter::PatientAbpMean),
            venous: known(Parameter::PatientCvp),
        }
    }

    /// One level.
    pub(crate) fn of(&self, parameter: Parameter) -> Option<f32> {
        let levels = [
            (Parameter::PumpSpeed, self.speed),
            (Parameter::FlowBlood, self.flow),
            (Parameter::PressDrain, self.drain),
            (Parameter::PressPre, self.pre),
            (Parameter::PressPost, self.post),
            (Parameter::MotorCurrent, self.current),
            (Parameter::FlowAcousticQuality, self.quality),
            (Parameter::PatientAbpMean, self.arterial),
            (Parameter::PatientCvp, self.venous),
        ];
        let level = levels.into_iter().find(|(one, _level)| *one == parameter)?.1;
        Some(level).filter(|level| !level.is_nan())
    }

    /// These levels, and where one is unknown another's.
    pub(crate) fn or(&self, other: &Self) -> Self {
        Self::each(|parameter| self.of(parameter).or_else(|| other.of(parameter)))
    }

    /// What the levels would be at a lower speed: the pump's head goes with the square of its speed.
    ///
    /// At a higher speed they are left as they are. Pressures that have fallen since are then all the more strange, and
    /// those that have risen are judged with the flow, which rises with the speed and falls behind an obstruction.
    pub(crate) fn at_speed(&self, speed: f32) -> Self {
        if speed < self.speed { self.scaled_to(speed) } else { *self }
    }

    /// What the levels would be at another speed, lower or higher: a roller's flow goes with its speed.
    pub(crate) fn scaled_to(&self, speed: f32) -> Self {
        let ratio = speed / self.speed;
        let square = ratio * ratio;
        if !square.is_finite() || ratio < 0.0 {
            return *self;
        }
        Self {
            speed,
            flow: self.flow * ratio,
            drain: self.drain * square,
            pre: self.pre * square,
            post: self.post * square,
            current: self.current * square,
            ..*self
        }
    }
}

/// Places of the parameters in `signals`: the fast ones first.
const PLACES: [Option<u8>; Parameter::COUNT] = places();

const fn places() -> [Option<u8>; Parameter::COUNT] {
    let mut places = [None; Parameter::COUNT];
    let mut next: u8 = 0;
    let mut fast: &[Parameter] = &FAST;
    while let [one, rest @ ..] = fast {
        if let Some((_, tail)) = places.split_at_mut_checked(one.index())
            && let [place, ..] = tail
        {
            *place = Some(next);
        }
        next += 1;
        fast = rest;
    }
    let mut slow: &[Parameter] = &SLOW;
    while let [one, rest @ ..] = slow {
        if let Some((_, tail)) = places.split_at_mut_checked(one.index())
            && let [place, ..] = tail
        {
            *place = Some(next);
        }
        next += 1;
        slow = rest;
    }
    places
}

/// Recent history of one pump's signals.
#[derive(Debug)]
pub(crate) struct Signals {
    signals: Vec<Signal>,
    /// Bins of 100 ms of the fast ones.
    tenths: Vec<Trace<128>>,
    /// Bins of 50 ms of the drainage pressure.
    drain: Trace<128>,
    last: Option<SampleTime>,
    before_last: Option<SampleTime>,
    /// Medians over 10 s that end 1 s before the last point.
    reference: Levels,
    /// Number of the half second in which the reference was made.
    reference_of: Option<u64>,
    working: Working,
    spikes: u64,
}

impl Signals {
    /// Nothing is known, no channel is declared.
    pub(crate) fn new() -> Self {
        let signal = |parameter: &Parameter| Signal {
            rate: Rate::Absent,
            spikes: Spikes::new(*parameter),
            seconds: Trace::new(1_000),
        };
        Self {
            signals: FAST.iter().chain(&SLOW).map(signal).collect(),
            tenths: FAST.iter().map(|_parameter| Trace::new(GRID_MS)).collect(),
            drain: Trace::new(50),
            last: None,
            before_last: None,
            reference: Levels::NONE,
            reference_of: None,
            working: Working::new(),
            spikes: 0,
        }
    }

    /// A birth declares a channel (`Some(None)`: sent on change), or no longer has it.
    pub(crate) fn declare(&mut self, parameter: Parameter, spec: Option<Option<Duration>>) {
        let Some(place) = PLACES.get(parameter.index()).copied().flatten() else { return };
        let rate = match spec {
            None => Rate::Absent,
            Some(None) => Rate::OnChange,
            Some(Some(interval)) => Rate::Every(interval),
        };
        let Some(signal) = self.signals.get_mut(usize::from(place)) else { return };
        if rate == Rate::Absent && signal.rate != Rate::Absent {
            signal.seconds.restart();
            if let Some(tenths) = self.tenths.get_mut(usize::from(place)) {
                tenths.restart();
            }
            if parameter == Parameter::PressDrain {
                self.drain.restart();
            }
        }
        signal.rate = rate;
    }

    /// Takes a reading in its place: the samples of one channel come in the order of their times.
    ///
    /// What lies beyond the possible counts as the end of it: which way it goes is known, how far is not.
    pub(crate) fn push(&mut self, parameter: Parameter, reading: Reading, time: SampleTime) {
        let Some(place) = PLACES.get(parameter.index()).copied().flatten() else { return };
        let Some(signal) = self.signals.get_mut(usize::from(place)) else { return };
        let value = match reading {
            // What a simulation mode says is not the patient's.
            Reading::NoData(NoData::Simulated) => f32::NAN,
            Reading::Value(_) | Reading::Questionable(_) | Reading::NoData(_) => {
                reading.against_limits().unwrap_or(f32::NAN)
            }
        };
        let info = parameter.info();
        let value = value.clamp(info.possible_low, info.possible_high);
        let carry = carry(signal.rate);
        signal.seconds.push(value, time, carry);
        if !value.is_nan() && signal.spikes.on_value(value, time) {
            self.spikes = self.spikes.saturating_add(1);
        }
        if let Some(tenths) = self.tenths.get_mut(usize::from(place)) {
            tenths.push(value, time, carry);
        }
        if parameter == Parameter::PressDrain {
            self.drain.push(value, time, carry);
        }
    }

    /// A new boot: another clock, what was before is gone. What the birth declared stays until the next one.
    ///
    /// The circuit is the same, so its usual working point stays known.
    pub(crate) fn restart(&mut self) {
        for signal in &mut self.signals {
            signal.seconds.restart();
            signal.spikes.restart();
        }
        self.tenths.iter_mut().for_each(Trace::restart);
        self.drain.restart();
        self.last = None;
        self.before_last = None;
        self.reference = Levels::NONE;
        self.reference_of = None;
        self.working.restart();
    }

    /// The newest grid point that `published` has passed and that was not returned before.
    pub(crate) fn advance(&mut self, published: SampleTime) -> Option<SampleTime> {
        let point = SampleTime::from_nanos(published.as_nanos() / GRID_NS * GRID_NS);
        if self.last.is_some_and(|last| point <= last) {
            return None;
        }
        self.before_last = self.last.replace(point);
        // Twice a second: a median over ten seconds hardly moves in between, and it is what costs most here.
        let half = point.as_nanos() / REFERENCE_NS;
        if self.reference_of.replace(half) != Some(half) {
            self.reference =
                Levels::each(|parameter| self.median(parameter, point, (10, 100), (1, 10)));
        }
        self.follow(point);
        Some(point)
    }

    /// Whether the last step on the grid reached or passed a multiple of a time: frames that come seldom step over points.
    pub(crate) fn passes(&self, width_ns: u64) -> bool {
        let number = |point: SampleTime| point.as_nanos() / width_ns;
        self.last.is_some_and(|last| match self.before_last {
            Some(before) => number(before) != number(last),
            None => last.as_nanos().is_multiple_of(width_ns),
        })
    }

    /// Another patient or another circuit: what was usual says nothing any more.
    pub(crate) fn forget(&mut self) {
        self.restart();
        self.working = Working::new();
    }

    /// Median of a fast signal over tenths of a second, of a slow one over seconds: so many back, so many long.
    fn median(
        &self,
        parameter: Parameter,
        point: SampleTime,
        tenths: (u64, u64),
        seconds: (u64, u64),
    ) -> Option<f32> {
        match self.tenths(parameter) {
            Some(trace) => trace.median(point, tenths.0, tenths.1),
            None => self.seconds(parameter)?.median(point, seconds.0, seconds.1),
        }
    }

    /// Keeps the working point up to date, once in ten seconds.
    fn follow(&mut self, point: SampleTime) {
        if !self.passes(working::STEP_NS) {
            return;
        }
        let mut levels = Levels::each(|parameter| self.median(parameter, point, (0, 100), (0, 10)));
        let steady = |parameter, share: f32| {
            self.tenths(parameter).and_then(|trace| trace.span(point, 0, 100)).is_none_or(
                |(least, greatest)| greatest - least <= share * greatest.abs().max(least.abs()),
            )
        };
        if steady(Parameter::PumpSpeedSet, 0.01) && steady(Parameter::PumpSpeed, 0.08) {
            levels.speed = Some(levels.speed).filter(|speed| *speed > 0.0).unwrap_or(f32::NAN);
            self.working.offer(levels);
        }
    }

    /// How a channel is sent.
    pub(crate) fn rate(&self, parameter: Parameter) -> Rate {
        self.signal(parameter).map_or(Rate::Absent, |signal| signal.rate)
    }

    /// The newest value, while it is not older than its channel allows.
    pub(crate) fn latest(&self, parameter: Parameter, tick: SampleTime) -> Option<f32> {
        self.signal(parameter)?.seconds.latest(tick)
    }

    /// Bins of 100 ms of a fast signal.
    pub(crate) fn tenths(&self, parameter: Parameter) -> Option<&Trace<128>> {
        let place = PLACES.get(parameter.index()).copied().flatten()?;
        self.tenths.get(usize::from(place))
    }

    /// Bins of 1 s of any signal.
    pub(crate) fn seconds(&self, parameter: Parameter) -> Option<&Trace<64>> {
        self.signal(parameter).map(|signal| &signal.seconds)
    }

    /// Bins of 50 ms of the drainage pressure.
    pub(crate) const fn drain(&self) -> &Trace<128> {
        &self.drain
    }

    /// Medians over 10 s that end 1 s before the point that [`Signals::advance`] returned last.
    pub(crate) const fn reference(&self) -> &Levels {
        &self.reference
    }

    /// Where the circuit usually works: medians over 10 min of what was like it before.
    pub(crate) const fn working(&self) -> Option<&Levels> {
        self.working.point()
    }

    /// Spikes since the pump is known.
    pub(crate) const fn spikes(&self) -> u64 {
        self.spikes
    }

    fn signal(&self, parameter: Parameter) -> Option<&Signal> {
        let place = PLACES.get(parameter.index()).copied().flatten()?;
        self.signals.get(usize::from(place))
    }
}

/// How long a sample stands in for the next one, in nanoseconds: a quarter of its interval longer than that.
fn carry(rate: Rate) -> u64 {
    match rate {
        Rate::Absent => 0,
        Rate::OnChange => u64::MAX,
        Rate::Every(interval) => {
            let nanos = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
            nanos.saturating_add(nanos / 4)
        }
    }
}
