//! How good the alarms were: what is counted, for a person and for Prometheus; notes of those who acknowledged.
#![cfg(test)]

use ecmo_proto::v1;
use tonic::Code;

use super::refused;
use crate::display::{Display, SOON};
use crate::site::Site;

async fn report(
    display: &Display,
    pump: &str,
) -> Result<v1::GetAlarmReportResponse, tonic::Status> {
    let request = v1::GetAlarmReportRequest { ward: "nicu".to_owned(), pump: pump.to_owned() };
    display.alarms().get_alarm_report(request).await.map(tonic::Response::into_inner)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_that_chatters_is_counted_in_the_report_and_in_the_metrics() {
    let site = Site::start().await;
    let agent = site.agent("p1").await;
    let log = site.display.watch_alarms().await;
    let quiet = report(&site.display, "p1").await.unwrap();
    assert_eq!((quiet.peak_hour, quiet.chattering, quiet.conditions.len()), (0, 0, 0));
    refused(report(&site.display, "p9").await, Code::NotFound, "list the pumps");
    let mut revision = 0;
    for _round in 0..3 {
        for bubble in [1, 0] {
            agent.set("air.bubble", bubble);
            revision += 1;
            log.change("bubble", |it| it.condition == "air.arterial" && it.revision == revision)
                .await;
        }
    }
    let report = report(&site.display, "p1").await.unwrap();
    assert_eq!((report.peak_hour, report.chattering, report.floods), (3, 1, 0));
    let high = report.raised.iter().find(|it| it.priority() == v1::AlarmPriority::High);
    assert_eq!(high.unwrap().raised, 3);
    let [air] = &report.conditions[..] else { panic!("{report:?}") };
    assert_eq!((air.condition.as_str(), air.raised, air.chattering), ("air.arterial", 3, 1));
    assert!(report.covered_ns > 0 && report.per_hour > 0.0 && !report.in_flood);
    let of_pump = "pump=\"p1\"";
    let high = [of_pump, "priority=\"high\""];
    site.await_counted("ecmo_gateway_alarms_raised_total", &high, 3.0).await;
    site.await_counted("ecmo_gateway_alarms_chattering_total", &[of_pump], 1.0).await;
    site.await_counted("ecmo_gateway_alarm_floods_total", &[of_pump], 0.0).await;
    let active = ["priority=\"high\"", "kind=\"physiological\""];
    site.await_counted("ecmo_gateway_alarms_active", &active, 1.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_note_of_who_acknowledged_is_seen_by_every_display() {
    let site = Site::start().await;
    let agent = site.agent("p1").await;
    let log = site.display.watch_alarms().await;
    agent.set("air.bubble", 1);
    let (_, air) = log.raised("p1", "air.arterial").await;
    let acknowledge = async |note: &str| {
        let request = v1::AcknowledgeAlarmRequest {
            occurrence: air.occurrence.clone(),
            revision: air.revision,
            by: "A. Nurse".to_owned(),
            note: note.to_owned(),
        };
        site.display.alarms().acknowledge_alarm(request).await
    };
    refused(acknowledge(&"x".repeat(257)).await, Code::InvalidArgument, "note");
    refused(acknowledge("a\u{7}b").await, Code::InvalidArgument, "note");
    acknowledge("clamped, looking for the leak").await.unwrap();
    let (_, seen) = log.change("acknowledged", |it| !it.acknowledged_by.is_empty()).await;
    assert_eq!(seen.acknowledged_note, "clamped, looking for the leak");
    assert_eq!(seen.audio(), v1::AudioState::Off);
    assert_eq!(seen.transition(), v1::AlarmTransition::Acknowledged);
    let since = seen.changed_mono_ns - seen.acknowledged_mono_ns.unwrap();
    assert!(u128::from(since) < SOON.as_nanos(), "{since} ns");
    let listed = site.display.list_alarms().await;
    let one = listed.iter().find(|it| it.occurrence == air.occurrence).unwrap();
    assert_eq!(one.transition(), v1::AlarmTransition::Unspecified, "a list tells no change");
}
