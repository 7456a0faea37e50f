//! The real Mosquitto, function by function.

use std::{
    net::{TcpListener, TcpStream},
    time::Duration,
};

use ecmo_testkit::{Mosquitto, eventually, free_port};
use rumqttc::QoS;

use super::{QUIET, SOON, client::Client};

const TOPIC: &str = "ecmo/v1/ward/p1/frame";

async fn speaks(mosquitto: &Mosquitto) -> anyhow::Result<()> {
    let client = Client::connect(mosquitto.port(), "speaker").await?;
    client.subscribe(TOPIC).await?;
    client.publish(TOPIC, QoS::AtMostOnce, b"frame").await?;
    client.received_up_to(TOPIC).await.map(drop)
}

#[tokio::test]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn mosquitto_starts_and_speaks_and_ends_with_its_handle() {
    let mosquitto = Mosquitto::start().unwrap();
    speaks(&mosquitto).await.unwrap();
    assert!(mosquitto.log().contains("running"), "{}", mosquitto.log());
    let addr = mosquitto.addr();
    drop(mosquitto);
    assert!(TcpStream::connect(addr).is_err());
}

#[tokio::test]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn mosquitto_starts_on_the_given_port() {
    let port = free_port().unwrap();
    let mosquitto = Mosquitto::start_on(port).unwrap();
    assert_eq!(mosquitto.port(), port);
    speaks(&mosquitto).await.unwrap();
}

#[test]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
fn mosquitto_on_a_taken_port_is_a_clear_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = format!("{:#}", Mosquitto::start_on(port).unwrap_err());
    assert!(error.contains("ended at once"), "{error}");
    assert!(error.contains("in use"), "{error}");
}

#[tokio::test]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn a_killed_mosquitto_breaks_its_connections_and_restarts_on_its_port() {
    let mut mosquitto = Mosquitto::start().unwrap();
    let addr = mosquitto.addr();
    let client = Client::connect(mosquitto.port(), "witness").await.unwrap();
    mosquitto.kill().unwrap();
    assert!(mosquitto.kill().is_err());
    eventually(SOON, "the client notices", async || (client.errors() > 0).then_some(()))
        .await
        .unwrap();
    assert_eq!(client.connections(), 1);
    mosquitto.restart().unwrap();
    assert_eq!(mosquitto.addr(), addr);
    eventually(SOON, "the client is back", async || (client.connections() > 1).then_some(()))
        .await
        .unwrap();
    mosquitto.restart().unwrap();
    speaks(&mosquitto).await.unwrap();
}

#[tokio::test]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn a_frozen_mosquitto_says_nothing_and_goes_on_where_it_stopped() {
    let mut mosquitto = Mosquitto::start().unwrap();
    let client = Client::connect(mosquitto.port(), "witness").await.unwrap();
    client.subscribe(TOPIC).await.unwrap();
    mosquitto.freeze().unwrap();
    client.publish(TOPIC, QoS::AtMostOnce, b"frame").await.unwrap();
    // The kernel still accepts, nobody answers.
    TcpStream::connect_timeout(&mosquitto.addr(), Duration::from_secs(1)).unwrap();
    let quiet = eventually(QUIET, "a message", async || (client.received() > 0).then_some(()));
    assert!(quiet.await.is_err());
    mosquitto.thaw().unwrap();
    client.received_up_to(TOPIC).await.unwrap();
    assert_eq!((client.connections(), client.errors()), (1, 0));
}

#[tokio::test]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn a_frozen_mosquitto_can_be_killed_and_restarted() {
    let mut mosquitto = Mosquitto::start().unwrap();
    mosquitto.freeze().unwrap();
    mosquitto.restart().unwrap();
    speaks(&mosquitto).await.unwrap();
    mosquitto.kill().unwrap();
    assert!(mosquitto.freeze().is_err());
    assert!(mosquitto.thaw().is_err());
}
