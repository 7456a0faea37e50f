//! A converter whose kernel driver samples into a buffer: set up through the few files that may be written, then read.

use core::time::Duration;
use std::os::fd::OwnedFd;

use ecmo_core::reading::NoData;
use ecmo_core::time::SampleTime;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;

use super::folder::{Folder, Writable};
use super::scan_type::{Layout, ScanType};
use super::{Millivolts, REOPEN_FIRST, REOPEN_LAST, channels};
use crate::config::{IioMode, IioSettings, Scaling};
use crate::sensor::silence::Silence;
use crate::sensor::status::{Link, SourceState};
use crate::sensor::{Batch, Channel, Sensor, SourceKind};

/// The kernel's own input: when a scan was taken.
const TIMESTAMP: &str = "in_timestamp";

/// Bytes read at once; more waits in the kernel's buffer.
const READ_BYTES: usize = 64 * 1024;

/// Scans that did not come, in tenths of their period, after which nothing is heard; and the least time for it.
const SILENCE_TENTHS: u32 = 35;
const SILENCE_MIN: Duration = Duration::from_millis(100);

/// How often it is looked whether the device is still listed.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// How fast the kernel's clock may run away from ours, in parts per million; a wall clock that is slewed.
const DRIFT_PPM: u32 = 500;

/// A converter with a buffer.
pub struct Buffered {
    device: String,
    settings: IioSettings,
    channels: Vec<Channel>,
    period: Duration,
    silence: Silence,
    opened: Option<Opened>,
    bytes: Vec<u8>,
    heard: SampleTime,
    is_silent: bool,
    looked_at: SampleTime,
    open_at: SampleTime,
    wait: Duration,
    connections: u64,
    is_warned: bool,
}

/// A buffer that runs.
#[derive(Debug)]
struct Opened {
    folder: Folder,
    node: OwnedFd,
    inputs: Vec<Input>,
    timestamp: Option<(usize, ScanType)>,
    scan_bytes: usize,
    /// Begin of a scan whose rest has not come.
    rest: Vec<u8>,
    clock: Clock,
}

#[derive(Debug)]
struct Input {
    at: usize,
    scan_type: ScanType,
    millivolts: Millivolts,
    scaling: Scaling,
}

/// The kernel's time stamps on our clock, by the scan that came fastest so far.
#[derive(Debug, Default)]
struct Clock {
    fastest: Option<(i64, SampleTime)>,
    newest: Option<i64>,
}

impl Clock {
    fn ours(&mut self, stamp: i64, now: SampleTime) -> SampleTime {
        // A wall clock that was set: begin anew, in either direction.
        let jump = self.newest.map_or(0, |newest| stamp.saturating_sub(newest));
        if !(0..=10_000_000_000).contains(&jump) {
            self.fastest = None;
        }
        self.newest = Some(stamp);
        let (fastest, at) = *self.fastest.get_or_insert((stamp, now));
        let since = u64::try_from(stamp.saturating_sub(fastest)).unwrap_or(0);
        let drift = now.since(at) / 1_000_000 * DRIFT_PPM;
        let mapped = at.plus(Duration::from_nanos(since)).plus(drift);
        if mapped >= now {
            self.fastest = Some((stamp, now));
            return now;
        }
        mapped
    }
}

impl Buffered {
    /// A converter; it is looked for at the first poll.
    #[must_use]
    pub fn new(settings: &IioSettings) -> Self {
        let channels = channels(settings);
        Self {
            device: format!("converter {}, buffered", settings.device),
            period: Duration::from_secs_f64(1.0 / settings.rate_hz),
            silence: Silence::new(&channels),
            channels,
            opened: None,
            bytes: vec![0; READ_BYTES],
            heard: SampleTime::default(),
            is_silent: false,
            looked_at: SampleTime::default(),
            open_at: SampleTime::default(),
            wait: REOPEN_FIRST,
            connections: 0,
            is_warned: false,
            settings: settings.clone(),
        }
    }

    fn open(&mut self, now: SampleTime) {
        if self.opened.is_some() || now < self.open_at {
            return;
        }
        match self.set_up() {
            Ok(opened) => {
                tracing::info!(device = self.device, "converter opened");
                self.opened = Some(opened);
                self.heard = now;
                self.looked_at = now;
                self.wait = REOPEN_FIRST;
                self.connections += 1;
                self.is_warned = false;
            }
            Err(error) => self.lose(now, error),
        }
    }

    /// Stops the buffer, chooses the inputs, and starts it again.
    fn set_up(&self) -> Result<Opened, Errno> {
        let IioMode::Buffer { length, trigger } = &self.settings.mode else {
            return Err(Errno::INVAL);
        };
        let folder = Folder::find(&self.settings.root, &self.settings.device)?;
        folder.write(Writable::BufferEnable, "0")?;
        if let Some(trigger) = trigger {
            folder.write(Writable::Trigger, trigger)?;
        }
        let names: Vec<&str> =
            self.settings.channels.iter().map(|channel| channel.input.as_str()).collect();
        enable_only(&folder, &names)?;
        folder.write(Writable::BufferLength, &length.to_string())?;

        let scan_type = |name: &str| -> Result<(u32, ScanType), Errno> {
            let read = |what| folder.read(&format!("scan_elements/{name}_{what}"));
            let index = read("index")?.parse().map_err(|_no_number| Errno::INVAL)?;
            Ok((index, read("type")?.parse().map_err(|_wrong| Errno::INVAL)?))
        };
        let mut types = names.iter().map(|name| scan_type(name)).collect::<Result<Vec<_>, _>>()?;
        // Drivers without a time stamp are dated by their arrival.
        let stamp = scan_type(TIMESTAMP).ok();
        if let Some(stamp) = stamp {
            folder.write(Writable::ScanElement(TIMESTAMP), "1")?;
            types.push(stamp);
        }
        let layout = Layout::new(&types);
        let mut inputs = Vec::new();
        for ((channel, (_, scan_type)), at) in
            self.settings.channels.iter().zip(&types).zip(&layout.offsets)
        {
            let millivolts = Millivolts::of(&folder, &channel.input)?;
            let (at, scan_type, scaling) = (*at, *scan_type, channel.scaling.clone());
            inputs.push(Input { at, scan_type, millivolts, scaling });
        }
        let timestamp = stamp.and_then(|(_, scan_type)| {
            layout.offsets.get(names.len()).map(|offset| (*offset, scan_type))
        });
        folder.write(Writable::BufferEnable, "1")?;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let node = open(folder.node(), flags, Mode::empty())?;
        let (scan_bytes, rest, clock) = (layout.bytes, Vec::new(), Clock::default());
        Ok(Opened { folder, node, inputs, timestamp, scan_bytes, rest, clock })
    }

    fn lose(&mut self, now: SampleTime, error: Errno) {
        if !self.is_warned {
            self.is_warned = true;
            tracing::warn!(device = self.device, %error, "converter is not there; trying again");
        }
        self.opened = None;
        self.open_at = now.plus(self.wait);
        self.wait = (self.wait * 2).min(REOPEN_LAST);
    }

    /// Reads what the kernel has and delivers every whole scan.
    fn read(&mut self, now: SampleTime, out: &mut Batch) {
        let Some(opened) = &mut self.opened else { return };
        let count = match rustix::io::read(&opened.node, &mut *self.bytes) {
            Ok(0) | Err(Errno::AGAIN | Errno::INTR) => return,
            Ok(count) => count,
            Err(error) => return self.lose(now, error),
        };
        opened.rest.extend_from_slice(self.bytes.get(..count).unwrap_or_default());
        let whole = opened.rest.len() / opened.scan_bytes * opened.scan_bytes;
        let scans = whole / opened.scan_bytes;
        for (index, scan) in
            opened.rest.get(..whole).unwrap_or_default().chunks_exact(opened.scan_bytes).enumerate()
        {
            let part = |at: usize, scan_type: ScanType| {
                scan.get(at..at + scan_type.bytes()).and_then(|bytes| scan_type.number(bytes))
            };
            let stamp = opened.timestamp.and_then(|(at, scan_type)| part(at, scan_type));
            let time = match stamp {
                Some(stamp) => opened.clock.ours(stamp, now),
                None => {
                    let later = u32::try_from(scans - 1 - index).unwrap_or(u32::MAX);
                    now.minus(self.period.saturating_mul(later))
                }
            };
            for (number, input) in opened.inputs.iter().enumerate() {
                let Some(raw) = part(input.at, input.scan_type) else { continue };
                let reading = input.scaling.reading(input.millivolts.of_raw(raw));
                out.push(number, self.silence.rising(number, time), reading);
            }
        }
        opened.rest.drain(..whole);
        if scans > 0 {
            self.heard = now;
            self.silence.end();
        }
    }

    fn tell_silence(&mut self, now: SampleTime, out: &mut Batch) {
        let limit = (self.period * SILENCE_TENTHS / 10).max(SILENCE_MIN);
        self.is_silent = now.since(self.heard) >= limit;
        match (&self.opened, self.is_silent) {
            (None, _) => self.silence.tell(NoData::SensorOff, now, out),
            (Some(_), true) => self.silence.tell(NoData::CommLost, now, out),
            (Some(_), false) => {}
        }
    }
}

/// Makes these inputs, and no others, part of a scan: an unknown one would move all bytes behind it.
fn enable_only(folder: &Folder, names: &[&str]) -> Result<(), Errno> {
    for name in folder.scan_elements()? {
        let wanted = names.contains(&name.as_str());
        folder.write(Writable::ScanElement(&name), if wanted { "1" } else { "0" })?;
    }
    Ok(())
}

impl Drop for Buffered {
    fn drop(&mut self) {
        // The next user of the device finds it as it was; one that is gone needs nothing.
        if let Some(opened) = &self.opened {
            let _stopped = opened.folder.write(Writable::BufferEnable, "0").is_ok();
        }
    }
}

impl Sensor for Buffered {
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
        let state = match (&self.opened, self.is_silent) {
            (None, _) => SourceState::Off,
            (Some(_), true) => SourceState::Silent,
            (Some(_), false) => SourceState::Live,
        };
        Link { state, connections: self.connections }
    }

    fn poll(&mut self, now: SampleTime, out: &mut Batch) {
        self.open(now);
        if now.since(self.looked_at) >= LOOK_AGAIN {
            self.looked_at = now;
            let is_gone =
                |opened: &Opened| !opened.folder.exists() || !opened.folder.node().exists();
            if self.opened.as_ref().is_some_and(is_gone) {
                self.lose(now, Errno::NODEV);
            }
        }
        self.read(now, out);
        self.tell_silence(now, out);
    }
}
