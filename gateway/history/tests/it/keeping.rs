//! What is kept comes back: to the last bit, once, before and after a restart, and the oldest goes.

use std::time::Duration;

use ecmo_core::frame::{Frame, FrameStamp};
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;
use ecmo_core::time::{Instant, SampleTime};
use ecmo_history::{Incoming, Options, Store};

use crate::circuit::{
    MINUTE, OFFSET_NS, PUMP, boot, feed, identities, open, opened_by, options, samples, samples_of,
    segments, time,
};

#[test]
fn every_sample_comes_back_to_the_last_bit_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let taken = feed(&mut store, 1, 0..3 * MINUTE);
    assert_eq!((taken.kept, taken.repeated), (3 * MINUTE, 0));
    let all = samples_of(1, 0..3 * MINUTE);
    assert_eq!(identities(&store.history()), all, "while it is written");
    store.close(time(3 * MINUTE));
    drop(store);
    assert_eq!(identities(&open(folder.path()).history()), all, "after a restart");
}

#[test]
fn the_newest_second_is_read_while_it_is_still_in_memory_and_a_second_question_adds_nothing_twice()
{
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let history = {
        feed(&mut store, 1, 0..7);
        store.history()
    };
    for end in 8..400 {
        feed(&mut store, 1, [end - 1]);
        let newest = samples(&history).into_keys().map(|(_, _, index)| index).max();
        assert_eq!(newest, Some(end * 10 - 1), "frame {end}");
    }
    assert_eq!(identities(&history), samples_of(1, 0..399));
}

#[test]
fn a_frame_that_comes_again_is_kept_once_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    feed(&mut store, 1, 0..150);
    assert_eq!(feed(&mut store, 1, 0..150).repeated, 150);
    drop(store);
    let mut store = open(folder.path());
    let taken = feed(&mut store, 1, 0..160);
    assert_eq!((taken.kept, taken.repeated), (10, 150));
    assert_eq!(identities(&store.history()), samples_of(1, 0..160));
}

#[test]
fn a_range_gives_its_samples_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    feed(&mut store, 1, 0..600);
    let history = store.history();
    let second = 1_000_000_000;
    for (from, to, expected) in
        [(0, second, 100), (second / 2, second, 50), (9 * second, 31 * second, 2_200), (-5, 1, 1)]
    {
        let parameter = crate::circuit::CHANNELS[0].0;
        let range = (OFFSET_NS + from, OFFSET_NS + to);
        let mut waves = history.waves(PUMP, &[parameter], range).unwrap();
        let mut count = 0;
        while let Some(pieces) = waves.next_window().unwrap() {
            assert!(pieces.iter().all(|piece| piece.parameter == parameter));
            count += pieces.iter().map(|piece| piece.readings.len()).sum::<usize>();
        }
        assert_eq!(count, expected, "{from}..{to}");
    }
    assert!(history.waves(PUMP, &[], (5, 5)).is_err());
    assert!(history.waves("nicu/other", &[], (5, 6)).is_err());
}

/// A frame of ten seconds that nothing can make small.
fn noisy(random: &mut fastrand::Rng, sequence: u64) -> Frame {
    let published = SampleTime::from_millis(10_000 * (sequence + 1));
    let stamp = FrameStamp { published, published_wall_ns: 0, received: Instant::default() };
    let mut frame = Frame::new(boot(1), sequence, stamp);
    let readings: Vec<_> = (0..1_000).map(|_| Reading::Value(random.f32() * 1e-3)).collect();
    let start = SampleTime::from_millis(10_000 * sequence);
    let interval = Duration::from_millis(10);
    frame.push(Parameter::PressDrain, sequence * 1_000, start, interval, readings);
    frame
}

#[test]
fn two_pumps_share_the_bytes_and_the_oldest_go() {
    let folder = tempfile::tempdir().unwrap();
    let bytes_max = 9 << 20;
    let small = Options::new(folder.path().to_owned(), Duration::MAX, bytes_max);
    let mut store = opened_by(|| Store::open(small.clone(), Duration::ZERO)).0;
    let mut random = fastrand::Rng::with_seed(5);
    let rounds = 3_000;
    for sequence in 0..rounds {
        let frame = noisy(&mut random, sequence);
        for pump in [PUMP, "nicu/two"] {
            let one = Incoming { pump, frame: &frame, offset_ns: OFFSET_NS, is_late: false };
            assert_eq!(store.ingest(&[one], Duration::from_secs(10 * sequence)).kept, 1);
        }
        let bytes: u64 = store.history().extents().iter().map(|extent| extent.bytes).sum();
        assert!(bytes <= bytes_max, "{bytes} bytes");
    }
    let newest = OFFSET_NS + i64::try_from(rounds).unwrap() * 10_000_000_000;
    for extent in store.history().extents() {
        let (from_ns, to_ns) = extent.span_ns.unwrap();
        assert!(from_ns > OFFSET_NS && to_ns == newest, "{extent:?}");
        assert!(extent.bytes > bytes_max / 3, "{extent:?}");
    }
}

#[test]
fn what_is_too_old_goes_even_of_a_pump_that_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let hour = Duration::from_hours(1);
    let short = Options { age_max: hour, ..options(folder.path()) };
    let mut store = Store::open(short, Duration::ZERO).unwrap().0;
    feed(&mut store, 1, 0..2 * MINUTE);
    store.close(time(2 * MINUTE));
    drop(store);
    let before = segments(&crate::circuit::pump_folder(folder.path())).len();
    assert_eq!(before, 1);
    let short = Options { age_max: hour, ..options(folder.path()) };
    let mut store = opened_by(|| Store::open(short.clone(), Duration::ZERO)).0;
    store.on_time(Duration::from_mins(50));
    assert!(store.history().extents()[0].span_ns.is_some());
    store.on_time(Duration::from_mins(70));
    assert_eq!(store.history().extents()[0].span_ns, None);
    assert_eq!(segments(&crate::circuit::pump_folder(folder.path())).len(), 0);
    // It goes on all the same.
    feed(&mut store, 1, [100 * MINUTE]);
    assert_eq!(identities(&store.history()), samples_of(1, [100 * MINUTE]));
}

#[test]
fn names_that_are_no_pump_make_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let frame = crate::circuit::frame(1, 0);
    for pump in ["", "one", "a/b/c", "a/..b/", "a/", "/a", "ward/na me"] {
        let one = ecmo_history::Incoming { pump, frame: &frame, offset_ns: 0, is_late: false };
        assert_eq!(store.ingest(&[one], Duration::ZERO).lost, 1, "{pump:?}");
    }
    assert!(store.history().extents().is_empty());
}
