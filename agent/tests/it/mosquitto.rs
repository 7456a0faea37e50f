//! The same path through a broker that was not written in Rust.

use std::time::Duration;

use ecmo_proto::v1::AgentState;
use ecmo_testkit::Mosquitto;
use tokio::time::Instant;

use crate::ward::{Agent, Listener, simulated};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn an_agent_streams_through_mosquitto_without_a_gap() {
    let broker = Mosquitto::start().unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = Agent::start(simulated("p1", broker.addr()));
    let frames = listener.await_frames(200).await;
    assert!((0..).zip(&frames).all(|(expected, frame)| frame.sequence == expected));
    let summary = agent.stop().await;
    listener.await_state(AgentState::Stopped).await;
    assert_eq!(summary.frames_published, summary.frames_prepared);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn the_will_of_a_killed_agent_comes_from_mosquitto() {
    let broker = Mosquitto::start().unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = Agent::start(simulated("p1", broker.addr()));
    listener.await_frames(10).await;
    agent.kill().await;
    listener.await_state(AgentState::Offline).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn a_killed_mosquitto_that_comes_back_is_served_again() {
    let mut broker = Mosquitto::start().unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = Agent::start(simulated("p1", broker.addr()));
    listener.await_frames(10).await;
    broker.kill().unwrap();
    broker.restart().unwrap();
    let again = Listener::start(broker.addr()).await;
    again.await_frames(10).await;
    assert!(!again.births().is_empty());
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn a_frozen_mosquitto_is_given_up_and_served_when_it_thaws() {
    let mut broker = Mosquitto::start().unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = Agent::start(simulated("p1", broker.addr()));
    listener.await_frames(10).await;
    broker.freeze().unwrap();
    let frozen = Instant::now();
    listener
        .await_that("4 s of frost", |_| {
            if frozen.elapsed() > Duration::from_secs(4) { Ok(()) } else { Err(String::new()) }
        })
        .await;
    broker.thaw().unwrap();
    let before = listener.frames().len();
    listener.await_frames(before + 20).await;
    let summary = agent.stop().await;
    assert!(summary.connection_failures >= 1, "{summary:?}");
}
