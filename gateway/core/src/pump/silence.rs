//! What is missing at a pump: frames, channels, the whole console; a second agent, a clock that is wrong.

use core::time::Duration;

use super::{Presence, Pump};
use crate::alarm::condition::{Condition, Priority};
use crate::alarm::occurrence::OccurrenceId;
use crate::alarm::{Absence, Output};
use crate::frame::Frame;
use crate::parameter::Parameter;
use crate::path::Path;
use crate::time::Instant;

/// A jump of the agent's wall clock by more than this against its monotonic clock is a step, in nanoseconds.
const CLOCK_STEP_NANOS_MIN: u64 = 250_000_000;

/// Since when the agent's wall clock has been wrong, and whether that was told.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Skew {
    since: Option<Instant>,
    told: bool,
}

/// A silence so soon after the end of the last one belongs to it (prop): the link flaps.
pub const FLAPPING_WITHIN: Duration = Duration::from_secs(30);

/// Frames must come for so long until the silence of a link that flaps has ended (operations reference, F6; prop).
pub const FLAPPING_CLEAR: Duration = Duration::from_secs(5);

/// When the silence of the stream ended last, and whether the present one followed at once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flapping {
    ended_at: Option<Instant>,
    flaps: bool,
    /// It was silent before a restart of the reader, and nothing has been heard or missed since.
    pub(super) restored: bool,
}

impl Skew {
    /// It was wrong before a restart of the reader.
    pub(super) const fn resume(&mut self) {
        self.told = true;
    }
}

impl Pump {
    pub(super) fn silence_deadline(&self) -> Instant {
        let rules = &self.alarms.rules().silence;
        self.fresh_at.plus(match self.presences.now() {
            Presence::Online => rules.frame,
            Presence::Offline | Presence::Stopped => rules.frame_after_hint,
        })
    }

    pub(super) fn duplicate_deadline(&self) -> Option<Instant> {
        // While the present run is silent, nothing says that the other one has gone.
        let seen = self.duplicate_at.filter(|_seen| !self.silent)?;
        Some(seen.plus(self.alarms.rules().silence.duplicate_clear))
    }

    pub(super) fn is_live(&self, now: Instant) -> bool {
        // A silence that was told ends with a fresh frame, not with a word that moves its deadline.
        self.seen && !self.silent && now < self.silence_deadline()
    }

    /// A new frame has arrived; it counts as life only as far as its data is fresh.
    pub(super) fn refresh(
        &mut self,
        path: Path,
        frame: &Frame,
        now: Instant,
        out: &mut impl Output,
    ) {
        self.sampling(now, out);
        let published_at = self.clock.to_reader(frame.stamp.published, now);
        if !self.seen {
            self.channels.iter_mut().for_each(|channel| channel.expect_from(now));
            self.redundancy.expect_from(now);
        }
        if !self.seen || published_at >= self.fresh_at {
            self.fresh_at = published_at;
            self.freshest = Some(frame.stamp.published);
        }
        self.seen = true;
        let rules = self.alarms.rules().silence;
        if now.since(self.fresh_at) >= rules.frame {
            return;
        }
        self.agent.fresh_since.get_or_insert(now);
        // A live frame refutes a hint that the agent is gone: the will of an old connection may come late. But not at
        // once: the last frames before the end may come after the word about it.
        self.presences.on_frame(path, now, rules.frame_after_hint);
        if self.silent || self.flapping.restored {
            self.silent = false;
            self.flapping.restored = false;
            self.alarms.judged(Condition::COMM_STALE, now, out);
            self.redundancy.expect_from(now);
            self.recovering_since = Some(now);
            self.channels.iter_mut().for_each(|channel| channel.withdraw(now));
        }
        if self.recovering_since.is_some_and(|since| now.since(since) >= self.frame_clear()) {
            self.recovering_since = None;
            self.flapping.ended_at = Some(now);
            self.alarms.clear(Condition::COMM_STALE, now, out);
        }
        let mono = i128::from(frame.stamp.published.as_nanos());
        let difference = i128::from(frame.stamp.published_wall_ns) - mono;
        if let Some(before) = self.wall_minus_mono.replace(difference)
            && before.abs_diff(difference) > u128::from(CLOCK_STEP_NANOS_MIN)
        {
            self.clock_steps += 1;
        }
    }

    /// A word of the agent may show that what came before it is older than it looked, because it had waited. What looks younger
    /// than it is by the time of a silence is no longer known.
    pub(super) fn correct_ages(&mut self, now: Instant) {
        let Some(difference) = self.clock.difference(now) else { return };
        let by = self.mapped_by.get_or_insert(difference);
        *by = difference.max(*by);
        let wrong_by = u128::try_from(*by - difference).unwrap_or(0);
        if wrong_by < self.alarms.rules().silence.frame.as_nanos() {
            return;
        }
        *by = difference;
        if let Some(freshest) = self.freshest.filter(|_| self.seen) {
            self.fresh_at = self.fresh_at.min(self.clock.to_reader(freshest, now));
        }
        self.channels.iter_mut().for_each(|channel| channel.withdraw(now));
    }

    /// How long frames must come until a silence has ended.
    fn frame_clear(&self) -> Duration {
        let clear = self.alarms.rules().silence.frame_clear;
        if self.flapping.flaps { clear.max(FLAPPING_CLEAR) } else { clear }
    }

    pub(super) fn fall_silent(&mut self, now: Instant, out: &mut impl Output) {
        self.silent = true;
        self.agent.fresh_since = None;
        if self.recovering_since.take().is_none() && !core::mem::take(&mut self.flapping.restored) {
            let soon = |at: Instant| now.since(at) <= FLAPPING_WITHIN;
            self.flapping.flaps = self.flapping.ended_at.is_some_and(soon);
        }
        self.dropouts += u64::from(self.seen);
        let absence = self.absence(Condition::COMM_STALE, self.fresh_at);
        self.alarms.raise_absence(absence, now, out);
        self.alarms.data_lost(None, now, out);
    }

    pub(super) fn second_agent(&mut self, now: Instant, out: &mut impl Output) {
        self.duplicate_at = Some(now);
        let absence = self.absence(Condition::SOURCE_DUPLICATE, now);
        self.alarms.raise_absence(absence, now, out);
    }

    pub(super) fn check_channels(&mut self, now: Instant, out: &mut impl Output) {
        let rules = self.alarms.rules().silence;
        if self.console_deadline().is_some_and(|deadline| now >= deadline) {
            self.console_silent = true;
            self.console_restored = false;
            let absence = self.absence(Condition::COMM_CONSOLE_SILENT, self.fresh_at);
            self.alarms.raise_absence(absence, now, out);
        }
        for (place, parameter) in Parameter::ALL.iter().enumerate() {
            let Some(channel) = self.channels.get_mut(place) else { break };
            let verdict = channel.on_tick(now, &rules);
            self.on_sensor(*parameter, verdict, now, out);
        }
    }

    /// When the console counts as silent although its agent lives: when the last of its channels does.
    pub(super) fn console_deadline(&self) -> Option<Instant> {
        let rules = &self.alarms.rules().silence;
        let unknown = !self.console_silent || self.console_restored;
        let watched = self.seen && !self.silent && unknown;
        let deadlines = self.declared().filter_map(|channel| channel.console_deadline(rules));
        deadlines.max().filter(|_deadline| watched)
    }

    /// Something was read: the console speaks.
    pub(super) fn console_speaks(&mut self, now: Instant, out: &mut impl Output) {
        if core::mem::take(&mut self.console_silent) {
            self.console_restored = false;
            self.alarms.clear(Condition::COMM_CONSOLE_SILENT, now, out);
        }
    }

    /// Compares the agent's wall clock with the reader's, `wall_ns` since 1970. To be called about once a second.
    pub fn on_wall_clock(&mut self, wall_ns: i64, now: Instant, out: &mut impl Output) {
        let rules = self.alarms.rules().silence;
        if self.agent.estimate.take_new_points() {
            self.agent.drift_ppm = self.agent.estimate.drift_ppm();
        }
        let Some(minus_mono) = self.wall_minus_mono.filter(|_| self.is_live(now)) else {
            // What cannot be compared says nothing: an alarm stays, and nothing new begins.
            self.skew.since = None;
            self.agent.wall_difference = None;
            return;
        };
        let agents = self.clock.to_agent(now).map(|mono| i128::from(mono.as_nanos()) + minus_mono);
        self.agent.wall_difference = agents.map(|agents| agents - i128::from(wall_ns));
        let Some(difference) = self.agent.wall_difference.map(i128::unsigned_abs) else {
            return;
        };
        let (low, medium) = (rules.skew.0.as_nanos(), rules.skew.1.as_nanos());
        let priority = match difference {
            over if over > medium => Some(Priority::Medium),
            over if over > low => Some(Priority::Low),
            _ => None,
        };
        let lasting = match (priority, self.skew.since) {
            (None, _) => {
                self.skew.since = None;
                if core::mem::take(&mut self.skew.told) {
                    self.alarms.clear(Condition::CLOCK_SKEW, now, out);
                }
                return;
            }
            (Some(_), None) => {
                self.skew.since = Some(now);
                now
            }
            (Some(_), Some(since)) => since,
        };
        let Some(priority) = priority.filter(|_| now.since(lasting) >= rules.skew_delay) else {
            return;
        };
        self.skew.told = true;
        let absence = Absence { priority, ..self.absence(Condition::CLOCK_SKEW, lasting) };
        self.alarms.raise_absence(absence, now, out);
    }

    /// Something was found afterwards in frames that had not arrived in time: a notice that stays until somebody has seen it.
    pub fn on_missed(&mut self, now: Instant, out: &mut impl Output) {
        let absence =
            Absence { priority: Priority::Low, ..self.absence(Condition::ALARM_MISSED, now) };
        self.alarms.notice(absence, now, out);
    }

    /// Where nothing of the run was judged there is no frame that names the onset, and the reader's time does: one that begins
    /// after another has ended must not have its name, or what a person did about that one would be taken for this one.
    pub(super) fn absence(&self, condition: Condition, onset_at: Instant) -> Absence {
        let onset = self.sequence.newest().unwrap_or_else(|| onset_at.as_nanos());
        Absence {
            id: OccurrenceId { condition, boot: self.boot, onset },
            priority: Priority::High,
            parameter: None,
            no_data: None,
            onset_at,
        }
    }
}
