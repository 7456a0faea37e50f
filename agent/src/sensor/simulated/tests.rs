//! Tests of the simulated circuit: deterministic, inside its limits when healthy, and each fault as it is described.

use super::*;
use crate::config::Fault;
use crate::sensor::Sample;

/// Samples of so many seconds from a seed, polled every so many milliseconds.
fn samples(seed: u64, fault: Option<Fault>, seconds: u64, every_ms: u64) -> Vec<Sample> {
    let mut settings = SimulatedSettings::healthy(seed);
    settings.faults.extend(fault);
    let mut sensor = Simulated::new(settings);
    let mut batch = Batch::default();
    for millis in (0..=seconds * 1000).step_by(usize::try_from(every_ms).unwrap()) {
        sensor.poll(SampleTime::from_millis(5_000 + millis), &mut batch);
    }
    batch.samples
}

fn fault(kind: FaultKind) -> Option<Fault> {
    Some(Fault { kind, at: Duration::from_secs(5), lasts: None })
}

/// Readings of a channel from one second of the circuit to another.
fn readings(samples: &[Sample], channel: usize, from_s: f64, to_s: f64) -> Vec<Reading> {
    let inside = |sample: &&Sample| {
        let second = sample.time.since(SampleTime::from_millis(5_000)).as_secs_f64();
        sample.channel == channel && second >= from_s && second < to_s
    };
    samples.iter().filter(inside).map(|sample| sample.reading).collect()
}

fn values(samples: &[Sample], channel: usize, from_s: f64, to_s: f64) -> Vec<f32> {
    let readings = readings(samples, channel, from_s, to_s);
    readings.into_iter().map(|reading| reading.value().expect("a value")).collect()
}

fn all(values: &[f32], low: f32, high: f32) {
    assert!(!values.is_empty());
    for value in values {
        assert!((low..high).contains(value), "{value} is not in {low} to {high}");
    }
}

#[test]
fn the_same_seed_gives_the_same_samples_however_it_is_polled() {
    let often = samples(3, fault(FaultKind::PumpStop), 7, 10);
    assert_eq!(often, samples(3, fault(FaultKind::PumpStop), 7, 70));
    assert_ne!(often, samples(4, fault(FaultKind::PumpStop), 7, 10));
}

#[test]
fn every_channel_keeps_its_rate() {
    let samples = samples(1, None, 10, 10);
    for (index, channel) in channels().iter().enumerate() {
        let count = samples.iter().filter(|sample| sample.channel == index).count();
        let rate = if channel.rate_hz == 0.0 { 1.0 } else { channel.rate_hz };
        #[expect(clippy::cast_precision_loss, reason = "a small count")]
        let expected = (count - 1) as f64;
        assert!((expected - 10.0 * rate).abs() < 0.5, "{}", channel.parameter.info().id);
    }
}

#[test]
fn a_healthy_circuit_stays_clearly_inside_the_starter_limits() {
    for seed in 0..24 {
        let samples = samples(seed, None, 20, 20);
        let within = |channel, low, high| all(&values(&samples, channel, 0.0, 99.0), low, high);
        within(DRAIN, -45.0, -15.0);
        within(PRE, 100.0, 200.0);
        within(POST, 85.0, 190.0);
        within(FLOW, 300.0, 450.0);
        within(SPEED, 1980.0, 2020.0);
        within(SPEED_SET, 2000.0, 2000.5);
        within(DELTA, 4.0, 20.0);
        within(CURRENT, 0.2, 1.0);
        within(SAT_DRAIN, 65.0, 80.0);
        within(SAT_POST, 97.0, 100.1);
        within(TEMP, 36.0, 37.0);
        within(SWEEP, 300.0, 500.0);
        within(FDO2, 50.0, 70.0);
        within(BUBBLE, 0.0, 0.1);
        within(MAINS, 1.0, 1.1);
        for sample in &samples {
            let parameter = channels()[sample.channel].parameter;
            assert!(parameter.is_possible(sample.reading.value().unwrap()));
        }
    }
}

#[test]
fn a_pump_stop_shows_within_300_ms_and_the_set_speed_stays() {
    let samples = samples(1, fault(FaultKind::PumpStop), 10, 20);
    all(&values(&samples, SPEED, 5.3, 10.0), 0.0, 0.5);
    all(&values(&samples, SPEED_SET, 5.3, 10.0), 2000.0, 2000.5);
    all(&values(&samples, FLOW, 6.0, 10.0), -250.0, 20.0);
    all(&values(&samples, POST, 6.5, 10.0), -5.0, 50.0);
    all(&values(&samples, DRAIN, 7.0, 10.0), -5.0, 40.0);
}

#[test]
fn an_open_return_line_shows_within_300_ms() {
    let samples = samples(1, fault(FaultKind::ReturnOpen), 10, 20);
    all(&values(&samples, POST, 5.3, 10.0), -5.0, 15.0);
    all(&values(&samples, FLOW, 5.5, 10.0), 370.0, 650.0);
    all(&values(&samples, SPEED, 5.0, 10.0), 1980.0, 2020.0);
}

#[test]
fn an_obstructed_drainage_shows_as_suction_and_less_flow() {
    let samples = samples(1, fault(FaultKind::DrainageObstruction), 10, 20);
    all(&values(&samples, DRAIN, 7.0, 10.0), -125.0, -75.5);
    all(&values(&samples, FLOW, 7.0, 10.0), 100.0, 300.0);
}

#[test]
fn sensors_that_are_off_say_so_and_what_is_computed_from_them_too() {
    let samples = samples(1, fault(FaultKind::SensorOff), 7, 20);
    for channel in [PRE, FLOW, DELTA] {
        let off = readings(&samples, channel, 5.0, 7.0);
        assert!(!off.is_empty());
        assert!(off.iter().all(|reading| *reading == Reading::NoData(NoData::SensorOff)));
    }
    all(&values(&samples, POST, 5.0, 7.0), 85.0, 190.0);
}

#[test]
fn an_edge_is_sent_when_it_happens_and_again_every_second() {
    for (kind, channel, before, after) in
        [(FaultKind::AirBubble, BUBBLE, 0.0, 1.0), (FaultKind::MainsLoss, MAINS, 1.0, 0.0)]
    {
        let at = Duration::from_millis(5_130);
        let short = Some(Fault { kind, at, lasts: Some(Duration::from_millis(50)) });
        let samples = samples(1, short, 7, 10);
        assert_eq!(values(&samples, channel, 4.5, 5.13), [before]);
        assert_eq!(values(&samples, channel, 5.125, 5.135), [after]);
        assert_eq!(values(&samples, channel, 5.175, 5.185), [before]);
        assert_eq!(values(&samples, channel, 5.19, 6.05), [before]);
    }
}

#[test]
fn a_fault_that_ends_leaves_a_healthy_circuit() {
    let short =
        Fault { lasts: Some(Duration::from_secs(2)), ..fault(FaultKind::PumpStop).unwrap() };
    let samples = samples(1, Some(short), 14, 20);
    all(&values(&samples, FLOW, 11.0, 14.0), 300.0, 450.0);
    all(&values(&samples, SPEED, 11.0, 14.0), 1980.0, 2020.0);
}
