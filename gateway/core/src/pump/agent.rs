//! What the agent says of itself beside its frames: that it lives, whether it records, where its clock lies.

use core::time::Duration;

use super::Pump;
use crate::alarm::condition::{Condition, Priority};
use crate::alarm::{Absence, Output};
use crate::clock_estimate::{ClockEstimate, ProbeRefusal, ProbeTimes};
use crate::frame::BootId;
use crate::path::Path;
use crate::time::{Instant, SampleTime};

/// An agent that sends heartbeats and no frame for this long does not sample.
pub const NOT_SAMPLING_AFTER: Duration = Duration::from_secs(1);

/// Heartbeats come each second, and twice in it while the agent is probed. After a longer pause the way to the agent was
/// interrupted: the first heartbeat may come before the first frame, and proves nothing about frames that could not come.
const INTERRUPTED_AFTER: Duration = Duration::from_secs(2);

/// A spool that does not record for this long is told, and one that records for this long is well again (own proposal).
pub const NOT_RECORDING_AFTER: Duration = Duration::from_secs(5);
/// Time of recording until the notice ends.
pub const RECORDING_FOR: Duration = Duration::from_secs(10);

/// Data that may be older than it looks by more than this is not known to be fresh (prop): half of the age up to which a display
/// shows a value as one of now.
pub const AGE_ERROR_MAX: Duration = Duration::from_millis(750);

/// An agent that has answered no probe since the start of the reader, and whose frames have come fresh for so long without a
/// break, is one that answers none (prop): an agent is probed twice a second.
pub const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// What an agent says of its spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpoolWord {
    /// It has none.
    Absent,
    /// Every frame is kept.
    Records,
    /// It is full, it fails, or it is behind.
    DoesNot,
}

/// What the heartbeats have told.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct AgentWord {
    not_sampling: bool,
    /// The last heartbeat, and the first of those that have come without a pause.
    heard: Option<(Instant, Instant)>,
    /// Since when it records, or does not, without a word to the contrary.
    spool: Option<(bool, Instant)>,
    not_recording: bool,
    pub(super) estimate: ClockEstimate,
    /// Whether a probe was ever answered, in this run or another: then answers are expected.
    answers: bool,
    /// Since when frames have come fresh without a break, as far as that is known.
    pub(super) fresh_since: Option<Instant>,
    /// Agent's wall clock less the reader's, in nanoseconds.
    pub(super) wall_difference: Option<i128>,
    /// As it was told last: it takes a regression.
    pub(super) drift_ppm: Option<f64>,
}

impl AgentWord {
    /// The agent did not sample before a restart of the reader.
    pub(super) const fn resume_not_sampling(&mut self) {
        self.not_sampling = true;
    }

    /// The agent did not record before a restart of the reader.
    pub(super) const fn resume_not_recording(&mut self) {
        self.not_recording = true;
    }
}

impl Pump {
    /// Takes a heartbeat; one of another run says nothing.
    pub fn on_heartbeat(
        &mut self,
        boot: BootId,
        spool: SpoolWord,
        now: Instant,
        out: &mut impl Output,
    ) {
        if self.boot != Some(boot) {
            return;
        }
        let frame_at = Path::ALL.into_iter().filter_map(|path| self.redundancy.heard(path)).max();
        let since = match self.agent.heard {
            Some((last, since)) if now.since(last) <= INTERRUPTED_AFTER => since,
            Some(_) | None => now,
        };
        self.agent.heard = Some((now, since));
        let frame_at = frame_at.unwrap_or(self.boot_since).max(self.boot_since).max(since);
        if now.since(frame_at) > NOT_SAMPLING_AFTER {
            self.agent.not_sampling = true;
            self.notice(Condition::AGENT_NOT_SAMPLING, Priority::Medium, frame_at, now, out);
        }
        self.on_spool(spool, now, out);
    }

    fn on_spool(&mut self, spool: SpoolWord, now: Instant, out: &mut impl Output) {
        let records = match spool {
            SpoolWord::Absent => None,
            SpoolWord::Records => Some(true),
            SpoolWord::DoesNot => Some(false),
        };
        let before = self.agent.spool.filter(|(before, _since)| Some(*before) == records);
        self.agent.spool = records.map(|records| (records, before.map_or(now, |(_, since)| since)));
        match self.agent.spool {
            Some((false, since)) if now.since(since) >= NOT_RECORDING_AFTER => {
                self.agent.not_recording = true;
                self.notice(Condition::AGENT_RECORDING, Priority::Medium, since, now, out);
            }
            Some((true, since)) if now.since(since) < RECORDING_FOR => {}
            Some((false, _since)) => {}
            Some((true, _)) | None => {
                if core::mem::take(&mut self.agent.not_recording) {
                    self.alarms.clear(Condition::AGENT_RECORDING, now, out);
                }
            }
        }
    }

    /// A frame came: the agent samples.
    pub(super) fn sampling(&mut self, now: Instant, out: &mut impl Output) {
        if core::mem::take(&mut self.agent.not_sampling) {
            self.alarms.clear(Condition::AGENT_NOT_SAMPLING, now, out);
        }
    }

    /// Takes the answer to a probe of the present run.
    ///
    /// # Errors
    /// The probe does not tell where the clocks lie: see [`ClockEstimate::observe`]. One that was merely slow still tells that no
    /// frame that was published before its answer is younger than it.
    pub fn on_probe(&mut self, times: ProbeTimes, now: Instant) -> Result<(), ProbeRefusal> {
        let taken = self.agent.estimate.observe(times);
        match taken {
            Ok(()) | Err(ProbeRefusal::Slow) => {
                self.agent.answers = true;
                self.clock.observe(times.answered, times.received);
            }
            Err(ProbeRefusal::Impossible | ProbeRefusal::Contradicts) => return taken,
        }
        if let Some(offset) = self.agent.estimate.offset(now) {
            self.clock.probed(offset.offset_ns, now);
        }
        self.correct_ages(now);
        taken
    }

    /// Whether the data is known to be no older than it looks, but for [`AGE_ERROR_MAX`]. Frames alone do not tell: all of them
    /// may have waited somewhere. Only an answer of the agent does, and until there is one nobody may take the data for that of
    /// now. An agent that answers no probe at all would be doubted for ever: it is believed after [`ANSWERS_WITHIN`], unless it
    /// has answered before.
    #[must_use]
    pub fn is_age_proven(&self, now: Instant) -> bool {
        match self.agent.estimate.error_max(now) {
            Some(error) => error <= AGE_ERROR_MAX,
            None => {
                let lasts = |since: Instant| now.since(since) >= ANSWERS_WITHIN;
                !self.agent.answers && self.agent.fresh_since.is_some_and(lasts)
            }
        }
    }

    /// Where the agent's clock lies, by probes.
    #[must_use]
    pub const fn clock_estimate(&self) -> &ClockEstimate {
        &self.agent.estimate
    }

    /// What the agent's wall clock shows more than the reader's, in nanoseconds; `None` while it cannot be compared.
    #[must_use]
    pub const fn wall_difference(&self) -> Option<i128> {
        self.agent.wall_difference
    }

    /// Publish time of the newest frame of the present run that was judged, by the agent's clock.
    #[must_use]
    pub const fn judged_until(&self) -> Option<SampleTime> {
        self.judged_until
    }

    /// When the last frame came over a path, whether it was here before or not.
    #[must_use]
    pub const fn frame_at(&self, path: Path) -> Option<Instant> {
        self.redundancy.heard(path)
    }

    /// How fast the agent's clock gains, in parts per million, as of the last second.
    #[must_use]
    pub const fn drift_ppm(&self) -> Option<f64> {
        self.agent.drift_ppm
    }

    /// Whether the reader is connected to a path; `None` for one that it does not read.
    #[must_use]
    pub const fn path_connected(&self, path: Path) -> Option<bool> {
        self.redundancy.connected(path)
    }

    /// The reader's connection to a broker changed.
    pub fn on_link(&mut self, path: Path, up: bool, now: Instant) {
        self.redundancy.on_link(path, up, now);
        if !up {
            self.presences.lose(path);
        }
    }

    /// Tells that frames come over one path only, or over both again.
    pub(super) fn check_redundancy(&mut self, now: Instant, out: &mut impl Output) {
        let live = self.is_live(now);
        match self.redundancy.verdict(now, live) {
            Some(true) => {
                self.notice(Condition::COMM_REDUNDANCY_LOST, Priority::Low, now, now, out);
            }
            Some(false) => self.alarms.clear(Condition::COMM_REDUNDANCY_LOST, now, out),
            None => {}
        }
    }

    pub(super) fn notice(
        &mut self,
        condition: Condition,
        priority: Priority,
        since: Instant,
        now: Instant,
        out: &mut impl Output,
    ) {
        let absence = Absence { priority, ..self.absence(condition, since) };
        self.alarms.raise_absence(absence, now, out);
    }
}
