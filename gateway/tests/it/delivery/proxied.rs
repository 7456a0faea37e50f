//! Displays behind a network that stalls or breaks: only they notice, and they miss nothing that still holds.
#![cfg(test)]

use std::time::Duration;

use ecmo_proto::v1;
use ecmo_proto::v1::watch_alarms_response::Update;
use ecmo_testkit::{FaultProxy, eventually};

use crate::display::{Display, SOON};
use crate::held_up::Since;
use crate::site::Site;

/// An alarm needs milliseconds; a display that waits for another one's network would need seconds.
const AT_ONCE: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_network_of_one_display_delays_that_display_alone_and_loses_it_nothing() {
    let site = Site::start().await;
    let agent = site.agent("p1").await;
    let proxy = FaultProxy::start(site.gateway.address()).unwrap();
    let near = site.display.watch_alarms().await;
    let far = Display::connect(proxy.addr()).await.watch_alarms().await;
    proxy.stall(true);
    let began = Since::now();
    agent.set("air.bubble", 1);
    let (told, raised) = near.raised("p1", "air.arterial").await;
    began.is_within(AT_ONCE, told, "the alarm at the display beside");
    assert!(far.changes().is_empty(), "{:?}", far.changes());
    proxy.heal();
    let (_told, late) = far.raised("p1", "air.arterial").await;
    assert_eq!((late.occurrence, late.revision), (raised.occurrence, raised.revision));
    assert!(far.end().is_none(), "a short stall ends no stream");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_display_whose_connection_breaks_is_told_and_finds_the_alarm_in_its_next_snapshot() {
    let site = Site::start().await;
    let agent = site.agent("p1").await;
    let proxy = FaultProxy::start(site.gateway.address()).unwrap();
    let far = Display::connect(proxy.addr()).await.watch_alarms().await;
    assert!(proxy.cut() > 0, "the connection went through the proxy");
    eventually(SOON, "the stream ends", async || far.end()).await.unwrap();
    agent.set("air.bubble", 1);
    site.display
        .await_pump("p1", "alarmed", |pump| {
            pump.alarms.iter().any(|it| it.condition == "air.arterial")
        })
        .await;
    let again = Display::connect(proxy.addr()).await;
    let first = again.alarm_stream("").await.message().await.unwrap().unwrap();
    let Some(Update::Snapshot(v1::AlarmSnapshot { alarms, .. })) = first.update else {
        panic!("the first message is the snapshot: {first:?}")
    };
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert_eq!(alarms[0].condition, "air.arterial");
    assert_eq!(first.sequence, 0);
}
