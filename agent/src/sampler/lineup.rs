//! All sensors of one pump, polled together.

use core::time::Duration;
use std::sync::Arc;

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;
use ecmo_core::time::SampleTime;

use crate::sensor::status::SourceStatus;
use crate::sensor::{Batch, Channel, Sensor, SourceKind};

/// Most channels of one agent, as the contract allows.
pub const CHANNELS_MAX: usize = 64;

/// Longest time between two ticks: how long a word that a device sends on change may wait to be read.
const TICK_MAX: Duration = Duration::from_millis(10);

/// Shortest time between two ticks when the settings name none: that of the fastest source which is promised.
const TICK_MIN: Duration = Duration::from_millis(1);

/// How much time a sensor catches up with in one poll after the thread was held up: what a source that makes its own samples
/// does, and a quarter more.
const BURST: Duration = Duration::from_millis(2500);

/// Most samples of a channel for which room is kept, whatever rate it claims.
const SAMPLES_MAX: f64 = 10_000.0;

/// Samples of a channel that is sent on change, for which no rate says how many to expect.
const ON_CHANGE_HZ: f64 = 10.0;

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
                batch: Batch::with_capacity(samples_in(&channels, BURST)),
                channels,
                source,
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

    /// Time between two ticks that suits the fastest channel.
    #[must_use]
    pub fn tick(&self) -> Duration {
        let fastest = self.channels.iter().map(|channel| channel.rate_hz).fold(0.0, f64::max);
        let period = if fastest > 0.0 { Duration::from_secs_f64(1.0 / fastest) } else { TICK_MAX };
        period.clamp(TICK_MIN, TICK_MAX)
    }

    /// Most samples that one poll is expected to deliver; more are taken, for the price of an allocation.
    #[must_use]
    pub fn burst(&self) -> usize {
        self.samples_in(BURST)
    }

    /// Samples that are expected in some time.
    #[must_use]
    pub fn samples_in(&self, time: Duration) -> usize {
        samples_in(&self.channels, time)
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

/// Samples of all channels that are expected in some time.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are above 0")]
fn samples_in(channels: &[Channel], time: Duration) -> usize {
    let of_one = |channel: &Channel| {
        let rate_hz = if channel.rate_hz > 0.0 { channel.rate_hz } else { ON_CHANGE_HZ };
        (rate_hz * time.as_secs_f64()).ceil().min(SAMPLES_MAX) as usize
    };
    channels.iter().map(of_one).sum()
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

#[cfg(test)]
mod tests {
    use super::super::testing::Each;
    use super::*;
    use crate::config::{EmtecSettings, SimulatedSettings, SourceSettings};
    use crate::sensor;

    #[test]
    fn the_channels_of_several_sensors_stand_in_one_list() {
        let sensors = vec![
            Each::boxed(&[Parameter::PressDrain, Parameter::PressPre]),
            Each::boxed(&[Parameter::FlowBlood]),
        ];
        let mut lineup = Lineup::new(sensors).unwrap();
        let expected = [Parameter::PressDrain, Parameter::PressPre, Parameter::FlowBlood];
        assert_eq!(lineup.parameters().collect::<Vec<_>>(), expected);
        assert_eq!(lineup.device(), "each; each");
        let tick = lineup.poll(SampleTime::from_millis(10));
        let channels: Vec<_> = tick.batch.samples.iter().map(|sample| sample.channel).collect();
        assert_eq!(channels, [0, 1, 2]);
        assert!(!tick.has_edge);
    }

    #[test]
    fn an_edge_is_a_new_word_of_an_edge_channel_and_not_its_repetition() {
        let mut lineup = Lineup::new(vec![Each::boxed(&[Parameter::AirBubble])]).unwrap();
        assert!(lineup.poll(SampleTime::from_millis(10)).has_edge);
        assert!(!lineup.poll(SampleTime::from_millis(20)).has_edge);
    }

    #[test]
    fn sensors_that_do_not_go_together_are_refused() {
        let flow = || Each::boxed(&[Parameter::FlowBlood]);
        let refused = |sensors| Lineup::new(sensors).err().map(|error| error.to_string()).unwrap();
        assert!(refused(vec![]).contains("add a [[source]]"));
        assert!(refused(vec![flow(), flow()]).contains("flow.blood comes from two sources"));
        let simulated = sensor::build(&[SourceSettings::Simulated(SimulatedSettings::healthy(1))]);
        let mixed = vec![flow(), simulated.unwrap().remove(0)];
        assert!(refused(mixed).contains("a pump of its own"));
        let emtec = SourceSettings::Emtec(EmtecSettings { port: "/dev/null".parse().unwrap() });
        let two = sensor::build(&[emtec.clone(), emtec]).unwrap();
        assert!(refused(two).contains("flow.blood comes from two"));
    }

    #[test]
    fn the_tick_suits_the_fastest_channel() {
        let lineup = |rate_hz| {
            let channel = Channel::new(Parameter::FlowBlood, rate_hz, 1.0);
            Lineup::new(vec![Each::with(channel)]).unwrap()
        };
        for (rate_hz, tick_us) in
            [(0.0, 10_000), (10.0, 10_000), (250.0, 4_000), (1000.0, 1_000), (1e9, 1_000)]
        {
            assert_eq!(lineup(rate_hz).tick().as_micros(), tick_us, "{rate_hz}");
        }
        assert_eq!((lineup(1000.0).burst(), lineup(0.0).burst()), (2500, 25));
    }
}
