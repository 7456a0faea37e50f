//! Healthy circuits lie where newborns do, and well inside the starter limits of the clinical reference, section 2.2.

use ecmo_circuit::{Feed, Setup, Simulation, State};
use ecmo_core::case::{PumpKind, Therapy};
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::{NoData, Reading};

use crate::circuits;

/// What a state must fulfil: name, value, least, greatest.
type Row = (&'static str, f64, f64, f64);

fn rows(state: &State, therapy: Therapy, kg: f64) -> Vec<Row> {
    let spo2 = match therapy {
        Therapy::VenoArterial => (93.0, 100.0),
        Therapy::VenoVenous => (85.0, 100.0),
    };
    vec![
        ("flow by weight", state.flow / kg, 105.0, 140.0),
        ("drain", state.drain, -42.0, -18.0),
        ("pre", state.pre, 90.0, 195.0),
        ("post", state.post, 80.0, 160.0),
        ("delta", state.pre - state.post, 5.0, 16.0),
        ("venous", state.venous, 2.0, 12.0),
        ("mean arterial", state.arterial_mean, 38.0, 58.0),
        ("pulse", state.arterial_systolic - state.arterial_diastolic, 12.0, 35.0),
        ("heart rate", state.heart_rate, 105.0, 165.0),
        ("sat.drain", state.sat_drain, 65.5, 85.0),
        ("sat.post", state.sat_post, 98.0, 100.0),
        ("spo2", state.spo2, spo2.0, spo2.1),
        ("po2.post", state.po2_post, 100.0, 350.0),
        ("pco2.post", state.pco2_post, 30.0, 48.0),
        ("hct", state.hct, 35.0, 48.0),
        ("temp.return", state.temp_return, 36.0, 38.0),
        ("heater", state.heater_water, 36.0, 38.5),
        ("battery", state.battery_charge, 99.0, 100.0),
        ("quality", state.acoustic_quality, 85.0, 100.0),
        ("sweep by flow", state.sweep / state.flow.max(1.0), 0.5, 1.7),
    ]
}

#[test]
fn healthy_circuits_lie_where_newborns_do() {
    for (kind, therapy) in circuits() {
        for kg in [2.0, 3.0, 5.0] {
            for seed in [1, 2, 3] {
                let mut simulation = Simulation::new(Setup::healthy(seed, kind, therapy, kg));
                for tick in 0..3_000 {
                    simulation.tick(&mut |_, _, _| {});
                    if tick % 20 != 0 {
                        continue;
                    }
                    let state = simulation.state();
                    for (name, value, low, high) in rows(&state, therapy, kg) {
                        assert!(
                            (low..=high).contains(&value),
                            "{} {} {kg} kg, seed {seed}: {name} {value}",
                            kind.id(),
                            therapy.id()
                        );
                    }
                    assert!(!state.is_collapsed && state.mains && !state.level_low);
                }
            }
        }
    }
}

#[test]
fn speeds_are_those_of_the_pump_kinds() {
    for kg in [2.0, 3.0, 5.0] {
        let speed = |kind| {
            let setup = Setup::healthy(1, kind, Therapy::VenoArterial, kg);
            let most = setup.speed_max();
            let speed = Simulation::new(setup).state().speed;
            assert!(1.1 * speed < most, "{speed} lies clearly below the site's {most}");
            speed
        };
        let (centrifugal, roller) = (speed(PumpKind::Centrifugal), speed(PumpKind::Roller));
        assert!((1400.0..2700.0).contains(&centrifugal), "{kg} kg: {centrifugal}");
        assert!((25.0..110.0).contains(&roller), "{kg} kg: {roller}");
    }
}

#[test]
fn a_set_speed_is_kept_and_a_faster_pump_moves_more() {
    let flow = |speed| {
        let setup = Setup::healthy(1, PumpKind::Centrifugal, Therapy::VenoArterial, 3.0);
        let simulation = Simulation::new(Setup { speed_set: Some(speed), ..setup });
        let state = simulation.state();
        assert!((state.speed_set - speed).abs() < 1e-9 && (state.speed - speed).abs() < 1.0);
        state.flow
    };
    assert!(flow(1600.0) + 60.0 < flow(1900.0) && flow(1900.0) + 60.0 < flow(2200.0));
}

#[test]
fn a_raw_sensor_is_never_flat_and_every_channel_delivers_what_it_declares() {
    for feed in [Feed::Raw, Feed::Console] {
        let setup = Setup::healthy(1, PumpKind::Centrifugal, Therapy::VenoArterial, 3.0);
        let mut simulation = Simulation::new(Setup { feed, ..setup });
        let channels = simulation.channels().to_vec();
        let mut values: Vec<Vec<f64>> = vec![Vec::new(); channels.len()];
        let mut counts = vec![0_u64; channels.len()];
        for _ in 0..2_000 {
            simulation.tick(&mut |parameter, _, reading| {
                let place = channels.iter().position(|channel| channel.parameter == parameter);
                let place = place.expect("a declared channel");
                counts[place] += 1;
                if let Reading::Value(value) = reading {
                    values[place].push(f64::from(value));
                }
            });
        }
        for ((channel, values), count) in channels.iter().zip(&values).zip(counts) {
            let id = channel.parameter.info().id;
            let interval = channel.interval.map_or(1_000, |interval| interval.as_millis());
            assert_eq!(u128::from(count), 20_000 / interval, "{id}");
            for value in values {
                let steps = value / channel.resolution;
                assert!((steps - steps.round()).abs() < 0.01, "{id}: {value}");
            }
            let is_pressure = [Parameter::PressDrain, Parameter::PressPre, Parameter::PressPost]
                .contains(&channel.parameter);
            if feed == Feed::Raw && is_pressure {
                // 5 s at 100 Hz; a raw sensor counts as flat below 0.2 mmHg.
                for window in values.chunks(500) {
                    let high = window.iter().copied().fold(f64::MIN, f64::max);
                    let low = window.iter().copied().fold(f64::MAX, f64::min);
                    assert!(high - low > 1.0, "{id}");
                }
            }
        }
    }
}

/// What the haemoglobin channel of a feed says in its first second.
fn haemoglobin(seed: u64, feed: Feed) -> (f64, Reading) {
    let setup = Setup::healthy(seed, PumpKind::Centrifugal, Therapy::VenoArterial, 3.0);
    let mut simulation = Simulation::new(Setup { feed, ..setup });
    let mut found = None;
    simulation.tick(&mut |parameter, _, reading| {
        if parameter == Parameter::Hb {
            found = Some(reading);
        }
    });
    (simulation.state().hct / 3.0, found.expect("a reading"))
}

#[test]
fn a_console_calls_a_newborns_haemoglobin_above_its_range_and_a_raw_sensor_measures_it() {
    let mut above = 0;
    for seed in 0..30 {
        let (exact, console) = haemoglobin(seed, Feed::Console);
        if exact > 15.3 {
            above += 1;
            assert_eq!(console, Reading::NoData(NoData::AboveRange), "{exact} g/dL");
            let (_, raw) = haemoglobin(seed, Feed::Raw);
            assert!(raw.value().is_some_and(|value| value > 15.0), "{raw:?}");
        } else if exact < 14.7 {
            assert!(console.value().is_some(), "{exact} g/dL: {console:?}");
        }
    }
    assert!(above > 0, "no patient of 30 has that much");
}
