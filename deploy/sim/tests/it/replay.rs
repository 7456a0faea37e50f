//! A seed is a run: the same steps each time, in every build.

use ecmo_sim::run::{Order, run};
use ecmo_sim::time::MINUTE;

fn order(seed: u64) -> Order {
    Order { seed, lasts: 3 * MINUTE, planted: None }
}

#[test]
fn a_seed_replays_byte_for_byte() {
    let digests: Vec<u64> = [1, 5, 30]
        .map(|seed| {
            let (first, again) = (run(order(seed), None), run(order(seed), None));
            assert_eq!(first, again);
            first.digest
        })
        .into();
    assert!(digests.windows(2).all(|pair| pair.first() != pair.last()), "seeds differ");
}
