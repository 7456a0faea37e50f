//! Events: kept, found by pump and time, page by page without a repeat, also after a restart.

use std::time::Duration;

use ecmo_history::{Event, EventQuery, Store};

use crate::circuit::open;

fn event(number: i64) -> Event {
    let pump = if number % 3 == 0 { "nicu/two" } else { "nicu/one" };
    let kind = u8::try_from(number % 5).unwrap();
    let payload = number.to_le_bytes().to_vec();
    Event { at_ns: number * 1_000, pump: pump.to_owned(), kind, payload }
}

fn query() -> EventQuery {
    EventQuery { pump: None, from_ns: i64::MIN, to_ns: i64::MAX, limit: 7, after: None }
}

fn all(store: &Store, query: &EventQuery, kind: Option<u8>) -> Vec<i64> {
    let (mut found, mut query) = (Vec::new(), query.clone());
    loop {
        let wanted = |event: &Event| kind.is_none_or(|kind| event.kind == kind);
        let page = store.history().events(&query, wanted).unwrap();
        assert!(page.events.len() <= query.limit);
        found.extend(page.events.iter().map(|event| event.at_ns / 1_000));
        match page.next {
            None => return found,
            Some(next) => query.after = Some(next),
        }
    }
}

#[test]
fn events_are_found_by_pump_time_and_kind_the_newest_first_and_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    for number in 0..100 {
        assert!(store.note(&event(number), Duration::ZERO));
    }
    for round in 0..2 {
        let newest_first: Vec<i64> = (0..100).rev().collect();
        assert_eq!(all(&store, &query(), None), newest_first, "round {round}");
        let of_pump = EventQuery { pump: Some("nicu/two".to_owned()), ..query() };
        let thirds: Vec<i64> = newest_first.iter().copied().filter(|one| one % 3 == 0).collect();
        assert_eq!(all(&store, &of_pump, None), thirds);
        let in_time = EventQuery { from_ns: 10_000, to_ns: 20_000, ..query() };
        assert_eq!(all(&store, &in_time, None), (10..20).rev().collect::<Vec<_>>());
        let fifths: Vec<i64> = newest_first.iter().copied().filter(|one| one % 5 == 2).collect();
        assert_eq!(all(&store, &query(), Some(2)), fifths);
        let nobody = EventQuery { pump: Some("nicu/none".to_owned()), ..query() };
        assert_eq!(all(&store, &nobody, None), [] as [i64; 0]);
        drop(store);
        store = open(folder.path());
    }
}
