//! What comes from a spool lands in its place, once, in whatever order and whatever is there already.

use proptest::prelude::*;

use crate::circuit::{MINUTE, OFFSET_NS, PUMP, feed, feed_as, identities, open, samples_of, time};

#[test]
fn a_hole_is_filled_at_its_own_time_and_is_no_gap_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    feed(&mut store, 1, 0..2 * MINUTE);
    feed(&mut store, 1, 5 * MINUTE..7 * MINUTE);
    let range = (OFFSET_NS, OFFSET_NS + 7 * 60_000_000_000);
    assert_eq!(store.history().gaps(PUMP, range.0, range.1).unwrap().len(), 1);
    feed_as(&mut store, 1, 0..5 * MINUTE, OFFSET_NS, true);
    assert_eq!(identities(&store.history()), samples_of(1, 0..7 * MINUTE));
    assert_eq!(store.history().gaps(PUMP, range.0, range.1).unwrap(), []);
    store.close(time(7 * MINUTE));
    drop(store);
    let store = open(folder.path());
    assert_eq!(identities(&store.history()), samples_of(1, 0..7 * MINUTE));
    assert_eq!(store.history().gaps(PUMP, range.0, range.1).unwrap(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_order_of_live_and_late_frames_with_restarts_keeps_each_sample_once(
        steps in proptest::collection::vec((0_u64..900, 1_u64..130, any::<bool>(), 0_u8..8), 1..24),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path());
        let mut frames = std::collections::BTreeSet::new();
        let mut live = 0;
        for (from, count, is_late, restart) in steps {
            if restart == 0 {
                drop(store);
                store = open(folder.path());
            }
            if is_late {
                feed_as(&mut store, 1, from..from + count, OFFSET_NS, true);
                frames.extend(from..from + count);
            } else {
                feed(&mut store, 1, live..live + count);
                frames.extend(live..live + count);
                live += count;
            }
        }
        prop_assert_eq!(identities(&store.history()), samples_of(1, frames.clone()));
        drop(store);
        let store = open(folder.path());
        prop_assert_eq!(identities(&store.history()), samples_of(1, frames));
    }
}
