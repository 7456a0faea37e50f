//! Disturbances show what they are meant to show, pass, and take no circuit beyond what is healthy for long.

use core::time::Duration;

use ecmo_circuit::{Disturbance, Event, Setup, Simulation, What};
use ecmo_core::case::{PumpKind, Therapy};
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;

use crate::circuits;

fn with(disturbance: Disturbance, seed: u64, kind: PumpKind, therapy: Therapy) -> Setup {
    let event =
        Event { what: What::Disturbance(disturbance), at: Duration::from_secs(10), lasts: None };
    Setup { events: vec![event], ..Setup::healthy(seed, kind, therapy, 3.0) }
}

/// Least and greatest value that a parameter shows between two seconds, and how often it showed none.
fn span(setup: Setup, parameter: Parameter, from_s: u64, to_s: u64) -> (f32, f32, u32) {
    let mut simulation = Simulation::new(setup);
    let (mut low, mut high, mut none) = (f32::MAX, f32::MIN, 0);
    while simulation.passed() < Duration::from_secs(to_s) {
        simulation.tick(&mut |of, time, reading| {
            if of != parameter || time < Duration::from_secs(from_s) {
                return;
            }
            if let Reading::Value(value) = reading {
                (low, high) = (low.min(value), high.max(value));
            } else {
                none += 1;
            }
        });
    }
    (low, high, none)
}

const VA: (PumpKind, Therapy) = (PumpKind::Centrifugal, Therapy::VenoArterial);

#[test]
fn suctioning_and_coughs_swing_the_pressures() {
    for disturbance in [Disturbance::Suctioning, Disturbance::Coughing] {
        for seed in 0..4 {
            let setup = || with(disturbance, seed, VA.0, VA.1);
            let (low, high, _) = span(setup(), Parameter::PressDrain, 2, 10);
            let (disturbed_low, disturbed_high, _) = span(setup(), Parameter::PressDrain, 10, 20);
            let wider = (disturbed_high - disturbed_low) - (high - low);
            assert!(wider > 5.0, "{disturbance}, seed {seed}: {wider} mmHg more");
            let (_, venous, _) = span(setup(), Parameter::PatientCvp, 10, 25);
            assert!(venous > 8.0, "{disturbance}, seed {seed}: {venous} mmHg");
        }
    }
}

#[test]
fn a_transducer_that_is_zeroed_or_flushed_reads_that_and_returns() {
    let pressures = [Parameter::PressDrain, Parameter::PressPre, Parameter::PressPost];
    for seed in 0..6 {
        let zeroed = pressures.map(|parameter| {
            let (low, high, _) =
                span(with(Disturbance::Zeroing, seed, VA.0, VA.1), parameter, 11, 17);
            low.abs() <= 2.0 && high.abs() <= 2.0 && high - low < 0.2
        });
        assert_eq!(zeroed.iter().filter(|zeroed| **zeroed).count(), 1, "seed {seed}");
        let flushed = pressures.map(|parameter| {
            let (_, high, _) = span(with(Disturbance::Flush, seed, VA.0, VA.1), parameter, 10, 12);
            high > 230.0
        });
        assert_eq!(flushed.iter().filter(|flushed| **flushed).count(), 1, "seed {seed}");
        for parameter in pressures {
            let setup = with(Disturbance::Zeroing, seed, VA.0, VA.1);
            let (low, high, _) = span(setup, parameter, 32, 40);
            assert!(low > 80.0 || high < -15.0, "seed {seed}: {low} to {high}");
        }
    }
}

#[test]
fn a_dropout_and_a_hiccup_last_less_than_a_second() {
    for seed in 0..6 {
        let all = [
            Parameter::PressDrain,
            Parameter::PressPre,
            Parameter::PressPost,
            Parameter::FlowBlood,
            Parameter::PumpSpeed,
            Parameter::SatPost,
        ];
        let silent: Vec<u32> = all
            .iter()
            .map(|parameter| {
                span(with(Disturbance::Dropout, seed, VA.0, VA.1), *parameter, 0, 15).2
            })
            .collect();
        assert!(silent.iter().filter(|count| **count > 0).count() <= 1, "{silent:?}");
        assert!(silent.iter().all(|count| *count < 100), "{silent:?}");
    }
}

#[test]
fn a_speed_change_ramps_both_speeds_by_three_to_eight_percent() {
    for seed in 0..6 {
        let setup = with(Disturbance::SpeedChange, seed, VA.0, VA.1);
        let before = Simulation::new(setup.clone()).state().speed_set;
        let mut simulation = Simulation::new(setup);
        for _ in 0..1_600 {
            simulation.tick(&mut |_, _, _| {});
        }
        let state = simulation.state();
        let change = (state.speed_set / before - 1.0).abs();
        assert!((0.029..0.081).contains(&change), "seed {seed}: {change}");
        assert!((state.speed / state.speed_set - 1.0).abs() < 0.005);
    }
}

#[test]
fn no_disturbance_takes_a_circuit_out_of_the_healthy_for_a_second() {
    for disturbance in Disturbance::ALL {
        for (kind, therapy) in circuits() {
            for seed in 0..3 {
                let mut simulation = Simulation::new(with(*disturbance, seed, kind, therapy));
                let mut beyond = 0_u32;
                for _ in 0..5_000 {
                    simulation.tick(&mut |_, _, _| {});
                    let state = simulation.state();
                    let is_healthy = state.drain > -50.0
                        && state.drain < -2.0
                        && state.pre < 250.0
                        && state.post < 200.0
                        && (0.8 * 360.0..180.0 * 3.0).contains(&state.flow)
                        && !state.is_collapsed;
                    beyond = if is_healthy { 0 } else { beyond + 1 };
                    assert!(beyond < 100, "{disturbance}, seed {seed}: {state:?}");
                }
            }
        }
    }
}

#[test]
fn a_day_of_changes_goes_nowhere() {
    let mut setup = Setup::healthy(1, VA.0, VA.1, 3.0);
    for minute in 0..30 {
        for disturbance in
            [Disturbance::PositionChange, Disturbance::SpeedChange, Disturbance::BedHeight]
        {
            setup.events.push(Event {
                what: What::Disturbance(disturbance),
                at: Duration::from_secs(minute * 10),
                lasts: None,
            });
        }
    }
    let mut simulation = Simulation::new(setup);
    for _ in 0..32_000 {
        simulation.tick(&mut |_, _, _| {});
        let flow = simulation.state().flow / 360.0;
        assert!((0.8..1.3).contains(&flow), "{flow} of the target");
    }
}
