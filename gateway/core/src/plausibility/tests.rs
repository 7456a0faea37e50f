//! Doubts by hand-made signals: flat lines, zeroing, contradictions, spikes.

use crate::case::PumpKind;
use core::time::Duration;

use super::{Doubt, Plausibility};
use crate::parameter::Parameter as P;
use crate::reading::{NoData, Reading};
use crate::signal::Signals;
use crate::time::SampleTime;

const HEALTHY: [(P, f32); 7] = [
    (P::PumpSpeed, 2_000.0),
    (P::FlowBlood, 360.0),
    (P::PressDrain, -30.0),
    (P::PressPre, 104.0),
    (P::PressPost, 95.0),
    (P::SatPre, 72.0),
    (P::SatPost, 99.0),
];

/// Sensors with a pulse; those that are held do not move.
struct Bed {
    signals: Signals,
    plausibility: Plausibility,
    levels: [(P, f32); 7],
    held: Vec<P>,
    console: bool,
    now_ms: u64,
}

impl Bed {
    fn new(console: bool) -> Self {
        let mut signals = Signals::new();
        for (parameter, _level) in HEALTHY {
            let ms = if console { 1_000 } else { interval(parameter) };
            signals.declare(parameter, Some(Some(Duration::from_millis(ms))));
        }
        let mut bed = Self {
            signals,
            plausibility: Plausibility::new(),
            levels: HEALTHY,
            held: Vec::new(),
            console,
            now_ms: 0,
        };
        bed.run(90_000);
        assert!(P::ALL.iter().all(|one| bed.plausibility.doubt(*one).is_none()));
        bed
    }

    fn set(&mut self, parameter: P, level: f32) -> &mut Self {
        for one in self.levels.iter_mut().filter(|(one, _level)| *one == parameter) {
            one.1 = level;
        }
        self
    }

    fn hold(&mut self, parameter: P, level: f32) -> &mut Self {
        self.held.push(parameter);
        self.set(parameter, level)
    }

    fn run(&mut self, ms: u64) {
        for _ in 0..ms / 10 {
            for (parameter, level) in self.levels {
                let every = if self.console { 1_000 } else { interval(parameter) };
                if !self.now_ms.is_multiple_of(every) {
                    continue;
                }
                let beats = Duration::from_millis(self.now_ms).as_secs_f32() / 0.417;
                let beat = (beats * core::f32::consts::TAU).sin();
                // A console tells means, which hardly pulsate.
                let height = if self.console { 2.0 } else { 5.0 };
                let pulse = if self.held.contains(&parameter) { 0.0 } else { height * beat };
                let value = if self.console { (level + pulse).round() } else { level + pulse };
                let reading = Reading::from_number(f64::from(value));
                self.signals.push(parameter, reading, SampleTime::from_millis(self.now_ms));
            }
            self.now_ms += 10;
            if let Some(tick) = self.signals.advance(SampleTime::from_millis(self.now_ms)) {
                self.plausibility.judge(&self.signals, tick);
            }
        }
    }

    fn doubt(&self, parameter: P) -> Option<Doubt> {
        self.plausibility.doubt(parameter)
    }
}

fn interval(parameter: P) -> u64 {
    if [P::PressDrain, P::PressPre, P::PressPost].contains(&parameter) {
        10
    } else if [P::PumpSpeed, P::FlowBlood].contains(&parameter) {
        100
    } else {
        1_000
    }
}

#[test]
fn a_raw_sensor_that_does_not_move_for_five_seconds_is_flat_until_it_moves() {
    for (parameter, level) in
        [(P::PressDrain, -30.0), (P::PressPre, 104.0), (P::PressPost, 95.0), (P::FlowBlood, 360.0)]
    {
        let mut bed = Bed::new(false);
        bed.hold(parameter, level).run(4_500);
        assert_eq!(bed.doubt(parameter), None, "{parameter:?}");
        bed.run(1_000);
        assert_eq!(bed.doubt(parameter), Some(Doubt::Flat), "{parameter:?}");
        bed.held.clear();
        bed.run(500);
        assert_eq!(bed.doubt(parameter), None, "{parameter:?}");
    }
}

#[test]
fn nothing_is_flat_where_nothing_moves_or_the_sensor_says_that_it_cannot_measure() {
    let mut bed = Bed::new(false);
    bed.held = HEALTHY.iter().map(|(parameter, _level)| *parameter).collect();
    bed.run(20_000);
    assert_eq!(bed.doubt(P::PressPre), None);
    let mut bed = Bed::new(false);
    bed.hold(P::PressPre, 104.0).hold(P::PumpSpeed, 0.0).run(20_000);
    assert_eq!(bed.doubt(P::PressPre), None, "the pump stands");
    let mut bed = Bed::new(false);
    for step in 0..1_000 {
        let beyond = Reading::NoData(NoData::BelowRange);
        bed.signals.push(P::PressDrain, beyond, SampleTime::from_millis(bed.now_ms + step));
    }
    bed.levels[2].1 = -5_000.0;
    bed.run(20_000);
    assert_eq!(bed.doubt(P::PressDrain), None, "beyond its range");
}

#[test]
fn a_console_tells_the_same_integer_for_a_minute_before_it_is_flat() {
    let mut bed = Bed::new(true);
    bed.hold(P::PressPost, 95.0).run(50_000);
    assert_eq!(bed.doubt(P::PressPost), None);
    bed.run(15_000);
    // Its neighbours move by 4 mmHg, as integers do that stand still by rounding: that is too little to tell.
    assert_eq!(bed.doubt(P::PressPost), None);
    for step in 0..12_u8 {
        let swing = if step % 2 == 0 { 60.0 } else { 0.0 };
        bed.set(P::PressDrain, -30.0 - swing).set(P::FlowBlood, 360.0 - 2.0 * swing).run(5_000);
    }
    assert_eq!(bed.doubt(P::PressPost), Some(Doubt::Flat));
}

#[test]
fn a_transducer_open_to_air_is_being_zeroed_for_a_while_and_then_flat() {
    // The drainage pressure for 20 s only: a suction that is lost looks alike.
    for (parameter, zeroing_ms) in
        [(P::PressDrain, 15_000), (P::PressPre, 50_000), (P::PressPost, 50_000)]
    {
        let mut bed = Bed::new(false);
        bed.hold(parameter, 0.3).run(1_200);
        assert_eq!(bed.doubt(parameter), None, "{parameter:?}");
        bed.run(600);
        assert_eq!(bed.doubt(parameter), Some(Doubt::Zeroing), "{parameter:?}");
        bed.run(zeroing_ms);
        assert_eq!(bed.doubt(parameter), Some(Doubt::Zeroing), "{parameter:?}");
        let others = P::ALL.iter().filter(|other| **other != parameter);
        assert!(others.clone().all(|other| bed.doubt(*other).is_none()), "{parameter:?}");
        bed.run(10_000);
        assert_eq!(bed.doubt(parameter), Some(Doubt::Flat), "{parameter:?}");
        bed.held.clear();
        bed.levels = HEALTHY;
        bed.run(2_500);
        assert_eq!(bed.doubt(parameter), None, "{parameter:?}");
    }
}

#[test]
fn suction_that_is_lost_with_the_flow_is_no_zeroing() {
    let mut bed = Bed::new(false);
    bed.hold(P::PressDrain, 0.0).set(P::FlowBlood, 150.0).run(4_000);
    assert_eq!(bed.doubt(P::PressDrain), None);
    bed.run(30_000);
    assert_ne!(bed.doubt(P::PressDrain), Some(Doubt::Zeroing));
}

/// (what, levels after the change, who is doubted, whom it contradicts, hold in ms)
type Row<'a> = (&'a str, &'a [(P, f32)], P, P, u64);

#[test]
fn what_no_circuit_can_do_is_a_contradiction_after_six_seconds() {
    let rows: [Row<'_>; 5] = [
        ("pre has drifted down", &[(P::PressPre, 80.0)], P::PressPre, P::PressPost, 6_000),
        ("post has drifted up", &[(P::PressPost, 120.0)], P::PressPost, P::PressPre, 6_000),
        // The flow moves too: a pressure that jumps alone is a flush first.
        (
            "drain above pre",
            &[(P::PressDrain, 130.0), (P::FlowBlood, 300.0)],
            P::PressDrain,
            P::PressPre,
            6_000,
        ),
        ("flow without speed", &[(P::PumpSpeed, -9.0)], P::PumpSpeed, P::FlowBlood, 6_000),
        ("post below pre", &[(P::SatPost, 60.0)], P::SatPost, P::SatPre, 15_000),
    ];
    for (what, levels, doubted, other, hold) in rows {
        let mut bed = Bed::new(false);
        for (parameter, level) in levels {
            bed.set(*parameter, *level);
        }
        bed.run(hold - 500);
        assert_eq!(bed.doubt(doubted), None, "{what}");
        bed.run(2_500);
        assert_eq!(bed.doubt(doubted), Some(Doubt::Disagrees(other)), "{what}");
        assert_eq!(bed.doubt(other), None, "{what}");
        bed.levels = HEALTHY;
        bed.run(5_000);
        assert_eq!(bed.doubt(doubted), None, "{what}");
    }
}

#[test]
fn a_pressure_that_jumps_alone_is_flushed_for_five_seconds_and_then_wrong() {
    for (parameter, other) in
        [(P::PressDrain, P::PressPre), (P::PressPre, P::PressPost), (P::PressPost, P::PressPre)]
    {
        let mut bed = Bed::new(false);
        bed.plausibility.set_kind(Some(PumpKind::Centrifugal));
        bed.set(parameter, 300.0).run(300);
        assert_eq!(bed.doubt(parameter), Some(Doubt::Zeroing), "{parameter:?}");
        bed.run(4_500);
        assert_eq!(bed.doubt(parameter), Some(Doubt::Zeroing), "{parameter:?}");
        bed.run(600);
        assert_eq!(bed.doubt(parameter), Some(Doubt::Disagrees(other)), "{parameter:?}");
    }
}

#[test]
fn a_roller_that_pushes_against_a_closed_membrane_is_believed() {
    for kind in [Some(PumpKind::Roller), None] {
        let mut bed = Bed::new(false);
        bed.plausibility.set_kind(kind);
        bed.set(P::PressPre, 300.0).run(1_000);
        assert_eq!(bed.doubt(P::PressPre), None, "{kind:?}");
    }
}

#[test]
fn a_pressure_that_jumps_with_a_neighbour_or_the_flow_is_believed() {
    for (with, level) in [(P::PressPost, 200.0), (P::FlowBlood, 280.0), (P::PressDrain, -60.0)] {
        let mut bed = Bed::new(false);
        bed.plausibility.set_kind(Some(PumpKind::Centrifugal));
        bed.set(P::PressPre, 300.0).set(with, level);
        for _ in 0..40 {
            bed.run(100);
            assert_ne!(bed.doubt(P::PressPre), Some(Doubt::Zeroing), "{with:?}");
        }
    }
}

#[test]
fn spikes_are_counted_and_doubt_nothing() {
    let mut bed = Bed::new(false);
    for _ in 0..5 {
        bed.set(P::PressPost, 400.0).run(10);
        bed.set(P::PressPost, 95.0).run(2_000);
    }
    assert_eq!(bed.plausibility.spikes(), 5);
    assert_eq!(bed.doubt(P::PressPost), None);
}
