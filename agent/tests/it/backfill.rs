//! Answers from what is kept: every frame once, and nothing live waits for them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ecmo_proto::sealed;
use ecmo_proto::v1::{Backfill, Frame};
use ecmo_testkit::{EmbeddedBroker, FaultProxy};

use crate::bedside::{Bedside, Disk};
use crate::gateway::Gateway;
use crate::ward::Listener;

/// Frames of a half-hour at 50 frames a second.
const KEPT: u64 = 100_000;

fn disk(end: u64, missing: impl IntoIterator<Item = u64>) -> Arc<Disk> {
    Arc::new(Disk { boot_id: 42, end, missing: missing.into_iter().collect() })
}

async fn await_last(listener: &Listener, number: u64) -> Vec<Backfill> {
    listener
        .await_that("the last part", |listener| {
            let mut parts = listener.backfills();
            parts.retain(|part| part.number == number);
            let is_over = parts.last().is_some_and(|part| part.last);
            if is_over { Ok(parts) } else { Err(format!("{} parts", parts.len())) }
        })
        .await
}

/// Sequences that came, and that are gone, in the order of the parts.
fn sequences(parts: &[Backfill]) -> (Vec<u64>, Vec<u64>) {
    let frames = parts.iter().flat_map(|part| &part.frames);
    let open = |bytes| sealed::open::<Frame>(bytes).unwrap();
    let came = frames.map(|bytes| open(bytes)).inspect(|frame| assert!(frame.historical));
    let gone = parts.iter().flat_map(|part| &part.gone);
    (
        came.map(|frame| frame.sequence).collect(),
        gone.flat_map(|gone| gone.first_sequence..gone.end_sequence).collect(),
    )
}

/// How long live frames waited from their start until they were published, in microseconds, sorted.
fn waits(frames: &[Frame]) -> Vec<u64> {
    let mut waits: Vec<_> =
        frames.iter().map(|frame| (frame.publish_mono_ns - frame.start_mono_ns) / 1000).collect();
    waits.sort_unstable();
    waits
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_frames_of_backfill_delay_no_live_frame() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let mut bedside = Bedside::start("p1", &[broker.addr()], Some(disk(KEPT, [7, 8, 50_000])));
    bedside.sample_for(Duration::from_secs(3)).await;
    let quiet = listener.await_frames(100).await;

    let gateway = Gateway::start(broker.addr(), "p1").await;
    gateway.backfill(1, 42, 0..KEPT).await;
    let parts = tokio::select! {
        parts = await_last(&listener, 1) => parts,
        () = bedside.sample_for(Duration::from_secs(60)) => panic!("answered within a minute"),
    };
    let all = listener.frames();
    bedside.stop().await;

    assert!(parts[0].birth.is_some() && parts[1..].iter().all(|part| part.birth.is_none()));
    let (came, gone) = sequences(&parts);
    assert_eq!(gone, [7, 8, 50_000]);
    let expected: Vec<_> = (0..KEPT).filter(|sequence| !gone.contains(sequence)).collect();
    assert!(came == expected, "every frame once and in order");

    assert!((0..).zip(&all).all(|(expected, frame)| frame.sequence == expected));
    let (quiet, busy) = (waits(&quiet), waits(&all[quiet.len()..]));
    assert!(busy.len() > 20, "{} live frames during {} parts", busy.len(), parts.len());
    let at = |waits: &[u64], percent: usize| waits[waits.len() * percent / 100];
    println!(
        "wait of live frames in us: quiet p50 {} p99 {}, with backfill p50 {} p99 {} ({} parts, {} frames)",
        at(&quiet, 50),
        at(&quiet, 99),
        at(&busy, 50),
        at(&busy, 99),
        parts.len(),
        busy.len()
    );
    // A frame is 20 ms long; one that had to wait for several parts would be late by as much again.
    assert!(at(&busy, 50) < at(&quiet, 50) * 3 / 2, "{} {}", at(&busy, 50), at(&quiet, 50));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_a_cut_ended_is_asked_for_again_on_the_other_path() {
    let (a, b) = (EmbeddedBroker::start(None).unwrap(), EmbeddedBroker::start(None).unwrap());
    let proxy = FaultProxy::start(a.addr()).unwrap();
    let (on_a, on_b) = (Listener::start(a.addr()).await, Listener::start(b.addr()).await);
    let bedside = Bedside::start("p1", &[proxy.addr(), b.addr()], Some(disk(KEPT, [])));
    on_a.await_that("path a", |listener| listener.heartbeats().pop().ok_or_else(String::new)).await;
    on_b.await_that("path b", |listener| listener.heartbeats().pop().ok_or_else(String::new)).await;
    let first = Gateway::start(a.addr(), "p1").await;
    first.backfill(1, 42, 0..KEPT).await;
    on_a.await_that("some parts", |listener| {
        let parts = listener.backfills().len();
        if parts > 10 { Ok(()) } else { Err(format!("{parts}")) }
    })
    .await;
    proxy.refuse(true);
    proxy.cut();
    let second = Gateway::start(b.addr(), "p1").await;
    let (came, _) = sequences(&on_a.backfills());
    let next = came.last().map_or(0, |last| last + 1);
    assert!(next < KEPT, "the cut came in the middle");
    second.backfill(2, 42, next..next + 5000).await;
    let parts = await_last(&on_b, 2).await;
    assert!(parts[0].birth.is_some(), "each answer tells its birth");
    assert_eq!(sequences(&parts).0, (next..next + 5000).collect::<Vec<_>>());
    assert!(on_a.backfills().iter().all(|part| !part.last));
    bedside.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_for_what_was_never_there_is_answered_and_too_many_are_refused() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let bedside = Bedside::start("p1", &[broker.addr()], Some(disk(100_000, [])));
    listener.await_that("path", |it| it.heartbeats().pop().ok_or_else(String::new)).await;
    let gateway = Gateway::start(broker.addr(), "p1").await;
    gateway.backfill(1, 43, 5..u64::MAX).await;
    let parts = await_last(&listener, 1).await;
    assert_eq!((parts.len(), parts[0].gone[0].end_sequence), (1, u64::MAX));
    for number in 2..20 {
        gateway.backfill(number, 42, 0..3000).await;
    }
    listener
        .await_that("the refusals", |_| {
            let summary = bedside.counters.summary();
            if summary.requests_too_many > 0 { Ok(()) } else { Err(format!("{summary:?}")) }
        })
        .await;
    await_last(&listener, 2).await;
    let answered: BTreeSet<_> = listener.backfills().iter().map(|part| part.number).collect();
    assert!(answered.contains(&2) && answered.len() < 19, "{answered:?}");
    bedside.stop().await;
}
