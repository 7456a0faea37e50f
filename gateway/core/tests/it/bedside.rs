//! A bedside for tests: an agent that samples and seals, a path that loses and delays, and the pump that judges.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ecmo_core::alarm::action::{Action, Ask, Order};
use ecmo_core::alarm::condition::Condition;
use ecmo_core::alarm::occurrence::{OccurrenceId, PauseScope, Transition};
use ecmo_core::alarm::profile::{Bound, Profile};
use ecmo_core::alarm::rule::{RuleKey, Side};
use ecmo_core::alarm::treatment::Treatment;
use ecmo_core::alarm::{AlarmChange, Cause, Output, Refused};
use ecmo_core::channel::ChannelSpec;
use ecmo_core::frame::{BootId, Frame, FrameStamp};
use ecmo_core::parameter::Parameter;
use ecmo_core::pump::{Presence, Pump};
use ecmo_core::reading::{NoData, Reading};
use ecmo_core::time::{ClockMap, Instant, SampleTime};
use ecmo_core::view::View;

pub(crate) const WINDOW: Duration = Duration::from_millis(100);
pub(crate) const FRAME_MS: u64 = 20;
const TICK_MS: u64 = 10;

/// A healthy neonatal circuit: channel, sampling period in ms, value.
pub(crate) const HEALTHY: [(Parameter, u64, f32); 12] = [
    (Parameter::FlowBlood, 10, 400.0),
    (Parameter::PressDrain, 10, -30.0),
    (Parameter::PressPost, 10, 120.0),
    (Parameter::PumpSpeed, 20, 3_000.0),
    (Parameter::PumpSpeedSet, 100, 3_000.0),
    (Parameter::PressPre, 20, 150.0),
    (Parameter::SatDrain, 100, 75.0),
    (Parameter::TempReturn, 100, 36.8),
    (Parameter::HeaterWater, 100, 37.5),
    (Parameter::GasSweep, 100, 500.0),
    (Parameter::AirBubble, 20, 0.0),
    (Parameter::PowerMains, 100, 1.0),
];

/// The starter profile without its composites: what limits, silence and signals do alone.
///
/// `post.low` is a plain limit here, below 25 mm[Hg] for 0.5 s: a rule of the simplest kind for the scripts.
pub(crate) fn limits_only() -> Profile {
    let mut profile = Profile { composites: Vec::new(), ..ecmo_profile::starter() };
    let key = RuleKey { condition: Condition::POST_HIGH_ALARM, number: 1 };
    let mut low = profile.limit(key).unwrap().clone();
    low.rule.key.condition = Condition::POST_LOW;
    low.rule.side = Side::Below;
    low.rule.latching = true;
    low.rule.hysteresis = 10.0;
    low.bound = Bound::Absolute(25.0);
    profile.limits.push(low);
    profile
}

pub(crate) fn boot(number: u64) -> BootId {
    BootId::new(number).unwrap()
}

/// What a sensor shows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signal {
    Steady(Reading),
    /// A square wave of 400 ms around the mean.
    Pulsing {
        mean: f32,
        swing: f32,
    },
}

impl Signal {
    pub(crate) fn at(self, ms: u64) -> Reading {
        match self {
            Self::Steady(reading) => reading,
            Self::Pulsing { mean, swing } => {
                let up = ms % 400 < 200;
                Reading::Value(if up { mean + swing } else { mean - swing })
            }
        }
    }
}

/// A transducer on a circuit that works is never flat: a little more and a little less, as with a heart that beats.
fn ripple(parameter: Parameter, reading: Reading, ms: u64) -> Reading {
    let pressures = [Parameter::PressDrain, Parameter::PressPre, Parameter::PressPost];
    let swing = if parameter == Parameter::FlowBlood {
        1.25
    } else if pressures.contains(&parameter) {
        0.125
    } else {
        return reading;
    };
    match reading {
        Reading::Value(value) if (ms / 200).is_multiple_of(2) => Reading::Value(value + swing),
        Reading::Value(value) => Reading::Value(value - swing),
        Reading::Questionable(_) | Reading::NoData(_) => reading,
    }
}

#[derive(Debug, Clone)]
struct Sensor {
    parameter: Parameter,
    period_ms: u64,
    signal: Signal,
    muted: bool,
    index: u64,
    /// First sample time of the frame to come, and its samples.
    since_ms: u64,
    samples: Vec<Reading>,
}

/// The agent at the bedside; its clock starts with it.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) boot: BootId,
    pub(crate) clock_ms: u64,
    pub(crate) wall_ns: i64,
    sequence: u64,
    started_ms: u64,
    sensors: Vec<Sensor>,
}

impl Agent {
    pub(crate) fn new(boot: BootId, clock_ms: u64) -> Self {
        let sensor = |&(parameter, period_ms, value): &(Parameter, u64, f32)| Sensor {
            parameter,
            period_ms,
            signal: Signal::Steady(Reading::Value(value)),
            muted: false,
            index: 0,
            since_ms: 0,
            samples: Vec::new(),
        };
        Self {
            boot,
            clock_ms,
            wall_ns: 1_790_000_000_000_000_000,
            sequence: 0,
            started_ms: 0,
            sensors: HEALTHY.iter().map(sensor).collect(),
        }
    }

    pub(crate) fn channels(&self) -> Vec<ChannelSpec> {
        let spec = |sensor: &Sensor| ChannelSpec {
            parameter: sensor.parameter,
            interval: Some(Duration::from_millis(sensor.period_ms)),
        };
        self.sensors.iter().map(spec).collect()
    }

    fn sensor(&mut self, parameter: Parameter) -> &mut Sensor {
        self.sensors.iter_mut().find(|sensor| sensor.parameter == parameter).unwrap()
    }

    pub(crate) fn show(&mut self, parameter: Parameter, signal: Signal) {
        self.sensor(parameter).signal = signal;
    }

    pub(crate) fn mute(&mut self, parameter: Parameter, muted: bool) {
        self.sensor(parameter).muted = muted;
    }

    pub(crate) fn drop_channel(&mut self, parameter: Parameter) {
        self.sensors.retain(|sensor| sensor.parameter != parameter);
    }

    /// Starts anew: another boot, sequence and clock from the beginning.
    pub(crate) fn restart(&mut self, boot: BootId, ms: u64) {
        self.boot = boot;
        self.sequence = 0;
        self.started_ms = ms;
        self.clock_ms = 0;
        for sensor in &mut self.sensors {
            sensor.index = 0;
            sensor.samples.clear();
        }
    }

    fn mono(&self, ms: u64) -> SampleTime {
        SampleTime::from_millis(ms - self.started_ms + self.clock_ms)
    }

    /// Samples what is due, and seals a frame when one is due.
    pub(crate) fn tick(&mut self, ms: u64) -> Option<Frame> {
        for sensor in &mut self.sensors {
            if ms.is_multiple_of(sensor.period_ms) && !sensor.muted {
                if sensor.samples.is_empty() {
                    sensor.since_ms = ms;
                }
                sensor.samples.push(ripple(sensor.parameter, sensor.signal.at(ms), ms));
            }
        }
        if !ms.is_multiple_of(FRAME_MS) {
            return None;
        }
        let stamp = FrameStamp {
            published: self.mono(ms),
            published_wall_ns: self.wall_ns + i64::try_from(ms).unwrap() * 1_000_000,
            received: Instant::default(),
        };
        let mut frame = Frame::new(self.boot, self.sequence, stamp);
        self.sequence += 1;
        let (started_ms, clock_ms) = (self.started_ms, self.clock_ms);
        for sensor in self.sensors.iter_mut().filter(|sensor| !sensor.samples.is_empty()) {
            let start = SampleTime::from_millis(sensor.since_ms - started_ms + clock_ms);
            let period = Duration::from_millis(sensor.period_ms);
            let count = sensor.samples.len() as u64;
            frame.push(sensor.parameter, sensor.index, start, period, sensor.samples.drain(..));
            sensor.index += count;
        }
        Some(frame)
    }
}

/// One alarm change, as it was told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub(crate) at: Instant,
    pub(crate) id: OccurrenceId,
    pub(crate) revision: u32,
    pub(crate) transition: Transition,
    pub(crate) present: bool,
    pub(crate) cause: Option<Cause>,
}

/// Everything that the pump told.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) changes: Vec<Change>,
    pub(crate) evaluated: Vec<(BootId, u64)>,
}

impl Output for Log {
    fn evaluated(&mut self, frame: &Frame, _clock: &ClockMap) {
        self.evaluated.push((frame.boot, frame.sequence));
    }

    fn alarm(&mut self, change: AlarmChange<'_>) {
        self.changes.push(Change {
            at: change.occurrence.changed_at,
            id: change.occurrence.id,
            revision: change.occurrence.revision,
            transition: change.transition,
            present: change.occurrence.present,
            cause: change.cause,
        });
    }
}

/// What happens at a moment of a script.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    /// A channel shows this value from now on.
    Value(Parameter, f32),
    /// A channel gives no measurement from now on.
    Without(Parameter, NoData),
    /// A channel pulsates from now on: mean, swing.
    Pulse(Parameter, f32, f32),
    /// A channel sends nothing, or sends again.
    Mute(Parameter, bool),
    /// Frames are lost, or arrive again.
    Lose(bool),
    /// Frames take this long, in ms.
    Delay(u64),
    /// The agent starts anew and says so.
    Restart(u64),
    /// A birth of a boot arrives; retained or not.
    Birth(u64, bool),
    /// The agent repeats its birth.
    BirthAgain,
    /// A status of a boot arrives.
    Status(u64, Presence),
    /// A frame of a boot arrives, with a stopped pump in it.
    Stray(u64),
    /// The agent's wall clock jumps, in seconds.
    WallStep(i64),
    /// A person acknowledges what is active of this condition.
    Acknowledge(&'static str),
    /// A person pauses the sound of all that signals, for so many seconds.
    Pause(PauseScope, u64),
    /// A person shelves the condition, for so many seconds.
    Shelve(&'static str, u64),
    /// A person says something about the treatment.
    Treat(fn(&mut Treatment, Instant)),
}

/// Agent, path and pump.
pub(crate) struct Bedside {
    pub(crate) agent: Agent,
    pub(crate) pump: Pump,
    pub(crate) log: Log,
    profile: Profile,
    /// The reader's clock at the script's start.
    pub(crate) base: Instant,
    lose: bool,
    delay_ms: u64,
    path: BTreeMap<(u64, u64), Frame>,
    sent: u64,
    ms: u64,
    orders: u64,
}

impl Bedside {
    /// A healthy circuit whose agent, boot 1, has just said who it is.
    pub(crate) fn new() -> Self {
        Self::with_clocks(Instant::from_millis(7_000), 90_000)
    }

    pub(crate) fn with_clocks(base: Instant, agent_clock_ms: u64) -> Self {
        Self::under(limits_only(), base, agent_clock_ms)
    }

    /// A healthy circuit judged by another profile.
    pub(crate) fn with_profile(profile: Profile) -> Self {
        Self::under(profile, Instant::from_millis(7_000), 90_000)
    }

    fn under(profile: Profile, base: Instant, agent_clock_ms: u64) -> Self {
        let mut bedside = Self {
            agent: Agent::new(boot(1), agent_clock_ms),
            pump: Pump::new(Arc::new(profile.clone()), WINDOW, base),
            profile,
            log: Log::default(),
            base,
            lose: false,
            delay_ms: 0,
            path: BTreeMap::new(),
            sent: 0,
            ms: 0,
            orders: 0,
        };
        bedside.apply(&Input::Birth(1, false));
        bedside
    }

    pub(crate) fn now(&self) -> Instant {
        self.base.plus(Duration::from_millis(self.ms))
    }

    /// Lets time pass up to and including a moment.
    pub(crate) fn run_until(&mut self, ms: u64) {
        while self.ms < ms {
            self.pass();
            self.ms += TICK_MS;
        }
    }

    /// What happens at the present moment, and every deadline until the next one.
    fn pass(&mut self) {
        if let Some(frame) = self.agent.tick(self.ms)
            && !self.lose
        {
            self.path.insert((self.ms + self.delay_ms, self.sent), frame);
            self.sent += 1;
        }
        while let Some(entry) = self.path.first_entry().filter(|entry| entry.key().0 <= self.ms) {
            let frame = entry.remove();
            self.deliver(frame).expect("the agent's own frames are taken");
        }
        let next = self.now().plus(Duration::from_millis(TICK_MS));
        for _turn in 0..100 {
            match self.pump.next_deadline() {
                Some(deadline) if deadline < next => {
                    self.pump.on_tick(deadline.max(self.now()), &mut self.log);
                }
                Some(_) | None => return,
            }
        }
        panic!("a deadline that a tick does not settle at {} ms", self.ms);
    }

    /// Hands a frame over now.
    pub(crate) fn deliver(&mut self, mut frame: Frame) -> Result<(), ecmo_core::pump::Refusal> {
        let now = self.now();
        frame.stamp.received = now;
        self.pump.on_frame(&frame, now, &mut self.log)
    }

    pub(crate) fn apply(&mut self, input: &Input) {
        let now = self.now();
        match input {
            Input::Value(parameter, value) => {
                self.agent.show(*parameter, Signal::Steady(Reading::Value(*value)));
            }
            Input::Without(parameter, reason) => {
                self.agent.show(*parameter, Signal::Steady(Reading::NoData(*reason)));
            }
            Input::Pulse(parameter, mean, swing) => {
                self.agent.show(*parameter, Signal::Pulsing { mean: *mean, swing: *swing });
            }
            Input::Mute(parameter, muted) => self.agent.mute(*parameter, *muted),
            Input::Lose(lose) => self.lose = *lose,
            Input::Delay(ms) => self.delay_ms = *ms,
            Input::Restart(number) => {
                self.agent.restart(boot(*number), self.ms);
                self.path.clear();
                self.apply(&Input::Birth(*number, false));
            }
            Input::Birth(number, retained) => {
                let channels = self.agent.channels();
                let taken = self.pump.on_birth(
                    boot(*number),
                    &channels,
                    None,
                    *retained,
                    now,
                    &mut self.log,
                );
                assert_eq!(taken.is_ok(), self.pump.boot() == Some(boot(*number)));
            }
            Input::BirthAgain => self.apply(&Input::Birth(self.agent.boot.get(), false)),
            Input::Status(number, presence) => self.pump.on_status(boot(*number), *presence, now),
            Input::Stray(number) => self.stray(*number),
            Input::WallStep(seconds) => self.agent.wall_ns += seconds * 1_000_000_000,
            Input::Pause(scope, seconds) => {
                let lasts = Duration::from_secs(*seconds);
                self.person(Ask::Pause { id: None, scope: *scope, lasts }, "RN", "").unwrap();
            }
            Input::Shelve(name, seconds) => {
                let id = self.find(name).unwrap().id;
                let lasts = Duration::from_secs(*seconds);
                self.person(Ask::Shelve { id, lasts }, "RN", "known").unwrap();
            }
            Input::Treat(change) => {
                let mut treatment = self.pump.treatment().clone();
                change(&mut treatment, now);
                self.pump.set_treatment(treatment, now, &mut self.log);
            }
            Input::Acknowledge(name) => {
                let found = self.find(name).unwrap_or_else(|| panic!("no {name} is active"));
                let (id, revision) = (found.id, found.revision);
                self.person(Ask::Acknowledge { id, revision }, "RN", "").unwrap();
            }
        }
    }

    /// What a person asks for, as an action; each is later than the one before.
    pub(crate) fn prepare(
        &mut self,
        ask: Ask<'_>,
        by: &str,
        note: &str,
    ) -> Result<Action, Refused> {
        let what = self.pump.prepare(ask, by, self.now())?;
        self.orders += 1;
        let order = Order { at: self.orders, gateway: "test".into() };
        Ok(Action { order, by: by.into(), note: note.into(), what })
    }

    /// A person asks for something, and it takes effect.
    pub(crate) fn person(&mut self, ask: Ask<'_>, by: &str, note: &str) -> Result<(), Refused> {
        let action = self.prepare(ask, by, note)?;
        self.pump.apply(&action, self.now(), &mut self.log)
    }

    /// The reader starts anew with what it had kept; the broker has kept the birth.
    pub(crate) fn restart_reader(&mut self) {
        self.restart_reader_with(self.profile.clone());
    }

    /// The same with another profile.
    pub(crate) fn restart_reader_with(&mut self, profile: Profile) {
        let (kept, now) = (self.pump.kept(), self.now());
        self.pump = Pump::new(Arc::new(profile), WINDOW, now);
        self.pump.restore(kept, now, &mut self.log);
        self.apply(&Input::Birth(self.agent.boot.get(), true));
    }

    fn stray(&mut self, number: u64) {
        let stamp = FrameStamp {
            published: SampleTime::from_millis(1),
            published_wall_ns: 0,
            received: self.now(),
        };
        let mut frame = Frame::new(boot(number), 1_000, stamp);
        let stopped = [Reading::Value(0.0)];
        frame.push(Parameter::PumpSpeed, 0, SampleTime::default(), WINDOW, stopped);
        self.deliver(frame).expect_err("a stray frame is refused");
    }

    pub(crate) fn find(&self, name: &str) -> Option<&ecmo_core::alarm::occurrence::Occurrence> {
        self.pump.alarms().iter().find(|occurrence| occurrence.id.condition.to_string() == name)
    }

    pub(crate) fn has(&self, condition: Condition) -> bool {
        self.pump.alarms().iter().any(|found| found.present && found.id.condition == condition)
    }

    pub(crate) fn view(&self) -> View {
        View::of(&self.pump, self.now())
    }

    pub(crate) fn reading(&self, parameter: Parameter) -> Reading {
        let view = self.view();
        view.readings.iter().find(|shown| shown.parameter == parameter).unwrap().reading
    }

    /// The changes as (ms since the script's start, condition, transition).
    pub(crate) fn told(&self) -> Vec<(u64, String, Transition)> {
        let told = |change: &Change| {
            let ms = u64::try_from(change.at.since(self.base).as_millis()).unwrap();
            (ms, change.id.condition.to_string(), change.transition)
        };
        self.log.changes.iter().map(told).collect()
    }

    pub(crate) fn play(&mut self, script: &[(u64, Input)], until_ms: u64) {
        for (ms, input) in script {
            self.run_until(*ms);
            self.apply(input);
        }
        self.run_until(until_ms);
    }
}

/// Plays a script of (ms, input) and compares the alarm changes with (ms, condition, transition).
#[track_caller]
pub(crate) fn check(
    script: &[(u64, Input)],
    until_ms: u64,
    expected: &[(u64, &str, Transition)],
) -> Bedside {
    let mut bedside = Bedside::new();
    bedside.play(script, until_ms);
    let expected: Vec<_> =
        expected.iter().map(|(ms, name, transition)| (*ms, (*name).into(), *transition)).collect();
    assert_eq!(bedside.told(), expected);
    bedside
}
