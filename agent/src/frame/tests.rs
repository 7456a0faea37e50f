//! Tests of frames: nothing lost, doubled or moved, whatever the samples; period, edges and memory.

use super::*;
use crate::sensor::Batch;
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::{NoData, Reading};
use ecmo_proto::topic::Id;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn boot() -> Boot {
    Boot::new(PumpAddress { ward: Id::new("w").unwrap(), pump: Id::new("p").unwrap() })
}

fn channels() -> Vec<Channel> {
    vec![
        Channel::new(Parameter::PressDrain, 100.0, 0.1),
        Channel::new(Parameter::FlowBlood, 10.0, 1.0),
        Channel::new(Parameter::AirBubble, 0.0, 1.0),
    ]
}

/// Feeds ticks (milliseconds, samples, edge) to a framer and opens what it seals.
fn frames(ticks: &[(u64, Vec<Sample>, bool)]) -> Vec<Frame> {
    let mut framer = Framer::new(&boot(), &channels(), Duration::from_millis(20));
    let mut frames = Vec::new();
    for (millis, samples, has_edge) in ticks {
        let batch = Batch { samples: samples.clone(), ..Batch::default() };
        let time = SampleTime::from_millis(*millis);
        let tick = Tick { time, batch: &batch, has_edge: *has_edge };
        framer.on_tick(tick, &Counters::default(), |frame| {
            let sealed = frame.seal(Stamp { mono: time, wall_ns: 5 });
            frames.push(sealed::open(&sealed).unwrap());
        });
    }
    frames
}

fn sample(channel: usize, millis: u64, value: f32) -> Sample {
    Sample { channel, time: SampleTime::from_millis(millis), reading: Reading::Value(value) }
}

#[test]
fn a_frame_leaves_every_period_with_or_without_samples() {
    let ticks: Vec<_> = (0..20)
        .map(|tick| {
            let millis = 1000 + tick * 10;
            let samples = if tick < 10 { vec![sample(0, millis, -30.0)] } else { vec![] };
            (millis, samples, false)
        })
        .collect();
    let frames = frames(&ticks);
    assert_eq!(frames.len(), 9);
    for (sequence, frame) in (0..).zip(&frames) {
        assert_eq!(frame.sequence, sequence);
        assert_eq!(frame.pump, "p");
        assert_ne!(frame.boot_id, 0);
        assert!(frame.publish_mono_ns >= frame.start_mono_ns);
        assert_eq!(frame.publish_wall_ns, 5);
    }
    let [block] = &frames[1].blocks[..] else { panic!("{frames:?}") };
    assert_eq!((block.first_index, block.interval_us), (3, 10_000));
    assert_eq!(block.counts, [-300, -300]);
    assert!(block.validity.is_empty());
    assert!(frames[7].blocks.is_empty());
}

#[test]
fn an_edge_leaves_at_once_and_the_period_goes_on() {
    let frames = frames(&[
        (1000, vec![], false),
        (1010, vec![sample(2, 1010, 1.0)], true),
        (1020, vec![sample(0, 1020, 1.0)], false),
        (1030, vec![], false),
        (1040, vec![], false),
    ]);
    let published: Vec<_> = frames.iter().map(|frame| frame.publish_mono_ns / 1_000_000).collect();
    assert_eq!(published, [1010, 1020, 1040]);
    assert_eq!(frames[0].blocks[0].channel, 2);
    assert_eq!(frames[0].blocks[0].interval_us, 0);
}

#[test]
fn a_stall_does_not_make_empty_frames_for_the_past() {
    let frames = frames(&[(1000, vec![], false), (5000, vec![], false), (5010, vec![], false)]);
    assert_eq!(frames.len(), 1);
}

#[test]
fn validity_is_told_in_runs() {
    let off =
        |millis| Sample { reading: Reading::NoData(NoData::SensorOff), ..sample(0, millis, 0.0) };
    let samples = vec![sample(0, 1000, 1.0), off(1005), off(1010), sample(0, 1015, 2.0)];
    let frames = frames(&[(1000, vec![], false), (1020, samples, false)]);
    let runs: Vec<_> =
        frames[0].blocks[0].validity.iter().map(|run| (run.validity(), run.count)).collect();
    assert_eq!(runs, [(Validity::Valid, 1), (Validity::SensorOff, 2), (Validity::Valid, 1)]);
    assert_eq!(frames[0].blocks[0].counts, [10, 0, 0, 20]);
}

#[test]
fn a_boot_has_an_id_of_its_own() {
    assert_ne!(boot().id, boot().id);
}

/// All samples of some frames by (channel, index): time in nanoseconds, count, validity.
fn by_identity(frames: &[Frame]) -> BTreeMap<(u32, u64), (u64, i32, i32)> {
    let mut all = BTreeMap::new();
    for frame in frames {
        let mut seen = std::collections::BTreeSet::new();
        for block in &frame.blocks {
            assert!(seen.insert(block.channel), "one block a channel");
            let runs = block.validity.iter();
            let mut validity: Vec<_> =
                runs.flat_map(|run| vec![run.validity; run.count as usize]).collect();
            if validity.is_empty() {
                validity = vec![1; block.counts.len()];
            }
            assert_eq!(validity.len(), block.counts.len());
            for (step, count) in (0..).zip(&block.counts) {
                let micros = u64::from(block.start_us) + step * u64::from(block.interval_us);
                let time = frame.start_mono_ns + micros * 1000;
                let index = block.first_index + step;
                let value = (time, *count, validity[usize::try_from(step).unwrap()]);
                assert!(all.insert((block.channel, index), value).is_none(), "sent twice");
            }
        }
    }
    all
}

proptest! {
    #[test]
    fn every_sample_arrives_once_with_its_time_value_and_validity(
        ticks in proptest::collection::vec(
            (proptest::collection::vec((0usize..3, 0u64..40_000, -500i32..500, any::<bool>()), 0..12), any::<bool>()),
            1..40,
        ),
    ) {
        let mut script = Vec::new();
        let mut sent: Vec<Vec<Sample>> = vec![vec![]; 3];
        let mut last = [0u64; 3];
        for (index, (samples, edge)) in ticks.into_iter().enumerate() {
            let mut batch = Vec::new();
            for (channel, later_us, value, valid) in samples {
                // Times of a channel rise; how far is up to chance, so that many do not fit together.
                last[channel] += 1 + later_us;
                #[expect(clippy::cast_precision_loss, reason = "small")]
                let reading = if valid { Reading::Value(value as f32) } else { Reading::NoData(NoData::Stale) };
                let time = SampleTime::from_nanos(1_000_000_000 + last[channel] * 1000);
                let sample = Sample { channel, time, reading };
                sent[channel].push(sample);
                batch.push(sample);
            }
            script.push((1000 + index as u64 * 10, batch, edge));
        }
        // Two empty ticks flush what is left.
        let end = 1000 + script.len() as u64 * 10;
        script.push((end + 20, vec![], false));
        script.push((end + 40, vec![], false));

        let frames = frames(&script);
        for (expected, frame) in (0..).zip(&frames) {
            prop_assert_eq!(frame.sequence, expected);
        }
        let arrived = by_identity(&frames);
        prop_assert_eq!(arrived.len(), sent.iter().map(Vec::len).sum::<usize>());
        for (channel, samples) in (0u32..).zip(&sent) {
            let scale = channels()[channel as usize].scale;
            for (index, sample) in (0u64..).zip(samples) {
                let (time, count, validity) = arrived[&(channel, index)];
                // A quarter of the greatest interval is allowed for uneven samples.
                prop_assert!(time.abs_diff(sample.time.as_nanos()) <= 10_001_000);
                match sample.reading.value() {
                    Some(value) => {
                        prop_assert_eq!(validity, i32::from(Validity::Valid));
                        prop_assert!((f64::from(count) * scale - f64::from(value)).abs() < scale);
                    }
                    None => prop_assert_eq!(validity, i32::from(Validity::Stale)),
                }
            }
        }
    }

    #[test]
    fn even_samples_keep_their_exact_microsecond(rate in 1u64..1000, count in 1u64..300) {
        let interval_us = 1_000_000 / rate;
        let mut script = vec![(1000, vec![], false)];
        for step in 0..count {
            let micros = 1_000_000 + step * interval_us;
            let time = SampleTime::from_nanos(micros * 1000);
            let tick = micros / 1000 + 1;
            script.push((tick, vec![Sample { channel: 0, time, reading: Reading::Value(1.0) }], false));
        }
        script.push((1000 + count * interval_us / 1000 + 50, vec![], false));
        let arrived = by_identity(&frames(&script));
        prop_assert_eq!(arrived.len() as u64, count);
        for ((_, index), (time, _, _)) in arrived {
            prop_assert_eq!(time, (1_000_000 + index * interval_us) * 1000);
        }
    }
}
