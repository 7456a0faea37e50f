//! Tests of the adapter: the same samples however it is polled, channels that keep their rates, faults from the settings.

use core::time::Duration;

use ecmo_core::reading::{NoData, Reading};

use super::*;
use crate::config::FaultKind;
use crate::sensor::Sample;

/// Samples of so many seconds from a seed, polled every so many milliseconds.
fn samples(seed: u64, fault: Option<Fault>, seconds: u64, every_ms: u64) -> Vec<Sample> {
    let mut settings = SimulatedSettings::healthy(seed);
    settings.faults.extend(fault);
    let mut sensor = Simulated::new(&settings);
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
fn readings(samples: &[Sample], parameter: Parameter, from_s: f64, to_s: f64) -> Vec<Reading> {
    let sensor = Simulated::new(&SimulatedSettings::healthy(0));
    let place = sensor.places[parameter.index()].expect("a channel of it");
    let inside = |sample: &&Sample| {
        let second = sample.time.since(SampleTime::from_millis(5_000)).as_secs_f64();
        sample.channel == place && second >= from_s && second < to_s
    };
    samples.iter().filter(inside).map(|sample| sample.reading).collect()
}

fn values(samples: &[Sample], parameter: Parameter, from_s: f64, to_s: f64) -> Vec<f32> {
    let readings = readings(samples, parameter, from_s, to_s);
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
    let sensor = Simulated::new(&SimulatedSettings::healthy(1));
    for (index, channel) in sensor.channels().iter().enumerate() {
        let count = samples.iter().filter(|sample| sample.channel == index).count();
        let rate = if channel.rate_hz == 0.0 { 1.0 } else { channel.rate_hz };
        #[expect(clippy::cast_precision_loss, reason = "a small count")]
        let expected = (count - 1) as f64;
        assert!((expected - 10.0 * rate).abs() < 0.5, "{}", channel.parameter.info().id);
    }
}

#[test]
fn every_sample_of_a_healthy_circuit_is_possible_and_within_its_channel() {
    let sensor = Simulated::new(&SimulatedSettings::healthy(0));
    for seed in 0..8 {
        for sample in samples(seed, None, 20, 20) {
            let channel = &sensor.channels()[sample.channel];
            let value = sample.reading.value().expect("a value");
            assert!(
                channel.parameter.is_possible(value),
                "{}: {value}",
                channel.parameter.info().id
            );
            assert!(channel.range.as_ref().is_some_and(|range| range.contains(&f64::from(value))));
        }
    }
}

#[test]
fn a_pump_stop_shows_within_300_ms_and_the_set_speed_stays() {
    let samples = samples(1, fault(FaultKind::PumpStop), 10, 20);
    all(&values(&samples, Parameter::PumpSpeed, 5.3, 10.0), 0.0, 0.5);
    all(&values(&samples, Parameter::PumpSpeedSet, 5.3, 10.0), 1500.0, 2500.0);
    all(&values(&samples, Parameter::FlowBlood, 6.0, 10.0), -250.0, 20.0);
}

#[test]
fn sensors_that_are_off_say_so_and_what_is_computed_from_them_too() {
    let samples = samples(1, fault(FaultKind::SensorOff), 7, 20);
    for parameter in [Parameter::PressPre, Parameter::FlowBlood, Parameter::PressDelta] {
        let off = readings(&samples, parameter, 5.05, 7.0);
        assert!(!off.is_empty());
        assert!(off.iter().all(|reading| *reading == Reading::NoData(NoData::SensorOff)));
    }
    all(&values(&samples, Parameter::PressPost, 5.0, 7.0), 85.0, 190.0);
}

#[test]
fn an_edge_is_sent_when_it_happens_and_again_every_second() {
    for (kind, parameter, before, after) in [
        (FaultKind::AirBubble, Parameter::AirBubble, 0.0, 1.0),
        (FaultKind::MainsLoss, Parameter::PowerMains, 1.0, 0.0),
    ] {
        let at = Duration::from_millis(5_130);
        let short = Some(Fault { kind, at, lasts: Some(Duration::from_millis(50)) });
        let samples = samples(1, short, 7, 10);
        assert_eq!(values(&samples, parameter, 4.5, 5.13), [before]);
        assert_eq!(values(&samples, parameter, 5.125, 5.135), [after]);
        assert_eq!(values(&samples, parameter, 5.175, 5.185), [before]);
        assert_eq!(values(&samples, parameter, 5.19, 6.05), [before]);
    }
}

#[test]
fn a_fault_that_only_another_therapy_has_changes_the_therapy() {
    use ecmo_core::case::Therapy;
    let mut settings = SimulatedSettings::healthy(1);
    settings.add_fault(fault(FaultKind::PumpStop).unwrap());
    assert_eq!(settings.therapy, Therapy::VenoArterial);
    settings.add_fault(fault(FaultKind::Recirculation).unwrap());
    assert_eq!((settings.therapy, settings.impossible_fault()), (Therapy::VenoVenous, None));
}
