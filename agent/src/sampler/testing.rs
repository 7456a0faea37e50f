//! A sensor for the tests of the sampler.

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;
use ecmo_core::time::SampleTime;

use crate::sensor::{Batch, Channel, Sensor, SourceKind};

/// A sensor that delivers one sample of each channel at every poll.
pub(super) struct Each {
    channels: Vec<Channel>,
    source: SourceKind,
    value: f32,
}

impl Each {
    pub(super) fn boxed(parameters: &[Parameter]) -> Box<dyn Sensor> {
        let channel = |parameter: &Parameter| Channel::new(*parameter, 100.0, 1.0);
        let channels = parameters.iter().map(channel).collect();
        Box::new(Self { channels, source: SourceKind::Measured, value: 1.0 })
    }

    pub(super) fn with(channel: Channel) -> Box<dyn Sensor> {
        Box::new(Self { channels: vec![channel], source: SourceKind::Measured, value: 1.0 })
    }
}

impl Sensor for Each {
    fn device(&self) -> &str {
        "each"
    }

    fn source(&self) -> SourceKind {
        self.source
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn poll(&mut self, now: SampleTime, out: &mut Batch) {
        for channel in 0..self.channels.len() {
            out.push(channel, now, Reading::Value(self.value));
        }
    }
}
