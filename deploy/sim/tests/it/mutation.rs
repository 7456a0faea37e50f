//! A check that cannot fail is a defect: each planted fault is found, and by the check that is there for it.

use ecmo_sim::breaks::Break;
use ecmo_sim::run::{Order, run};
use ecmo_sim::time::{HOUR, MINUTE, Nanos};

/// Seeds that are tried until a planted fault is found: not every world has what it needs.
const SEEDS: u64 = 40;

/// A seed that finds the fault, and for how long; only so that the test is short.
fn hint(planted: Break) -> (u64, Nanos) {
    match planted {
        Break::AlarmNotSent | Break::ActionInvented | Break::IdByArrival => (8, 3 * MINUTE),
        Break::LinkLossNotTold => (1, 10 * MINUTE),
        Break::FrozenDataFresh | Break::NoOrder => (12, 5 * MINUTE),
        Break::AgeTrusted => (30, 12 * MINUTE),
        Break::WrongPump => (3, 5 * MINUTE),
        Break::QueueUnbounded => (1, 5 * MINUTE),
        Break::ActionsForgotten => (26, 12 * MINUTE),
        Break::LeaseForged => (2, 20 * MINUTE),
        Break::UnheardIsQuiet => (7, 20 * MINUTE),
        Break::MissingNotCounted => (1, 5 * MINUTE),
    }
}

fn is_found(planted: Break) -> bool {
    let (seed, lasts) = hint(planted);
    let others = (1..=SEEDS).map(|seed| (seed, HOUR / 2));
    let mut tried = [(seed, lasts)].into_iter().chain(others);
    let found = tried.find_map(|(seed, lasts)| {
        run(Order { seed, lasts, planted: Some(planted) }, None).violation
    });
    found.is_some_and(|found| {
        assert_eq!(found.invariant, planted.caught_by(), "{}: {found}", planted.name());
        true
    })
}

#[test]
fn every_planted_fault_is_found_by_the_check_that_is_there_for_it() {
    for planted in Break::ALL {
        assert!(is_found(*planted), "{} was not found", planted.name());
    }
}

#[test]
fn every_invariant_has_a_planted_fault() {
    let numbers: std::collections::BTreeSet<u8> =
        Break::ALL.iter().map(|planted| planted.caught_by().number()).collect();
    assert_eq!(numbers.into_iter().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
}
