//! Pumps, alarms and samples as the scripted gateway knows them.

use ecmo_proto::v1::*;

use crate::gateway::START_NS;

/// The monotonic time of something that happened this long before the test's start.
pub(crate) fn ago_ms(ms: u64) -> u64 {
    START_NS - ms * 1_000_000
}

/// A live pump with a fresh flow and a drainage sensor that is off since 14 s.
pub(crate) fn pump(id: &str) -> Pump {
    Pump {
        ward: "nicu".to_owned(),
        pump: id.to_owned(),
        link: LinkState::Live.into(),
        state: PumpState::Running.into(),
        last_frame_mono_ns: Some(ago_ms(20)),
        readings: vec![
            Reading {
                parameter: "flow.blood".to_owned(),
                unit: "mL/min".to_owned(),
                value: Some(412.0),
                validity: Validity::Valid.into(),
                sampled_mono_ns: Some(ago_ms(30)),
                ..Reading::default()
            },
            Reading {
                parameter: "press.drain".to_owned(),
                unit: "mm[Hg]".to_owned(),
                validity: Validity::SensorOff.into(),
                sampled_mono_ns: Some(ago_ms(30)),
                last_value: Some(-35.0),
                last_value_mono_ns: Some(ago_ms(14_000)),
                ..Reading::default()
            },
        ],
        counters: Some(PumpCounters { frames_received: 50, ..PumpCounters::default() }),
        device: "simulated circuit".to_owned(),
        source: SourceKind::Simulated.into(),
        ..Pump::default()
    }
}

/// The same pump, silent since 14 s.
pub(crate) fn silent_pump(id: &str) -> Pump {
    let mut pump = pump(id);
    pump.link = LinkState::Silent.into();
    pump.last_frame_mono_ns = Some(ago_ms(14_000));
    pump.readings[0].value = None;
    pump.readings[0].validity = Validity::CommLost.into();
    pump.readings[0].last_value = Some(412.0);
    pump.readings[0].last_value_mono_ns = Some(ago_ms(14_000));
    pump
}

/// An active alarm of a pump, raised 5 s ago.
pub(crate) fn alarm(pump: &str, condition: &str, priority: AlarmPriority) -> Alarm {
    Alarm {
        occurrence: format!("{pump}/{condition}/1"),
        revision: 1,
        ward: "nicu".to_owned(),
        pump: pump.to_owned(),
        condition: condition.to_owned(),
        kind: AlarmKind::Technical.into(),
        priority: priority.into(),
        present: true,
        signal: SignalPresence::On.into(),
        parameter: "pump.speed".to_owned(),
        value: Some(0.0),
        worst: Some(0.0),
        limit: Some(100.0),
        limit_side: LimitSide::Below.into(),
        unit: "{rev}/min".to_owned(),
        onset_mono_ns: ago_ms(5_000),
        onset_wall_ns: 1_700_000_000_123_456_789,
        changed_mono_ns: ago_ms(5_000),
        latency: Some(PathLatency {
            sampled_to_published_ns: Some(1_250_000),
            published_to_received_ns: None,
            received_to_decided_ns: Some(42_000),
        }),
        unreviewed: true,
        ..Alarm::default()
    }
}

/// A block of one parameter's samples.
pub(crate) fn block(first_index: u64, values: &[f32]) -> WaveformBlock {
    WaveformBlock {
        parameter: "press.drain".to_owned(),
        first_index,
        values: values.to_vec(),
        interval_ns: 10_000_000,
        ..WaveformBlock::default()
    }
}
