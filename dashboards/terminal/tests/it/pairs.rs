//! Two gateways, and what a display tells them of itself: no row lost, none doubled, nothing shown as live that is not.

use ecmo_proto::v1::{Alarm, AlarmPriority, AudioOutput, SignalPresence};
use tokio::time::{Duration, Instant};

use crate::gateway::{Gateway, Script, alarm, pump};
use crate::process::{run, start};

fn stopped() -> Alarm {
    Alarm { call: 1, ..alarm("pump-1", "pump.stop", AlarmPriority::High) }
}

async fn pair(alarms: &[Alarm]) -> (Gateway, Gateway, String) {
    let script =
        || Script { pumps: vec![pump("pump-1")], alarms: alarms.to_vec(), ..Script::default() };
    let (a, b) = (Gateway::start(script()).await, Gateway::start(script()).await);
    let urls = format!("{},{}", a.url, b.url);
    (a, b, urls)
}

#[tokio::test]
async fn killing_one_of_two_gateways_loses_no_alarm_and_doubles_none() {
    let (a, b, urls) = pair(&[stopped()]).await;
    let mut watch = start(&urls, "alarms --watch --json");
    watch.line_with(&["\"active\"", "pump.stop"]).await;
    a.until(|script| script.alarm_subscriptions == 1 && !script.confirmed.is_empty()).await;
    b.until(|script| script.alarm_subscriptions == 1 && !script.confirmed.is_empty()).await;
    a.script().is_dead = true;
    let lost = watch.line_with(&["\"lost\"", a.url.as_str()]).await;
    assert!(lost.contains("\"covered\":true"), "{lost}");
    let next = Alarm { call: 1, ..alarm("pump-1", "flow.low", AlarmPriority::Medium) };
    b.script().alarms.push(next.clone());
    let mut told = vec![watch.line_with(&["\"alarm\""]).await];
    assert!(told[0].contains("flow.low") && told[0].contains("\"active\""), "{told:?}");
    a.script().alarms.push(next);
    a.script().is_dead = false;
    watch.line_with(&["\"connected\"", a.url.as_str()]).await;
    let acknowledged = Alarm {
        revision: 2,
        signal: SignalPresence::Acknowledged.into(),
        acknowledged_by: "Ann".to_owned(),
        ..stopped()
    };
    a.script().alarms[0] = acknowledged;
    told.push(watch.line_with(&["\"alarm\""]).await);
    assert!(told[1].contains("\"acknowledged\"") && told[1].contains("Ann"), "{told:?}");
    assert_eq!(watch.interrupt().await, 1);
}

#[tokio::test]
async fn trap_14_a_frozen_gateway_is_told_within_3_s_and_the_other_one_goes_on() {
    let (a, _b, urls) = pair(&[]).await;
    let mut stream = start(&urls, "stream pump-1");
    let connected = [&["CONNECTED", "(alarms)", a.url.as_str()][..], &["CONNECTED", "(pumps)"][..]];
    stream.lines_with(&connected).await;
    stream.line_with(&["nicu/pump-1", "LIVE", "412 mL/min"]).await;
    a.script().is_silent = true;
    let since = Instant::now();
    let line = stream.line_with(&["GATEWAY LOST", a.url.as_str()]).await;
    assert!(since.elapsed() < Duration::from_secs(3), "told after {:?}", since.elapsed());
    assert!(line.contains("the other gateway goes on"), "{line}");
    stream.line_with(&["nicu/pump-1", "LIVE", "412 mL/min"]).await;
    assert_eq!(stream.interrupt().await, 0);
}

#[tokio::test]
async fn a_command_that_asks_once_asks_the_gateway_that_answers() {
    let (a, _b, urls) = pair(&[]).await;
    a.script().is_silent = true;
    let since = Instant::now();
    let done = run(&urls, "pumps").await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
    let done = run(&format!("{},{},{}", a.url, a.url, a.url), "pumps").await;
    assert_eq!(done.code, 64, "three are too many: {}", done.stderr);
}

#[tokio::test]
async fn trap_16_a_gateway_that_is_connected_and_brings_no_data_is_not_shown_as_live() {
    let gateway = Gateway::start(Script { pumps: vec![pump("pump-1")], ..Script::default() }).await;
    let mut stream = start(&gateway.url, "stream pump-1");
    stream.line_with(&["nicu/pump-1", "LIVE, running", "412 mL/min |"]).await;
    gateway.script().has_no_data = true;
    let old = stream.line_with(&["nicu/pump-1", "data too old"]).await;
    assert!(old.contains("unknown") && !old.contains("412 mL/min |"), "{old}");
    assert_eq!(stream.interrupt().await, 2);
}

#[tokio::test]
async fn what_came_and_went_while_nobody_was_connected_is_told_as_missed() {
    let gateway = Gateway::start(Script { pumps: vec![pump("pump-1")], ..Script::default() }).await;
    let mut watch = start(&gateway.url, "alarms --watch");
    watch.line_with(&["CONNECTED", "(alarms)"]).await;
    gateway.until(|script| script.alarm_subscriptions == 1).await;
    let gone =
        Alarm { revision: 3, present: false, signal: SignalPresence::Off.into(), ..stopped() };
    gateway.script().ended = vec![gone];
    gateway.script().cut_offs = 1;
    watch.line_with(&["MISSED, it came and went unseen", "pump stopped"]).await;
    assert_eq!(watch.interrupt().await, 0);
}

#[tokio::test]
async fn a_display_attends_with_proof_of_what_it_wrote_and_says_goodbye() {
    let gateway = Gateway::start(Script { pumps: vec![pump("pump-1")], ..Script::default() }).await;
    let watch = start(&gateway.url, "alarms --watch --ward nicu --bell --seen");
    gateway.until(|script| script.attended.len() >= 3).await;
    let before = gateway.now();
    assert_eq!(watch.interrupt().await, 0);
    let script = gateway.script();
    let last = script.attended.last().unwrap();
    assert_eq!(last.wards, ["nicu"]);
    let health = last.health.unwrap();
    assert_eq!((health.painted_epoch, health.visible, health.audio()), (1, true, AudioOutput::On));
    let age = Duration::from_nanos(before.saturating_sub(health.painted_mono_ns));
    assert!(age < Duration::from_secs(2) && health.frames_per_second > 0.0, "{age:?}, {health:?}");
    assert_eq!((script.left.len(), &script.left[0]), (1, &last.display));
}

#[tokio::test]
async fn what_nobody_sees_is_not_said_to_be_visible() {
    let gateway = Gateway::start(Script { pumps: vec![pump("pump-1")], ..Script::default() }).await;
    let watch = start(&gateway.url, "alarms --watch");
    gateway.until(|script| !script.attended.is_empty()).await;
    assert_eq!(watch.interrupt().await, 0);
    let health = gateway.script().attended[0].health.unwrap();
    assert_eq!((health.visible, health.audio()), (false, AudioOutput::None));
}
