//! Two brokers: each path lives and dies alone.

use std::net::SocketAddr;
use std::time::Duration;

use ecmo_agent::Settings;
use ecmo_proto::v1::Frame;
use ecmo_testkit::{Direction, EmbeddedBroker, FaultProxy, Mosquitto};
use tokio::time::Instant;

use crate::ward::{Agent, Listener, simulated};

fn on_both(pump: &str, a: SocketAddr, b: SocketAddr) -> Settings {
    simulated(pump, a).with_second_broker(format!("mqtt://{b}").parse().unwrap())
}

/// Every frame from the first on, in order.
fn has_no_gap(frames: &[Frame]) -> bool {
    (0..).zip(frames).all(|(expected, frame)| frame.sequence == expected)
}

/// Whether the newest heartbeat says that the paths are so.
async fn await_paths(listener: &Listener, expected: [bool; 2]) {
    listener
        .await_that("the paths' state", |listener| {
            let beat = listener.heartbeats().pop().ok_or_else(String::new)?;
            let up: Vec<_> = beat.paths.iter().map(|path| path.up).collect();
            if up == expected { Ok(()) } else { Err(format!("{up:?}")) }
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_frame_goes_to_both_brokers_with_the_same_body() {
    let (a, b) = (EmbeddedBroker::start(None).unwrap(), EmbeddedBroker::start(None).unwrap());
    let (on_a, on_b) = (Listener::start(a.addr()).await, Listener::start(b.addr()).await);
    let agent = Agent::start(on_both("p1", a.addr(), b.addr()));
    on_a.await_frames(60).await;
    on_b.await_frames(60).await;
    await_paths(&on_a, [true, true]).await;
    let summary = agent.stop().await;
    assert_eq!(summary.frames_published, 2 * summary.frames_prepared);
    let body = |frame: &Frame| Frame { publish_mono_ns: 0, publish_wall_ns: 0, ..frame.clone() };
    let bodies = |on: &Listener| on.frames().iter().map(body).collect::<Vec<_>>();
    assert_eq!(bodies(&on_a), bodies(&on_b));
    assert!(has_no_gap(&on_a.frames()));
    assert_eq!((on_a.births()[0].paths, on_b.births()[0].paths), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_paths_to_one_broker_do_not_push_each_other_out() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = Agent::start(on_both("p1", broker.addr(), broker.addr()));
    listener.await_frames(100).await;
    await_paths(&listener, [true, true]).await;
    let summary = agent.stop().await;
    assert_eq!((summary.connections, summary.connection_failures), (2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_path_takes_nothing_from_the_other() {
    let (a, b) = (EmbeddedBroker::start(None).unwrap(), EmbeddedBroker::start(None).unwrap());
    let proxy = FaultProxy::start(a.addr()).unwrap();
    let on_b = Listener::start(b.addr()).await;
    let agent = Agent::start(on_both("p1", proxy.addr(), b.addr()));
    on_b.await_frames(10).await;
    proxy.on(Direction::ClientToServer).bandwidth(500);
    let frames = on_b.await_frames(250).await;
    let summary = agent.stop().await;
    assert!(has_no_gap(&frames));
    assert!(summary.frames_published < 2 * summary.frames_prepared, "{summary:?}");
    let lost =
        summary.frames_dropped_old + summary.frames_dropped_full + summary.frames_dropped_stopped;
    assert_eq!(summary.frames_published + lost, 2 * summary.frames_prepared, "{summary:?}");
}

/// A birth that a broker kept from the run before is replaced before the first frame of the new run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_missed_a_restart_of_the_agent_hears_the_new_birth_before_its_frames() {
    let (a, b) = (EmbeddedBroker::start(None).unwrap(), EmbeddedBroker::start(None).unwrap());
    let proxy = FaultProxy::start(b.addr()).unwrap();
    let (on_a, on_b) = (Listener::start(a.addr()).await, Listener::start(b.addr()).await);
    let old = Agent::start(on_both("p1", a.addr(), proxy.addr()));
    let old_boot = on_b.await_frames(5).await[0].boot_id;
    on_a.await_frames(5).await;
    old.kill().await;
    proxy.refuse(true);
    let new = Agent::start(on_both("p1", a.addr(), proxy.addr()));
    on_a.await_that("the new birth", |listener| {
        let newest = listener.births().pop().map(|birth| birth.boot_id);
        if newest.is_some_and(|boot| boot != old_boot) { Ok(()) } else { Err(String::new()) }
    })
    .await;
    let late = Listener::start(b.addr()).await;
    let stale = late.await_that("kept birth", |it| it.births().pop().ok_or_else(String::new)).await;
    assert_eq!(stale.boot_id, old_boot, "the broker knows only the run before");
    proxy.heal();
    let frames = late.await_frames(5).await;
    let births = late.births();
    assert_eq!((births.len(), births[1].boot_id), (2, frames[0].boot_id));
    assert_ne!(births[1].boot_id, old_boot);
    new.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn fault_f04_f08_a_killed_broker_costs_the_other_path_no_frame() {
    let (mut a, b) = (Mosquitto::start().unwrap(), Mosquitto::start().unwrap());
    let on_b = Listener::start(b.addr()).await;
    let agent = Agent::start(on_both("p1", a.addr(), b.addr()));
    await_paths(&on_b, [true, true]).await;
    a.kill().unwrap();
    await_paths(&on_b, [false, true]).await;
    a.restart().unwrap();
    let on_a = Listener::start(a.addr()).await;
    let frames = on_a.await_frames(20).await;
    assert_eq!(on_a.births()[0].boot_id, frames[0].boot_id, "announced again");
    await_paths(&on_b, [true, true]).await;
    agent.stop().await;
    assert!(has_no_gap(&on_b.frames()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn fault_f09_a_frozen_broker_is_left_within_two_seconds() {
    let (mut a, b) = (Mosquitto::start().unwrap(), Mosquitto::start().unwrap());
    let proxy = FaultProxy::start(a.addr()).unwrap();
    let on_b = Listener::start(b.addr()).await;
    let agent = Agent::start(on_both("p1", proxy.addr(), b.addr()));
    await_paths(&on_b, [true, true]).await;
    let accepted = proxy.counters().accepted;
    a.freeze().unwrap();
    let left = time_until_left(&on_b, &proxy, accepted).await;
    println!("left after {left:?}");
    await_paths(&on_b, [false, true]).await;
    a.thaw().unwrap();
    await_paths(&on_b, [true, true]).await;
    let summary = agent.stop().await;
    // The silence of its own heartbeat was noticed, not that of the pings, which is later.
    assert!(summary.connections_silent >= 1, "{summary:?}");
    assert!(left < Duration::from_millis(2500), "{left:?}: 2 s, and what this machine adds");
    assert!(has_no_gap(&on_b.frames()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn fault_f05_a_half_open_connection_is_left_within_two_seconds() {
    let (a, b) = (Mosquitto::start().unwrap(), Mosquitto::start().unwrap());
    let proxy = FaultProxy::start(a.addr()).unwrap();
    let on_b = Listener::start(b.addr()).await;
    let agent = Agent::start(on_both("p1", proxy.addr(), b.addr()));
    await_paths(&on_b, [true, true]).await;
    let accepted = proxy.counters().accepted;
    // What the agent says arrives; nothing comes back.
    proxy.on(Direction::ServerToClient).stall(true);
    let left = time_until_left(&on_b, &proxy, accepted).await;
    println!("left after {left:?}");
    await_paths(&on_b, [false, true]).await;
    proxy.heal();
    await_paths(&on_b, [true, true]).await;
    let summary = agent.stop().await;
    assert!(summary.connections_silent >= 1, "{summary:?}");
    assert!(left < Duration::from_millis(2500), "{left:?}: 2 s, and what this machine adds");
    assert!(has_no_gap(&on_b.frames()));
}

/// Time until the agent connects anew through a proxy.
async fn time_until_left(listener: &Listener, proxy: &FaultProxy, accepted: u64) -> Duration {
    let since = Instant::now();
    listener
        .await_that("a new connection", |_| {
            let now = proxy.counters().accepted;
            if now > accepted { Ok(()) } else { Err(format!("{now}")) }
        })
        .await;
    since.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn fault_f10_both_brokers_die_and_are_served_again_with_the_newest_frames() {
    let (mut a, mut b) = (Mosquitto::start().unwrap(), Mosquitto::start().unwrap());
    let on_b = Listener::start(b.addr()).await;
    let agent = Agent::start(on_both("p1", a.addr(), b.addr()));
    await_paths(&on_b, [true, true]).await;
    let before = on_b.await_frames(10).await.last().unwrap().sequence;
    a.kill().unwrap();
    b.kill().unwrap();
    let died = Instant::now();
    on_b.await_that("2 s without a broker", |_| {
        if died.elapsed() > Duration::from_secs(2) { Ok(()) } else { Err(String::new()) }
    })
    .await;
    a.restart().unwrap();
    b.restart().unwrap();
    for broker in [a.addr(), b.addr()] {
        let again = Listener::start(broker).await;
        let frames = again.await_frames(20).await;
        assert!(frames[0].sequence > before + 20, "old frames are no live data");
        assert_eq!(again.births()[0].boot_id, frames[0].boot_id);
    }
    let summary = agent.stop().await;
    assert!(summary.frames_dropped_old > 0, "{summary:?}");
}
