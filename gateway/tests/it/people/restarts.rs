//! What people said survives a gateway that is killed; and a disk that fails is told, and holds up no alarm.
#![cfg(test)]

use ecmo_core::alarm::treatment::ContextKind;
use ecmo_gateway::clock::Clock;
use ecmo_gateway::treatment::{ContextEntry, Record};
use ecmo_proto::v1;
use ecmo_testkit::EmbeddedBroker;

use super::{Desk, case, gap, limit, near};
use crate::hand::{HandAgent, address};
use crate::killable::{Killable, settings};
use crate::site::{Site, keeping_in};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_limit_and_context_survive_a_gateway_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let broker = EmbeddedBroker::start(None).unwrap();
    let path = settings(folder.path(), broker.addr());
    let before = Killable::start(&path).await;
    let mut agent = HandAgent::connect(broker.addr(), address("p1"));
    agent.announce(&agent.birth()).await;
    agent.go_on();
    before.display.await_live("p1").await;
    let desk = Desk::at(&before.display, "p1");
    assert!(desk.treatment().await.durable, "a folder is set");
    desk.start(case(), 0).await.unwrap();
    desk.set("pre.high.alarm", Some(310.0), 1).await.unwrap();
    let said = desk.declare(v1::ContextKind::Wean, 30).await.unwrap();
    assert!(said.durable);
    before.kill().await;
    // Above what was set, and below the profile's own limit.
    agent.set("press.pre", 330);

    let after = Killable::start(&path).await;
    after.display.await_live("p1").await;
    let desk = Desk::at(&after.display, "p1");
    let kept = desk.treatment().await;
    assert_eq!((kept.version, &kept.case, &kept.changes), (3, &said.case, &said.changes));
    assert!(kept.durable && near(limit(&kept, "pre.high.alarm").limit, 310.0));
    let [context] = &kept.contexts[..] else { panic!("{kept:#?}") };
    let was = said.contexts.first().unwrap();
    assert_eq!((context.kind(), &context.by), (v1::ContextKind::Wean, &was.by));
    assert_eq!(context.since_wall_ns, was.since_wall_ns);
    let is_it = |alarm: &&v1::Alarm| alarm.condition == "pre.high.alarm";
    let pump = after
        .display
        .await_pump("p1", "pre.high.alarm", |pump| pump.alarms.iter().any(|it| is_it(&it)))
        .await;
    let alarm = pump.alarms.iter().find(is_it).unwrap();
    assert!(near(alarm.limit, 310.0) && alarm.revision == 1, "by the first frames: {alarm:?}");
    desk.await_treatment("the weight is known", |it| gap(it, "flow.low").is_none()).await;
    // It goes on where it was.
    assert_eq!(desk.set("flow.low", Some(70.0), 3).await.unwrap().version, 4);
    after.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_context_goes_on_after_a_restart_and_ends_by_itself_and_an_expired_one_does_not_return() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::start();
    let context = |kind, ends_in_s: i64| ContextEntry {
        kind,
        by: "A. Nurse".to_owned(),
        since_wall_ns: clock.wall_ns() - 60_000_000_000,
        until_wall_ns: clock.wall_ns() + ends_in_s * 1_000_000_000,
        until: clock.now(),
    };
    let contexts = vec![context(ContextKind::Priming, 4), context(ContextKind::Wean, -1)];
    let record = Record { version: 5, contexts, ..Record::default() };
    // As an earlier gateway left it.
    let file = folder.path().join("nicu@p1.treatment.toml");
    std::fs::write(&file, record.to_text(&address("p1")).unwrap()).unwrap();

    let site = Site::with(keeping_in(folder.path().to_owned())).await;
    let agent = site.agent("p1").await;
    let desk = Desk::at(&site.display, "p1");
    let resumed = desk.treatment().await;
    let [priming] = &resumed.contexts[..] else { panic!("{resumed:#?}") };
    assert_eq!((priming.kind(), resumed.version), (v1::ContextKind::Priming, 5));
    let log = site.display.watch_alarms().await;
    agent.set("air.bubble", 1);
    let (_, lowered) = log.raised("p1", "air.arterial").await;
    assert_eq!(lowered.priority(), v1::AlarmPriority::Medium);
    let (_, back) = log
        .change("urgent again", |it| {
            it.occurrence == lowered.occurrence && it.priority() == v1::AlarmPriority::High
        })
        .await;
    assert!(back.changed_mono_ns >= priming.until_mono_ns, "not before its time");
    desk.await_treatment("no context", |it| it.contexts.is_empty()).await;
    site.display.await_pump("p1", "no context", |pump| pump.contexts.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_of_an_earlier_gateway_is_told_set_aside_and_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_owned();
    let file = dir.join("nicu@p1.treatment.toml");
    let record = Record { version: 5, ..Record::default() };
    let text = record.to_text(&address("p1")).unwrap();
    let damaged = text.replacen("version = 5", "version = 6", 1);
    assert_ne!(text, damaged);
    std::fs::write(&file, &damaged).unwrap();

    let site = Site::with(keeping_in(dir)).await;
    site.await_counted("ecmo_gateway_state_errors_total", &["op=\"read\""], 1.0).await;
    let _agent = site.agent("p1").await;
    let desk = Desk::at(&site.display, "p1");
    let nothing = desk.treatment().await;
    assert!(!nothing.durable, "what was said did not survive");
    assert_eq!((nothing.version, gap(&nothing, "flow.low")), (0, Some(v1::GapReason::NoWeight)));
    let anew = desk.start(case(), 0).await.unwrap();
    assert!(anew.durable);
    let aside = file.with_extension("toml.damaged");
    assert_eq!(std::fs::read_to_string(aside).unwrap(), damaged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_an_earlier_gateway_are_taken_over_once_and_survive_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_owned();
    let file = dir.join("nicu@p1.treatment.toml");
    let record = Record { version: 5, ..Record::default() };
    std::fs::write(&file, record.to_text(&address("p1")).unwrap()).unwrap();
    for start in 0..3 {
        let site = Site::with(keeping_in(dir.clone())).await;
        let _agent = site.agent("p1").await;
        let kept = Desk::at(&site.display, "p1").treatment().await;
        assert_eq!((kept.version, kept.durable), (5, true), "start {start}");
        assert!(!file.exists() && dir.join("imported/nicu@p1.treatment.toml").exists());
        site.gateway.stop().await;
    }
    let log = std::fs::read_to_string(dir.join("audit/000001.jsonl")).unwrap();
    assert_eq!(log.matches("\"kind\":\"imported\"").count(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_state_is_told_set_aside_and_begun_anew_from_the_audit_log() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_owned();
    {
        let site = Site::with(keeping_in(dir.clone())).await;
        let _agent = site.agent("p1").await;
        let desk = Desk::at(&site.display, "p1");
        desk.start(case(), 0).await.unwrap();
        desk.set("pre.high.alarm", Some(310.0), 1).await.unwrap();
        site.gateway.stop().await;
    }
    std::fs::write(dir.join("state.redb"), b"what no gateway wrote").unwrap();
    let site = Site::with(keeping_in(dir.clone())).await;
    site.await_counted("ecmo_gateway_state_errors_total", &["op=\"read\""], 1.0).await;
    let _agent = site.agent("p1").await;
    let kept = Desk::at(&site.display, "p1").treatment().await;
    assert!(kept.durable && near(limit(&kept, "pre.high.alarm").limit, 310.0));
    assert_eq!(kept.version, 2);
    let aside = std::fs::read(dir.join("state.redb.damaged")).unwrap();
    assert_eq!(aside, b"what no gateway wrote");
    let log = std::fs::read_to_string(dir.join("audit/000001.jsonl")).unwrap();
    assert!(log.contains("\"kind\":\"set_aside\""), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fails_is_told_and_the_change_is_in_force_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("said");
    let site = Site::with(keeping_in(dir.clone())).await;
    let agent = site.agent("p1").await;
    let desk = Desk::at(&site.display, "p1");
    assert!(desk.start(case(), 0).await.unwrap().durable);
    // A folder that became a file can be written by nobody, not even by root.
    std::fs::remove_dir_all(&dir).unwrap();
    std::fs::write(&dir, "").unwrap();
    let set = desk.set("pre.high.alarm", Some(310.0), 1).await.unwrap();
    assert!(!set.durable && near(limit(&set, "pre.high.alarm").limit, 310.0));
    assert!(site.counted("ecmo_gateway_state_errors_total", &["op=\"write\""]).await >= 1.0);
    let log = site.display.watch_alarms().await;
    agent.set("press.pre", 330);
    let (_, alarm) = log.raised("p1", "pre.high.alarm").await;
    assert!(near(alarm.limit, 310.0));
    // Repaired, the disk gets what it missed, and every display is told.
    std::fs::remove_file(&dir).unwrap();
    let kept = desk.await_treatment("durable again", |it| it.durable).await;
    assert_eq!(kept.version, 2);
    let files = std::fs::read_dir(dir.join("audit")).unwrap();
    let files =
        files.map(|file| file.unwrap().path()).filter(|path| path.ends_with("000002.jsonl"));
    let text: String = files.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    assert!(text.contains("310"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_cannot_be_read_at_the_start_does_not_keep_the_gateway_from_watching() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("said");
    std::fs::write(&dir, "").unwrap();
    let site = Site::with(keeping_in(dir)).await;
    let agent = site.agent("p1").await;
    let desk = Desk::at(&site.display, "p1");
    assert!(!desk.treatment().await.durable);
    assert!(!desk.start(case(), 0).await.unwrap().durable);
    let log = site.display.watch_alarms().await;
    agent.set("air.bubble", 1);
    log.raised("p1", "air.arterial").await;
    site.await_counted("ecmo_gateway_state_errors_total", &["op=\"read\""], 1.0).await;
}
