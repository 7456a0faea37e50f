//! Each kind of action leaves its row in the audit log, and the log can be checked by the program.
#![cfg(test)]

use std::path::Path;
use std::process::Command;

use ecmo_proto::v1;
use serde_json::Value;
use tonic::Code;

use super::{accept, hand_over, nicu, owners, pause, shelve};
use crate::display::Display;
use crate::people::{Desk, case};
use crate::site::{Site, keeping_in};

/// Every row of the log.
pub(super) fn rows(dir: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(dir.join("audit/000001.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn on_treatment(display: &Display) {
    let desk = Desk::at(display, "p1");
    desk.start(case(), 0).await.unwrap();
    desk.set("pre.high.alarm", Some(310.0), 1).await.unwrap();
    desk.set("pre.high.alarm", Some(320.0), 1).await.unwrap_err();
    desk.declare(v1::ContextKind::Wean, 30).await.unwrap();
}

async fn on_alarms(display: &Display, alarm: &v1::Alarm) {
    pause(display, alarm, 60).await;
    let request = v1::ResumeAudioRequest {
        scope: v1::PauseScope::Pump.into(),
        ward: nicu(),
        pump: "p1".to_owned(),
        by: "B. Nurse".to_owned(),
        ..v1::ResumeAudioRequest::default()
    };
    assert!(display.alarms().resume_audio(request).await.unwrap().into_inner().durable);
    let shelved = shelve(display, alarm, 5).await.alarm.unwrap();
    let request = v1::UnshelveAlarmRequest {
        ward: nicu(),
        pump: "p1".to_owned(),
        condition: alarm.condition.clone(),
        by: "C. Nurse".to_owned(),
    };
    assert!(display.alarms().unshelve_alarm(request).await.unwrap().into_inner().durable);
    let outdated = display.acknowledge(&shelved, 0, "A. Nurse").await;
    assert_eq!(outdated.unwrap_err(), Code::FailedPrecondition);
    let newest = super::alarms(display, "p1", &alarm.condition).await.remove(0);
    display.acknowledge(&newest, newest.revision, "A. Nurse").await.unwrap();
}

async fn on_ownership(display: &Display) {
    accept(display, "p1", "D. Nurse").await;
    hand_over(display, "p1", "D. Nurse", "E. Nurse").await;
    let (pump, by) = ("p1".to_owned(), "E. Nurse".to_owned());
    let request = v1::RejectPumpRequest { ward: nicu(), pump: pump.clone(), by: by.clone() };
    assert!(owners(display).reject_pump(request.clone()).await.unwrap().into_inner().durable);
    let twice = owners(display).reject_pump(request).await.unwrap_err();
    assert_eq!(twice.code(), Code::FailedPrecondition);
    let bed = "7".to_owned();
    let request = v1::AssignBedRequest { ward: nicu(), pump, bed, by };
    assert!(owners(display).assign_bed(request).await.unwrap().into_inner().durable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_15_each_kind_of_action_leaves_its_row_with_who_and_what() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::with(keeping_in(folder.path().to_owned())).await;
    let agent = site.agent("p1").await;
    on_treatment(&site.display).await;
    let log = site.display.watch_alarms().await;
    agent.set("press.pre", 270);
    let (_, alarm) = log.raised("p1", "pre.high.warn").await;
    on_alarms(&site.display, &alarm).await;
    on_ownership(&site.display).await;
    // What is only noted is written when there is time: the end of the gateway is that.
    site.gateway.stop().await;
    let rows = rows(folder.path());
    let of = |kind: &str, by: &str| {
        let found: Vec<&Value> =
            rows.iter().filter(|row| row["kind"] == kind && row["by"] == by).collect();
        assert!(!found.is_empty(), "{kind} by {by} in {rows:#?}");
        found[0].clone()
    };
    for (kind, by) in [
        ("acknowledge", "A. Nurse"),
        ("pause", "B. Nurse"),
        ("resume", "B. Nurse"),
        ("shelve", "C. Nurse"),
        ("unshelve", "C. Nurse"),
        ("accept", "D. Nurse"),
        ("hand_over", "D. Nurse"),
        ("reject", "E. Nurse"),
        ("assign_bed", "E. Nurse"),
        ("treatment", "A. Doctor"),
    ] {
        let row = of(kind, by);
        assert_eq!((&row["ward"], &row["pump"]), (&"nicu".into(), &"p1".into()), "{row:#}");
        assert!(row["new"].is_string() && row["action"].is_string(), "{row:#}");
    }
    for by in ["A. Nurse", "E. Nurse", "A. Doctor"] {
        of("refused", by);
    }
    assert!(rows.iter().any(|row| row["kind"] == "started"));
    let limit = rows
        .iter()
        .find(|row| row["note"] == "as agreed on the round" && row["kind"] == "treatment");
    let limit = limit.unwrap();
    let text = |field: &str| limit[field].as_str().unwrap().to_owned();
    assert!(text("old").contains("version = 1") && text("new").contains("version = 2"));
    let numbers: Vec<u64> = rows.iter().map(|row| row["number"].as_u64().unwrap()).collect();
    let expected: Vec<u64> = (1..).take(rows.len()).collect();
    assert_eq!(numbers, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_checks_the_log_and_names_the_first_broken_line() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("gateway.toml");
    std::fs::write(&settings, "[state]\ndir = \"said\"\n").unwrap();
    let dir = folder.path().join("said");
    let site = Site::with(keeping_in(dir.clone())).await;
    let _agent = site.agent("p1").await;
    on_ownership(&site.display).await;
    site.gateway.stop().await;
    let verify = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ecmo-gateway"));
        let output = command.args(["audit", "verify"]).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let by_settings = ["--config", settings.to_str().unwrap()];
    let (code, said) = verify(&by_settings);
    assert!(code == Some(0) && said.contains("records in 1 files are sound"), "{code:?} {said}");
    let file = dir.join("audit/000001.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = text.replacen("D. Nurse", "X. Nurse", 1);
    let line = 1 + text.lines().position(|line| line.contains("D. Nurse")).unwrap();
    std::fs::write(&file, changed).unwrap();
    let by_folder = [dir.join("audit").to_str().unwrap().to_owned()];
    let (code, said) = verify(&[&by_folder[0]]);
    let expected = format!("000001.jsonl, line {line}: its sum is wrong");
    assert!(code == Some(1) && said.contains(&expected), "{code:?} {said}");
    assert_eq!(verify(&["/nowhere/at/all"]).0, Some(2));
}
