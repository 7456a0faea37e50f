//! A Modbus slave as a sensor: asks for its registers at a rate, over a serial line or TCP, and tells silence and refusal.
//!
//! Why no Modbus library: on a serial line an answer carries nothing that names its question, so a master must know when a
//! late answer may still come and let it pass; the one library that was tried takes it for the answer to the next request,
//! waits for ever for a silent slave, and can write registers. What is left of the protocol for a reader is [`wire`].

pub mod wire;

pub mod plan;

pub mod decode;

use core::time::Duration;

use ecmo_core::reading::{NoData, Reading};
use ecmo_core::time::SampleTime;

use self::decode::Outcome;
use self::plan::Plan;
use self::wire::{ANSWER_BYTES_MAX, Answer, Framing};
use super::connection::Connection;
use super::serial_port::Access;
use super::silence::Silence;
use super::status::Link;
use super::{Batch, Channel, Sensor, SourceKind};
use crate::config::{ModbusChannel, ModbusSettings, Number, PortAddress, count_step};

/// Time between two polls of this driver: an answer is noticed this late at most.
pub const PERIOD: Duration = Duration::from_millis(2);

/// Periods without an answer after which a slave is not heard, in tenths: three polls that said nothing.
const SILENCE_TENTHS: u32 = 35;

/// How often a channel that is sent on change says its state again.
const AGAIN: Duration = Duration::from_secs(1);

/// How long a serial line must be quiet after something that was no answer.
const QUIET: Duration = Duration::from_millis(20);

/// A connection that was closed here and does not open again within this time is one that is off.
const REOPEN_MAX: Duration = Duration::from_millis(500);

/// A slave.
pub struct Modbus {
    device: String,
    channels: Vec<Channel>,
    members: Vec<Member>,
    plan: Plan,
    outcomes: Vec<Outcome>,
    connection: Connection,
    is_tcp: bool,
    timing: Timing,
    stage: Stage,
    transaction: u16,
    received: Vec<u8>,
    /// Begin of the present poll of the slave.
    begun: SampleTime,
    /// The connection was closed here, because what came was no Modbus, and when.
    given_up: Option<SampleTime>,
    is_warned: bool,
}

/// One channel: how it is read, and what it told.
struct Member {
    settings: ModbusChannel,
    silence: Silence,
    heard: SampleTime,
    told: Option<(SampleTime, Reading)>,
    is_delivered: bool,
}

#[derive(Debug, Clone, Copy)]
struct Timing {
    period: Duration,
    timeout: Duration,
    /// Pause between an answer and the next request.
    pause: Duration,
    /// Silence after which a channel is not heard.
    silence: Duration,
}

/// What the driver waits for.
#[derive(Debug, Clone, Copy)]
enum Stage {
    /// The time of a request; those before it are done.
    Next { request: usize, at: SampleTime },
    /// An answer.
    Asked { request: usize, at: SampleTime },
    /// A quiet line: what comes until then belongs to no request.
    Draining { next: usize, until: SampleTime },
}

impl Modbus {
    /// A slave; `name` is what a biomedical engineer calls it.
    #[must_use]
    pub fn new(name: &str, settings: &ModbusSettings) -> Self {
        let channels: Vec<Channel> =
            settings.channels.iter().map(|one| channel(one, settings.rate_hz)).collect();
        let members = settings.channels.iter().zip(&channels).map(|(settings, channel)| Member {
            settings: settings.clone(),
            silence: Silence::new(core::slice::from_ref(channel)),
            heard: SampleTime::default(),
            told: None,
            is_delivered: false,
        });
        let plan = Plan::new(settings);
        let period = Duration::from_secs_f64(1.0 / settings.rate_hz);
        let is_tcp = matches!(settings.link, PortAddress::Tcp(_));
        // 3.5 bytes of 11 bits, as the standard asks for.
        let pause = Duration::from_secs_f64(38.5 / f64::from(settings.line.baud.max(1)));
        Self {
            device: format!("{name}, slave {} on {}", settings.unit, settings.link),
            members: members.collect(),
            channels,
            outcomes: vec![Outcome::Open; plan.requests.len()],
            plan,
            connection: Connection::new(settings.link.clone(), settings.line, Access::Ask),
            is_tcp,
            timing: Timing {
                period,
                timeout: settings.timeout,
                pause: if is_tcp { Duration::ZERO } else { pause },
                silence: (period * SILENCE_TENTHS / 10).max(settings.timeout * 2 + period),
            },
            stage: Stage::Next { request: 0, at: SampleTime::default() },
            transaction: 0,
            received: Vec::with_capacity(2 * ANSWER_BYTES_MAX),
            begun: SampleTime::default(),
            given_up: None,
            is_warned: false,
        }
    }

    /// Goes on as far as it can without waiting.
    fn advance(&mut self, now: SampleTime, out: &mut Batch) {
        match self.stage {
            Stage::Next { request, at } if now >= at => self.ask(request, now),
            Stage::Next { .. } => {
                // Nothing was asked: what comes is no answer.
                if !self.received.is_empty() {
                    self.received.clear();
                    out.refused += 1;
                }
            }
            Stage::Asked { request, at } => self.await_answer(request, at, now, out),
            Stage::Draining { next, until } => {
                if !self.received.is_empty() {
                    self.received.clear();
                    let until = until.max(now.plus(QUIET));
                    self.stage = Stage::Draining { next, until };
                } else if now >= until {
                    self.follow(next, now);
                }
            }
        }
    }

    fn framing(&self) -> Framing {
        if self.is_tcp { Framing::Tcp { transaction: self.transaction } } else { Framing::Rtu }
    }

    fn ask(&mut self, request: usize, now: SampleTime) {
        if request == 0 {
            self.begun = now;
            self.outcomes.fill(Outcome::Open);
            self.members.iter_mut().for_each(|member| member.is_delivered = false);
        }
        let Some(wanted) = self.plan.requests.get(request) else { return };
        self.transaction = self.transaction.wrapping_add(1);
        self.received.clear();
        let bytes = wanted.encode(self.framing());
        // A request that could not be sent is one that is not answered.
        let _sent = self.connection.write(bytes.as_slice());
        self.stage = Stage::Asked { request, at: now };
    }

    fn await_answer(
        &mut self,
        request: usize,
        asked: SampleTime,
        now: SampleTime,
        out: &mut Batch,
    ) {
        let Some(wanted) = self.plan.requests.get(request) else { return };
        loop {
            match wanted.answer(self.framing(), &self.received) {
                Answer::Other { length } => {
                    let _late = self.received.drain(..length.min(self.received.len()));
                }
                Answer::Incomplete if now.since(asked) < self.timing.timeout => return,
                Answer::Incomplete => {
                    if !self.received.is_empty() {
                        out.refused += 1;
                    }
                    // Over TCP a late answer is known by its number; on a line it must be let pass.
                    if self.is_tcp && self.received.is_empty() {
                        self.follow(request + 1, now);
                    } else if self.is_tcp {
                        self.give_up(now);
                    } else {
                        let until = now.plus(self.timing.timeout);
                        self.stage = Stage::Draining { next: request + 1, until };
                    }
                    return;
                }
                Answer::Refused(refusal) => {
                    out.refused += 1;
                    tracing::debug!(device = self.device, %refusal, "no answer of the slave");
                    if self.is_tcp {
                        self.give_up(now);
                    } else {
                        let until = now.plus(QUIET);
                        self.stage = Stage::Draining { next: request + 1, until };
                    }
                    return;
                }
                Answer::Exception(code) => {
                    if !self.is_warned {
                        let (device, start) = (self.device.as_str(), wanted.start);
                        tracing::warn!(device, code, start, "the slave refuses: see the map");
                        self.is_warned = true;
                    }
                    self.note(request, Outcome::Exception(decode::of_exception(code)), now, out);
                    return;
                }
                Answer::Data(data) => {
                    let data = data.to_vec();
                    self.note(request, Outcome::Data(data), now, out);
                    return;
                }
            }
        }
    }

    /// Keeps what became of a request, delivers what is complete with it, and goes on.
    fn note(&mut self, request: usize, outcome: Outcome, now: SampleTime, out: &mut Batch) {
        if let Some(slot) = self.outcomes.get_mut(request) {
            *slot = outcome;
        }
        for (number, member) in self.members.iter_mut().enumerate() {
            if member.is_delivered {
                continue;
            }
            if let Some(reading) = decode::reading(&member.settings, &self.plan, &self.outcomes) {
                member.is_delivered = true;
                member.deliver(number, reading, now, out);
            }
        }
        self.received.clear();
        self.follow(request + 1, now);
    }

    /// The next request, or the next poll.
    fn follow(&mut self, next: usize, now: SampleTime) {
        let pause = now.plus(self.timing.pause);
        self.stage = if next < self.plan.requests.len() {
            Stage::Next { request: next, at: pause }
        } else {
            let due = self.begun.plus(self.timing.period);
            Stage::Next { request: 0, at: due.max(pause) }
        };
    }

    fn give_up(&mut self, now: SampleTime) {
        self.connection.give_up(now);
        self.given_up = Some(now);
    }

    fn read(&mut self, now: SampleTime) {
        let mut buffer = [0; ANSWER_BYTES_MAX];
        // More than two answers between two polls is noise: the rest waits, and the line is drained.
        while self.received.len() < ANSWER_BYTES_MAX {
            let Some(bytes) = self.connection.read(now, &mut buffer) else { return };
            self.received.extend_from_slice(bytes);
        }
    }

    fn tell_silence(&mut self, now: SampleTime, out: &mut Batch) {
        let mut is_silent = true;
        let is_open = self.connection.is_open();
        let is_ours = self.given_up.is_some_and(|at| now.since(at) < REOPEN_MAX);
        let reason = if is_open || is_ours { NoData::CommLost } else { NoData::SensorOff };
        for (number, member) in self.members.iter_mut().enumerate() {
            if is_open && now.since(member.heard) < self.timing.silence {
                is_silent = false;
                continue;
            }
            let begin = out.samples.len();
            member.silence.tell(reason, now, out);
            for sample in out.samples.iter_mut().skip(begin) {
                sample.channel = number;
                member.told = None;
            }
        }
        self.connection.note_silence(now, is_open && is_silent);
    }
}

impl Member {
    fn deliver(&mut self, number: usize, reading: Reading, now: SampleTime, out: &mut Batch) {
        self.heard = now;
        self.silence.end();
        let is_due = match self.told {
            Some((at, last)) if self.settings.on_change => {
                last != reading || now.since(at) >= AGAIN
            }
            Some(_) | None => true,
        };
        if is_due {
            let time = self.silence.rising(0, now);
            self.told = Some((time, reading));
            out.push(number, time, reading);
        }
    }
}

/// A channel as the birth declares it.
fn channel(settings: &ModbusChannel, rate_hz: f64) -> Channel {
    let rate_hz = if settings.on_change { 0.0 } else { rate_hz };
    let is_bit = matches!(settings.number, Number::Bit(_));
    let step = if is_bit { 1.0 } else { count_step(settings.parameter) };
    Channel {
        range: settings.scaling.range().cloned(),
        ..Channel::new(settings.parameter, rate_hz, step)
    }
}

impl Sensor for Modbus {
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
            self.received.clear();
            self.is_warned = false;
            self.given_up = None;
            self.members.iter_mut().for_each(|member| member.heard = now);
            self.stage = Stage::Next { request: 0, at: now };
        }
        self.read(now);
        if self.connection.is_open() {
            self.advance(now, out);
        }
        self.tell_silence(now, out);
    }
}

#[cfg(test)]
mod tests;
