//! The values of release 0.1.0. They never change.

use ecmo_proto::v1::watch_alarms_response::Update;
use ecmo_proto::v1::{
    AgentState, Alarm, AlarmKind, AlarmPriority, AlarmSnapshot, AlarmTransition, AudioState, Birth,
    Case, Channel, ClockQuality, Context, ContextKind, Frame, GapReason, Indication, LimitChange,
    LimitInForce, LimitSide, LinkState, PathLatency, PauseScope, ProfileInForce, Pump,
    PumpCounters, PumpKind, PumpState, Reading, RefusedChannel, RuleGap, SampleBlock,
    ShelvedCondition, SignalPresence, SourceKind, Status, Therapy, Treatment, Validity,
    ValidityRun, WatchAlarmsResponse,
};

use super::Golden;

const BOOT_ID: u64 = 0x0123_4567_89ab_cdef;
const WALL_NS: i64 = 1_767_225_600_123_456_789;

pub(super) fn messages() -> Vec<(&'static str, Golden)> {
    vec![
        ("alarm", Golden::Alarm(alarm())),
        ("birth", Golden::Birth(birth())),
        ("frame", Golden::SealedFrame(frame())),
        ("pump", Golden::Pump(Box::new(pump()))),
        ("status", Golden::Status(status())),
        ("treatment", Golden::Treatment(Box::new(treatment()))),
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
        paths: 0,
        boot_number: 0,
        sampling: None,
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
        acknowledged_note: "clamp tested".into(),
        acknowledged_mono_ns: Some(8_000_000_000),
        audio: AudioState::Paused.into(),
        audio_until_mono_ns: Some(128_000_000_000),
        audio_by: "r.meier".into(),
        pause_scope: PauseScope::Ward.into(),
        led_by: "circuit.disconnection".into(),
        escalated: true,
        reminders: 3,
        rule: "pump.stop#2".into(),
        transition: AlarmTransition::Acknowledged.into(),
        call: 0,
        gateway: String::new(),
        redirected: false,
        covers_from: 0,
    }
}

fn treatment() -> Treatment {
    Treatment {
        ward: "nicu".into(),
        pump: "pump-07".into(),
        version: 12,
        case: Some(Case {
            pseudonym: "bed 7 / blue".into(),
            weight_kg: Some(3.2),
            pump_kind: PumpKind::Centrifugal.into(),
            therapy: Therapy::VenoArterial.into(),
            drainage_cannula: "12 Fr, right jugular".into(),
            return_cannula: "8 Fr, right carotid".into(),
            oxygenator: "neonatal PMP".into(),
            oxygenator_flow_min: Some(250.0),
            flow_target: Some(360.0),
            speed_max: Some(3_500.0),
            circuit_start_wall_ns: WALL_NS,
            indication: Indication::DiaphragmaticHernia.into(),
        }),
        limits: vec![LimitInForce {
            rule: "flow.low".into(),
            condition: "flow.low".into(),
            parameter: "flow.blood".into(),
            side: LimitSide::Below.into(),
            number: 70.0,
            number_unit: "mL/kg/min".into(),
            is_set: true,
            profile_number: 80.0,
            limit: Some(224.0),
            unit: "mL/min".into(),
            settable_low: Some(50.0),
            settable_high: Some(120.0),
            priority: AlarmPriority::Medium.into(),
            delay_ns: 3_000_000_000,
        }],
        contexts: vec![Context {
            kind: ContextKind::Suctioning.into(),
            by: "r.meier".into(),
            since_wall_ns: WALL_NS,
            until_mono_ns: 600_000_000_000,
        }],
        changes: vec![LimitChange {
            rule: "flow.low".into(),
            from: 80.0,
            to: 70.0,
            by: "dr. okafor".into(),
            reason: "weaning agreed".into(),
            wall_ns: WALL_NS,
            version: 12,
        }],
        gaps: vec![RuleGap {
            rule: "drain.chatter".into(),
            reason: GapReason::TooSlow.into(),
            parameter: "press.drain".into(),
        }],
        shelved: vec![ShelvedCondition {
            condition: "temp.return.low".into(),
            by: "r.meier".into(),
            reason: "cooling".into(),
            until_mono_ns: 900_000_000_000,
        }],
        profile: Some(ProfileInForce {
            name: "neonatal starter".into(),
            version: 1,
            hash: u64::MAX,
            reviewed_by: "dr. okafor, neonatology, 2026-01-01".into(),
        }),
        membrane_baseline: Some(24.5),
        durable: true,
    }
}

fn pump() -> Pump {
    Pump {
        ownership: None,
        age_unproven: false,
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
        treatment_version: 12,
        contexts: vec![ContextKind::Suctioning.into(), ContextKind::Transport.into()],
        rules_not_evaluable: 5,
        unreviewed: true,
        limits_set: 1,
        clock: None,
        paths: vec![],
        agent: None,
        agent_mono_ns: None,
        completeness: None,
        verdict_difference: None,
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
        update: Some(Update::Snapshot(AlarmSnapshot {
            alarms: vec![alarm()],
            ..AlarmSnapshot::default()
        })),
    }
}
