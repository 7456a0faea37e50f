//! The known defects of the MQTT client that could touch an agent: each has a test that it does not.

use std::path::PathBuf;
use std::time::Duration;

use ecmo_agent::config::{EmtecSettings, PortAddress, SourceSettings};
use ecmo_agent::{Settings, run};
use ecmo_proto::v1::AgentState;
use ecmo_testkit::{Direction, EmbeddedBroker, FaultProxy};
use rustix::process::{PidfdFlags, PidfdGetfdFlags};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::ward::{Agent, Listener, address, simulated};

/// An agent whose birth is as long as the name of its port.
fn with_long_birth(broker: std::net::SocketAddr, bytes: usize) -> Settings {
    let port = PathBuf::from(format!("/nowhere/{}", "x".repeat(bytes)));
    let source = SourceSettings::Emtec(EmtecSettings { port: PortAddress::Serial(port) });
    Settings::new(address("p1"), format!("mqtt://{broker}").parse().unwrap(), source)
}

/// Default packet limit of 10 KiB: a birth of 64 channels with long names is longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_birth_longer_than_the_clients_default_limit_passes() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = Agent::start(with_long_birth(broker.addr(), 20_000));
    listener.await_frames(10).await;
    assert!(listener.births()[0].device.len() > 20_000);
    let summary = agent.stop().await;
    assert_eq!(summary.connections, 1, "it was not refused and tried again");
}

/// Poison packet: one that is too long for the broker or the client makes the client reconnect for ever.
#[tokio::test]
async fn a_birth_too_long_for_any_packet_is_refused_before_connecting() {
    let settings = with_long_birth(([127, 0, 0, 1], 9).into(), 300_000);
    let error = run(settings, std::future::pending()).await.unwrap_err();
    assert!(error.is_about_settings());
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("shorten names"), "{cause}");
}

/// Pending requests are dropped when the broker has no session: nothing may depend on them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_before_the_birth_is_acknowledged_only_delays_it() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let listener = Listener::start(broker.addr()).await;
    for _ in 0..5 {
        // The way to the broker is so narrow that the cut falls into the birth.
        proxy.on(Direction::ClientToServer).bandwidth(200);
        let before = proxy.counters();
        let agent = Agent::start(simulated("p1", proxy.addr()));
        listener
            .await_that("half a birth", |_| {
                let now = proxy.counters();
                let sent = now.client_to_server.bytes - before.client_to_server.bytes;
                if sent > 100 { Ok(()) } else { Err(format!("{sent} bytes")) }
            })
            .await;
        proxy.cut();
        proxy.heal();
        let (births, frames) = (listener.births().len(), listener.frames().len());
        listener.await_frames(frames + 5).await;
        assert!(listener.births().len() > births, "a birth came before the frames");
        let summary = agent.stop().await;
        assert!(summary.connection_failures >= 1, "{summary:?}");
    }
}

/// Publishing in the task that polls waits for ever once the channel is full.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_channel_does_not_stop_polling() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = Agent::start(simulated("p1", proxy.addr()));
    listener.await_frames(10).await;
    // Too narrow for 50 frames a second: everything before the socket fills up.
    proxy.on(Direction::ClientToServer).bandwidth(1000);
    let narrowed = Instant::now();
    listener
        .await_that("some seconds in the narrow", |_| {
            if narrowed.elapsed() > Duration::from_secs(3) { Ok(()) } else { Err(String::new()) }
        })
        .await;
    proxy.heal();
    let before = listener.frames().last().unwrap().sequence;
    listener
        .await_that("frames of now", |listener| {
            let newest = listener.frames().last().unwrap().sequence;
            if newest > before + 100 { Ok(()) } else { Err(format!("{newest}")) }
        })
        .await;
    let summary = agent.stop().await;
    let frames = listener.frames();
    assert!(frames.windows(2).all(|pair| pair[1].sequence > pair[0].sequence));
    assert!(summary.samples > 0);
}

/// Reconnecting is immediate unless the caller waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_refuses_is_not_stormed() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    proxy.refuse(true);
    let started = Instant::now();
    let agent = Agent::start(simulated("p1", proxy.addr()));
    let listener = Listener::start(broker.addr()).await;
    listener
        .await_that("3 s of refusals", |_| {
            if started.elapsed() > Duration::from_secs(3) { Ok(()) } else { Err(String::new()) }
        })
        .await;
    let refused = proxy.counters().refused;
    assert!((1..=20).contains(&refused), "{refused} attempts in 3 s");
    agent.stop().await;
}

/// Colliding packet ids survive a reconnect and stop publishing for good; here a broker never acknowledges.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_never_acknowledges_is_given_up_and_the_next_one_served() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(silent.local_addr().unwrap()).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = Agent::start(simulated("p1", proxy.addr()));
    // Accepts the session, answers every ping, acknowledges nothing.
    let accepted = async {
        for _ in 0..2 {
            let (mut socket, _) = silent.accept().await.unwrap();
            socket.write_all(&[0x20, 2, 0, 0]).await.unwrap();
            let mut buffer = [0; 4096];
            while let Ok(1..) = socket.read(&mut buffer).await {
                if socket.write_all(&[0xd0, 0]).await.is_err() {
                    break;
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), accepted).await.expect("given up twice");
    proxy.set_upstream(broker.addr());
    proxy.cut();
    listener.await_frames(10).await;
    listener.await_state(AgentState::Online).await;
    agent.stop().await;
}

/// Nagle's algorithm is on by default and holds small packets back until the last one is acknowledged by TCP.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_packets_are_not_held_back() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = Agent::start(simulated("p1", proxy.addr()));
    listener.await_frames(10).await;
    // Only the agent is connected to the proxy.
    assert_eq!(nodelay_of_connections_to(proxy.port()), [true]);
    agent.stop().await;
}

/// TCP_NODELAY of every socket of this process whose other end is a port.
fn nodelay_of_connections_to(port: u16) -> Vec<bool> {
    let this = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty()).unwrap();
    let open = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    open.filter_map(|entry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        let path = std::fs::read_link(entry.path()).ok()?;
        let is_socket = path.to_str()?.starts_with("socket:");
        let copy = rustix::process::pidfd_getfd(&this, number, PidfdGetfdFlags::empty());
        let socket = std::net::TcpStream::from(copy.ok().filter(|_| is_socket)?);
        let is_to_port = socket.peer_addr().ok()?.port() == port;
        is_to_port.then(|| socket.nodelay().unwrap())
    })
    .collect()
}
