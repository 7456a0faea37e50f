//! Who looks after a pump: accepted, offered, rejected, given up, lapsed; and what the ward is asked.

use ecmo_core::alarm::Refused;
use ecmo_core::alarm::action::{Action, Ask, OfferEnd, Order, OwnershipState, What};
use ecmo_core::alarm::occurrence::Transition::{Acknowledged, Ended, Raised};

use crate::bedside::{Bedside, Input};

const ASKED: &str = "ownership.unanswered";

fn does(bedside: &mut Bedside, by: &str, ask: Ask<'_>) {
    bedside.person(ask, by, "").unwrap();
}

fn owner(bedside: &Bedside) -> Option<&str> {
    bedside.pump.ownership().owner.as_deref()
}

fn asked(bedside: &Bedside) -> bool {
    let shown = bedside.view().ownership.unanswered;
    assert_eq!(bedside.find(ASKED).is_some_and(|one| one.present), shown);
    shown
}

#[test]
fn a_pump_is_accepted_and_taken_over() {
    let mut bedside = Bedside::new();
    bedside.run_until(1_000);
    does(&mut bedside, "Ada", Ask::Accept);
    assert_eq!(
        (owner(&bedside), bedside.pump.ownership().since),
        (Some("Ada"), Some(bedside.now()))
    );
    bedside.run_until(2_000);
    does(&mut bedside, "Ben", Ask::Accept);
    assert_eq!(owner(&bedside), Some("Ben"));
    does(&mut bedside, "Ada", Ask::AssignBed("7"));
    assert_eq!((owner(&bedside), bedside.view().ownership.bed.as_str()), (Some("Ben"), "7"));
    assert!(!asked(&bedside));
}

#[test]
fn an_offer_leaves_the_owner_until_it_is_accepted() {
    let mut bedside = Bedside::new();
    does(&mut bedside, "Ada", Ask::Accept);
    let refused = bedside.person(Ask::HandOver { to: "Cem" }, "Ben", "");
    assert_eq!(refused, Err(Refused::NotTheirs));
    does(&mut bedside, "Ada", Ask::HandOver { to: "Ben" });
    bedside.run_until(59_000);
    assert_eq!((owner(&bedside), asked(&bedside)), (Some("Ada"), false));
    does(&mut bedside, "Ben", Ask::Accept);
    assert_eq!(owner(&bedside), Some("Ben"));
    assert_eq!(bedside.pump.ownership().last_offer, Some(OfferEnd::Accepted));
    bedside.run_until(120_000);
    assert!(!asked(&bedside) && bedside.log.changes.is_empty());
}

#[test]
fn an_offer_that_is_rejected_leaves_the_owner_and_one_that_lapses_asks_the_ward() {
    let mut bedside = Bedside::new();
    does(&mut bedside, "Ada", Ask::Accept);
    does(&mut bedside, "Ada", Ask::HandOver { to: "Ben" });
    assert_eq!(bedside.person(Ask::Reject, "Cem", ""), Err(Refused::NotTheirs));
    does(&mut bedside, "Ben", Ask::Reject);
    assert_eq!((owner(&bedside), asked(&bedside)), (Some("Ada"), false));
    assert_eq!(bedside.pump.ownership().last_offer, Some(OfferEnd::Rejected));
    bedside.run_until(1_000);
    does(&mut bedside, "Ada", Ask::HandOver { to: "Ben" });
    bedside.run_until(61_000);
    assert!(!asked(&bedside));
    bedside.run_until(61_020);
    assert_eq!((owner(&bedside), asked(&bedside)), (Some("Ada"), true));
    assert_eq!(bedside.pump.ownership().last_offer, Some(OfferEnd::Lapsed));
    // That somebody has read it is no answer.
    bedside.apply(&Input::Acknowledge(ASKED));
    assert!(asked(&bedside));
    does(&mut bedside, "Cem", Ask::Accept);
    assert_eq!((owner(&bedside), asked(&bedside)), (Some("Cem"), false));
    let told: Vec<_> = bedside.told().into_iter().map(|(ms, _, it)| (ms, it)).collect();
    assert_eq!(told, [(61_000, Raised), (61_020, Acknowledged), (61_020, Ended)]);
}

#[test]
fn a_pump_that_is_given_up_asks_the_ward_at_once() {
    let mut bedside = Bedside::new();
    assert_eq!(bedside.person(Ask::Reject, "Ada", ""), Err(Refused::NotTheirs));
    does(&mut bedside, "Ada", Ask::Accept);
    does(&mut bedside, "Ada", Ask::Reject);
    assert_eq!(
        (owner(&bedside), bedside.pump.ownership().since, asked(&bedside)),
        (None, None, true)
    );
    // Nobody's pump may be offered by anybody, and rejected by whom it was offered to.
    does(&mut bedside, "Ben", Ask::HandOver { to: "Cem" });
    does(&mut bedside, "Cem", Ask::Reject);
    assert_eq!((owner(&bedside), asked(&bedside)), (None, true));
    does(&mut bedside, "Cem", Ask::Accept);
    assert_eq!((owner(&bedside), asked(&bedside)), (Some("Cem"), false));
}

#[test]
fn the_ownership_and_its_offer_outlive_a_restart() {
    let mut bedside = Bedside::new();
    does(&mut bedside, "Ada", Ask::Accept);
    does(&mut bedside, "Ada", Ask::AssignBed("7"));
    does(&mut bedside, "Ada", Ask::HandOver { to: "Ben" });
    bedside.run_until(30_000);
    let before = bedside.pump.ownership().clone();
    bedside.restart_reader();
    assert_eq!(*bedside.pump.ownership(), before);
    bedside.run_until(60_010);
    assert!(asked(&bedside));
    let id = bedside.find(ASKED).unwrap().id;
    bedside.restart_reader();
    assert!(asked(&bedside) && bedside.find(ASKED).unwrap().id == id);
    does(&mut bedside, "Ben", Ask::Accept);
    let told: Vec<_> = bedside.told().into_iter().map(|(_, _, it)| it).collect();
    assert_eq!(told, [Raised, Ended]);
}

#[test]
fn of_two_gateways_words_the_later_counts_and_both_name_the_alarm_alike() {
    let own = |at: u64, owner: Option<&str>, version: u64| {
        let state = OwnershipState {
            owner: owner.map(Into::into),
            unanswered: owner.is_none(),
            version,
            ..OwnershipState::default()
        };
        let order = Order { at, gateway: "a".into() };
        Action { order, by: "Ada".into(), note: String::new(), what: What::Own(state) }
    };
    let (first, second) = (own(10, Some("Ada"), 3), own(11, None, 2));
    let play = |actions: &[&Action]| {
        let mut bedside = Bedside::new();
        for action in actions {
            bedside.pump.apply(action, bedside.now(), &mut bedside.log).unwrap();
        }
        assert!(asked(&bedside));
        (bedside.pump.ownership().owner.clone(), bedside.find(ASKED).unwrap().id)
    };
    let expected = play(&[&first, &second]);
    assert_eq!(play(&[&second, &first, &second, &first]), expected);
    assert_eq!(expected.0, None);
}

#[test]
fn a_bed_that_is_named_at_one_gateway_undoes_nothing_that_was_done_unseen_at_the_other() {
    let (mut here, mut there) = (Bedside::new(), Bedside::new());
    does(&mut here, "Ada", Ask::Accept);
    // Later, and by somebody who cannot know of it.
    there.run_until(1_000);
    there.prepare(Ask::Accept, "nobody", "").unwrap();
    does(&mut there, "Cem", Ask::AssignBed("7"));
    let told = |bedside: &Bedside| bedside.pump.standing(bedside.now());
    let (of_here, of_there) = (told(&here), told(&there));
    for action in of_there.iter().chain(&of_here) {
        for bedside in [&mut here, &mut there] {
            bedside.pump.apply(action, bedside.now(), &mut bedside.log).unwrap();
        }
    }
    for bedside in [&here, &there] {
        assert_eq!((owner(bedside), bedside.pump.ownership().bed.as_str()), (Some("Ada"), "7"));
    }
    assert_eq!(told(&here), told(&there));
    here.restart_reader();
    assert_eq!(told(&here), told(&there));
}
