//! Loss of the broker, of an agent, of the path: told as a technical alarm within a second, and over without a hand.
#![cfg(test)]

use std::time::Duration;

use ecmo_proto::topic::Kind;
use ecmo_proto::v1;
use ecmo_testkit::{Direction, EmbeddedBroker, FaultProxy, eventually};
use prost::Message as _;
use rumqttc::QoS;

use crate::bedside::{RunningAgent, simulated};
use crate::display::{AlarmLog, PROMISE, SOON, reading, shows, value};
use crate::hand::address;
use crate::held_up::Since;
use crate::site::{Site, at};

/// The condition of a pump is told within the promise, counted from the moment of the loss to the display.
async fn is_told_in_time(log: &AlarmLog, pump: &str, condition: &str, lost: &Since) -> v1::Alarm {
    let (told, alarm) = log.raised(pump, condition).await;
    lost.is_within(PROMISE, told, &format!("{pump} {condition}"));
    assert_eq!(alarm.kind(), v1::AlarmKind::Technical);
    assert_eq!(alarm.priority(), v1::AlarmPriority::High);
    assert_eq!(alarm.signal(), v1::SignalPresence::On);
    alarm
}

/// A pump that is silent shows no value as a present one.
fn holds_nothing_for_present(pump: &v1::Pump) -> bool {
    pump.link() == v1::LinkState::Silent
        && pump.state() == v1::PumpState::Unknown
        && pump
            .readings
            .iter()
            .all(|one| one.value.is_none() && one.validity() == v1::Validity::CommLost)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_dies_is_told_within_a_second_and_is_back_without_a_hand() {
    let mut broker = EmbeddedBroker::start(None).unwrap();
    let site = Site::at(broker.addr()).await;
    let agents = ["p1", "p2"].map(|pump| RunningAgent::start(simulated(pump, broker.addr())));
    let (before, _) = tokio::join!(site.display.await_live("p1"), site.display.await_live("p2"));
    let log = site.display.watch_alarms().await;

    broker.kill().unwrap();
    let killed = Since::now();
    let (_, p1, p2) = tokio::join!(
        is_told_in_time(&log, "", "comm.broker", &killed),
        is_told_in_time(&log, "p1", "comm.stale", &killed),
        is_told_in_time(&log, "p2", "comm.stale", &killed),
    );
    for alarm in [p1, p2] {
        let silent_ms = (alarm.changed_mono_ns - alarm.onset_mono_ns) / 1_000_000;
        // 800 ms; 200 ms when the dying broker sent the agent's will.
        assert!(silent_ms >= 200, "not before it is due: {silent_ms} ms");
    }
    let pump = site.display.await_pump("p1", "silent", holds_nothing_for_present).await;
    let speed = reading(&pump, "pump.speed").unwrap();
    assert!(speed.last_value.is_some() && speed.last_value_mono_ns.is_some(), "{speed:?}");
    assert!(site.readiness().await.contains("503"));

    broker.restart().unwrap();
    for (pump, condition) in [("", "comm.broker"), ("p1", "comm.stale"), ("p2", "comm.stale")] {
        log.ended(pump, condition).await;
    }
    let pump = site.display.await_live("p1").await;
    assert_eq!(pump.boot_id, before.boot_id, "the same run of the agent");
    assert!(value(&pump, "pump.speed").is_some());
    site.display.await_live("p2").await;
    assert_eq!(site.display.list_alarms().await, []);
    assert!(site.readiness().await.contains("200"));
    for agent in agents {
        agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_never_finds_its_broker_says_so() {
    let nobody = ecmo_testkit::free_port().unwrap();
    let site = Site::at(([127, 0, 0, 1], nobody).into()).await;
    let log = site.display.watch_alarms().await;
    let listed = || async { site.display.list_alarms().await };
    let alarms = eventually(SOON, "comm.broker", async || {
        let alarms = listed().await;
        if alarms.is_empty() { None } else { Some(alarms) }
    })
    .await
    .unwrap();
    assert_eq!((alarms[0].condition.as_str(), alarms[0].pump.as_str()), ("comm.broker", ""));
    assert!(site.readiness().await.contains("503"));
    // Started at last, it is found.
    let _broker = EmbeddedBroker::start(Some(nobody)).unwrap();
    site.await_ready().await;
    log.ended("", "comm.broker").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_dies_is_told_within_a_second_and_is_back_when_it_starts_anew() {
    let site = Site::start().await;
    let witness = RunningAgent::start(simulated("p2", site.broker()));
    let agent = RunningAgent::start(simulated("p1", site.broker()));
    tokio::join!(site.display.await_live("p1"), site.display.await_live("p2"));
    let station = site.display.attend("station", "").await;
    let log = &station.log;
    let killed = Since::now();
    agent.kill().await;
    is_told_in_time(log, "p1", "comm.stale", &killed).await;
    site.display.await_pump("p1", "silent", holds_nothing_for_present).await;

    let agent = RunningAgent::start(simulated("p1", site.broker()));
    log.ended("p1", "comm.stale").await;
    let pump = site.display.await_live("p1").await;
    let counters = pump.counters.unwrap();
    assert_eq!((counters.boots, counters.dropouts), (2, 1));
    // Not even that nobody has seen it: this display attends, and has confirmed it.
    let others = log.changes().iter().any(|(_, one)| one.pump != "p1");
    assert!(station.counted() > 0);
    assert!(!others, "{:?}", log.changes());
    site.await_counted("ecmo_pump_stream_up", &[], 2.0).await;
    agent.stop().await;
    witness.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_is_stopped_on_purpose_is_alarmed_all_the_same() {
    let site = Site::start().await;
    let agent = RunningAgent::start(simulated("p1", site.broker()));
    site.display.await_live("p1").await;
    let log = site.display.watch_alarms().await;
    agent.stop().await;
    let stopped = Since::now();
    is_told_in_time(&log, "p1", "comm.stale", &stopped).await;
    // Its last word may overtake its last frames in the broker; they do not refute it.
    site.display.await_pump("p1", "stopped", |pump| pump.link() == v1::LinkState::Stopped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_open_path_is_told_within_a_second_of_the_last_frame() {
    let site = Site::start().await;
    let proxy = FaultProxy::start(site.broker()).unwrap();
    let agent = RunningAgent::start(simulated("p1", proxy.addr()));
    site.display.await_live("p1").await;
    let log = site.display.watch_alarms().await;
    // Connections stay open; nothing passes, not even an end.
    proxy.stall(true);
    let stalled = Since::now();
    is_told_in_time(&log, "p1", "comm.stale", &stalled).await;
    site.display.await_pump("p1", "silent", holds_nothing_for_present).await;
    proxy.heal();
    log.ended("p1", "comm.stale").await;
    let pump = site.display.await_live("p1").await;
    assert_eq!(pump.counters.unwrap().boots, 1);
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_cut_off_half_open_from_its_broker_tells_it_of_every_pump() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let site = Site::at(proxy.addr()).await;
    let agent = RunningAgent::start(simulated("p1", broker.addr()));
    site.display.await_live("p1").await;
    let log = site.display.watch_alarms().await;
    proxy.stall(true);
    let stalled = Since::now();
    is_told_in_time(&log, "p1", "comm.stale", &stalled).await;
    // By the ping that is not answered.
    let (told, _) = log.raised("", "comm.broker").await;
    stalled.is_within(Duration::from_secs(4), told, "comm.broker");
    proxy.heal();
    log.ended("", "comm.broker").await;
    log.ended("p1", "comm.stale").await;
    site.display.await_live("p1").await;
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_that_is_seconds_late_is_no_life() {
    let site = Site::start().await;
    let proxy = FaultProxy::start(site.broker()).unwrap();
    let _agent = site.agent_through(proxy.addr(), "p1").await;
    let log = site.display.watch_alarms().await;
    proxy.on(Direction::ClientToServer).delay(Duration::from_secs(3));
    let delayed = Since::now();
    is_told_in_time(&log, "p1", "comm.stale", &delayed).await;
    let received = |pump: &v1::Pump| pump.counters.unwrap().frames_received;
    let before = received(&site.display.pump("p1").await.unwrap());
    // Each frame of these arrives, in order and whole, and is three seconds old.
    let pump = site
        .display
        .await_pump("p1", "fifty late frames", |pump| {
            assert_ne!(pump.link(), v1::LinkState::Live);
            received(pump) >= before + 50
        })
        .await;
    assert!(holds_nothing_for_present(&pump), "{pump:#?}");
    assert_eq!(pump.counters.unwrap().frames_missing, 0);
    let present = log.changes().iter().rfind(|(_, it)| it.condition == "comm.stale").cloned();
    assert!(present.unwrap().1.present);
    // As fast as before it is life again.
    proxy.heal();
    log.ended("p1", "comm.stale").await;
    site.display.await_live("p1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pump_that_is_expected_and_never_came_is_alarmed_and_shown_as_never_seen() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let mut settings = at(broker.addr());
    settings.pumps = vec![address("p1")];
    let site = Site::with(settings).await;
    let log = site.display.watch_alarms().await;
    let pump = site
        .display
        .await_pump("p1", "alarmed", |pump| {
            pump.alarms.iter().any(|it| it.condition == "comm.stale")
        })
        .await;
    assert_eq!(pump.link(), v1::LinkState::NeverSeen);
    assert_eq!((pump.last_frame_mono_ns, pump.boot_id), (None, 0));
    let alarm = pump.alarms[0].clone();
    let silent_ms = (alarm.changed_mono_ns - alarm.onset_mono_ns) / 1_000_000;
    assert!((800..1_500).contains(&silent_ms), "{silent_ms} ms after the start");
    let _agent = site.agent("p1").await;
    log.ended("p1", "comm.stale").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_03_loss_of_data_neither_hides_an_alarm_nor_is_acknowledged_with_it() {
    let site = Site::start().await;
    let mut agent = site.agent("p1").await;
    let log = site.display.watch_alarms().await;
    agent.set("press.pre", 400);
    let (_, raised) = log.raised("p1", "pre.high.alarm").await;
    assert_eq!(raised.kind(), v1::AlarmKind::Physiological);
    agent.pause();
    let (_, lost) =
        log.change("last known", |it| it.occurrence == raised.occurrence && it.last_known).await;
    assert!(lost.present && lost.revision > raised.revision);
    log.raised("p1", "comm.stale").await;
    let pump = site.display.await_pump("p1", "silent", holds_nothing_for_present).await;
    let shown = pump.alarms.iter().find(|it| it.occurrence == raised.occurrence).unwrap();
    assert!(shown.present && shown.last_known, "{shown:?}");
    let of = async |condition: &str| {
        let alarms = site.display.list_alarms().await;
        alarms.into_iter().find(|it| it.condition == condition).unwrap()
    };
    // Who takes note of the silence has not taken note of what it hides.
    let stale = of("comm.stale").await;
    site.display.acknowledge(&stale, stale.revision, "A. Nurse").await.unwrap();
    assert_eq!(of("comm.stale").await.signal(), v1::SignalPresence::Acknowledged);
    let hidden = of("pre.high.alarm").await;
    assert_eq!((hidden.signal(), hidden.acknowledged_by.as_str()), (v1::SignalPresence::On, ""));
    // Back, and still too high.
    agent.go_on();
    let (_, back) = log
        .change("data back", |it| {
            it.occurrence == raised.occurrence && !it.last_known && it.revision > lost.revision
        })
        .await;
    assert!(back.present);
    log.ended("p1", "comm.stale").await;
    // And the other way round: who has acknowledged the pressure is told of the next silence.
    let high = of("pre.high.alarm").await;
    site.display.acknowledge(&high, high.revision, "A. Nurse").await.unwrap();
    agent.pause();
    log.change("silent again", |it| {
        it.condition == "comm.stale" && it.present && it.occurrence != stale.occurrence
    })
    .await;
    let again = of("comm.stale").await;
    assert_eq!((again.signal(), again.acknowledged_by.as_str()), (v1::SignalPresence::On, ""));
    assert_eq!(of("pre.high.alarm").await.signal(), v1::SignalPresence::Acknowledged);
    agent.set("press.pre", 150);
    agent.go_on();
    let (_, ended) = log.ended("p1", "pre.high.alarm").await;
    assert_eq!(ended.occurrence, raised.occurrence);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_will_of_a_present_agent_is_refuted_by_its_frames() {
    let site = Site::start().await;
    let agent = site.agent("p1").await;
    let log = site.display.watch_alarms().await;
    let offline = v1::Status {
        pump: "p1".to_owned(),
        boot_id: agent.boot(),
        state: v1::AgentState::Offline.into(),
    };
    let topic = agent.address.topic(Kind::Status);
    let before = agent.frame().sequence;
    agent.publish(&topic, QoS::AtLeastOnce, true, offline.encode_to_vec()).await;
    let received = |pump: &v1::Pump| pump.counters.unwrap().frames_received;
    let pump = site
        .display
        .await_pump("p1", "half a second more", |pump| received(pump) > before + 25)
        .await;
    assert!(pump.link() == v1::LinkState::Live && shows(&pump, "flow.blood", 400.0));
    assert!(log.changes().is_empty(), "{:?}", log.changes());
}
