//! Whether the other gateway lives and decides by the same rules is told, and ends.
#![cfg(test)]

use std::time::Duration;

use ecmo_proto::topic::Id;
use ecmo_testkit::EmbeddedBroker;
use tokio::time::Instant;

use super::{Unit, named};
use crate::site::Site;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_gone_is_told_of_within_five_seconds_until_it_is_back() {
    let Unit { a, b, east, west, to_a: _to_a, to_b: _to_b } = Unit::start().await;
    let log = east.display.watch_alarms().await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    west.gateway.stop().await;
    let gone = Instant::now();
    let (told, alarm) = log.raised("", "gateway.peer_lost").await;
    assert_eq!(alarm.kind(), ecmo_proto::v1::AlarmKind::Technical);
    println!("gateway.peer_lost {:?} after the end", told - gone);
    assert!(told - gone < Duration::from_secs(5), "{:?}", told - gone);
    let _west = Site::with(named("west", a.addr(), b.addr())).await;
    log.ended("", "gateway.peer_lost").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_must_be_there_and_never_was_is_told_of() {
    let a = EmbeddedBroker::start(None).unwrap();
    let mut settings = crate::site::at(a.addr());
    settings.peers = vec![Id::new("west").unwrap()];
    let east = Site::with(settings).await;
    let log = east.display.watch_alarms().await;
    super::lists(&east.display, "gateway.peer_lost", "told", |alarm| alarm.present).await;
    assert!(log.end().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_decides_by_other_settings_is_told_of_at_both_after_ten_seconds() {
    let unit = Unit::with(|_east, west| west.alarms.silence = Some(Duration::from_secs(2))).await;
    let (east, west) =
        (unit.east.display.watch_alarms().await, unit.west.display.watch_alarms().await);
    for log in [&east, &west] {
        log.raised("", "gateway.config_differs").await;
    }
    assert!(east.end().is_none() && west.end().is_none());
    let alike = |log: &crate::display::AlarmLog| super::raised(log, "", "gateway.peer_lost");
    assert_eq!((alike(&east), alike(&west)), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_that_are_alike_tell_nothing_of_each_other() {
    let unit = Unit::start().await;
    let (east, west) =
        (unit.east.display.watch_alarms().await, unit.west.display.watch_alarms().await);
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!((east.changes(), west.changes()), (vec![], vec![]));
    for site in [&unit.east, &unit.west] {
        assert!(site.counted("ecmo_gateway_peer_rejected_total", &[]).await < 0.5);
    }
}
