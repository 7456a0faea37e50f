//! The drill: a synthetic alarm through real brokers, to every display and back.
#![cfg(test)]

use std::time::Duration;

use ecmo_gateway::config::Settings;
use ecmo_proto::v1;
use ecmo_proto::v1::watch_alarms_response::Update;
use ecmo_testkit::{EmbeddedBroker, FaultProxy, Mosquitto, eventually};

use crate::display::SOON;
use crate::site::{Site, at};

const FAILURES: &str = "ecmo_gateway_canary_failures_total";
const LATENCY: &str = "ecmo_gateway_canary_latency_seconds_count";

fn drilling(settings: Settings) -> Settings {
    Settings { drill: Duration::from_secs(1), ..settings }
}

/// Drills come through, again and again, and nothing else is shown of them.
async fn comes_through(site: &Site) {
    let log = site.display.watch_alarms().await;
    let drills = || {
        let told = log.told().into_iter();
        let drill = |told: crate::display::Told| match told.message.update {
            Some(Update::Drill(drill)) => Some(drill),
            Some(_) | None => None,
        };
        told.filter_map(drill).collect::<Vec<v1::Drill>>()
    };
    eventually(SOON, "three drills", async || {
        let found = drills();
        if found.len() >= 3 { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await
    .unwrap();
    let found = drills();
    assert!(found.iter().all(|drill| drill.occurrence.starts_with("_drill/gateway/")), "{found:?}");
    assert!(site.counted(LATENCY, &["stage=\"decided\""]).await > 2.5);
    site.await_counted(FAILURES, &[], 0.0).await;
    assert_eq!(site.display.list().await.pumps, [], "it is no pump");
    assert_eq!(log.changes(), [], "and no alarm");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_comes_through_the_embedded_broker_to_every_display_and_is_no_alarm() {
    comes_through(&Site::with(drilling(Settings::on_free_ports())).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_of_one_ward_hears_its_own_drill_too() {
    let wards = vec![ecmo_proto::topic::Id::new("nicu").unwrap()];
    let settings = Settings { wards, ..drilling(Settings::on_free_ports()) };
    comes_through(&Site::with(settings).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn a_drill_comes_through_mosquitto_to_every_display_and_is_no_alarm() {
    let broker = Mosquitto::start().unwrap();
    let site = Site::with(drilling(at(broker.addr()))).await;
    site.await_ready().await;
    comes_through(&site).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_that_does_not_come_back_is_told_of_until_one_does() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let site = Site::with(drilling(at(proxy.addr()))).await;
    site.await_ready().await;
    comes_through(&site).await;
    let log = site.display.watch_alarms().await;
    let lost = ecmo_testkit::PublishFaults::on("/frame").drop_every(1);
    proxy.on(ecmo_testkit::Direction::ServerToClient).publish(lost);
    let (_, alarm) = log.raised("", "drill.missed").await;
    assert_eq!(alarm.kind(), v1::AlarmKind::Technical);
    eventually(SOON, "the failure is counted", async || {
        (site.counted(FAILURES, &[]).await > 0.5).then_some(())
    })
    .await
    .unwrap();
    proxy.heal();
    log.ended("", "drill.missed").await;
}
