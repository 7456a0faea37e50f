//! Agents that are killed or frozen.

use ecmo_faults::{AgentSetup, Ward};
use ecmo_testkit::display::SOON;
use ecmo_testkit::display::{Display, PROMISE};
use ecmo_testkit::eventually;
use tokio::time::Instant;

/// Waits until the gateway serves, and connects a display.
pub(crate) async fn display(ward: &Ward) -> Display {
    eventually(SOON, "the gateway serves", async || {
        tokio::net::TcpStream::connect(ward.displays_at()).await
    })
    .await
    .unwrap();
    Display::connect(ward.displays_at()).await
}

#[tokio::test]
#[ignore = "needs Mosquitto"]
async fn fault_f01_an_agent_that_is_killed_is_told_within_a_second() {
    let ward = Ward::start(1).unwrap();
    let brokers = ward.broker_addresses();
    let settings = ward.gateway_settings(&brokers, "").unwrap();
    let _gateway = ward.gateway(&settings).unwrap();
    let display = display(&ward).await;
    let agent = ward.agent(&AgentSetup::simulated("pump-1", brokers)).unwrap();
    display.await_live("pump-1").await;
    let log = display.watch_alarms().await;
    let killed_at = Instant::now();
    agent.kill().unwrap();
    let (told_at, _alarm) = log.raised("pump-1", "comm.stale").await;
    let took = told_at - killed_at;
    println!("f01: told {took:?} after the kill");
    assert!(took <= PROMISE, "{took:?}");
}
