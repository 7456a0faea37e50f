//! Trends hold what the samples hold: every excursion, at every width, before and after a restart.

use std::collections::BTreeMap;

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;
use ecmo_history::{BUCKETS_MAX, QueryError, Row, Trend, TrendQuery};
use proptest::prelude::*;

use crate::circuit::{
    CHANNELS, MINUTE, OFFSET_NS, PUMP, feed, feed_as, open, samples_of, segments, truth,
};

const SECOND: i64 = 1_000_000_000;

fn query(from: i64, to: i64, buckets: usize) -> TrendQuery {
    let parameters = CHANNELS.iter().map(|(parameter, _)| *parameter).collect();
    TrendQuery { pump: PUMP.to_owned(), parameters, from_ns: from, to_ns: to, buckets }
}

/// What a trend must say, from all samples of these frames.
fn expected(
    trend: &Trend,
    frames: &[u64],
    query: &TrendQuery,
) -> BTreeMap<(Parameter, usize), Row> {
    let mut rows: BTreeMap<(Parameter, usize), Row> = BTreeMap::new();
    for (_run, parameter, index) in samples_of(1, frames.iter().copied()) {
        let rate = CHANNELS.iter().find(|(one, _)| *one == parameter).unwrap().1;
        let at_ns = OFFSET_NS + (index * 1_000_000_000 / rate) as i64;
        let is_in = at_ns >= trend.from_ns
            && (trend.width_ns >= 10 * SECOND || (query.from_ns..query.to_ns).contains(&at_ns));
        let bucket = (at_ns - trend.from_ns).div_euclid(trend.width_ns);
        let count = trend.series[0].rows.len() as i64;
        if is_in && (0..count).contains(&bucket) {
            rows.entry((parameter, bucket as usize)).or_default().add(truth(parameter, index));
        }
    }
    rows
}

fn check(trend: &Trend, frames: &[u64], query: &TrendQuery) {
    let expected = expected(trend, frames, query);
    for series in &trend.series {
        for (bucket, row) in series.rows.iter().enumerate() {
            let truth = expected.get(&(series.parameter, bucket)).copied().unwrap_or_default();
            let place = (series.parameter, bucket, trend.width_ns / SECOND);
            assert_eq!(
                (row.count, row.min, row.max),
                (truth.count, truth.min, truth.max),
                "{place:?}"
            );
            assert_eq!(row.reasons().collect::<Vec<_>>(), truth.reasons().collect::<Vec<_>>());
            assert!((row.sum - truth.sum).abs() < 1e-3, "{place:?}");
        }
    }
}

#[test]
fn every_width_gives_least_greatest_and_mean_of_the_samples_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let frames: Vec<u64> =
        (0..25 * MINUTE).filter(|frame| !(4_000..4_300).contains(frame)).collect();
    feed(&mut store, 1, frames.iter().copied());
    feed_as(&mut store, 1, 4_050..4_100, OFFSET_NS, true);
    let mut all = frames;
    all.extend(4_050..4_100);
    for round in ["while written", "after a restart"] {
        let end = OFFSET_NS + 25 * 60 * SECOND;
        for (from, to, buckets) in [
            (OFFSET_NS, end, 1),
            (OFFSET_NS, end, 2),
            (OFFSET_NS, end, 20),
            (OFFSET_NS, end, 100),
            (OFFSET_NS, end, 1_500),
            (OFFSET_NS + 17 * SECOND, OFFSET_NS + 333 * SECOND, 7),
            (OFFSET_NS + 395 * SECOND, OFFSET_NS + 435 * SECOND, 80),
            (OFFSET_NS - 3_600 * SECOND, end + 3_600 * SECOND, 13),
        ] {
            let query = query(from, to, buckets);
            let trend = store.history().trend(&query).unwrap();
            assert!(trend.series[0].rows.len() <= buckets + 1, "{round}");
            assert_eq!(trend.damaged, 0);
            check(&trend, &all, &query);
        }
        drop(store);
        store = open(folder.path());
    }
}

#[test]
fn one_sample_of_an_excursion_is_seen_in_a_trend_of_days() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    feed(&mut store, 1, 0..40 * MINUTE);
    let query = query(OFFSET_NS - 36 * 3_600 * SECOND, OFFSET_NS + 36 * 3_600 * SECOND, 800);
    let trend = store.history().trend(&query).unwrap();
    let of_all = |one: fn(&Row) -> f32| {
        trend.series[0].rows.iter().filter(|row| row.count > 0).map(one).collect::<Vec<_>>()
    };
    let values = (0..24 * 10_000).filter_map(|index| truth(CHANNELS[0].0, index).value());
    let (mut low, mut high) = (f32::MAX, f32::MIN);
    values.for_each(|value| (low, high) = (low.min(value), high.max(value)));
    assert_eq!(of_all(|row| row.min).into_iter().fold(f32::MAX, f32::min), low);
    assert_eq!(of_all(|row| row.max).into_iter().fold(f32::MIN, f32::max), high);
}

#[test]
fn a_damaged_summary_is_told_and_made_up_for_from_its_chunks() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let frames: Vec<u64> = (0..12 * MINUTE).collect();
    feed(&mut store, 1, frames.iter().copied());
    let query = query(OFFSET_NS, OFFSET_NS + 12 * 60 * SECOND, 4);
    check(&store.history().trend(&query).unwrap(), &frames, &query);
    // The summary is the record that follows sixty chunks: one of its bytes is flipped on the disk.
    let file = segments(&crate::circuit::pump_folder(folder.path())).remove(0);
    let mut bytes = std::fs::read(&file).unwrap();
    let magic = [0xec, 0x90, 0x1e, 0xd5];
    let is_summary = |at: &usize| bytes[*at..].starts_with(&magic) && bytes[at + 24] == 2;
    let at = (0..bytes.len() - 40).find(is_summary).unwrap();
    bytes[at + 100] ^= 4;
    std::fs::write(&file, bytes).unwrap();
    let trend = store.history().trend(&query).unwrap();
    assert_eq!(trend.damaged, 1);
    check(&trend, &frames, &query);
}

#[test]
fn a_wrong_question_is_refused_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    feed(&mut store, 1, 0..20);
    let history = store.history();
    let refused = |query: TrendQuery| history.trend(&query).unwrap_err();
    assert!(matches!(refused(query(5, 5, 1)), QueryError::EmptyRange { .. }));
    assert!(matches!(refused(query(5, 4, 1)), QueryError::EmptyRange { .. }));
    assert!(matches!(refused(query(5, 6, 0)), QueryError::Buckets(0)));
    assert!(matches!(refused(query(5, 6, BUCKETS_MAX + 1)), QueryError::Buckets(_)));
    let other = TrendQuery { pump: "nicu/two".to_owned(), ..query(5, 6, 1) };
    assert!(matches!(refused(other), QueryError::UnknownPump(_)));
    // No sum of times overflows, whatever is asked for.
    history.trend(&query(i64::MIN, i64::MAX, 3)).unwrap();
    for (from, to) in [(i64::MAX - 1, i64::MAX), (i64::MIN, i64::MIN + 1)] {
        assert!(matches!(refused(query(from, to, 3)), QueryError::EmptyRange { .. }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn rows_of_any_order_add_up(values in proptest::collection::vec(-3_000_i32..3_000, 1..40)) {
        let readings: Vec<Reading> = values.iter().map(|one| Reading::Value(*one as f32)).collect();
        let mut forward = Row::default();
        readings.iter().for_each(|one| forward.add(*one));
        let mut backward = Row::default();
        readings.iter().rev().for_each(|one| backward.add(*one));
        prop_assert_eq!((forward.count, forward.min, forward.max), (backward.count, backward.min, backward.max));
        prop_assert!(forward.mean().unwrap() >= forward.min && forward.mean().unwrap() <= forward.max);
    }
}
