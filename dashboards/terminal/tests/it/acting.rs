//! What people do about alarms: exactly what they have seen, with their name, and never a guess about what happened.

use ecmo_proto::v1::{AlarmPriority, AlarmTransition, AudioState};
use serde_json::json;
use tonic::Status;

use crate::desk::treatment;
use crate::gateway::{Gateway, Script, ago_ms, alarm, pump};
use crate::process::{run, start};

/// A gateway with one pump and one high alarm of it.
async fn gateway() -> Gateway {
    let alarms = vec![alarm("pump-1", "pump.stop", AlarmPriority::High)];
    let pumps = vec![pump("pump-1")];
    Gateway::start(Script { pumps, alarms, treatment: treatment(), ..Script::default() }).await
}

#[tokio::test]
async fn the_id_that_alarms_tells_acknowledges_exactly_that_revision() {
    let gateway = gateway().await;
    let told = run(&gateway.url, "alarms").await.stdout;
    assert!(told.contains("pump-1/pump.stop/1@1"), "{told}");
    assert!(told.contains("check: pump head and drive"), "{told}");
    let id = run(&gateway.url, "alarms --json").await.array()[0]["id"].clone();
    let command = format!("ack {} --by Ann --note clamp~forgotten", id.as_str().unwrap());
    let done = run(&gateway.url, &command).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    let words = "ACKNOWLEDGED by Ann (clamp forgotten), still present";
    assert!(done.stdout.contains(words), "{}", done.stdout);
    let act = gateway.script().acts[0].clone();
    assert!(act.contains("revision: 1") && act.contains("by: \"Ann\""), "{act}");

    gateway.script().treatment.durable = false;
    let done = run(&gateway.url, &format!("{command} --json")).await;
    let object = done.object();
    assert_eq!((&object["action"], &object["durable"]), (&json!("acknowledged"), &json!(false)));
    assert_eq!(object["alarm"]["acknowledged_note"], json!("clamp forgotten"));
    assert!(done.stderr.contains("NOT DURABLE"), "{}", done.stderr);
}

#[tokio::test]
async fn what_was_not_seen_is_not_acknowledged() {
    let gateway = gateway().await;
    let done = run(&gateway.url, "ack pump-1/pump.stop/1 --by Ann").await;
    assert_eq!((done.code, gateway.script().acts.len()), (5, 0), "{}", done.stderr);
    assert!(done.stderr.contains("`ecmoctl ack pump-1/pump.stop/1@1`"), "{}", done.stderr);
    assert!(done.stderr.contains("*** HIGH nicu/pump-1  pump stopped"), "{}", done.stderr);

    gateway.script().alarms[0].revision = 4;
    let done = run(&gateway.url, "ack pump-1/pump.stop/1@1 --by Ann").await;
    assert_eq!(done.code, 5, "{}", done.stderr);
    assert!(done.stderr.contains("the alarm changed: look again"), "{}", done.stderr);
    assert!(done.stderr.contains("`ecmoctl ack pump-1/pump.stop/1@4`"), "{}", done.stderr);

    let done = run(&gateway.url, "ack pump-1/other/1@1 --by Ann").await;
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains("no alarm \"pump-1/other/1\" is active"), "{}", done.stderr);
}

#[tokio::test]
async fn sound_is_paused_and_resumed_for_what_is_named() {
    let gateway = gateway().await;
    for (command, words, scope, said) in [
        (
            "pause nicu/pump-1",
            "by: \"Ann\"",
            "scope: Pump, occurrence: \"\", ward: \"nicu\", pump: \"pump-1\", seconds: 120",
            "sound of 3 alarms paused by Ann for 120 s",
        ),
        (
            "pause --ward nicu --seconds 30",
            "seconds: 30",
            "scope: Ward, occurrence: \"\", ward: \"nicu\", pump: \"\"",
            "for 30 s; a new or worse alarm ends it before",
        ),
        (
            "pause --alarm pump-1/pump.stop/1@9",
            "scope: Alarm",
            "occurrence: \"pump-1/pump.stop/1\"",
            "sound of 3 alarms",
        ),
        ("resume --ward nicu", "ResumeAudioRequest", "scope: Ward", "sound of 1 alarm is back"),
        (
            "shelve pump-1/pump.stop/1 --minutes 20 --reason cooling",
            "minutes: 20",
            "reason: \"cooling\"",
            "shelved by Ann for 20 min: cooling",
        ),
        (
            "unshelve nicu/pump-1 temp.return.low",
            "condition: \"temp.return.low\"",
            "pump: \"pump-1\"",
            "temp.return.low is shelved no longer",
        ),
    ] {
        let done = run(&gateway.url, &format!("{command} --by Ann")).await;
        assert_eq!(done.code, 0, "{command}: {}", done.stderr);
        let act = gateway.script().acts.pop().unwrap();
        assert!(act.contains(words) && act.contains(scope), "{command}: {act}");
        assert!(done.stdout.contains(said), "{command}: {}", done.stdout);
        assert!(!done.stdout.contains("NOT DURABLE"), "{command}: {}", done.stdout);
        let json = run(&gateway.url, &format!("{command} --by Ann --json")).await.object();
        assert_eq!((&json["by"], &json["durable"]), (&json!("Ann"), &json!(true)), "{command}");
    }
}

#[tokio::test]
async fn what_is_lost_with_a_restart_of_the_gateway_is_said_to_be_so_whatever_it_is() {
    let gateway = gateway().await;
    gateway.script().treatment.durable = false;
    for (command, what) in [
        ("ack pump-1/pump.stop/1@1", "this acknowledgement"),
        ("pause nicu/pump-1", "this pause"),
        ("resume --ward nicu", "this end of a pause"),
        ("shelve pump-1/pump.stop/1 --minutes 20 --reason cooling", "this shelving"),
        ("unshelve nicu/pump-1 temp.return.low", "this end of a shelving"),
    ] {
        let done = run(&gateway.url, &format!("{command} --by Ann")).await;
        let says = format!("NOT DURABLE: {what} is lost when the gateway restarts");
        assert!(done.stdout.contains(&says), "{command}: {}", done.stdout);
        let done = run(&gateway.url, &format!("{command} --by Ann --json")).await;
        assert_eq!(done.object()["durable"], json!(false), "{command}");
        assert!(done.stderr.contains(&says), "{command}: {}", done.stderr);
    }
}

#[tokio::test]
async fn a_refusal_is_told_in_the_gateways_words_and_an_answer_that_stays_away_as_unknown() {
    let gateway = gateway().await;
    gateway.script().refusal = Some(Status::failed_precondition("nothing sounds: no need"));
    let done = run(&gateway.url, "pause nicu/pump-1 --by Ann").await;
    assert_eq!(done.code, 5);
    assert!(done.stderr.contains("refused: nothing sounds: no need"), "{}", done.stderr);
    gateway.script().refusal = Some(Status::unimplemented(""));
    let done = run(&gateway.url, "pause nicu/pump-1 --by Ann").await;
    assert_eq!(done.code, 5);
    assert!(done.stderr.contains("it is older than this ecmoctl"), "{}", done.stderr);
    gateway.script().swallows_answers = true;
    let done = run(&gateway.url, "pause nicu/pump-1 --by Ann").await;
    assert_eq!(done.code, 3);
    assert!(done.stderr.contains("NOT KNOWN whether this took effect"), "{}", done.stderr);
    assert!(done.stderr.contains("look with `ecmoctl alarms`"), "{}", done.stderr);
}

#[tokio::test]
async fn each_transition_of_a_watched_alarm_is_one_line() {
    let gateway = gateway().await;
    let mut watch = start(&gateway.url, "alarms --watch --for 30");
    watch.line_with(&["*** HIGH", "pump stopped", "ACTIVE"]).await;
    watch.line_with(&["check: pump head and drive"]).await;
    watch.line_with(&["id: pump-1/pump.stop/1@1"]).await;
    let mut revision = 1;
    for (transition, audio, escalated, words) in [
        (AlarmTransition::AudioChanged, AudioState::Paused, false, "PAUSED: *** HIGH"),
        (AlarmTransition::AudioChanged, AudioState::On, false, "AUDIBLE: *** HIGH"),
        (AlarmTransition::Reminded, AudioState::On, false, "REMINDED: *** HIGH"),
        (AlarmTransition::Worsened, AudioState::On, true, "ESCALATED: *** HIGH"),
        (AlarmTransition::Worsened, AudioState::On, true, "WORSENED: *** HIGH"),
        (AlarmTransition::DataLost, AudioState::On, true, "DATA LOST: *** HIGH"),
    ] {
        revision += 1;
        let mut next = alarm("pump-1", "pump.stop", AlarmPriority::High);
        next.revision = revision;
        next.transition = transition.into();
        next.audio = audio.into();
        next.audio_by = "Ann".to_owned();
        next.audio_until_mono_ns = Some(ago_ms(0) + 90_000_000_000);
        next.escalated = escalated;
        gateway.script().alarms = vec![next];
        let line = watch.line_with(&[words]).await;
        assert_eq!(line.contains("sound PAUSED by Ann, "), audio == AudioState::Paused, "{line}");
    }
    assert_eq!(watch.interrupt().await, 1);
}

#[tokio::test]
async fn unreviewed_rules_are_told_by_every_command_that_shows_alarms_or_pumps() {
    let mut unsigned = pump("pump-1");
    unsigned.unreviewed = true;
    unsigned.rules_not_evaluable = 2;
    let script = Script { pumps: vec![unsigned], treatment: treatment(), ..Script::default() };
    let gateway = Gateway::start(script).await;
    for command in [
        "pumps",
        "pumps --json",
        "alarms",
        "alarms --json",
        "alarms --watch --for 1",
        "stream pump-1 --for 1.5",
        "treatment nicu/pump-1",
        "report nicu/pump-1",
    ] {
        let done = run(&gateway.url, command).await;
        let said = format!("{}{}", done.stdout, done.stderr);
        assert_eq!(said.matches("UNREVIEWED rules").count(), 1, "{command}: {said}");
    }
    let said = run(&gateway.url, "pumps").await.stdout;
    assert!(said.contains("RULES NOT EVALUABLE: 2 on nicu/pump-1"), "{said}");
    let pump = run(&gateway.url, "pumps --json").await.array()[0].clone();
    assert_eq!((&pump["unreviewed"], &pump["rules_not_evaluable"]), (&json!(true), &json!(2)));
}

#[tokio::test]
async fn an_action_without_a_name_or_with_a_wrong_argument_is_exit_code_64() {
    for args in [
        "ack a@1",
        "ack a@x --by Ann",
        "ack a@1 --by ~",
        "pause --by Ann",
        "pause nicu/pump-1 --ward nicu --by Ann",
        "pause nicu/pump-1 --seconds 121 --by Ann",
        "pause nicu/pump-1 --seconds 0 --by Ann",
        "pause pump-1 --by Ann",
        "shelve a --by Ann --reason x",
        "shelve a --by Ann --minutes 5",
        "shelve a --by Ann --minutes 0 --reason x",
        "unshelve nicu/pump-1 --by Ann",
        "pumps --json --output json",
    ] {
        let done = run("http://127.0.0.1:1", args).await;
        assert_eq!(done.code, 64, "{args}: {}", done.stderr);
        assert!(!done.stderr.is_empty(), "{args}");
    }
}
