//! Samples all sensors of a pump at a fixed pace, on a thread of its own with absolute deadlines.

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;
use ecmo_core::time::SampleTime;
use tokio::sync::oneshot;

use crate::clock;
use crate::counters::Counters;
use crate::sensor::status::SourceStatus;
use crate::sensor::{Batch, Channel, Sensor, SourceKind};

/// Most channels of one agent, as the contract allows.
pub const CHANNELS_MAX: usize = 64;

/// Time between two ticks; shorter when frames are.
pub const TICK: Duration = Duration::from_millis(10);

/// A tick that begins later than this is counted as late.
const LATE: Duration = Duration::from_millis(1);

/// All sensors of one pump, with their channels in one list.
pub struct Lineup {
    sensors: Vec<Member>,
    channels: Vec<Channel>,
    source: SourceKind,
    /// The newest reading of each edge channel; `None` for the others and before the first.
    edges: Vec<Option<Reading>>,
    batch: Batch,
}

/// One sensor and where its channels begin in the list of all.
struct Member {
    sensor: Box<dyn Sensor>,
    first_channel: usize,
    status: Arc<SourceStatus>,
}

/// Why sensors cannot sample one pump together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineupError {
    /// No sensor, or sensors without channels.
    #[error("nothing to sample: add a [[source]]")]
    Empty,
    /// Too many channels.
    #[error("{0} channels, at most {CHANNELS_MAX} are allowed: remove a [[source]]")]
    TooMany(usize),
    /// Two sensors measure the same.
    #[error("{0} comes from two sources: a display could not tell them apart; remove one")]
    Repeated(&'static str),
    /// Measured and other samples under one name.
    #[error(
        "{first:?} and {other:?} sources in one pump: someone could take the one for the other; \
         give each kind a pump of its own"
    )]
    Mixed {
        /// Kind of the first source.
        first: SourceKind,
        /// Another kind.
        other: SourceKind,
    },
}

impl Lineup {
    /// Joins sensors.
    ///
    /// # Errors
    /// No channel, too many, one parameter twice, or measured and other samples mixed.
    pub fn new(sensors: Vec<Box<dyn Sensor>>) -> Result<Self, LineupError> {
        let mut channels = Vec::<Channel>::new();
        let mut members = Vec::new();
        let mut source = None;
        for sensor in sensors {
            let other = sensor.source();
            let first = *source.get_or_insert(other);
            if other != first {
                return Err(LineupError::Mixed { first, other });
            }
            let first_channel = channels.len();
            for channel in sensor.channels() {
                let is_there = |other: &Channel| other.parameter == channel.parameter;
                if channels.iter().any(is_there) {
                    return Err(LineupError::Repeated(channel.parameter.info().id));
                }
                channels.push(channel.clone());
            }
            let status = Arc::new(SourceStatus::new(sensor.device().to_owned()));
            members.push(Member { sensor, first_channel, status });
        }
        if channels.len() > CHANNELS_MAX {
            return Err(LineupError::TooMany(channels.len()));
        }
        match source {
            Some(source) if !channels.is_empty() => Ok(Self {
                sensors: members,
                edges: vec![None; channels.len()],
                channels,
                source,
                batch: Batch::default(),
            }),
            Some(_) | None => Err(LineupError::Empty),
        }
    }

    /// The channels of all sensors; samples point into this list.
    #[must_use]
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// The parameters that are sampled.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter> {
        self.channels.iter().map(|channel| channel.parameter)
    }

    /// Where the samples come from; the same for all sensors.
    #[must_use]
    pub const fn source(&self) -> SourceKind {
        self.source
    }

    /// The devices in words, joined.
    #[must_use]
    pub fn device(&self) -> String {
        let names: Vec<_> = self.sensors.iter().map(|member| member.sensor.device()).collect();
        names.join("; ")
    }

    /// The state of each source, in the order of the settings; written after each poll.
    #[must_use]
    pub fn statuses(&self) -> Vec<Arc<SourceStatus>> {
        self.sensors.iter().map(|member| Arc::clone(&member.status)).collect()
    }

    /// Starts the sensors that have a thread of their own.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn start(&mut self) -> Result<(), std::io::Error> {
        self.sensors.iter_mut().try_for_each(|member| member.sensor.start())
    }

    /// Polls every sensor.
    pub fn poll(&mut self, time: SampleTime) -> Tick<'_> {
        self.batch.clear();
        for member in &mut self.sensors {
            let begin = self.batch.samples.len();
            let (refused, lost) = (self.batch.refused, self.batch.lost);
            member.sensor.poll(time, &mut self.batch);
            let (refused, lost) = (self.batch.refused - refused, self.batch.lost - lost);
            member.status.note(member.sensor.link(), refused, lost);
            for sample in self.batch.samples.iter_mut().skip(begin) {
                sample.channel += member.first_channel;
            }
        }
        let has_edge = self.note_edges();
        Tick { time, batch: &self.batch, has_edge }
    }

    /// Whether an edge channel said something new. The first word of an edge channel is new.
    fn note_edges(&mut self) -> bool {
        let mut has_edge = false;
        for sample in &self.batch.samples {
            let is_edge = self.channels.get(sample.channel).is_some_and(Channel::is_edge);
            if let (true, Some(last)) = (is_edge, self.edges.get_mut(sample.channel)) {
                has_edge |= *last != Some(sample.reading);
                *last = Some(sample.reading);
            }
        }
        has_edge
    }
}

/// What one tick delivers.
#[derive(Debug, Clone, Copy)]
pub struct Tick<'a> {
    /// The tick's deadline: samples up to here are in.
    pub time: SampleTime,
    /// The samples.
    pub batch: &'a Batch,
    /// A bubble, level or mains channel said something new: it must leave at once.
    pub has_edge: bool,
}

/// A thread that samples until it is stopped or dropped.
#[derive(Debug)]
pub struct Sampler {
    stop: Arc<AtomicBool>,
    ended: oneshot::Receiver<()>,
    has_ended: bool,
    thread: Option<JoinHandle<()>>,
}

impl Sampler {
    /// Starts to sample; every tick is handed to `on_tick` on the sampler's thread, which must not block.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn start(
        mut lineup: Lineup,
        period: Duration,
        counters: Arc<Counters>,
        mut on_tick: impl FnMut(Tick<'_>) + Send + 'static,
    ) -> Result<Self, std::io::Error> {
        // From this thread: theirs must not inherit what the sampling thread is given.
        lineup.start()?;
        let stop = Arc::new(AtomicBool::new(false));
        let should_stop = Arc::clone(&stop);
        let (alive, ended) = oneshot::channel();
        let thread = thread::Builder::new().name("ecmo-sampler".to_owned()).spawn(move || {
            // Dropped when the thread ends in whatever way: that is how the end is noticed.
            let _alive: oneshot::Sender<()> = alive;
            let mut pace = Pace::new(clock::now(), period);
            while !should_stop.load(Ordering::Relaxed) {
                clock::sleep_until(pace.deadline);
                let time = pace.begin(clock::now(), &counters);
                let tick = lineup.poll(time);
                counters.samples.add(tick.batch.samples.len() as u64);
                counters.lines_refused.add(tick.batch.refused);
                counters.samples_lost.add(tick.batch.lost);
                on_tick(tick);
            }
        })?;
        Ok(Self { stop, ended, has_ended: false, thread: Some(thread) })
    }

    /// Waits until the thread has ended, which it does unasked only when it panics.
    pub async fn ended(&mut self) {
        // The sender is never used, only dropped.
        if !self.has_ended {
            let _sender_dropped = (&mut self.ended).await;
            self.has_ended = true;
        }
    }

    /// Stops the thread and waits for its end, at most about one tick.
    ///
    /// # Errors
    /// The thread panicked.
    pub async fn stop(mut self) -> Result<(), SamplerPanicked> {
        self.stop.store(true, Ordering::Relaxed);
        self.ended().await;
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(_panic)) => Err(SamplerPanicked),
            Some(Ok(())) | None => Ok(()),
        }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// The sampling thread panicked: a fault of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sampling thread panicked; see the log, and report it")]
pub struct SamplerPanicked;

/// The deadlines of a thread: on a grid, so that lateness does not add up.
#[derive(Debug)]
struct Pace {
    deadline: SampleTime,
    period: Duration,
}

impl Pace {
    fn new(now: SampleTime, period: Duration) -> Self {
        Self { deadline: now.plus(period), period }
    }

    /// Begins the tick that is due at `now`, and returns its time on the grid. Ticks that were slept through are left out:
    /// sensors deliver by time, so no sample is lost with them.
    fn begin(&mut self, now: SampleTime, counters: &Counters) -> SampleTime {
        let late = now.since(self.deadline);
        let period_ns = self.period.as_nanos().max(1);
        let missed = u32::try_from(late.as_nanos() / period_ns).unwrap_or(u32::MAX);
        let time = self.deadline.plus(self.period.saturating_mul(missed));
        self.deadline = time.plus(self.period);
        counters.ticks_missed.add(u64::from(missed));
        if late > LATE {
            counters.ticks_late.add(1);
        }
        counters.tick_lateness_max_us.raise_to(u64::try_from(late.as_micros()).unwrap_or(u64::MAX));
        time
    }
}

#[cfg(test)]
mod tests;
