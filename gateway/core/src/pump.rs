//! What is known of one pump: its agent's run, its link, its channels, its alarms. Everything that happens to it comes in here.

mod words;

use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

use crate::alarm::occurrence::{Occurrence, OccurrenceId};
use crate::alarm::rule::{Condition, Priority, Rules};
use crate::alarm::{Absence, AcknowledgeError, Alarms, Moment, Output};
use crate::channel::{Channel, ChannelSpec, Declared, Sample, SensorVerdict};
use crate::frame::{BootId, Frame};
use crate::parameter::Parameter;
use crate::reading::{NoData, Reading};
use crate::sequence::{Offer, Sequence};
use crate::time::{ClockMap, Instant, SampleTime};

pub use words::{BirthRefusal, Counters, Link, Presence, PumpState, Refusal};

/// Runs of an agent that are remembered after a newer one; an old one that comes back betrays a second agent.
const SUPERSEDED_MAX: usize = 4;

/// Below this speed a pump does not turn, in revolutions a minute (clinical reference, C1).
pub const TURNING_RPM_MIN: f32 = 100.0;

/// Above this speed a pump has certainly been at work, in revolutions a minute (clinical reference, C1).
const AT_WORK_RPM_MIN: f32 = 300.0;

/// A jump of the agent's wall clock by more than this against its monotonic clock is a step, in nanoseconds.
const CLOCK_STEP_NANOS_MIN: u64 = 250_000_000;

/// How long frames of the last run may trickle in after a new birth before they betray a second agent.
const HANDOVER: Duration = Duration::from_secs(1);

/// One pump.
#[derive(Debug)]
pub struct Pump {
    alarms: Alarms,
    sequence: Sequence,
    clock: ClockMap,
    channels: [Channel; Parameter::COUNT],
    boot: Option<BootId>,
    boot_since: Instant,
    superseded: [Option<BootId>; SUPERSEDED_MAX],
    /// Reader's time of the freshest data; before the first frame, when one could first be expected.
    fresh_at: Instant,
    seen: bool,
    silent: bool,
    presence: Presence,
    presence_at: Instant,
    recovering_since: Option<Instant>,
    duplicate_at: Option<Instant>,
    at_work: bool,
    wall_minus_mono: Option<i128>,
    boots: u64,
    clock_steps: u64,
    dropouts: u64,
}

impl Pump {
    /// A pump from which data is expected from now on; a missing frame is waited for no longer than `window`.
    #[must_use]
    pub fn new(rules: Arc<Rules>, window: Duration, now: Instant) -> Self {
        Self {
            alarms: Alarms::new(rules),
            sequence: Sequence::new(window),
            clock: ClockMap::default(),
            channels: [Channel::default(); Parameter::COUNT],
            boot: None,
            boot_since: now,
            superseded: [None; SUPERSEDED_MAX],
            fresh_at: now,
            seen: false,
            silent: false,
            presence: Presence::Online,
            presence_at: now,
            recovering_since: None,
            duplicate_at: None,
            at_work: false,
            wall_minus_mono: None,
            boots: 0,
            clock_steps: 0,
            dropouts: 0,
        }
    }

    /// Takes a birth: who publishes, and which channels. `retained` tells that the broker repeated an old message.
    ///
    /// # Errors
    /// The birth is of a run that a newer one has superseded: a second agent, or a message from the past.
    pub fn on_birth(
        &mut self,
        boot: BootId,
        channels: &[ChannelSpec],
        retained: bool,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), BirthRefusal> {
        if self.boot != Some(boot) {
            if self.superseded.contains(&Some(boot)) {
                if !retained {
                    self.second_agent(now, out);
                }
                if retained || self.is_live(now) {
                    return Err(BirthRefusal::Superseded);
                }
            }
            self.restart(boot, now, out);
        }
        self.presence = Presence::Online;
        for (parameter, channel) in Parameter::ALL.iter().zip(&mut self.channels) {
            let spec = channels.iter().find(|spec| spec.parameter == *parameter);
            if channel.declare(spec, now) == Declared::Gone {
                self.alarms.data_lost(Some(*parameter), now, out);
            }
        }
        Ok(())
    }

    fn restart(&mut self, boot: BootId, now: Instant, out: &mut impl Output) {
        while let Some(frame) = self.sequence.take_held() {
            self.evaluate(&frame, now, out);
            self.sequence.give_back(frame);
        }
        if let Some(old) = self.boot.replace(boot) {
            self.superseded.rotate_right(1);
            if let Some(slot) = self.superseded.first_mut() {
                *slot = Some(old);
            }
        }
        self.boot_since = now;
        self.boots += 1;
        self.sequence.restart();
        self.clock = ClockMap::default();
        self.wall_minus_mono = None;
        self.alarms.restart();
        self.channels.iter_mut().for_each(Channel::restart);
    }

    /// Takes a status; one of another run says nothing.
    pub fn on_status(&mut self, boot: BootId, presence: Presence, now: Instant) {
        if self.boot == Some(boot) {
            self.presence = presence;
            self.presence_at = now;
        }
    }

    /// Takes a frame: evaluates it in its place and once, or counts why not.
    ///
    /// # Errors
    /// There is no birth for it, or it is of another run.
    pub fn on_frame(
        &mut self,
        frame: &Frame,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), Refusal> {
        match self.boot {
            None => return Err(Refusal::NoBirth),
            Some(boot) if boot == frame.boot => {}
            Some(_) if self.superseded.contains(&Some(frame.boot)) => {
                if now.since(self.boot_since) > HANDOVER {
                    self.second_agent(now, out);
                }
                return Err(Refusal::Boot);
            }
            Some(_) => return Err(Refusal::NoBirth),
        }
        self.clock.observe(frame.stamp.published, now);
        // What fell due by waiting comes before what arrives.
        self.evaluate_due(now, out);
        match self.sequence.offer(frame) {
            Offer::Due => {
                self.refresh(frame, now, out);
                self.evaluate(frame, now, out);
                self.evaluate_due(now, out);
            }
            Offer::Held => self.refresh(frame, now, out),
            // What was here before proves nothing about now.
            Offer::Duplicate | Offer::Late => {}
        }
        Ok(())
    }

    /// Notices silence, and gives up what was waited for too long. To be called no later than [`Pump::next_deadline`].
    pub fn on_tick(&mut self, now: Instant, out: &mut impl Output) {
        self.evaluate_due(now, out);
        if now >= self.silence_deadline() && !self.silent {
            self.fall_silent(now, out);
        }
        if self.is_live(now) {
            self.check_channels(now, out);
        }
        if self.duplicate_deadline().is_some_and(|deadline| now >= deadline) {
            self.duplicate_at = None;
            self.alarms.clear(Condition::SOURCE_DUPLICATE, now, None, out);
        }
    }

    /// When [`Pump::on_tick`] has something to do if nothing arrives before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let silence = (!self.silent).then(|| self.silence_deadline());
        let rules = &self.alarms.rules().silence;
        let channels = self.channels.iter().filter_map(|channel| channel.deadline(rules));
        let channels = channels.min().filter(|_| !self.silent && self.seen);
        [silence, channels, self.sequence.deadline(), self.duplicate_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Acknowledges an occurrence as far as it was shown.
    ///
    /// # Errors
    /// It has ended, or changed since the revision named.
    pub fn acknowledge(
        &mut self,
        id: &OccurrenceId,
        revision: u32,
        by: String,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), AcknowledgeError> {
        self.alarms.acknowledge(id, revision, by, now, out)
    }

    fn silence_deadline(&self) -> Instant {
        let rules = &self.alarms.rules().silence;
        self.fresh_at.plus(match self.presence {
            Presence::Online => rules.frame,
            Presence::Offline | Presence::Stopped => rules.frame_after_hint,
        })
    }

    fn duplicate_deadline(&self) -> Option<Instant> {
        // While the present run is silent, nothing says that the other one has gone.
        let seen = self.duplicate_at.filter(|_seen| !self.silent)?;
        Some(seen.plus(self.alarms.rules().silence.duplicate_clear))
    }

    fn is_live(&self, now: Instant) -> bool {
        // A silence that was told ends with a fresh frame, not with a word that moves its deadline.
        self.seen && !self.silent && now < self.silence_deadline()
    }

    /// A new frame has arrived; it counts as life only as far as its data is fresh.
    fn refresh(&mut self, frame: &Frame, now: Instant, out: &mut impl Output) {
        let published_at = self.clock.to_reader(frame.stamp.published, now);
        if !self.seen {
            self.channels.iter_mut().for_each(|channel| channel.expect_from(now));
        }
        self.fresh_at = if self.seen { self.fresh_at.max(published_at) } else { published_at };
        self.seen = true;
        let rules = self.alarms.rules().silence;
        if now.since(self.fresh_at) >= rules.frame {
            return;
        }
        // A live frame refutes a hint that the agent is gone: the will of an old connection may come late. But not at
        // once: the last frames before the end may come after the word about it.
        if now.since(self.presence_at) >= rules.frame_after_hint {
            self.presence = Presence::Online;
        }
        if self.silent {
            self.silent = false;
            self.recovering_since = Some(now);
            self.channels.iter_mut().for_each(|channel| channel.withdraw(now));
        }
        if self.recovering_since.is_some_and(|since| now.since(since) >= rules.frame_clear) {
            self.recovering_since = None;
            self.alarms.clear(Condition::COMM_STALE, now, None, out);
        }
        let mono = i128::from(frame.stamp.published.as_nanos());
        let difference = i128::from(frame.stamp.published_wall_ns) - mono;
        if let Some(before) = self.wall_minus_mono.replace(difference)
            && before.abs_diff(difference) > u128::from(CLOCK_STEP_NANOS_MIN)
        {
            self.clock_steps += 1;
        }
    }

    fn fall_silent(&mut self, now: Instant, out: &mut impl Output) {
        self.silent = true;
        self.recovering_since = None;
        self.dropouts += u64::from(self.seen);
        let absence = Absence {
            id: OccurrenceId {
                condition: Condition::COMM_STALE,
                boot: self.boot,
                onset: self.sequence.newest().unwrap_or(0),
            },
            priority: Priority::High,
            parameter: None,
            no_data: None,
            onset_at: self.fresh_at,
        };
        self.alarms.raise_absence(absence, now, out);
        self.alarms.data_lost(None, now, out);
    }

    fn second_agent(&mut self, now: Instant, out: &mut impl Output) {
        self.duplicate_at = Some(now);
        let absence = Absence {
            id: OccurrenceId {
                condition: Condition::SOURCE_DUPLICATE,
                boot: self.boot,
                onset: self.sequence.newest().unwrap_or(0),
            },
            priority: Priority::High,
            parameter: None,
            no_data: None,
            onset_at: now,
        };
        self.alarms.raise_absence(absence, now, out);
    }

    fn check_channels(&mut self, now: Instant, out: &mut impl Output) {
        let rules = self.alarms.rules().silence;
        for (parameter, channel) in Parameter::ALL.iter().zip(&mut self.channels) {
            let verdict = channel.on_tick(now, &rules);
            sensor_verdict(&mut self.alarms, *parameter, verdict, self.boot, now, out);
        }
    }

    fn evaluate_due(&mut self, now: Instant, out: &mut impl Output) {
        while let Some(frame) = self.sequence.take_due(now) {
            self.evaluate(&frame, now, out);
            self.sequence.give_back(frame);
        }
    }

    fn evaluate(&mut self, frame: &Frame, now: Instant, out: &mut impl Output) {
        for (block, readings) in frame.blocks() {
            for (position, reading) in readings.iter().enumerate() {
                // Nothing is sampled after it was published; a time from the future would hold up every delay.
                let sampled = block.time_of(position).min(frame.stamp.published);
                self.evaluate_reading(frame, block.parameter, *reading, sampled, now, out);
            }
        }
        out.evaluated(frame, &self.clock);
    }

    fn evaluate_reading(
        &mut self,
        frame: &Frame,
        parameter: Parameter,
        reading: Reading,
        sampled: SampleTime,
        now: Instant,
        out: &mut impl Output,
    ) {
        let rules = &self.alarms.rules().silence;
        let Some(channel) = self.channels.get_mut(parameter.index()) else { return };
        let sampled_at = self.clock.to_reader(sampled, now);
        // A sample that was old when it was published is judged, but it does not say how things are.
        let published = frame.stamp.published;
        let is_old = channel.is_old(published.since(sampled), rules);
        let sample = if is_old {
            Sample { reading: Reading::NoData(NoData::Stale), sampled: published, sampled_at }
        } else {
            Sample { reading, sampled, sampled_at }
        };
        let verdict = channel.on_sample(sample, now, rules);
        let has_failed = channel.has_failed();
        if parameter == Parameter::PumpSpeed {
            self.at_work |= reading.value().is_some_and(|rpm| rpm > AT_WORK_RPM_MIN);
        }
        let moment = Moment {
            boot: frame.boot,
            stamp: frame.stamp,
            now,
            clock: &self.clock,
            fresh: !is_old && !self.silent && !has_failed,
            running: matches!(self.state(), PumpState::Running | PumpState::Unknown),
            meant_to_run: self.is_meant_to_run(),
        };
        let boot = Some(frame.boot);
        sensor_verdict(&mut self.alarms, parameter, verdict, boot, now, out);
        self.alarms.on_reading(parameter, reading, sampled, &moment, out);
    }

    fn channel_value(&self, parameter: Parameter) -> Option<f32> {
        self.channels.get(parameter.index()).and_then(Channel::value)
    }

    /// By the last set speed that is known: that it is not known now is no sign that the pump may stand, and where it
    /// never was, a pump that stands may be one that stopped before anybody looked.
    fn is_meant_to_run(&self) -> bool {
        let set = self.channels.get(Parameter::PumpSpeedSet.index()).and_then(Channel::last_value);
        self.at_work || set.is_none_or(|(rpm, _taken_at)| rpm > 0.0)
    }

    /// Whether the pump turns, as far as its data says.
    #[must_use]
    pub fn state(&self) -> PumpState {
        match self.channel_value(Parameter::PumpSpeed) {
            None => PumpState::Unknown,
            Some(rpm) if rpm >= TURNING_RPM_MIN => PumpState::Running,
            Some(_) if self.is_meant_to_run() => PumpState::Stopped,
            Some(_) => PumpState::Standby,
        }
    }

    /// Whether data arrives.
    #[must_use]
    pub fn link(&self, now: Instant) -> Link {
        if self.is_live(now) {
            Link::Live
        } else if self.presence == Presence::Stopped {
            Link::Stopped
        } else if self.seen {
            Link::Silent
        } else {
            Link::NeverSeen
        }
    }

    /// The agent's present run.
    #[must_use]
    pub const fn boot(&self) -> Option<BootId> {
        self.boot
    }

    /// Every occurrence that has not ended.
    #[must_use]
    pub fn alarms(&self) -> &[Occurrence] {
        self.alarms.active()
    }

    /// When the freshest data was published, by the reader's clock; `None` before the first frame.
    #[must_use]
    pub fn fresh_at(&self) -> Option<Instant> {
        self.seen.then_some(self.fresh_at)
    }

    /// The agent's clock on the reader's.
    #[must_use]
    pub const fn clock(&self) -> &ClockMap {
        &self.clock
    }

    /// Counts since the pump is known.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        Counters {
            frames: self.sequence.counters,
            boots: self.boots,
            clock_steps: self.clock_steps,
            dropouts: self.dropouts,
        }
    }

    /// The channels that are known, in the order of display.
    pub(crate) fn channels(&self) -> impl Iterator<Item = (Parameter, &Channel)> {
        Parameter::ALL
            .iter()
            .copied()
            .zip(&self.channels)
            .filter(|(_parameter, channel)| channel.is_known())
    }
}

/// Turns what is said about a sensor into an alarm or its end.
fn sensor_verdict(
    alarms: &mut Alarms,
    parameter: Parameter,
    verdict: SensorVerdict,
    boot: Option<BootId>,
    now: Instant,
    out: &mut impl Output,
) {
    let condition = Condition::sensor_fault(parameter);
    match verdict {
        SensorVerdict::Unchanged => {}
        SensorVerdict::Relapsed => alarms.data_lost(Some(parameter), now, out),
        SensorVerdict::Works => alarms.clear(condition, now, None, out),
        SensorVerdict::Failed { no_data, onset, onset_at } => {
            let absence = Absence {
                id: OccurrenceId { condition, boot, onset: SampleTime::as_nanos(onset) },
                priority: Rules::sensor_fault_priority(parameter),
                parameter: Some(parameter),
                no_data: Some(no_data),
                onset_at,
            };
            alarms.raise_absence(absence, now, out);
            alarms.data_lost(Some(parameter), now, out);
        }
    }
}
