//! Who looks after a pump, which displays watch, who has shown what.

use ecmo_proto::v1::{
    AlarmConfirmations, AudioOutput, Confirmation, Display, DisplayHealth, DisplayState, Ownership,
};
use serde_json::json;

use crate::gateway::{Gateway, Script, pump};
use crate::process::run;

#[tokio::test]
async fn a_pump_is_accepted_handed_over_rejected_and_put_at_a_bed() {
    let gateway = Gateway::start(Script { pumps: vec![pump("pump-1")], ..Script::default() }).await;
    gateway.script().treatment.durable = true;
    let done = run(&gateway.url, "own accept nicu/pump-1 --by Ann").await;
    assert_eq!((done.code, done.stdout.as_str()), (0, "nicu/pump-1: Ann\n"));
    let done = run(&gateway.url, "own hand-over nicu/pump-1 --to Ben --by Ann --json").await;
    let told = done.object();
    assert_eq!((&told["action"], &told["durable"]), (&json!("offered"), &json!(true)));
    assert_eq!(told["ownership"]["owner"], json!("Ann"));
    assert_eq!(told["ownership"]["offered_to"], json!("Ben"));
    let done = run(&gateway.url, "own reject nicu/pump-1 --by Ben").await;
    assert_eq!(done.stdout, "nicu/pump-1: Ann; the last offer was rejected\n");
    gateway.script().treatment.durable = false;
    let done = run(&gateway.url, "own bed nicu/pump-1 12a --by Ann").await;
    assert!(done.stdout.starts_with("nicu/pump-1: bed 12a, Ann"), "{}", done.stdout);
    assert!(done.stdout.contains("NOT DURABLE: this is lost when the gateway restarts"));
    let done = run(&gateway.url, "own hand-over nicu/pump-1 --to Cid --by Ben").await;
    assert_eq!(done.code, 5, "{}", done.stderr);
    assert!(done.stderr.contains("Ann looks after it"), "{}", done.stderr);
}

#[tokio::test]
async fn ownership_and_bed_stand_beside_each_pump() {
    let ownership =
        Ownership { owner: "Ann".to_owned(), bed: "4".to_owned(), ..Ownership::default() };
    let owned = ecmo_proto::v1::Pump { ownership: Some(ownership), ..pump("pump-1") };
    let gateway = Gateway::start(Script { pumps: vec![owned], ..Script::default() }).await;
    let table = run(&gateway.url, "pumps").await.stdout;
    assert!(table.contains("OWNER") && table.contains("bed 4, Ann"), "{table}");
    let pumps = run(&gateway.url, "pumps --json").await.array();
    assert_eq!(pumps[0]["ownership"]["bed"], json!("4"));
    assert_eq!(pumps[0]["ownership"]["offered_to"], json!(null));
}

#[tokio::test]
async fn displays_are_told_with_what_they_do_and_none_is_no_data() {
    let gateway = Gateway::start(Script::default()).await;
    let done = run(&gateway.url, "displays").await;
    assert_eq!(done.code, 2);
    assert!(done.stdout.contains("NO DISPLAY: nobody is told of an alarm here"));
    let health = DisplayHealth {
        frames_per_second: 4.0,
        lag_ms: 12,
        audio: AudioOutput::Blocked.into(),
        visible: true,
        ..DisplayHealth::default()
    };
    let display = |name: &str, state: DisplayState| Display {
        name: name.to_owned(),
        wards: vec!["nicu".to_owned()],
        state: state.into(),
        health: Some(health),
        lease_until_mono_ns: gateway.now() + 2_000_000_000,
        unconfirmed: 3,
    };
    let frozen = display("hall", DisplayState::NotPainting);
    gateway.script().displays = vec![frozen.clone()];
    assert_eq!(run(&gateway.url, "displays").await.code, 2, "nobody paints");
    gateway.script().displays = vec![frozen, display("station", DisplayState::Attends)];
    let done = run(&gateway.url, "displays").await;
    assert_eq!(done.code, 0);
    for text in ["NOT PAINTING", "attends", "BLOCKED", "4.0/s", "12 ms"] {
        assert!(done.stdout.contains(text), "{text} is missing in {}", done.stdout);
    }
    let told = run(&gateway.url, "displays --json").await.array();
    assert_eq!(told[1]["display"], json!("station"));
    assert_eq!((&told[1]["state"], &told[1]["unconfirmed"]), (&json!("attends"), &json!(3)));
}

#[tokio::test]
async fn an_alarm_that_no_display_has_shown_as_it_is_now_is_told_so() {
    let shown = AlarmConfirmations {
        occurrence: "nicu/pump-1/pump.stop/1-1".to_owned(),
        revision: 3,
        covers_from: 2,
        confirmations: vec![Confirmation {
            display: "station".to_owned(),
            revision: 2,
            took_ns: Some(1_300_000),
        }],
        missing: vec!["hall".to_owned()],
    };
    let script = Script { confirmations: vec![shown.clone()], ..Script::default() };
    let gateway = Gateway::start(script).await;
    let done = run(&gateway.url, "confirmations").await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    for text in ["@3  shown", "by station at revision 2, took 1.30 ms", "MISSING: hall"] {
        assert!(done.stdout.contains(text), "{text} is missing in {}", done.stdout);
    }
    let old = AlarmConfirmations { covers_from: 3, ..shown };
    gateway.script().confirmations = vec![old];
    let done = run(&gateway.url, "confirmations --json").await;
    assert_eq!((done.code, &done.array()[0]["confirmed"]), (1, &json!(false)));
}
