//! A sensor that is another one, and notes how late each of its polls begins.

use std::sync::mpsc;
use std::time::Duration;

use ecmo_agent::clock;
use ecmo_agent::sensor::status::Link;
use ecmo_agent::sensor::{Batch, Channel, Sensor, SourceKind};
use ecmo_core::time::SampleTime;

/// The sensor and its lateness so far.
pub(crate) struct Stopwatch {
    sensor: Box<dyn Sensor>,
    tick: Duration,
    due: Option<SampleTime>,
    late_us: Vec<u32>,
    told: mpsc::SyncSender<Vec<u32>>,
}

impl Stopwatch {
    /// A stopwatch for so many polls; what it noted is told when it is dropped.
    pub(crate) fn new(
        sensor: Box<dyn Sensor>,
        tick: Duration,
        polls: usize,
        told: mpsc::SyncSender<Vec<u32>>,
    ) -> Self {
        Self { sensor, tick, due: None, late_us: Vec::with_capacity(polls), told }
    }
}

impl Sensor for Stopwatch {
    fn device(&self) -> &str {
        self.sensor.device()
    }

    fn source(&self) -> SourceKind {
        self.sensor.source()
    }

    fn channels(&self) -> &[Channel] {
        self.sensor.channels()
    }

    fn start(&mut self) -> std::io::Result<()> {
        self.sensor.start()
    }

    fn link(&self) -> Link {
        self.sensor.link()
    }

    fn poll(&mut self, now: SampleTime, out: &mut Batch) {
        // Against the tick that follows the one before: ticks that are left out count as the lateness that they are.
        let late = clock::now().since(self.due.unwrap_or(now));
        self.due = Some(now.plus(self.tick));
        if self.late_us.len() < self.late_us.capacity() {
            self.late_us.push(u32::try_from(late.as_micros()).unwrap_or(u32::MAX));
        }
        self.sensor.poll(now, out);
    }
}

impl Drop for Stopwatch {
    fn drop(&mut self) {
        // Nobody listens when the bench has failed already.
        let _or_failed = self.told.send(std::mem::take(&mut self.late_us));
    }
}
