//! What every source of samples has in common: it describes its channels and delivers what is due.

mod pace;

pub mod status;

pub mod silence;

pub mod device;

pub mod assembler;

pub mod serial_port;

pub mod connection;

pub mod simulated;

pub mod table;

pub mod recording;

pub mod replay;

pub mod emtec;

pub mod cdi;

pub mod modbus;

pub mod line;

pub mod iio;

use core::ops::RangeInclusive;

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;
use ecmo_core::time::SampleTime;

use self::device::Device;
use self::status::Link;
use crate::config::{IioMode, SourceSettings};

/// One source of samples: a device, a recording or a simulation.
pub trait Sensor: Send {
    /// The device in words a biomedical engineer knows.
    fn device(&self) -> &str;

    /// Where the samples come from.
    fn source(&self) -> SourceKind;

    /// The channels; samples point into this list, which never changes.
    fn channels(&self) -> &[Channel];

    /// Begins to work: starts the thread of an instrument that has one. Called once, before the first poll.
    ///
    /// # Errors
    /// The system refuses another thread.
    fn start(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    /// What the connection to the instrument does, as of the last poll.
    fn link(&self) -> Link {
        Link::BUILT_IN
    }

    /// Delivers every sample that is due up to `now` and was not delivered before, each with its own time.
    ///
    /// The times of one channel rise. Never blocks: the sampling thread serves all sensors of the pump. A sensor that
    /// cannot measure delivers [`Reading::NoData`] at its nominal rate, so that its silence is told and not guessed.
    fn poll(&mut self, now: SampleTime, out: &mut Batch);
}

/// One channel of a sensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// What is measured, and with it the unit.
    pub parameter: Parameter,
    /// Nominal samples per second; 0 for a channel that is sent on change.
    pub rate_hz: f64,
    /// Value of one count, in the unit; finite and above 0.
    pub scale: f64,
    /// Value of count 0, in the unit; finite.
    pub offset: f64,
    /// What the sensor can measure, in the unit; `None` when unknown.
    pub range: Option<RangeInclusive<f64>>,
}

impl Channel {
    /// A channel whose counts are multiples of `scale`.
    #[must_use]
    pub const fn new(parameter: Parameter, rate_hz: f64, scale: f64) -> Self {
        Self { parameter, rate_hz, scale, offset: 0.0, range: None }
    }

    /// Whether a change must leave at once instead of with the next frame.
    #[must_use]
    pub const fn is_edge(&self) -> bool {
        matches!(
            self.parameter,
            Parameter::AirBubble
                | Parameter::AirVenous
                | Parameter::LevelReservoir
                | Parameter::PowerMains
        )
    }
}

/// Where samples come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// A sensor on a patient's circuit.
    Measured,
    /// A simulator.
    Simulated,
    /// A recording.
    Replayed,
}

/// One sample of one channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Position in the list of channels.
    pub channel: usize,
    /// When it was taken.
    pub time: SampleTime,
    /// The value, or why there is none.
    pub reading: Reading,
}

/// What a poll delivers; its buffer is used again, so that sampling does not allocate.
#[derive(Debug, Default)]
pub struct Batch {
    /// The samples; of one channel in the order of their times.
    pub samples: Vec<Sample>,
    /// Lines or packets of the device that could not be understood.
    pub refused: u64,
    /// Samples that an instrument's thread took and could not hand over.
    pub lost: u64,
}

impl Batch {
    /// A batch with memory for so many samples.
    #[must_use]
    pub fn with_capacity(samples: usize) -> Self {
        Self { samples: Vec::with_capacity(samples), ..Self::default() }
    }

    /// Adds a sample.
    pub fn push(&mut self, channel: usize, time: SampleTime, reading: Reading) {
        self.samples.push(Sample { channel, time, reading });
    }

    /// Forgets what was delivered and keeps the memory.
    pub fn clear(&mut self) {
        self.samples.clear();
        self.refused = 0;
        self.lost = 0;
    }
}

/// Makes the sensors of a list of sources. Opens no port and starts no thread: a device may be plugged in later.
///
/// What comes over a line or from another machine runs on a thread of its own ([`Device`]); what this program makes itself
/// is polled directly.
///
/// # Errors
/// A recording that cannot be read.
pub fn build(
    sources: &[SourceSettings],
) -> Result<Vec<Box<dyn Sensor>>, recording::RecordingError> {
    sources.iter().map(build_one).collect()
}

fn build_one(source: &SourceSettings) -> Result<Box<dyn Sensor>, recording::RecordingError> {
    Ok(match source {
        SourceSettings::Simulated(settings) => Box::new(simulated::Simulated::new(settings)),
        SourceSettings::Replay(settings) => Box::new(replay::Replay::load(settings)?),
        SourceSettings::Cdi(settings) => on_thread(cdi::Cdi::new(settings)),
        SourceSettings::Emtec(settings) => on_thread(emtec::Emtec::new(settings.port.clone())),
        SourceSettings::Line(settings) => on_thread(line::LineSource::new(settings)),
        SourceSettings::Iio(settings) => match settings.mode {
            // Cheap and never waiting: on the sampling thread, so that the samples have its steady times.
            IioMode::Sysfs => Box::new(iio::sysfs::Sysfs::new(settings)),
            IioMode::Buffer { .. } => on_thread(iio::buffer::Buffered::new(settings)),
        },
        SourceSettings::Modbus(settings) => {
            on_thread_each(modbus::Modbus::new("Modbus", settings), modbus::PERIOD)
        }
        SourceSettings::Leviflow(settings) => on_thread_each(
            modbus::Modbus::new("Levitronix LeviFlow (map unreviewed)", &settings.0),
            modbus::PERIOD,
        ),
    })
}

/// A driver on a thread of its own, polled every [`device::PERIOD`].
fn on_thread(driver: impl Sensor + 'static) -> Box<dyn Sensor> {
    on_thread_each(driver, device::PERIOD)
}

/// A driver on a thread of its own, polled at a period of its own.
fn on_thread_each(driver: impl Sensor + 'static, period: core::time::Duration) -> Box<dyn Sensor> {
    Box::new(Device::new(Box::new(driver), period))
}
