//! What is known of one pump: its agent's run, its link, its channels, its alarms. Everything that happens to it comes in here.

mod words;

mod redundancy;

mod rate;

mod damaged;

mod agent;

mod silence;

mod judge;

mod people;

pub mod ownership;

mod kept;

mod verdict;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::alarm::condition::Condition;
use crate::alarm::occurrence::Occurrence;
use crate::alarm::profile::Profile;
use crate::alarm::treatment::Treatment;
use crate::alarm::{Alarms, Output};
use crate::case::PumpKind;
use crate::channel::{Channel, ChannelSpec, Declared};
use crate::clock_estimate::ClockEstimate;
use crate::damage::Damage;
use crate::frame::{BootId, Frame};
use crate::parameter::Parameter;
use crate::path::Path;
use crate::plausibility::{Doubt, Plausibility};
use crate::reconcile::{Difference, Reconciler};
use crate::sequence::{Offer, Sequence};
use crate::signal::Signals;
use crate::time::{ClockMap, Instant, SampleTime};

use agent::AgentWord;
use ownership::Ownership;
use rate::Rates;
use redundancy::{Presences, Redundancy};
use silence::{Flapping, Skew};

pub use agent::{
    AGE_ERROR_MAX, ANSWERS_WITHIN, NOT_RECORDING_AFTER, NOT_SAMPLING_AFTER, RECORDING_FOR,
    SpoolWord,
};
pub use kept::Kept;
pub use redundancy::{PATH_LOST_AFTER, PATHS_WHOLE_FOR};
pub use silence::{FLAPPING_CLEAR, FLAPPING_WITHIN};
pub use verdict::ToldDifference;
pub use words::{BirthRefusal, BirthWord, Counters, Link, Presence, PumpState, Refusal};

/// Runs of an agent that are remembered after a newer one; an old one that comes back betrays a second agent.
const SUPERSEDED_MAX: usize = 4;

/// Below this speed a pump does not turn, in revolutions a minute: a centrifugal one, or of unknown kind (clinical reference,
/// C1), and a roller, which turns 0 to 250 times a minute (own, after section 1.1).
pub const TURNING_RPM_MIN: (f32, f32) = (100.0, 2.0);

/// Above this speed a pump has certainly been at work, in revolutions a minute: centrifugal or of unknown kind, roller.
const AT_WORK_RPM_MIN: (f32, f32) = (300.0, 10.0);

/// How long frames of the last run may trickle in after a new birth before they betray a second agent.
const HANDOVER: Duration = Duration::from_secs(1);

/// One pump.
#[derive(Debug)]
pub struct Pump {
    profile: Arc<Profile>,
    treatment: Treatment,
    /// What drives the blood, as the birth says; the case goes before it.
    birth_kind: Option<PumpKind>,
    alarms: Alarms,
    signals: Signals,
    plausibility: Plausibility,
    /// What is told of each sensor's plausibility.
    doubts: [Option<Doubt>; Parameter::COUNT],
    sequence: Sequence,
    clock: ClockMap,
    channels: [Channel; Parameter::COUNT],
    /// Places of the declared ones: no other has a deadline, and deadlines are asked for at every event.
    declared: Vec<usize>,
    boot: Option<BootId>,
    boot_since: Instant,
    superseded: [Option<BootId>; SUPERSEDED_MAX],
    /// Reader's time of the freshest data; before the first frame, when one could first be expected.
    fresh_at: Instant,
    /// When it was published, by the agent's clock, if it is of the present run.
    freshest: Option<SampleTime>,
    /// The greatest difference of the clocks by which times of data that is still known were mapped.
    mapped_by: Option<i128>,
    seen: bool,
    silent: bool,
    presences: Presences,
    redundancy: Redundancy,
    rates: Rates,
    agent: AgentWord,
    reconciler: Reconciler,
    ownership: Arc<Ownership>,
    /// What one side alone found in frames that had not arrived in time, the last of it.
    differed: Option<Difference>,
    boot_number: u64,
    /// Publish times of the first frame of the run that was judged, and of the newest.
    judged_from: Option<SampleTime>,
    judged_until: Option<SampleTime>,
    recovering_since: Option<Instant>,
    duplicate_at: Option<Instant>,
    damage: Damage,
    at_work: bool,
    /// Whether it turns and ought to, as the newest reading of its speeds says.
    running: bool,
    meant_to_run: bool,
    console_silent: bool,
    console_restored: bool,
    flapping: Flapping,
    skew: Skew,
    wall_minus_mono: Option<i128>,
    boots: u64,
    clock_steps: u64,
    dropouts: u64,
}

impl Pump {
    /// A pump from which data is expected from now on; a missing frame is waited for no longer than `window`.
    #[must_use]
    pub fn new(profile: Arc<Profile>, window: Duration, now: Instant) -> Self {
        let treatment = Treatment::default();
        let rules = Arc::new(profile.resolve(&treatment));
        Self {
            profile,
            treatment,
            birth_kind: None,
            alarms: Alarms::new(rules, now),
            signals: Signals::new(),
            plausibility: Plausibility::new(),
            doubts: [None; Parameter::COUNT],
            sequence: Sequence::new(window),
            clock: ClockMap::default(),
            channels: [Channel::default(); Parameter::COUNT],
            declared: Vec::new(),
            boot: None,
            boot_since: now,
            superseded: [None; SUPERSEDED_MAX],
            fresh_at: now,
            freshest: None,
            mapped_by: None,
            seen: false,
            silent: false,
            presences: Presences::default(),
            redundancy: Redundancy::new(now),
            rates: Rates::new(),
            agent: AgentWord::default(),
            reconciler: Reconciler::default(),
            ownership: Arc::default(),
            differed: None,
            boot_number: 0,
            judged_from: None,
            judged_until: None,
            recovering_since: None,
            duplicate_at: None,
            damage: Damage::default(),
            at_work: false,
            running: false,
            meant_to_run: false,
            console_silent: false,
            console_restored: false,
            flapping: Flapping::default(),
            skew: Skew::default(),
            wall_minus_mono: None,
            boots: 0,
            clock_steps: 0,
            dropouts: 0,
        }
    }

    /// Takes a birth that came over the first path, of an agent that says nothing of paths and runs: see
    /// [`Pump::on_birth_word`].
    ///
    /// # Errors
    /// See there.
    pub fn on_birth(
        &mut self,
        boot: BootId,
        channels: &[ChannelSpec],
        kind: Option<PumpKind>,
        retained: bool,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), BirthRefusal> {
        let word = BirthWord { boot, boot_number: 0, paths: 0, channels, kind, retained };
        self.on_birth_word(&word, Path::A, now, out)
    }

    /// Takes a birth: who publishes, which channels, on what kind of pump if it says so.
    ///
    /// A run that is known is not given up for a message that a broker had kept: one of two brokers may have slept through
    /// the newest birth. Such a birth, and one whose number says that it is older, waits until a frame of its run comes;
    /// then it is to be handed in again as not retained.
    ///
    /// # Errors
    /// The birth is of a run that a newer one has superseded, or it must be proven by a frame.
    pub fn on_birth_word(
        &mut self,
        word: &BirthWord<'_>,
        path: Path,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), BirthRefusal> {
        let BirthWord { boot, retained, channels, kind, .. } = *word;
        if self.boot != Some(boot) {
            if self.superseded.contains(&Some(boot)) {
                if !retained {
                    self.second_agent(now, out);
                }
                if retained || self.is_live(now) {
                    return Err(BirthRefusal::Superseded);
                }
            }
            let is_older = word.boot_number > 0 && word.boot_number < self.boot_number;
            if self.boot.is_some() && retained {
                return Err(BirthRefusal::Unproven);
            }
            if is_older && self.is_live(now) {
                self.second_agent(now, out);
                return Err(BirthRefusal::Unproven);
            }
            self.restart(boot, now, out);
        }
        self.boot_number = word.boot_number;
        self.presences.say(path, Presence::Online, now);
        self.redundancy.expect(word.paths);
        for (parameter, channel) in Parameter::ALL.iter().zip(&mut self.channels) {
            let spec = channels.iter().find(|spec| spec.parameter == *parameter);
            self.signals.declare(*parameter, spec.map(|spec| spec.interval));
            let declared = channel.declare(spec, now);
            if declared == Declared::Gone {
                self.alarms.data_lost(Some(*parameter), now, out);
            }
            if declared != Declared::Present {
                self.rates.forget(*parameter);
            }
            if channel.forget_fault() {
                self.alarms.orphan(Condition::sensor_fault(*parameter));
            }
        }
        let channels = self.channels.iter().enumerate();
        let declared = channels.filter(|(_place, channel)| channel.is_declared());
        self.declared = declared.map(|(place, _channel)| place).collect();
        if self.birth_kind != kind {
            self.birth_kind = kind;
            self.apply_treatment(now, out);
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
        (self.freshest, self.mapped_by) = (None, None);
        self.agent.fresh_since = None;
        self.wall_minus_mono = None;
        self.alarms.restart();
        self.signals.restart();
        self.plausibility = Plausibility::new();
        self.channels.iter_mut().for_each(Channel::restart);
        self.presences.restart();
        self.redundancy.restart(now);
        self.rates.restart();
        self.agent.estimate = ClockEstimate::default();
        self.agent.drift_ppm = None;
        (self.judged_from, self.judged_until) = (None, None);
    }

    /// Takes a status that came over the first path: see [`Pump::on_status_from`].
    pub fn on_status(&mut self, boot: BootId, presence: Presence, now: Instant) {
        self.on_status_from(Path::A, boot, presence, now);
    }

    /// Takes a status; one of another run says nothing, and that the agent is gone from one path says nothing of the other.
    pub fn on_status_from(&mut self, path: Path, boot: BootId, presence: Presence, now: Instant) {
        if self.boot == Some(boot) {
            self.presences.say(path, presence, now);
        }
    }

    /// Takes a frame that came over the first path: see [`Pump::on_frame_from`].
    ///
    /// # Errors
    /// See there.
    pub fn on_frame(
        &mut self,
        frame: &Frame,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), Refusal> {
        self.on_frame_from(Path::A, frame, now, out)
    }

    /// Takes a frame: evaluates it in its place and once, or counts why not.
    ///
    /// # Errors
    /// There is no birth for it, or it is of another run.
    pub fn on_frame_from(
        &mut self,
        path: Path,
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
        self.correct_ages(now);
        self.redundancy.on_frame(path, now);
        // What fell due by waiting comes before what arrives.
        self.evaluate_due(now, out);
        match self.sequence.offer(frame) {
            Offer::Due => {
                self.refresh(path, frame, now, out);
                self.evaluate(frame, now, out);
                self.evaluate_due(now, out);
            }
            Offer::Held => self.refresh(path, frame, now, out),
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
            self.alarms.clear(Condition::SOURCE_DUPLICATE, now, out);
        }
        self.check_damage(now, out);
        self.check_redundancy(now, out);
        self.expire_contexts(now, out);
        self.lapse_offer(now, out);
        self.alarms.on_tick(now, out);
    }

    /// When [`Pump::on_tick`] has something to do if nothing arrives before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let silence = (!self.silent).then(|| self.silence_deadline());
        let rules = &self.alarms.rules().silence;
        let channels = self.declared().filter_map(|channel| channel.deadline(rules));
        let channels = channels.min().filter(|_| !self.silent && self.seen);
        let deadlines = [
            silence,
            channels,
            self.console_deadline(),
            self.sequence.deadline(),
            self.duplicate_deadline(),
            self.damage.deadline(),
            self.redundancy.deadline(self.seen && !self.silent),
            self.treatment.next_expiry(),
            self.offer_deadline(),
            self.alarms.next_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    fn declared(&self) -> impl Iterator<Item = &Channel> {
        self.declared.iter().filter_map(|place| self.channels.get(*place))
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

    /// The number for the kind of the pump, of a pair for centrifugal or unknown, and roller.
    fn by_kind(&self, (other, roller): (f32, f32)) -> f32 {
        if self.case().pump_kind == Some(PumpKind::Roller) { roller } else { other }
    }

    /// Whether rules that hold while the pump turns hold now. A pump whose kind nobody has said may be a roller: it turns
    /// when it turns at all.
    fn is_running(&self) -> bool {
        let slow = self.case().pump_kind.is_none()
            && self.channel_value(Parameter::PumpSpeed).is_some_and(|rpm| rpm >= TURNING_RPM_MIN.1);
        slow || matches!(self.state(), PumpState::Running | PumpState::Unknown)
    }

    /// Whether the pump turns, as far as its data says.
    #[must_use]
    pub fn state(&self) -> PumpState {
        match self.channel_value(Parameter::PumpSpeed) {
            None => PumpState::Unknown,
            Some(rpm) if rpm >= self.by_kind(TURNING_RPM_MIN) => PumpState::Running,
            Some(_) if self.is_meant_to_run() => PumpState::Stopped,
            Some(_) => PumpState::Standby,
        }
    }

    /// Whether data arrives.
    #[must_use]
    pub fn link(&self, now: Instant) -> Link {
        if self.is_live(now) {
            Link::Live
        } else if self.presences.now() == Presence::Stopped {
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
