//! What people say about a treatment: the case, limits, contexts; each change rests on the version that was read.

use serde_json::json;
use tonic::Status;

use crate::desk::{changed_by_bo, treatment};
use crate::gateway::{Gateway, Script, pump};
use crate::process::run;

async fn gateway() -> Gateway {
    let pumps = vec![pump("pump-1")];
    Gateway::start(Script { pumps, treatment: treatment(), ..Script::default() }).await
}

#[tokio::test]
async fn a_treatment_is_shown_with_its_gaps_and_for_programs() {
    let gateway = gateway().await;
    let done = run(&gateway.url, "treatment nicu/pump-1").await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    for words in [
        "nicu/pump-1  treatment version 7",
        "weight                   3.2 kg",
        "flow.low    <256 mL/min  80 mL/kg/min       60 to 120   MED       3.0 s",
        "NOT EVALUABLE, no flow target entered (case change --flow-target): flow.low#2",
    ] {
        assert!(done.stdout.contains(words), "{words:?} is missing in\n{}", done.stdout);
    }
    let object = run(&gateway.url, "treatment nicu/pump-1 --json").await.object();
    assert_eq!((&object["version"], &object["unreviewed"]), (&json!(7), &json!(true)));
    assert_eq!(object["gaps"][0]["reason"], json!("no_flow_target"));
    assert_eq!(object["limits"][0]["settable"], json!([60.0, 120.0]));
    let done = run(&gateway.url, "treatment nicu/pump-9").await;
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("never seen: is its agent on?"), "{}", done.stderr);
}

#[tokio::test]
async fn a_limit_is_previewed_set_and_taken_back() {
    let gateway = gateway().await;
    let done = run(&gateway.url, "limit preview nicu/pump-1 flow.low 70").await;
    let words = "flow.low at 70 mL/kg/min would have alarmed 2 times in 30 min 00 s";
    assert!(done.code == 0 && done.stdout.contains(words), "{}{}", done.stdout, done.stderr);
    let set = "limit set nicu/pump-1 flow.low 70 --reason weaning --by Ann";
    let done = run(&gateway.url, set).await;
    let words = "flow.low is <224 mL/min (70 mL/kg/min), was 80 mL/kg/min; version 8";
    assert!(done.code == 0 && done.stdout.contains(words), "{}{}", done.stdout, done.stderr);
    let act = gateway.script().acts.pop().unwrap();
    assert!(act.contains("number: Some(70.0)") && act.contains("version: 7"), "{act}");
    assert!(act.contains("by: \"Ann\", reason: \"weaning\""), "{act}");
    let done =
        run(&gateway.url, "limit reset nicu/pump-1 flow.low --reason done --by Ann --json").await;
    assert_eq!(done.object()["limits"][0]["set"], json!(false));
    assert!(gateway.script().acts.pop().unwrap().contains("number: None"));
    let done = run(&gateway.url, "limit set nicu/pump-1 flow.low -5 --reason x --by Ann").await;
    assert!(gateway.script().acts.pop().unwrap().contains("Some(-5.0)"), "{}", done.stderr);
}

#[tokio::test]
async fn a_limit_that_is_unknown_fixed_or_out_of_range_is_refused() {
    let gateway = gateway().await;
    let done = run(&gateway.url, "limit set nicu/pump-1 flow.lo 70 --reason x --by Ann").await;
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("it has: flow.low, flow.fixed"), "{}", done.stderr);
    let done = run(&gateway.url, "limit set nicu/pump-1 flow.fixed 70 --reason x --by Ann").await;
    assert_eq!(done.code, 5);
    assert!(done.stderr.contains("flow.fixed is fixed"), "{}", done.stderr);
    assert!(gateway.script().acts.is_empty(), "nothing was sent");
    gateway.script().refusal = Some(Status::invalid_argument("flow.low may be 60 to 120"));
    let done = run(&gateway.url, "limit set nicu/pump-1 flow.low 7 --reason x --by Ann").await;
    assert_eq!(done.code, 5);
    assert!(done.stderr.contains("refused: flow.low may be 60 to 120"), "{}", done.stderr);
}

#[tokio::test]
async fn a_change_that_rests_on_an_older_version_says_who_changed_what() {
    let gateway = gateway().await;
    gateway.script().meanwhile = Some(changed_by_bo());
    let done = run(&gateway.url, "limit set nicu/pump-1 flow.low 70 --reason x --by Ann").await;
    let by_bo = "changed flow.low 80 -> 75 by Bo: stable (2023-11-14 22:13, version 8)";
    assert_eq!(done.code, 5, "{}", done.stderr);
    assert!(done.stderr.contains("you saw version 7, it is at 8"), "{}", done.stderr);
    assert!(done.stderr.contains(by_bo), "{}", done.stderr);

    let before = gateway.script().acts.len();
    let done = run(&gateway.url, "case change nicu/pump-1 --weight 3 --seen 7 --by Ann").await;
    assert_eq!(done.code, 5, "{}", done.stderr);
    assert!(done.stderr.contains(by_bo), "{}", done.stderr);
    assert_eq!(gateway.script().acts.len(), before, "nothing was sent");
    let done = run(&gateway.url, "case change nicu/pump-1 --weight 3 --seen 8 --by Ann").await;
    assert_eq!(done.code, 0, "{}", done.stderr);
}

#[tokio::test]
async fn a_case_is_begun_and_changed_and_what_is_not_named_stays() {
    let gateway = gateway().await;
    let change = "case change nicu/pump-1 --flow-target 360 --pump-kind centrifugal --by Ann";
    let done = run(&gateway.url, change).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("flow target not entered -> 360 mL/min"), "{}", done.stdout);
    let case = gateway.script().treatment.case.clone().unwrap();
    assert_eq!((case.weight_kg, case.flow_target), (Some(3.2), Some(360.0)));

    gateway.script().treatment.durable = false;
    let begin = "case start nicu/pump-1 --pseudonym neo-8 --weight 2.5 --therapy vv --indication \
                 diaphragmatic-hernia --circuit-start 2026-01-31T14:05 --drainage-cannula \
                 12~Fr,~right~jugular --by Ann";
    let done = run(&gateway.url, begin).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    for words in ["case neo-8", "2.5 kg", "VV", "2026-01-31 14:05", "12 Fr, right jugular"] {
        assert!(done.stdout.contains(words), "{words}: {}", done.stdout);
    }
    assert!(done.stdout.contains("NOT DURABLE"), "{}", done.stdout);
    let case = gateway.script().treatment.case.clone().unwrap();
    assert_eq!(case.flow_target, None, "nothing of the patient before");
}

#[tokio::test]
async fn a_context_is_declared_and_ended() {
    let gateway = gateway().await;
    let done = run(&gateway.url, "context start nicu/pump-1 clamp-trial --minutes 10 --by Ann");
    let done = done.await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    let words = "nicu/pump-1: context CLAMP TRIAL by Ann since 2023-11-14 22:13, 9 min";
    assert!(done.stdout.contains(words), "{}", done.stdout);
    let done = run(&gateway.url, "context end nicu/pump-1 clamp_trial --by Ann").await;
    assert!(done.stdout.contains("context CLAMP TRIAL ended"), "{}", done.stdout);
    gateway.script().refusal = Some(Status::not_found("it is not declared"));
    let done = run(&gateway.url, "context end nicu/pump-1 wean --by Ann").await;
    assert_eq!(done.code, 2);
}

#[tokio::test]
async fn a_report_stands_beside_its_targets() {
    let gateway = gateway().await;
    let done = run(&gateway.url, "report nicu/pump-1").await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    for words in ["at most 6: one in 10 min", "25 % (1 of 4)", "about 80 %", "fewer than 5"] {
        assert!(done.stdout.contains(words), "{words}: {}", done.stdout);
    }
    let object = run(&gateway.url, "report nicu/pump-1 --json").await.object();
    assert_eq!((&object["high"], &object["low"]), (&json!(1), &json!(3)));
}

#[tokio::test]
async fn a_wrong_argument_is_exit_code_64() {
    for args in [
        "treatment pump-1",
        "case change nicu/pump-1 --by Ann",
        "case start nicu/pump-1 --weight 3 --by Ann",
        "case change nicu/pump-1 --weight 3",
        "case change nicu/pump-1 --weight -3 --by Ann",
        "case change nicu/pump-1 --therapy XX --by Ann",
        "case change nicu/pump-1 --indication unknown --by Ann",
        "case change nicu/pump-1 --circuit-start soon --by Ann",
        "limit set nicu/pump-1 flow.low --reason x --by Ann",
        "limit set nicu/pump-1 flow.low NaN --reason x --by Ann",
        "limit set nicu/pump-1 flow.low 70 --by Ann",
        "limit reset nicu/pump-1 flow.low --reason x",
        "context start nicu/pump-1 wean --by Ann",
        "context start nicu/pump-1 party --minutes 5 --by Ann",
        "report",
    ] {
        let done = run("http://127.0.0.1:1", args).await;
        assert_eq!(done.code, 64, "{args}: {}", done.stderr);
        assert!(!done.stderr.is_empty(), "{args}");
    }
}
