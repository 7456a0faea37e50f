//! F19, F20, F21: wall clocks that jump, or that nobody sets.
#![cfg(test)]

use std::time::Duration;

use ecmo_faults::{AgentSetup, Ward};
use ecmo_proto::v1;
use tokio::time::sleep;

use crate::site::{FakeClock, JOURNAL, PUMP, Site, display, metric};

/// Waits and watches: the pump stays live and its readings fresh.
async fn stays_fresh(site: &Site, lasts: Duration) {
    let end = tokio::time::Instant::now() + lasts;
    while tokio::time::Instant::now() < end {
        let list = site.display.list().await;
        let pump = list.pumps.iter().find(|pump| pump.pump == PUMP).unwrap();
        assert_eq!(pump.link(), v1::LinkState::Live);
        let fresh = pump.last_frame_mono_ns.unwrap();
        let age = Duration::from_nanos(list.now_mono_ns.saturating_sub(fresh));
        assert!(age < Duration::from_millis(800), "{age:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Every alarm but the one that says that wall clocks differ.
fn other_than_skew(site: &Site) -> Vec<String> {
    site.raised().into_iter().filter(|condition| condition != "clock.skew").collect()
}

#[tokio::test]
#[ignore = "needs Mosquitto and faketime"]
async fn fault_f19_a_wall_clock_that_jumps_at_the_bedside_changes_no_age_and_no_alarm() {
    let ward = Ward::start(1).unwrap();
    let clock = FakeClock::new(&ward, "agents-clock");
    let mut setup = AgentSetup::simulated(PUMP, ward.broker_addresses());
    setup.environment = clock.environment();
    let site = Site::with(ward, &setup).await;
    let before = site.pump().await.counters.unwrap();
    for (offset, steps) in [("+3600", 1), ("-7200", 2), ("+0", 3)] {
        clock.set(offset);
        stays_fresh(&site, Duration::from_secs(3)).await;
        let told = site.settles("the jump is told", |pump| {
            let agent = pump.agent.as_ref().and_then(|agent| agent.wall_clock.as_ref());
            pump.counters.as_ref().unwrap().clock_steps >= before.clock_steps + steps
                && agent.is_some_and(|clock| clock.steps >= steps)
        });
        told.await;
    }
    let after = site.pump().await.counters.unwrap();
    assert_eq!(after.frames_missing, before.frames_missing);
    assert_eq!(after.frames_late, before.frames_late);
    assert_eq!(after.dropouts, before.dropouts);
    assert_eq!(other_than_skew(&site), Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Mosquitto and faketime"]
async fn fault_f20_a_wall_clock_that_jumps_at_the_gateway_changes_no_age_and_no_alarm() {
    let ward = Ward::start(1).unwrap();
    let clock = FakeClock::new(&ward, "gateways-clock");
    let settings = ward.gateway_settings(&ward.broker_addresses(), JOURNAL).unwrap();
    let gateway = ward.gateway_in(&settings, &clock.environment()).unwrap();
    let display = display(&ward).await;
    let agent = ward.agent(&AgentSetup::simulated(PUMP, ward.broker_addresses())).unwrap();
    display.await_live(PUMP).await;
    let log = display.watch_alarms().await;
    let site = Site::of(ward, gateway, agent, display, log).await;
    let before = site.pump().await.counters.unwrap();
    // An hour ahead, two hours back, over the end of 32-bit time, back.
    for offset in ["+3600", "-7200", "+1000000000", "+0"] {
        clock.set(offset);
        stays_fresh(&site, Duration::from_secs(3)).await;
    }
    let after = site.pump().await.counters.unwrap();
    assert_eq!(after.frames_missing, before.frames_missing);
    assert_eq!(after.dropouts, before.dropouts);
    assert_eq!(other_than_skew(&site), Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Mosquitto"]
async fn fault_f21_a_clock_that_nobody_sets_is_told_and_its_offset_bounded() {
    let site = Site::start(1).await;
    let pump = site
        .settles("the clock is estimated", |pump| {
            let clock = pump.agent.as_ref().and_then(|agent| agent.wall_clock.as_ref());
            pump.clock.is_some() && clock.is_some()
        })
        .await;
    let estimate = pump.clock.unwrap();
    println!("f21: {estimate:?}");
    // Agent and gateway share this machine: the way there and back bounds the error, and it is short.
    assert!(estimate.uncertainty_ns >= estimate.round_trip_ns / 2, "{estimate:?}");
    assert!(estimate.uncertainty_ns < 50_000_000, "{estimate:?}");
    let quality = pump.agent.unwrap().wall_clock.unwrap().quality();
    let at = site.ward.metrics_at();
    let told = metric(at, "ecmo_gateway_clock_synchronized", &[PUMP]).await;
    // What the operating system says is passed on, whichever it is here.
    match quality {
        v1::ClockQuality::Synchronized => assert_eq!(told, Some(1.0)),
        v1::ClockQuality::FreeRunning | v1::ClockQuality::Unspecified => {
            assert_eq!(told, Some(0.0));
        }
    }
    assert!(metric(at, "ecmo_gateway_clock_offset_uncertainty_seconds", &[PUMP]).await.is_some());
    assert_eq!(site.raised(), Vec::<String>::new());
}
