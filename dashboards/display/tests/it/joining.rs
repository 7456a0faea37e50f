//! A display that joined, reconnected or had a gap ends in the same state as one that never left.

use proptest::prelude::*;

use crate::model::{Step, World};
use crate::watcher::Watcher;

fn step() -> impl Strategy<Value = Step> {
    let (link, condition) = (0..2_u8, 0..4_u8);
    prop_oneof![
        4 => (1..15_u8).prop_map(Step::Pass),
        4 => condition.clone().prop_map(Step::Raise),
        2 => condition.clone().prop_map(Step::Worsen),
        3 => condition.clone().prop_map(Step::Go),
        2 => (link.clone(), condition).prop_map(|(link, condition)| Step::Acknowledge(link, condition)),
        1 => Just(Step::Sync),
        1 => link.clone().prop_map(Step::Drop),
        1 => link.clone().prop_map(Step::Cut),
        2 => link.clone().prop_map(Step::Open),
        1 => (link.clone(), 1..60_u8).prop_map(|(link, tenths)| Step::Stall(link, tenths)),
        1 => link.clone().prop_map(Step::Kill),
        2 => link.prop_map(Step::Restart),
    ]
}

/// What a person sees of the alarms.
fn seen(watcher: &Watcher) -> Vec<String> {
    let row = |row: &ecmo_display::Row| {
        let alarm = &row.alarm;
        format!(
            "{:?} {} call {} {:?} by {:?} unheard {} told {}",
            row.key,
            alarm.occurrence,
            alarm.call,
            alarm.signal(),
            alarm.acknowledged_by,
            row.unheard,
            row.told.len()
        )
    };
    watcher.screen.rows().into_iter().map(row).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_lost_the_screen_ends_as_one_that_never_left_and_hides_nothing_meanwhile(
        steps in proptest::collection::vec(step(), 1..60)
    ) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
            world.check();
        }
        world.heal();
        world.check();
        prop_assert_eq!(seen(&world.tested), seen(&world.faithful));
        let pumps = |watcher: &Watcher| {
            let views = watcher.screen.pumps();
            views.iter().map(|view| (view.known, view.freshness, view.age)).collect::<Vec<_>>()
        };
        prop_assert_eq!(pumps(&world.tested), pumps(&world.faithful));
        // Whatever ever was, was painted or is told as missed.
        let missed: Vec<&str> =
            world.tested.screen.missed().map(|missed| missed.alarm.occurrence.as_str()).collect();
        for occurrence in &world.raised {
            let known = world.painted.contains(occurrence) || missed.contains(&occurrence.as_str());
            prop_assert!(known, "{} was never shown and never told", occurrence);
        }
    }
}
