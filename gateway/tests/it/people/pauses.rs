//! Sounds: paused for a while, broken by what is new or worse, shelved where that may be.
#![cfg(test)]

use std::time::Duration;

use ecmo_proto::v1;
use tonic::{Code, Status};

use super::{Desk, case, refused};
use crate::display::{AlarmLog, Display};
use crate::hand::{HandAgent, address_in};
use crate::site::Site;

async fn pause(
    display: &Display,
    scope: v1::PauseScope,
    what: (&str, &str, &str),
    seconds: u32,
) -> Result<v1::PauseAudioResponse, Status> {
    let (occurrence, ward, pump) = what;
    let request = v1::PauseAudioRequest {
        scope: scope.into(),
        occurrence: occurrence.to_owned(),
        ward: ward.to_owned(),
        pump: pump.to_owned(),
        seconds,
        by: "A. Nurse".to_owned(),
    };
    display.alarms().pause_audio(request).await.map(tonic::Response::into_inner)
}

async fn resume(display: &Display, scope: v1::PauseScope, ward: &str, pump: &str) -> u32 {
    let request = v1::ResumeAudioRequest {
        scope: scope.into(),
        ward: ward.to_owned(),
        pump: pump.to_owned(),
        by: "A. Nurse".to_owned(),
        ..v1::ResumeAudioRequest::default()
    };
    display.alarms().resume_audio(request).await.unwrap().into_inner().resumed
}

async fn shelve(
    display: &Display,
    alarm: &v1::Alarm,
    minutes: u32,
    reason: &str,
) -> Result<v1::Alarm, Status> {
    let request = v1::ShelveAlarmRequest {
        occurrence: alarm.occurrence.clone(),
        minutes,
        by: "A. Nurse".to_owned(),
        reason: reason.to_owned(),
    };
    let answer = display.alarms().shelve_alarm(request).await;
    answer.map(|answer| answer.into_inner().alarm.unwrap())
}

/// Waits until what is heard of an alarm is this, as the newest word about it.
async fn heard(log: &AlarmLog, occurrence: &str, audio: v1::AudioState) -> v1::Alarm {
    let newest = |log: &AlarmLog| {
        let changes = log.changes();
        changes.iter().rfind(|(_, it)| it.occurrence == occurrence).map(|(_, it)| it.clone())
    };
    ecmo_testkit::eventually(crate::display::SOON, "what is heard", async || match newest(log) {
        Some(alarm) if alarm.audio() == audio => Ok(alarm),
        other => Err(format!("{other:?}")),
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_12_what_is_new_or_worse_sounds_during_a_pause_and_a_pause_acknowledges_nothing() {
    let site = Site::start().await;
    let agent = site.agent("p1").await;
    let log = site.display.watch_alarms().await;
    agent.set("press.pre", 300);
    let (_, warning) = log.raised("p1", "pre.high.warn").await;
    let of_pump = ("", "nicu", "p1");
    for (what, condition, change) in [
        ("another", "air.arterial", ("air.bubble", 1)),
        ("the same, more urgent", "pre.high.alarm", ("press.pre", 400)),
    ] {
        pause(&site.display, v1::PauseScope::Pump, of_pump, 0).await.unwrap();
        let paused = heard(&log, &warning.occurrence, v1::AudioState::Paused).await;
        // Silence is no acknowledgement.
        assert_eq!(paused.signal(), v1::SignalPresence::On, "{what}");
        assert_eq!((paused.acknowledged_by.as_str(), paused.present), ("", true), "{what}");
        agent.set(change.0, change.1);
        let (_, new) = log.raised("p1", condition).await;
        heard(&log, &new.occurrence, v1::AudioState::On).await;
        let began = new.changed_mono_ns - new.onset_mono_ns;
        assert!(Duration::from_nanos(began) < Duration::from_secs(2), "{what}: {new:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_of_a_ward_is_broken_by_a_new_alarm_at_any_of_its_pumps() {
    let site = Site::start().await;
    let mut agents = Vec::new();
    for (ward, pump) in [("nicu", "p1"), ("nicu", "p2"), ("picu", "p3")] {
        let mut agent = HandAgent::connect(site.broker(), address_in(ward, pump));
        site.introduce(&agent).await;
        agent.go_on();
        site.display.await_live(pump).await;
        agents.push(agent);
    }
    let log = site.display.watch_alarms().await;
    agents[0].set("press.pre", 300);
    agents[2].set("press.pre", 300);
    let (_, here) = log.raised("p1", "pre.high.warn").await;
    let (_, elsewhere) = log.raised("p3", "pre.high.warn").await;
    let scope = v1::PauseScope::Ward;
    for ward in ["nicu", "picu"] {
        let paused = pause(&site.display, scope, ("", ward, ""), 0).await.unwrap();
        assert_eq!(paused.paused, 1, "{ward}");
    }
    let paused = heard(&log, &here.occurrence, v1::AudioState::Paused).await;
    assert_eq!((paused.audio_by.as_str(), paused.pause_scope()), ("A. Nurse", scope));
    assert_eq!(paused.transition(), v1::AlarmTransition::AudioChanged);
    let left = paused.audio_until_mono_ns.unwrap() - paused.changed_mono_ns;
    assert_eq!(Duration::from_nanos(left).as_secs(), 120);
    assert!(paused.present && paused.signal() == v1::SignalPresence::On, "it is still shown");
    heard(&log, &elsewhere.occurrence, v1::AudioState::Paused).await;

    // Something new at the other pump of the ward.
    agents[1].set("air.bubble", 1);
    let (_, air) = log.raised("p2", "air.arterial").await;
    let broken = heard(&log, &here.occurrence, v1::AudioState::On).await;
    // By that alarm, and not by something that came later at its own pump.
    let after = Duration::from_nanos(broken.changed_mono_ns - air.changed_mono_ns);
    assert!(after < Duration::from_millis(50), "{after:?} after the new alarm");
    // The other ward did not ask for it.
    heard(&log, &elsewhere.occurrence, v1::AudioState::Paused).await;
    assert_eq!(resume(&site.display, scope, "picu", "").await, 1);
    heard(&log, &elsewhere.occurrence, v1::AudioState::On).await;
    assert_eq!(resume(&site.display, scope, "picu", "").await, 0);
    site.await_counted(
        "ecmo_gateway_alarm_transitions_total",
        &["code=\"pre.high.warn\"", "transition=\"paused\""],
        2.0,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_covers_what_signals_now_and_ends_by_itself() {
    let site = Site::start().await;
    let agent = site.agent("p1").await;
    let log = site.display.watch_alarms().await;
    let of_pump = ("", "nicu", "p1");
    let scope = v1::PauseScope::Pump;
    let nothing = pause(&site.display, scope, of_pump, 5).await;
    refused(nothing, Code::FailedPrecondition, "no sound");
    let unknown = pause(&site.display, scope, ("", "nicu", "p9"), 5).await;
    refused(unknown, Code::NotFound, "list the pumps");
    let too_long = pause(&site.display, scope, of_pump, 121).await;
    refused(too_long, Code::InvalidArgument, "1 to 120");
    let no_scope = pause(&site.display, v1::PauseScope::Unspecified, of_pump, 5).await;
    refused(no_scope, Code::InvalidArgument, "scope");
    agent.set("air.bubble", 1);
    let (_, air) = log.raised("p1", "air.arterial").await;
    let one = v1::PauseScope::Alarm;
    let gone = pause(&site.display, one, ("nicu/p1/pump.stop/0-0", "", ""), 5).await;
    refused(gone, Code::NotFound, "ended");
    let paused = pause(&site.display, one, (&air.occurrence, "", ""), 1).await.unwrap();
    assert_eq!(paused.paused, 1);
    let silent = heard(&log, &air.occurrence, v1::AudioState::Paused).await;
    assert_eq!(silent.audio_until_mono_ns, Some(paused.until_mono_ns));
    let again = heard(&log, &air.occurrence, v1::AudioState::On).await;
    assert!(again.changed_mono_ns >= paused.until_mono_ns);
    assert_eq!(again.audio_until_mono_ns, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateways_own_alarm_is_paused_with_a_ward_and_sounds_with_what_is_new() {
    let mut broker = ecmo_testkit::EmbeddedBroker::start(None).unwrap();
    let site = Site::at(broker.addr()).await;
    let mut agent = HandAgent::connect(broker.addr(), address_in("nicu", "p1"));
    site.introduce(&agent).await;
    agent.go_on();
    site.display.await_live("p1").await;
    let log = site.display.watch_alarms().await;
    broker.kill().unwrap();
    let (_, own) = log.raised("", "comm.broker").await;
    let (_, stale) = log.raised("p1", "comm.stale").await;
    let paused = pause(&site.display, v1::PauseScope::Ward, ("", "nicu", ""), 60).await.unwrap();
    assert_eq!(paused.paused, 2);
    heard(&log, &own.occurrence, v1::AudioState::Paused).await;
    heard(&log, &stale.occurrence, v1::AudioState::Paused).await;
    refused(shelve(&site.display, &own, 5, "known").await, Code::FailedPrecondition, "never");
    assert_eq!(resume(&site.display, v1::PauseScope::Ward, "nicu", "").await, 2);
    heard(&log, &own.occurrence, v1::AudioState::On).await;
    broker.restart().unwrap();
    log.ended("", "comm.broker").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_urgent_is_never_shelved_and_the_rest_for_a_time_with_a_reason() {
    let site = Site::start().await;
    let agent = site.agent("p1").await;
    let desk = Desk::at(&site.display, "p1");
    desk.start(case(), 0).await.unwrap();
    let log = site.display.watch_alarms().await;
    agent.set("air.bubble", 1);
    agent.set("press.pre", 300);
    let (_, high) = log.raised("p1", "air.arterial").await;
    let (_, medium) = log.raised("p1", "pre.high.warn").await;
    let display = &site.display;
    refused(shelve(display, &high, 5, "known").await, Code::FailedPrecondition, "pause");
    refused(shelve(display, &medium, 0, "known").await, Code::InvalidArgument, "1 to 30");
    refused(shelve(display, &medium, 31, "known").await, Code::InvalidArgument, "1 to 30");
    refused(shelve(display, &medium, 5, " ").await, Code::InvalidArgument, "reason");
    let shelved = shelve(display, &medium, 5, "transducer is being changed").await.unwrap();
    assert_eq!((shelved.audio(), shelved.audio_by.as_str()), (v1::AudioState::Shelved, "A. Nurse"));
    assert!(shelved.present && shelved.signal() == v1::SignalPresence::On);
    let listed = desk.await_treatment("shelved", |it| it.shelved.len() == 1).await;
    let shelf = listed.shelved.first().unwrap();
    assert_eq!(shelf.reason, "transducer is being changed");
    let unshelve = async |condition: &str| {
        let request = v1::UnshelveAlarmRequest {
            ward: "nicu".to_owned(),
            pump: "p1".to_owned(),
            condition: condition.to_owned(),
            by: "A. Nurse".to_owned(),
        };
        display.alarms().unshelve_alarm(request).await
    };
    refused(unshelve("air.arterial").await, Code::NotFound, "not shelved");
    refused(unshelve("no.condition").await, Code::NotFound, "not shelved");
    unshelve("pre.high.warn").await.unwrap();
    heard(&log, &medium.occurrence, v1::AudioState::On).await;

    // What was shelved at one patient is heard at the next.
    shelve(display, &medium, 5, "transducer is being changed").await.unwrap();
    heard(&log, &medium.occurrence, v1::AudioState::Shelved).await;
    let next = desk.start(case(), 1).await.unwrap();
    assert!(next.shelved.is_empty());
    heard(&log, &medium.occurrence, v1::AudioState::On).await;
}
