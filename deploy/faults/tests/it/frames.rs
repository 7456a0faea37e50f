//! F23, F24: frames that are overtaken or lost on their way.
#![cfg(test)]

use ecmo_faults::{AgentSetup, Ward};
use ecmo_testkit::{Direction, FaultProxy, PublishFaults};

use crate::site::{PUMP, Site};

/// A ward whose agent reaches its one broker through a proxy.
async fn behind_a_proxy() -> (Site, FaultProxy) {
    let ward = Ward::start(1).unwrap();
    let proxy = FaultProxy::start(ward.brokers[0].addr()).unwrap();
    let setup = AgentSetup::simulated(PUMP, vec![proxy.addr()]);
    (Site::with(ward, &setup).await, proxy)
}

#[tokio::test]
#[ignore = "needs Mosquitto"]
async fn fault_f23_overtaken_frames_are_put_in_their_place() {
    let (site, proxy) = behind_a_proxy().await;
    let before = site.pump().await.counters.unwrap();
    let faults = PublishFaults::on("/frame").reorder_every(10);
    proxy.on(Direction::ClientToServer).publish(faults);
    let pump = site
        .settles("fifty frames were overtaken", |pump| {
            let now = pump.counters.as_ref().unwrap().frames_reordered;
            now >= before.frames_reordered + 50
        })
        .await;
    let counters = pump.counters.unwrap();
    assert_eq!(counters.frames_missing, before.frames_missing, "{counters:?}");
    assert_eq!(counters.frames_late, before.frames_late, "{counters:?}");
    assert_eq!(site.raised(), Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Mosquitto"]
async fn fault_f24_a_lost_frame_is_counted_at_once_and_fetched_from_the_spool() {
    let (site, proxy) = behind_a_proxy().await;
    let before = site.pump().await.counters.unwrap().frames_missing;
    proxy.on(Direction::ClientToServer).publish(PublishFaults::on("/frame").drop_every(25));
    site.settles("ten frames are missing", |pump| {
        pump.counters.as_ref().unwrap().frames_missing >= before + 10
    })
    .await;
    proxy.heal();
    let completeness = site.is_complete(10).await;
    println!("f24: {completeness:?}");
    assert_eq!(completeness.frames_lost, 0, "{completeness:?}");
    site.assert_no_physiological_alarm();
    assert!(!site.raised().contains(&"comm.stale".to_owned()), "{:?}", site.raised());
}
