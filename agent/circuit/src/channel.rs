//! The channels of the two feeds: what is delivered, how often, in which steps.

use core::time::Duration;

use ecmo_core::parameter::Parameter as P;

use crate::setup::Feed;

/// One channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Channel {
    /// What is measured.
    pub parameter: P,
    /// Time between two samples; `None`: on change, and repeated each second.
    pub interval: Option<Duration>,
    /// Every value is a multiple of it, in the parameter's unit.
    pub resolution: f64,
    /// What the sensor can measure, in the parameter's unit.
    pub range: (f64, f64),
}

const WAVE: Option<Duration> = Some(Duration::from_millis(10));
const FAST: Option<Duration> = Some(Duration::from_millis(100));
const SLOW: Option<Duration> = Some(Duration::from_secs(1));
const POWER: Option<Duration> = Some(Duration::from_secs(5));
const EDGE: Option<Duration> = None;

type Row = (P, Option<Duration>, f64, (f64, f64));

/// Transducers of our own; the range of a disposable pressure transducer, of an optical cell, of a clamp-on flow meter.
const RAW: &[Row] = &[
    (P::PressDrain, WAVE, 0.1, (-300.0, 1000.0)),
    (P::PressPre, WAVE, 0.1, (-300.0, 1000.0)),
    (P::PressPost, WAVE, 0.1, (-300.0, 1000.0)),
    (P::PatientAbp, WAVE, 0.1, (-50.0, 300.0)),
    (P::FlowBlood, FAST, 1.0, (-9999.0, 9999.0)),
    (P::PumpSpeed, FAST, 0.1, (0.0, 6000.0)),
    (P::PumpSpeedSet, FAST, 0.1, (0.0, 6000.0)),
    (P::PressDelta, FAST, 0.1, (-400.0, 400.0)),
    (P::MotorCurrent, FAST, 0.001, (0.0, 10.0)),
    (P::FlowAcousticQuality, FAST, 1.0, (0.0, 100.0)),
    (P::SatDrain, SLOW, 0.1, (0.0, 100.0)),
    (P::SatPre, SLOW, 0.1, (0.0, 100.0)),
    (P::SatPost, SLOW, 0.1, (0.0, 100.0)),
    (P::Po2Post, SLOW, 1.0, (0.0, 760.0)),
    (P::Pco2Post, SLOW, 0.1, (0.0, 200.0)),
    (P::PhPost, SLOW, 0.01, (6.5, 8.0)),
    (P::Hb, SLOW, 0.1, (2.0, 25.0)),
    (P::Hct, SLOW, 0.1, (5.0, 75.0)),
    (P::TempDrain, SLOW, 0.1, (0.0, 50.0)),
    (P::TempReturn, SLOW, 0.1, (0.0, 50.0)),
    (P::HeaterWater, SLOW, 0.1, (0.0, 50.0)),
    (P::HeaterSet, SLOW, 0.1, (0.0, 50.0)),
    (P::GasSweep, SLOW, 1.0, (0.0, 15_000.0)),
    (P::GasSweepSet, SLOW, 1.0, (0.0, 15_000.0)),
    (P::GasFdo2, SLOW, 0.1, (0.0, 101.0)),
    (P::GasFdo2Set, SLOW, 1.0, (20.0, 101.0)),
    (P::GasCo2Exhaust, SLOW, 0.1, (0.0, 150.0)),
    (P::BatteryCharge, POWER, 0.1, (0.0, 100.0)),
    (P::BatteryTimeLeft, POWER, 1.0, (0.0, 6000.0)),
    (P::PatientHr, SLOW, 1.0, (0.0, 350.0)),
    (P::PatientSpo2, SLOW, 1.0, (0.0, 100.0)),
    (P::PatientAbpSys, SLOW, 1.0, (-50.0, 300.0)),
    (P::PatientAbpDia, SLOW, 1.0, (-50.0, 300.0)),
    (P::PatientAbpMean, SLOW, 1.0, (-50.0, 300.0)),
    (P::PatientCvp, SLOW, 1.0, (-30.0, 60.0)),
    (P::AirBubble, EDGE, 1.0, (0.0, 1.0)),
    (P::AirVenous, EDGE, 1.0, (0.0, 1.0)),
    (P::LevelReservoir, EDGE, 1.0, (0.0, 1.0)),
    (P::PowerMains, EDGE, 1.0, (0.0, 1.0)),
];

/// A console's record; the ranges are those of one console's record (reference, section 6.1).
const CONSOLE: &[Row] = &[
    (P::PressDrain, SLOW, 1.0, (-700.0, 400.0)),
    (P::PressPre, SLOW, 1.0, (-100.0, 900.0)),
    (P::PressPost, SLOW, 1.0, (-100.0, 900.0)),
    (P::FlowBlood, SLOW, 10.0, (-9990.0, 9990.0)),
    (P::PumpSpeed, SLOW, 1.0, (0.0, 5025.0)),
    (P::PumpSpeedSet, SLOW, 1.0, (0.0, 5000.0)),
    (P::PressDelta, SLOW, 1.0, (-400.0, 400.0)),
    (P::SatDrain, SLOW, 0.1, (40.0, 99.9)),
    (P::SatPre, SLOW, 0.1, (40.0, 99.9)),
    (P::SatPost, SLOW, 0.1, (40.0, 99.9)),
    (P::Hb, SLOW, 0.1, (5.0, 15.0)),
    (P::Hct, SLOW, 0.1, (15.0, 50.0)),
    (P::TempDrain, SLOW, 0.1, (10.0, 45.0)),
    (P::TempReturn, SLOW, 0.1, (10.0, 45.0)),
    (P::HeaterWater, SLOW, 0.1, (10.0, 45.0)),
    (P::HeaterSet, SLOW, 0.1, (10.0, 45.0)),
    (P::GasSweep, SLOW, 10.0, (0.0, 15_000.0)),
    (P::GasSweepSet, SLOW, 10.0, (0.0, 15_000.0)),
    (P::GasFdo2, SLOW, 1.0, (0.0, 101.0)),
    (P::GasFdo2Set, SLOW, 1.0, (20.0, 101.0)),
    (P::BatteryCharge, SLOW, 1.0, (0.0, 100.0)),
    (P::BatteryTimeLeft, SLOW, 1.0, (0.0, 6000.0)),
    (P::PatientHr, SLOW, 1.0, (0.0, 350.0)),
    (P::PatientSpo2, SLOW, 1.0, (0.0, 100.0)),
    (P::PatientAbpSys, SLOW, 1.0, (-50.0, 300.0)),
    (P::PatientAbpDia, SLOW, 1.0, (-50.0, 300.0)),
    (P::PatientAbpMean, SLOW, 1.0, (-50.0, 300.0)),
    (P::PatientCvp, SLOW, 1.0, (-30.0, 60.0)),
    (P::AirBubble, SLOW, 1.0, (0.0, 1.0)),
    (P::AirVenous, SLOW, 1.0, (0.0, 1.0)),
    (P::LevelReservoir, SLOW, 1.0, (0.0, 1.0)),
    (P::PowerMains, SLOW, 1.0, (0.0, 1.0)),
];

/// The channels of a feed.
pub(crate) fn channels(feed: Feed) -> Vec<Channel> {
    let rows = match feed {
        Feed::Raw => RAW,
        Feed::Console => CONSOLE,
    };
    let channel = |row: &Row| {
        let (parameter, interval, resolution, range) = *row;
        Channel { parameter, interval, resolution, range }
    };
    rows.iter().map(channel).collect()
}
