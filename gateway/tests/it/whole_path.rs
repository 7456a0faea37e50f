//! From the sensor to the display with nothing replaced: real agent, real broker, real gateway, real display.
#![cfg(test)]

pub(crate) mod mosquitto;

use std::time::Duration;

use ecmo_agent::{Fault, FaultKind};
use ecmo_proto::v1;
use ecmo_proto::v1::latency_service_client::LatencyServiceClient;

use crate::bedside::{RunningAgent, simulated};
use crate::display::{PROMISE, SOON, shows};
use crate::held_up::HeldUp;
use crate::site::Site;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pump_that_stops_is_an_alarm_at_the_display_with_every_hop_measured() {
    let site = Site::start().await;
    let log = site.display.watch_alarms().await;
    let stops = Fault { kind: FaultKind::PumpStop, at: Duration::from_secs(1), lasts: None };
    let agent = RunningAgent::start(simulated("p1", site.broker()).with_fault(stops));
    site.display.await_live("p1").await;
    let (_, alarm) = log.raised("p1", "pump.stop").await;
    assert_eq!(alarm.priority(), v1::AlarmPriority::High);
    assert_eq!((alarm.parameter.as_str(), alarm.unit.as_str()), ("pump.speed", "{rev}/min"));
    assert!(alarm.value.unwrap() < alarm.limit.unwrap(), "{alarm:?}");
    let pump = site
        .display
        .await_pump("p1", "stopped", |pump| pump.state() == v1::PumpState::Stopped)
        .await;
    assert!(pump.link() == v1::LinkState::Live && shows(&pump, "pump.speed", 0.0), "{pump:#?}");

    let path = alarm.latency.unwrap();
    let hops =
        [path.sampled_to_published_ns, path.published_to_received_ns, path.received_to_decided_ns];
    for (hop, nanos) in hops.into_iter().enumerate() {
        let took = Duration::from_nanos(nanos.unwrap_or_else(|| panic!("hop {hop} is not known")));
        assert!(took < PROMISE, "hop {hop} took {took:?}");
    }
    let shown =
        vec![v1::ShownAlarm { occurrence: alarm.occurrence.clone(), revision: alarm.revision }];
    let request = v1::ConfirmAlarmsRequest { display: "a test".to_owned(), shown };
    let confirmed = site.display.alarms().confirm_alarms(request).await.unwrap().into_inner();
    assert!(Duration::from_nanos(confirmed.decided_to_confirmed_ns.unwrap()) < SOON);
    let mut client = LatencyServiceClient::new(site.display.channel.clone());
    let answer = client.get_latency(v1::GetLatencyRequest {}).await.unwrap().into_inner();
    for hop in &answer.hops {
        assert!(hop.count > 0, "{hop:?}");
        assert!(hop.p50_ns <= hop.p99_ns && hop.p99_ns <= hop.max_ns, "{hop:?}");
    }
    assert!(answer.hops.len() >= 6, "{answer:?}");
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_circuit_raises_no_alarm_and_loses_no_frame() {
    // A machine that stands still for longer than a silence says nothing about a healthy circuit.
    for _try in 0..5 {
        let held_up = HeldUp::watch();
        let found = run_three_healthy_circuits().await;
        if found.is_ok() || held_up.lost() < Duration::from_millis(300) {
            assert_eq!(found, Ok(()));
            return;
        }
    }
    panic!("the machine stood still in each of five tries");
}

/// Runs three healthy circuits for three seconds; tells what is wrong with them.
async fn run_three_healthy_circuits() -> Result<(), String> {
    let site = Site::start().await;
    let log = site.display.watch_alarms().await;
    let agents = ["p1", "p2", "p3"].map(|pump| RunningAgent::start(simulated(pump, site.broker())));
    for pump in ["p1", "p2", "p3"] {
        let pump = site
            .display
            .await_pump(pump, "150 frames", |pump| pump.counters.unwrap().frames_received >= 150)
            .await;
        let counters = pump.counters.unwrap();
        let wrong = (counters.frames_missing, counters.frames_rejected, counters.frames_duplicate);
        if wrong != (0, 0, 0) {
            return Err(format!("{counters:?}"));
        }
        assert_eq!((pump.link(), pump.state()), (v1::LinkState::Live, v1::PumpState::Running));
        assert_eq!(pump.refused_channels, []);
        assert!(pump.readings.iter().all(|reading| reading.value.is_some()), "{pump:#?}");
        assert_eq!(pump.source(), v1::SourceKind::Simulated);
    }
    if !log.changes().is_empty() {
        return Err(format!("{:?}", log.changes()));
    }
    for agent in agents {
        agent.stop().await;
    }
    Ok(())
}
