//! The em-tec BioProTT clamp-on flow meter as a sensor: listens on its serial port, survives unplugging, tells silence.
//!
//! The device sends a line every 100 ms unasked. This driver never sends a byte: some of the device's commands alter the
//! measurement, and stray characters can hang it.

mod assembler;
mod port;
mod record;

use core::time::Duration;
use std::path::PathBuf;

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::{NoData, Reading};
use ecmo_core::time::SampleTime;

pub use assembler::{Assembler, Found};
pub use record::{Field, Line, LineError, Record, parse};

use self::port::{Port, Read};
use super::{Batch, Channel, Sensor, SourceKind};

/// Time between two lines of the device.
const PERIOD: Duration = Duration::from_millis(100);

/// Time between two lines of the device, as a rate.
const RATE_HZ: f64 = 10.0;

/// Silence after which the device counts as not heard: three lines that did not come.
const SILENCE: Duration = Duration::from_millis(350);

/// Waiting times before the port is opened again: doubled from the first to the last.
const REOPEN_FIRST: Duration = Duration::from_millis(100);
const REOPEN_LAST: Duration = Duration::from_secs(2);

/// Most bytes read in one poll: more than the line can carry between two polls of 10 ms, and than the kernel keeps.
const READ_BYTES_MAX: usize = 8192;

/// Most lines whose samples are kept of one poll; older ones are superseded by newer ones and counted as refused.
const LINES_MAX: usize = 32;

/// Channels, in the order of the birth.
const FLOW: usize = 0;
const QUALITY: usize = 1;
const BOARD: usize = 2;
const CHANNELS: usize = 3;

/// The flow meter.
pub struct Emtec {
    device: String,
    path: PathBuf,
    channels: Vec<Channel>,
    link: Link,
    assembler: Assembler,
    /// Readings of the lines of one poll.
    lines: Vec<[Reading; CHANNELS]>,
    /// Time of the newest sample.
    last: Option<SampleTime>,
    /// Since when nothing but lines that are no records came, for one log line a burst.
    is_warned: bool,
}

/// State of the connection.
enum Link {
    /// Not open.
    Closed { open_at: SampleTime, wait: Duration },
    /// Open, and when the last whole line came (or the port was opened).
    Open { port: Port, heard_at: SampleTime },
}

impl Emtec {
    /// A flow meter on this port. The port is opened at the first poll and need not exist yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self {
            device: format!("em-tec BioProTT on {}", path.display()),
            path,
            channels: vec![
                Channel::new(Parameter::FlowBlood, RATE_HZ, 1.0),
                Channel::new(Parameter::FlowAcousticQuality, RATE_HZ, 1.0),
                Channel::new(Parameter::BoardTemp, RATE_HZ, 1.0),
            ],
            link: Link::Closed { open_at: SampleTime::default(), wait: REOPEN_FIRST },
            assembler: Assembler::default(),
            lines: Vec::new(),
            last: None,
            is_warned: false,
        }
    }

    /// Opens the port when it is time to.
    fn open(&mut self, now: SampleTime) {
        let Link::Closed { open_at, wait } = self.link else { return };
        if now < open_at {
            return;
        }
        match Port::open(&self.path) {
            Ok(port) => {
                tracing::info!(port = %self.path.display(), "serial port opened");
                self.assembler = Assembler::default();
                self.is_warned = false;
                self.link = Link::Open { port, heard_at: now };
            }
            Err(error) => {
                if !self.is_warned {
                    let port = self.path.display();
                    tracing::warn!(%port, %error, "cannot open serial port; trying again");
                    self.is_warned = true;
                }
                let wait = (wait * 2).min(REOPEN_LAST);
                self.link = Link::Closed { open_at: now.plus(wait), wait };
            }
        }
    }

    /// Reads what has arrived into `lines`; notices when the port is gone.
    fn read(&mut self, now: SampleTime, out: &mut Batch) {
        let Link::Open { port, heard_at } = &mut self.link else { return };
        let mut buffer = [0; 512];
        let mut total = 0;
        while total < READ_BYTES_MAX {
            let bytes = match port.read(&mut buffer) {
                Read::Nothing => return,
                Read::Bytes(count) => buffer.get(..count).unwrap_or(&buffer),
                Read::Gone(error) => {
                    let port = self.path.display();
                    tracing::warn!(%port, %error, "serial port is gone; opening it again");
                    self.is_warned = true;
                    let open_at = now.plus(REOPEN_FIRST);
                    self.link = Link::Closed { open_at, wait: REOPEN_FIRST };
                    return;
                }
            };
            total += bytes.len();
            let lines = &mut self.lines;
            self.assembler.take(bytes, |found| match understand(found) {
                Ok(readings) => {
                    *heard_at = now;
                    if lines.len() == LINES_MAX {
                        lines.remove(0);
                        out.refused += 1;
                    }
                    lines.push(readings);
                }
                Err(error) => {
                    out.refused += 1;
                    tracing::debug!(%error, "line of the flow meter dropped");
                }
            });
        }
    }

    /// Delivers the lines that were read. All but the newest waited: they are dated back by the device's period.
    fn deliver(&mut self, now: SampleTime, out: &mut Batch) {
        let count = self.lines.len();
        for (index, readings) in self.lines.drain(..).enumerate() {
            let age = u32::try_from(count - 1 - index).unwrap_or(u32::MAX);
            let taken = now.minus(PERIOD.saturating_mul(age));
            // Times rise, whatever burst the driver of the port delivers.
            let after_last = self.last.map(|last| last.plus(Duration::from_micros(1)));
            let time = after_last.map_or(taken, |after| after.max(taken));
            self.last = Some(time);
            for (channel, reading) in readings.into_iter().enumerate() {
                out.push(channel, time, reading);
            }
        }
    }

    /// Says why there is nothing, at the rate at which there should be something.
    fn tell_silence(&mut self, now: SampleTime, out: &mut Batch) {
        let reason = match &self.link {
            Link::Closed { .. } => NoData::SensorOff,
            Link::Open { heard_at, .. } if now.since(*heard_at) >= SILENCE => NoData::CommLost,
            Link::Open { .. } => return,
        };
        if self.last.is_some_and(|last| now.since(last) < PERIOD) {
            return;
        }
        self.last = Some(now);
        for channel in [FLOW, QUALITY, BOARD] {
            out.push(channel, now, Reading::NoData(reason));
        }
    }
}

/// What a line says about the three channels.
fn understand(found: Found<'_>) -> Result<[Reading; CHANNELS], Refusal> {
    let line = match found {
        Found::Line(line) => parse(line)?,
        Found::Overlong => return Err(Refusal::Overlong),
    };
    Ok(match line {
        Line::Blank => [Reading::NoData(NoData::NotMeasured); CHANNELS],
        Line::Record(record) => {
            [record.flow_reading(), record.coupling_reading(), record.board_reading()]
        }
    })
}

/// Why a line is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("too long")]
    Overlong,
    #[error(transparent)]
    Line(#[from] LineError),
}

impl Sensor for Emtec {
    fn device(&self) -> &str {
        &self.device
    }

    fn source(&self) -> SourceKind {
        SourceKind::Measured
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn poll(&mut self, now: SampleTime, out: &mut Batch) {
        let was_open = matches!(self.link, Link::Open { .. });
        self.open(now);
        self.read(now, out);
        self.deliver(now, out);
        let is_open = matches!(self.link, Link::Open { .. });
        if was_open && !is_open {
            // Unplugged: told at once, not when the next line would have been due.
            let now = self.last.map_or(now, |last| now.max(last.plus(Duration::from_micros(1))));
            self.last = None;
            self.tell_silence(now, out);
        } else {
            self.tell_silence(now, out);
        }
    }
}
