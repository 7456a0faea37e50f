//! The embedded broker: it speaks, it stops, and its port is free again.

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use ecmo_testkit::{EmbeddedBroker, eventually, eventually_sync};
use rumqttc::QoS;

use super::{SOON, client::Client};

const TOPIC: &str = "ecmo/v1/ward/p1/frame";

async fn speaks(broker: &EmbeddedBroker) -> anyhow::Result<()> {
    let client = Client::connect(broker.port(), "speaker").await?;
    client.subscribe(TOPIC).await?;
    client.publish(TOPIC, QoS::AtMostOnce, b"frame").await?;
    client.received_up_to(TOPIC).await.map(drop)
}

/// Nobody listens any more: somebody else can. A process that another test spawns right now holds
/// a copy of the socket for about a millisecond.
fn is_free(addr: SocketAddr) -> anyhow::Result<()> {
    let soon = Duration::from_millis(200);
    eventually_sync(soon, "the port is free", || TcpListener::bind(addr)).map(drop)
}

#[tokio::test]
async fn a_stopped_broker_frees_its_port_and_starts_there_again() {
    let mut broker = EmbeddedBroker::start(None).unwrap();
    for _ in 0..3 {
        speaks(&broker).await.unwrap();
        let client = Client::connect(broker.port(), "witness").await.unwrap();
        broker.stop().unwrap();
        is_free(broker.addr()).unwrap();
        eventually(SOON, "the client notices", async || (client.errors() > 0).then_some(()))
            .await
            .unwrap();
        broker = EmbeddedBroker::start(Some(broker.port())).unwrap();
        eventually(SOON, "the client is back", async || (client.connections() > 1).then_some(()))
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_broker_breaks_its_connections_and_restarts_on_its_port() {
    let mut broker = EmbeddedBroker::start(None).unwrap();
    let addr = broker.addr();
    let client = Client::connect(broker.port(), "witness").await.unwrap();
    broker.kill().unwrap();
    is_free(addr).unwrap();
    eventually(SOON, "the client notices", async || (client.errors() > 0).then_some(()))
        .await
        .unwrap();
    broker.restart().unwrap();
    assert_eq!(broker.addr(), addr);
    eventually(SOON, "the client is back", async || (client.connections() > 1).then_some(()))
        .await
        .unwrap();
    speaks(&broker).await.unwrap();
    broker.restart().unwrap();
    speaks(&broker).await.unwrap();
}

#[test]
fn dropping_a_broker_frees_its_port() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let addr = broker.addr();
    assert!(TcpListener::bind(addr).is_err());
    drop(broker);
    is_free(addr).unwrap();
}

#[test]
fn a_taken_port_is_a_clear_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = format!("{:#}", EmbeddedBroker::start(Some(port)).unwrap_err());
    assert!(error.contains(&port.to_string()), "{error}");
    assert!(error.contains("in use"), "{error}");
}

#[test]
fn stopping_twice_is_an_error_and_leaves_nothing_on_disk() {
    let mut broker = EmbeddedBroker::start(None).unwrap();
    broker.stop().unwrap();
    assert!(broker.stop().is_err());
    assert!(!std::path::Path::new("mqtt_storage").exists());
}
