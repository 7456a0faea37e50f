//! What gateways ask of an agent, and what it tells of itself, through a real broker.

use std::time::Duration;

use ecmo_agent::clock;
use ecmo_proto::sealed;
use ecmo_proto::v1::request::Ask;
use ecmo_proto::v1::{AlarmLease, ClockQuality, Probe, Request};
use ecmo_testkit::{EmbeddedBroker, FaultProxy};

use crate::bedside::Bedside;
use crate::gateway::Gateway;
use crate::ward::{Agent, Listener, simulated};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heartbeats_come_each_second_though_nothing_is_sampled() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    // No frame is ever pushed: this is an agent whose sampling hangs.
    let bedside = Bedside::start("p1", &[broker.addr()], None);
    let beats = listener
        .await_that("four heartbeats", |listener| {
            let beats = listener.heartbeats();
            if beats.len() >= 4 { Ok(beats) } else { Err(format!("{}", beats.len())) }
        })
        .await;
    for (sequence, beat) in (0..).zip(&beats) {
        assert_eq!((beat.sequence, beat.boot_id), (sequence, bedside.boot.id));
        assert!(beat.wall_clock.unwrap().quality() != ClockQuality::Unspecified);
        assert_eq!((beat.paths[0].name.as_str(), beat.paths[0].up), ("a", true));
    }
    assert!(beats[1].mono_ns - beats[0].mono_ns >= 900_000_000, "each second, not more often");
    assert!(beats[0].paths[0].echo_us.is_none());
    assert!(beats[3].paths[0].echo_us.is_some(), "what came back was timed");
    assert!(listener.frames().is_empty());
    bedside.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_is_answered_at_once_on_the_path_on_which_it_came() {
    let (a, b) = (EmbeddedBroker::start(None).unwrap(), EmbeddedBroker::start(None).unwrap());
    let (on_a, on_b) = (Listener::start(a.addr()).await, Listener::start(b.addr()).await);
    let settings = simulated("p1", a.addr());
    let agent =
        Agent::start(settings.with_second_broker(format!("mqtt://{}", b.addr()).parse().unwrap()));
    on_a.await_frames(5).await;
    on_b.await_frames(5).await;
    let gateway = Gateway::start(a.addr(), "p1").await;
    for number in 0..5 {
        let before = clock::now().as_nanos();
        gateway.probe(number).await;
        let (beat, echo) = on_a
            .await_that("the echo", |listener| {
                let beats = listener.heartbeats().into_iter();
                let mut echoes = beats.flat_map(|beat| {
                    beat.echoes.clone().into_iter().map(move |echo| (beat.clone(), echo))
                });
                echoes.find(|(_, echo)| echo.number == number).ok_or_else(String::new)
            })
            .await;
        assert_eq!((echo.gateway.as_str(), echo.sent_mono_ns), (&*gateway.name, 1000 + number));
        assert!(before <= echo.received_mono_ns && echo.received_mono_ns <= beat.mono_ns);
        let waited_ns = beat.mono_ns - echo.received_mono_ns;
        assert!(waited_ns < 500_000_000, "{waited_ns} ns, far less than a second");
    }
    assert!(on_b.heartbeats().iter().all(|beat| beat.echoes.is_empty()));
    let summary = agent.stop().await;
    assert_eq!(summary.probes_answered, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_probes_crowds_out_no_frame() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = Agent::start(simulated("p1", broker.addr()));
    let first = listener.await_frames(5).await[0].start_mono_ns;
    let gateway = Gateway::start(broker.addr(), "p1").await;
    for number in 0..3000 {
        gateway.probe(number).await;
    }
    let frames = listener.await_frames(150).await;
    let summary = agent.stop().await;
    assert!((0..).zip(&frames).all(|(expected, frame)| frame.sequence == expected));
    let beats = listener.heartbeats();
    let lasted_ms = (clock::now().as_nanos() - first) / 1_000_000;
    let most = 20 * lasted_ms / 1000 + 5;
    assert!(beats.len() as u64 <= most, "{} heartbeats in {lasted_ms} ms", beats.len());
    let echoes: usize = beats.iter().map(|beat| beat.echoes.len()).sum();
    assert_eq!(echoes as u64, summary.probes_answered);
    assert!(summary.requests_too_many > 0, "{summary:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_requests_are_refused_and_counted_by_reason() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let gateway = Gateway::start(broker.addr(), "p1").await;
    let probe = Ask::Probe(Probe { number: 1, sent_mono_ns: 2 });
    // Kept by the broker from a time before the agent.
    gateway.send(sealed::seal(&gateway.request(0, probe.clone())).to_vec(), true).await;
    let agent = Agent::start(simulated("p1", broker.addr()));
    let boot_id = listener.await_frames(5).await[0].boot_id;

    let good = gateway.request(boot_id, probe.clone());
    let mut damaged = sealed::seal(&good).to_vec();
    damaged[3] ^= 1;
    gateway.send(damaged, false).await;
    gateway.send(vec![0; 40_000], false).await;
    let seal = |request: &Request| sealed::seal(request).to_vec();
    gateway.send(seal(&Request { pump: "p2".into(), ..good.clone() }), false).await;
    gateway.send(seal(&Request { boot_id: boot_id ^ 1, ..good.clone() }), false).await;
    gateway.send(seal(&Request { ask: None, ..good.clone() }), false).await;
    let lease = AlarmLease { decided_mono_ns: u64::MAX, ..AlarmLease::default() };
    gateway.send(seal(&gateway.request(0, Ask::Lease(lease.clone()))), false).await;
    gateway.send(seal(&gateway.request(boot_id, Ask::Lease(lease))), false).await;
    // The last one is right: when it is answered, the others were read.
    gateway.send(seal(&good), false).await;
    listener
        .await_that("the echo", |listener| {
            let beats = listener.heartbeats();
            if beats.iter().any(|beat| !beat.echoes.is_empty()) { Ok(()) } else { Err("none") }
                .map_err(ToOwned::to_owned)
        })
        .await;
    let summary = agent.stop().await;
    let counts = [
        summary.requests_broken,
        summary.requests_elsewhere,
        summary.requests_other_boot,
        summary.requests_unknown,
        summary.leases_refused,
        summary.probes_answered,
    ];
    assert_eq!(counts, [3, 1, 2, 1, 1, 1], "{summary:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_holds_until_two_seconds_after_what_was_judged_however_late_it_comes() {
    let (a, b) = (EmbeddedBroker::start(None).unwrap(), EmbeddedBroker::start(None).unwrap());
    let slow = FaultProxy::start(b.addr()).unwrap();
    let on_a = Listener::start(a.addr()).await;
    let bedside = Bedside::start("p1", &[a.addr(), slow.addr()], None);
    let (lease, boot_id) = (std::sync::Arc::clone(&bedside.lease), bedside.boot.id);
    on_a.await_that("both paths up", |listener| {
        let beat = listener.heartbeats().pop().ok_or_else(String::new)?;
        if beat.paths.iter().all(|path| path.up) { Ok(()) } else { Err(format!("{beat:?}")) }
    })
    .await;
    let said = lease.said();
    assert!(!lease.is_leased(clock::now()));
    let (first, second) =
        (Gateway::start(a.addr(), "p1").await, Gateway::start(b.addr(), "p1").await);

    // The second gateway has judged more, and its lease is on its way for longer.
    slow.delay(Duration::from_millis(300));
    let decided = clock::now();
    second.lease(boot_id, decided.as_nanos(), 2).await;
    first.lease(boot_id, decided.as_nanos() - 500_000_000, 1).await;
    first.lease(boot_id ^ 1, decided.as_nanos(), 9).await;
    on_a.await_that("both leases", |_| {
        let version =
            said.borrow().as_ref().and_then(|said| Some(said.treatment.as_ref()?.version));
        if version == Some(2) { Ok(()) } else { Err(format!("{version:?}")) }
    })
    .await;
    let end = decided.plus(Duration::from_secs(2));
    assert_eq!(lease.until(), Some(end), "the best counts, from what it had judged");
    assert_eq!(said.borrow().as_ref().unwrap().profile_hash, 77);
    on_a.await_that("the end of the lease", |_| {
        // The clock is read last: a lease that is seen after its end is one that lasts too long.
        let (is_leased, now) = (lease.is_leased(clock::now()), clock::now());
        assert!(is_leased || now >= end);
        if is_leased { Err(String::new()) } else { Ok(()) }
    })
    .await;
    assert_eq!(lease.lost(clock::now()), 1);
    assert_eq!(bedside.counters.summary().requests_other_boot, 1);
    bedside.stop().await;
}
