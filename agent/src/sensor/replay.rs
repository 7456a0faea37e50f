//! Plays a recording in its own time, again and again or once.

use core::time::Duration;

use ecmo_core::reading::{NoData, Reading};
use ecmo_core::time::SampleTime;

use super::pace::Pace;
use super::recording::{Recording, RecordingError};
use super::{Batch, Channel, Sensor, SourceKind};
use crate::config::{AtEnd, PlaySpeed, ReplaySettings};

/// Most samples a second, on the mean; as for `rate_hz` in the settings.
const RATE_MAX_HZ: f64 = 1000.0;

/// A recording that is played.
pub struct Replay {
    device: String,
    channels: Vec<Channel>,
    recording: Recording,
    at_end: AtEnd,
    /// How many times faster than life.
    speed: f64,
    pace: Pace,
    /// Time from one row to the next where rows have no times of their own, and after the last row.
    step: Duration,
    /// Rows that were played.
    played: u64,
}

impl Replay {
    /// Reads a recording.
    ///
    /// # Errors
    /// A file that is refused, and a rate that is missing or given twice.
    pub fn load(settings: &ReplaySettings) -> Result<Self, RecordingError> {
        let path = &settings.file;
        let recording = Recording::load(path)?;
        let refuse = |problem| RecordingError::Rate { path: path.clone(), problem };
        let rate_hz = match (&recording.times, settings.rate) {
            (None, Some(rate)) => rate.get(),
            (None, None) => return Err(refuse("no t_s column: add rate_hz to the settings")),
            (Some(_), Some(_)) => {
                return Err(refuse("has a t_s column: remove rate_hz from the settings"));
            }
            (Some(times), None) => mean_rate(times),
        };
        if rate_hz > RATE_MAX_HZ {
            return Err(refuse("more than 1000 samples a second: the times must be in seconds"));
        }
        let speed = settings.speed.map_or(1.0, PlaySpeed::get);
        if rate_hz * speed > RATE_MAX_HZ {
            return Err(refuse(
                "more than 1000 samples a second at this speed: choose a lower one",
            ));
        }
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        Ok(Self {
            device: format!("recording {name}"),
            channels: channels(&recording, rate_hz, speed),
            recording,
            speed,
            at_end: settings.at_end,
            pace: Pace::default(),
            step: Duration::from_secs_f64(1.0 / rate_hz),
            played: 0,
        })
    }

    /// How long the recording takes at its speed; playing it again and again takes for ever.
    #[must_use]
    pub fn length(&self) -> Duration {
        let rows = self.recording.len() as u64;
        let last = self.recording.times.as_ref().and_then(|times| times.last().copied());
        let length = last.map_or_else(|| times_of(self.step, rows), |last| last + self.step);
        length.div_f64(self.speed)
    }

    /// Which row is next, and how long after the first one it is due.
    fn next(&self) -> (Option<usize>, Duration) {
        let rows = self.recording.len() as u64;
        let round = self.played / rows;
        let row = usize::try_from(self.played % rows).unwrap_or(usize::MAX);
        let Some(times) = &self.recording.times else {
            let row = if round > 0 && self.at_end == AtEnd::Stop { None } else { Some(row) };
            return (row, times_of(self.step, self.played));
        };
        let length = times.last().copied().unwrap_or_default() + self.step;
        if round > 0 && self.at_end == AtEnd::Stop {
            let after = times_of(self.step, self.played - rows);
            return (None, length.saturating_add(after));
        }
        let within = times.get(row).copied().unwrap_or_default();
        (Some(row), times_of(length, round).saturating_add(within))
    }
}

/// A duration taken so many times. In nanoseconds of 128 bits, so that a rate such as 60 Hz does not drift in a day more
/// than its rounding to a nanosecond allows.
fn times_of(step: Duration, number: u64) -> Duration {
    let nanos = step.as_nanos().saturating_mul(u128::from(number));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// Mean samples per second of rows with times.
fn mean_rate(times: &[Duration]) -> f64 {
    let length = times.last().copied().unwrap_or_default().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a file has less than 2 to the 52 rows")]
    let steps = times.len().saturating_sub(1) as f64;
    // The times rise, so the length is above 0.
    steps / length.max(f64::MIN_POSITIVE)
}

/// Greatest count of a channel, with room for the limits of what counts are stored in.
const COUNT_MAX: f64 = 1e9;

/// One channel a column, with counts as fine as the digits of the file where the greatest value allows it.
fn channels(recording: &Recording, rate_hz: f64, speed: f64) -> Vec<Channel> {
    let columns = recording.columns.iter().enumerate();
    let channel = |(number, column): (usize, &super::recording::Column)| {
        let cells = (0..recording.len()).filter_map(|row| *recording.row(row)?.get(number)?);
        let (mut filled, mut greatest) = (0_u32, 1.0_f64);
        for reading in cells {
            filled = filled.saturating_add(1);
            greatest =
                reading.value().map_or(greatest, |value| greatest.max(f64::from(value.abs())));
        }
        let decimals = (0..=column.decimals).rev();
        let mut exponents = decimals.map(|decimals| i32::try_from(decimals).unwrap_or(0));
        let fits = |exponent: &i32| greatest * 10f64.powi(*exponent) <= COUNT_MAX;
        let step = 10f64.powi(-exponents.find(fits).unwrap_or(0));
        let mut channel = Channel::new(column.parameter, rate_hz * speed, step);
        if recording.times.is_some() {
            // A column that is filled in every tenth row is a channel of a tenth of the rate.
            let rows = u32::try_from(recording.len()).unwrap_or(u32::MAX);
            channel.rate_hz *= f64::from(filled) / f64::from(rows.max(1));
            if channel.is_edge() && filled < rows {
                channel.rate_hz = 0.0;
            }
        }
        channel
    };
    columns.map(channel).collect()
}

impl Sensor for Replay {
    fn device(&self) -> &str {
        &self.device
    }

    fn source(&self) -> SourceKind {
        SourceKind::Replayed
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn poll(&mut self, now: SampleTime, out: &mut Batch) {
        loop {
            let (row, elapsed) = self.next();
            let elapsed = elapsed.div_f64(self.speed);
            let Some(time) = self.pace.due(now, elapsed) else { return };
            match row.and_then(|row| self.recording.row(row)) {
                Some(values) => {
                    // A row without a time of its own is a time of every channel; with one, an empty cell is no sample.
                    let empty = self.recording.times.is_none();
                    let empty = empty.then_some(Reading::NoData(NoData::NotMeasured));
                    for (channel, reading) in values.iter().enumerate() {
                        if let Some(reading) = reading.or(empty) {
                            out.push(channel, time, reading);
                        }
                    }
                }
                // After the end: said, so that nobody waits for more.
                None => {
                    for channel in 0..self.channels.len() {
                        out.push(channel, time, Reading::NoData(NoData::NotMeasured));
                    }
                }
            }
            self.played += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Rate;

    fn play(text: &str, rate: Option<f64>, at_end: AtEnd, millis: u64) -> Vec<(u64, Reading)> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("r.csv");
        std::fs::write(&file, text).unwrap();
        let rate = rate.map(|rate| Rate::try_from(rate).unwrap());
        let mut replay = Replay::load(&ReplaySettings { file, rate, at_end, speed: None }).unwrap();
        let mut batch = Batch::default();
        for millis in 0..=millis {
            replay.poll(SampleTime::from_millis(1000 + millis), &mut batch);
        }
        let entry = |sample: super::super::Sample| {
            (sample.time.as_nanos() / 1_000_000 - 1000, sample.reading)
        };
        batch.samples.into_iter().map(entry).collect()
    }

    const GAP: Reading = Reading::NoData(NoData::NotMeasured);

    #[test]
    fn rows_come_at_the_rate_and_again_after_the_end() {
        let value = Reading::Value;
        let samples = play("pt.abp\n1\n\n3\n", Some(100.0), AtEnd::Loop, 40);
        let expected = [(0, value(1.0)), (10, GAP), (20, value(3.0)), (30, value(1.0)), (40, GAP)];
        assert_eq!(samples, expected);
    }

    #[test]
    fn rows_come_at_their_own_times() {
        let value = Reading::Value;
        let text = "t_s,pt.abp\n5.00,1\n5.01,2\n5.04,3\n";
        let samples = play(text, None, AtEnd::Loop, 70);
        let expected =
            [(0, 1.0), (10, 2.0), (40, 3.0), (60, 1.0), (70, 2.0)].map(|(at, v)| (at, value(v)));
        assert_eq!(samples, expected);
    }

    #[test]
    fn a_recording_that_ended_says_that_nothing_is_measured() {
        let value = Reading::Value;
        let samples = play("pt.abp\n1\n2\n", Some(100.0), AtEnd::Stop, 40);
        let expected = [(0, value(1.0)), (10, value(2.0)), (20, GAP), (30, GAP), (40, GAP)];
        assert_eq!(samples, expected);
        let samples = play("t_s,pt.abp\n0,1\n0.01,2\n", None, AtEnd::Stop, 30);
        assert_eq!(samples, [(0, value(1.0)), (10, value(2.0)), (20, GAP), (30, GAP)]);
    }

    #[test]
    fn the_rate_is_given_exactly_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("r.csv");
        let rate = Some(Rate::try_from(125.0).unwrap());
        for (text, rate, words) in [
            ("pt.abp\n1\n2\n", None, "add rate_hz"),
            ("t_s,pt.abp\n1,1\n2,2\n", rate, "remove rate_hz"),
            ("t_s,pt.abp\n1,1\n1.0001,2\n", None, "must be in seconds"),
        ] {
            std::fs::write(&file, text).unwrap();
            let settings =
                ReplaySettings { file: file.clone(), rate, at_end: AtEnd::Loop, speed: None };
            let error = Replay::load(&settings).err().unwrap().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn the_real_recording_is_played_value_by_value() {
        let file =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("records/abp-125hz-10min.csv");
        let rate = Some(Rate::try_from(125.0).unwrap());
        let settings = ReplaySettings { file, rate, at_end: AtEnd::Stop, speed: None };
        let mut replay = Replay::load(&settings).unwrap();
        assert!((replay.channels()[0].scale - 0.01).abs() < 1e-12);
        let mut batch = Batch::default();
        for millis in (0..=600_000).step_by(10) {
            replay.poll(SampleTime::from_millis(millis), &mut batch);
        }
        let values: Vec<_> = batch.samples.iter().filter_map(|s| s.reading.value()).collect();
        assert_eq!(values.len(), 75_000);
        assert_eq!(values[..3], [51.56, 51.32, 50.93]);
        let fourth = batch.samples[3].time.as_nanos();
        assert_eq!(fourth, 24_000_000, "3 x 8 ms");
    }
}
