//! Births and frames that follow the contract, and all the ways in which they may not.

use crate::*;
use ecmo_core::frame::BootId;
use ecmo_core::parameter::Parameter;
use ecmo_core::pump::Presence;
use ecmo_core::reading::{NoData, Reading};
use ecmo_core::time::{Instant, SampleTime};
use ecmo_proto::sealed::{FrameBody, seal};
use ecmo_proto::v1;
use proptest::prelude::*;
use prost::Message as _;

const PUMP: &str = "pump-01";

fn channel(id: &str, unit: &str) -> v1::Channel {
    v1::Channel {
        id: id.to_owned(),
        unit: unit.to_owned(),
        rate_hz: 100.0,
        scale: 0.1,
        ..v1::Channel::default()
    }
}

fn wire_birth(channels: Vec<v1::Channel>) -> v1::Birth {
    v1::Birth { pump: PUMP.to_owned(), boot_id: 7, channels, ..v1::Birth::default() }
}

fn checked_birth(wire: &v1::Birth) -> Result<Birth, BirthFault> {
    birth(&wire.encode_to_vec(), PUMP)
}

fn two_channels() -> Birth {
    let channels = vec![channel("press.drain", "mm[Hg]"), channel("flow.blood", "mL/min")];
    checked_birth(&wire_birth(channels)).unwrap()
}

fn wire_frame(blocks: Vec<v1::SampleBlock>) -> v1::Frame {
    v1::Frame {
        pump: PUMP.to_owned(),
        boot_id: 7,
        sequence: 3,
        start_mono_ns: 1_000_000,
        publish_mono_ns: 21_000_000,
        blocks,
        ..v1::Frame::default()
    }
}

fn block(channel: u32, counts: &[i32]) -> v1::SampleBlock {
    v1::SampleBlock {
        channel,
        first_index: 40,
        interval_us: 10_000,
        counts: counts.to_vec(),
        ..v1::SampleBlock::default()
    }
}

/// The readings of a frame, or why there are none; and the samples that were counted as invalid.
type Read = (Result<Vec<(Parameter, Vec<Reading>)>, FrameFault>, Vec<(SampleFault, u64)>);

fn read_frame(wire: &v1::Frame) -> Read {
    read_bytes(&seal(wire), false)
}

fn read_bytes(payload: &[u8], retained: bool) -> Read {
    let mut counted = Vec::new();
    let mut decoder = Decoder::default();
    let bytes = FrameBytes {
        payload,
        pump: PUMP,
        retained,
        accepted: Accepted::Live,
        received: Instant::from_millis(1),
    };
    let birth = two_channels();
    let mut invalid = |reason, samples| counted.push((reason, samples));
    let frame = decoder.frame(bytes, Some(&birth), &mut invalid).map(|frame| {
        frame.blocks().map(|(block, readings)| (block.parameter, readings.to_vec())).collect()
    });
    (frame, counted)
}

#[test]
fn counts_become_values_in_the_parameters_unit() {
    let (frame, counted) =
        read_frame(&wire_frame(vec![block(0, &[-305, -310]), block(1, &[4_000])]));
    let expected = vec![
        (Parameter::PressDrain, vec![Reading::Value(-30.5), Reading::Value(-31.0)]),
        (Parameter::FlowBlood, vec![Reading::Value(400.0)]),
    ];
    assert_eq!(frame, Ok(expected));
    assert!(counted.is_empty());
}

#[test]
fn what_is_no_measurement_has_no_value_and_is_counted() {
    let run = |validity: v1::Validity, count| v1::ValidityRun { validity: validity.into(), count };
    let mut off = block(0, &[1, 1, 1, 1, 9_999]);
    off.validity = vec![
        run(v1::Validity::SensorOff, 1),
        run(v1::Validity::AboveRange, 1),
        run(v1::Validity::Unspecified, 1),
        run(v1::Validity::Questionable, 1),
        run(v1::Validity::Valid, 1),
    ];
    let (frame, counted) = read_frame(&wire_frame(vec![off]));
    let expected = vec![
        Reading::NoData(NoData::SensorOff),
        Reading::NoData(NoData::AboveRange),
        Reading::NoData(NoData::SensorFault),
        Reading::Questionable(0.1),
        // 999.9 mm[Hg] of suction pressure is impossible, however sure the sender is.
        Reading::NoData(NoData::SensorFault),
    ];
    assert_eq!(frame, Ok(vec![(Parameter::PressDrain, expected)]));
    assert_eq!(
        counted,
        [
            (SampleFault::Sensor, 1),
            (SampleFault::Sensor, 1),
            (SampleFault::Unspecified, 1),
            (SampleFault::Range, 1)
        ]
    );
}

#[test]
fn a_channel_that_is_not_declared_is_left_out_and_the_rest_is_read() {
    let (frame, counted) = read_frame(&wire_frame(vec![block(9, &[1, 2]), block(1, &[4_000])]));
    assert_eq!(frame, Ok(vec![(Parameter::FlowBlood, vec![Reading::Value(400.0)])]));
    assert_eq!(counted, [(SampleFault::Channel, 2)]);
}

#[test]
fn frames_that_break_the_contract_are_refused_with_the_reason() {
    let mut uneven = block(0, &[1, 2]);
    uneven.validity = vec![v1::ValidityRun { validity: 1, count: 3 }];
    let mut timeless = block(0, &[1, 2]);
    timeless.interval_us = 0;
    let good = wire_frame(vec![]);
    for (wire, reason) in [
        (v1::Frame { pump: "other".to_owned(), ..good.clone() }, FrameFault::Identity),
        (v1::Frame { boot_id: 0, ..good.clone() }, FrameFault::Boot),
        (v1::Frame { historical: true, ..good.clone() }, FrameFault::Historical),
        (wire_frame(vec![block(0, &[0; BLOCK_SAMPLES_MAX + 1])]), FrameFault::Schema),
        (wire_frame(vec![block(0, &[1]); CHANNELS_MAX + 1]), FrameFault::Schema),
        (wire_frame(vec![uneven]), FrameFault::Schema),
        (wire_frame(vec![timeless]), FrameFault::Schema),
    ] {
        assert_eq!(read_frame(&wire).0, Err(reason));
    }
    assert_eq!(read_bytes(&seal(&good), true).0, Err(FrameFault::Retained));
    assert_eq!(read_bytes(&good.encode_to_vec(), false).0, Err(FrameFault::Crc));
    assert_eq!(read_bytes(&[0; 70_000], false).0, Err(FrameFault::Oversize));
}

#[test]
fn frames_from_a_spool_are_read_only_where_they_are_awaited_and_end_with_their_last_sample() {
    let read = |wire: &v1::Frame| {
        let bytes = FrameBytes {
            payload: &seal(wire),
            pump: PUMP,
            retained: false,
            accepted: Accepted::Historical,
            received: Instant::from_millis(1),
        };
        let birth = two_channels();
        let mut decoder = Decoder::default();
        decoder.frame(bytes, Some(&birth), &mut |_, _| {}).map(|frame| frame.stamp.published)
    };
    let live = wire_frame(vec![block(0, &[1, 2, 3]), block(1, &[4])]);
    assert_eq!(read(&live), Err(FrameFault::Live));
    let wire = v1::Frame { historical: true, publish_mono_ns: 0, ..live };
    assert_eq!(read(&wire), Ok(SampleTime::from_nanos(21_000_000)));
    let empty = v1::Frame { blocks: Vec::new(), ..wire };
    assert_eq!(read(&empty), Ok(SampleTime::from_nanos(1_000_000)));
}

#[test]
fn what_the_agent_keeps_is_read_as_what_it_sends() {
    let mut wire = wire_frame(vec![block(0, &[-305, -310]), block(1, &[4_000])]);
    let (expected, _counted) = read_frame(&wire);
    let body = FrameBody::new(&mut wire);
    let finished = SampleTime::from_nanos(21_000_000);
    let kept = KeptFrame { body: &body, finished, received: Instant::from_millis(1) };
    let mut decoder = Decoder::default();
    let birth = two_channels();
    let frame = decoder.kept(kept, &birth, &mut |_, _| {}).unwrap();
    let readings: Vec<_> = frame.blocks().map(|(it, of)| (it.parameter, of.to_vec())).collect();
    assert_eq!(Ok(readings), expected);
    assert_eq!((frame.sequence, frame.stamp.published), (3, finished));
    let garbage = FrameBody::from_bytes(vec![0xff; 9].into());
    let kept = KeptFrame { body: &garbage, ..kept };
    assert_eq!(decoder.kept(kept, &birth, &mut |_, _| {}).err(), Some(FrameFault::Decode));
}

#[test]
fn a_frame_of_another_run_has_no_samples() {
    let wire = v1::Frame { boot_id: 8, ..wire_frame(vec![block(0, &[1])]) };
    assert_eq!(read_frame(&wire).0, Ok(vec![]));
}

#[test]
fn a_channel_that_cannot_be_read_is_named_with_what_is_wrong() {
    let mut no_scale = channel("press.pre", "mm[Hg]");
    no_scale.scale = f64::NAN;
    let mut no_rate = channel("press.post", "mm[Hg]");
    no_rate.rate_hz = f64::INFINITY;
    let birth = checked_birth(&wire_birth(vec![
        channel("press.drain", "mm[Hg]"),
        channel("flow.blood", "L/min"),
        channel("flow.of.thought", "mL/min"),
        channel("press.drain", "mm[Hg]"),
        no_scale,
        no_rate,
    ]))
    .unwrap();
    let awaited: Vec<_> = birth.channels.iter().map(|spec| spec.parameter.info().id).collect();
    // What cannot be read is awaited all the same, so that its silence is an alarm.
    assert_eq!(awaited, ["press.drain", "flow.blood", "press.pre", "press.post"]);
    let refused: Vec<_> = birth.refused.iter().map(|one| (one.id.as_str(), one.reason)).collect();
    assert_eq!(
        refused,
        [
            ("flow.blood", BirthFault::Unit),
            ("flow.of.thought", BirthFault::Channel),
            ("press.drain", BirthFault::Channel),
            ("press.pre", BirthFault::Range),
            ("press.post", BirthFault::Range),
        ]
    );
    assert_eq!(birth.refused[0].why, "unit L/min, expected mL/min");
}

#[test]
fn births_that_break_the_contract_are_refused_with_the_reason() {
    let good = wire_birth(vec![]);
    let many = vec![channel("press.drain", "mm[Hg]"); CHANNELS_MAX + 1];
    for (wire, reason) in [
        (v1::Birth { pump: "other".to_owned(), ..good.clone() }, BirthFault::Identity),
        (v1::Birth { boot_id: 0, ..good }, BirthFault::Boot),
        (wire_birth(many), BirthFault::Channel),
    ] {
        assert_eq!(checked_birth(&wire).unwrap_err(), reason);
    }
    assert_eq!(birth(&[0xff; 9], PUMP).unwrap_err(), BirthFault::Decode);
    assert_eq!(birth(&vec![0; BIRTH_BYTES_MAX + 1], PUMP).unwrap_err(), BirthFault::Oversize);
}

#[test]
fn text_from_a_stranger_is_short_and_harmless() {
    let wire = v1::Birth { device: format!("\u{1b}[2J{}", "x".repeat(500)), ..wire_birth(vec![]) };
    let device = checked_birth(&wire).unwrap().device;
    assert_eq!(device, format!("[2J{}", "x".repeat(64 - 3)));
}

#[test]
fn a_status_is_of_its_pump_and_says_something() {
    let wire = |pump: &str, boot_id, state: v1::AgentState| {
        let wire = v1::Status { pump: pump.to_owned(), boot_id, state: state.into() };
        status(&wire.encode_to_vec(), PUMP)
    };
    let boot = BootId::new(7).unwrap();
    assert_eq!(wire(PUMP, 7, v1::AgentState::Stopped), Ok((boot, Presence::Stopped)));
    assert_eq!(wire("other", 7, v1::AgentState::Online), Err(StatusFault::Identity));
    assert_eq!(wire(PUMP, 0, v1::AgentState::Online), Err(StatusFault::Boot));
    assert_eq!(wire(PUMP, 7, v1::AgentState::Unspecified), Err(StatusFault::State));
}

/// Bytes with a check sum that is right.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    // The field number of the check sum with its wire type, as the contract has it.
    let sum = crc32c(&bytes);
    bytes.push(0x7d);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// CRC-32C bit by bit: slow, short, and not the code under test.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            if sum & 1 == 1 { (sum >> 1) ^ 0x82f6_3b78 } else { sum >> 1 }
        })
    })
}

proptest! {
    #[test]
    fn no_bytes_with_a_right_check_sum_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _read_or_refused = read_bytes(&sealed(bytes), false);
    }

    #[test]
    fn no_bytes_are_a_birth_that_does_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _read_or_refused = (birth(&bytes, PUMP), status(&bytes, PUMP));
    }

    #[test]
    fn every_reading_is_a_number_or_none(
        counts in proptest::collection::vec(any::<i32>(), 0..50),
        start_us in any::<u32>(), interval_us in 1_u32.., first_index in any::<u64>(),
        start_mono_ns in any::<u64>(), sequence in any::<u64>(),
    ) {
        let block = v1::SampleBlock { start_us, interval_us, first_index, ..block(0, &counts) };
        let wire = v1::Frame { start_mono_ns, sequence, ..wire_frame(vec![block]) };
        let (frame, _counted) = read_frame(&wire);
        for (_parameter, readings) in frame.unwrap() {
            prop_assert_eq!(readings.len(), counts.len());
            prop_assert!(readings.iter().all(|it| it.value().is_none_or(f32::is_finite)));
        }
    }
}
