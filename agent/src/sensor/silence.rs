//! Tells why there are no samples: at once when the reason is new, then at the rate at which there should be some.

use core::time::Duration;

use ecmo_core::reading::{NoData, Reading};
use ecmo_core::time::SampleTime;

use super::{Batch, Channel};

/// How often the reason is said again for a channel without a rate: whoever came later must hear it too.
const AGAIN: Duration = Duration::from_secs(1);

/// Least step between two samples of a channel: twice the resolution of times in a frame, so that rounding keeps their order.
const STEP: Duration = Duration::from_micros(2);

/// The newest time of each channel of one sensor, and what is being told instead of samples.
///
/// Every sample of the sensor passes here, so that the times of one channel rise whatever is told in between. Never
/// allocates after it was made.
#[derive(Debug)]
pub struct Silence {
    channels: Vec<Told>,
    reason: Option<NoData>,
}

/// One channel.
#[derive(Debug)]
struct Told {
    period: Duration,
    last: Option<SampleTime>,
}

impl Silence {
    /// For the channels of a sensor.
    #[must_use]
    pub fn new(channels: &[Channel]) -> Self {
        let told = |channel: &Channel| Told { period: period(channel), last: None };
        Self { channels: channels.iter().map(told).collect(), reason: None }
    }

    /// Whether a sample may be delivered, because it is newer than what its channel delivered; notes it if so.
    pub fn accepts(&mut self, channel: usize, time: SampleTime) -> bool {
        let Some(told) = self.channels.get_mut(channel) else { return false };
        let is_newer = told.last.is_none_or(|last| time > last);
        if is_newer {
            told.last = Some(time);
        }
        is_newer
    }

    /// The time of a sample that was taken about then: moved behind the last one of its channel if need be; noted.
    pub fn rising(&mut self, channel: usize, time: SampleTime) -> SampleTime {
        let Some(told) = self.channels.get_mut(channel) else { return time };
        let time = told.last.map_or(time, |last| time.max(last.plus(STEP)));
        told.last = Some(time);
        time
    }

    /// Says for every channel why there is no sample, if it is due.
    pub fn tell(&mut self, reason: NoData, now: SampleTime, out: &mut Batch) {
        let is_new = self.reason != Some(reason);
        self.reason = Some(reason);
        for (channel, told) in self.channels.iter_mut().enumerate() {
            let time = match told.last {
                Some(last) if is_new => now.max(last.plus(STEP)),
                None => now,
                Some(last) => {
                    let due = last.plus(told.period);
                    if due > now {
                        continue;
                    }
                    // On the grid of the channel, unless this thread was stopped for longer than its period.
                    if now.since(due) < told.period { due } else { now }
                }
            };
            told.last = Some(time);
            out.push(channel, time, Reading::NoData(reason));
        }
    }

    /// Samples come again: the next reason will be told at once.
    pub const fn end(&mut self) {
        self.reason = None;
    }
}

/// Time between two samples of a channel.
#[must_use]
pub fn period(channel: &Channel) -> Duration {
    let is_rate = channel.rate_hz.is_finite() && channel.rate_hz > 0.0;
    let seconds = if is_rate { 1.0 / channel.rate_hz } else { AGAIN.as_secs_f64() };
    Duration::try_from_secs_f64(seconds).unwrap_or(AGAIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_core::parameter::Parameter;

    fn silence() -> Silence {
        Silence::new(&[
            Channel::new(Parameter::FlowBlood, 10.0, 1.0),
            Channel::new(Parameter::AirBubble, 0.0, 1.0),
        ])
    }

    #[test]
    fn a_new_reason_is_told_at_once_and_an_old_one_at_the_rate_of_each_channel() {
        let at = SampleTime::from_millis;
        let mut silence = silence();
        assert!(silence.accepts(0, at(995)));
        let mut out = Batch::default();
        for millis in (1000..3000).step_by(7) {
            silence.tell(NoData::SensorOff, at(millis), &mut out);
        }
        let times = |channel| {
            let of = out.samples.iter().filter(move |sample| sample.channel == channel);
            of.map(|sample| sample.time.as_nanos() / 1_000_000).collect::<Vec<_>>()
        };
        assert_eq!(times(0), (1000..3000).step_by(100).collect::<Vec<_>>());
        assert_eq!(times(1), [1000, 2000]);
        out.clear();
        silence.tell(NoData::CommLost, at(3000), &mut out);
        assert_eq!(out.samples.len(), 2, "another reason is said at once");
        silence.end();
        silence.tell(NoData::CommLost, at(3001), &mut out);
        assert_eq!(out.samples.len(), 4);
    }

    #[test]
    fn times_of_a_channel_rise_whatever_comes() {
        let at = SampleTime::from_millis;
        let mut silence = silence();
        let mut out = Batch::default();
        silence.tell(NoData::SensorOff, at(500), &mut out);
        assert!(!silence.accepts(0, at(500)) && !silence.accepts(0, at(400)));
        assert!(silence.accepts(0, at(501)));
        assert_eq!(silence.rising(0, at(100)).as_nanos(), 501_002_000);
        silence.tell(NoData::CommLost, at(400), &mut out);
        assert_eq!(out.samples[2].time.as_nanos(), 501_004_000);
        assert!(!silence.accepts(7, at(900)), "no such channel");
    }
}
