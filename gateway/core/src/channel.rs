//! What is known of one channel: its newest reading, its last value, and whether its sensor has failed.

use core::time::Duration;

use crate::alarm::Streak;
use crate::alarm::rule::SilenceRules;
use crate::parameter::Parameter;
use crate::reading::{NoData, Reading};
use crate::time::{Instant, SampleTime};

/// A channel as its birth declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelSpec {
    /// What it measures.
    pub parameter: Parameter,
    /// Nominal time between samples; `None` for a channel that is sent on change only.
    pub interval: Option<Duration>,
}

/// A sample with its times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// What was read.
    pub reading: Reading,
    /// When, by the agent's clock.
    pub sampled: SampleTime,
    /// When, by the reader's clock.
    pub sampled_at: Instant,
}

/// What a reading or a silence says about the sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SensorVerdict {
    /// Nothing changed.
    Unchanged,
    /// The sensor has failed since the onset; it has none of its own if nothing was ever read.
    Failed { no_data: NoData, onset: Option<SampleTime>, onset_at: Instant },
    /// The sensor had failed, has given something since, and gives nothing again.
    Relapsed,
    /// The sensor works again.
    Works,
}

/// What a birth means for a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declared {
    /// The birth has it.
    Present,
    /// The birth before had it, this one has not.
    Gone,
    /// Neither this birth nor the one before has it.
    Absent,
}

/// The state of one channel.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Channel {
    /// Whether the present birth declares it, and how often it sends.
    declared: bool,
    interval: Option<Duration>,
    /// Made once: deadlines are asked for at every event.
    three_intervals: Option<Duration>,
    newest: Option<Sample>,
    last_value: Option<(f32, Instant)>,
    /// When the last sample of any kind arrived, or when one could first be expected.
    heard_at: Instant,
    failed: bool,
    /// The sensor had failed before a restart of the reader; it must give something for so long until it works.
    restored: Option<Duration>,
    without: Option<(Sample, Streak)>,
    again: Option<Streak>,
}

impl Channel {
    /// Takes over what a birth declares; `None` when the birth does not have the channel.
    ///
    /// A birth that repeats what is known is no sign of life of the channel.
    pub(crate) fn declare(&mut self, spec: Option<&ChannelSpec>, now: Instant) -> Declared {
        let before = core::mem::replace(&mut self.declared, spec.is_some());
        self.interval = spec.and_then(|spec| spec.interval);
        self.three_intervals = self.interval.map(|interval| interval.saturating_mul(3));
        if self.declared {
            if !before {
                self.heard_at = now;
            }
            return Declared::Present;
        }
        if let Some(newest) = &mut self.newest {
            newest.reading = Reading::NoData(NoData::NotMeasured);
        }
        if before { Declared::Gone } else { Declared::Absent }
    }

    /// Nominal time between samples, as the birth declares it; `None` for a channel that is sent on change only.
    pub(crate) const fn interval(&self) -> Option<Duration> {
        self.interval
    }

    /// The agent has started anew: its clock begins again, and what the run before read is history.
    pub(crate) fn restart(&mut self) {
        if let Some(newest) = &mut self.newest {
            newest.reading = Reading::NoData(NoData::CommLost);
        }
        if let Some((_first, streak)) = &mut self.without {
            streak.restart();
        }
        if let Some(streak) = &mut self.again {
            streak.restart();
        }
    }

    /// Expects samples from now on: before, nothing at all arrived.
    pub(crate) fn expect_from(&mut self, now: Instant) {
        self.heard_at = now;
    }

    /// The stream was silent: what was read before is history, and samples are expected from now on.
    pub(crate) fn withdraw(&mut self, now: Instant) {
        self.heard_at = now;
        self.lose();
    }

    /// What was read is known no longer, and what had come back counts for nothing.
    fn lose(&mut self) {
        self.again = None;
        if let Some(newest) = &mut self.newest {
            newest.reading = Reading::NoData(NoData::CommLost);
        }
    }

    /// Whether a sample of this age tells how things are; a channel that is sent on change only may be of any age.
    pub(crate) fn is_old(&self, age: Duration, rules: &SilenceRules) -> bool {
        self.patience(rules).is_some_and(|patience| age > patience)
    }

    /// How long the channel may be silent.
    fn patience(&self, rules: &SilenceRules) -> Option<Duration> {
        self.three_intervals.map(|intervals| intervals.max(rules.channel_missing))
    }

    /// Takes a sample.
    pub(crate) fn on_sample(
        &mut self,
        sample: Sample,
        now: Instant,
        rules: &SilenceRules,
    ) -> SensorVerdict {
        self.heard_at = now;
        self.newest = Some(sample);
        if let Some(value) = sample.reading.value() {
            self.last_value = Some((value, sample.sampled_at));
        }
        if sample.reading.is_informative() {
            self.without = None;
            if !self.has_failed() {
                return SensorVerdict::Unchanged;
            }
            let needed = self.restored.unwrap_or_default().max(rules.channel_clear);
            let streak = self.again.get_or_insert_with(|| Streak::begin(sample.sampled));
            if streak.extend(sample.sampled) < needed {
                return SensorVerdict::Unchanged;
            }
            self.failed = false;
            self.restored = None;
            self.again = None;
            return SensorVerdict::Works;
        }
        let relapsed = self.again.take().is_some();
        let unchanged = if relapsed { SensorVerdict::Relapsed } else { SensorVerdict::Unchanged };
        let (first, streak) =
            self.without.get_or_insert_with(|| (sample, Streak::begin(sample.sampled)));
        let lasted = streak.extend(sample.sampled);
        if self.failed {
            return unchanged;
        }
        let no_data = sample.reading.no_data().unwrap_or(NoData::SensorFault);
        let patience =
            if no_data == NoData::Calibrating { rules.calibrating } else { rules.channel };
        if lasted < patience {
            return unchanged;
        }
        let (onset, onset_at) = (first.sampled, first.sampled_at);
        self.failed = true;
        self.restored = None;
        SensorVerdict::Failed { no_data, onset: Some(onset), onset_at }
    }

    /// When the channel counts as silent if nothing arrives; `None` when it may be silent or its failure is known.
    pub(crate) fn deadline(&self, rules: &SilenceRules) -> Option<Instant> {
        let awaited = self.declared && (!self.failed || self.again.is_some());
        let patience = self.patience(rules).filter(|_patience| awaited)?;
        Some(self.heard_at.plus(patience))
    }

    /// Notices that nothing has arrived.
    pub(crate) fn on_tick(&mut self, now: Instant, rules: &SilenceRules) -> SensorVerdict {
        if self.deadline(rules).is_none_or(|deadline| now < deadline) {
            return SensorVerdict::Unchanged;
        }
        self.lose();
        if self.failed {
            return SensorVerdict::Relapsed;
        }
        self.failed = true;
        self.restored = None;
        let onset = self.newest.map(|newest| newest.sampled);
        SensorVerdict::Failed { no_data: NoData::CommLost, onset, onset_at: self.heard_at }
    }

    /// When the channel, and with all others the console, counts as silent; `None` when it may be silent.
    pub(crate) fn console_deadline(&self, rules: &SilenceRules) -> Option<Instant> {
        let intervals = self.three_intervals.filter(|_intervals| self.declared)?;
        Some(self.heard_at.plus(intervals.max(rules.console)))
    }

    /// Whether it is sent on change only.
    pub(crate) const fn is_on_change(&self) -> bool {
        self.declared && self.interval.is_none()
    }

    /// Whether the present birth declares it.
    pub(crate) const fn is_declared(&self) -> bool {
        self.declared
    }

    /// Whether the sensor counts as failed.
    pub(crate) const fn has_failed(&self) -> bool {
        self.failed || self.restored.is_some()
    }

    /// The sensor had failed before a restart of the reader: it must give something for so long until it works.
    pub(crate) const fn resume_fault(&mut self, needed: Duration) {
        if !self.failed {
            self.restored = Some(needed);
        }
    }

    /// Nobody sends the channel any more, so nobody can say whether its sensor still fails. Whether that is new.
    pub(crate) const fn forget_fault(&mut self) -> bool {
        !self.declared && self.restored.take().is_some()
    }

    /// Whether the channel is declared or has ever sent.
    pub(crate) fn is_known(&self) -> bool {
        self.declared || self.newest.is_some()
    }

    /// The newest sample.
    pub(crate) fn newest(&self) -> Option<&Sample> {
        self.newest.as_ref()
    }

    /// The last value, and when it was taken by the reader's clock.
    pub(crate) fn last_value(&self) -> Option<(f32, Instant)> {
        self.last_value
    }

    /// The value that the channel has now.
    pub(crate) fn value(&self) -> Option<f32> {
        self.newest.and_then(|newest| newest.reading.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: SilenceRules = SilenceRules {
        frame: Duration::from_millis(800),
        frame_after_hint: Duration::from_millis(200),
        frame_clear: Duration::from_secs(2),
        channel: Duration::from_secs(2),
        channel_missing: Duration::from_secs(1),
        channel_clear: Duration::from_secs(1),
        calibrating: Duration::from_secs(60),
        console: Duration::from_secs(2),
        duplicate_clear: Duration::from_secs(10),
        skew: (Duration::from_millis(250), Duration::from_secs(1)),
        skew_delay: Duration::from_secs(30),
    };

    fn sample(ms: u64, reading: Reading) -> Sample {
        Sample {
            reading,
            sampled: SampleTime::from_millis(ms),
            sampled_at: Instant::from_millis(ms),
        }
    }

    fn channel(interval_ms: u64) -> Channel {
        let mut channel = Channel::default();
        let spec = ChannelSpec {
            parameter: Parameter::FlowBlood,
            interval: Some(Duration::from_millis(interval_ms)),
        };
        channel.declare(Some(&spec), Instant::from_millis(0));
        channel
    }

    #[test]
    fn two_seconds_without_a_measurement_are_a_failure_and_one_second_with_is_its_end() {
        let mut channel = channel(100);
        let mut changes = Vec::new();
        for ms in (0..6_000).step_by(100) {
            let off = (1_000..4_000).contains(&ms);
            let reading =
                if off { Reading::NoData(NoData::SensorOff) } else { Reading::Value(400.0) };
            let verdict = channel.on_sample(sample(ms, reading), Instant::from_millis(ms), &RULES);
            if verdict != SensorVerdict::Unchanged {
                changes.push((ms, verdict));
            }
        }
        let failed = SensorVerdict::Failed {
            no_data: NoData::SensorOff,
            onset: Some(SampleTime::from_millis(1_000)),
            onset_at: Instant::from_millis(1_000),
        };
        assert_eq!(changes, [(3_000, failed), (5_000, SensorVerdict::Works)]);
    }

    #[test]
    fn a_channel_that_sends_nothing_fails_after_three_periods_and_not_before_a_second() {
        for (interval_ms, due_ms) in [(10, 1_000), (100, 1_000), (6_000, 18_000)] {
            let mut channel = channel(interval_ms);
            let before = Instant::from_millis(due_ms - 1);
            assert_eq!(channel.on_tick(before, &RULES), SensorVerdict::Unchanged);
            let due = Instant::from_millis(due_ms);
            assert!(matches!(
                channel.on_tick(due, &RULES),
                SensorVerdict::Failed { no_data: NoData::CommLost, .. }
            ));
            assert_eq!(channel.on_tick(due, &RULES), SensorVerdict::Unchanged);
        }
    }

    #[test]
    fn the_last_value_is_kept_apart_from_the_newest_reading() {
        let mut channel = channel(100);
        channel.on_sample(sample(0, Reading::Value(400.0)), Instant::from_millis(0), &RULES);
        let off = Reading::NoData(NoData::SensorOff);
        channel.on_sample(sample(100, off), Instant::from_millis(100), &RULES);
        assert_eq!(channel.value(), None);
        assert_eq!(channel.last_value(), Some((400.0, Instant::from_millis(0))));
    }

    #[test]
    fn a_channel_that_a_new_birth_lacks_has_no_value() {
        let mut channel = channel(100);
        channel.on_sample(sample(0, Reading::Value(400.0)), Instant::from_millis(0), &RULES);
        channel.declare(None, Instant::from_millis(10));
        assert_eq!(channel.value(), None);
        assert_eq!(channel.deadline(&RULES), None);
    }
}
