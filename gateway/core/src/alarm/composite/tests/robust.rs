//! What cannot be judged is told, no number harms, and time may be shifted.

use core::time::Duration;

use super::super::*;
use super::Bed;
use crate::parameter::Parameter as P;
use crate::reading::{NoData, Reading};
use crate::time::SampleTime;
use proptest::prelude::*;

fn all() -> Vec<Composite> {
    vec![
        Composite::PumpNoFlow(NoFlow::default()),
        Composite::Disconnection(Disconnection::default()),
        Composite::PostFall(PostFall::default()),
        Composite::ReturnObstruction(ReturnObstruction::default()),
        Composite::DrainObstruction(DrainObstruction::default()),
        Composite::Clotting(Clotting::default()),
        Composite::Chatter(Chatter::default()),
        Composite::AirEntrainment(AirEntrainment::default()),
        Composite::Recirculation(Recirculation::default()),
        Composite::GasFailure(GasFailure::default()),
        Composite::Depleting(Depleting::default()),
        Composite::BleedingTrend(BleedingTrend::default()),
        Composite::PulseLow(PulseLow::default()),
    ]
}

/// (what is judged, an input that it cannot do without)
fn needs() -> Vec<(Composite, P)> {
    let [no_flow, open, fall, back, drain, clot, chatter, air, _, gas, _, bleeding, pulse] =
        all().try_into().unwrap();
    vec![
        (no_flow.clone(), P::FlowBlood),
        (no_flow.clone(), P::PressPre),
        (no_flow.clone(), P::PressPost),
        (no_flow, P::PressDrain),
        (open.clone(), P::PressPost),
        (open.clone(), P::FlowBlood),
        (open.clone(), P::PressPre),
        (open.clone(), P::PressDrain),
        (open, P::PumpSpeed),
        (fall, P::PressPost),
        (back.clone(), P::PressPost),
        (back, P::FlowBlood),
        (drain.clone(), P::PressDrain),
        (drain, P::FlowBlood),
        (clot.clone(), P::FlowBlood),
        (clot, P::PressPost),
        (chatter.clone(), P::PressDrain),
        (chatter, P::FlowBlood),
        (air.clone(), P::FlowBlood),
        (air, P::FlowAcousticQuality),
        (gas.clone(), P::GasSweep),
        (gas.clone(), P::GasSweepSet),
        (gas, P::SatPost),
        (bleeding.clone(), P::PressDrain),
        (bleeding, P::Hct),
        (pulse, P::PatientAbpSys),
    ]
}

#[test]
fn a_missing_a_slow_and_a_silent_input_are_told_by_name() {
    for (composite, input) in needs() {
        let mut bed = Bed::new(composite.clone()).without(input).settled();
        assert_eq!(bed.reason(), Some(NotEvaluable::NoSensor(input)), "{composite:?}");
        bed.run(1_000);

        let mut bed = Bed::new(composite.clone());
        bed.signals.declare(input, Some(Some(Duration::from_secs(600))));
        bed.run(15_000);
        assert_eq!(bed.reason(), Some(NotEvaluable::TooSlow(input)), "{composite:?}");

        let mut bed = Bed::new(composite.clone()).settled();
        bed.set(&[(input, f32::NAN)]).run(5_000);
        assert_eq!(bed.reason(), Some(NotEvaluable::NoData(input)), "{composite:?}");
    }
}

#[test]
fn chatter_needs_twenty_samples_a_second_and_the_circuit_ten() {
    let slow = [
        (Composite::Chatter(Chatter::default()), P::PressDrain, 51),
        (Composite::Disconnection(Disconnection::default()), P::PressPost, 101),
        (Composite::ReturnObstruction(ReturnObstruction::default()), P::FlowBlood, 1_000),
        (Composite::GasFailure(GasFailure::default()), P::GasSweep, 1_001),
    ];
    for (composite, input, ms) in slow {
        let mut bed = Bed::new(composite.clone());
        bed.signals.declare(input, Some(Some(Duration::from_millis(ms))));
        bed.run(15_000);
        assert_eq!(bed.reason(), Some(NotEvaluable::TooSlow(input)), "{composite:?}");
    }
}

#[test]
fn without_a_reference_nothing_is_absent() {
    for composite in all() {
        let mut bed = Bed::new(composite.clone());
        if matches!(composite, Composite::Recirculation(_)) {
            bed.case.therapy = Some(crate::case::Therapy::VenoVenous);
        }
        bed.set(&[(P::PowerMains, 0.0)]);
        bed.run(1_000);
        let expected = !matches!(composite, Composite::GasFailure(_) | Composite::Chatter(_));
        let told = bed.reason().is_some();
        // Gas and chatter look at what is there now: they have no reference.
        assert!(told || !expected, "{composite:?} {:?}", bed.finding);
    }
}

#[test]
fn a_short_gap_changes_nothing_and_a_long_one_is_told() {
    let mut bed = Bed::new(Composite::Disconnection(Disconnection::default())).settled();
    let changes = bed.set(&[(P::PressPost, f32::NAN)]).run(3_000);
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(bed.reason(), Some(NotEvaluable::NoData(P::PressPost)));
    bed.set(&super::HEALTHY).run(1_000);
    assert_eq!(bed.finding, Some(Finding::Absent));
}

#[test]
fn a_new_boot_begins_anew_and_finds_what_is_still_so() {
    let mut bed = Bed::new(Composite::Disconnection(Disconnection::default())).settled();
    let open = [(P::PressPre, 30.0), (P::PressPost, 20.0), (P::FlowBlood, 420.0)];
    bed.set(&open).run(5_000);
    assert!(bed.is_present());
    bed.reboot();
    bed.run(2_000);
    // The reference was held: it is still open.
    assert!(bed.is_present(), "{:?}", bed.finding);
    bed.set(&super::HEALTHY).run(2_000);
    assert_eq!(bed.finding, Some(Finding::Absent));
}

/// Every composite over a scripted day in a minute, from a time of the clock on.
fn history(start_ms: u64) -> Vec<Vec<(u64, &'static str)>> {
    let script: [&[(P, f32)]; 6] = [
        &[],
        &[(P::PressPre, 30.0), (P::PressPost, 20.0), (P::FlowBlood, 420.0)],
        &super::HEALTHY,
        &[(P::PressDrain, -62.0), (P::FlowBlood, 260.0)],
        &[(P::GasSweep, 0.0), (P::FlowAcousticQuality, 50.0)],
        &super::HEALTHY,
    ];
    all()
        .into_iter()
        .map(|composite| {
            let mut bed = Bed::new(composite).at(start_ms);
            script.iter().flat_map(|levels| bed.set(levels).run(25_000)).collect()
        })
        .collect()
}

#[test]
fn a_shift_by_whole_steps_of_the_grid_changes_nothing() {
    let unshifted = history(0);
    assert!(
        unshifted.iter().filter(|one| one.iter().any(|(_, word)| *word == "present")).count() > 4
    );
    for steps in [1, 7, 1_000_000] {
        assert_eq!(history(steps * 300_000), unshifted, "{steps}");
    }
}

/// Any reading at all.
fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![
        any::<u32>().prop_map(|bits| Reading::Value(f32::from_bits(bits))),
        (-1.0_f32..1.0).prop_map(|near| Reading::Questionable(near * 1_000.0)),
        Just(Reading::NoData(NoData::SensorOff)),
        Just(Reading::NoData(NoData::AboveRange)),
        Just(Reading::NoData(NoData::BelowRange)),
        Just(Reading::Value(f32::NAN)),
        Just(Reading::Value(f32::INFINITY)),
        Just(Reading::Value(f32::NEG_INFINITY)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_storm_of_readings_harms(storm in proptest::collection::vec(reading(), 400)) {
        for composite in all() {
            let mut bed = Bed::new(composite.clone()).settled();
            for (step, reading) in (0_u64..).zip(&storm) {
                let time = SampleTime::from_millis(30_000 + step * 40);
                for parameter in P::ALL {
                    bed.signals.push(*parameter, *reading, time);
                }
                if let Some(tick) = bed.signals.advance(time) {
                    let finding = bed.judge(tick);
                    if let Finding::Present(evidence) = finding {
                        prop_assert!(!evidence.value.is_nan(), "{composite:?} {evidence:?}");
                    }
                }
            }
            // And it judges again afterwards: only times that went backwards could have stopped it.
            bed.signals.restart();
            bed.memory.restart();
        }
    }
}
