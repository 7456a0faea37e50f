//! What people did survives: a gateway that is killed, a disk that is full, a state that is damaged.
#![cfg(test)]

mod disks;

mod hanging;

mod kills;

mod rows;

use std::path::Path;
use std::time::Duration;

use ecmo_proto::v1;
use ecmo_proto::v1::ownership_service_client::OwnershipServiceClient;
use ecmo_testkit::EmbeddedBroker;
use tonic::transport::Channel;

use crate::display::Display;
use crate::hand::{HandAgent, address};
use crate::killable::{Killable, settings};

fn owners(display: &Display) -> OwnershipServiceClient<Channel> {
    OwnershipServiceClient::new(display.channel.clone())
}

fn nicu() -> String {
    "nicu".to_owned()
}

async fn accept(display: &Display, pump: &str, by: &str) -> v1::AcceptPumpResponse {
    let (pump, by) = (pump.to_owned(), by.to_owned());
    let request = v1::AcceptPumpRequest { ward: nicu(), pump, by };
    owners(display).accept_pump(request).await.unwrap().into_inner()
}

async fn hand_over(display: &Display, pump: &str, by: &str, to: &str) -> v1::HandOverPumpResponse {
    let (pump, by, to) = (pump.to_owned(), by.to_owned(), to.to_owned());
    let request = v1::HandOverPumpRequest { ward: nicu(), pump, by, to };
    owners(display).hand_over_pump(request).await.unwrap().into_inner()
}

async fn pause(display: &Display, alarm: &v1::Alarm, seconds: u32) -> v1::PauseAudioResponse {
    let request = v1::PauseAudioRequest {
        scope: v1::PauseScope::Alarm.into(),
        occurrence: alarm.occurrence.clone(),
        seconds,
        by: "B. Nurse".to_owned(),
        ..v1::PauseAudioRequest::default()
    };
    display.alarms().pause_audio(request).await.unwrap().into_inner()
}

async fn shelve(display: &Display, alarm: &v1::Alarm, minutes: u32) -> v1::ShelveAlarmResponse {
    let request = v1::ShelveAlarmRequest {
        occurrence: alarm.occurrence.clone(),
        minutes,
        by: "C. Nurse".to_owned(),
        reason: "known".to_owned(),
    };
    display.alarms().shelve_alarm(request).await.unwrap().into_inner()
}

/// Alarms of one condition at a pump.
async fn alarms(display: &Display, pump: &str, condition: &str) -> Vec<v1::Alarm> {
    let is_it = |alarm: &v1::Alarm| alarm.pump == pump && alarm.condition == condition;
    display.list_alarms().await.into_iter().filter(is_it).collect()
}

/// Checks the audit log in `said`; how many records it has.
fn verified(folder: &Path) -> u64 {
    let checked = ecmo_gateway::store::audit::verify(&folder.join("said/audit")).unwrap();
    assert_eq!(checked.broken, None, "{checked}");
    checked.records
}

/// A person needs longer than this to see an alarm and to act; the state is written within a fifth of a second.
const REACTION: Duration = Duration::from_millis(400);

/// An alarm at a pump that a person acknowledged after a time, and the gateway that was killed at once when it was confirmed.
async fn acknowledged_and_killed(
    path: &Path,
    agent: &HandAgent,
    after: Duration,
) -> (Killable, v1::Alarm) {
    let before = Killable::start(path).await;
    agent.announce(&agent.birth()).await;
    before.display.await_live("p1").await;
    let log = before.display.watch_alarms().await;
    agent.set("air.bubble", 1);
    let (_, raised) = log.raised("p1", "air.arterial").await;
    tokio::time::sleep(after).await;
    let request = v1::AcknowledgeAlarmRequest {
        occurrence: raised.occurrence.clone(),
        revision: raised.revision,
        by: "A. Nurse".to_owned(),
        note: "clamped".to_owned(),
    };
    let answer = before.display.alarms().acknowledge_alarm(request).await.unwrap().into_inner();
    assert!(answer.durable);
    before.kill().await;
    (Killable::start(path).await, raised)
}

fn is_acknowledged(alarm: &v1::Alarm) -> bool {
    let who = (alarm.acknowledged_by.as_str(), alarm.acknowledged_note.as_str());
    who == ("A. Nurse", "clamped") && alarm.signal() == v1::SignalPresence::Acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_02_an_acknowledgement_survives_a_gateway_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let broker = EmbeddedBroker::start(None).unwrap();
    let path = settings(folder.path(), broker.addr());
    let mut agent = HandAgent::connect(broker.addr(), address("p1"));
    agent.go_on();
    let (gateway, raised) = acknowledged_and_killed(&path, &agent, REACTION).await;
    verified(folder.path());
    let log = gateway.display.watch_alarms().await;
    let present = alarms(&gateway.display, "p1", "air.arterial").await;
    let [alarm] = &present[..] else { panic!("{present:#?}") };
    assert!(is_acknowledged(alarm), "{alarm:#?}");
    assert_eq!((&alarm.occurrence, alarm.call), (&raised.occurrence, raised.call));
    // It stays so when its data is back.
    let back = async || match &alarms(&gateway.display, "p1", "air.arterial").await[..] {
        [back] if back.present && !back.last_known => Ok(back.clone()),
        other => Err(format!("{other:#?}")),
    };
    let back =
        ecmo_testkit::eventually(crate::display::SOON, "its data is back", back).await.unwrap();
    assert!(is_acknowledged(&back), "{back:#?}");
    assert_eq!(back.occurrence, raised.occurrence);
    let again = log.changes().into_iter().find(|(_, it)| {
        it.condition == "air.arterial" && it.transition() == v1::AlarmTransition::Raised
    });
    assert_eq!(again, None, "it is not raised a second time");
    // And it ends as it would have ended.
    agent.set("air.bubble", 0);
    log.ended("p1", "air.arterial").await;
    gateway.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_that_is_faster_than_the_state_is_done_again_from_the_audit_log() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let mut agent = HandAgent::connect(broker.addr(), address("p1"));
    agent.go_on();
    for _ in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let path = settings(folder.path(), broker.addr());
        agent.set("air.bubble", 0);
        let (gateway, raised) = acknowledged_and_killed(&path, &agent, Duration::ZERO).await;
        let present = alarms(&gateway.display, "p1", "air.arterial").await;
        let [alarm] = &present[..] else { panic!("{present:#?}") };
        assert!(is_acknowledged(alarm) && alarm.occurrence == raised.occurrence, "{alarm:#?}");
        let log = gateway.display.watch_alarms().await;
        agent.set("air.bubble", 0);
        log.ended("p1", "air.arterial").await;
        gateway.kill().await;
        verified(folder.path());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pause_shelf_and_ownership_survive_a_gateway_that_is_killed_with_the_time_that_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let broker = EmbeddedBroker::start(None).unwrap();
    let path = settings(folder.path(), broker.addr());
    let before = Killable::start(&path).await;
    let mut agent = HandAgent::connect(broker.addr(), address("p1"));
    agent.announce(&agent.birth()).await;
    agent.go_on();
    let display = &before.display;
    display.await_live("p1").await;
    let log = display.watch_alarms().await;
    agent.set("press.pre", 420);
    let (_, warned) = log.raised("p1", "pre.high.warn").await;
    let shelved = shelve(display, &warned, 30).await;
    let (_, alarmed) = log.raised("p1", "pre.high.alarm").await;
    let paused = pause(display, &alarmed, 60).await;
    let owned = accept(display, "p1", "D. Nurse").await;
    let offered = hand_over(display, "p1", "D. Nurse", "E. Nurse").await;
    assert!(shelved.durable && paused.durable && owned.durable && offered.durable);
    let now = display.list().await.now_mono_ns;
    let left = |until: Option<u64>, now: u64| until.unwrap().saturating_sub(now) / 1_000_000_000;
    let offer_left = left(offered.ownership.unwrap().offer_until_mono_ns, now);
    before.kill().await;

    let after = Killable::start(&path).await;
    let display = &after.display;
    let now = display.list().await.now_mono_ns;
    let of = async |condition: &str| {
        let found = alarms(display, "p1", condition).await;
        let [alarm] = &found[..] else { panic!("{found:#?}") };
        alarm.clone()
    };
    let alarm = of("pre.high.alarm").await;
    assert_eq!((alarm.audio(), alarm.audio_by.as_str()), (v1::AudioState::Paused, "B. Nurse"));
    let pause_left = left(alarm.audio_until_mono_ns, now);
    assert!((45..=60).contains(&pause_left), "{pause_left} s of 60");
    let warn = of("pre.high.warn").await;
    assert_eq!((warn.audio(), warn.audio_by.as_str()), (v1::AudioState::Shelved, "C. Nurse"));
    let shelf_left = left(warn.audio_until_mono_ns, now);
    assert!((1_780..=1_800).contains(&shelf_left), "{shelf_left} s of 1800");
    let pump = display.await_pump("p1", "owned", |pump| pump.ownership.is_some()).await;
    let ownership = pump.ownership.unwrap();
    assert_eq!((ownership.owner.as_str(), ownership.offered_to.as_str()), ("D. Nurse", "E. Nurse"));
    let now_left = left(ownership.offer_until_mono_ns, now);
    assert!((offer_left.saturating_sub(15)..=offer_left).contains(&now_left), "{now_left} s");
    // The offer can still be taken.
    let taken = accept(display, "p1", "E. Nurse").await.ownership.unwrap();
    assert_eq!((taken.owner.as_str(), taken.last_offer()), ("E. Nurse", v1::OfferEnd::Accepted));
    after.kill().await;
    verified(folder.path());
}
