//! The stream of alarms: snapshot, changes without a gap, heartbeat; acknowledging and confirming.
#![cfg(test)]

use std::time::Duration;

use ecmo_proto::v1;
use ecmo_proto::v1::watch_alarms_response::Update;
use ecmo_testkit::eventually;
use tonic::Code;

use crate::display::{AlarmLog, Display, SOON};
use crate::hand::{HandAgent, address_in};
use crate::site::Site;

/// Of the messages of one subscription: numbered from 0 without a gap, the snapshot first and only there, times in
/// order, one epoch.
fn is_in_order(log: &AlarmLog) {
    let told = log.told();
    for (expected, told) in (0..).zip(&told) {
        assert_eq!(told.message.sequence, expected);
        assert_eq!(told.message.epoch, log.told()[0].message.epoch);
        let is_snapshot = matches!(told.message.update, Some(Update::Snapshot(_)));
        assert_eq!(is_snapshot, expected == 0, "{told:?}");
    }
    assert!(told.windows(2).all(|pair| pair[0].message.now_mono_ns <= pair[1].message.now_mono_ns));
}

fn snapshot(log: &AlarmLog) -> Vec<v1::Alarm> {
    match log.told().remove(0).message.update {
        Some(Update::Snapshot(snapshot)) => snapshot.alarms,
        other => panic!("{other:?}"),
    }
}

fn heartbeats(log: &AlarmLog) -> Vec<u64> {
    let beats = |told: &crate::display::Told| {
        matches!(told.message.update, Some(Update::Heartbeat(_)))
            .then_some(told.message.now_mono_ns)
    };
    log.told().iter().filter_map(beats).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_is_a_snapshot_then_every_change_without_a_gap() {
    let site = Site::start().await;
    let agent = site.agent("p1").await;
    let first = site.display.watch_alarms().await;
    assert_eq!(snapshot(&first), []);
    agent.set("air.bubble", 1);
    let (_, raised) = first.raised("p1", "air.arterial").await;
    assert_eq!((raised.ward.as_str(), raised.revision), ("nicu", 1));
    assert!(raised.unreviewed, "no clinician has signed the starter rules");
    // Who comes later gets it as a snapshot.
    let second = site.display.watch_alarms().await;
    let alarms = snapshot(&second);
    let [shown] = &alarms[..] else { panic!("{alarms:#?}") };
    assert_eq!((&shown.occurrence, shown.revision), (&raised.occurrence, 1));
    agent.set("air.bubble", 0);
    for log in [&first, &second] {
        let (_, latched) =
            log.change("latched", |it| it.signal() == v1::SignalPresence::Latched).await;
        assert_eq!((&latched.occurrence, latched.revision), (&raised.occurrence, 2));
        is_in_order(log);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_alarm_thread_says_each_second_that_it_lives() {
    let site = Site::start().await;
    let log = site.display.watch_alarms().await;
    let beats = eventually(SOON, "three heartbeats", async || {
        let beats = heartbeats(&log);
        if beats.len() >= 3 { Ok(beats) } else { Err(beats.len().to_string()) }
    })
    .await
    .unwrap();
    for pair in beats.windows(2) {
        let apart = Duration::from_nanos(pair[1] - pair[0]);
        assert!((Duration::from_millis(900)..Duration::from_millis(1_500)).contains(&apart));
    }
    is_in_order(&log);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_display_of_one_ward_hears_of_that_ward_and_of_the_gateway() {
    let site = Site::start().await;
    let mut agents = Vec::new();
    for ward in ["nicu", "picu"] {
        let mut agent = HandAgent::connect(site.broker(), address_in(ward, &format!("{ward}-1")));
        site.introduce(&agent).await;
        agent.go_on();
        site.display.await_live(&format!("{ward}-1")).await;
        agents.push(agent);
    }
    let all = site.display.watch_alarms().await;
    let picu = AlarmLog::new(site.display.alarm_stream("picu").await).await;
    for agent in &agents {
        agent.set("air.bubble", 1);
    }
    all.raised("nicu-1", "air.arterial").await;
    all.raised("picu-1", "air.arterial").await;
    picu.raised("picu-1", "air.arterial").await;
    assert!(picu.changes().iter().all(|(_, alarm)| alarm.ward == "picu"));
    is_in_order(&picu);
    let listed = |ward: &str| {
        let request = v1::ListAlarmsRequest { ward: ward.to_owned() };
        let mut client = site.display.alarms();
        async move { client.list_alarms(request).await.map(|it| it.into_inner().alarms.len()) }
    };
    assert_eq!(listed("nicu").await.unwrap(), 1);
    assert_eq!(listed("").await.unwrap(), 2);
    assert_eq!(listed("nowhere").await.unwrap(), 0);
    assert_eq!(listed("no ward").await.unwrap_err().code(), Code::InvalidArgument);
    let request = v1::ListPumpsRequest { ward: "picu".to_owned() };
    let pumps = site.display.pumps().list_pumps(request).await.unwrap().into_inner().pumps;
    assert_eq!(pumps.iter().map(|pump| pump.pump.as_str()).collect::<Vec<_>>(), ["picu-1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_covers_what_was_shown_and_is_seen_by_every_display() {
    let site = Site::start().await;
    let agent = site.agent("p1").await;
    let other = Display::connect(site.gateway.address()).await;
    let (log, other_log) = (site.display.watch_alarms().await, other.watch_alarms().await);
    agent.set("air.bubble", 1);
    let (_, alarm) = log.raised("p1", "air.arterial").await;
    let acknowledge = async |revision, by| site.display.acknowledge(&alarm, revision, by).await;
    let too_long = "x".repeat(65);
    for by in ["", "  ", "a\nb", &too_long] {
        assert_eq!(acknowledge(1, by).await, Err(Code::InvalidArgument), "{by:?}");
    }
    assert_eq!(acknowledge(0, "A. Nurse").await, Err(Code::FailedPrecondition));
    assert_eq!(acknowledge(2, "A. Nurse").await, Err(Code::FailedPrecondition));
    let stranger = v1::Alarm { occurrence: "nicu/p1/none/0-0".to_owned(), ..alarm.clone() };
    for unknown in ["nicu/p1/none/0-0", "nicu/p9/pump.stop/0-0", "", "///", "//comm.broker/0-0"] {
        let stranger = v1::Alarm { occurrence: unknown.to_owned(), ..stranger.clone() };
        let refused = site.display.acknowledge(&stranger, 1, "A. Nurse").await;
        assert_eq!(refused, Err(Code::NotFound), "{unknown}");
    }
    let before = site.display.list_alarms().await;
    assert_eq!(before[0].signal(), v1::SignalPresence::On, "none of these acknowledged it");

    let now = acknowledge(1, "A. Nurse").await.unwrap();
    assert_eq!((now.signal(), now.revision), (v1::SignalPresence::Acknowledged, 2));
    let (_, seen) = other_log.change("acknowledged", |it| !it.acknowledged_by.is_empty()).await;
    assert_eq!((seen.acknowledged_by.as_str(), seen.revision), ("A. Nurse", 2));
    assert!(seen.present, "acknowledged, not gone");
    // A second person is told what there is, and changes nothing.
    assert_eq!(acknowledge(1, "B. Nurse").await, Err(Code::FailedPrecondition));
    assert_eq!(acknowledge(2, "B. Nurse").await.unwrap().acknowledged_by, "A. Nurse");
    agent.set("air.bubble", 0);
    log.ended("p1", "air.arterial").await;
    assert_eq!(acknowledge(3, "A. Nurse").await, Err(Code::NotFound));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_is_told_what_was_known_and_how_long_it_took() {
    let site = Site::start().await;
    let agent = site.agent("p1").await;
    let log = site.display.watch_alarms().await;
    agent.set("air.bubble", 1);
    let (_, alarm) = log.raised("p1", "air.arterial").await;
    let shown = |revisions: &[u32]| {
        let one = |revision: &u32| v1::ShownAlarm {
            occurrence: alarm.occurrence.clone(),
            revision: *revision,
        };
        revisions.iter().map(one).collect::<Vec<_>>()
    };
    let confirm = async |display: &str, shown| {
        let request = v1::ConfirmAlarmsRequest { display: display.to_owned(), shown };
        site.display.alarms().confirm_alarms(request).await.map(tonic::Response::into_inner)
    };
    let known = confirm("station", shown(&[1])).await.unwrap();
    assert_eq!((known.known, known.counts), (1, false), "it does not attend");
    let took = Duration::from_nanos(known.decided_to_confirmed_ns.unwrap());
    assert!(!took.is_zero() && took < SOON, "{took:?}");
    let unknown = confirm("station", shown(&[2, 7])).await.unwrap();
    assert_eq!((unknown.known, unknown.decided_to_confirmed_ns), (0, None));
    assert_eq!(confirm("station", shown(&[1, 9])).await.unwrap().known, 1);
    assert_eq!(confirm("", shown(&[1])).await.unwrap_err().code(), Code::InvalidArgument);
}
