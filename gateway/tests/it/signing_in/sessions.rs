//! Sessions at a real gateway: who is recorded, what ends them, how often may be guessed, and that looking goes on.

use ecmo_gateway::people::{PeopleSettings, Role, edit};
use ecmo_proto::v1;
use ecmo_testkit::eventually;
use tonic::Code;

use super::{PASSWORD, Ward, name_of, settings, with_token};
use crate::display::SOON;
use crate::hand::address;
use crate::site::Site;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_signed_in_is_recorded_and_nobody_else() {
    let ward = Ward::start().await;
    let agent = ward.site.agent("p1").await;
    agent.set("pump.speed", 0);
    agent.set("flow.blood", 0);
    let alarm = eventually(SOON, "the alarm", async || {
        let alarms = ward.site.display.list_alarms().await;
        alarms.into_iter().find(|one| one.condition == "pump.stop").ok_or_else(|| "none".to_owned())
    })
    .await
    .unwrap();
    let token = ward.sign_in(Role::Clinician).await;
    let request = |by: &str| v1::AcknowledgeAlarmRequest {
        occurrence: alarm.occurrence.clone(),
        revision: alarm.revision,
        by: by.to_owned(),
        ..v1::AcknowledgeAlarmRequest::default()
    };
    let mut alarms = ward.site.display.alarms();
    let viewer = ward.sign_in(Role::Viewer).await;
    let denied =
        alarms.acknowledge_alarm(with_token(request(""), Some(&viewer))).await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
    let other = alarms.acknowledge_alarm(with_token(request("Dr. Who"), Some(&token))).await;
    let other = other.unwrap_err();
    assert_eq!(other.code(), Code::PermissionDenied);
    assert!(other.message().contains("The clinician"), "{other}");
    let done = alarms.acknowledge_alarm(with_token(request(""), Some(&token))).await.unwrap();
    let done = done.into_inner();
    assert!(done.durable);
    assert_eq!(done.alarm.unwrap().acknowledged_by, "The clinician");

    let denials = |log: &[serde_json::Value], by: &str| {
        log.iter().filter(|line| line["kind"] == "refused" && line["by"] == by).count()
    };
    eventually(SOON, "the refusals in the log", async || {
        let log = ward.log();
        let seen = (denials(&log, "The viewer"), denials(&log, "The clinician"));
        if seen == (1, 1) { Ok(()) } else { Err(format!("{seen:?}")) }
    })
    .await
    .unwrap();
    let log = ward.log();
    let acknowledged: Vec<_> = log.iter().filter(|line| line["kind"] == "acknowledge").collect();
    assert!(
        matches!(acknowledged[..], [only] if only["by"] == "The clinician"),
        "{acknowledged:?}"
    );
    assert!(!log.iter().any(|line| line["by"] == "Dr. Who"));
    drop(agent);
    ward.site.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pin_acknowledges_under_a_name_that_says_so_and_is_always_in_the_log() {
    let ward = Ward::start().await;
    let opened = ward.by_pin(" Ann ").await;
    let identity = opened.identity.unwrap();
    assert!(identity.break_glass && identity.name == "Ann (break-glass)", "{identity:?}");
    assert!((290..=300).contains(&identity.left_s), "{identity:?}");
    let token = Some(opened.token.as_str());
    // As far as the alarm itself: there is none.
    assert_eq!(ward.acknowledge(token, "").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(ward.acknowledge(token, "Ann").await.unwrap_err().code(), Code::PermissionDenied);
    let wrong = ward.prove("Ann", v1::sign_in_request::Proof::Pin("482916".to_owned())).await;
    assert_eq!(wrong.unwrap_err().code(), Code::Unauthenticated);
    eventually(SOON, "the PIN in the log", async || {
        let log = ward.log();
        let has =
            |kind: &str, by: &str| log.iter().any(|line| line["kind"] == kind && line["by"] == by);
        let all = has("break_glass", "Ann (break-glass)")
            && has("refused", "Ann (break-glass)")
            && has("refused", "Ann");
        if all { Ok(()) } else { Err(format!("{log:#?}")) }
    })
    .await
    .unwrap();
    // Whoever changes the PIN ends what was opened by the old one.
    edit::set_pin(&ward.dir.path().join("people.toml"), "771204").unwrap();
    eventually(SOON, "the session ends", async || {
        let code = ward.acknowledge(token, "").await.unwrap_err().code();
        if code == Code::Unauthenticated { Ok(()) } else { Err(code.to_string()) }
    })
    .await
    .unwrap();
    ward.site.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_are_taken_anew_while_the_gateway_runs_and_a_broken_file_changes_nothing() {
    let ward = Ward::start().await;
    let file = ward.dir.path().join("people.toml");
    let token = ward.sign_in(Role::Clinician).await;
    let clinician = name_of(Role::Clinician);
    let allowed =
        async || ward.identity(&token).await.identity.map(|it| (it.role(), it.allowed.len()));
    assert_eq!(allowed().await, Some((v1::Role::Clinician, 13)));

    let whole = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "nonsense").unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert_eq!(allowed().await, Some((v1::Role::Clinician, 13)), "what was read last stays");
    assert!(ward.try_password(&clinician, PASSWORD).await.is_ok());

    std::fs::write(&file, whole.replacen("\"clinician\"", "\"viewer\"", 1)).unwrap();
    let role_is = async |wanted: Option<v1::Role>| {
        eventually(SOON, "the role", async || {
            let now = allowed().await.map(|(role, _)| role);
            if now == wanted { Ok(()) } else { Err(format!("{now:?}")) }
        })
        .await
        .unwrap();
    };
    role_is(Some(v1::Role::Viewer)).await;
    edit::remove(&file, &clinician).unwrap();
    role_is(None).await;
    assert_eq!(ward.acknowledge(Some(&token), "").await.unwrap_err().code(), Code::Unauthenticated);
    ward.site.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_cannot_be_guessed_quickly_and_a_name_that_is_none_is_no_different() {
    let ward = Ward::start().await;
    for name in [name_of(Role::Admin), "Nobody At All".to_owned()] {
        let mut codes = Vec::new();
        let mut messages = Vec::new();
        for attempt in 0..7 {
            let refused = ward.try_password(&name, &format!("wrong {attempt}")).await.unwrap_err();
            codes.push(refused.code());
            messages.push(refused.message().to_owned());
        }
        assert_eq!(codes[..5], [Code::Unauthenticated; 5], "{name}");
        assert_eq!(codes[5..], [Code::ResourceExhausted; 2], "{name}");
        assert!(messages[6].contains("try again in"), "{messages:?}");
        assert!(!messages[0].contains("account"), "nobody learns who has an account: {messages:?}");
    }
    // Others come in meanwhile, and so does the PIN.
    assert!(!ward.sign_in(Role::Clinician).await.is_empty());
    assert!(ward.by_pin("Ann").await.identity.is_some());
    for (name, secret) in
        [("", PASSWORD), (&name_of(Role::Viewer), ""), ("x (break-glass)", PASSWORD)]
    {
        assert!(ward.try_password(name, secret).await.is_err(), "{name}");
    }
    let long = "x".repeat(10_000);
    let refused = ward.try_password(&name_of(Role::Viewer), &long).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    ward.site.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_signs_out_is_out_and_looking_goes_on() {
    let ward = Ward::start().await;
    let token = ward.sign_in(Role::Clinician).await;
    assert_eq!(ward.identity(&token).await.identity.unwrap().name, "The clinician");
    let out = with_token(v1::SignOutRequest {}, Some(&token));
    ward.people().sign_out(out).await.unwrap();
    let refused = ward.acknowledge(Some(&token), "").await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert!(refused.message().contains("sign in again"), "{refused}");
    let unknown = ward.identity("ecmo-00").await;
    assert!(unknown.asked && unknown.has_pin && unknown.identity.is_none());
    let list = with_token(v1::ListPumpsRequest::default(), Some(&token));
    assert!(
        ward.site.display.pumps().list_pumps(list).await.is_ok(),
        "whose session is over still looks"
    );
    ward.site.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_without_its_accounts_starts_shows_and_takes_them_when_they_come() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    settings.people = Some(PeopleSettings::of_accounts(dir.path().join("people.toml")));
    let site = Site::with(settings).await;
    let ward = Ward { site, dir };
    let agent = ward.site.agent("p1").await;
    assert_eq!(agent.address, address("p1"));
    let refused = ward.try_password("The admin", PASSWORD).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    edit::add(&ward.dir.path().join("people.toml"), "The admin", Role::Admin, PASSWORD).unwrap();
    eventually(SOON, "the account", async || {
        ward.try_password("The admin", PASSWORD).await.map(|_in| ()).map_err(|it| it.to_string())
    })
    .await
    .unwrap();
    ward.site.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_people_in_the_settings_names_are_taken_as_they_are_said() {
    let site = Site::start().await;
    let dir = tempfile::tempdir().unwrap();
    let ward = Ward { site, dir };
    assert_eq!(ward.acknowledge(None, "Anybody").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(ward.acknowledge(None, "").await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(ward.identity("x").await, v1::GetIdentityResponse::default());
    let refused = ward.try_password("The admin", PASSWORD).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    ward.site.gateway.stop().await;
}
