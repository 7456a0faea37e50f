//! A seed is a run: the same steps each time, in every build.

use ecmo_sim::run::{Order, run};
use ecmo_sim::time::MINUTE;

fn order(seed: u64) -> Order {
    Order { seed, lasts: 10 * MINUTE, planted: None }
}

#[test]
fn a_seed_replays_byte_for_byte() {
    for seed in 1..6 {
        let (first, again) = (run(order(seed), None), run(order(seed), None));
        assert_eq!(first, again);
    }
    assert_ne!(run(order(1), None).digest, run(order(2), None).digest);
}
