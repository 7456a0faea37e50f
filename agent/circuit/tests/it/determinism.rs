//! The same setup gives the same bytes on every machine, in debug and release: golden sums of the first minute.

use core::time::Duration;

use ecmo_circuit::{Disturbance, Event, Fault, Feed, Setup, Simulation, What};
use ecmo_core::case::{PumpKind, Therapy};
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;

use crate::with_fault;

/// FNV-1a, 64 bits.
struct Sum(u64);

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }

    fn sample(&mut self, parameter: Parameter, time: Duration, reading: Reading) {
        self.add(parameter.info().id.as_bytes());
        self.add(&time.as_nanos().to_le_bytes());
        match reading {
            Reading::Value(value) | Reading::Questionable(value) => {
                self.add(&value.to_bits().to_le_bytes());
            }
            Reading::NoData(reason) => self.add(format!("{reason:?}").as_bytes()),
        }
    }
}

/// Sum over the samples of the first 60 s.
fn sum(setup: Setup) -> u64 {
    let mut simulation = Simulation::new(setup);
    let mut sum = Sum(0xCBF2_9CE4_8422_2325);
    for _ in 0..6_000 {
        simulation.tick(&mut |parameter, time, reading| sum.sample(parameter, time, reading));
    }
    sum.0
}

fn setups() -> [Setup; 5] {
    use PumpKind::{Centrifugal, Roller};
    use Therapy::{VenoArterial, VenoVenous};
    let plain = Setup::healthy(1, Centrifugal, VenoArterial, 3.0);
    let console = Setup { feed: Feed::Console, ..Setup::healthy(2, Roller, VenoVenous, 2.0) };
    let chatter =
        with_fault(Setup::healthy(3, Centrifugal, VenoVenous, 5.0), Fault::Chatter, 20, Some(20));
    let steered =
        with_fault(Setup::healthy(4, Roller, VenoArterial, 4.0), Fault::PostVeryHigh, 10, None);
    let mut shaken = Setup::healthy(5, Centrifugal, VenoArterial, 2.5);
    shaken.events = (5..)
        .step_by(4)
        .zip(Disturbance::ALL)
        .map(|(second, disturbance)| Event {
            what: What::Disturbance(*disturbance),
            at: Duration::from_secs(second),
            lasts: None,
        })
        .collect();
    [plain, console, chatter, steered, shaken]
}

#[test]
fn the_same_setup_gives_the_same_bytes_everywhere() {
    let sums = setups().map(sum);
    assert_eq!(
        sums.map(|sum| format!("{sum:016x}")),
        GOLDEN.map(|sum| format!("{sum:016x}")),
        "a change of the model changes these on purpose; another machine must not"
    );
}

/// Sums over the samples of [`setups`].
const GOLDEN: [u64; 5] = [
    0x1c42_0539_efdf_d826,
    0xdec9_ddb8_6400_50b3,
    0xb7cb_573c_b3cf_9fc0,
    0xad02_6845_02cf_e4ca,
    0xac3b_868d_0146_b1e5,
];

#[test]
fn another_seed_gives_other_bytes_and_one_more_event_leaves_the_others_alone() {
    let plain = || Setup::healthy(1, PumpKind::Centrifugal, Therapy::VenoArterial, 3.0);
    assert_ne!(sum(plain()), sum(Setup { seed: 2, ..plain() }));
    // An event after the end of the minute.
    assert_eq!(sum(plain()), sum(with_fault(plain(), Fault::PumpStop, 3_600, None)));
}
