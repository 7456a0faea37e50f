//! A frame judged in its place: each reading by its channel and its limits, each tenth of a second by the composites.

use super::{AT_WORK_RPM_MIN, Pump};
use crate::alarm::composite::Scene;
use crate::alarm::condition::{Condition, Priority};
use crate::alarm::occurrence::OccurrenceId;
use crate::alarm::{Absence, Moment, Output};
use crate::channel::{Sample, SensorVerdict};
use crate::frame::{Block, Frame};
use crate::parameter::Parameter;
use crate::plausibility::Doubt;
use crate::reading::{NoData, Reading};
use crate::time::{Instant, SampleTime};

impl Pump {
    pub(super) fn evaluate_due(&mut self, now: Instant, out: &mut impl Output) {
        while let Some(frame) = self.sequence.take_due(now) {
            self.evaluate(&frame, now, out);
            self.sequence.give_back(frame);
        }
    }

    pub(super) fn evaluate(&mut self, frame: &Frame, now: Instant, out: &mut impl Output) {
        if self.judged_until.is_none() {
            self.alarms.joined(now);
        }
        self.look_at_speed();
        self.rates.on_frame(frame.sequence);
        for (block, readings) in frame.blocks() {
            self.check_rate(block, readings.len(), now, out);
            for (position, reading) in readings.iter().enumerate() {
                // Nothing is sampled after it was published; a time from the future would hold up every delay.
                let sampled = block.time_of(position).min(frame.stamp.published);
                self.evaluate_reading(frame, block.parameter, *reading, sampled, now, out);
            }
        }
        self.evaluate_unchanged(frame, now, out);
        if let Some(tick) = self.signals.advance(frame.stamp.published) {
            self.evaluate_grid(frame, tick, now, out);
        }
        self.judged_from.get_or_insert(frame.stamp.published);
        self.judged_until = self.judged_until.max(Some(frame.stamp.published));
        out.evaluated(frame, &self.clock);
    }

    /// Compares how often a channel's samples come with what its birth says.
    fn check_rate(&mut self, block: &Block, samples: usize, now: Instant, out: &mut impl Output) {
        let Some(channel) = self.channels.get(block.parameter.index()) else { return };
        let found =
            self.rates.on_samples(block.parameter, block.start, samples, channel.interval());
        let Some(wrong) = found else { return };
        let condition = Condition::SENSOR_RATE;
        if wrong {
            let absence = Absence {
                id: OccurrenceId { condition, boot: self.boot, onset: block.start.as_nanos() },
                priority: Priority::Medium,
                parameter: Some(block.parameter),
                no_data: None,
                onset_at: self.clock.to_reader(block.start, now),
            };
            self.alarms.raise_absence(absence, now, out);
        } else if !self.rates.any_wrong() {
            self.alarms.clear(condition, now, out);
        }
    }

    /// Lets the delays of channels that are sent on change go on: that nothing came says that nothing changed, as long as
    /// frames come.
    fn evaluate_unchanged(&mut self, frame: &Frame, now: Instant, out: &mut impl Output) {
        let moment = Moment {
            boot: frame.boot,
            sequence: frame.sequence,
            stamp: frame.stamp,
            now,
            clock: &self.clock,
            fresh: !self.silent,
            running: self.running,
            meant_to_run: self.meant_to_run,
        };
        for place in &self.declared {
            let channel = self.channels.get(*place).filter(|one| one.is_on_change());
            if let Some(parameter) = Parameter::ALL.get(*place)
                && channel.is_some_and(|channel| !channel.has_failed())
            {
                self.alarms.on_unchanged(*parameter, frame.stamp.published, &moment, out);
            }
        }
    }

    /// Takes note of whether the pump turns and ought to: asked for each reading, changed by few.
    fn look_at_speed(&mut self) {
        self.running = self.is_running();
        self.meant_to_run = self.is_meant_to_run();
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
        self.signals.push(parameter, reading, sampled);
        let reading = match self.doubts.get(parameter.index()).copied().flatten() {
            // A transducer that is open to air measures the room: its limits are not judged for so long.
            Some(Doubt::Zeroing) if reading.value().is_some() => {
                Reading::NoData(NoData::Calibrating)
            }
            Some(Doubt::Zeroing | Doubt::Flat | Doubt::Disagrees(_)) | None => reading,
        };
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
            let at_work = self.by_kind(AT_WORK_RPM_MIN);
            self.at_work |= reading.value().is_some_and(|rpm| rpm > at_work);
            self.look_at_speed();
        } else if parameter == Parameter::PumpSpeedSet {
            self.look_at_speed();
        }
        if self.console_silent && reading.is_informative() {
            self.console_speaks(now, out);
        }
        self.on_sensor(parameter, verdict, now, out);
        let fresh = !is_old && !self.silent && !has_failed;
        let moment = Moment {
            boot: frame.boot,
            sequence: frame.sequence,
            stamp: frame.stamp,
            now,
            clock: &self.clock,
            fresh,
            running: self.running,
            meant_to_run: self.meant_to_run,
        };
        self.alarms.on_reading(parameter, reading, sampled, &moment, out);
    }

    /// Judges what several signals tell together.
    fn evaluate_grid(
        &mut self,
        frame: &Frame,
        tick: SampleTime,
        now: Instant,
        out: &mut impl Output,
    ) {
        let case = self.case();
        self.plausibility.set_kind(case.pump_kind);
        self.plausibility.judge(&self.signals, tick);
        self.look_at_doubts(tick, now, out);
        let moment = Moment {
            boot: frame.boot,
            sequence: frame.sequence,
            stamp: frame.stamp,
            now,
            clock: &self.clock,
            fresh: !self.silent,
            running: self.running,
            meant_to_run: self.meant_to_run,
        };
        let scene = Scene {
            signals: &self.signals,
            case: &case,
            circuit: self.treatment.circuit,
            membrane_baseline: self.treatment.membrane_baseline,
            meant_to_run: moment.meant_to_run,
            tick,
        };
        self.alarms.on_grid(&scene, &moment, out);
    }

    /// Tells of every sensor whose plausibility has changed. Almost always none is doubted, and none was.
    fn look_at_doubts(&mut self, tick: SampleTime, now: Instant, out: &mut impl Output) {
        if self.plausibility.doubts_none() && self.doubts.iter().all(Option::is_none) {
            return;
        }
        for parameter in Parameter::ALL {
            let doubt = self.plausibility.doubt(*parameter);
            let told = self.doubts.get_mut(parameter.index());
            if let Some(told) = told.filter(|told| **told != doubt) {
                *told = doubt;
                self.on_doubt(*parameter, doubt, tick, now, out);
            }
        }
    }

    /// What a sensor says contradicts itself or the others, or no longer does.
    fn on_doubt(
        &mut self,
        parameter: Parameter,
        doubt: Option<Doubt>,
        tick: SampleTime,
        now: Instant,
        out: &mut impl Output,
    ) {
        let condition = Condition::sensor_fault(parameter);
        match doubt {
            Some(Doubt::Flat | Doubt::Disagrees(_)) => {
                let absence = Absence {
                    id: OccurrenceId { condition, boot: self.boot, onset: tick.as_nanos() },
                    priority: self.alarms.rules().sensors.priority(parameter),
                    parameter: Some(parameter),
                    no_data: Some(NoData::SensorFault),
                    onset_at: self.clock.to_reader(tick, now),
                };
                self.alarms.raise_absence(absence, now, out);
            }
            Some(Doubt::Zeroing) => self.alarms.data_lost(Some(parameter), now, out),
            None => {
                let failed =
                    self.channels.get(parameter.index()).is_some_and(|one| one.has_failed());
                if !failed {
                    self.alarms.clear(condition, now, out);
                }
            }
        }
    }

    /// What names a sensor's silence from the beginning: the first frame of the run that was judged here, or the reader's time.
    /// A sensor that speaks and then falls silent before a reader that starts anew has read it must not give its name again, or
    /// what a person did about the silence that has ended would be taken for this one.
    fn beginning(&self, onset_at: Instant) -> SampleTime {
        self.judged_from.unwrap_or_else(|| SampleTime::from_nanos(onset_at.as_nanos()))
    }

    /// Turns what is said about a sensor into an alarm or its end.
    pub(super) fn on_sensor(
        &mut self,
        parameter: Parameter,
        verdict: SensorVerdict,
        now: Instant,
        out: &mut impl Output,
    ) {
        let condition = Condition::sensor_fault(parameter);
        match verdict {
            SensorVerdict::Unchanged => {}
            SensorVerdict::Relapsed => self.alarms.data_lost(Some(parameter), now, out),
            SensorVerdict::Works => {
                let doubt = self.doubts.get(parameter.index()).copied().flatten();
                if doubt.is_none() {
                    self.alarms.clear(condition, now, out);
                }
            }
            SensorVerdict::Failed { no_data, onset, onset_at } => {
                let onset = onset.unwrap_or_else(|| self.beginning(onset_at));
                let absence = Absence {
                    id: OccurrenceId { condition, boot: self.boot, onset: onset.as_nanos() },
                    priority: self.alarms.rules().sensors.priority(parameter),
                    parameter: Some(parameter),
                    no_data: Some(no_data),
                    onset_at,
                };
                self.alarms.raise_absence(absence, now, out);
                self.alarms.data_lost(Some(parameter), now, out);
            }
        }
    }
}
