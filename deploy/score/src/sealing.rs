//! Puts samples into frames as the agent does: one each 20 ms, one at once at an edge, blocks with an even spacing.

use core::time::Duration;

use ecmo_core::channel::ChannelSpec;
use ecmo_core::frame::{BootId, Frame, FrameStamp};
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;
use ecmo_core::time::{Instant, SampleTime};

use crate::source::{Sample, is_edge};

/// Time between two ticks of the agent's sampler.
pub const TICK: Duration = Duration::from_millis(10);

/// Time between two frames.
pub const FRAME: Duration = Duration::from_millis(20);

/// Most samples of one channel in a frame.
const BLOCK_SAMPLES_MAX: usize = 100;

/// The agent's monotonic clock at the start of a run; not the reader's, so that a confusion of the two shows.
const AGENT_START: Duration = Duration::from_secs(500);

/// The agent's wall clock when its monotonic clock began, in nanoseconds since 1970.
const WALL_START_NANOS: i64 = 1_790_000_000_000_000_000;

/// A moment of the run on the agent's monotonic clock.
#[must_use]
pub fn sample_time(at: Duration) -> SampleTime {
    SampleTime::default().plus(AGENT_START).plus(at)
}

/// The moment of the run that the agent's monotonic clock shows.
#[must_use]
pub fn run_time(time: SampleTime) -> Duration {
    time.since(SampleTime::default().plus(AGENT_START))
}

/// The agent's wall clock at a moment of the run, in nanoseconds since 1970.
#[must_use]
pub fn wall_nanos(at: Duration) -> i64 {
    let nanos = i64::try_from((AGENT_START + at).as_nanos()).unwrap_or(i64::MAX);
    WALL_START_NANOS.saturating_add(nanos)
}

/// Samples of one channel that wait for their frame.
#[derive(Debug, Default)]
struct Filling {
    start: Duration,
    last: Duration,
    interval: Duration,
    next_index: u64,
    readings: Vec<Reading>,
}

impl Filling {
    /// Whether a sample may join: blocks are evenly spaced, and bounded.
    fn fits(&self, at: Duration) -> bool {
        match self.readings.len() {
            0 => true,
            1 => at > self.last,
            BLOCK_SAMPLES_MAX.. => false,
            count => {
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                let expected = self.start + self.interval.saturating_mul(count);
                at > self.last && at.abs_diff(expected) <= self.interval / 4
            }
        }
    }

    fn add(&mut self, sample: &Sample) {
        if self.readings.is_empty() {
            self.start = sample.at;
            self.interval = Duration::ZERO;
        } else if self.readings.len() == 1 {
            self.interval = sample.at.saturating_sub(self.start);
        }
        self.last = sample.at;
        self.readings.push(sample.reading);
    }
}

/// The agent's framer.
#[derive(Debug)]
pub struct Sealer {
    frame: Frame,
    channels: Vec<(Parameter, Filling)>,
    /// Position of a parameter within `channels`.
    places: [Option<usize>; Parameter::COUNT],
    /// The newest reading of each detector's bit; `None` before the first.
    edges: Vec<Option<Reading>>,
    due: Duration,
    sequence: u64,
}

impl Sealer {
    /// Frames of one boot with these channels.
    #[must_use]
    pub fn new(boot: BootId, specs: &[ChannelSpec]) -> Self {
        let stamp = FrameStamp {
            published: SampleTime::default(),
            published_wall_ns: 0,
            received: Instant::default(),
        };
        let mut places = [None; Parameter::COUNT];
        for (place, spec) in specs.iter().enumerate() {
            if let Some(slot) = places.get_mut(spec.parameter.index()) {
                *slot = Some(place);
            }
        }
        Self {
            frame: Frame::new(boot, 0, stamp),
            channels: specs.iter().map(|spec| (spec.parameter, Filling::default())).collect(),
            places,
            edges: vec![None; specs.len()],
            due: FRAME,
            sequence: 0,
        }
    }

    /// Takes the samples of the tick at `now`; every finished frame goes to `out`.
    ///
    /// # Errors
    /// What `out` says.
    pub fn on_tick<E>(
        &mut self,
        now: Duration,
        samples: &[Sample],
        mut out: impl FnMut(&Frame) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut has_edge = false;
        for sample in samples {
            // A sample of a channel that no birth declares never leaves an agent.
            let Some(place) = self.places.get(sample.parameter.index()).copied().flatten() else {
                continue;
            };
            let fits = self.channels.get(place).is_none_or(|(_, filling)| filling.fits(sample.at));
            if !fits {
                out(self.seal(now))?;
            }
            if let Some((_, filling)) = self.channels.get_mut(place) {
                filling.add(sample);
            }
            if is_edge(sample.parameter)
                && let Some(last) = self.edges.get_mut(place)
            {
                has_edge |= last.replace(sample.reading) != Some(sample.reading);
            }
        }
        let is_due = now >= self.due;
        if is_due {
            self.due += FRAME;
        }
        if is_due || has_edge {
            out(self.seal(now))?;
        }
        Ok(())
    }

    /// Finishes the frame, with or without samples.
    fn seal(&mut self, now: Duration) -> &Frame {
        let stamp = FrameStamp {
            published: sample_time(now),
            published_wall_ns: wall_nanos(now),
            received: Instant::default(),
        };
        self.frame.begin(self.frame.boot, self.sequence, stamp);
        self.sequence += 1;
        for (parameter, filling) in &mut self.channels {
            if filling.readings.is_empty() {
                continue;
            }
            let count = u64::try_from(filling.readings.len()).unwrap_or(u64::MAX);
            let start = sample_time(filling.start);
            let readings = filling.readings.drain(..);
            self.frame.push(*parameter, filling.next_index, start, filling.interval, readings);
            filling.next_index += count;
        }
        &self.frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block: parameter, first index, start in ms, spacing in ms, number of samples.
    type Seen = (Parameter, u64, u64, u64, usize);

    fn seal(samples: &[(Parameter, u64, f32)], until: u64) -> Vec<(u64, Vec<Seen>)> {
        let specs = [Parameter::PressDrain, Parameter::AirBubble]
            .map(|parameter| ChannelSpec { parameter, interval: None });
        let mut sealer = Sealer::new(BootId::new(1).unwrap(), &specs);
        let mut seen = Vec::new();
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap();
        for now in (10..=until).step_by(10) {
            let due = samples.iter().filter(|(_, at, _)| (now - 9..=now).contains(at));
            let due: Vec<Sample> = due
                .map(|&(parameter, at, value)| Sample {
                    parameter,
                    at: Duration::from_millis(at),
                    reading: Reading::Value(value),
                })
                .collect();
            let note = |frame: &Frame| -> Result<(), ()> {
                let block = |(block, readings): (&ecmo_core::frame::Block, &[Reading])| {
                    let start = millis(run_time(block.start));
                    let spacing = millis(block.interval);
                    (block.parameter, block.first_index, start, spacing, readings.len())
                };
                let published = millis(run_time(frame.stamp.published));
                seen.push((published, frame.blocks().map(block).collect()));
                Ok(())
            };
            sealer.on_tick(Duration::from_millis(now), &due, note).unwrap();
        }
        seen
    }

    #[test]
    fn a_frame_leaves_each_20_ms_with_or_without_samples() {
        let drain = Parameter::PressDrain;
        let seen = seal(&[(drain, 10, -30.0), (drain, 20, -31.0), (drain, 30, -32.0)], 60);
        let expected =
            [(20, vec![(drain, 0, 10, 10, 2)]), (40, vec![(drain, 2, 30, 0, 1)]), (60, vec![])];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_change_of_a_detector_leaves_at_once_and_its_repetition_does_not() {
        let bubble = Parameter::AirBubble;
        let seen = seal(&[(bubble, 30, 0.0), (bubble, 50, 0.0), (bubble, 70, 1.0)], 80);
        let published: Vec<u64> = seen.iter().map(|(published, _)| *published).collect();
        assert_eq!(published, [20, 30, 40, 60, 70, 80]);
    }

    #[test]
    fn samples_that_are_unevenly_spaced_go_into_frames_of_their_own() {
        let drain = Parameter::PressDrain;
        let samples: Vec<_> = [11, 12, 13, 19].map(|at| (drain, at, -30.0)).into();
        let seen = seal(&samples, 20);
        assert_eq!(seen, [(20, vec![(drain, 0, 11, 1, 3)]), (20, vec![(drain, 3, 19, 0, 1)])]);
    }
}
