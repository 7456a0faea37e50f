//! A converter read file by file on the sampling thread: files stay open, a read goes into a few bytes of stack.
//!
//! A poll allocates nothing. Only when the device is not there, files are looked for, at most every 100 ms.

use core::time::Duration;
use std::os::fd::OwnedFd;

use ecmo_core::reading::{NoData, Reading};
use ecmo_core::time::SampleTime;
use rustix::io::{Errno, pread};

use super::folder::Folder;
use super::{Millivolts, REOPEN_FIRST, REOPEN_LAST, channels};
use crate::config::{IioSettings, Scaling};
use crate::sensor::pace::Pace;
use crate::sensor::silence::Silence;
use crate::sensor::status::{Link, SourceState};
use crate::sensor::{Batch, Channel, Sensor, SourceKind};

/// Longest raw number in a file, with its line end: 64 bits and a sign.
const RAW_BYTES_MAX: usize = 24;

/// How often it is looked whether the device is still listed: reads of a file that is open may go on after it has gone.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Most samples of one input made up for in one poll; after a longer stop the rest is left out by the pace.
const STEPS_MAX: u32 = 32;

/// A converter.
pub struct Sysfs {
    device: String,
    settings: IioSettings,
    channels: Vec<Channel>,
    period: Duration,
    pace: Pace,
    steps: u32,
    silence: Silence,
    inputs: Vec<Input>,
    folder: Option<Folder>,
    looked_at: SampleTime,
    open_at: SampleTime,
    wait: Duration,
    connections: u64,
    is_warned: bool,
}

/// An open input.
#[derive(Debug)]
struct Input {
    raw: OwnedFd,
    millivolts: Millivolts,
    scaling: Scaling,
}

impl Sysfs {
    /// A converter; it is looked for at the first poll.
    #[must_use]
    pub fn new(settings: &IioSettings) -> Self {
        let channels = channels(settings);
        Self {
            device: format!("converter {}", settings.device),
            period: Duration::from_secs_f64(1.0 / settings.rate_hz),
            pace: Pace::default(),
            steps: 0,
            silence: Silence::new(&channels),
            channels,
            inputs: Vec::new(),
            folder: None,
            looked_at: SampleTime::default(),
            open_at: SampleTime::default(),
            wait: REOPEN_FIRST,
            connections: 0,
            is_warned: false,
            settings: settings.clone(),
        }
    }

    fn open(&mut self, now: SampleTime) {
        if !self.inputs.is_empty() || now < self.open_at {
            return;
        }
        match self.find() {
            Ok((folder, inputs)) => {
                tracing::info!(device = self.device, "converter opened");
                self.folder = Some(folder);
                self.inputs = inputs;
                self.looked_at = now;
                self.wait = REOPEN_FIRST;
                self.connections += 1;
                self.is_warned = false;
                self.pace = Pace::default();
                self.steps = 0;
            }
            Err(error) => self.lose(now, error),
        }
    }

    fn find(&self) -> Result<(Folder, Vec<Input>), Errno> {
        let folder = Folder::find(&self.settings.root, &self.settings.device)?;
        let open = |channel: &crate::config::IioChannel| {
            Ok(Input {
                raw: folder.open(&format!("{}_raw", channel.input))?,
                millivolts: Millivolts::of(&folder, &channel.input)?,
                scaling: channel.scaling.clone(),
            })
        };
        let inputs = self.settings.channels.iter().map(open).collect::<Result<_, Errno>>()?;
        Ok((folder, inputs))
    }

    fn lose(&mut self, now: SampleTime, error: Errno) {
        if !self.is_warned {
            self.is_warned = true;
            tracing::warn!(device = self.device, %error, "converter is not there; trying again");
        }
        self.inputs.clear();
        self.folder = None;
        self.open_at = now.plus(self.wait);
        self.wait = (self.wait * 2).min(REOPEN_LAST);
    }

    /// Reads every input once. An input that cannot be read while the others can has a fault of its own.
    fn sample(&mut self, time: SampleTime, out: &mut Batch) -> Result<(), Errno> {
        self.silence.end();
        for (number, input) in self.inputs.iter().enumerate() {
            let reading = match input.read() {
                Ok(raw) => input.scaling.reading(input.millivolts.of_raw(raw)),
                Err(error @ (Errno::NODEV | Errno::NXIO | Errno::NOENT)) => return Err(error),
                // The converter was asked while it works for its buffer.
                Err(Errno::BUSY | Errno::AGAIN) => Reading::NoData(NoData::NotMeasured),
                Err(_) => Reading::NoData(NoData::SensorFault),
            };
            if self.silence.accepts(number, time) {
                out.push(number, time, reading);
            }
        }
        Ok(())
    }
}

impl Input {
    fn read(&self) -> Result<i64, Errno> {
        let mut buffer = [0; RAW_BYTES_MAX];
        let count = pread(&self.raw, &mut buffer, 0)?;
        let text = buffer.get(..count).and_then(|bytes| core::str::from_utf8(bytes).ok());
        text.and_then(|text| text.trim().parse().ok()).ok_or(Errno::INVAL)
    }
}

impl Sensor for Sysfs {
    fn device(&self) -> &str {
        &self.device
    }

    fn source(&self) -> SourceKind {
        SourceKind::Measured
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn link(&self) -> Link {
        let state = if self.inputs.is_empty() { SourceState::Off } else { SourceState::Live };
        Link { state, connections: self.connections }
    }

    fn poll(&mut self, now: SampleTime, out: &mut Batch) {
        self.open(now);
        if now.since(self.looked_at) >= LOOK_AGAIN {
            self.looked_at = now;
            if self.folder.as_ref().is_some_and(|folder| !folder.exists()) {
                self.lose(now, Errno::NODEV);
            }
        }
        if self.inputs.is_empty() {
            self.silence.tell(NoData::SensorOff, now, out);
            return;
        }
        let mut due = None;
        for _ in 0..STEPS_MAX {
            let Some(time) = self.pace.due(now, self.period.saturating_mul(self.steps)) else {
                break;
            };
            // What was slept through cannot be read afterwards: only the newest time has a sample.
            due = Some(time);
            match self.steps.checked_add(1) {
                Some(steps) => self.steps = steps,
                None => {
                    self.steps = 0;
                    self.pace = Pace::default();
                }
            }
        }
        if let Some(time) = due
            && let Err(error) = self.sample(time, out)
        {
            self.lose(now, error);
            self.silence.tell(NoData::SensorOff, now, out);
        }
    }
}
