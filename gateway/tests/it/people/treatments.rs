//! Cases: what they make judgeable, what is refused, what a new patient takes away, contexts.
#![cfg(test)]

use ecmo_proto::v1;
use tonic::Code;

use super::{Desk, case, gap, limit, near, refused};
use crate::display::{Display, SOON};
use crate::site::Site;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_case_rules_say_what_they_lack_and_with_it_they_are_judged() {
    let site = Site::start().await;
    let agent = site.agent("p1").await;
    let desk = Desk::at(&site.display, "p1");
    let nothing = desk.await_treatment("data", |it| gap(it, "pre.high.warn").is_none()).await;
    assert_eq!((nothing.version, nothing.case.as_ref()), (0, None));
    assert!(!nothing.durable, "no folder for treatments is set");
    assert_eq!(gap(&nothing, "flow.low"), Some(v1::GapReason::NoWeight));
    assert_eq!(gap(&nothing, "flow.low#2"), Some(v1::GapReason::NoFlowTarget));
    assert_eq!(gap(&nothing, "recirculation"), Some(v1::GapReason::NoTherapy));
    assert_eq!(gap(&nothing, "post.high.warn"), Some(v1::GapReason::NoSensor));
    assert_eq!(gap(&nothing, "pump.stop"), None);
    assert_eq!(gap(&nothing, "pre.high.warn"), None);
    let low = limit(&nothing, "flow.low");
    assert_eq!(
        (low.limit, low.number_unit.as_str(), low.unit.as_str()),
        (None, "mL/kg/min", "mL/min")
    );
    let profile = nothing.profile.unwrap();
    assert_eq!((profile.name.as_str(), profile.reviewed_by.as_str()), ("neonatal starter", ""));

    // Half of the flow that a baby of 3 kg needs, and nobody has said that it is one.
    let log = site.display.watch_alarms().await;
    agent.set("flow.blood", 100);
    let shown = site
        .display
        .await_pump("p1", "low flow", |pump| crate::display::shows(pump, "flow.blood", 100.0))
        .await;
    assert!(shown.unreviewed && shown.rules_not_evaluable >= 10, "{shown:#?}");
    assert_eq!(shown.treatment_version, 0);
    let treatment = desk.start(case(), 0).await.unwrap();
    assert_eq!((treatment.version, &treatment.case), (1, &Some(case())));
    assert!(near(limit(&treatment, "flow.low").limit, 240.0));
    assert_eq!(gap(&treatment, "flow.low"), None);
    assert_eq!(gap(&treatment, "recirculation"), None, "it is not for this therapy");
    let (_, alarm) = log.raised("p1", "flow.low").await;
    assert!(alarm.unreviewed && near(alarm.limit, 240.0), "{alarm:?}");
    assert_eq!(alarm.transition(), v1::AlarmTransition::Raised);
    assert_eq!(alarm.audio(), v1::AudioState::On);
    assert!(alarm.rule.starts_with("flow.low"), "{alarm:?}");
    let pump = site.display.await_pump("p1", "version 1", |pump| pump.treatment_version == 1).await;
    assert!(pump.rules_not_evaluable < shown.rules_not_evaluable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_is_refused_with_the_code_of_the_contract() {
    let site = Site::start().await;
    let _agent = site.agent("p1").await;
    let desk = Desk::at(&site.display, "p1");
    let nobody = Desk::at(&site.display, "p9");
    refused(nobody.start(case(), 0).await, Code::NotFound, "list the pumps");
    refused(desk.change(case(), 0).await, Code::FailedPrecondition, "start the treatment");
    refused(desk.set("flow.low", Some(70.0), 0).await, Code::FailedPrecondition, "no case");
    refused(desk.preview("flow.low", 70.0).await, Code::FailedPrecondition, "no case");
    refused(desk.start(case(), 7).await, Code::Aborted, "version 0");
    let heavy = v1::Case { weight_kg: Some(30.0), ..case() };
    refused(desk.start(heavy, 0).await, Code::InvalidArgument, "0.3 to 10");
    let strange = v1::Case { therapy: 99, ..case() };
    refused(desk.start(strange, 0).await, Code::InvalidArgument, "therapy");
    let client = || desk.client();
    let without_case = v1::StartTreatmentRequest {
        ward: "nicu".to_owned(),
        pump: "p1".to_owned(),
        by: "x".to_owned(),
        ..v1::StartTreatmentRequest::default()
    };
    let unnamed = v1::StartTreatmentRequest {
        case: Some(case()),
        by: " ".to_owned(),
        ..without_case.clone()
    };
    refused(client().start_treatment(without_case).await, Code::InvalidArgument, "case");
    refused(client().start_treatment(unnamed).await, Code::InvalidArgument, "by");
    assert_eq!(desk.treatment().await.version, 0, "none of these changed anything");

    desk.start(case(), 0).await.unwrap();
    refused(desk.set("flow.low", Some(151.0), 1).await, Code::InvalidArgument, "40 to 150");
    refused(desk.set("flow.low", Some(f32::NAN), 1).await, Code::InvalidArgument, "40 to 150");
    refused(desk.set("flow.lowest", Some(70.0), 1).await, Code::NotFound, "flow.lowest");
    refused(desk.set("air.arterial", Some(0.5), 1).await, Code::InvalidArgument, "nobody");
    refused(desk.set("flow.low", Some(70.0), 0).await, Code::Aborted, "version 1");
    refused(desk.preview("flow.low", 1.0).await, Code::InvalidArgument, "40 to 150");
    refused(desk.declare(v1::ContextKind::Wean, 0).await, Code::InvalidArgument, "minutes");
    refused(desk.declare(v1::ContextKind::Wean, 9_999).await, Code::InvalidArgument, "minutes");
    refused(desk.declare(v1::ContextKind::Unspecified, 1).await, Code::InvalidArgument, "kind");
    refused(desk.end(v1::ContextKind::Wean).await, Code::NotFound, "not declared");
    assert_eq!(desk.treatment().await.version, 1, "none of these changed anything");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_patient_has_the_limits_of_the_profile_and_no_context() {
    let site = Site::start().await;
    let _agent = site.agent("p1").await;
    let desk = Desk::at(&site.display, "p1");
    desk.start(case(), 0).await.unwrap();
    desk.set("flow.low", Some(60.0), 1).await.unwrap();
    let before = desk.declare(v1::ContextKind::Wean, 30).await.unwrap();
    assert_eq!((before.version, before.contexts.len(), before.changes.len()), (3, 1, 1));
    let pump = site.display.await_pump("p1", "set", |pump| pump.limits_set == 1).await;
    assert_eq!(pump.contexts().collect::<Vec<_>>(), [v1::ContextKind::Wean]);

    let lighter = v1::Case { weight_kg: Some(2.0), pseudonym: "red".to_owned(), ..case() };
    let same = desk.change(lighter.clone(), 3).await.unwrap();
    assert!(limit(&same, "flow.low").is_set && near(limit(&same, "flow.low").limit, 120.0));
    let new = desk.start(lighter, 4).await.unwrap();
    let low = limit(&new, "flow.low");
    assert!(!low.is_set && near(Some(low.number), 80.0) && near(low.limit, 160.0), "{low:?}");
    assert_eq!((new.contexts.len(), new.changes.len()), (0, 0));
    site.display
        .await_pump("p1", "reset", |pump| pump.limits_set == 0 && pump.contexts.is_empty())
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_context_lowers_an_alarm_and_its_end_gives_it_its_urgency_back() {
    let site = Site::start().await;
    let agent = site.agent("p1").await;
    let desk = Desk::at(&site.display, "p1");
    desk.start(case(), 0).await.unwrap();
    let log = site.display.watch_alarms().await;
    agent.set("flow.blood", 100);
    let (_, high) = log.raised("p1", "flow.very_low").await;
    assert_eq!(high.priority(), v1::AlarmPriority::High);
    let now = desk.declare(v1::ContextKind::Priming, 1).await.unwrap();
    assert_eq!(limit(&now, "flow.very_low").priority(), v1::AlarmPriority::Low);
    // Nothing that the reference protects is lowered below medium, or switched off.
    assert_eq!(limit(&now, "air.arterial").priority(), v1::AlarmPriority::Medium);
    assert!(limit(&now, "pump.stop").priority() >= v1::AlarmPriority::Medium);
    let very_low = |it: &v1::Alarm| it.occurrence == high.occurrence;
    let (_, low) =
        log.change("lowered", |it| very_low(it) && it.priority() == v1::AlarmPriority::Low).await;
    assert!(low.present && low.transition() == v1::AlarmTransition::RuleChanged, "{low:?}");
    let context = now.contexts.first().unwrap();
    assert_eq!((context.kind(), context.by.as_str()), (v1::ContextKind::Priming, "A. Nurse"));
    let ended = desk.end(v1::ContextKind::Priming).await.unwrap();
    assert!(ended.contexts.is_empty());
    let (_, back) =
        log.change("urgent again", |it| very_low(it) && it.revision > low.revision).await;
    assert_eq!(back.priority(), v1::AlarmPriority::High);
    assert_eq!(back.transition(), v1::AlarmTransition::Worsened);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_display_has_each_change_at_once_and_a_heartbeat_each_second() {
    let site = Site::start().await;
    let _agent = site.agent("p1").await;
    let other = Display::connect(site.gateway.address()).await;
    let watcher = Desk::at(&other, "p1");
    let request = v1::WatchTreatmentsRequest { ward: "nicu".to_owned() };
    let mut stream = watcher.client().watch_treatments(request).await.unwrap().into_inner();
    let mut next = async || {
        let message = tokio::time::timeout(SOON, stream.message()).await.unwrap();
        message.unwrap().unwrap()
    };
    let first = next().await;
    assert_eq!((first.sequence, first.treatments.len()), (0, 1));
    let desk = Desk::at(&site.display, "p1");
    let changes = [
        desk.start(case(), 0).await.unwrap(),
        desk.set("flow.low", Some(70.0), 1).await.unwrap(),
        desk.declare(v1::ContextKind::Suctioning, 1).await.unwrap(),
    ];
    let newest = changes.last().unwrap();
    let mut last = first;
    let mut heartbeats = 0;
    let mut seen = 0;
    while seen < newest.version || heartbeats == 0 {
        let message = next().await;
        assert_eq!((message.sequence, message.epoch), (last.sequence + 1, last.epoch));
        let apart_ms = (message.now_mono_ns - last.now_mono_ns) / 1_000_000;
        assert!(apart_ms < 1_500, "{apart_ms} ms without a word");
        heartbeats += u32::from(message.treatments.is_empty());
        seen = message.treatments.iter().map(|it| it.version).max().unwrap_or(seen);
        last = message;
    }
    assert_eq!(watcher.treatment().await.changes, newest.changes);
}
