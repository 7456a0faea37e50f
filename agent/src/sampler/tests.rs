//! Tests of the sampler: joining sensors, edges, and the pace of its thread.

use super::*;
use crate::config::{EmtecSettings, SimulatedSettings, SourceSettings};
use crate::sensor;

/// A sensor that delivers one sample of each channel at every poll.
struct Each {
    channels: Vec<Channel>,
    source: SourceKind,
    value: f32,
}

impl Each {
    fn boxed(parameters: &[Parameter]) -> Box<dyn Sensor> {
        let channel = |parameter: &Parameter| Channel::new(*parameter, 100.0, 1.0);
        let channels = parameters.iter().map(channel).collect();
        Box::new(Self { channels, source: SourceKind::Measured, value: 1.0 })
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
fn a_late_tick_keeps_the_grid_and_counts_what_it_left_out() {
    let counters = Counters::default();
    let at = SampleTime::from_millis;
    let mut pace = Pace::new(at(0), TICK);
    assert_eq!(pace.begin(at(10), &counters), at(10));
    assert_eq!(pace.begin(at(24), &counters), at(20));
    assert_eq!(pace.begin(at(75), &counters), at(70));
    assert_eq!(pace.begin(at(80), &counters), at(80));
    let summary = counters.summary();
    assert_eq!((summary.ticks_missed, summary.ticks_late), (4, 2));
    assert_eq!(summary.tick_lateness_max_us, 45_000);
}

#[tokio::test]
async fn the_thread_ticks_on_its_grid_until_it_is_stopped() {
    let lineup = Lineup::new(vec![Each::boxed(&[Parameter::FlowBlood])]).unwrap();
    let counters = Arc::new(Counters::default());
    let (sender, mut times) = tokio::sync::mpsc::channel(1000);
    let sampler = Sampler::start(lineup, TICK, Arc::clone(&counters), move |tick| {
        sender.try_send(tick.time).unwrap();
    })
    .unwrap();
    let mut ticks = Vec::new();
    while ticks.len() < 20 {
        ticks.push(times.recv().await.unwrap());
    }
    sampler.stop().await.unwrap();
    let off_grid = |pair: &[SampleTime]| pair[1].since(pair[0]).as_nanos() % TICK.as_nanos();
    assert!(ticks.windows(2).all(|pair| pair[1] > pair[0] && off_grid(pair) == 0));
    let mut rest = 0;
    while times.recv().await.is_some() {
        rest += 1;
    }
    assert_eq!(counters.summary().samples, 20 + rest);
}

#[tokio::test]
async fn a_panic_of_the_thread_is_noticed() {
    let lineup = Lineup::new(vec![Each::boxed(&[Parameter::FlowBlood])]).unwrap();
    let mut sampler =
        Sampler::start(lineup, TICK, Arc::default(), |_| panic!("on purpose")).unwrap();
    sampler.ended().await;
    assert_eq!(sampler.stop().await, Err(SamplerPanicked));
}
