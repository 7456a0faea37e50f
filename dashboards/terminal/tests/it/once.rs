//! Commands that ask once: shapes, ages, exit codes.

use std::net::TcpListener;

use ecmo_proto::v1::{AlarmPriority, HopLatency, LinkState, RefusedChannel, SignalPresence};
use serde_json::json;
use tokio::time::{Duration, Instant};

use crate::gateway::{Gateway, Script, ago_ms, alarm, pump, silent_pump};
use crate::process::run;

#[tokio::test]
async fn pumps_as_json_are_an_array_with_one_object_a_pump_and_every_age() {
    let mut second = silent_pump("pump-2");
    second.alarms = vec![alarm("pump-2", "pump.stop", AlarmPriority::High)];
    let script = Script { pumps: vec![pump("pump-1"), second], ..Script::default() };
    let gateway = Gateway::start(script).await;
    let done = run(&gateway.url, "pumps --output json").await;
    let pumps = done.array();
    assert_eq!((done.code, pumps.len()), (1, 2), "{}", done.stderr);

    let live = &pumps[0];
    assert_eq!(
        (&live["ward"], &live["pump"], &live["link"], &live["state"]),
        (&json!("nicu"), &json!("pump-1"), &json!("live"), &json!("running"))
    );
    assert!(live["age_ms"].as_u64().unwrap() < 1_000, "{live}");
    assert_eq!((&live["condition"], &live["priority"]), (&json!(null), &json!(null)));
    let [flow, drain] = [&live["readings"][0], &live["readings"][1]];
    assert_eq!((&flow["value"], &flow["validity"]), (&json!(412.0), &json!("valid")));
    assert_eq!((&flow["last_value"], &flow["last_value_age_ms"]), (&json!(null), &json!(null)));
    assert_eq!((&drain["value"], &drain["validity"]), (&json!(null), &json!("sensor_off")));
    assert_eq!(drain["last_value"], json!(-35.0));
    assert!(drain["last_value_age_ms"].as_u64().unwrap() >= 14_000);
    assert_eq!(live["counters"]["frames_received"], json!(50));

    let silent = &pumps[1];
    assert_eq!((&silent["link"], &silent["state"]), (&json!("silent"), &json!("unknown")));
    assert_eq!((&silent["condition"], &silent["priority"]), (&json!("pump.stop"), &json!("high")));
    assert!(silent["age_ms"].as_u64().unwrap() >= 14_000);
    assert_eq!(silent["readings"][0]["value"], json!(null));
    assert_eq!(silent["alarms"][0]["condition"], json!("pump.stop"));
}

#[tokio::test]
async fn a_table_never_holds_an_old_value_without_its_age() {
    let mut never = pump("pump-3");
    never.link = LinkState::NeverSeen.into();
    never.last_frame_mono_ns = None;
    never.readings.clear();
    let pumps = vec![pump("pump-1"), silent_pump("pump-2"), never];
    let gateway = Gateway::start(Script { pumps, ..Script::default() }).await;
    let table = run(&gateway.url, "pumps").await.stdout;
    let row = |name: &str| table.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(row("nicu/pump-1").contains("412 mL/min  "), "{table}");
    assert!(row("nicu/pump-1").contains("--- sensor off (-35 mmHg, 14 s ago)"), "{table}");
    assert!(row("nicu/pump-2").contains("--- silent (412 mL/min, 14 s ago)"), "{table}");
    assert!(row("nicu/pump-3").contains("NEVER SEEN  never"), "{table}");
    assert!(table.contains("1 of 3 pumps live; no alarms on 1 pump, 2 without data"), "{table}");
}

#[tokio::test]
async fn alarms_as_json_are_ordered_by_priority_then_onset() {
    let mut later = alarm("pump-1", "air.arterial", AlarmPriority::High);
    later.onset_mono_ns = ago_ms(1_000);
    let mut of_gateway = alarm("", "comm.broker", AlarmPriority::Medium);
    of_gateway.signal = SignalPresence::Acknowledged.into();
    of_gateway.acknowledged_by = "Ann".to_owned();
    let alarms = vec![of_gateway, later, alarm("pump-2", "pump.stop", AlarmPriority::High)];
    let pumps = vec![pump("pump-1")];
    let gateway = Gateway::start(Script { pumps, alarms, ..Script::default() }).await;
    let done = run(&gateway.url, "alarms --output json").await;
    let alarms = done.array();
    let order: Vec<_> = alarms.iter().map(|alarm| alarm["condition"].as_str().unwrap()).collect();
    assert_eq!(order, ["pump.stop", "air.arterial", "comm.broker"]);
    assert_eq!(done.code, 1);
    assert_eq!(alarms[0]["pump"], json!("pump-2"));
    assert_eq!(alarms[0]["priority"], json!("high"));
    assert!((5_000..60_000).contains(&alarms[0]["age_ms"].as_u64().unwrap()));
    assert_eq!(alarms[0]["onset"], json!("2023-11-14T22:13:20.123Z"));
    assert_eq!(alarms[0]["latency"]["received_to_decided_ns"], json!(42_000));
    assert_eq!((&alarms[2]["pump"], &alarms[2]["acknowledged_by"]), (&json!(null), &json!("Ann")));

    let table = run(&gateway.url, "alarms").await.stdout;
    assert!(table.contains("pump stopped  "), "{table}");
    assert!(table.contains(", limit <100 rpm, worst 0 rpm"), "{table}");
    assert!(table.contains("ACKNOWLEDGED by Ann"), "{table}");
    let unreviewed = "UNREVIEWED rules: no clinician has signed the alarm rules";
    assert!(table.contains(unreviewed), "{table}");
}

#[tokio::test]
async fn the_exit_code_is_0_only_when_everything_is_known_to_be_fine() {
    let alarm = || vec![alarm("pump-1", "pump.stop", AlarmPriority::High)];
    let mut latched = alarm();
    latched[0].present = false;
    latched[0].signal = SignalPresence::Latched.into();
    let of_gateway = vec![crate::gateway::alarm("", "comm.broker", AlarmPriority::High)];
    let live = || vec![pump("pump-1")];
    let one_silent = || vec![pump("pump-1"), silent_pump("pump-2")];
    let script = |pumps, alarms| Script { pumps, alarms, ..Script::default() };
    let mut unread = pump("pump-2");
    unread.refused_channels = vec![misspelt()];
    let one_unread = || vec![pump("pump-1"), unread.clone()];
    let hung = Script { alarm_round_ago_ms: 5_000, ..script(live(), vec![]) };
    for (name, script, code) in [
        ("fine", script(live(), vec![]), 0),
        ("alarm", script(live(), alarm()), 1),
        ("latched alarm", script(live(), latched), 1),
        ("alarm of the gateway itself", script(live(), of_gateway), 1),
        ("alarm beside a silent pump", script(one_silent(), alarm()), 1),
        ("one of two pumps silent", script(one_silent(), vec![]), 2),
        ("alarm beside a channel that is not read", script(one_unread(), alarm()), 1),
        ("a channel is not read", script(one_unread(), vec![]), 2),
        ("no pump", script(vec![], vec![]), 2),
        ("alarm thread hangs", hung, 2),
    ] {
        let gateway = Gateway::start(script).await;
        for command in ["pumps", "alarms", "pumps --output json", "alarms --output json"] {
            let done = run(&gateway.url, command).await;
            assert_eq!(done.code, code, "{name}: {command}: {}{}", done.stdout, done.stderr);
        }
    }
}

fn misspelt() -> RefusedChannel {
    RefusedChannel { id: "press.Drain".to_owned(), reason: "unknown parameter".to_owned() }
}

#[tokio::test]
async fn a_channel_that_is_not_read_is_named_by_every_command_and_withholds_fine() {
    let mut unread = pump("pump-1");
    unread.refused_channels = vec![misspelt()];
    let gateway = Gateway::start(Script { pumps: vec![unread], ..Script::default() }).await;
    let text =
        "nicu/pump-1: NOT READ, so its limits are NOT JUDGED: press.Drain (unknown parameter)";
    for command in [
        "pumps",
        "alarms",
        "pumps --output json",
        "alarms --output json",
        "alarms --watch --for 1",
        "stream pump-1 --for 1.5",
        "stream pump-1 --for 1.5 --output json",
    ] {
        let done = run(&gateway.url, command).await;
        assert_eq!(done.code, 2, "{command}: {}{}", done.stdout, done.stderr);
        let said = format!("{}{}", done.stdout, done.stderr);
        assert_eq!(said.matches(text).count(), 1, "{command}: {said}");
    }
    let done = run(&gateway.url, "pumps --output json").await;
    assert_eq!(done.array()[0]["refused_channels"][0]["parameter"], json!("press.Drain"));
}

#[tokio::test]
async fn a_gateway_that_is_not_there_or_does_not_answer_is_exit_code_3() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    // Accepted by the system, never answered: what a frozen gateway looks like.
    let begun = Instant::now();
    let done = run(&url, "pumps").await;
    assert_eq!(done.code, 3, "{}", done.stderr);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    drop(nobody);
    for command in ["pumps", "alarms", "latency", "stream pump-1", "alarms --watch --for 1"] {
        let done = run(&url, command).await;
        assert_eq!(done.code, 3, "{command}: {}", done.stderr);
        assert!(done.stderr.contains("cannot connect to the gateway at"), "{}", done.stderr);
        assert_eq!(done.stdout, "");
    }
}

#[tokio::test]
async fn a_gateway_that_hangs_is_told_and_exit_code_3() {
    let gateway = Gateway::start(Script { is_silent: true, ..Script::default() }).await;
    let done = run(&gateway.url, "alarms").await;
    assert_eq!(done.code, 3);
    assert!(done.stderr.contains("did not answer list alarms within 2 s"), "{}", done.stderr);
}

#[tokio::test]
async fn a_command_line_that_cannot_be_understood_is_exit_code_64() {
    for (url, args) in [
        ("http://127.0.0.1:1", "pump"),
        ("http://127.0.0.1:1", "alarms --until pump.stop"),
        ("http://127.0.0.1:1", "stream pump-1 --for 0"),
        ("127.0.0.1:1", "pumps"),
        ("https://127.0.0.1:1", "pumps"),
        ("http://127.0.0.1:1", "top"),
    ] {
        let done = run(url, args).await;
        assert_eq!(done.code, 64, "{url} {args}: {}", done.stderr);
        assert!(!done.stderr.is_empty());
    }
    let help = run("http://127.0.0.1:1", "--help").await;
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("Exit codes:"), "{}", help.stdout);
    // Where the lines break depends on how wide the terminal is taken to be.
    let words = help.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("a channel that the gateway does not"), "{}", help.stdout);
}

#[tokio::test]
async fn top_without_a_terminal_says_what_to_use_instead() {
    let done = run("http://127.0.0.1:1", "top").await;
    assert!(done.stderr.contains("needs a terminal"), "{}", done.stderr);
    assert!(done.stderr.contains("ecmoctl pumps"), "{}", done.stderr);
}

#[tokio::test]
async fn latencies_have_readable_units_and_what_was_left_out() {
    let hop = |count| HopLatency {
        hop: "received_to_decided".to_owned(),
        count,
        p50_ns: 4_200,
        p99_ns: 42_000,
        p999_ns: 1_250_000,
        max_ns: 2_100_000_000,
    };
    let gateway = Gateway::start(Script { hops: vec![hop(7)], ..Script::default() }).await;
    let done = run(&gateway.url, "latency").await;
    assert_eq!(done.code, 0);
    assert!(done.stdout.contains("received to decided  7      4.2 µs  42 µs  1.25 ms  2.10 s"));
    assert!(done.stdout.contains("3 impossible measurements left out"), "{}", done.stdout);
    let done = run(&gateway.url, "latency --output json").await;
    assert_eq!(done.array()[0]["p999_ns"], json!(1_250_000));

    gateway.script().hops = vec![hop(0)];
    let done = run(&gateway.url, "latency --output json").await;
    assert_eq!((done.code, &done.array()[0]["p50_ns"]), (2, &json!(null)));
}

#[tokio::test]
async fn a_pump_that_does_not_exist_is_told_with_those_that_do() {
    let pumps = vec![pump("pump-1"), pump("pump-2")];
    let gateway = Gateway::start(Script { pumps, ..Script::default() }).await;
    let done = run(&gateway.url, "stream pump-9 --for 5").await;
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("knows no pump \"pump-9\""), "{}", done.stderr);
    assert!(done.stderr.contains("nicu/pump-1, nicu/pump-2"), "{}", done.stderr);

    let mut other = pump("pump-1");
    other.ward = "picu".to_owned();
    gateway.script().pumps.push(other);
    let done = run(&gateway.url, "stream pump-1 --for 5").await;
    assert_eq!(done.code, 64);
    assert!(done.stderr.contains("nicu, picu") && done.stderr.contains("--ward"));
}
