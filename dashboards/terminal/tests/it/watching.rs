//! Commands that follow: silence, cut-offs, gaps, confirmations, how they end.

use ecmo_proto::v1::AlarmPriority;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use crate::gateway::{Gateway, Script, alarm, pump, silent_pump};
use crate::process::{run, start};

#[tokio::test]
async fn a_silent_gateway_is_told_within_3_s_and_its_return_too() {
    let gateway = Gateway::start(Script { pumps: vec![pump("pump-1")], ..Script::default() }).await;
    let mut stream = start(&gateway.url, "stream pump-1");
    stream.lines_with(&[&["nicu/pump-1", "LIVE", "412 mL/min"], &["CONNECTED", "(alarms)"]]).await;
    gateway.script().is_silent = true;
    let silent_since = Instant::now();
    let first = stream.line_with(&["GATEWAY LOST", "values are unknown"]).await;
    let noticed = silent_since.elapsed();
    assert!(noticed < Duration::from_secs(3), "noticed after {noticed:?}");
    let other = if first.contains("(alarms)") { "(pumps)" } else { "(alarms)" };
    stream.line_with(&["GATEWAY LOST", other]).await;
    gateway.script().is_silent = false;
    stream.line_with(&["CONNECTED again after"]).await;
    stream.line_with(&["CONNECTED again after"]).await;
    stream.line_with(&["nicu/pump-1", "LIVE", "412 mL/min"]).await;
    assert_eq!(stream.interrupt().await, 0);
}

#[tokio::test]
async fn a_command_that_ends_while_the_gateway_is_lost_ends_with_3() {
    let gateway = Gateway::start(Script { pumps: vec![pump("pump-1")], ..Script::default() }).await;
    let mut stream = start(&gateway.url, "stream pump-1 --for 6");
    stream.line_with(&["CONNECTED", "alarms"]).await;
    gateway.script().is_silent = true;
    assert_eq!(stream.end().await.code, 3);
}

#[tokio::test]
async fn a_display_that_is_cut_off_says_so_and_resubscribes() {
    let pumps = vec![pump("pump-1")];
    let gateway = Gateway::start(Script { pumps, cut_offs: 1, ..Script::default() }).await;
    let mut watch = start(&gateway.url, "alarms --watch");
    watch.line_with(&["GATEWAY LOST", "cut off", "subscribe again for a snapshot"]).await;
    gateway.script().alarms = vec![alarm("pump-1", "pump.stop", AlarmPriority::High)];
    watch.line_with(&["***", "HIGH", "nicu/pump-1", "pump stopped", "limit <100 rpm"]).await;
    assert!(gateway.script().alarm_subscriptions >= 2);
    assert_eq!(watch.interrupt().await, 1);
}

#[tokio::test]
async fn a_message_that_never_came_leads_to_a_new_snapshot() {
    let script = Script { loses_a_message: true, pumps: vec![pump("pump-1")], ..Script::default() };
    let gateway = Gateway::start(script).await;
    let mut watch = start(&gateway.url, "alarms --watch --output json");
    let line = watch.line_with(&["\"lost\"", "message 1 never came, 2 did"]).await;
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["type"], &line["stream"]), (&json!("link"), &json!("alarms")));
    watch.line_with(&["\"connected\""]).await;
    assert_eq!(watch.interrupt().await, 0);
}

#[tokio::test]
async fn an_awaited_alarm_is_shown_with_its_path_confirmed_and_ends_the_command_with_0() {
    let gateway = Gateway::start(Script { pumps: vec![pump("pump-1")], ..Script::default() }).await;
    let watch = start(&gateway.url, "alarms --watch --for 25 --until pump.stop");
    gateway.until(|script| script.alarm_subscriptions == 1).await;
    let other = alarm("pump-1", "battery.low", AlarmPriority::Medium);
    gateway.script().alarms = vec![other, alarm("pump-1", "pump.stop", AlarmPriority::High)];
    let done = watch.end().await;
    assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("battery low"), "{}", done.stdout);
    assert!(
        done.stdout.contains(
            "path: sampled to published 1.25 ms, published to received unknown, \
             received to decided 42 µs"
        ),
        "{}",
        done.stdout
    );
    assert!(done.stdout.contains("path: decided to confirmed 1.30 ms (pump-1/pump.stop/1)"));
    let script = gateway.script();
    let shown: Vec<_> = script.confirmed.iter().flat_map(|request| &request.shown).collect();
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert_eq!((shown[1].occurrence.as_str(), shown[1].revision), ("pump-1/pump.stop/1", 1));
    assert!(script.confirmed.iter().all(|request| request.display.starts_with("ecmoctl-")));
}

#[tokio::test]
async fn an_awaited_alarm_that_does_not_come_ends_the_command_with_4() {
    let gateway = Gateway::start(Script { pumps: vec![pump("pump-1")], ..Script::default() }).await;
    let done = run(&gateway.url, "alarms --watch --for 1 --until pump.stop").await;
    assert_eq!(done.code, 4, "{}", done.stderr);
    assert!(done.stderr.contains("pump.stop was not shown in time"), "{}", done.stderr);
}

#[tokio::test]
async fn the_exit_code_of_a_stream_tells_what_was_known_at_its_end() {
    let of_other = || vec![alarm("pump-2", "pump.stop", AlarmPriority::High)];
    let own = || vec![alarm("pump-1", "pump.stop", AlarmPriority::High)];
    for (pump, alarms, code) in [
        (pump("pump-1"), vec![], 0),
        (pump("pump-1"), of_other(), 0),
        (pump("pump-1"), own(), 1),
        (silent_pump("pump-1"), vec![], 2),
    ] {
        let gateway =
            Gateway::start(Script { pumps: vec![pump], alarms, ..Script::default() }).await;
        let done = run(&gateway.url, "stream pump-1 --for 1.5 --output json").await;
        assert_eq!(done.code, code, "{}{}", done.stdout, done.stderr);
        for line in done.stdout.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert!(line["type"].is_string(), "{line}");
        }
        assert!(done.stdout.contains("\"type\":\"pump\""), "{}", done.stdout);
    }
}

#[tokio::test]
async fn waveforms_are_told_by_the_second_with_gaps_and_dropped_frames() {
    let gateway = Gateway::start(Script { pumps: vec![pump("pump-1")], ..Script::default() }).await;
    let mut stream = start(&gateway.url, "stream pump-1 --waveforms");
    stream.line_with(&["press.drain  min 1.0  mean 2.0  max 3.0 mmHg  of", "GAP of"]).await;
    stream.line_with(&["DROPPED 4 frames"]).await;
    assert_eq!(stream.interrupt().await, 0);
}

#[tokio::test]
async fn waveforms_of_a_pump_that_was_never_seen_are_refused_with_the_gateways_words() {
    let script =
        Script { pumps: vec![pump("pump-1")], knows_no_waveforms: true, ..Script::default() };
    let gateway = Gateway::start(script).await;
    let done = run(&gateway.url, "stream pump-1 --waveforms --for 20").await;
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("pump pump-1 was never seen: is its agent on?"));
}
