//! Displays that attend, freeze, fall silent, vanish: what the gateway tells of them, and where an alarm goes that nobody sees.
#![cfg(test)]

use std::time::Duration;

use ecmo_proto::v1;
use ecmo_testkit::eventually;
use tokio::time::Instant;
use tonic::Code;

use crate::display::{AlarmLog, Attendant, Display, SOON};
use crate::hand::{HandAgent, address_in};
use crate::site::Site;
use crate::two_paths::Answerer;

/// A live agent of a ward.
async fn agent(site: &Site, ward: &str, pump: &str) -> HandAgent {
    let mut agent = HandAgent::connect(site.broker(), address_in(ward, pump));
    site.introduce(&agent).await;
    agent.go_on();
    site.display.await_live(pump).await;
    agent
}

async fn other(site: &Site) -> Display {
    Display::connect(site.gateway.address()).await
}

/// Waits until a condition about a ward is present, or has ended.
async fn of_ward(log: &AlarmLog, ward: &str, condition: &str, present: bool) -> v1::Alarm {
    let what = format!("{ward} {condition} present {present}");
    let is_it = |alarm: &v1::Alarm| {
        alarm.ward == ward && alarm.condition == condition && alarm.present == present
    };
    log.change(&what, is_it).await.1
}

/// What a log heard besides how slow a busy machine makes the gateway.
fn news(log: &AlarmLog) -> Vec<v1::Alarm> {
    let is_slowness = |alarm: &v1::Alarm| {
        alarm.condition == "gateway.overload" || alarm.condition.starts_with("latency.")
    };
    let changes = log.changes().into_iter().map(|(_, alarm)| alarm);
    changes.filter(|alarm| !is_slowness(alarm)).collect()
}

async fn displays(site: &Site, ward: &str) -> Vec<v1::Display> {
    let request = v1::ListDisplaysRequest { ward: ward.to_owned() };
    site.display.displays().list_displays(request).await.unwrap().into_inner().displays
}

async fn confirmations(site: &Site, of: &v1::Alarm) -> Option<v1::AlarmConfirmations> {
    let request = v1::ListConfirmationsRequest::default();
    let answer = site.display.displays().list_confirmations(request).await.unwrap().into_inner();
    answer.alarms.into_iter().find(|one| one.occurrence == of.occurrence)
}

/// Waits until an answer is as it should be.
async fn until(what: &str, mut is_it: impl AsyncFnMut() -> Result<(), String>) {
    eventually(SOON, what, async || is_it().await).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ward_that_nobody_watches_is_an_alarm_of_that_ward_until_a_display_attends() {
    let site = Site::start().await;
    let _agents = (agent(&site, "nicu", "p1").await, agent(&site, "picu", "p2").await);
    let attends_picu = other(&site).await.attend("station", "picu").await;
    let (all, begun) = (site.display.watch_alarms().await, Instant::now());
    let nicu = AlarmLog::new(site.display.alarm_stream("nicu").await).await;
    let none = of_ward(&all, "nicu", "display.none", true).await;
    assert!(begun.elapsed() < Duration::from_secs(14), "{:?}", begun.elapsed());
    assert_eq!((none.pump.as_str(), none.gateway.as_str()), ("", "gateway"));
    assert!(none.occurrence.starts_with("nicu/@gateway/display.none/"), "{}", none.occurrence);
    assert_eq!(none.priority(), v1::AlarmPriority::Medium);
    of_ward(&nicu, "nicu", "display.none", true).await;
    // It is acknowledged as any other, by its id.
    let seen = site.display.acknowledge(&none, none.revision, "A. Nurse").await.unwrap();
    assert_eq!(seen.signal(), v1::SignalPresence::Acknowledged);

    let attends = other(&site).await.attend("bedside", "nicu").await;
    of_ward(&all, "nicu", "display.none", false).await;
    let of_picu = |log: &AlarmLog| log.changes().iter().any(|(_, one)| one.ward == "picu");
    assert!(!of_picu(&all), "picu was attended: {:?}", all.changes());
    let concerns = attends_picu.log.changes().iter().any(|(_, one)| one.ward == "nicu");
    assert!(!concerns, "a ward's own concerns that ward only");
    drop(attends);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_display_that_paints_no_longer_is_lost_while_its_stream_and_its_lease_go_on() {
    let site = Site::start().await;
    let _agent = agent(&site, "nicu", "p1").await;
    let witness = other(&site).await.attend("witness", "nicu").await;
    let frozen = other(&site).await.attend("frozen", "nicu").await;
    frozen.freeze();
    let froze = Instant::now();
    frozen.await_state(v1::DisplayState::NotPainting).await;
    of_ward(&witness.log, "nicu", "display.lost", true).await;
    assert!(froze.elapsed() < Duration::from_millis(4_500), "{:?}", froze.elapsed());
    let known = displays(&site, "nicu").await;
    let states: Vec<_> = known.iter().map(|one| (one.name.as_str(), one.state())).collect();
    let (attends, frozen_now) = (v1::DisplayState::Attends, v1::DisplayState::NotPainting);
    assert_eq!(states, [("frozen", frozen_now), ("witness", attends)]);
    assert_eq!(displays(&site, "picu").await, []);
    // It is back, and then it is gone without a word.
    frozen.thaw();
    of_ward(&witness.log, "nicu", "display.lost", false).await;
    drop(frozen);
    until("lost", async || {
        let state = displays(&site, "nicu").await[0].state();
        if state == v1::DisplayState::Lost { Ok(()) } else { Err(format!("{state:?}")) }
    })
    .await;
    let raised = |log: &AlarmLog| {
        let lost = |alarm: &v1::Alarm| alarm.condition == "display.lost" && alarm.present;
        log.changes().iter().filter(|(_, one)| lost(one)).count()
    };
    until("a second time", async || match raised(&witness.log) {
        2 => Ok(()),
        times => Err(times.to_string()),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_display_that_says_goodbye_is_not_lost() {
    let site = Site::start().await;
    let _agent = agent(&site, "nicu", "p1").await;
    let witness = other(&site).await.attend("witness", "nicu").await;
    other(&site).await.attend("closed", "nicu").await.leave().await;
    assert_eq!(displays(&site, "").await.len(), 1);
    // Twice the time after which it would be.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(news(&witness.log), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ward_whose_displays_have_no_sound_is_told_until_one_can_be_heard() {
    let site = Site::start().await;
    let _agent = agent(&site, "nicu", "p1").await;
    let display = other(&site).await.attend("station", "").await;
    display.sounds(v1::AudioOutput::Blocked);
    let silent = of_ward(&display.log, "nicu", "display.silent", true).await;
    assert_eq!(silent.priority(), v1::AlarmPriority::Low);
    display.sounds(v1::AudioOutput::On);
    of_ward(&display.log, "nicu", "display.silent", false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_high_alarm_that_its_ward_does_not_confirm_goes_to_all_and_who_has_shown_it_is_told() {
    let site = Site::start().await;
    let (first, _second) = (agent(&site, "nicu", "p1").await, agent(&site, "picu", "p2").await);
    let own = other(&site).await.attend("own", "nicu").await;
    let of_picu = other(&site).await.attend("other", "picu").await;
    own.confirms(false);
    of_picu.confirms(false);
    first.set("air.bubble", 1);
    let raised_at = Instant::now();
    let (_, alarm) = own.log.raised("p1", "air.arterial").await;
    assert!(!alarm.redirected);
    let (redirected_at, given) = of_picu.log.raised("p1", "air.arterial").await;
    assert!(given.redirected && given.ward == "nicu" && given.occurrence == alarm.occurrence);
    let after = redirected_at - raised_at;
    assert!((Duration::from_millis(1_900)..Duration::from_secs(4)).contains(&after), "{after:?}");
    own.log.raised("", "delivery.unconfirmed").await;
    let who = confirmations(&site, &alarm).await.unwrap();
    assert_eq!((who.confirmations, who.missing), (vec![], vec!["own".to_owned()]));
    // Who asks for the list of the other ward gets it too.
    let request = v1::ListAlarmsRequest { ward: "picu".to_owned() };
    let listed = site.display.alarms().list_alarms(request).await.unwrap().into_inner().alarms;
    assert!(listed.iter().any(|one| one.occurrence == alarm.occurrence && one.redirected));

    let shown = vec![v1::ShownAlarm { occurrence: given.occurrence, revision: given.revision }];
    let request = v1::ConfirmAlarmsRequest { display: "other".to_owned(), shown };
    let answer = site.display.alarms().confirm_alarms(request).await.unwrap().into_inner();
    assert!(answer.counts, "it was given to all");
    own.log.ended("", "delivery.unconfirmed").await;
    let who = confirmations(&site, &alarm).await.unwrap();
    let by: Vec<_> =
        who.confirmations.iter().map(|one| (one.display.as_str(), one.revision)).collect();
    assert_eq!((by, who.missing), (vec![("other", 1)], vec!["own".to_owned()]));
    assert!(who.confirmations[0].took_ns.unwrap() >= 1_900_000_000);
    site.await_counted("ecmo_gateway_alarms_redirected_total", &[], 1.0).await;
    // A display that was given it sees its end too.
    let acknowledged = site.display.acknowledge(&alarm, 1, "A. Nurse").await.unwrap();
    first.set("air.bubble", 0);
    let (_, ended) = of_picu.log.ended("p1", "air.arterial").await;
    assert!(ended.redirected && ended.revision > acknowledged.revision);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_high_alarm_that_a_display_of_its_ward_confirms_bothers_nobody_else() {
    let site = Site::start().await;
    let (first, _second) = (agent(&site, "nicu", "p1").await, agent(&site, "picu", "p2").await);
    let own = other(&site).await.attend("own", "nicu").await;
    let of_picu = other(&site).await.attend("other", "picu").await;
    first.set("air.bubble", 1);
    let (_, alarm) = own.log.raised("p1", "air.arterial").await;
    until("confirmed", async || {
        let who = confirmations(&site, &alarm).await.ok_or("no such alarm")?;
        let by: Vec<_> = who.confirmations.iter().map(|one| one.display.as_str()).collect();
        if by == ["own"] && who.missing.is_empty() { Ok(()) } else { Err(format!("{who:?}")) }
    })
    .await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(news(&of_picu.log), []);
    let others: Vec<_> = news(&own.log).into_iter().filter(|one| one.pump != "p1").collect();
    assert_eq!(others, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_display_must_name_itself_and_its_wards_and_find_room() {
    let mut settings = ecmo_gateway::config::Settings::on_free_ports();
    settings.serve.displays_max = 1;
    let site = Site::with(settings).await;
    let attend = async |display: &str, wards: &[&str]| {
        let wards = wards.iter().map(|ward| (*ward).to_owned()).collect();
        let request = v1::AttendWardsRequest { display: display.to_owned(), wards, health: None };
        let answer = site.display.displays().attend_wards(request).await;
        answer.map(|answer| answer.into_inner().state()).map_err(|status| status.code())
    };
    for (display, wards) in [("", &[][..]), ("a\nb", &[]), ("a", &["no ward"]), ("a", &[""])] {
        assert_eq!(attend(display, wards).await, Err(Code::InvalidArgument), "{display} {wards:?}");
    }
    let many: Vec<String> = (0..40).map(|number| format!("w{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(attend("a", &many).await, Err(Code::InvalidArgument));
    // A display that says nothing of its health does not paint.
    assert_eq!(attend("a", &["nicu"]).await, Ok(v1::DisplayState::NotPainting));
    assert_eq!(attend("b", &["nicu"]).await, Err(Code::ResourceExhausted));
    let leave = async |display: &str| {
        let request = v1::LeaveWardsRequest { display: display.to_owned() };
        site.display.displays().leave_wards(request).await.map_err(|status| status.code())
    };
    assert_eq!(leave("").await.unwrap_err(), Code::InvalidArgument);
    leave("a").await.unwrap();
    assert_eq!(attend("b", &["nicu"]).await, Ok(v1::DisplayState::NotPainting));
}

/// Whether the confirmation of one that does not attend counts.
async fn counts(site: &Site, attendant: &Attendant, alarm: &v1::Alarm) -> bool {
    let shown =
        vec![v1::ShownAlarm { occurrence: alarm.occurrence.clone(), revision: alarm.revision }];
    let request = v1::ConfirmAlarmsRequest { display: attendant.name.clone(), shown };
    site.display.alarms().confirm_alarms(request).await.unwrap().into_inner().counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_display_that_attends_counts_and_a_hidden_one_counts_once_it_is_seen_again() {
    let site = Site::start().await;
    let agent = agent(&site, "nicu", "p1").await;
    let display = other(&site).await.attend("station", "nicu").await;
    display.confirms(false);
    display.shows(false);
    display.await_state(v1::DisplayState::NotPainting).await;
    agent.set("air.bubble", 1);
    let (_, alarm) = display.log.raised("p1", "air.arterial").await;
    assert!(!counts(&site, &display, &alarm).await);
    display.log.raised("", "delivery.unconfirmed").await;
    display.shows(true);
    display.log.ended("", "delivery.unconfirmed").await;
    assert!(counts(&site, &display, &alarm).await);
}

/// Waits until leases come, or until none has come for two of the agent's seconds.
async fn leases(answerer: &Answerer, come: bool) {
    let what = format!("leases come: {come}");
    let mut quiet_since = Instant::now();
    answerer.leases.lock().unwrap().clear();
    until(&what, async || {
        let some = !std::mem::take(&mut *answerer.leases.lock().unwrap()).is_empty();
        if some {
            quiet_since = Instant::now();
        }
        let so = if come { some } else { quiet_since.elapsed() >= Duration::from_secs(2) };
        if so { Ok(()) } else { Err(format!("quiet for {:?}", quiet_since.elapsed())) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_lease_is_given_for_a_pump_whose_high_alarm_nobody_has_confirmed_and_others_keep_theirs()
{
    let site = Site::start().await;
    let (sick, well) = (agent(&site, "nicu", "p1").await, agent(&site, "nicu", "p2").await);
    let display = other(&site).await.attend("station", "nicu").await;
    let of_sick = Answerer::start(site.broker(), &sick);
    let of_well = Answerer::start(site.broker(), &well);
    tokio::join!(leases(&of_sick, true), leases(&of_well, true));
    display.confirms(false);
    sick.set("air.bubble", 1);
    let (_, alarm) = display.log.raised("p1", "air.arterial").await;
    display.log.raised("", "delivery.unconfirmed").await;
    leases(&of_sick, false).await;
    leases(&of_well, true).await;
    // Confirmed at last, it is leased again although the alarm is still there.
    assert!(counts(&site, &display, &alarm).await);
    leases(&of_sick, true).await;
    // Acknowledged, it needs no display to show what comes of it.
    sick.set("press.pre", 400);
    let (_, second) = display.log.raised("p1", "pre.high.alarm").await;
    leases(&of_sick, false).await;
    site.display.acknowledge(&second, second.revision, "A. Nurse").await.unwrap();
    leases(&of_sick, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_reaches_every_display_in_silence_and_its_time_is_counted() {
    let site = Site::start().await;
    let nicu = other(&site).await.attend("one", "nicu").await;
    let picu = other(&site).await.attend("two", "picu").await;
    // By hand: the synthetic pumps of this gateway and of another one.
    let mut pumps = Vec::new();
    for name in ["gateway", "gateway-b"] {
        let mut pump = HandAgent::connect(site.broker(), address_in("_drill", name));
        pump.announce(&pump.birth()).await;
        pump.go_on();
        pumps.push(pump);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    for pump in &pumps {
        pump.set("pump.speed", 0);
    }
    for display in [&nicu, &picu] {
        until("a drill", async || match &display.drills()[..] {
            [drill] if drill.occurrence.starts_with("_drill/gateway/") => Ok(()),
            drills => Err(format!("{drills:?}")),
        })
        .await;
    }
    let canary = "ecmo_gateway_canary_latency_seconds_count";
    for stage in ["stage=\"decided\"", "stage=\"confirmed\""] {
        site.await_counted(canary, &[stage], 1.0).await;
    }
    // Over, and once more.
    pumps[0].set("pump.speed", 2_000);
    tokio::time::sleep(Duration::from_millis(500)).await;
    pumps[0].set("pump.speed", 0);
    until("a second one", async || match nicu.drills().len() {
        2 => Ok(()),
        drills => Err(drills.to_string()),
    })
    .await;
    let drills = nicu.drills();
    assert_ne!(drills[0].occurrence, drills[1].occurrence);
    // It is no pump and no alarm, and what is another gateway's was not even refused.
    assert_eq!(site.display.list().await.pumps, []);
    assert_eq!((news(&nicu.log), news(&picu.log)), (vec![], vec![]));
    site.await_counted("ecmo_gateway_frames_rejected_total", &[], 0.0).await;
    site.await_counted("ecmo_gateway_displays_attending", &[], 2.0).await;
}
