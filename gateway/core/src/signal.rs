//! Recent history of the signals that several rules look at together, in bins on the grid of the sample clock.

use core::time::Duration;

use crate::parameter::Parameter;
use crate::reading::Reading;
use crate::time::SampleTime;

/// Recent history of one pump's signals.
#[derive(Debug)]
pub(crate) struct Signals;

impl Signals {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn declare(&mut self, _parameter: Parameter, _spec: Option<Option<Duration>>) {}

    pub(crate) fn push(&mut self, _parameter: Parameter, _reading: Reading, _time: SampleTime) {}

    pub(crate) fn restart(&mut self) {}

    pub(crate) fn advance(&mut self, _published: SampleTime) -> Option<SampleTime> {
        None
    }
}
