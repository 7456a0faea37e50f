//! The em-tec BioProTT clamp-on flow meter as a sensor: listens on its serial port, survives unplugging, tells silence.
//!
//! The device sends a line every 100 ms unasked. This driver never sends a byte, so its allow-list is empty: some of the
//! device's commands alter the measurement, and stray characters can hang it. The port is opened for listening only, and
//! nothing in the settings chooses a table or a factor.

mod record;

use core::time::Duration;

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::{NoData, Reading};
use ecmo_core::time::SampleTime;

pub use record::{Field, Line, LineError, Record, parse};

use super::assembler::{Assembler, Found};
use super::connection::Connection;
use super::serial_port::Access;
use super::silence::Silence;
use super::status::Link;
use super::{Batch, Channel, Sensor, SourceKind};
use crate::config::{LineSettings, PortAddress};

/// The line as the maker sets it.
pub const LINE: LineSettings = LineSettings::eight_n_one(38_400);

/// Time between two lines of the device.
const PERIOD: Duration = Duration::from_millis(100);

/// Time between two lines of the device, as a rate.
const RATE_HZ: f64 = 10.0;

/// Silence after which the device counts as not heard: three lines that did not come.
const SILENCE: Duration = Duration::from_millis(350);

/// Longest line that is kept, in bytes; a record has about 60.
const LINE_BYTES_MAX: usize = 128;

/// Most bytes read in one poll: more than the line can carry between two polls of 10 ms, and than the kernel keeps.
const READ_BYTES_MAX: usize = 8192;

/// Most lines whose samples are kept of one poll; older ones are superseded by newer ones and counted as refused.
const LINES_MAX: usize = 32;

/// Number of channels, in the order of the birth: flow, quality, temperature of the board.
const CHANNELS: usize = 3;

/// The flow meter.
pub struct Emtec {
    device: String,
    channels: Vec<Channel>,
    connection: Connection,
    /// When the last whole line came, or the port was opened.
    heard_at: SampleTime,
    assembler: Assembler,
    /// Readings of the lines of one poll.
    lines: Vec<[Reading; CHANNELS]>,
    silence: Silence,
}

impl Emtec {
    /// A flow meter on this port. The port is opened at the first poll and need not exist yet.
    #[must_use]
    pub fn new(port: PortAddress) -> Self {
        let channels = vec![
            Channel::new(Parameter::FlowBlood, RATE_HZ, 1.0),
            Channel::new(Parameter::FlowAcousticQuality, RATE_HZ, 1.0),
            Channel::new(Parameter::BoardTemp, RATE_HZ, 1.0),
        ];
        Self {
            device: format!("em-tec BioProTT on {port}"),
            silence: Silence::new(&channels),
            channels,
            connection: Connection::new(port, LINE, Access::Listen),
            heard_at: SampleTime::default(),
            assembler: Assembler::new(LINE_BYTES_MAX),
            lines: Vec::with_capacity(LINES_MAX),
        }
    }

    /// Reads what has arrived into `lines`.
    fn read(&mut self, now: SampleTime, out: &mut Batch) {
        let mut buffer = [0; 512];
        let mut total = 0;
        while total < READ_BYTES_MAX {
            let Some(bytes) = self.connection.read(now, &mut buffer) else { return };
            total += bytes.len();
            let (lines, heard_at) = (&mut self.lines, &mut self.heard_at);
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
            self.silence.end();
            let age = u32::try_from(count - 1 - index).unwrap_or(u32::MAX);
            let taken = now.minus(PERIOD.saturating_mul(age));
            for (channel, reading) in readings.into_iter().enumerate() {
                // Times rise, whatever burst the driver of the port delivers.
                out.push(channel, self.silence.rising(channel, taken), reading);
            }
        }
    }

    /// Says why there is nothing, at the rate at which there should be something.
    fn tell_silence(&mut self, now: SampleTime, out: &mut Batch) {
        let is_silent = now.since(self.heard_at) >= SILENCE;
        self.connection.note_silence(now, is_silent);
        if !self.connection.is_open() {
            // An unplugged meter is told at once, not when the next line would have been due.
            self.silence.tell(NoData::SensorOff, now, out);
        } else if is_silent {
            self.silence.tell(NoData::CommLost, now, out);
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

    fn link(&self) -> Link {
        self.connection.link()
    }

    fn poll(&mut self, now: SampleTime, out: &mut Batch) {
        if self.connection.open(now) {
            self.assembler.clear();
            self.heard_at = now;
        }
        self.read(now, out);
        self.deliver(now, out);
        self.tell_silence(now, out);
    }
}

#[cfg(test)]
mod tests;
