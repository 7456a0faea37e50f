//! Lines of samples as a sensor: from a file, a FIFO or a TCP server, as they come or in their own time.

pub mod parse;

mod input;

use core::time::Duration;

use ecmo_core::reading::{NoData, Reading};
use ecmo_core::time::SampleTime;

use self::input::{Got, Input};
use self::parse::{Parser, Row, Splitter};
use super::pace::Pace;
use super::silence::Silence;
use super::status::Link;
use super::table::{Cell, doubted};
use super::{Batch, Channel, Sensor, SourceKind};
use crate::config::{AtEnd, LineChannel, LinesSettings, PortAddress, count_step};

/// Most lines of one poll: 10 ms of the fastest stream, 25 times over. What is beyond waits in the system's buffer.
const LINES_MAX: usize = 256;

/// Bytes read at once.
const READ_BYTES: usize = 4096;

/// Lines that did not come, in tenths of the time between two, after which nothing is heard; and the least time for it.
const SILENCE_TENTHS: u32 = 35;
const SILENCE_MIN: Duration = Duration::from_millis(100);

/// How often a channel that is sent on change says its state again.
const AGAIN: Duration = Duration::from_secs(1);

/// How fast the clock of a device may run away from ours, in parts per million.
const DRIFT_PPM: u32 = 500;

/// A slow channel whose cell is empty for so many quarters of its period is not measured.
const OVERDUE_QUARTERS: u32 = 5;

/// A source of lines.
pub struct LineSource {
    device: String,
    kind: SourceKind,
    channels: Vec<Channel>,
    members: Vec<Member>,
    settings: LinesSettings,
    input: Input,
    parser: Parser,
    splitter: Splitter,
    /// Bytes that were read and not yet taken apart.
    bytes: Vec<u8>,
    taken: usize,
    timing: Timing,
    /// A line whose time has not come.
    waiting: Option<(Row, Duration)>,
    silence: Silence,
    heard: SampleTime,
    has_ended: bool,
    is_warned: bool,
}

/// One channel.
struct Member {
    settings: LineChannel,
    period: Duration,
    told: Option<(SampleTime, Reading)>,
}

/// How lines get their time.
#[derive(Debug)]
struct Timing {
    /// Time between two lines, at the speed at which they are played.
    period: Duration,
    pace: Pace,
    /// Lines since the start, or the time between the first and the newest one.
    rows: u32,
    first_nanos: Option<u64>,
    elapsed: Duration,
    /// What earlier rounds of a file took.
    rounds: Duration,
    /// The device's clock against ours, by the fastest line: its time, and when that was.
    fastest: Option<(u64, SampleTime)>,
    newest_nanos: Option<u64>,
}

impl LineSource {
    /// A source of lines. Nothing is opened before the first poll.
    #[must_use]
    pub fn new(settings: &LinesSettings) -> Self {
        let speed = settings.speed.unwrap_or(1.0);
        let channels: Vec<_> =
            settings.channels.iter().map(|one| channel(one, settings, speed)).collect();
        let members = settings.channels.iter().zip(&channels).map(|(settings, channel)| Member {
            settings: settings.clone(),
            period: super::silence::period(channel),
            told: None,
        });
        let is_file = match &settings.from {
            PortAddress::Serial(path) => path.is_file(),
            PortAddress::Tcp(_) => false,
        };
        let is_measured = settings.is_measured.unwrap_or(!is_file);
        Self {
            device: format!("lines from {}", settings.from),
            kind: if is_measured { SourceKind::Measured } else { SourceKind::Replayed },
            members: members.collect(),
            silence: Silence::new(&channels),
            channels,
            input: Input::new(&settings.from),
            parser: Parser::new(&settings.channels, settings.header.as_deref()),
            splitter: Splitter::default(),
            bytes: Vec::with_capacity(READ_BYTES),
            taken: 0,
            timing: Timing {
                period: Duration::from_secs_f64(1.0 / (settings.rate_hz * speed)),
                pace: Pace::default(),
                rows: 0,
                first_nanos: None,
                elapsed: Duration::ZERO,
                rounds: Duration::ZERO,
                fastest: None,
                newest_nanos: None,
            },
            waiting: None,
            heard: SampleTime::default(),
            has_ended: false,
            is_warned: false,
            settings: settings.clone(),
        }
    }

    /// Nothing of an earlier connection counts.
    fn begin(&mut self) {
        self.parser.begin();
        self.splitter.begin();
        self.bytes.clear();
        self.taken = 0;
        self.timing.fastest = None;
        self.timing.newest_nanos = None;
        if !self.input.is_file() && self.timing.rows > 0 {
            // A stream that is played begins its time anew; a file does so at its end.
            self.timing.next_round();
        }
    }

    /// The next line that is a row; `None` when there is none now.
    fn next_row(&mut self, now: SampleTime, out: &mut Batch) -> Option<Row> {
        for _ in 0..LINES_MAX {
            let line = self.next_line(now)?;
            match line.as_deref().map(|line| self.parser.line(line)) {
                Some(Ok(Some(row))) => {
                    self.is_warned = false;
                    return Some(row);
                }
                Some(Ok(None)) => {}
                Some(Err(problem)) => self.refuse(&problem.to_string(), out),
                None => self.refuse("too long", out),
            }
        }
        None
    }

    fn refuse(&mut self, problem: &str, out: &mut Batch) {
        out.refused += 1;
        if !self.is_warned {
            self.is_warned = true;
            tracing::warn!(device = self.device, problem, "line refused; more are only counted");
        }
    }

    /// The next whole line; `Some(None)` for one that was too long, `None` when there is none now.
    fn next_line(&mut self, now: SampleTime) -> Option<Option<Vec<u8>>> {
        loop {
            let rest = self.bytes.get(self.taken..).unwrap_or_default();
            if rest.is_empty() && !self.fill(now) {
                return None;
            }
            let rest = self.bytes.get(self.taken..).unwrap_or_default();
            let (count, is_whole) = self.splitter.take(rest);
            self.taken += count;
            if is_whole {
                return Some(self.splitter.finish());
            }
        }
    }

    /// Reads more bytes; false when there are none now.
    fn fill(&mut self, now: SampleTime) -> bool {
        if self.has_ended {
            return false;
        }
        self.bytes.resize(READ_BYTES, 0);
        self.taken = 0;
        let got = self.input.read(now, &mut self.bytes);
        match got {
            Got::Bytes(count) => self.bytes.truncate(count),
            Got::Nothing | Got::End => self.bytes.clear(),
        }
        match got {
            Got::Bytes(_) => true,
            Got::Nothing => false,
            Got::End => {
                self.end();
                false
            }
        }
    }

    fn end(&mut self) {
        if !self.input.is_file() {
            // Whoever writes the FIFO next begins anew.
            self.begin();
            return;
        }
        match self.settings.at_end {
            // A file without a row would be read for ever at full speed.
            AtEnd::Loop if self.timing.rows > 0 => {
                self.input.rewind();
                self.begin();
                self.timing.next_round();
            }
            AtEnd::Loop | AtEnd::Stop => {
                self.has_ended = true;
                tracing::info!(device = self.device, "the file has ended");
            }
        }
    }

    /// Lines that have their own time or pace: each when it is due.
    fn play(&mut self, speed: f64, now: SampleTime, out: &mut Batch) {
        for _ in 0..LINES_MAX {
            if self.waiting.is_none() {
                let Some(row) = self.next_row(now, out) else { return };
                let Some(elapsed) = self.timing.due_after(row.nanos, speed) else {
                    self.refuse("t_s runs backwards", out);
                    continue;
                };
                self.waiting = Some((row, elapsed));
            }
            let Some((row, elapsed)) = self.waiting.take() else { return };
            match self.timing.pace.due(now, elapsed) {
                Some(time) => self.deliver(&row, time, now, out),
                None => {
                    self.waiting = Some((row, elapsed));
                    return;
                }
            }
        }
    }

    /// Lines that count as they come.
    fn listen(&mut self, now: SampleTime, out: &mut Batch) {
        let mut rows = Vec::new();
        while rows.len() < LINES_MAX {
            let Some(row) = self.next_row(now, out) else { break };
            rows.push(row);
        }
        let count = rows.len();
        for (index, row) in rows.iter().enumerate() {
            let time = match row.nanos {
                Some(nanos) => self.timing.on_our_clock(nanos, now),
                // What came together waited together: dated back by the rate.
                None => {
                    let later = u32::try_from(count - 1 - index).unwrap_or(u32::MAX);
                    now.minus(self.timing.period.saturating_mul(later))
                }
            };
            self.deliver(row, time, now, out);
        }
    }

    fn deliver(&mut self, row: &Row, time: SampleTime, now: SampleTime, out: &mut Batch) {
        self.timing.rows = self.timing.rows.saturating_add(1);
        self.heard = now;
        self.silence.end();
        for (number, (member, cell)) in self.members.iter_mut().zip(&row.cells).enumerate() {
            if let Some(reading) = member.reading(*cell, time) {
                let time = self.silence.rising(number, time);
                member.told = Some((time, reading));
                out.push(number, time, reading);
            }
        }
    }

    fn tell_silence(&mut self, now: SampleTime, out: &mut Batch) {
        let limit = (self.timing.period * SILENCE_TENTHS / 10).max(SILENCE_MIN);
        let is_silent = self.waiting.is_none() && now.since(self.heard) >= limit;
        let reason = match (self.has_ended, self.input.is_open()) {
            (true, _) if is_silent => NoData::NotMeasured,
            (false, true) if is_silent => NoData::CommLost,
            (false, false) => NoData::SensorOff,
            (true | false, _) => return self.input.note_silence(now, false),
        };
        self.silence.tell(reason, now, out);
        self.members.iter_mut().for_each(|member| member.told = None);
        self.input.note_silence(now, reason == NoData::CommLost);
    }
}

impl Member {
    /// What a cell says at a time; `None` when it says nothing new.
    fn reading(&self, cell: Option<Cell>, time: SampleTime) -> Option<Reading> {
        let since = self.told.map(|(at, _)| time.since(at));
        let reading = match cell {
            Some(Cell::Number(number)) => self.settings.scaling.reading(number),
            Some(Cell::Doubted(number)) => doubted(self.settings.scaling.reading(number)),
            Some(Cell::NoData(reason)) => Reading::NoData(reason),
            // The channel is slower than the lines, and its time may not have come.
            Some(Cell::Empty) if self.settings.on_change => return None,
            Some(Cell::Empty)
                if self.settings.rate_hz.is_some()
                    && since.is_some_and(|since| since <= self.period * OVERDUE_QUARTERS / 4) =>
            {
                return None;
            }
            Some(Cell::Empty) => Reading::NoData(NoData::NotMeasured),
            // No such column: said at the channel's own rate.
            None if since.is_some_and(|since| since < self.period) => return None,
            None => Reading::NoData(NoData::NotMeasured),
        };
        let is_new = self.told.is_none_or(|(_, last)| last != reading);
        let is_due = is_new || since.is_none_or(|since| since >= AGAIN);
        (!self.settings.on_change || is_due).then_some(reading)
    }
}

impl Timing {
    /// How long after the first line this one is, as it is played; `None` when its time runs backwards.
    fn due_after(&mut self, nanos: Option<u64>, speed: f64) -> Option<Duration> {
        let within = match nanos {
            Some(nanos) => {
                let first = *self.first_nanos.get_or_insert(nanos);
                Duration::from_nanos(nanos.checked_sub(first)?).div_f64(speed)
            }
            None => self.period.saturating_mul(self.rows),
        };
        let elapsed = if nanos.is_some() { self.rounds.saturating_add(within) } else { within };
        let is_later = elapsed >= self.elapsed;
        self.elapsed = self.elapsed.max(elapsed);
        is_later.then_some(elapsed)
    }

    /// The file begins again, one period after its last line.
    fn next_round(&mut self) {
        self.rounds = self.elapsed.saturating_add(self.period);
        self.first_nanos = None;
    }

    /// The time of a line on our clock: by the line that came fastest so far, loosened by what clocks may drift. A line
    /// that waited on its way is as old as it is; a device whose clock was set back begins anew.
    fn on_our_clock(&mut self, nanos: u64, now: SampleTime) -> SampleTime {
        if self.newest_nanos.is_some_and(|newest| nanos < newest) {
            self.fastest = None;
        }
        self.newest_nanos = Some(nanos);
        let (fastest, at) = *self.fastest.get_or_insert((nanos, now));
        let drift = now.since(at) / 1_000_000 * DRIFT_PPM;
        let mapped = at.plus(Duration::from_nanos(nanos.saturating_sub(fastest))).plus(drift);
        if mapped >= now {
            self.fastest = Some((nanos, now));
            return now;
        }
        mapped
    }
}

fn channel(settings: &LineChannel, source: &LinesSettings, speed: f64) -> Channel {
    let rate_hz = settings.rate_hz.unwrap_or(source.rate_hz) * speed;
    let rate_hz = if settings.on_change { 0.0 } else { rate_hz };
    Channel {
        range: settings.scaling.range().cloned(),
        ..Channel::new(settings.parameter, rate_hz, count_step(settings.parameter))
    }
}

impl Sensor for LineSource {
    fn device(&self) -> &str {
        &self.device
    }

    fn source(&self) -> SourceKind {
        self.kind
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn link(&self) -> Link {
        self.input.link()
    }

    fn poll(&mut self, now: SampleTime, out: &mut Batch) {
        if self.input.open(now) {
            self.begin();
            self.waiting = None;
            self.heard = now;
        }
        let speed = self.settings.speed.or_else(|| self.input.is_file().then_some(1.0));
        match speed {
            Some(speed) => self.play(speed, now, out),
            None => self.listen(now, out),
        }
        self.tell_silence(now, out);
    }
}

#[cfg(test)]
mod tests;
