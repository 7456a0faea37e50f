//! Agents and brokers that go and come back: the will, reconnecting, stale data, two agents of one name.

use std::time::Duration;

use ecmo_proto::v1::AgentState;
use ecmo_testkit::{EmbeddedBroker, FaultProxy};
use tokio::time::Instant;

use crate::ward::{Agent, Listener, SOON, simulated};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_will_of_a_killed_agent_names_its_boot() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = Agent::start(simulated("p1", broker.addr()));
    listener.await_frames(10).await;
    agent.kill().await;
    listener.await_state(AgentState::Offline).await;
    assert_eq!(listener.states(), [AgentState::Online, AgentState::Offline]);

    // Birth and status are retained: who subscribes later hears both, and no old frame.
    let late = Listener::start(broker.addr()).await;
    late.await_state(AgentState::Offline).await;
    let birth =
        late.await_that("a birth", |late| late.births().pop().ok_or_else(String::new)).await;
    assert_eq!(birth.boot_id, listener.births()[0].boot_id);
    assert_eq!(late.first_is_retained(), Some(true));
    assert!(late.frames().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_is_stopped_says_so_and_leaves_no_will() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = Agent::start(simulated("p1", broker.addr()));
    listener.await_frames(10).await;
    agent.stop().await;
    listener.await_state(AgentState::Stopped).await;
    // A second agent's whole life is the proof that the broker had time to send a will.
    let other = Agent::start(simulated("p2", broker.addr()));
    listener
        .await_that("the other's online", |listener| {
            if listener.states().len() >= 3 { Ok(()) } else { Err(String::new()) }
        })
        .await;
    other.stop().await;
    let expected = [AgentState::Online, AgentState::Stopped, AgentState::Online];
    assert_eq!(listener.states()[..3], expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_connection_is_made_again_with_a_birth_before_its_frames() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = Agent::start(simulated("p1", proxy.addr()));
    listener.await_frames(20).await;
    for round in 1..=3 {
        let before = listener.frames().len();
        assert_eq!(proxy.cut(), 1);
        listener.await_frames(before + 20).await;
        assert_eq!(listener.births().len(), 1 + round, "each connection begins with a birth");
    }
    let summary = agent.stop().await;
    assert_eq!((summary.connections, summary.connection_failures), (4, 3));

    // One boot, one numbering. A cut loses what was on its way; what waited is sent.
    let frames = listener.frames();
    assert!(frames.windows(2).all(|pair| pair[1].sequence > pair[0].sequence));
    assert!(frames.iter().all(|frame| frame.boot_id == frames[0].boot_id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_restarts_gets_a_birth_again() {
    let mut broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = Agent::start(simulated("p1", broker.addr()));
    listener.await_frames(10).await;
    broker.restart().unwrap();
    let again = Listener::start(broker.addr()).await;
    again.await_frames(10).await;
    // The broker remembers nothing; the births that are heard now were sent now.
    let birth =
        again.await_that("a birth", |again| again.births().pop().ok_or_else(String::new)).await;
    assert_eq!(birth.boot_id, again.frames()[0].boot_id);
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_of_a_long_outage_are_dropped_and_counted_and_the_newest_are_sent() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let listener = Listener::start(broker.addr()).await;
    proxy.refuse(true);
    let started = Instant::now();
    let agent = Agent::start(simulated("p1", proxy.addr()));
    // The outage lasts until the proxy has turned away enough attempts that more than a second has passed.
    listener
        .await_that("an outage of 2 s", |_| {
            let is_over = started.elapsed() > Duration::from_secs(2);
            if is_over && proxy.counters().refused > 0 { Ok(()) } else { Err(String::new()) }
        })
        .await;
    proxy.heal();
    let frames = listener.await_frames(20).await;
    let summary = agent.stop().await;

    assert!(summary.frames_dropped_old > 10, "{summary:?}");
    assert!(frames[0].sequence >= summary.frames_dropped_old.min(20));
    for frame in &frames {
        let waited = Duration::from_nanos(frame.publish_mono_ns - frame.start_mono_ns);
        assert!(waited < Duration::from_millis(1100), "{waited:?} is no live frame");
    }
    let lost = summary.frames_dropped_old + summary.frames_dropped_full;
    assert_eq!(summary.frames_published + lost, summary.frames_prepared, "{summary:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_falls_silent_is_given_up_in_about_two_seconds() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = Agent::start(simulated("p1", proxy.addr()));
    listener.await_frames(10).await;
    let accepted = proxy.counters().accepted;
    proxy.stall(true);
    let silent_at = Instant::now();
    listener
        .await_that("another attempt", |_| {
            let now = proxy.counters().accepted;
            if now > accepted { Ok(()) } else { Err(String::new()) }
        })
        .await;
    // Two pings of 1 s, the first wait of at most 100 ms, and the machine.
    let noticed = silent_at.elapsed();
    assert!(noticed < Duration::from_millis(3000), "{noticed:?}");
    proxy.heal();
    let before = listener.frames().len();
    listener.await_frames(before + 20).await;
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_stops_in_time_without_any_broker() {
    let proxy = FaultProxy::start(([127, 0, 0, 1], 9).into()).unwrap();
    let agent = Agent::start(simulated("p1", proxy.addr()));
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    listener
        .await_that("an attempt", |_| {
            let counters = proxy.counters();
            if counters.upstream_failed > 0 { Ok(()) } else { Err(format!("{counters:?}")) }
        })
        .await;
    let stopping = Instant::now();
    let summary = agent.stop().await;
    assert!(stopping.elapsed() < Duration::from_secs(1), "{:?}", stopping.elapsed());
    assert_eq!(summary.frames_published, 0);
    let dropped = summary.frames_dropped_stopped + summary.frames_dropped_full;
    assert_eq!(dropped + summary.frames_dropped_old, summary.frames_prepared);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_stops_in_time_when_the_broker_is_silent() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = Agent::start(simulated("p1", proxy.addr()));
    listener.await_frames(10).await;
    proxy.stall(true);
    let stopping = Instant::now();
    agent.stop().await;
    assert!(stopping.elapsed() < Duration::from_secs(4), "{:?}", stopping.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_agents_of_one_name_do_not_storm_the_broker() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let first = Agent::start(simulated("p1", proxy.addr()));
    let second = Agent::start(simulated("p1", proxy.addr()));
    let started = Instant::now();
    let listener = Listener::start(broker.addr()).await;
    listener
        .await_that("both boots", |listener| {
            let births = listener.births();
            let boots: std::collections::BTreeSet<_> =
                births.iter().map(|birth| birth.boot_id).collect();
            if boots.len() == 2 && started.elapsed() > Duration::from_secs(3) {
                Ok(())
            } else {
                Err(format!("{boots:?}"))
            }
        })
        .await;
    let connections = proxy.counters().accepted;
    assert!(started.elapsed() < SOON);
    // Waits grow: 3 s hold about 5 doublings for each.
    assert!(connections < 40, "{connections} connections in 3 s");
    first.stop().await;
    second.stop().await;
}
