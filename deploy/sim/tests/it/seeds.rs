//! Seeds that once failed, with what they found. They stay here so that it stays away.

use ecmo_sim::run::{Order, run};
use ecmo_sim::time::MINUTE;

#[test]
fn the_first_seeds_hold_for_ten_minutes() {
    for seed in 1..11 {
        let outcome = run(Order { seed, lasts: 10 * MINUTE, planted: None }, None);
        let tail = outcome.last.join("\n");
        assert_eq!(outcome.violation, None, "seed {seed}\n{tail}");
    }
}
