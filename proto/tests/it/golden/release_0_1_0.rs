//! The values of release 0.1.0. They never change.

use ecmo_proto::v1::watch_alarms_response::Update;
use ecmo_proto::v1::{
    AgentState, Alarm, AlarmKind, AlarmPriority, AlarmSnapshot, Birth, Channel, ClockQuality,
    Frame, LimitSide, LinkState, PathLatency, Pump, PumpCounters, PumpKind, PumpState, Reading,
    RefusedChannel, SampleBlock, SignalPresence, SourceKind, Status, Validity, ValidityRun,
    WatchAlarmsResponse,
};

use super::Golden;

const BOOT_ID: u64 = 0x0123_4567_89ab_cdef;
const WALL_NS: i64 = 1_767_225_600_123_456_789;

pub(super) fn messages() -> Vec<(&'static str, Golden)> {
    vec![
        ("alarm", Golden::Alarm(alarm())),
        ("birth", Golden::Birth(birth())),
        ("frame", Golden::SealedFrame(frame())),
        ("pump", Golden::Pump(pump())),
        ("status", Golden::Status(status())),
        ("watch_alarms_response", Golden::WatchAlarmsResponse(watch_alarms_response())),
    ]
}

fn frame() -> Frame {
    Frame {
        pump: "pump-07".into(),
        boot_id: BOOT_ID,
        sequence: 1 << 40,
        start_mono_ns: 90_000_000_000_001,
        publish_mono_ns: 90_000_020_000_002,
        publish_wall_ns: WALL_NS,
        clock_quality: ClockQuality::Synchronized.into(),
        blocks: vec![
            SampleBlock {
                channel: 3,
                first_index: u64::MAX,
                start_us: 250,
                interval_us: 10_000,
                counts: vec![-451, 0, i32::MAX, i32::MIN],
                validity: vec![
                    ValidityRun { validity: Validity::Valid.into(), count: 3 },
                    ValidityRun { validity: Validity::SensorOff.into(), count: 1 },
                ],
            },
            SampleBlock {
                channel: 63,
                first_index: 1,
                start_us: 19_999,
                interval_us: 0,
                counts: vec![1],
                validity: vec![],
            },
        ],
        historical: true,
        crc32c: 0,
    }
}

fn birth() -> Birth {
    Birth {
        pump: "pump-07".into(),
        boot_id: BOOT_ID,
        agent_version: "0.1.0".into(),
        device: "em-tec BioProTT on /dev/ttyUSB0".into(),
        source: SourceKind::Measured.into(),
        pump_kind: PumpKind::Centrifugal.into(),
        channels: vec![
            Channel {
                id: "press.drain".into(),
                unit: "mm[Hg]".into(),
                rate_hz: 100.0,
                scale: 0.1,
                offset: -12.5,
                range_low: Some(-700.0),
                range_high: Some(0.0),
            },
            Channel {
                id: "air.bubble".into(),
                unit: "{bool}".into(),
                rate_hz: 0.0,
                scale: 1.0,
                offset: 0.0,
                range_low: Some(0.0),
                range_high: Some(1.0),
            },
        ],
        clock_quality: ClockQuality::FreeRunning.into(),
        mono_ns: 90_000_000_000_000,
        wall_ns: WALL_NS,
        frame_period_us: 20_000,
        rule_hash: vec![0x00, 0x7f, 0x80, 0xff].into(),
    }
}

fn status() -> Status {
    Status { pump: "pump-07".into(), boot_id: BOOT_ID, state: AgentState::Offline.into() }
}

fn alarm() -> Alarm {
    Alarm {
        occurrence: "pump-07/pump.stop/0123456789abcdef/42".into(),
        revision: 2,
        ward: "nicu".into(),
        pump: "pump-07".into(),
        condition: "pump.stop".into(),
        kind: AlarmKind::Physiological.into(),
        priority: AlarmPriority::High.into(),
        present: true,
        signal: SignalPresence::Acknowledged.into(),
        last_known: true,
        parameter: "pump.speed".into(),
        value: Some(0.0),
        worst: Some(-1.5),
        limit: Some(200.0),
        limit_side: LimitSide::Below.into(),
        unit: "{rev}/min".into(),
        validity: Validity::CommLost.into(),
        onset_mono_ns: 7_000_000_000,
        onset_wall_ns: WALL_NS,
        changed_mono_ns: 8_000_000_000,
        acknowledged_by: "r.meier".into(),
        latency: Some(PathLatency {
            sampled_to_published_ns: Some(20_000_000),
            published_to_received_ns: Some(0),
            received_to_decided_ns: Some(21_500),
        }),
        unreviewed: true,
        value_mono_ns: Some(91_000_000_000),
    }
}

fn pump() -> Pump {
    Pump {
        ward: "nicu".into(),
        pump: "pump-07".into(),
        link: LinkState::Silent.into(),
        state: PumpState::Running.into(),
        last_frame_mono_ns: Some(6_500_000_000),
        readings: vec![
            Reading {
                parameter: "press.drain".into(),
                unit: "mm[Hg]".into(),
                value: Some(-45.1),
                validity: Validity::Valid.into(),
                sampled_mono_ns: Some(6_490_000_000),
                last_value: Some(-45.1),
                last_value_mono_ns: Some(6_490_000_000),
            },
            reading_without_value(),
        ],
        alarms: vec![alarm()],
        counters: Some(PumpCounters {
            frames_received: 1,
            frames_missing: 2,
            frames_duplicate: 3,
            frames_reordered: 4,
            frames_late: 5,
            frames_rejected: 6,
            samples_invalid: 7,
            boots: 8,
            clock_steps: 9,
            dropouts: 10,
        }),
        refused_channels: vec![RefusedChannel {
            id: "press.post".into(),
            reason: "unit bar, expected mm[Hg]".into(),
        }],
        device: "em-tec BioProTT on /dev/ttyUSB0".into(),
        agent_version: "0.1.0".into(),
        source: SourceKind::Replayed.into(),
        pump_kind: PumpKind::Roller.into(),
        boot_id: BOOT_ID,
    }
}

/// Absent is not zero: the value is missing on the wire, the last one is there with its time.
fn reading_without_value() -> Reading {
    Reading {
        parameter: "flow.blood".into(),
        unit: "mL/min".into(),
        value: None,
        validity: Validity::SensorFault.into(),
        sampled_mono_ns: Some(6_480_000_000),
        last_value: Some(0.0),
        last_value_mono_ns: Some(1),
    }
}

fn watch_alarms_response() -> WatchAlarmsResponse {
    WatchAlarmsResponse {
        sequence: 300,
        epoch: u64::MAX,
        now_mono_ns: 9_000_000_000,
        update: Some(Update::Snapshot(AlarmSnapshot { alarms: vec![alarm()] })),
    }
}
