//! Things of the kind that displays get, for tests: occurrences, pumps, waveforms.
#![cfg(test)]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ecmo_core::alarm::action::Order;
use ecmo_core::alarm::condition::Priority;
use ecmo_core::alarm::occurrence::{Acknowledgement, Occurrence, Transition};
use ecmo_core::alarm::profile::Profile;
use ecmo_core::alarm::{AlarmChange, Output};
use ecmo_core::frame::{BootId, Frame};
use ecmo_core::parameter::Parameter;
use ecmo_core::pump::Pump;
use ecmo_core::reading::{NoData, Reading};
use ecmo_core::time::{ClockMap, Instant};
use ecmo_core::view::View;
use ecmo_proto::topic::{Id, PumpAddress};

use super::{AlarmUpdate, PathTimes, PumpSlot, RuleBook, WaveformBlock, WaveformFrame};

#[derive(Default)]
struct Raised(Option<Occurrence>);

impl Output for Raised {
    fn evaluated(&mut self, _frame: &Frame, _clock: &ClockMap) {}

    fn alarm(&mut self, change: AlarmChange<'_>) {
        self.0 = Some(change.occurrence.clone());
    }
}

pub(crate) fn address(ward: &str, pump: &str) -> PumpAddress {
    PumpAddress { ward: Id::new(ward).unwrap(), pump: Id::new(pump).unwrap() }
}

pub(crate) fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

fn pump() -> Pump {
    static STARTER: LazyLock<Arc<Profile>> = LazyLock::new(|| Arc::new(ecmo_profile::starter()));
    Pump::new(Arc::clone(&STARTER), Duration::from_millis(100), at(1))
}

/// An occurrence as the core makes it.
pub(crate) fn occurrence() -> Occurrence {
    static MADE: LazyLock<Occurrence> = LazyLock::new(|| {
        let mut raised = Raised::default();
        pump().on_missed(at(2), &mut raised);
        raised.0.unwrap()
    });
    MADE.clone()
}

/// An alarm of a pump, or of the gateway itself; `seed` says what is in it.
pub(crate) fn update(address: Option<PumpAddress>, seed: u64) -> AlarmUpdate {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut one = occurrence();
    one.id.boot = BootId::new(random.u64(..));
    one.id.onset = random.u64(..);
    one.revision = random.u32(..);
    one.priority = [Priority::High, Priority::Medium, Priority::Low][random.usize(0..3)];
    one.present = random.bool();
    one.last_known = random.bool();
    one.value = random.bool().then(|| random.f32());
    one.onset_at = at(random.u64(..));
    one.changed_at = at(random.u64(..));
    one.reminders = random.u32(0..3);
    if let Some(mut seen) = random.bool().then(acknowledgement) {
        seen.note = "ä".repeat(random.usize(0..200));
        one.acknowledged = Some(seen);
    }
    let times = PathTimes {
        sampled_to_published: Some(Duration::from_nanos(random.u64(0..1 << 40))),
        ..PathTimes::default()
    };
    AlarmUpdate {
        address,
        ward: None,
        gateway: std::sync::Arc::from(""),
        redirected: false,
        occurrence: one,
        transition: random.bool().then_some(Transition::DataBack),
        onset_wall_ns: random.i64(..),
        path: if random.bool() { times } else { PathTimes::default() },
    }
}

/// That somebody acknowledged it.
pub(crate) fn acknowledgement() -> Acknowledgement {
    Acknowledgement {
        by: "A. Nurse".to_owned(),
        note: String::new(),
        at: at(5),
        worst: None,
        call: 1,
        order: Order { at: 1, gateway: "gateway".to_owned() },
    }
}

/// A pump that was never heard.
pub(crate) fn slot(address: PumpAddress) -> PumpSlot {
    let pump = pump();
    let book = RuleBook {
        rules: Arc::new(pump.rules().clone()),
        not_evaluable: pump.not_evaluable(),
        treatment: pump.treatment().clone(),
        shelves: Vec::new(),
        membrane_baseline: None,
    };
    PumpSlot::new(address, View::of(&pump, at(3)), book)
}

/// A frame of waveforms; `seed` says what is in it.
pub(crate) fn frame(seed: u64) -> WaveformFrame {
    let mut random = fastrand::Rng::with_seed(seed);
    let parameters = [Parameter::FlowBlood, Parameter::PressDrain, Parameter::PressPre];
    let mut blocks = Vec::new();
    for parameter in parameters {
        if random.bool() {
            continue;
        }
        let mut reading = || match random.u8(0..3) {
            0 => Reading::NoData(NoData::SensorOff),
            _ => Reading::Value(random.f32()),
        };
        let readings = (0..seed % 40).map(|_| reading()).collect();
        let (first_index, start) = (random.u64(..), at(random.u64(..)));
        let interval = Duration::from_nanos(random.u64(0..1 << 30));
        blocks.push(WaveformBlock { parameter, first_index, start, interval, readings });
    }
    WaveformFrame::new(BootId::new(random.u64(1..)).unwrap(), random.u64(..), blocks)
}
