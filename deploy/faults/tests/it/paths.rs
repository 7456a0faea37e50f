//! F4, F5, F8, F9, F10: brokers and the ways to them.
#![cfg(test)]

use std::time::Duration;

use ecmo_faults::network::{PATHS, inside};
use ecmo_faults::{AgentSetup, Ward};
use ecmo_proto::v1;
use ecmo_testkit::display::PROMISE;
use ecmo_testkit::eventually;
use tokio::time::{Instant, sleep};

use crate::site::{PUMP, SETTLE, Site};

/// Nothing but the notice of lost redundancy was raised, and no frame is missing.
async fn assert_nothing_but_redundancy(site: &Site, missing_before: u64) {
    let raised = site.raised();
    assert!(raised.iter().all(|condition| condition == "comm.redundancy_lost"), "{raised:?}");
    assert!(!raised.is_empty(), "the loss of a path was not told");
    let counters = site.pump().await.counters.unwrap();
    assert_eq!(counters.frames_missing, missing_before, "{counters:?}");
    assert_eq!(site.pump().await.link(), v1::LinkState::Live);
}

async fn missing(site: &Site) -> u64 {
    site.pump().await.counters.unwrap().frames_missing
}

/// Waits until both paths bring frames.
async fn both_paths(site: &Site) {
    site.settles("frames come by both paths", |pump| {
        pump.paths.len() == PATHS && pump.paths.iter().all(|it| it.last_frame_mono_ns.is_some())
    })
    .await;
}

async fn redundancy_is_back(site: &Site) {
    site.log
        .change("redundancy is back", |alarm| {
            alarm.condition == "comm.redundancy_lost" && !alarm.present
        })
        .await;
}

#[tokio::test]
#[ignore = "needs Mosquitto and root"]
async fn fault_f04_a_cut_path_changes_nothing_and_two_cut_paths_lose_nothing() {
    let test = "paths::fault_f04_a_cut_path_changes_nothing_and_two_cut_paths_lose_nothing";
    let Some(mut network) = inside(test).unwrap() else { return };
    let ward = Ward::start(PATHS).unwrap();
    let brokers = ward.broker_addresses();
    let reached = (0..PATHS).map(|path| network.reach(path, brokers[path]).unwrap()).collect();
    let setup = AgentSetup { prefix: network.prefix(), ..AgentSetup::simulated(PUMP, reached) };
    let site = Site::with(ward, &setup).await;
    both_paths(&site).await;
    let missing_before = missing(&site).await;

    // 1. One cable: a notice, and nothing else.
    network.plug(0, false).unwrap();
    site.log
        .change("redundancy lost", |alarm| {
            alarm.condition == "comm.redundancy_lost" && alarm.present
        })
        .await;
    sleep(Duration::from_secs(3)).await;
    assert_nothing_but_redundancy(&site, missing_before).await;

    // 2. Both: told at once; what was sampled meanwhile comes afterwards, in full and without a sound.
    let cut_at = Instant::now();
    network.plug(1, false).unwrap();
    let (told_at, _) = site.log.raised(PUMP, "comm.stale").await;
    println!("f04: told {:?} after the second cut", told_at - cut_at);
    assert!(told_at - cut_at <= PROMISE, "{:?}", told_at - cut_at);
    sleep(Duration::from_secs(20)).await;
    network.plug(0, true).unwrap();
    network.plug(1, true).unwrap();
    site.log.ended(PUMP, "comm.stale").await;
    // 20 s of 50 frames each, less what the network still carried.
    let completeness = site.is_complete(900).await;
    println!("f04: {completeness:?}");
    assert_eq!(completeness.frames_lost, 0, "{completeness:?}");
    site.assert_no_physiological_alarm();
    redundancy_is_back(&site).await;
}

#[tokio::test]
#[ignore = "needs Mosquitto and root"]
async fn fault_f05_a_half_open_path_is_left_and_taken_up_again() {
    let test = "paths::fault_f05_a_half_open_path_is_left_and_taken_up_again";
    let Some(mut network) = inside(test).unwrap() else { return };
    let ward = Ward::start(PATHS).unwrap();
    let brokers = ward.broker_addresses();
    let reached = (0..PATHS).map(|path| network.reach(path, brokers[path]).unwrap()).collect();
    let setup = AgentSetup { prefix: network.prefix(), ..AgentSetup::simulated(PUMP, reached) };
    let site = Site::with(ward, &setup).await;
    both_paths(&site).await;
    let missing_before = missing(&site).await;
    network.swallow(0, true).unwrap();
    let swallowed_at = Instant::now();
    let is_left = |pump: &v1::Pump| {
        let paths = pump.agent.as_ref().map(|agent| &agent.paths);
        paths.is_some_and(|paths| paths.iter().any(|path| path.name == "a" && !path.up))
    };
    site.settles("the agent has left path a", is_left).await;
    println!("f05: left {:?} after the packets were swallowed", swallowed_at.elapsed());
    assert!(swallowed_at.elapsed() <= Duration::from_secs(5), "{:?}", swallowed_at.elapsed());
    site.log
        .change("redundancy lost", |alarm| {
            alarm.condition == "comm.redundancy_lost" && alarm.present
        })
        .await;
    network.swallow(0, false).unwrap();
    redundancy_is_back(&site).await;
    assert_nothing_but_redundancy(&site, missing_before).await;
}

#[tokio::test]
#[ignore = "needs Mosquitto"]
async fn fault_f08_a_broker_that_dies_and_comes_back_is_covered_by_the_other() {
    let mut site = Site::start(PATHS).await;
    both_paths(&site).await;
    let missing_before = missing(&site).await;
    site.ward.brokers[0].kill().unwrap();
    site.log
        .change("redundancy lost", |alarm| {
            alarm.condition == "comm.redundancy_lost" && alarm.present
        })
        .await;
    site.ward.brokers[0].restart().unwrap();
    redundancy_is_back(&site).await;
    assert_nothing_but_redundancy(&site, missing_before).await;
}

#[tokio::test]
#[ignore = "needs Mosquitto"]
async fn fault_f08_the_only_broker_that_dies_is_told_and_what_it_missed_is_fetched() {
    let mut site = Site::start(1).await;
    let killed_at = Instant::now();
    site.ward.brokers[0].kill().unwrap();
    let (told_at, _) = site.log.raised(PUMP, "comm.stale").await;
    println!("f08: told {:?} after the kill", told_at - killed_at);
    assert!(told_at - killed_at <= PROMISE, "{:?}", told_at - killed_at);
    sleep(Duration::from_secs(3)).await;
    site.ward.brokers[0].restart().unwrap();
    let back_at = Instant::now();
    site.display.await_live(PUMP).await;
    println!("f08: live {:?} after the broker is back", back_at.elapsed());
    let completeness = site.is_complete(50).await;
    assert_eq!(completeness.frames_lost, 0, "{completeness:?}");
    site.assert_no_physiological_alarm();
}

#[tokio::test]
#[ignore = "needs Mosquitto"]
async fn fault_f09_a_frozen_broker_is_noticed_and_covered_by_the_other() {
    let mut site = Site::start(PATHS).await;
    both_paths(&site).await;
    let missing_before = missing(&site).await;
    let frozen_at = Instant::now();
    site.ward.brokers[0].freeze().unwrap();
    let (told_at, _) = site
        .log
        .change("redundancy lost", |alarm| {
            alarm.condition == "comm.redundancy_lost" && alarm.present
        })
        .await;
    println!("f09: told {:?} after the freeze", told_at - frozen_at);
    assert!(told_at - frozen_at <= Duration::from_secs(4), "{:?}", told_at - frozen_at);
    site.ward.brokers[0].thaw().unwrap();
    redundancy_is_back(&site).await;
    assert_nothing_but_redundancy(&site, missing_before).await;
}

#[tokio::test]
#[ignore = "needs Mosquitto"]
async fn fault_f10_without_any_broker_displays_and_bedside_are_told_and_nothing_is_lost() {
    let ward = Ward::start(PATHS).unwrap();
    let sounded = ward.folder().join("sounded");
    let mut setup = AgentSetup::simulated(PUMP, ward.broker_addresses());
    let command = format!(
        "[local_alarm]\ncommand = [\"/bin/sh\", \"-c\", \"echo $ECMO_ALARM_STATE >> {}\"]\n",
        sounded.display()
    );
    setup.settings = format!("{command}{}", setup.settings);
    let mut site = Site::with(ward, &setup).await;
    let quiet = |pump: &v1::Pump| {
        let local = pump.agent.as_ref().and_then(|agent| agent.local_alarm.as_ref());
        local.is_some_and(|local| local.leased && !local.sounding)
    };
    site.settles("the agent is leased and quiet", quiet).await;
    let killed_at = Instant::now();
    for broker in &mut site.ward.brokers {
        broker.kill().unwrap();
    }
    let (stale_at, _) = site.log.raised(PUMP, "comm.stale").await;
    let (broker_at, _) = site
        .log
        .change("no broker", |alarm| alarm.condition == "comm.broker" && alarm.present)
        .await;
    let took = stale_at.max(broker_at) - killed_at;
    println!("f10: told {took:?} after the kill");
    assert!(took <= Duration::from_millis(1_500), "{took:?}");
    eventually(SETTLE, "the bedside sounds", async || std::fs::metadata(&sounded)).await.unwrap();
    println!("f10: the bedside sounds {:?} after the kill", killed_at.elapsed());
    for broker in &mut site.ward.brokers {
        broker.restart().unwrap();
    }
    site.log.ended(PUMP, "comm.stale").await;
    let completeness = site.is_complete(50).await;
    assert_eq!(completeness.frames_lost, 0, "{completeness:?}");
    site.settles("the bedside is quiet again", quiet).await;
    site.assert_no_physiological_alarm();
}
