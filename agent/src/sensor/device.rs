//! An instrument on a thread of its own: it may be slow or hang, and the sampling thread never waits for it.
//!
//! The thread polls the driver and hands its samples over in a bounded ring. The other end is a sensor itself, which the
//! sampling thread polls: it takes what is there, and says "off" for the driver when that shows no sign of life.
//!
//! When the ring is full, which takes a sampling thread that stood still for [`STALL_MAX`] or more, the newest samples are
//! left out and counted as lost: one end of the ring cannot take back what the other may be reading.

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use ecmo_core::reading::NoData;
use ecmo_core::time::SampleTime;
use rtrb::{Consumer, Producer, RingBuffer};

use super::silence::Silence;
use super::status::{Link, SharedLink, SourceState};
use super::{Batch, Channel, Sample, Sensor, SourceKind};
use crate::clock;

/// Time between two polls of a driver that does not wait by itself: half of the time that a frame takes.
pub const PERIOD: Duration = Duration::from_millis(10);

/// A driver that shows no sign of life for so long hangs. A poll on a device's thread may wait, but less than half of this.
pub const HANG: Duration = Duration::from_millis(500);

/// How long the sampling thread may stand still before samples are lost.
pub const STALL_MAX: Duration = Duration::from_secs(2);

/// Least and greatest room of a ring, in samples: a burst of a device that was silent; 64 channels of 1 kHz for a second.
const ROOM_MIN: usize = 1024;
const ROOM_MAX: usize = 65_536;

/// Stack of a device's thread, in bytes. It stays in memory when the agent locks its memory.
const STACK_BYTES: usize = 256 * 1024;

/// How long the end of the thread is awaited when the sensor is dropped, so that its port is free again. A thread that
/// hangs is left behind.
const END_MAX: Duration = Duration::from_millis(100);

/// A sensor whose driver runs on a thread of its own.
pub struct Device {
    name: String,
    source: SourceKind,
    channels: Vec<Channel>,
    ring: Consumer<Sample>,
    silence: Silence,
    shared: Arc<Shared>,
    is_hung: bool,
    thread: Thread,
}

/// What both threads read and write besides the ring.
struct Shared {
    stop: AtomicBool,
    /// Last sign of life of the driver, in nanoseconds on the agent's clock.
    alive_ns: AtomicU64,
    link: SharedLink,
    /// Counted by the driver's thread, taken by the front.
    refused: AtomicU64,
    lost: AtomicU64,
}

/// The driver's thread.
enum Thread {
    /// Not started: the driver waits here, boxed because it is large.
    Waiting(Box<Driver>),
    Running(JoinHandle<()>),
    /// Could not be started.
    None,
}

/// What the thread owns.
struct Driver {
    sensor: Box<dyn Sensor>,
    period: Duration,
    ring: Producer<Sample>,
    shared: Arc<Shared>,
}

impl Device {
    /// Wraps a sensor, which is polled each `period` once it was started; zero when its `poll` waits by itself.
    #[must_use]
    pub fn new(sensor: Box<dyn Sensor>, period: Duration) -> Self {
        let channels = sensor.channels().to_vec();
        let (producer, ring) = RingBuffer::new(room(&channels));
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            alive_ns: AtomicU64::new(0),
            link: SharedLink::new(Link::NONE_YET),
            refused: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        });
        let (name, source) = (sensor.device().to_owned(), sensor.source());
        let driver = Driver { sensor, period, ring: producer, shared: Arc::clone(&shared) };
        Self {
            name,
            source,
            silence: Silence::new(&channels),
            channels,
            ring,
            shared,
            is_hung: false,
            thread: Thread::Waiting(Box::new(driver)),
        }
    }

    /// Hands out what the driver's thread put into the ring by now.
    fn deliver(&mut self, now: SampleTime, out: &mut Batch) {
        // Counted first: a thread that floods the ring does not keep this one here.
        for _ in 0..self.ring.slots() {
            // The clock goes on while a poll runs: what was taken after the tick's time belongs to the next tick.
            match self.ring.peek() {
                Ok(sample) if sample.time <= now => {}
                Ok(_) | Err(_) => return,
            }
            let Ok(sample) = self.ring.pop() else { return };
            if self.silence.accepts(sample.channel, sample.time) {
                out.samples.push(sample);
            } else {
                // Taken before the driver was given up and handed over after.
                out.lost += 1;
            }
        }
    }
}

impl Sensor for Device {
    fn device(&self) -> &str {
        &self.name
    }

    fn source(&self) -> SourceKind {
        self.source
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn start(&mut self) -> std::io::Result<()> {
        let driver = match core::mem::replace(&mut self.thread, Thread::None) {
            Thread::Waiting(driver) => driver,
            started @ (Thread::Running(_) | Thread::None) => {
                self.thread = started;
                return Ok(());
            }
        };
        // A thread that never comes to its first poll hangs too.
        self.shared.alive_ns.store(clock::now().as_nanos(), Ordering::Release);
        let builder = thread::Builder::new().name("ecmo-device".to_owned()).stack_size(STACK_BYTES);
        self.thread = Thread::Running(builder.spawn(move || driver.run())?);
        Ok(())
    }

    fn link(&self) -> Link {
        let link = self.shared.link.get();
        if self.is_hung { Link { state: SourceState::Off, ..link } } else { link }
    }

    fn poll(&mut self, now: SampleTime, out: &mut Batch) {
        // Read before the ring is: a driver that comes to life in between is late, never too early.
        let alive = SampleTime::from_nanos(self.shared.alive_ns.load(Ordering::Acquire));
        self.deliver(now, out);
        out.refused += self.shared.refused.swap(0, Ordering::Relaxed);
        out.lost += self.shared.lost.swap(0, Ordering::Relaxed);
        let is_hung = now.since(alive) >= HANG;
        if is_hung {
            self.silence.tell(NoData::SensorOff, now, out);
        } else {
            self.silence.end();
        }
        if is_hung != self.is_hung {
            self.is_hung = is_hung;
            let device = self.name.as_str();
            if is_hung {
                tracing::warn!(device, "the driver shows no sign of life: told as off");
            } else {
                tracing::info!(device, "the driver lives again");
            }
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let Thread::Running(thread) = &self.thread else { return };
        let end = clock::now().plus(END_MAX);
        while !thread.is_finished() && clock::now() < end {
            clock::sleep_until(clock::now().plus(Duration::from_millis(1)));
        }
    }
}

impl Driver {
    /// Polls until the front is gone.
    fn run(mut self) {
        let mut batch = Batch::default();
        let mut due = clock::now();
        while !self.shared.stop.load(Ordering::Relaxed) {
            let now = clock::now();
            self.live(now);
            self.sensor.poll(now, &mut batch);
            // The samples before the sign of life: whoever sees the driver live sees them too.
            self.hand_over(&mut batch);
            let now = clock::now();
            self.live(now);
            due = due.plus(self.period);
            if due < now {
                due = now;
            }
            clock::sleep_until(due);
        }
    }

    fn live(&self, now: SampleTime) {
        self.shared.alive_ns.store(now.as_nanos(), Ordering::Release);
    }

    fn hand_over(&mut self, batch: &mut Batch) {
        let now = clock::now();
        let mut lost = batch.lost;
        for mut sample in batch.samples.drain(..) {
            // A time to come would hold back everything behind it in the ring.
            sample.time = sample.time.min(now);
            if self.ring.push(sample).is_err() {
                lost += 1;
            }
        }
        self.shared.link.set(self.sensor.link());
        self.shared.refused.fetch_add(batch.refused, Ordering::Relaxed);
        self.shared.lost.fetch_add(lost, Ordering::Relaxed);
        batch.clear();
    }
}

/// Samples that a ring must hold: what the channels deliver while the sampling thread stands still.
fn room(channels: &[Channel]) -> usize {
    let rate: f64 = channels.iter().map(|channel| channel.rate_hz.max(1.0)).sum();
    let samples = rate * STALL_MAX.as_secs_f64();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float stops at the ends of the integer, and is bounded here"
    )]
    let samples = samples.ceil() as usize;
    samples.clamp(ROOM_MIN, ROOM_MAX)
}

#[cfg(test)]
mod tests;
