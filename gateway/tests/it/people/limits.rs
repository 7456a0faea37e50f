//! Limits: in force on the next frame, seen by every display, tried before they are set.
#![cfg(test)]

use std::time::Duration;

use ecmo_proto::v1;
use ecmo_testkit::eventually;
use tokio::time::Instant;

use super::{Desk, case, limit, near, refused};
use crate::display::{Display, SOON};
use crate::hand::PERIOD;
use crate::held_up::HeldUp;
use crate::site::Site;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_13_a_limit_that_is_changed_is_in_force_with_the_next_frame_and_seen_by_every_display()
{
    let site = Site::start().await;
    let mut agent = site.agent("p1").await;
    let desk = Desk::at(&site.display, "p1");
    let other = Display::connect(site.gateway.address()).await;
    desk.start(case(), 0).await.unwrap();
    let log = other.watch_alarms().await;
    // Below the profile's 350 mmHg and above the 300 that is to be set.
    agent.set("press.pre", 330);
    log.raised("p1", "pre.high.warn").await;
    agent.pause();
    let before = log.changes().len();
    let set = desk.set("pre.high.alarm", Some(310.0), 1).await.unwrap();
    let pre = limit(&set, "pre.high.alarm");
    assert!(pre.is_set && near(pre.limit, 310.0) && near(Some(pre.profile_number), 350.0));
    assert_eq!(Desk::at(&other, "p1").treatment().await.version, 2);
    // No frame, no verdict: what the limit says is said by data.
    assert_eq!(log.changes().len(), before);
    // The delay of the rule is half a second, and counts from the first frame under the new limit.
    let (first, held_up) = (Instant::now(), HeldUp::watch());
    agent.go_on();
    let (told, alarm) = log.raised("p1", "pre.high.alarm").await;
    assert!(near(alarm.limit, 310.0), "{alarm:?}");
    assert_eq!(alarm.limit_side(), v1::LimitSide::Above, "on the side on which it is violated");
    assert!(near(alarm.value, 330.0), "the value beside the limit: {alarm:?}");
    let took = told - first;
    assert!(took >= Duration::from_millis(400), "{took:?}: the delay counts anew");
    let onset_to_change = alarm.changed_mono_ns - alarm.onset_mono_ns;
    let bound = Duration::from_millis(500) + 4 * PERIOD + held_up.lost();
    assert!(Duration::from_nanos(onset_to_change) < bound, "{onset_to_change} ns");
    let change = set.changes.first().unwrap();
    assert_eq!((change.by.as_str(), change.version), ("A. Doctor", 2));
    assert_eq!(change.reason, "as agreed on the round");
    assert!(near(Some(change.from), 350.0) && near(Some(change.to), 310.0));

    // Taken back, the alarm ends by the profile's own limit.
    let back = desk.set("pre.high.alarm", None, 2).await.unwrap();
    assert!(!limit(&back, "pre.high.alarm").is_set);
    log.ended("p1", "pre.high.alarm").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_do_not_undo_each_other_unseen() {
    let site = Site::start().await;
    let _agent = site.agent("p1").await;
    let desk = Desk::at(&site.display, "p1");
    desk.start(case(), 0).await.unwrap();
    let (one, other) =
        tokio::join!(desk.set("flow.low", Some(70.0), 1), desk.set("flow.low", Some(60.0), 1),);
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    let refusal = if one.is_ok() { other } else { one };
    refused(refusal, tonic::Code::Aborted, "version 2; look at it again");
    assert_eq!(desk.treatment().await.changes.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_counts_what_the_limit_would_have_done_and_changes_nothing() {
    let site = Site::start().await;
    let agent = site.agent("p1").await;
    let desk = Desk::at(&site.display, "p1");
    desk.start(case(), 0).await.unwrap();
    let log = site.display.watch_alarms().await;
    // Twice above 300 and below 350: the rule alarms only with a lower limit.
    for _peak in 0..2 {
        for (value, seconds) in [(330, 2), (150, 3)] {
            agent.set("press.pre", value);
            let until = Instant::now() + Duration::from_secs(seconds);
            tokio::time::sleep_until(until).await;
        }
    }
    let preview = eventually(SOON, "both peaks in the history", async || {
        let preview = desk.preview("pre.high.alarm", 310.0).await.unwrap();
        if preview.would_alarm == 2 { Ok(preview) } else { Err(format!("{preview:?}")) }
    })
    .await
    .unwrap();
    assert_eq!((preview.in_force_alarms, preview.unit.as_str()), (0, "mm[Hg]"));
    assert!(near(preview.lowest, 150.0) && near(preview.highest, 330.0), "{preview:?}");
    let covered = Duration::from_nanos(preview.covered_ns);
    assert!(covered >= Duration::from_secs(8) && covered < SOON, "{covered:?}");
    assert!(preview.without_data_ns <= preview.covered_ns);
    assert_eq!(desk.preview("pre.high.alarm", 340.0).await.unwrap().would_alarm, 0);
    assert_eq!(desk.treatment().await.version, 1);
    assert!(log.changes().iter().all(|(_, it)| it.condition != "pre.high.alarm"));
    // A new patient has no past here.
    desk.start(case(), 1).await.unwrap();
    let nothing = desk.preview("pre.high.alarm", 310.0).await.unwrap();
    assert_eq!(nothing.would_alarm, 0, "{nothing:?}");
    site.await_counted("ecmo_gateway_history_rows_lost_total", &[], 0.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_for_another_kind_of_pump_is_neither_shown_nor_set() {
    let site = Site::start().await;
    let _agent = site.agent("p1").await;
    let desk = Desk::at(&site.display, "p1");
    let roller = v1::Case { pump_kind: v1::PumpKind::Roller.into(), ..case() };
    let treatment = desk.start(roller, 0).await.unwrap();
    // By the birth it would be a centrifugal pump; what a person says goes before it.
    assert!(treatment.limits.iter().all(|limit| limit.rule != "drain.high#2"));
    let back = desk.change(case(), 1).await.unwrap();
    assert!(back.limits.iter().any(|limit| limit.rule == "drain.high#2"));
}
