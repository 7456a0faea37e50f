//! Words and times against what is told of them.

use super::*;

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn id(name: &str) -> Id {
    Id::new(name).unwrap()
}

fn word(gateway: &str, epoch: u64, number: u64) -> PeerBeat {
    PeerBeat {
        gateway: id(gateway),
        epoch,
        number,
        config: 5,
        profile: 0,
        version: String::new(),
        actions: 0,
        wants_actions: false,
        waiting: Vec::new(),
    }
}

fn east() -> Peers {
    Peers::new(id("east"), 1)
}

const NEWS: Result<Heard, PeerRejected> = Ok(Heard::News { answer: false });

#[test]
fn a_second_gateway_of_this_name_is_told_of_and_an_echo_of_a_start_before_is_not() {
    let mut east = east();
    assert_eq!(east.on_beat(&word("east", 1, 3), 0, at(0)), Ok(Heard::Nothing));
    for millis in (0..30_000).step_by(3_000) {
        assert_eq!(east.on_beat(&word("east", 77, millis), 0, at(millis)), Ok(Heard::Nothing));
    }
    let twin = |second: u64| word("east", 78, second);
    for second in 40..43 {
        assert_eq!(east.on_beat(&twin(second), 0, at(second * 1_000)), Ok(Heard::Nothing));
    }
    assert_eq!(east.on_beat(&twin(43), 0, at(43_000)), Ok(Heard::Twin));
}

#[test]
fn repeats_and_what_comes_late_of_a_start_before_say_nothing() {
    let mut east = east();
    assert_eq!(east.on_beat(&word("west", 9, 4), 0, at(0)), NEWS);
    assert_eq!(east.on_beat(&word("west", 9, 4), 0, at(10)), Ok(Heard::Nothing));
    assert_eq!(east.on_beat(&word("west", 9, 3), 0, at(20)), Ok(Heard::Nothing));
    assert_eq!(east.on_beat(&word("west", 10, 0), 0, at(30)), NEWS);
    assert_eq!(east.on_beat(&word("west", 9, 5), 0, at(40)), Ok(Heard::Nothing));
    for other in 1..PEERS_MAX {
        assert_eq!(east.on_beat(&word(&format!("g{other}"), 2, 0), 0, at(50)), NEWS);
    }
    let one_more = east.on_beat(&word("g9", 2, 0), 0, at(50));
    assert_eq!(one_more, Err(PeerRejected::Capacity));
}

#[test]
fn it_asks_for_actions_after_a_start_a_return_and_a_lasting_difference_until_both_have_the_same() {
    let mut east = east();
    let mut wants = Vec::new();
    for second in 0..30_u64 {
        let says = !(8..14).contains(&second);
        // The digests differ at the start, after the return, and once for a moment.
        let theirs =
            u64::from((0..3).contains(&second) || second == 6 || (14..17).contains(&second));
        if says {
            let said = PeerBeat { actions: theirs, ..word("west", 9, second) };
            east.on_beat(&said, 0, at(second * 1_000)).unwrap();
        }
        if east.wants_actions(at(second * 1_000 + 900)) {
            wants.push(second);
        }
    }
    assert_eq!(wants, [0, 1, 2, 14, 15, 16]);
}

#[test]
fn who_asks_is_answered_at_once_and_then_ever_more_seldom_while_it_does_not_help() {
    let mut east = east();
    let answers = |east: &mut Peers, seconds: std::ops::Range<u64>, epoch: u64, actions: u64| {
        let mut answered = Vec::new();
        for second in seconds {
            let asks = PeerBeat { actions, wants_actions: true, ..word("west", epoch, second) };
            if east.on_beat(&asks, 1, at(second * 1_000)) == Ok(Heard::News { answer: true }) {
                answered.push(second);
            }
        }
        answered
    };
    assert_eq!(answers(&mut east, 0..50, 9, 2), [0, 3, 9, 21, 45]);
    assert!(answers(&mut east, 50..60, 9, 1).is_empty(), "both have the same");
    assert_eq!(answers(&mut east, 105..109, 9, 2), [105, 108], "another difference, another time");
    assert_eq!(answers(&mut east, 109..111, 10, 2), [109], "it has just started");
}
