//! Everything that is kept of a pump comes back as it was, with its times on another clock.

use super::*;
use crate::treatment::Stamp;
use ecmo_core::alarm::Covered;
use ecmo_core::alarm::action::OfferEnd;
use ecmo_core::pump::ownership::Ownership;

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1_000)
}

fn times(now: u64, wall_s: i64) -> Times {
    Times(Stamp { now: at(now), wall_ns: wall_s * 1_000_000_000 })
}

fn order(number: u64) -> Order {
    Order { at: number, gateway: "main".to_owned() }
}

/// An occurrence in which every field says something.
pub(in super::super) fn full() -> Occurrence {
    let condition = Condition::from_id("sensor.fault.press.pre").unwrap();
    Occurrence {
        id: OccurrenceId { condition, boot: BootId::new(7), onset: 99 },
        revision: 5,
        call: 3,
        kind: Kind::Physiological,
        priority: Priority::High,
        present: true,
        latching: true,
        acknowledged: Some(Acknowledgement {
            by: "A. Nurse".to_owned(),
            note: "seen".to_owned(),
            at: at(990),
            worst: Some(2.5),
            call: 2,
            order: order(1),
        }),
        covers_from: 4,
        last_known: true,
        parameter: Parameter::from_id("press.pre"),
        value: Some(-1.5),
        value_at: Some(at(999)),
        worst: Some(f32::MAX),
        limit: Some((Side::Above, 300.0)),
        no_data: Some(NoData::Stale),
        onset_at: at(900),
        changed_at: at(991),
        unreviewed: true,
        rule: 2,
        pause: Some(Pause {
            scope: PauseScope::Ward,
            until: at(1_060),
            by: "B".to_owned(),
            order: order(2),
        }),
        sound: order(3),
        shelf: Some(Shelf {
            until: at(4_600),
            by: "C".to_owned(),
            reason: "why".to_owned(),
            order: order(4),
        }),
        leader: Some(Condition::PUMP_STOP),
        escalated: true,
        escalate_at: Some(at(1_100)),
        remind_at: Some(at(1_200)),
        reminders: 6,
        late: false,
        orphan: true,
        returned: [Some((98, 2)), Some((99, 3)), None, None, None, None, None, None],
    }
}

pub(in super::super) fn kept() -> Kept {
    let one = full();
    let shelf = one.shelf.clone().unwrap();
    Kept {
        shelves: vec![(one.id.condition, shelf)],
        shelved: vec![(one.id.condition, order(4)), (Condition::PUMP_STOP, order(9))],
        ownership: Ownership {
            owner: Some("A".to_owned()),
            since: Some(at(100)),
            offer: Some(("B".to_owned(), at(1_030))),
            last_offer: Some(OfferEnd::Rejected),
            unanswered: true,
            bed: "3".to_owned(),
            version: 8,
            order: order(5),
            bed_order: order(7),
        },
        covered: vec![Covered {
            alarm: one.named(),
            by: "D".to_owned(),
            note: "known".to_owned(),
            order: order(6),
            ended: true,
        }],
        occurrences: vec![one],
    }
}

#[test]
fn what_is_kept_comes_back_as_it_was_at_the_same_moment() {
    let now = times(1_000, 1_700_000_000);
    for kept in [kept(), Kept::default()] {
        let bytes = kept_to(&kept, now);
        assert_eq!(kept_of(&bytes, now), Ok(kept));
    }
    let address = PumpAddress {
        ward: ecmo_proto::topic::Id::new("nicu").unwrap(),
        pump: ecmo_proto::topic::Id::new("p1").unwrap(),
    };
    let named = named_of(&named_to(&address, &full(), now), now).unwrap();
    assert_eq!(named, ("nicu".to_owned(), "p1".to_owned(), full()));
}

#[test]
fn times_go_on_over_a_restart_by_the_wall_clock() {
    let bytes = kept_to(&kept(), times(1_000, 1_700_000_000));
    // A minute later, in a process whose clock shows something else.
    let later = times(50_000, 1_700_000_060);
    let back = kept_of(&bytes, later).unwrap();
    let one = &back.occurrences[0];
    assert_eq!(one.onset_at, at(50_000 - 60 - 100));
    assert_eq!(one.pause.as_ref().unwrap().until, at(50_000), "60 s were left, and 60 have passed");
    assert_eq!(back.shelves[0].1.until, at(50_000 + 3_600 - 60));
    assert_eq!(back.ownership.offer.as_ref().unwrap().1, at(50_000 - 30));
    assert_eq!(kept_to(&back, later), bytes);
    // A clock that started later than the onset shows its beginning, and nothing before.
    assert_eq!(kept_of(&bytes, times(10, 1_700_000_060)).unwrap().occurrences[0].onset_at, at(0));
}

#[test]
fn what_does_not_fit_is_refused() {
    let now = times(1_000, 1_700_000_000);
    let refuses = |change: fn(&mut KeptValue)| {
        let mut value = KeptValue::decode(kept_to(&kept(), now).as_slice()).unwrap();
        change(&mut value);
        kept_of(&value.encode_to_vec(), now).unwrap_err()
    };
    for (change, says) in [
        (
            (|it| it.occurrences[0].condition = "flow.lo".to_owned()) as fn(&mut KeptValue),
            "flow.lo",
        ),
        (|it| it.occurrences[0].priority = 9, "priority 9"),
        (|it| it.occurrences[0].parameter = "x".to_owned(), "x"),
        (|it| it.occurrences[0].no_data = "y".to_owned(), "y"),
        (|it| it.occurrences[0].rule = 900, "number"),
        (|it| it.shelves[0].condition = String::new(), "condition"),
        (|it| it.ownership.last_offer = 7, "7"),
    ] {
        let error = refuses(change);
        assert!(error.contains(says), "{error}");
    }
}
