//! Every fault reaches the criterion of its condition wherever it applies, stays sane, and ends.

use core::time::Duration;

use ecmo_circuit::{Fault, Setup, Simulation, State};
use ecmo_core::case::{PumpKind, Therapy};
use ecmo_core::reading::Reading;

use crate::{circuits, with_fault};

/// When the faults are switched on, in seconds.
const AT: u64 = 15;

/// Seconds in which a fault must have reached its criterion.
fn patience(fault: Fault) -> u64 {
    let slow = [
        (Fault::SatDrainLow, 180),
        (Fault::Clotting, 180),
        (Fault::Bleeding, 180),
        (Fault::Hypovolaemia, 90),
        (Fault::BatteryLow, 90),
        (Fault::BatteryCritical, 90),
        (Fault::TempHigh, 90),
        (Fault::TempLow, 90),
        (Fault::HeaterOver, 90),
        (Fault::Recirculation, 90),
    ];
    slow.into_iter().find(|(slow, _)| *slow == fault).map_or(45, |(_, seconds)| seconds)
}

fn is_sane(state: &State) -> bool {
    let pressures = [state.drain, state.pre, state.post, state.venous, state.arterial];
    let shares = [state.sat_drain, state.sat_post, state.spo2, state.hct, state.battery_charge];
    pressures.iter().all(|pressure| (-600.0..900.0).contains(pressure))
        && shares.iter().all(|share| (0.0..=100.0).contains(share))
        && (-3_000.0..3_000.0).contains(&state.flow)
        && (0.0..=6_000.0).contains(&state.speed)
        && (10.0..50.0).contains(&state.temp_return)
        && state.membrane_resistance.is_finite()
}

/// Runs until the onset is known and 5 s more; the onset after the switch, in seconds.
fn onset(setup: Setup, patience_s: u64) -> Option<f64> {
    let mut simulation = Simulation::new(setup);
    let mut rest = 500;
    while simulation.passed() < Duration::from_secs(AT + patience_s) && rest > 0 {
        simulation.tick(&mut |parameter, _, reading| match reading {
            Reading::Value(value) => assert!(value.is_finite(), "{}", parameter.info().id),
            Reading::NoData(_) => {}
            Reading::Questionable(_) => panic!("nothing is doubted"),
        });
        let state = simulation.state();
        assert!(is_sane(&state), "{state:?}");
        rest -= u32::from(simulation.truth()[0].onset.is_some());
    }
    let [truth] = simulation.truth() else { panic!("one fault") };
    truth.onset.map(|onset| onset.as_secs_f64() - Duration::from_secs(AT).as_secs_f64())
}

#[test]
fn every_fault_reaches_its_onset_wherever_it_applies() {
    for fault in Fault::ALL {
        for (kind, therapy) in
            circuits().filter(|(kind, therapy)| fault.applies_to(*kind, *therapy))
        {
            for (seed, kg) in [(1, 2.0), (2, 5.0)] {
                let setup = Setup {
                    pace: fault.demonstration_pace(),
                    ..Setup::healthy(seed, kind, therapy, kg)
                };
                let setup = with_fault(setup, *fault, AT, None);
                let found = onset(setup, patience(*fault));
                let circuit = format!("{} {} {kg} kg", kind.id(), therapy.id());
                let after = found.unwrap_or_else(|| panic!("{fault} on {circuit}: no onset"));
                assert!(after >= 0.0, "{fault} on {circuit}: {after} s");
            }
        }
    }
}

#[test]
fn a_fault_that_ends_has_an_end_and_leaves_a_healthy_circuit() {
    for fault in [
        Fault::PumpStop,
        Fault::ReturnOpen,
        Fault::DrainageOpen,
        Fault::ReturnObstruction,
        Fault::DrainageObstruction,
        Fault::Chatter,
        Fault::AirBubble,
        Fault::MainsLoss,
        Fault::SensorOff,
        Fault::DrainVeryLow,
        Fault::PreHigh,
        Fault::FlowLow,
        Fault::SpeedHigh,
    ] {
        for kind in PumpKind::ALL {
            let setup = Setup::healthy(3, kind, Therapy::VenoArterial, 3.0);
            let before = Simulation::new(setup.clone()).state().flow;
            let mut simulation = Simulation::new(with_fault(setup, fault, 10, Some(20)));
            for _ in 0..6_000 {
                simulation.tick(&mut |_, _, _| {});
            }
            let [truth] = simulation.truth() else { panic!("one fault") };
            let (onset, end) = (truth.onset.expect("an onset"), truth.end.expect("an end"));
            assert!(
                onset < end && end >= Duration::from_secs(30),
                "{fault} {}: {truth:?}",
                kind.id()
            );
            let after = simulation.state().flow;
            assert!((after / before - 1.0).abs() < 0.15, "{fault} {}: {before} {after}", kind.id());
        }
    }
}

/// Mean of what a state shows over the last 5 of 30 s after a fault.
fn settled(kind: PumpKind, therapy: Therapy, fault: Fault, read: fn(&State) -> f64) -> f64 {
    let setup = Setup::healthy(4, kind, therapy, 3.0);
    let mut simulation = Simulation::new(with_fault(setup, fault, 1, None));
    let mut sum = 0.0;
    for tick in 0..3_000 {
        simulation.tick(&mut |_, _, _| {});
        if tick >= 2_500 {
            sum += read(&simulation.state()) / 500.0;
        }
    }
    sum
}

#[test]
fn the_pump_kinds_differ_where_they_should() {
    use PumpKind::{Centrifugal, Roller};
    use Therapy::{VenoArterial, VenoVenous};
    let post = |kind| settled(kind, VenoArterial, Fault::ReturnObstruction, |state| state.post);
    let bounded = post(Centrifugal);
    assert!((160.0..260.0).contains(&bounded), "bounded by the speed: {bounded}");
    assert!(post(Roller) > 300.0, "without bound: {}", post(Roller));
    let stopped = |kind, therapy| settled(kind, therapy, Fault::PumpStop, |state| state.flow);
    let back = stopped(Centrifugal, VenoArterial);
    assert!((-250.0..-40.0).contains(&back), "nothing occludes: {back}");
    assert!(stopped(Roller, VenoArterial).abs() < 10.0);
    assert!(stopped(Centrifugal, VenoVenous).abs() < 20.0, "no gradient");
}

#[test]
fn chatter_swings_about_once_a_second() {
    for (kind, therapy) in circuits() {
        let setup = Setup::healthy(5, kind, therapy, 3.0);
        let mut simulation = Simulation::new(with_fault(setup, Fault::Chatter, 1, None));
        let (mut collapses, mut last) = (0_u32, false);
        let mut drain = Vec::new();
        for tick in 0..2_500 {
            simulation.tick(&mut |_, _, _| {});
            let state = simulation.state();
            if tick >= 1_500 {
                collapses += u32::from(state.is_collapsed && !last);
                drain.push(state.drain);
            }
            last = state.is_collapsed;
        }
        drain.sort_by(f64::total_cmp);
        let swing = drain[950] - drain[50];
        let circuit = format!("{} {}", kind.id(), therapy.id());
        assert!((8..=30).contains(&collapses), "{circuit}: {collapses} in 10 s");
        assert!(swing > 45.0, "{circuit}: {swing} mmHg");
    }
}

#[test]
fn saturation_follows_a_stopped_sweep_over_a_washout() {
    let setup = Setup::healthy(6, PumpKind::Centrifugal, Therapy::VenoArterial, 3.0);
    let mut simulation = Simulation::new(with_fault(setup, Fault::GasFailure, 1, None));
    let mut at = |second: u64| {
        while simulation.passed() < Duration::from_secs(second) {
            simulation.tick(&mut |_, _, _| {});
        }
        simulation.state()
    };
    assert!(at(3).sat_post > 97.0, "not at once");
    let washed = at(15).sat_post;
    assert!((82.0..97.0).contains(&washed), "{washed}");
    let later = at(90);
    assert!(later.sat_post - later.sat_drain < 2.0, "it ends at what comes in: {later:?}");
}
