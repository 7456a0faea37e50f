//! Recirculation, gas, pulse: what the slow signals of blood and patient tell.

use super::super::*;
use super::Bed;
use crate::case::Therapy;
use crate::parameter::Parameter as P;

/// (what, levels after the change, delay in ms)
type Row<'a> = (&'a str, &'a [(P, f32)], u64);

#[test]
fn gas_fails_by_sweep_in_three_seconds_and_by_blood_in_fifteen() {
    let rows: [Row<'_>; 4] = [
        ("sweep stops", &[(P::GasSweep, 0.0)], 3_000),
        ("no oxygen behind the membrane", &[(P::SatPost, 90.0)], 15_000),
        ("the membrane adds nothing", &[(P::SatPost, 74.0), (P::GasFdo2, 30.0)], 15_000),
        ("everything at once", &[(P::GasSweep, 100.0), (P::SatPost, 74.0)], 3_000),
    ];
    for (what, levels, delay) in rows {
        let mut bed = Bed::new(Composite::GasFailure(GasFailure::default())).settled();
        assert_eq!(bed.finding, Some(Finding::Absent), "{what}");
        let changes = bed.set(levels).run(30_000);
        assert_eq!(changes.len(), 1, "{what}: {changes:?}");
        let after = changes[0].0 - 30_000;
        assert!(after >= delay && after <= delay + 2_000, "{what}: {after}");
        bed.set(&super::HEALTHY).run(3_000);
        assert_eq!(bed.finding, Some(Finding::Absent), "{what}");
    }
}

#[test]
fn little_oxygen_in_the_gas_explains_little_in_the_blood() {
    let mut bed = Bed::new(Composite::GasFailure(GasFailure::default())).settled();
    bed.set(&[(P::SatPost, 93.0), (P::GasFdo2, 25.0)]).run(60_000);
    assert_eq!(bed.finding, Some(Finding::Absent));
    // Nobody measures the gas: that explains nothing.
    let mut bed =
        Bed::new(Composite::GasFailure(GasFailure::default())).without(P::GasFdo2).settled();
    bed.set(&[(P::SatPost, 93.0)]).run(60_000);
    assert!(bed.is_present());
}

#[test]
fn a_sensor_that_is_not_there_does_not_keep_a_gas_failure_from_ending() {
    let mut bed =
        Bed::new(Composite::GasFailure(GasFailure::default())).without(P::SatPost).settled();
    assert_eq!(bed.reason(), Some(NotEvaluable::NoSensor(P::SatPost)));
    bed.set(&[(P::GasSweep, 0.0)]).run(10_000);
    assert!(bed.is_present());
    bed.set(&[(P::GasSweep, 400.0)]).run(10_000);
    assert_eq!(bed.finding, Some(Finding::Absent));
    bed.run(120_000);
    assert_eq!(bed.reason(), Some(NotEvaluable::NoSensor(P::SatPost)));
}

#[test]
fn recirculation_is_a_trend_over_five_minutes() {
    let composite = Composite::Recirculation(Recirculation::default());
    let mut bed = Bed::new(composite.clone()).coarse(100);
    assert_eq!(bed.run(1_000), [(100, "absent")]);
    bed.case.therapy = None;
    bed.run(1_000);
    assert_eq!(bed.reason(), Some(NotEvaluable::NoTherapy));
    bed.case.therapy = Some(Therapy::VenoVenous);
    bed.run(1_000);
    assert_eq!(bed.reason(), Some(NotEvaluable::NoReference));
    bed.run(400_000);
    assert_eq!(bed.finding, Some(Finding::Absent));
    for (sat, spo2, expected) in [(84.0, 94.0, false), (72.0, 86.0, false), (84.0, 88.0, true)] {
        bed.set(&[(P::SatPre, sat), (P::PatientSpo2, spo2)]).run(60_000);
        assert_eq!(bed.is_present(), expected, "{sat} {spo2}");
        if expected {
            bed.run(1_200_000);
            assert!(bed.is_present(), "what is present must not become the usual");
        }
        bed.set(&super::HEALTHY).run(400_000);
        assert_eq!(bed.finding, Some(Finding::Absent));
    }
}

#[test]
fn a_pulse_below_ten_is_told_in_veno_arterial_treatment() {
    let mut bed = Bed::new(Composite::PulseLow(PulseLow::default())).coarse(100);
    bed.run(70_000);
    assert_eq!(bed.finding, Some(Finding::Absent));
    bed.set(&[(P::PatientAbpSys, 47.0), (P::PatientAbpDia, 41.0)]).run(70_000);
    assert!(bed.is_present());
    bed.case.therapy = Some(Therapy::VenoVenous);
    bed.run(1_000);
    assert_eq!(bed.finding, Some(Finding::Absent));
}
