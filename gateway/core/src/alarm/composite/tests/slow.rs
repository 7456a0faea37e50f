//! Clotting, battery, bleeding: what minutes and hours tell.

use super::super::*;
use super::{Bed, share};
use crate::alarm::condition::Priority;
use crate::parameter::Parameter as P;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

fn priority(bed: &Bed) -> Option<Priority> {
    match bed.finding {
        Some(Finding::Present(evidence)) => evidence.priority,
        Some(Finding::Absent | Finding::Unknown(_)) | None => None,
    }
}

fn membrane() -> Bed {
    Bed::new(Composite::Clotting(Clotting::default())).coarse(1_000)
}

/// Sets the pressure drop of the membrane.
fn drop_of(bed: &mut Bed, mmhg: f32) {
    bed.set(&[(P::PressPre, 95.0 + mmhg)]);
}

#[test]
fn a_membrane_is_held_against_its_first_hours() {
    let mut bed = membrane();
    bed.run(80 * MINUTE);
    assert_eq!(bed.reason(), Some(NotEvaluable::NoReference));
    bed.run(40 * MINUTE);
    assert_eq!(bed.finding, Some(Finding::Absent));
    assert_eq!(bed.memory.membrane_baseline(), None);
    bed.run(4 * HOUR + 10 * MINUTE);
    // 9 mmHg at 360 mL/min.
    let baseline = bed.memory.membrane_baseline().unwrap();
    assert!((baseline - 25.0).abs() < 0.5, "{baseline}");
    drop_of(&mut bed, 15.0);
    let changes = bed.run(40 * MINUTE);
    assert_eq!(changes.len(), 1, "{changes:?}");
    let after = changes[0].0 - 6 * HOUR - 10 * MINUTE;
    assert!((30 * MINUTE..=33 * MINUTE).contains(&after), "{after}");
    assert_eq!(priority(&bed), Some(Priority::Low));
    // The staff makes the circuit new: another membrane.
    bed.circuit = 2;
    bed.run(MINUTE);
    assert_eq!(bed.reason(), Some(NotEvaluable::NoReference));
}

#[test]
fn a_membrane_of_known_resistance_is_judged_at_once_and_goes_up_in_priority() {
    let mut bed = membrane();
    bed.baseline = Some(25.0);
    bed.run(5 * MINUTE);
    assert_eq!(bed.finding, Some(Finding::Absent));
    drop_of(&mut bed, 24.0);
    bed.run(9 * MINUTE);
    assert_eq!(bed.finding, Some(Finding::Absent));
    bed.run(4 * MINUTE);
    assert_eq!(priority(&bed), Some(Priority::Medium));
    bed.set(&[(P::SatPost, 95.0)]).run(3 * MINUTE);
    assert_eq!(priority(&bed), Some(Priority::High));
    drop_of(&mut bed, 9.0);
    bed.run(3 * MINUTE);
    assert_eq!(bed.finding, Some(Finding::Absent));
}

#[test]
fn a_great_drop_needs_no_baseline_and_a_restless_flow_no_resistance() {
    let mut bed = membrane();
    drop_of(&mut bed, 36.0);
    bed.run(13 * MINUTE);
    assert_eq!(priority(&bed), Some(Priority::Medium));
    let mut bed = membrane();
    bed.baseline = Some(25.0);
    drop_of(&mut bed, 20.0);
    bed.run_with(60 * MINUTE, |bed, ms| {
        let flow = if ms / 10_000 % 2 == 0 { 320.0 } else { 400.0 };
        bed.set(&[(P::FlowBlood, flow)]);
    });
    assert_eq!(bed.reason(), Some(NotEvaluable::NoReference));
}

#[test]
fn a_resistance_that_grows_by_six_percent_an_hour_is_told_before_it_is_high() {
    let mut bed = membrane();
    bed.baseline = Some(25.0);
    let grow = |growth: f32| {
        move |bed: &mut Bed, ms: u64| drop_of(bed, 9.0 * (1.0 + growth * share(ms, HOUR)))
    };
    bed.run_with(6 * HOUR, grow(0.03));
    assert_eq!(bed.finding, Some(Finding::Absent));
    let mut bed = membrane();
    bed.baseline = Some(25.0);
    bed.run_with(6 * HOUR, grow(0.07));
    assert_eq!(priority(&bed), Some(Priority::Low));
}

#[test]
fn a_battery_is_told_by_its_slope_while_mains_is_lost() {
    let drain = |bed: &mut Bed, ms: u64, per_minute: f32| {
        let charge = 40.0 - per_minute * share(ms, MINUTE);
        bed.set(&[(P::BatteryCharge, charge.max(0.0))]);
    };
    let mut bed = Bed::new(Composite::Depleting(Depleting::default())).coarse(1_000);
    bed.run_with(5 * MINUTE, |bed, ms| drain(bed, ms, 4.0));
    assert_eq!(bed.finding, Some(Finding::Absent), "mains is there");
    bed.set(&[(P::PowerMains, 0.0)]);
    bed.run(30_000);
    assert_eq!(bed.reason(), Some(NotEvaluable::NoReference));
    // 1 % a minute from 40 %: empty in 40 min.
    bed.run_with(5 * MINUTE, |bed, ms| drain(bed, ms, 1.0));
    assert_eq!(bed.finding, Some(Finding::Absent));
    bed.run_with(5 * MINUTE, |bed, ms| drain(bed, ms, 5.0));
    assert!(bed.is_present(), "{:?}", bed.finding);
    bed.set(&[(P::PowerMains, 1.0)]).run(1_000);
    assert_eq!(bed.finding, Some(Finding::Absent));
}

#[test]
fn four_signs_over_half_an_hour_are_a_card() {
    let mut bed = Bed::new(Composite::BleedingTrend(BleedingTrend::default())).coarse(1_000);
    bed.run(20 * MINUTE);
    assert_eq!(bed.reason(), Some(NotEvaluable::NoReference));
    bed.run(25 * MINUTE);
    assert_eq!(bed.finding, Some(Finding::Absent));
    let signs =
        [(P::PressDrain, -40.0), (P::PatientAbpMean, 38.0), (P::PatientHr, 160.0), (P::Hct, 35.0)];
    for left_out in 0..signs.len() {
        let mut bed = Bed::new(Composite::BleedingTrend(BleedingTrend::default())).coarse(1_000);
        bed.run(40 * MINUTE);
        for (place, sign) in signs.iter().enumerate() {
            if place != left_out {
                bed.set(&[*sign]);
            }
        }
        bed.run(10 * MINUTE);
        assert_eq!(bed.finding, Some(Finding::Absent), "without sign {left_out}");
        bed.set(&signs).run(10 * MINUTE);
        assert!(bed.is_present(), "{:?}", bed.finding);
    }
}
