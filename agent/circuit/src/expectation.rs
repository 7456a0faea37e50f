//! What should alarm at a fault, at least how urgently, and within which time of its true onset.
//!
//! The bound of a rule is its hold, two sample periods, and its window where the clinical reference states one. Holds are
//! those of sections 2.2 and 2.4 there; they are proposals and unreviewed.

use core::time::Duration;

use ecmo_core::alarm::condition::Priority;

use crate::fault::Fault;
use crate::setup::Feed;

/// What should alarm at a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expectation {
    /// Condition ids, of which one must be raised.
    pub any_of: &'static [&'static str],
    /// It has at least this priority.
    pub priority_floor: Priority,
    /// Greatest time from the true onset to the alarm.
    pub within: Duration,
}

/// Two periods of the grid on which composites are judged, and of the numerics of 10 Hz.
const GRID: u64 = 200;

/// Two periods of an edge: it leaves within one frame of 20 ms.
const EDGE: u64 = 40;

/// Two periods of a numeric of 1 Hz.
const SLOW: u64 = 2_000;

/// Two periods of the battery's numerics, which come each 5 s.
const POWER: u64 = 10_000;

/// Time that an optical, gas or temperature sensor needs to follow; no part of a rule.
pub(crate) const RESPONSE: u64 = 3_000;

/// A console that repeats itself is told after a minute instead of 5 s.
const FLAT_CONSOLE: u64 = 55_000 + SLOW;

/// Half an hour: hold of the clotting rule, window of the bleeding trend.
const HALF_HOUR: u64 = 1_800_000;

const fn high(any_of: &'static [&'static str], millis: u64) -> Expectation {
    Expectation { any_of, priority_floor: Priority::High, within: Duration::from_millis(millis) }
}

const fn medium(any_of: &'static [&'static str], millis: u64) -> Expectation {
    Expectation { priority_floor: Priority::Medium, ..high(any_of, millis) }
}

const fn low(any_of: &'static [&'static str], millis: u64) -> Expectation {
    Expectation { priority_floor: Priority::Low, ..high(any_of, millis) }
}

const fn information(any_of: &'static [&'static str], millis: u64) -> Expectation {
    Expectation { priority_floor: Priority::Information, ..high(any_of, millis) }
}

const NO_FLOW: &[&str] = &["pump.stop", "flow.retrograde", "flow.very_low"];
const RETURN_TIGHT: &[&str] = &["return.obstruction", "post.high.warn", "post.high.alarm"];
const SUCTION: &[&str] = &["drain.obstruction", "drain.low.warn", "drain.low.alarm"];
const NO_VOLUME: &[&str] =
    &["drain.obstruction", "drain.chatter", "drain.low.warn", "drain.low.alarm", "flow.low"];
const NO_OXYGEN: &[&str] = &["sat.post.low", "gas.failure"];
const BATTERY: &[&str] = &["battery.low", "battery.critical", "power.depleting"];
const UNPLUGGED: &[&str] = &["sensor.fault.press.pre", "sensor.fault.flow.blood"];
const FLAT: &[&str] =
    &["sensor.fault.press.drain", "sensor.fault.press.pre", "sensor.fault.press.post"];
const CROSSED: &[&str] = &["sensor.fault.press.pre", "sensor.fault.press.post"];

impl Fault {
    /// What should alarm with a raw feed.
    #[must_use]
    pub const fn expectation(self) -> Expectation {
        match self {
            // C1: below 100 rev/min for 300 ms.
            Self::PumpStop => high(&["pump.stop"], 300 + GRID),
            // C1's second half holds for 500 ms and asks for a head that falls to a fifth, which an artery may keep up:
            // then blood runs backwards (500 ms), or it stands still behind an occlusive pump (flow.very_low, 1 s).
            Self::PumpSpeedUnknown => high(NO_FLOW, 1_000 + GRID),
            // C2: hold of 300 to 500 ms.
            Self::ReturnOpen => high(&["circuit.disconnection", "post.low"], 500 + GRID),
            Self::MembraneInletOpen => high(&["circuit.disconnection"], 500 + GRID),
            Self::DrainageOpen => high(&["circuit.disconnection"], 500 + GRID),
            // C3: hold of 2 s; the plain limit is faster where the pressure goes that far.
            Self::ReturnObstruction => medium(RETURN_TIGHT, 2_000 + GRID),
            // C4: hold of 3 s.
            Self::DrainageObstruction => medium(SUCTION, 3_000 + GRID),
            // C4 when it comes over minutes: a reference that is longer than what it is to show, 60 s, on top.
            Self::Hypovolaemia => medium(NO_VOLUME, 60_000 + 3_000 + GRID),
            // C5: 30 min at a ratio of 1.5, of medians over 60 s.
            Self::Clotting => {
                low(&["oxygenator.clotting", "delta.high"], HALF_HOUR + 60_000 + GRID)
            }
            // C6: window of 4 s, hold of 3 s; the onset is the first collapse.
            Self::Chatter => medium(&["drain.chatter"], 4_000 + 3_000 + GRID),
            // Detectors: no hold.
            Self::AirBubble => high(&["air.arterial"], EDGE),
            Self::AirVenous => high(&["air.venous"], EDGE),
            // C7: hold of 300 ms.
            Self::AirEntrainment => medium(&["air.suspected"], 300 + GRID),
            // C8: hold of 60 s on saturations of 1 Hz.
            Self::Recirculation => medium(&["recirculation"], 60_000 + SLOW + RESPONSE),
            // C9: sweep below half of its setting for 3 s; saturation below 95 % for 15 s.
            Self::GasFailure => high(&["gas.sweep.low", "gas.failure"], 3_000 + SLOW),
            Self::MembraneFailure => high(NO_OXYGEN, 15_000 + SLOW + RESPONSE),
            Self::SatPostLow => high(NO_OXYGEN, 15_000 + SLOW + RESPONSE),
            Self::OxygenFailure => medium(&["gas.fdo2.dev"], 10_000 + SLOW + RESPONSE),
            // C10.
            Self::MainsLoss => medium(&["power.mains_lost"], 2_000 + EDGE),
            Self::BatteryLow => medium(BATTERY, 5_000 + POWER),
            Self::BatteryCritical => high(&["battery.critical", "power.depleting"], 5_000 + POWER),
            // C11a: 2 s, after the third sample; a limit takes a number as it stands.
            Self::SensorOff => high(UNPLUGGED, 2_000 + GRID),
            Self::SensorRange => {
                high(&["sensor.fault.press.post", "post.high.alarm"], 2_000 + GRID)
            }
            // C11b: flat over 5 s, then 2 s.
            Self::SensorFlatline => medium(FLAT, 5_000 + 2_000 + GRID),
            // C11d: 6 s, because a transducer that is being zeroed is known by 5 s of flatness; then 2 s.
            Self::SensorDriftImpossible => medium(CROSSED, 6_000 + 2_000 + GRID),
            // Limits of section 2.2. Pressures and flow are judged at their published 10 Hz at the latest.
            Self::FlowLow => medium(&["flow.low"], 3_000 + GRID),
            Self::FlowVeryLow => high(&["flow.very_low"], 1_000 + GRID),
            Self::FlowHigh => medium(&["flow.high"], 5_000 + GRID),
            Self::FlowRetrograde => high(&["flow.retrograde"], 500 + GRID),
            Self::DrainLow => medium(&["drain.low.warn", "drain.low.alarm"], 2_000 + GRID),
            Self::DrainVeryLow => high(&["drain.low.alarm"], 1_000 + GRID),
            Self::DrainHigh => high(&["drain.high", "circuit.disconnection"], 2_000 + GRID),
            Self::PreHigh => medium(&["pre.high.warn", "pre.high.alarm"], 1_000 + GRID),
            Self::PreVeryHigh => high(&["pre.high.alarm"], 500 + GRID),
            Self::PostHigh => medium(&["post.high.warn", "post.high.alarm"], 1_000 + GRID),
            Self::PostVeryHigh => high(&["post.high.alarm"], 500 + GRID),
            Self::DeltaHigh => medium(&["delta.high"], 30_000 + GRID),
            Self::LevelLow => high(&["level.low"], 500 + EDGE),
            Self::SatDrainLow => medium(&["sat.drain.low"], 20_000 + SLOW + RESPONSE),
            Self::TempHigh => medium(&["temp.return.high"], 30_000 + SLOW + RESPONSE),
            Self::TempLow => medium(&["temp.return.low"], 30_000 + SLOW + RESPONSE),
            Self::HeaterOver => high(&["heater.over"], 5_000 + SLOW + RESPONSE),
            Self::SpeedHigh => medium(&["pump.speed.high"], 2_000 + GRID),
            // 60 s, cumulative.
            Self::FlowBelowOxygenatorMinimum => low(&["flow.min_oxygenator"], 60_000 + GRID),
            // C12: a trend over 30 min. C13: "persistent" is taken as one minute.
            Self::Bleeding => information(&["bleeding.trend"], HALF_HOUR + SLOW),
            Self::LowPulsePressure => information(&["pulse.low"], 60_000 + SLOW),
        }
    }

    /// What should alarm with a feed; `None` where the feed cannot show the fault.
    ///
    /// A console's samples are a second apart: two of them take the place of two periods of the faster channels. A flat
    /// console is flat for a minute before it is told (C11b); chatter and froth cannot be seen in it (C6, C7).
    #[must_use]
    pub fn expectation_with(self, feed: Feed) -> Option<Expectation> {
        let raw = self.expectation();
        if matches!(feed, Feed::Raw) {
            return Some(raw);
        }
        if matches!(self, Self::Chatter | Self::AirEntrainment) {
            return None;
        }
        let flat = matches!(self, Self::SensorFlatline);
        let added = if flat { FLAT_CONSOLE } else { SLOW };
        Some(Expectation { within: raw.within + Duration::from_millis(added), ..raw })
    }
}
