//! F6, F7: a link that flaps, and one that loses packets.
#![cfg(test)]

use std::time::Duration;

use ecmo_faults::network::{Network, PATHS, inside};
use ecmo_faults::{AgentSetup, Ward};
use ecmo_proto::v1;
use tokio::time::{Instant, sleep};

use crate::site::{PUMP, Site};

/// When the link goes and comes is drawn by it: the same in each run.
const SEED: u64 = 6;

/// How long a fault lasts.
const LASTS: Duration = Duration::from_secs(10);

async fn behind_cables(network: &mut Network) -> Site {
    let ward = Ward::start(PATHS).unwrap();
    let brokers = ward.broker_addresses();
    let reached = (0..PATHS).map(|path| network.reach(path, brokers[path]).unwrap()).collect();
    let setup = AgentSetup { prefix: network.prefix(), ..AgentSetup::simulated(PUMP, reached) };
    let site = Site::with(ward, &setup).await;
    site.settles("frames come by both paths", |pump| {
        pump.paths.len() == PATHS && pump.paths.iter().all(|it| it.last_frame_mono_ns.is_some())
    })
    .await;
    site
}

/// The next of a row of numbers that look drawn.
fn draw(state: &mut u64, from: u64, to: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    from + (*state >> 33) % (to - from)
}

#[tokio::test]
#[ignore = "needs Mosquitto and root"]
async fn fault_f06_a_link_that_flaps_makes_no_alarm_flap() {
    let test = "links::fault_f06_a_link_that_flaps_makes_no_alarm_flap";
    let Some(mut network) = inside(test).unwrap() else { return };
    let site = behind_cables(&mut network).await;
    let missing_before = site.pump().await.counters.unwrap().frames_missing;
    let (begun, mut state, mut flaps) = (Instant::now(), SEED, 0);
    while begun.elapsed() < LASTS {
        network.swallow(0, true).unwrap();
        sleep(Duration::from_millis(draw(&mut state, 200, 1_200))).await;
        network.swallow(0, false).unwrap();
        sleep(Duration::from_millis(draw(&mut state, 200, 1_200))).await;
        flaps += 1;
    }
    let raised = site.raised();
    let changes = site.log.changes().len();
    println!("f06: {flaps} flaps, {changes} changes of alarms: {raised:?}");
    assert!(flaps >= 4, "{flaps}");
    // The loss of redundancy is told once, and holds while the link flaps.
    assert!(raised.len() <= 1, "{raised:?}");
    assert!(raised.iter().all(|condition| condition == "comm.redundancy_lost"), "{raised:?}");
    let pump = site.pump().await;
    assert_eq!(pump.link(), v1::LinkState::Live);
    assert_eq!(pump.counters.unwrap().frames_missing, missing_before);
}

#[tokio::test]
#[ignore = "needs Mosquitto and root"]
async fn fault_f07_loss_of_packets_makes_no_alarm_about_the_patient() {
    let test = "links::fault_f07_loss_of_packets_makes_no_alarm_about_the_patient";
    let Some(mut network) = inside(test).unwrap() else { return };
    let site = behind_cables(&mut network).await;
    let missing_before = site.pump().await.counters.unwrap().frames_missing;
    for path in 0..PATHS {
        network.lose(path, 5).unwrap();
    }
    sleep(LASTS).await;
    let pump = site.pump().await;
    println!("f07: raised {:?}; {:?}", site.raised(), pump.counters);
    assert_eq!(pump.link(), v1::LinkState::Live);
    site.assert_no_physiological_alarm();
    // TCP sends it again, and the other path has it meanwhile.
    assert_eq!(pump.counters.unwrap().frames_missing, missing_before);
    assert!(
        !site.raised().iter().any(|condition| condition == "comm.stale"),
        "{:?}",
        site.raised()
    );
    // The loss was there: what is lost altogether is told.
    for path in 0..PATHS {
        network.lose(path, 100).unwrap();
    }
    site.log.raised(PUMP, "comm.stale").await;
    for path in 0..PATHS {
        network.lose(path, 0).unwrap();
    }
    site.settles("live again", |pump| pump.link() == v1::LinkState::Live).await;
    site.assert_no_physiological_alarm();
}
