//! Stop, opening, obstruction, chatter and air: what the fast signals tell.

use super::super::*;
use super::{Bed, share};
use crate::alarm::condition::Priority;
use crate::case::PumpKind;
use crate::parameter::Parameter as P;

/// (what, levels after the change, whether it is found)
type Row<'a> = (&'a str, &'a [(P, f32)], bool);

fn check(composite: &Composite, within_ms: u64, rows: &[Row<'_>]) {
    for (what, levels, expected) in rows {
        let mut bed = Bed::new(composite.clone()).settled();
        assert!(!bed.is_present() && bed.reason().is_none(), "{what}: {:?}", bed.finding);
        bed.set(levels);
        let changes = bed.run(within_ms);
        assert_eq!(bed.is_present(), *expected, "{what}: {changes:?} {:?}", bed.finding);
        // Present as soon as the sign is there, and without a break.
        assert_eq!(changes.len(), usize::from(*expected), "{what}: {changes:?}");
        // Back to before, and it is gone.
        bed.set(&super::HEALTHY);
        bed.run(3_000);
        assert_eq!(bed.finding, Some(Finding::Absent), "{what}");
    }
}

const STOPPED: &[(P, f32)] = &[
    (P::PumpSpeed, 0.0),
    (P::FlowBlood, 0.0),
    (P::PressDrain, 5.0),
    (P::PressPre, 20.0),
    (P::PressPost, 20.0),
];

#[test]
fn a_pump_that_moves_no_blood_is_found_by_flow_drop_and_head_together() {
    let backwards =
        &[(P::FlowBlood, -150.0), (P::PressDrain, 12.0), (P::PressPre, 36.0), (P::PressPost, 40.0)];
    check(
        &Composite::PumpNoFlow(NoFlow::default()),
        1_000,
        &[
            ("stop", STOPPED, true),
            ("blood runs backwards", backwards, true),
            ("flow sensor alone", &[(P::FlowBlood, 0.0)], false),
            ("a clamp: the head stays", &[(P::FlowBlood, 0.0), (P::PressPost, 104.0)], false),
            ("low flow", &[(P::FlowBlood, 60.0), (P::PressPre, 98.0)], false),
        ],
    );
}

#[test]
fn a_pump_that_stands_stays_found_for_hours_and_a_wanted_rest_is_none() {
    let mut bed = Bed::new(Composite::PumpNoFlow(NoFlow::default())).settled();
    bed.set(STOPPED).set(&[(P::PumpSpeed, f32::NAN)]);
    // What was usual must not be forgotten while it is not so: medians of 60 s would be zero.
    assert_eq!(bed.run(300_000), [(30_100, "present")]);
    bed.meant_to_run = false;
    bed.run(1_000);
    assert_eq!(bed.finding, Some(Finding::Absent));
}

const OPEN: &[(P, f32)] = &[(P::PressPre, 30.0), (P::PressPost, 20.0), (P::FlowBlood, 420.0)];

const DRAINED: &[(P, f32)] = &[
    (P::PressDrain, 0.0),
    (P::FlowBlood, 150.0),
    (P::MotorCurrent, 0.3),
    (P::PressPre, 55.0),
    (P::PressPost, 50.0),
];

#[test]
fn an_open_circuit_is_found_on_each_side_and_its_likeness_is_not() {
    let inlet_open =
        &[(P::PressPre, 20.0), (P::PressPost, 46.0), (P::FlowBlood, 30.0), (P::PressDrain, -70.0)];
    check(
        &Composite::Disconnection(Disconnection::default()),
        2_000,
        &[
            ("return open", OPEN, true),
            ("open before the membrane", inlet_open, true),
            ("drainage open", DRAINED, true),
            ("post is zeroed", &[(P::PressPost, 0.0)], false),
            ("drainage transducer is zeroed", &[(P::PressDrain, 0.0)], false),
            (
                "drainage obstructed",
                &[
                    (P::PressDrain, -95.0),
                    (P::FlowBlood, 150.0),
                    (P::PressPre, 55.0),
                    (P::PressPost, 52.0),
                ],
                false,
            ),
            (
                "return clamped",
                &[
                    (P::PressDrain, 5.0),
                    (P::FlowBlood, 0.0),
                    (P::PressPre, 180.0),
                    (P::PressPost, 180.0),
                ],
                false,
            ),
            ("pump stops", STOPPED, false),
            (
                "less speed",
                &[
                    (P::PumpSpeed, 1_700.0),
                    (P::PumpSpeedSet, 1_700.0),
                    (P::FlowBlood, 280.0),
                    (P::PressDrain, -20.0),
                    (P::PressPre, 85.0),
                    (P::PressPost, 79.0),
                ],
                false,
            ),
        ],
    );
}

#[test]
fn an_opening_is_found_within_two_tenths_of_a_second() {
    let mut bed = Bed::new(Composite::Disconnection(Disconnection::default())).settled();
    let changes = bed.set(OPEN).run(1_000);
    assert!(changes[0].0 <= 30_200 && changes.len() == 1, "{changes:?}");
}

#[test]
fn a_circuit_that_stays_open_never_becomes_the_usual() {
    let mut bed = Bed::new(Composite::Disconnection(Disconnection::default())).settled();
    bed.set(OPEN).run(900_000);
    assert!(bed.is_present());
    // Closed again, and open again within a minute.
    bed.set(&super::HEALTHY).run(40_000);
    assert_eq!(bed.finding, Some(Finding::Absent));
    bed.set(OPEN).run(500);
    assert!(bed.is_present());
}

#[test]
fn the_end_of_an_obstruction_is_no_opening() {
    for composite in [
        Composite::Disconnection(Disconnection::default()),
        Composite::PostFall(PostFall::default()),
    ] {
        let mut bed = Bed::new(composite).settled();
        bed.run(60_000);
        bed.set(&[(P::PressPre, 200.0), (P::PressPost, 195.0), (P::FlowBlood, 180.0)]);
        bed.run(300_000);
        let changes = bed.set(&super::HEALTHY).run(60_000);
        assert!(changes.iter().all(|(_ms, word)| *word != "present"), "{changes:?}");
    }
}

#[test]
fn a_step_of_the_speed_hides_an_opening_for_two_seconds_only() {
    let faster = [(P::PumpSpeed, 2_200.0), (P::PumpSpeedSet, 2_200.0)];
    let mut bed = Bed::new(Composite::Disconnection(Disconnection::default())).settled();
    bed.set(&faster).set(OPEN);
    let changes = bed.run(5_000);
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert!((32_000..=32_300).contains(&changes[0].0), "{changes:?}");
}

#[test]
fn the_pressure_behind_the_membrane_tells_without_a_flow_sensor() {
    let composite = Composite::PostFall(PostFall::default());
    check(
        &composite,
        2_000,
        &[
            ("return open", OPEN, true),
            ("post is zeroed", &[(P::PressPost, 0.0)], false),
            (
                "less flow explains it",
                &[
                    (P::PressDrain, -95.0),
                    (P::FlowBlood, 150.0),
                    (P::PressPre, 60.0),
                    (P::PressPost, 56.0),
                ],
                false,
            ),
        ],
    );
    let mut bed = Bed::new(composite).without(P::FlowBlood).settled();
    bed.set(OPEN).run(500);
    assert!(bed.is_present());
}

const KINKED: &[(P, f32)] = &[(P::PressPre, 156.0), (P::PressPost, 150.0), (P::FlowBlood, 270.0)];

#[test]
fn an_obstructed_return_is_found_and_more_speed_is_none() {
    check(
        &Composite::ReturnObstruction(ReturnObstruction::default()),
        5_000,
        &[
            ("kink", KINKED, true),
            (
                "more speed",
                &[
                    (P::PumpSpeed, 2_300.0),
                    (P::PumpSpeedSet, 2_300.0),
                    (P::FlowBlood, 430.0),
                    (P::PressPre, 140.0),
                    (P::PressPost, 128.0),
                ],
                false,
            ),
        ],
    );
}

#[test]
fn an_arterial_pressure_that_rises_is_no_obstruction_once_it_is_measured() {
    let mut bed = Bed::new(Composite::ReturnObstruction(ReturnObstruction::default())).settled();
    bed.set(&[
        (P::PatientAbpMean, 80.0),
        (P::PressPre, 137.0),
        (P::PressPost, 129.0),
        (P::FlowBlood, 330.0),
    ]);
    // It is measured once a second; the rule's hold is longer.
    bed.run(1_100);
    let changes = bed.run(120_000);
    assert_eq!(bed.finding, Some(Finding::Absent));
    assert!(changes.iter().all(|(_ms, word)| *word != "present"), "{changes:?}");
}

#[test]
fn above_the_hard_limit_an_obstructed_return_is_of_high_priority() {
    let mut bed = Bed::new(Composite::ReturnObstruction(ReturnObstruction::default())).settled();
    bed.set(KINKED).set(&[(P::PressPost, 320.0), (P::PressPre, 325.0)]).run(1_000);
    let Some(Finding::Present(evidence)) = bed.finding else { panic!("{:?}", bed.finding) };
    assert_eq!(evidence.priority, Some(Priority::High));
    assert_eq!(evidence.parameter, P::PressPost);
}

const SUCKED: &[(P, f32)] =
    &[(P::PressDrain, -62.0), (P::FlowBlood, 260.0), (P::PressPre, 85.0), (P::PressPost, 80.0)];

#[test]
fn an_obstructed_drainage_is_found_suddenly_and_over_minutes() {
    let composite = Composite::DrainObstruction(DrainObstruction::default());
    check(
        &composite,
        5_000,
        &[
            ("obstruction", SUCKED, true),
            ("another height of the bed", &[(P::PressDrain, -46.0)], false),
            ("less flow alone", &[(P::FlowBlood, 300.0)], false),
        ],
    );
    // Volume is lost over four minutes: a reference of 10 s would go along.
    let mut bed = Bed::new(composite).settled();
    bed.run(120_000);
    bed.run_with(240_000, |bed, ms| {
        let share = share(ms, 240_000);
        bed.set(&[(P::PressDrain, -30.0 - 32.0 * share), (P::FlowBlood, 360.0 - 100.0 * share)]);
    });
    assert!(bed.is_present(), "{:?}", bed.finding);
    bed.run(900_000);
    assert!(bed.is_present(), "what is present must not become the usual");
}

#[test]
fn a_roller_pushes_the_same_flow_through_an_obstruction() {
    let roller = |composite, kind: Option<PumpKind>| {
        let mut bed = Bed::new(composite);
        bed.case.pump_kind = kind;
        bed.set(&[(P::PumpSpeed, 80.0), (P::PumpSpeedSet, 80.0)]);
        bed.settled()
    };
    for kind in [Some(PumpKind::Roller), None] {
        let mut bed = roller(Composite::ReturnObstruction(ReturnObstruction::default()), kind);
        bed.set(&[(P::PressPre, 215.0), (P::PressPost, 205.0)]).run(1_000);
        assert!(bed.is_present(), "{kind:?} {:?}", bed.finding);
        let mut bed = roller(Composite::DrainObstruction(DrainObstruction::default()), kind);
        bed.set(&[(P::PressDrain, -60.0)]).run(1_000);
        assert!(bed.is_present(), "{kind:?} {:?}", bed.finding);
    }
}

/// A vein that closes and opens twice a second.
fn chatters(bed: &mut Bed, ms: u64) {
    let closed = ms % 500 < 200;
    let (drain, flow) = if closed { (-85.0, 200.0) } else { (-25.0, 340.0) };
    bed.set(&[(P::PressDrain, drain), (P::FlowBlood, flow)]);
}

#[test]
fn chatter_is_found_and_a_swing_that_moves_no_flow_is_not() {
    let composite = Composite::Chatter(Chatter::default());
    let mut bed = Bed::new(composite.clone()).settled();
    bed.run(30_000);
    let changes = bed.run_with(8_000, chatters);
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert!(changes[0].0 <= 64_100, "{changes:?}");
    bed.set(&super::HEALTHY).run(8_000);
    assert_eq!(bed.finding, Some(Finding::Absent));
    // The ventilator moves the pressure, and the flow by less than a tenth.
    bed.run_with(20_000, |bed, ms| {
        let drain = if ms % 1_600 < 800 { -50.0 } else { -12.0 };
        bed.set(&[(P::PressDrain, drain)]);
    });
    assert_eq!(bed.finding, Some(Finding::Absent));
    // Of high priority by its depth, and by its flow.
    let deep = |bed: &mut Bed, ms: u64| {
        chatters(bed, ms);
        let drain = bed.level(P::PressDrain);
        bed.set(&[(P::PressDrain, drain - 30.0)]);
    };
    let mut bed = Bed::new(composite).settled();
    bed.run_with(8_000, deep);
    let Some(Finding::Present(evidence)) = bed.finding else { panic!("{:?}", bed.finding) };
    assert_eq!(evidence.priority, Some(Priority::High));
}

#[test]
fn air_is_suspected_by_coupling_or_by_noise_with_a_lighter_motor() {
    let composite = Composite::AirEntrainment(AirEntrainment::default());
    check(
        &composite,
        1_000,
        &[
            ("coupling falls", &[(P::FlowAcousticQuality, 60.0)], true),
            ("coupling falls a little", &[(P::FlowAcousticQuality, 78.0)], false),
            ("a lighter motor alone", &[(P::MotorCurrent, 0.35)], false),
            ("an obstructed drainage", &[(P::MotorCurrent, 0.35), (P::PressDrain, -90.0)], false),
        ],
    );
    let mut bed = Bed::new(composite).settled();
    bed.run_with(3_000, |bed, ms| {
        let flow = if ms / 100 % 2 == 0 { 420.0 } else { 250.0 };
        bed.set(&[(P::FlowBlood, flow), (P::MotorCurrent, 0.35)]);
    });
    assert!(bed.is_present(), "{:?}", bed.finding);
}

#[test]
fn more_speed_alone_is_no_obstruction_and_hides_none() {
    let faster = [(P::PumpSpeed, 100.0), (P::PumpSpeedSet, 100.0), (P::FlowBlood, 450.0)];
    let pressures = [(P::PressDrain, -46.0), (P::PressPre, 152.0), (P::PressPost, 140.0)];
    for composite in [
        Composite::ReturnObstruction(ReturnObstruction::default()),
        Composite::DrainObstruction(DrainObstruction::default()),
    ] {
        let mut bed = Bed::new(composite);
        bed.case.pump_kind = Some(PumpKind::Roller);
        bed.set(&[(P::PumpSpeed, 80.0), (P::PumpSpeedSet, 80.0)]);
        let mut bed = bed.settled();
        let changes = bed.set(&faster).set(&pressures).run(60_000);
        assert!(changes.is_empty(), "a roller is turned up: {changes:?}");
        // And turned down again.
        bed.set(&super::HEALTHY).set(&[(P::PumpSpeed, 80.0), (P::PumpSpeedSet, 80.0)]);
        let changes = bed.run(60_000);
        assert!(changes.is_empty(), "a roller is turned down: {changes:?}");
    }
    // A servo keeps the flow through a kink with more and more speed.
    let mut bed = Bed::new(Composite::ReturnObstruction(ReturnObstruction::default())).settled();
    bed.run_with(20_000, |bed, ms| {
        let share = share(ms, 20_000);
        let speed = 2_000.0 + 500.0 * share;
        bed.set(&[(P::PumpSpeed, speed), (P::PumpSpeedSet, speed)]);
        bed.set(&[(P::PressPost, 95.0 + 90.0 * share), (P::PressPre, 104.0 + 90.0 * share)]);
    });
    assert!(bed.is_present(), "{:?}", bed.finding);
}

#[test]
fn blood_that_is_lost_before_the_membrane_is_no_obstructed_drainage() {
    let mut bed = Bed::new(Composite::DrainObstruction(DrainObstruction::default())).settled();
    bed.set(&[
        (P::PressPre, 20.0),
        (P::PressPost, 46.0),
        (P::FlowBlood, 30.0),
        (P::PressDrain, -70.0),
    ]);
    // Within the first beat the means are not of one moment; the rule's hold is longer.
    bed.run(500);
    let changes = bed.run(10_000);
    assert_eq!(bed.finding, Some(Finding::Absent));
    assert!(changes.iter().all(|(_ms, word)| *word != "present"), "{changes:?}");
}
