//! The alarm at the bedside: it sounds when nobody listens, is quiet again, and its verdict is held against the gateway's.
#![cfg(test)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ecmo_faults::{AgentSetup, WARD, Ward};
use ecmo_proto::v1;
use ecmo_proto::v1::treatment_service_client::TreatmentServiceClient;
use ecmo_testkit::display::{AlarmLog, Display};
use ecmo_testkit::{eventually, program::built};
use tokio::time::{Instant, sleep, sleep_until};

use crate::site::{JOURNAL, PUMP, SETTLE, Site, display};

/// The lease lasts so long after what was judged, and a command may take so long to start.
const SOUNDS_WITHIN: Duration = Duration::from_millis(2_500);

/// What a command at the bedside has been told: a line for each start.
struct Bedside(PathBuf);

impl Bedside {
    /// A simulated circuit with a fault, and a command that takes note of what it is told; `local` are more keys.
    fn new<'a>(ward: &Ward, fault: &str, local: &str) -> (Self, AgentSetup<'a>) {
        let told = ward.folder().join("bedside");
        let note = "echo $ECMO_ALARM_STATE $ECMO_ALARM_PRIORITY $ECMO_ALARM_CONDITION";
        let command = format!("command = [\"/bin/sh\", \"-c\", \"{note} >> {}\"]", told.display());
        let simulated = AgentSetup::simulated(PUMP, ward.broker_addresses());
        let settings = format!("[local_alarm]\n{command}\n{local}\n{}{fault}", simulated.settings);
        (Self(told), AgentSetup { settings, ..simulated })
    }

    fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    async fn is_told(&self, what: &str) -> Instant {
        eventually(SETTLE, what, async || {
            let lines = self.lines();
            if lines.iter().any(|line| line.starts_with(what)) {
                Ok(Instant::now())
            } else {
                Err(format!("{lines:?}"))
            }
        })
        .await
        .unwrap()
    }
}

fn is_leased(pump: &v1::Pump) -> bool {
    local(pump).is_some_and(|local| local.leased && !local.sounding)
}

fn local(pump: &v1::Pump) -> Option<&v1::LocalAlarm> {
    pump.agent.as_ref()?.local_alarm.as_ref()
}

/// What the agent of the pump is shown as, in words.
fn words(gateway: std::net::SocketAddr) -> String {
    let url = format!("http://{gateway}");
    let mut ecmoctl = Command::new(built("ecmoctl").unwrap());
    let pump = format!("{WARD}/{PUMP}");
    let shown = ecmoctl.args(["--gateway", &url, "agent", &pump]).output().unwrap();
    let error = String::from_utf8_lossy(&shown.stderr);
    assert!(error.is_empty(), "{error}");
    String::from_utf8_lossy(&shown.stdout).into_owned()
}

async fn missed(display: &Display, condition: &str) -> v1::MissedAlarm {
    eventually(SETTLE, "what both sides found is listed", async || {
        let request = v1::ListMissedAlarmsRequest::default();
        let answer = display.alarms().list_missed_alarms(request).await.unwrap().into_inner();
        let both = |one: &&v1::MissedAlarm| {
            one.condition == condition && one.found_by_agent && one.found_by_gateway
        };
        let found = answer.missed.iter().find(both).cloned();
        found.ok_or_else(|| format!("{:?}", answer.missed))
    })
    .await
    .unwrap()
}

fn conditions(log: &AlarmLog) -> Vec<String> {
    log.changes().into_iter().map(|(_, alarm)| alarm.condition).collect()
}

#[tokio::test]
#[ignore = "needs Mosquitto"]
async fn fault_f12_a_gateway_that_is_killed_leaves_the_alarm_to_the_bedside_until_it_is_back() {
    let ward = Ward::start(1).unwrap();
    let fault = "faults = [{ kind = \"pump-stop\", at_s = 5 }]\n";
    let (bedside, setup) = Bedside::new(&ward, fault, "");
    let site = Site::with(ward, &setup).await;
    site.log.raised(PUMP, "pump.stop").await;
    site.settles("the agent is leased", is_leased).await;
    let before = bedside.lines();
    assert!(before.iter().all(|line| !line.starts_with("sounding")), "{before:?}");

    let Site { ward, gateway, agent: _agent, .. } = site;
    let killed_at = Instant::now();
    gateway.kill().unwrap();
    let sounded_at = bedside.is_told("sounding high pump.stop").await;
    println!("f12: the bedside sounds {:?} after the kill", sounded_at - killed_at);
    assert!(sounded_at - killed_at <= SOUNDS_WITHIN, "{:?}", sounded_at - killed_at);

    let _gateway = ward.gateway(&ward.folder().join("gateway.toml")).unwrap();
    let shown = display(&ward).await;
    bedside.is_told("quiet").await;
    shown.await_pump(PUMP, "leased and quiet", is_leased).await;
    let lines = bedside.lines();
    assert!(lines.last().is_some_and(|line| line.starts_with("quiet")), "{lines:?}");
    shown
        .await_pump(PUMP, "the stop is raised by the gateway", |pump| {
            pump.alarms.iter().any(|alarm| alarm.condition == "pump.stop" && alarm.present)
        })
        .await;
}

#[tokio::test]
#[ignore = "needs Mosquitto"]
async fn an_excursion_within_an_outage_sounds_at_the_bedside_only_and_is_listed_by_both() {
    let ward = Ward::start(1).unwrap();
    let fault = "faults = [{ kind = \"pump-stop\", at_s = 16, for_s = 8 }]\n";
    let (bedside, setup) = Bedside::new(&ward, fault, "");
    let started_at = Instant::now();
    let mut site = Site::with(ward, &setup).await;
    site.settles("the agent is leased", is_leased).await;
    assert!(started_at.elapsed() < Duration::from_secs(12), "too slow to begin before the fault");
    site.ward.brokers[0].kill().unwrap();
    bedside.is_told("sounding high pump.stop").await;
    // The stop is over, and so is what follows from it.
    sleep_until(started_at + Duration::from_secs(40)).await;
    site.ward.brokers[0].restart().unwrap();
    site.log.ended(PUMP, "comm.stale").await;

    let stop = missed(&site.display, "pump.stop").await;
    assert!(stop.sounded && stop.end_wall_ns.is_some(), "{stop:?}");
    site.log.raised(PUMP, "alarm.missed").await.1.signal();
    site.settles("the agent is leased again", is_leased).await;
    sleep(Duration::from_secs(3)).await;
    let told = conditions(&site.log);
    // This display confirms nothing, and comm.stale is high.
    let about_arrival = ["comm.", "alarm.missed", "source.", "clock.", "delivery."];
    let late = told.iter().filter(|one| !about_arrival.iter().any(|it| one.starts_with(it)));
    assert_eq!(late.collect::<Vec<_>>(), Vec::<&String>::new(), "sounds late: {told:?}");
    site.assert_no_physiological_alarm();
    assert_eq!(site.pump().await.verdict_difference, None);
}

#[tokio::test]
#[ignore = "needs Mosquitto"]
async fn an_agent_with_another_profile_is_told_in_words() {
    let ward = Ward::start(1).unwrap();
    let profiles = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/profiles");
    let profile = std::fs::read_to_string(profiles.join("neonatal-starter.toml")).unwrap();
    let other = profile.replacen("\nbelow = -50.0\n", "\nbelow = -45.0\n", 1);
    assert_ne!(profile, other);
    std::fs::write(ward.folder().join("other.toml"), other).unwrap();
    let (_bedside, setup) = Bedside::new(&ward, "", "profile = \"other.toml\"");
    let site = Site::with(ward, &setup).await;
    let differs = |alarm: &v1::Alarm| alarm.condition == "alarm.verdict_differs" && alarm.present;
    let (_, alarm) = site.log.change("the profiles differ", differs).await;
    assert_eq!(alarm.priority(), v1::AlarmPriority::Medium);
    let told = site.pump().await.verdict_difference.unwrap();
    assert_eq!(told.kind(), v1::VerdictDifferenceKind::Profile);
    assert!(!told.afterwards);
    let shown = words(site.ward.displays_at());
    assert!(shown.contains("ANOTHER PROFILE"), "{shown}");
    let log = site.gateway.log();
    assert!(log.contains("agent and gateway run different profiles"), "{log}");
}

#[tokio::test]
#[ignore = "needs Mosquitto"]
async fn a_limit_that_is_set_holds_at_the_bedside_and_after_a_restart_without_a_gateway() {
    let ward = Ward::start(1).unwrap();
    let (bedside, setup) = Bedside::new(&ward, "", "state = \"local\"\ngrace_s = 3");
    let site = Site::with(ward, &setup).await;
    site.settles("the agent is leased", is_leased).await;
    let mut treatments = TreatmentServiceClient::new(site.display.channel.clone());
    let start = v1::StartTreatmentRequest {
        ward: WARD.to_owned(),
        pump: PUMP.to_owned(),
        case: Some(v1::Case {
            pseudonym: "blue".to_owned(),
            weight_kg: Some(3.0),
            therapy: v1::Therapy::VenoArterial.into(),
            ..v1::Case::default()
        }),
        by: "A. Doctor".to_owned(),
        version: site.pump().await.treatment_version,
    };
    let begun = treatments.start_treatment(start).await.unwrap().into_inner().treatment.unwrap();
    // A healthy circuit violates it.
    let request = v1::SetLimitRequest {
        ward: WARD.to_owned(),
        pump: PUMP.to_owned(),
        rule: "drain.low.warn".to_owned(),
        number: Some(-20.0),
        by: "A. Doctor".to_owned(),
        reason: "as agreed on the round".to_owned(),
        version: begun.version,
    };
    let set = treatments.set_limit(request).await.unwrap().into_inner().treatment.unwrap();
    let holds = |pump: &v1::Pump| {
        local(pump).is_some_and(|local| {
            local.treatment_version == set.version
                && local.present.iter().any(|one| one.condition == "drain.low.warn")
        })
    };
    site.settles("the agent judges by the limit", holds).await;
    assert!(bedside.lines().iter().all(|line| !line.starts_with("sounding")));

    // Both are gone, and the agent alone comes back.
    let Site { ward, gateway, agent, .. } = site;
    gateway.kill().unwrap();
    agent.kill().unwrap();
    let before = bedside.lines().len();
    let _agent = ward.agent(&setup).unwrap();
    eventually(SETTLE, "the patient's limit sounds at the bedside", async || {
        let lines = bedside.lines();
        let sounds = "sounding medium drain.low.warn";
        if lines.iter().skip(before).any(|line| line == sounds) {
            Ok(())
        } else {
            Err(format!("{lines:?}"))
        }
    })
    .await
    .unwrap();
    let settings = ward.gateway_settings(&ward.broker_addresses(), JOURNAL).unwrap();
    let _gateway = ward.gateway(&settings).unwrap();
    let shown = display(&ward).await;
    shown.await_pump(PUMP, "the same version after the restart", holds).await;
}
