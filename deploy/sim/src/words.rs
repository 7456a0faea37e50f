//! What a gateway tells displays, as messages of the contract: the part of it that a screen reads.

use ecmo_core::alarm::condition::{Kind, Priority};
use ecmo_core::alarm::occurrence::{Audio, Occurrence, Signal, Transition};
use ecmo_core::parameter::Parameter;
use ecmo_core::pump::{Link, Pump};
use ecmo_core::reading::Reading;
use ecmo_core::time::Instant;
use ecmo_core::view::View;
use ecmo_proto::v1;

use crate::breaks::Break;
use crate::rules::CODE;

/// The ward of the simulation.
pub const WARD: &str = "nicu";

/// What an alarm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The pump of this number.
    Pump(usize),
    /// The displays of the ward.
    Ward,
    /// The gateway itself.
    Gateway,
}

impl About {
    /// The pump, if it is one.
    #[must_use]
    pub const fn pump(self) -> Option<usize> {
        match self {
            Self::Pump(pump) => Some(pump),
            Self::Ward | Self::Gateway => None,
        }
    }
}

/// The pump of a number, as it is called.
#[must_use]
pub fn pump_name(pump: usize) -> String {
    format!("p{pump}")
}

/// The number of the pump of a name; `None` for what is no pump of ours.
#[must_use]
pub fn pump_number(name: &str) -> Option<usize> {
    name.strip_prefix('p')?.parse().ok()
}

/// The pump of a number, as its alarms are named.
#[must_use]
pub fn address(pump: usize) -> String {
    format!("{WARD}/p{pump}")
}

/// Occurrence id, as displays know it; of a pump, or by the gateway of this name about the ward or itself.
#[must_use]
pub fn occurrence_id(about: About, gateway: &str, occurrence: &Occurrence) -> String {
    match about {
        About::Pump(pump) => format!("{WARD}/p{pump}/{}", occurrence.id),
        About::Ward => format!("{WARD}/@{gateway}/{}", occurrence.id),
        About::Gateway => format!("/@{gateway}/{}", occurrence.id),
    }
}

/// An alarm, as displays see it.
#[must_use]
pub fn alarm(
    about: About,
    gateway: &str,
    one: &Occurrence,
    transition: Option<Transition>,
) -> v1::Alarm {
    let acknowledged = one.acknowledged.as_ref();
    v1::Alarm {
        occurrence: occurrence_id(about, gateway, one),
        revision: one.revision,
        ward: if about == About::Gateway { String::new() } else { WARD.to_owned() },
        pump: about.pump().map(pump_name).unwrap_or_default(),
        condition: one.id.condition.to_string(),
        kind: kind(one.kind).into(),
        priority: priority(one.priority).into(),
        present: one.present,
        signal: signal(one.signal()).into(),
        last_known: one.last_known,
        onset_mono_ns: one.onset_at.as_nanos(),
        changed_mono_ns: one.changed_at.as_nanos(),
        acknowledged_by: acknowledged.map(|it| it.by.clone()).unwrap_or_default(),
        acknowledged_mono_ns: acknowledged.map(|it| it.at.as_nanos()),
        audio: audio(&one.audio()).into(),
        transition: transition.map_or(v1::AlarmTransition::Unspecified, changed).into(),
        call: one.call,
        gateway: if about.pump().is_none() { gateway.to_owned() } else { String::new() },
        covers_from: one.covers_from,
        ..v1::Alarm::default()
    }
}

const fn kind(kind: Kind) -> v1::AlarmKind {
    match kind {
        Kind::Physiological => v1::AlarmKind::Physiological,
        Kind::Technical => v1::AlarmKind::Technical,
    }
}

const fn priority(priority: Priority) -> v1::AlarmPriority {
    match priority {
        Priority::Information => v1::AlarmPriority::Information,
        Priority::Low => v1::AlarmPriority::Low,
        Priority::Medium => v1::AlarmPriority::Medium,
        Priority::High => v1::AlarmPriority::High,
    }
}

const fn signal(signal: Signal) -> v1::SignalPresence {
    match signal {
        Signal::On => v1::SignalPresence::On,
        Signal::Off => v1::SignalPresence::Off,
        Signal::Latched => v1::SignalPresence::Latched,
        Signal::Acknowledged => v1::SignalPresence::Acknowledged,
    }
}

const fn audio(audio: &Audio) -> v1::AudioState {
    match audio {
        Audio::On => v1::AudioState::On,
        Audio::Off => v1::AudioState::Off,
        Audio::Paused { .. } => v1::AudioState::Paused,
        Audio::Shelved { .. } => v1::AudioState::Shelved,
        Audio::Grouped { .. } => v1::AudioState::Grouped,
    }
}

const fn changed(transition: Transition) -> v1::AlarmTransition {
    match transition {
        Transition::Raised => v1::AlarmTransition::Raised,
        Transition::Returned => v1::AlarmTransition::Returned,
        Transition::Latched => v1::AlarmTransition::Latched,
        Transition::Acknowledged => v1::AlarmTransition::Acknowledged,
        Transition::DataLost => v1::AlarmTransition::DataLost,
        Transition::DataBack => v1::AlarmTransition::DataBack,
        Transition::Worsened => v1::AlarmTransition::Worsened,
        Transition::RuleChanged => v1::AlarmTransition::RuleChanged,
        Transition::AudioChanged => v1::AlarmTransition::AudioChanged,
        Transition::Reminded => v1::AlarmTransition::Reminded,
        Transition::Ended => v1::AlarmTransition::Ended,
    }
}

/// A pump, as displays see it.
#[must_use]
pub fn pump(number: usize, pump: &Pump, now: Instant, planted: Option<Break>) -> v1::Pump {
    let view = View::of(pump, now);
    let link = match view.link {
        Link::NeverSeen => v1::LinkState::NeverSeen,
        Link::Live => v1::LinkState::Live,
        Link::Silent => v1::LinkState::Silent,
        Link::Stopped => v1::LinkState::Stopped,
    };
    let fresh = |at: Instant| {
        if planted == Some(Break::FrozenDataFresh) { now.as_nanos() } else { at.as_nanos() }
    };
    let trusts = planted == Some(Break::AgeTrusted);
    let planted = planted == Some(Break::FrozenDataFresh);
    // The others are not looked at: what holds for one reading holds for all.
    let readings = view.readings.iter().filter(|one| one.parameter == CODE).map(|one| {
        let value = one.reading.value();
        let value = value.or_else(|| one.last_value.filter(|_| planted).map(|(value, _at)| value));
        reading(one.parameter, value, one.reading, one.sampled_at.map(fresh))
    });
    v1::Pump {
        ward: WARD.to_owned(),
        pump: pump_name(number),
        link: if planted { v1::LinkState::Live } else { link }.into(),
        last_frame_mono_ns: view.fresh_at.map(fresh),
        readings: readings.collect(),
        boot_id: view.boot.map_or(0, ecmo_core::frame::BootId::get),
        age_unproven: !(view.age_proven || trusts || planted),
        ..v1::Pump::default()
    }
}

fn reading(
    parameter: Parameter,
    value: Option<f32>,
    reading: Reading,
    sampled: Option<u64>,
) -> v1::Reading {
    let valid = reading.no_data().is_none();
    v1::Reading {
        parameter: parameter.info().id.to_owned(),
        value,
        validity: if valid { v1::Validity::Valid } else { v1::Validity::NotMeasured }.into(),
        sampled_mono_ns: sampled,
        ..v1::Reading::default()
    }
}

/// A heartbeat of the alarm thread.
#[must_use]
pub const fn heartbeat(wall_ns: i64) -> v1::Heartbeat {
    v1::Heartbeat { wall_ns }
}
