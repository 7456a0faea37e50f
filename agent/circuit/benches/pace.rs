//! The cost of one simulated minute: 60 s over the time shown is how many times faster than life a circuit runs.

use divan::Bencher;
use ecmo_circuit::{Feed, Setup, Simulation};
use ecmo_core::case::{PumpKind, Therapy};

/// Ticks of one minute.
const MINUTE: u32 = 60 * 100;

fn main() {
    divan::main();
}

fn circuit(kind: PumpKind, feed: Feed) -> Simulation {
    let setup = Setup::healthy(1, kind, Therapy::VenoArterial, 3.0);
    Simulation::new(Setup { feed, ..setup })
}

fn minute(bencher: Bencher<'_, '_>, mut simulation: Simulation) {
    bencher.bench_local(|| {
        let mut samples = 0_u64;
        for _ in 0..MINUTE {
            simulation.tick(&mut |_, _, _| samples += 1);
        }
        samples
    });
}

#[divan::bench]
fn raw_centrifugal(bencher: Bencher<'_, '_>) {
    minute(bencher, circuit(PumpKind::Centrifugal, Feed::Raw));
}

#[divan::bench]
fn raw_roller(bencher: Bencher<'_, '_>) {
    minute(bencher, circuit(PumpKind::Roller, Feed::Raw));
}

#[divan::bench]
fn console_centrifugal(bencher: Bencher<'_, '_>) {
    minute(bencher, circuit(PumpKind::Centrifugal, Feed::Console));
}
