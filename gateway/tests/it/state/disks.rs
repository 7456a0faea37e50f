//! A disk that is full, failing or gone: alarms and streams go on, and everybody is told.
#![cfg(test)]

use std::path::Path;
use std::process::Command;

use ecmo_proto::v1;
use ecmo_testkit::eventually;

use super::accept;
use crate::display::SOON;
use crate::people::{Desk, case, limit, near};
use crate::site::{Site, keeping_in};

/// Waits until the gateway's own alarm about its state is there, or is not.
pub(super) async fn await_state_alarm(site: &Site, there: bool) {
    eventually(SOON, &format!("gateway.state: {there}"), async || {
        let alarms = site.display.list_alarms().await;
        let found = alarms.iter().find(|alarm| alarm.condition == "gateway.state");
        if found.is_some_and(|alarm| alarm.present) == there {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await
    .unwrap();
}

/// What a person does and what samples decide, while nothing can be written.
async fn all_goes_on_but_nothing_is_durable(site: &Site) {
    let agent = site.agent("p1").await;
    let log = site.display.watch_alarms().await;
    agent.set("air.bubble", 1);
    let (_, alarm) = log.raised("p1", "air.arterial").await;
    let request = v1::AcknowledgeAlarmRequest {
        occurrence: alarm.occurrence.clone(),
        revision: alarm.revision,
        by: "A. Nurse".to_owned(),
        note: String::new(),
    };
    let answer = site.display.alarms().acknowledge_alarm(request).await.unwrap().into_inner();
    let acknowledged = answer.alarm.unwrap();
    assert_eq!(acknowledged.signal(), v1::SignalPresence::Acknowledged, "in force all the same");
    assert!(!answer.durable && !accept(&site.display, "p1", "A. Nurse").await.durable);
    let desk = Desk::at(&site.display, "p1");
    desk.start(case(), 0).await.unwrap();
    let set = desk.set("pre.high.alarm", Some(310.0), 1).await.unwrap();
    assert!(!set.durable && near(limit(&set, "pre.high.alarm").limit, 310.0));
    await_state_alarm(site, true).await;
    assert!(site.counted("ecmo_gateway_state_errors_total", &["op=\"write\""]).await >= 1.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_cannot_be_written_is_told_and_alarms_go_on_and_it_gets_what_it_missed() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("said");
    // A file in the place of the folder can be written by nobody, not even by root.
    std::fs::write(&dir, "").unwrap();
    let site = Site::with(keeping_in(dir.clone())).await;
    all_goes_on_but_nothing_is_durable(&site).await;
    std::fs::remove_file(&dir).unwrap();
    await_state_alarm(&site, false).await;
    let kept = Desk::at(&site.display, "p1").await_treatment("durable", |it| it.durable).await;
    assert_eq!(kept.version, 2);
    assert!(accept(&site.display, "p1", "B. Nurse").await.durable);
    site.gateway.stop().await;
    let checked = ecmo_gateway::store::audit::verify(&dir.join("audit")).unwrap();
    assert_eq!(checked.broken, None, "{checked}");
    let text = std::fs::read_to_string(dir.join("audit/000001.jsonl")).unwrap();
    assert!(text.contains("acknowledge"), "also what was done meanwhile is there: {text}");
}

/// A file system of its own, in memory.
struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0).status().unwrap();
        assert!(unmounted.success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs root, to mount a file system of 1 MB"]
async fn fault_f13_a_full_disk_of_the_gateway_is_told_and_alarms_go_on_and_it_gets_what_it_missed()
{
    let folder = tempfile::tempdir().unwrap();
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(folder.path());
    assert!(mount.status().unwrap().success());
    let mounted = Mounted(folder.path());
    let ballast = folder.path().join("ballast");
    std::fs::write(&ballast, vec![0; 4 << 20]).unwrap_err();
    let dir = folder.path().join("said");
    let site = Site::with(keeping_in(dir)).await;
    all_goes_on_but_nothing_is_durable(&site).await;
    std::fs::remove_file(&ballast).unwrap();
    let kept = Desk::at(&site.display, "p1").await_treatment("durable", |it| it.durable).await;
    assert_eq!(kept.version, 2);
    site.gateway.stop().await;
    drop(mounted);
}
