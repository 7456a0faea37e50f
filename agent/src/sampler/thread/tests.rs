//! Tests of the sampling thread: its grid, its end, and that a tick allocates nothing.

use super::super::ring::ring;
use super::super::testing::Each;
use super::*;
use crate::config::{EmtecSettings, SamplingSettings, SimulatedSettings, SourceSettings};
use crate::sensor::{self, Batch, Channel, Sensor, SourceKind};
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;

const FRAME: Duration = Duration::from_millis(20);

fn plan(tick: Duration) -> Plan {
    Plan { tick, realtime: false, why_not_realtime: "a test", cpu: None }
}

#[tokio::test]
async fn the_thread_ticks_on_its_grid_until_it_is_stopped() {
    let lineup = Lineup::new(vec![Each::boxed(&[Parameter::FlowBlood])]).unwrap();
    let counters = Arc::new(Counters::default());
    let tick = Duration::from_millis(10);
    let (sender, mut ring) = ring(&lineup, tick, FRAME);
    let sampler = Sampler::start(lineup, plan(tick), sender, Arc::clone(&counters)).unwrap();
    assert_eq!(counters.sampling().limitation, "a test");
    let mut ticks = Vec::new();
    while ticks.len() < 20 {
        match ring.take() {
            Some(tick) => ticks.push(tick.time),
            None => tokio::time::sleep(tick).await,
        }
    }
    sampler.stop().await.unwrap();
    let off_grid = |pair: &[SampleTime]| pair[1].since(pair[0]).as_nanos() % tick.as_nanos();
    assert!(ticks.windows(2).all(|pair| pair[1] > pair[0] && off_grid(pair) == 0));
    let mut rest = 0;
    while ring.take().is_some() {
        rest += 1;
    }
    assert!(ring.is_over());
    assert_eq!(counters.summary().samples, 20 + rest);
    assert_eq!(counters.sampling().lateness.iter().sum::<u64>(), counters.ticks.get());
}

/// A sensor that breaks.
struct Broken(Vec<Channel>);

impl Sensor for Broken {
    fn device(&self) -> &str {
        "broken"
    }

    fn source(&self) -> SourceKind {
        SourceKind::Measured
    }

    fn channels(&self) -> &[Channel] {
        &self.0
    }

    fn poll(&mut self, _now: SampleTime, _out: &mut Batch) {
        panic!("on purpose");
    }
}

#[tokio::test]
async fn a_panic_of_the_thread_is_noticed_at_both_ends() {
    let channels = vec![Channel::new(Parameter::FlowBlood, 10.0, 1.0)];
    let lineup = Lineup::new(vec![Box::new(Broken(channels))]).unwrap();
    let tick = Duration::from_millis(1);
    let (sender, ring) = ring(&lineup, tick, FRAME);
    let mut sampler = Sampler::start(lineup, plan(tick), sender, Arc::default()).unwrap();
    sampler.ended().await;
    assert!(ring.is_over());
    assert_eq!(sampler.stop().await, Err(Panicked("ecmo-sampler")));
}

#[test]
fn what_the_settings_leave_open_follows_the_sensors() {
    let open = SamplingSettings::default();
    let measured = Lineup::new(vec![Each::boxed(&[Parameter::FlowBlood])]).unwrap();
    let plan = Plan::new(&open, &measured, FRAME);
    assert_eq!((plan.tick.as_millis(), plan.realtime), (10, true));
    let healthy = SourceSettings::Simulated(SimulatedSettings::healthy(1));
    let simulated = Lineup::new(sensor::build(&[healthy]).unwrap()).unwrap();
    let plan = Plan::new(&open, &simulated, Duration::from_millis(5));
    assert_eq!((plan.tick.as_millis(), plan.realtime), (5, false), "no longer than a frame");
    let tick = Some(Duration::from_micros(500));
    let named = SamplingSettings { tick, realtime: Some(true), cpu: Some(1) };
    let plan = Plan::new(&named, &simulated, FRAME);
    assert_eq!((plan.tick.as_micros(), plan.realtime, plan.cpu), (500, true, Some(1)));
}

/// Files that are read with one system call at each tick, as sensors in sysfs are.
struct Files {
    files: Vec<std::fs::File>,
    channels: Vec<Channel>,
    _folder: tempfile::TempDir,
}

impl Files {
    fn eight() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let channels: Vec<_> = Parameter::ALL
            .iter()
            .copied()
            .take(8)
            .map(|parameter| Channel::new(parameter, 1000.0, 0.1))
            .collect();
        let open = |index: usize| {
            let path = folder.path().join(format!("in_voltage{index}_raw"));
            std::fs::write(&path, format!("{}\n", index * 100)).unwrap();
            std::fs::File::open(path).unwrap()
        };
        Self { files: (0..8).map(open).collect(), channels, _folder: folder }
    }
}

impl Sensor for Files {
    fn device(&self) -> &str {
        "files"
    }

    fn source(&self) -> SourceKind {
        SourceKind::Measured
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn poll(&mut self, now: SampleTime, out: &mut Batch) {
        use std::os::unix::fs::FileExt as _;
        for (channel, file) in self.files.iter().enumerate() {
            let mut text = [0; 16];
            let length = file.read_at(&mut text, 0).unwrap();
            let number: u16 = std::str::from_utf8(&text[..length]).unwrap().trim().parse().unwrap();
            out.push(channel, now, Reading::Value(f32::from(number)));
        }
    }
}

#[test]
fn a_tick_allocates_nothing_with_any_source_even_when_the_ring_is_full() {
    let build = |source| sensor::build(&[source]).unwrap();
    let (_controller, port) = pty();
    for (sensors, tick_ms) in [
        (vec![Box::new(Files::eight()) as Box<dyn Sensor>], 1),
        (build(SourceSettings::Simulated(SimulatedSettings::healthy(1))), 10),
        (
            build(SourceSettings::Emtec(EmtecSettings {
                port: crate::config::PortAddress::Serial(port),
            })),
            10,
        ),
    ] {
        let lineup = Lineup::new(sensors).unwrap();
        let device = lineup.device();
        let tick = Duration::from_millis(tick_ms);
        let counters = Arc::new(Counters::default());
        let (sender, mut ring) = ring(&lineup, tick, FRAME);
        let mut round = Round::new(lineup, tick, sender, Arc::clone(&counters));
        let go = |rounds: u32, round: &mut Round| {
            for _tick in 0..rounds {
                round.go(round.pace.deadline());
            }
        };
        // The first tick opens ports.
        go(10, &mut round);
        while ring.take().is_some() {}
        // Long enough that nobody who empties the ring fills it.
        let counted = allocation_counter::measure(|| go(10_000, &mut round));
        assert_eq!(counted.count_total, 0, "{device}: {counted:?}");
        assert!(counters.overruns.get() > 0, "{device}: the ring was never full");
    }
}

/// A serial port that nobody speaks on.
fn pty() -> (std::os::fd::OwnedFd, std::path::PathBuf) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
    (controller, name.into())
}
