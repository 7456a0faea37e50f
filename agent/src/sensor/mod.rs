//! What every source of samples has in common: it describes its channels and delivers what is due.

mod pace;

pub mod simulated;

pub mod recording;

pub mod replay;

pub mod emtec;

use core::ops::RangeInclusive;

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;
use ecmo_core::time::SampleTime;

use crate::config::SourceSettings;

/// One source of samples: a device, a recording or a simulation.
pub trait Sensor: Send {
    /// The device in words a biomedical engineer knows.
    fn device(&self) -> &str;

    /// Where the samples come from.
    fn source(&self) -> SourceKind;

    /// The channels; samples point into this list, which never changes.
    fn channels(&self) -> &[Channel];

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
}

impl Batch {
    /// A batch with memory for so many samples.
    #[must_use]
    pub fn with_capacity(samples: usize) -> Self {
        Self { samples: Vec::with_capacity(samples), refused: 0 }
    }

    /// Adds a sample.
    pub fn push(&mut self, channel: usize, time: SampleTime, reading: Reading) {
        self.samples.push(Sample { channel, time, reading });
    }

    /// Forgets what was delivered and keeps the memory.
    pub fn clear(&mut self) {
        self.samples.clear();
        self.refused = 0;
    }
}

/// Makes the sensors of a list of sources. Opens no port: a device may be plugged in later.
///
/// # Errors
/// A recording that cannot be read.
pub fn build(
    sources: &[SourceSettings],
) -> Result<Vec<Box<dyn Sensor>>, recording::RecordingError> {
    sources
        .iter()
        .map(|source| -> Result<Box<dyn Sensor>, recording::RecordingError> {
            Ok(match source {
                SourceSettings::Simulated(settings) => {
                    Box::new(simulated::Simulated::new(settings))
                }
                SourceSettings::Replay(settings) => Box::new(replay::Replay::load(settings)?),
                SourceSettings::Emtec(settings) => {
                    Box::new(emtec::Emtec::new(settings.port.clone()))
                }
            })
        })
        .collect()
}
