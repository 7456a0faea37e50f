//! A check that cannot fail is a defect: each planted fault is found, and by the check that is there for it.

use ecmo_sim::breaks::Break;
use ecmo_sim::run::{Order, run};
use ecmo_sim::time::HOUR;

/// Seeds that are tried until a planted fault is found: not every world has what it needs.
const SEEDS: u64 = 60;

fn finds(planted: Break) {
    let mut found = None;
    for seed in 1..=SEEDS {
        let order = Order { seed, lasts: HOUR / 2, planted: Some(planted) };
        found = run(order, None).violation;
        if found.is_some() {
            break;
        }
    }
    let found = found.unwrap_or_else(|| panic!("{} was not found", planted.name()));
    assert_eq!(found.invariant, planted.caught_by(), "{}: {found}", planted.name());
}

#[test]
fn every_planted_fault_is_found_by_the_check_that_is_there_for_it() {
    for planted in Break::ALL {
        finds(*planted);
    }
}
