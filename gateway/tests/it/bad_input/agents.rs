//! Agents that come twice, start anew, lose their clock, repeat and reorder themselves, or are too many.
#![cfg(test)]

use std::collections::HashSet;
use std::time::Duration;

use ecmo_gateway::config::PUMPS_MAX;
use ecmo_proto::topic::Kind;
use ecmo_proto::{sealed, v1};
use ecmo_testkit::{Direction, FaultProxy, PublishFaults, eventually};
use prost::Message as _;
use rumqttc::QoS;
use tonic::Streaming;

use super::{PATIENT, Scene, WITNESS, witness_is_unharmed};
use crate::bedside::{RunningAgent, simulated};
use crate::display::{SOON, shows, value};
use crate::hand::{HandAgent, address};
use crate::site::Site;

const REJECTED: &str = "ecmo_gateway_frames_rejected_total";

/// Reads so many frames of one run and makes sure that each of their samples comes once and in order.
async fn samples_come_once_and_in_order(
    stream: &mut Streaming<v1::WatchWaveformsResponse>,
    frames: u64,
) {
    let mut next = None;
    let mut seen = 0;
    while seen < frames {
        let message = tokio::time::timeout(SOON, stream.message()).await.unwrap().unwrap().unwrap();
        assert_eq!(message.dropped, 0);
        let Some(block) = message.blocks.first() else { continue };
        assert_eq!(block.first_index, *next.get_or_insert(block.first_index), "{message:?}");
        next = Some(block.first_index + 1);
        seen += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duplicates_are_counted_and_every_sample_is_delivered_once() {
    let site = Site::start().await;
    let proxy = FaultProxy::start(site.broker()).unwrap();
    let _witness = site.agent(WITNESS).await;
    let mut patient = site.agent_through(proxy.addr(), PATIENT).await;
    let mut stream = site.display.waveforms(PATIENT).await;
    let faults = PublishFaults::on("/frame").duplicate_every(3);
    proxy.on(Direction::ClientToServer).publish(faults);
    samples_come_once_and_in_order(&mut stream, 40).await;
    patient.pause();
    let doubled = proxy.counters().client_to_server.duplicated;
    assert!(doubled >= 10, "{doubled}");
    let pump = site
        .display
        .await_pump(PATIENT, "all counted", |pump| {
            pump.counters.unwrap().frames_duplicate == doubled
        })
        .await;
    assert_eq!(pump.counters.unwrap().frames_missing, 0);
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    let expected = doubled as f64;
    let metric = "ecmo_gateway_frames_duplicate_total";
    site.await_counted(metric, &["pump=\"p1\""], expected).await;
    witness_is_unharmed(&site).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reordered_frames_are_put_in_their_place() {
    let site = Site::start().await;
    let proxy = FaultProxy::start(site.broker()).unwrap();
    let _witness = site.agent(WITNESS).await;
    let _patient = site.agent_through(proxy.addr(), PATIENT).await;
    let mut stream = site.display.waveforms(PATIENT).await;
    let faults = PublishFaults::on("/frame").reorder_every(5);
    proxy.on(Direction::ClientToServer).publish(faults);
    samples_come_once_and_in_order(&mut stream, 50).await;
    assert!(proxy.counters().client_to_server.reordered >= 8);
    let pump = site
        .display
        .await_pump(PATIENT, "counted", |pump| pump.counters.unwrap().frames_reordered >= 8)
        .await;
    assert_eq!(pump.counters.unwrap().frames_missing, 0, "{pump:#?}");
    assert_eq!(pump.link(), v1::LinkState::Live);
    let counted = site.counted("ecmo_gateway_frames_reordered_total", &["pump=\"p1\""]).await;
    assert!(counted > 7.5, "{counted}");
    witness_is_unharmed(&site).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_09_frames_doubled_and_overtaken_come_once_in_order_and_a_birth_may_come_late() {
    let site = Site::start().await;
    let proxy = FaultProxy::start(site.broker()).unwrap();
    let mut patient = site.agent_through(proxy.addr(), PATIENT).await;
    let mut stream = site.display.waveforms(PATIENT).await;
    let faults = PublishFaults::on("/frame").duplicate_every(3).reorder_every(5);
    proxy.on(Direction::ClientToServer).publish(faults);
    samples_come_once_and_in_order(&mut stream, 100).await;
    proxy.heal();
    let did = proxy.counters().client_to_server;
    assert!(did.duplicated >= 20 && did.reordered >= 10, "{did:?}");
    let pump = site.display.pump(PATIENT).await.unwrap();
    assert_eq!(pump.counters.unwrap().frames_missing, 0, "{pump:#?}");

    // A new run, whose birth its own frames have overtaken.
    patient.pause();
    let old = patient.birth();
    patient.restart();
    patient.set("flow.blood", 350);
    patient.go_on();
    eventually(SOON, "frames without a birth are counted", async || {
        let refused = site.counted(REJECTED, &["pump=\"p1\"", "reason=\"no_birth\""]).await;
        if refused > 5.0 { Ok(()) } else { Err(refused.to_string()) }
    })
    .await
    .unwrap();
    assert!(!shows(&site.display.pump(PATIENT).await.unwrap(), "flow.blood", 350.0));
    site.introduce(&patient).await;
    let new = |pump: &v1::Pump| shows(pump, "flow.blood", 350.0);
    let met = site.display.await_pump(PATIENT, "the new run", new).await;
    // And the birth of the run before comes last.
    let topic = patient.address.topic(Kind::Birth);
    patient.publish(&topic, QoS::AtLeastOnce, true, old.encode_to_vec()).await;
    let births = "ecmo_gateway_births_rejected_total";
    site.await_counted(births, &["pump=\"p1\"", "reason=\"boot\""], 1.0).await;
    let received = |pump: &v1::Pump| pump.counters.unwrap().frames_received;
    let pump = site
        .display
        .await_pump(PATIENT, "ten more", |pump| received(pump) >= received(&met) + 10)
        .await;
    assert!(pump.boot_id == patient.boot() && new(&pump), "{pump:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_agents_with_one_pump_are_an_alarm_and_are_never_mixed() {
    let scene = Scene::start().await;
    let log = scene.site.display.watch_alarms().await;
    let mut stream = scene.site.display.waveforms(PATIENT).await;
    let mut second = HandAgent::connect(scene.site.broker(), address(PATIENT));
    second.set("flow.blood", 333);
    scene.site.introduce(&second).await;
    second.go_on();
    let (_, alarm) = log.raised(PATIENT, "source.duplicate").await;
    assert_eq!(alarm.kind(), v1::AlarmKind::Technical);
    assert_eq!(alarm.priority(), v1::AlarmPriority::High);
    let (old, new) = (scene.patient.boot(), second.boot());
    let mut boots = Vec::new();
    while boots.iter().filter(|boot| **boot == new).count() < 50 {
        let message = tokio::time::timeout(SOON, stream.message()).await.unwrap().unwrap().unwrap();
        let flow = message.blocks.iter().find(|block| block.parameter == "flow.blood");
        let Some(flow) = flow else { continue };
        let of_new = message.boot_id == new;
        assert_eq!(flow.values, [if of_new { 333.0 } else { 400.0 }], "{message:?}");
        boots.push(message.boot_id);
    }
    let runs: Vec<u64> = boots.chunk_by(|one, other| one == other).map(|run| run[0]).collect();
    assert!(runs == [old, new] || runs == [new], "one after the other, never again: {runs:x?}");
    let pump = scene
        .site
        .display
        .await_pump(PATIENT, "the newer", |pump| shows(pump, "flow.blood", 333.0))
        .await;
    assert_eq!(pump.boot_id, new);
    assert!(pump.counters.unwrap().frames_rejected > 40, "{pump:#?}");
    assert!(scene.site.counted(REJECTED, &["pump=\"p1\"", "reason=\"boot\""]).await > 40.0);
    scene.witness_is_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_agents_that_kick_each_other_off_the_broker_are_an_alarm() {
    let site = Site::start().await;
    let _witness = site.agent(WITNESS).await;
    let log = site.display.watch_alarms().await;
    // Both connect as the same client, as two boxes with one configuration do.
    let first = RunningAgent::start(simulated(PATIENT, site.broker()));
    site.display.await_live(PATIENT).await;
    let second = RunningAgent::start(simulated(PATIENT, site.broker()));
    let (_, alarm) = log.raised(PATIENT, "source.duplicate").await;
    assert_eq!(alarm.priority(), v1::AlarmPriority::High);
    first.kill().await;
    second.kill().await;
    witness_is_unharmed(&site).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_starts_anew_goes_on_with_its_alarm() {
    let scene = Scene::start().await;
    let log = scene.site.display.watch_alarms().await;
    scene.patient.set("press.pre", 400);
    let (_, alarm) = log.raised(PATIENT, "pre.high.alarm").await;
    scene.patient.restart();
    scene.patient.set("press.pre", 400);
    scene.site.introduce(&scene.patient).await;
    let pump = scene
        .site
        .display
        .await_pump(PATIENT, "a second boot, measured", |pump| {
            pump.counters.unwrap().boots == 2
                && shows(pump, "press.pre", 400.0)
                && pump.readings.iter().all(|reading| reading.value.is_some())
        })
        .await;
    let still = pump.alarms.iter().find(|one| one.condition == "pre.high.alarm").unwrap();
    assert_eq!(still.occurrence, alarm.occurrence, "the same occurrence");
    assert!(still.present && !still.last_known);
    scene.patient.set("press.pre", 150);
    let (_, ended) = log.ended(PATIENT, "pre.high.alarm").await;
    assert_eq!(ended.occurrence, alarm.occurrence);
    let of_condition = log.changes();
    let of_condition = of_condition.iter().filter(|(_, it)| it.condition == "pre.high.alarm");
    let ids: HashSet<_> = of_condition.map(|(_, it)| it.occurrence.clone()).collect();
    assert_eq!(ids.len(), 1);
    scene.witness_is_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wall_clock_that_jumps_by_an_hour_changes_nothing_but_a_counter() {
    let scene = Scene::start().await;
    let log = scene.site.display.watch_alarms().await;
    let hour = Duration::from_secs(3_600);
    let accepted = |pump: &v1::Pump| pump.counters.unwrap().frames_received;
    for steps in 1..=2 {
        let before = accepted(&scene.site.display.pump(PATIENT).await.unwrap());
        scene.patient.step_wall(hour);
        scene
            .site
            .display
            .await_pump(PATIENT, "the step, and twenty frames", |pump| {
                pump.counters.unwrap().clock_steps == steps && accepted(pump) > before + 20
            })
            .await;
    }
    let list = scene.site.display.list().await;
    let pump = list.pumps.iter().find(|pump| pump.pump == PATIENT).unwrap();
    assert_eq!(pump.link(), v1::LinkState::Live);
    for reading in &pump.readings {
        let age = list.now_mono_ns - reading.sampled_mono_ns.unwrap();
        assert!(age < 500_000_000, "{} is {age} ns old", reading.parameter);
    }
    let counters = pump.counters.unwrap();
    assert_eq!((counters.frames_missing, counters.frames_late, counters.dropouts), (0, 0, 0));
    scene.site.await_counted("ecmo_gateway_clock_steps_total", &["pump=\"p1\""], 2.0).await;
    assert!(scene.site.counted("ecmo_gateway_latency_discarded_total", &[]).await > 20.0);
    assert_eq!(log.changes().len(), 0, "no alarm");
    // A limit is judged as before.
    scene.patient.set("air.bubble", 1);
    let (_, alarm) = log.raised(PATIENT, "air.arterial").await;
    let path = alarm.latency.unwrap();
    assert_eq!(path.published_to_received_ns, None, "two clocks that disagree tell nothing");
    assert!(path.received_to_decided_ns.is_some() && path.sampled_to_published_ns.is_some());
    scene.witness_is_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pumps_beyond_the_most_are_refused_and_counted() {
    let scene = Scene::start().await;
    let many = HandAgent::connect(scene.site.broker(), address("many"));
    let beyond = 5;
    for number in 0..PUMPS_MAX - 2 + beyond {
        let address = address(&format!("x{number}"));
        let birth = v1::Birth { pump: address.pump.to_string(), ..many.birth() };
        let topic = address.topic(Kind::Birth);
        many.publish(&topic, QoS::AtLeastOnce, false, birth.encode_to_vec()).await;
    }
    let births = "ecmo_gateway_births_rejected_total";
    scene.site.await_counted(births, &["reason=\"capacity\""], 5.0).await;
    // Each of them can be read: only for that it would be met.
    let last = address(&format!("x{}", PUMPS_MAX - 2 + beyond - 1));
    let (pump, boot_id) = (last.pump.to_string(), many.boot());
    let frame = sealed::seal(&v1::Frame { pump: pump.clone(), ..many.frame() });
    many.publish(&last.topic(Kind::Frame), QoS::AtMostOnce, false, frame).await;
    scene.site.await_counted(REJECTED, &["reason=\"capacity\""], 1.0).await;
    let state = v1::AgentState::Online.into();
    let status = v1::Status { pump: pump.clone(), boot_id, state }.encode_to_vec();
    many.publish(&last.topic(Kind::Status), QoS::AtMostOnce, false, status).await;
    let statuses = "ecmo_gateway_statuses_rejected_total";
    scene.site.await_counted(statuses, &["reason=\"capacity\""], 1.0).await;
    let beat = v1::AgentHeartbeat { pump, boot_id, ..v1::AgentHeartbeat::default() };
    let beat = sealed::seal(&beat);
    many.publish(&last.topic(Kind::Heartbeat), QoS::AtMostOnce, false, beat).await;
    scene.site.await_counted("ecmo_gateway_heartbeats_rejected_total", &[], 1.0).await;
    many.publish(&last.topic(Kind::Backfill), QoS::AtLeastOnce, false, vec![0; 10]).await;
    scene.site.await_counted("ecmo_gateway_backfill_parts_dropped_total", &[], 1.0).await;
    // Too long to be one, at a pump that is served.
    let served = address(PATIENT).topic(Kind::Heartbeat);
    let long = vec![0; ecmo_proto::sealed::HEARTBEAT_BYTES_MAX + 1];
    many.publish(&served, QoS::AtMostOnce, false, long).await;
    scene.site.await_counted("ecmo_gateway_heartbeats_rejected_total", &[], 2.0).await;
    let pumps = eventually(SOON, "as many as are served", async || {
        let pumps = scene.site.display.list().await.pumps;
        if pumps.len() == PUMPS_MAX { Ok(pumps) } else { Err(pumps.len().to_string()) }
    })
    .await
    .unwrap();
    let patient = pumps.iter().find(|pump| pump.pump == PATIENT).unwrap();
    assert!(value(patient, "flow.blood").is_some());
    scene.patient_goes_on().await;
    scene.witness_is_unharmed().await;
}
