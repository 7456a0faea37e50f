//! What a person does at one gateway is seen at the displays of the other, by the same person, within a quarter of a second.
#![cfg(test)]

use std::time::Duration;

use ecmo_proto::v1;
use ecmo_proto::v1::ownership_service_client::OwnershipServiceClient;
use ecmo_testkit::eventually;
use tokio::time::Instant;

use super::{SEEN_WITHIN, Unit, lists};
use crate::display::{Display, SOON};
use crate::held_up::HeldUp;
use crate::people::{Desk, case};

const NURSE: &str = "A. Nurse";

/// Looks until it is so; how long that took.
async fn seen<T>(since: Instant, what: &str, look: impl AsyncFnMut() -> Option<T>) -> Duration {
    let mut look = look;
    eventually(SOON, what, async || look().await).await.unwrap();
    let took = since.elapsed();
    println!("{what}: seen at the other gateway after {took:?}");
    took
}

async fn alarm(display: &Display, condition: &str) -> Option<v1::Alarm> {
    display.list_alarms().await.into_iter().find(|alarm| alarm.condition == condition)
}

async fn pause(display: &Display, alarm: &v1::Alarm) {
    let request = v1::PauseAudioRequest {
        scope: v1::PauseScope::Alarm.into(),
        occurrence: alarm.occurrence.clone(),
        seconds: 100,
        by: NURSE.to_owned(),
        ..v1::PauseAudioRequest::default()
    };
    display.alarms().pause_audio(request).await.unwrap();
}

async fn shelve(display: &Display, alarm: &v1::Alarm) {
    let request = v1::ShelveAlarmRequest {
        occurrence: alarm.occurrence.clone(),
        minutes: 5,
        by: NURSE.to_owned(),
        reason: "known".to_owned(),
    };
    display.alarms().shelve_alarm(request).await.unwrap();
}

async fn accept(display: &Display) {
    let request = v1::AcceptPumpRequest {
        ward: "nicu".to_owned(),
        pump: "p1".to_owned(),
        by: NURSE.to_owned(),
    };
    OwnershipServiceClient::new(display.channel.clone()).accept_pump(request).await.unwrap();
}

/// Does each thing at east and looks at west; the longest time, with what it was.
async fn each_thing_is_seen(unit: &Unit) -> (Duration, &'static str) {
    let (east, west) = (&unit.east.display, &unit.west.display);
    let (agent, _beside) = unit.agent("p1").await;
    let mut took = Vec::new();

    let since = Instant::now();
    accept(east).await;
    let owned = async || {
        let owner = west.pump("p1").await?.ownership?.owner;
        (owner == NURSE).then_some(())
    };
    took.push((seen(since, "ownership", owned).await, "ownership"));

    let since = Instant::now();
    Desk::at(east, "p1").start(case(), 0).await.unwrap();
    let started = async || (Desk::at(west, "p1").treatment().await.version == 1).then_some(());
    took.push((seen(since, "treatment", started).await, "treatment"));

    let since = Instant::now();
    Desk::at(east, "p1").set("pre.high.alarm", Some(310.0), 1).await.unwrap();
    let set = async || {
        let treatment = Desk::at(west, "p1").treatment().await;
        let by = treatment.changes.first().map(|change| change.by.clone());
        (treatment.version == 2 && by.as_deref() == Some("A. Doctor")).then_some(())
    };
    took.push((seen(since, "limit", set).await, "limit"));

    agent.set("pump.speed", 0);
    let at_east = lists(east, "pump.stop", "raised", |alarm| alarm.present).await;
    lists(west, "pump.stop", "raised", |alarm| alarm.occurrence == at_east.occurrence).await;
    let since = Instant::now();
    pause(east, &at_east).await;
    let paused = async || {
        let alarm = alarm(west, "pump.stop").await?;
        (alarm.audio() == v1::AudioState::Paused && alarm.audio_by == NURSE).then_some(())
    };
    took.push((seen(since, "pause", paused).await, "pause"));

    let at_east = alarm(east, "pump.stop").await.unwrap();
    let since = Instant::now();
    east.acknowledge(&at_east, at_east.revision, NURSE).await.unwrap();
    let acknowledged = async || {
        let alarm = alarm(west, "pump.stop").await?;
        let noted = alarm.acknowledged_note == "seen";
        (alarm.acknowledged_by == NURSE && noted).then_some(())
    };
    took.push((seen(since, "acknowledgement", acknowledged).await, "acknowledgement"));

    agent.set("pump.speed", 2_000);
    agent.set("press.pre", 290);
    let warns = "pre.high.warn";
    let at_east = lists(east, warns, "raised", |alarm| alarm.present).await;
    lists(west, warns, "raised", |alarm| alarm.present).await;
    let since = Instant::now();
    shelve(east, &at_east).await;
    let shelved = async || {
        let alarm = alarm(west, warns).await?;
        (alarm.audio() == v1::AudioState::Shelved && alarm.audio_by == NURSE).then_some(())
    };
    took.push((seen(since, "shelf", shelved).await, "shelf"));
    took.into_iter().max().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_does_at_one_gateway_is_seen_at_the_other_within_250_ms_by_the_same_person() {
    // A machine that stands still for longer than that says nothing.
    for _try in 0..5 {
        let held_up = HeldUp::watch();
        let unit = Unit::start().await;
        let (longest, what) = each_thing_is_seen(&unit).await;
        if longest <= SEEN_WITHIN || held_up.lost() < Duration::from_millis(50) {
            assert!(longest <= SEEN_WITHIN, "{what} took {longest:?}");
            return;
        }
    }
    panic!("the machine stood still in each of five tries");
}
