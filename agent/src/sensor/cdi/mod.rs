//! The Terumo CDI 550 blood parameter monitor as a sensor, in packet mode or in ASCII mode.
//!
//! The monitor sends at the interval that is set on it. This driver only listens unless the settings say otherwise, and
//! then sends nothing but what [`allowed`] lists.

pub mod packet;

pub mod allowed;

pub mod value;

use core::time::Duration;

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::{NoData, Reading};
use ecmo_core::time::SampleTime;

use self::allowed::Allowed;
use self::packet::{Collector, Packet, PacketError};
use self::value::{TextLine, ValueError};
use super::assembler::{Assembler, Found};
use super::connection::Connection;
use super::serial_port::Access;
use super::silence::Silence;
use super::status::Link;
use super::{Batch, Channel, Sensor, SourceKind};
use crate::config::{Asking, CdiFormat, CdiSettings, GasUnit, Reply};

/// Intervals without data after which the monitor counts as not heard, as the maker's own time-out.
const SILENT_INTERVALS: u32 = 3;

/// What is allowed on top, for the time that a packet takes on the line.
const SILENCE_MARGIN: Duration = Duration::from_secs(1);

/// Longest line of text that is kept, in bytes: the header of all columns.
const LINE_BYTES_MAX: usize = 1024;

/// Most bytes read in one poll: half a second of the line at its greatest speed.
const READ_BYTES_MAX: usize = 8192;

/// The packet that the monitor sends when somebody returns from its recalibration screen.
const RECALIBRATED: u8 = b'3';

/// The monitor.
pub struct Cdi {
    device: String,
    channels: Vec<Channel>,
    connection: Connection,
    interval: Duration,
    gas: GasUnit,
    reader: Reader,
    /// When data came last, or the port was opened.
    heard_at: SampleTime,
    silence: Silence,
    /// The readings of one packet or line.
    readings: Vec<Reading>,
}

/// What understands the bytes.
enum Reader {
    Packet(PacketReader),
    Ascii(AsciiReader),
}

struct PacketReader {
    collector: Collector,
    fields: Vec<(u8, Parameter)>,
    reply: Reply,
    /// The last packet with data, and when it came.
    last: Vec<u8>,
    last_at: SampleTime,
}

struct AsciiReader {
    assembler: Assembler,
    columns: Vec<Option<Parameter>>,
    ask: Asking,
    ask_at: SampleTime,
}

/// What is to be told of something that was read.
enum Told {
    /// The readings of one packet or line.
    Readings,
    /// One reason for all channels.
    All(NoData),
}

/// Why bytes are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Packet(#[from] PacketError),
    #[error(transparent)]
    Value(#[from] ValueError),
    #[error("too long")]
    Overlong,
}

impl Cdi {
    /// A monitor. Its port is opened at the first poll and need not exist yet.
    #[must_use]
    pub fn new(settings: &CdiSettings) -> Self {
        let rate_hz = 1.0 / settings.interval.as_secs_f64();
        let parameters = settings.format.parameters();
        let channel = |parameter: &Parameter| Channel::new(*parameter, rate_hz, step(*parameter));
        let channels: Vec<_> = parameters.iter().map(channel).collect();
        let access = if settings.format.sends() { Access::Ask } else { Access::Listen };
        let (mode, reader) = match &settings.format {
            CdiFormat::Packet { fields, reply } => {
                ("packet", Reader::Packet(PacketReader::new(fields.clone(), *reply)))
            }
            CdiFormat::Ascii { columns, ask } => {
                let ask_at = SampleTime::default();
                let assembler = Assembler::new(LINE_BYTES_MAX);
                let columns = columns.clone();
                ("ASCII", Reader::Ascii(AsciiReader { assembler, columns, ask: *ask, ask_at }))
            }
        };
        Self {
            device: format!("Terumo CDI 550 on {}, {mode} mode", settings.port),
            silence: Silence::new(&channels),
            readings: Vec::with_capacity(channels.len()),
            channels,
            connection: Connection::new(settings.port.clone(), settings.line, access),
            interval: settings.interval,
            gas: settings.gas_unit,
            reader,
            heard_at: SampleTime::default(),
        }
    }

    /// Reads what has arrived and delivers it.
    fn read(&mut self, now: SampleTime, out: &mut Batch) {
        let mut buffer = [0; 512];
        let mut total = 0;
        while total < READ_BYTES_MAX {
            let Some(bytes) = self.connection.read(now, &mut buffer) else { return };
            total += bytes.len();
            let (silence, heard_at) = (&mut self.silence, &mut self.heard_at);
            let mut deliver = |told: Result<Told, Refusal>, readings: &[Reading]| match told {
                Ok(told) => {
                    *heard_at = now;
                    silence.end();
                    for (channel, reading) in readings.iter().enumerate() {
                        let reading = match told {
                            Told::Readings => *reading,
                            Told::All(reason) => Reading::NoData(reason),
                        };
                        out.push(channel, silence.rising(channel, now), reading);
                    }
                }
                Err(error) => {
                    out.refused += 1;
                    tracing::debug!(%error, "packet or line of the CDI 550 dropped");
                }
            };
            let (gas, readings) = (self.gas, &mut self.readings);
            match &mut self.reader {
                Reader::Packet(reader) => {
                    let half = self.interval / 2;
                    for byte in bytes {
                        let told = reader.take(*byte, now, half, gas, readings);
                        if let Some(answer) = told.answer {
                            send(&mut self.connection, &answer);
                        }
                        told.found.into_iter().for_each(|told| deliver(told, readings));
                    }
                }
                Reader::Ascii(AsciiReader { assembler, columns, .. }) => {
                    assembler.take(bytes, |found| {
                        let told = understand(found, columns, gas, readings);
                        told.into_iter().for_each(|told| deliver(told, readings));
                    });
                }
            }
        }
    }

    /// Asks for a line when one is due.
    fn ask(&mut self, now: SampleTime) {
        let Reader::Ascii(AsciiReader { ask: Asking::EachLine, ask_at, .. }) = &mut self.reader
        else {
            return;
        };
        if now >= *ask_at && self.connection.is_open() {
            // On its grid, unless the port was away.
            let next = ask_at.plus(self.interval);
            *ask_at = if next > now { next } else { now.plus(self.interval) };
            if let Some(request) = Allowed::request() {
                send(&mut self.connection, &request);
            }
        }
    }

    /// Says why there is nothing, at the rate at which there should be something.
    fn tell_silence(&mut self, now: SampleTime, out: &mut Batch) {
        let limit = self.interval.saturating_mul(SILENT_INTERVALS) + SILENCE_MARGIN;
        let is_silent = now.since(self.heard_at) >= limit;
        self.connection.note_silence(now, is_silent);
        if !self.connection.is_open() {
            self.silence.tell(NoData::SensorOff, now, out);
        } else if is_silent {
            self.silence.tell(NoData::CommLost, now, out);
        }
    }
}

/// Sends what is on the list, and nothing else can come here.
fn send(connection: &mut Connection, allowed: &Allowed) {
    if !connection.write(allowed.bytes()) {
        tracing::debug!("an answer to the CDI 550 was not sent; it sends the packet again");
    }
}

/// What one byte brought.
#[derive(Default)]
struct Taken {
    found: Option<Result<Told, Refusal>>,
    answer: Option<Allowed>,
}

impl PacketReader {
    fn new(fields: Vec<(u8, Parameter)>, reply: Reply) -> Self {
        let last = Vec::with_capacity(packet::PACKET_BYTES_MAX);
        let last_at = SampleTime::default();
        Self { collector: Collector::default(), fields, reply, last, last_at }
    }

    fn take(
        &mut self,
        byte: u8,
        now: SampleTime,
        resend_max: Duration,
        gas: GasUnit,
        readings: &mut Vec<Reading>,
    ) -> Taken {
        match self.collector.take(byte) {
            Ok(false) => return Taken::default(),
            Ok(true) => {}
            Err(error) => return Taken { found: Some(Err(error.into())), answer: None },
        }
        let bytes = self.collector.bytes();
        let packet = match Packet::parse(bytes) {
            Ok(packet) => packet,
            Err(error) => {
                // Its sequence may be what is wrong: asked for again by the number it seems to have.
                let sequence = bytes.get(2..4).and_then(|digits| str::from_utf8(digits).ok());
                let sequence = sequence.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                let answer = self.answers().then(|| Allowed::refusal(sequence.unwrap_or(0)));
                return Taken { found: Some(Err(error.into())), answer: answer.flatten() };
            }
        };
        // Others' packets, states, errors, and the question for the pump's flow, which is not ours to answer.
        if packet.device != b'X' || packet.command != b'A' || packet.subcommand > RECALIBRATED {
            return Taken::default();
        }
        let answer = self.answers().then(|| Allowed::acknowledgement(&packet)).flatten();
        let is_same = self.last == bytes;
        let age = now.since(self.last_at);
        if is_same && age < resend_max {
            // Sent again because an answer was lost.
            return Taken { found: None, answer };
        }
        let told = match value::of_packet(packet.data, &self.fields, gas, readings) {
            Err(error) => Err(error.into()),
            // The packet holds the monitor's time of day: the very same one is an old one.
            Ok(()) if is_same => Ok(Told::All(NoData::Stale)),
            Ok(()) if packet.subcommand == RECALIBRATED => Ok(Told::All(NoData::Calibrating)),
            Ok(()) => Ok(Told::Readings),
        };
        self.last.clear();
        self.last.extend(bytes);
        self.last_at = now;
        Taken { found: Some(told), answer }
    }

    const fn answers(&self) -> bool {
        matches!(self.reply, Reply::Acknowledge)
    }
}

/// What a line of text says; `None` for a header.
fn understand(
    found: Found<'_>,
    columns: &[Option<Parameter>],
    gas: GasUnit,
    readings: &mut Vec<Reading>,
) -> Option<Result<Told, Refusal>> {
    match found {
        Found::Overlong => Some(Err(Refusal::Overlong)),
        Found::Line(line) => match value::of_line(line, columns, gas, readings) {
            Ok(TextLine::Values) => Some(Ok(Told::Readings)),
            Ok(TextLine::Header) => None,
            Err(error) => Some(Err(error.into())),
        },
    }
}

/// Value of one count of a channel: finer than what the monitor shows.
fn step(parameter: Parameter) -> f64 {
    match parameter.info().unit {
        "[pH]" => 0.001,
        _coarser => 0.1,
    }
}

impl Sensor for Cdi {
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
            match &mut self.reader {
                Reader::Packet(reader) => reader.collector.clear(),
                Reader::Ascii(reader) => reader.assembler.clear(),
            }
            self.heard_at = now;
        }
        self.ask(now);
        self.read(now, out);
        self.tell_silence(now, out);
    }
}

#[cfg(test)]
mod tests;
