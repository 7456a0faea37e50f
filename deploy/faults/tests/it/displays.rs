//! F39: a display that is frozen: its picture still stands there, and nobody is told by it any more.
#![cfg(test)]

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use ecmo_faults::WARD;
use ecmo_proto::v1;
use ecmo_proto::v1::display_service_client::DisplayServiceClient;
use ecmo_testkit::display::Display;
use ecmo_testkit::{Program, eventually};
use tokio::time::{Instant, interval};

use crate::site::{SETTLE, Site};

/// Set in the process that is the display; its value is the gateway.
const GATEWAY: &str = "ECMO_FAULTS_DISPLAY";

const NAME: &str = "bed-side-screen";

/// A lease holds for three seconds, and what is lost is told within one more.
const TOLD_WITHIN: Duration = Duration::from_secs(4);

/// A display as a process, until it is killed: what it missed while it was frozen ended its connection, and it comes back.
async fn be_a_display(gateway: SocketAddr) {
    loop {
        let ended = watch(gateway).await;
        eprintln!("the display comes back: {ended}");
    }
}

/// Reads the alarms, says that it has painted what it read, and holds its lease, until the gateway is gone for it.
async fn watch(gateway: SocketAddr) -> String {
    let display = Display::connect(gateway).await;
    let mut alarms = display.alarm_stream(WARD).await;
    let mut attend = DisplayServiceClient::new(display.channel.clone());
    let mut beat = interval(Duration::from_millis(500));
    let mut painted = (0, 0);
    loop {
        tokio::select! {
            message = alarms.message() => {
                let message = match message {
                    Ok(Some(message)) => message,
                    Ok(None) => return "the stream ended".to_owned(),
                    Err(status) => return status.to_string(),
                };
                painted = (message.now_mono_ns, message.epoch);
            }
            _ = beat.tick() => {
                let health = v1::DisplayHealth {
                    painted_mono_ns: painted.0,
                    painted_epoch: painted.1,
                    frames_per_second: 25.0,
                    lag_ms: 20,
                    audio: v1::AudioOutput::On.into(),
                    visible: true,
                };
                let (display, wards) = (NAME.to_owned(), vec![WARD.to_owned()]);
                let request = v1::AttendWardsRequest { display, wards, health: Some(health) };
                if let Err(status) = attend.attend_wards(request).await {
                    return status.to_string();
                }
            }
        }
    }
}

async fn is(site: &Site, state: v1::DisplayState) {
    let mut displays = DisplayServiceClient::new(site.display.channel.clone());
    eventually(SETTLE, &format!("the display is {state:?}"), async || {
        let listed = displays.list_displays(v1::ListDisplaysRequest::default()).await;
        let listed = listed.map_err(|status| status.to_string())?.into_inner().displays;
        match listed.iter().find(|display| display.name == NAME) {
            Some(display) if display.state() == state => Ok(()),
            _ => Err(format!("{listed:?}")),
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
#[ignore = "needs Mosquitto"]
async fn fault_f39_a_frozen_display_is_told_and_a_ward_with_no_other_is_told_too() {
    if let Ok(gateway) = std::env::var(GATEWAY) {
        return be_a_display(gateway.parse().unwrap()).await;
    }
    let mut site = Site::start(1).await;
    site.leave_alone().await;
    let test = "displays::fault_f39_a_frozen_display_is_told_and_a_ward_with_no_other_is_told_too";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--include-ignored", "--nocapture"]);
    command.env(GATEWAY, site.ward.displays_at().to_string());
    let mut display = Program::start(command, "display", site.ward.folder()).unwrap();
    is(&site, v1::DisplayState::Attends).await;
    let attended_at = Instant::now();

    display.freeze().unwrap();
    let frozen_at = Instant::now();
    let (told_at, lost) = site
        .log
        .change("a display is lost", |alarm| alarm.condition == "display.lost" && alarm.present)
        .await;
    println!("f39: told {:?} after the freeze", told_at - frozen_at);
    assert!(told_at - frozen_at <= TOLD_WITHIN, "{:?}", told_at - frozen_at);
    assert_eq!(lost.ward, WARD);
    let nobody = |alarm: &v1::Alarm| {
        alarm.condition == "display.none" && alarm.ward == WARD && alarm.present
    };
    // Nobody had attended before, which may have been told: what counts is that it is told after the freeze.
    eventually(SETTLE, "nobody attends", async || {
        let changes = site.log.changes();
        changes.iter().any(|(at, alarm)| *at > attended_at && nobody(alarm)).then_some(())
    })
    .await
    .unwrap();

    display.thaw().unwrap();
    is(&site, v1::DisplayState::Attends).await;
    for condition in ["display.lost", "display.none"] {
        site.log
            .change(&format!("{condition} has ended"), |alarm| {
                alarm.condition == condition && !alarm.present && alarm.revision > 1
            })
            .await;
    }
    site.assert_no_physiological_alarm();
}
