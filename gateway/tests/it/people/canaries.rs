//! What people type could name a patient: words that exist nowhere else are typed into every field, and looked for.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};

use ecmo_proto::v1;
use ecmo_testkit::{EmbeddedBroker, Program, eventually};
use rumqttc::{AsyncClient, Event, Incoming, MqttOptions, QoS};

use super::{Desk, case, nicu};
use crate::display::{Display, SOON};
use crate::hand::{HandAgent, address};
use crate::killable::settings;
use crate::site::ask;

/// In every word that is typed.
const CANARY: &str = "Zwitscherling";

fn canary(field: &str) -> String {
    format!("{CANARY} {field}")
}

/// Every topic that is published on from now on.
fn topics(broker: SocketAddr) -> Arc<Mutex<Vec<String>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut options = MqttOptions::new("canaries", broker.ip().to_string(), broker.port());
    options.set_max_packet_size(4 << 20, 4 << 20);
    let (client, mut events) = AsyncClient::new(options, 16);
    let heard = Arc::clone(&seen);
    tokio::spawn(async move {
        client.subscribe("#", QoS::AtMostOnce).await.unwrap();
        while let Ok(event) = events.poll().await {
            if let Event::Incoming(Incoming::Publish(publish)) = event {
                heard.lock().unwrap().push(publish.topic);
            }
        }
    });
    seen
}

/// The address behind a word of what the program says at its start.
async fn told(program: &Program, word: &str) -> SocketAddr {
    eventually(SOON, word, async || {
        let log = program.log();
        let line = log.lines().find_map(|line| line.strip_prefix(word)).map(str::trim);
        let at = line.and_then(|line| line.strip_prefix("http://")?.split('/').next());
        at.and_then(|at| at.parse().ok()).ok_or(log)
    })
    .await
    .unwrap()
}

/// Says something in every field that a person fills in; each is taken.
async fn say_everything(display: &Display, alarm: &v1::Alarm) {
    let desk = Desk::at(display, "p1");
    let words = v1::Case {
        pseudonym: canary("pseudonym"),
        drainage_cannula: canary("drainage"),
        return_cannula: canary("return"),
        oxygenator: canary("oxygenator"),
        ..case()
    };
    let version = desk.start(words, 0).await.unwrap().version;
    let request = v1::SetLimitRequest {
        ward: nicu(),
        pump: "p1".to_owned(),
        rule: "flow.low".to_owned(),
        number: Some(100.0),
        by: "A. Doctor".to_owned(),
        reason: canary("reason"),
        version,
    };
    desk.client().set_limit(request.clone()).await.unwrap();
    // Refused, because the version is another one by now: that is logged too.
    desk.client().set_limit(request).await.unwrap_err();
    let request = v1::AcknowledgeAlarmRequest {
        occurrence: alarm.occurrence.clone(),
        revision: alarm.revision,
        by: "A. Nurse".to_owned(),
        note: canary("note"),
    };
    display.alarms().acknowledge_alarm(request).await.unwrap();
    let request = v1::ShelveAlarmRequest {
        occurrence: alarm.occurrence.clone(),
        minutes: 5,
        by: "A. Nurse".to_owned(),
        reason: canary("shelf"),
    };
    display.alarms().shelve_alarm(request).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_type_is_in_the_audit_log_and_in_no_metric_topic_or_line_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let broker = EmbeddedBroker::start(None).unwrap();
    let topics = topics(broker.addr());
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecmo-gateway"));
    command.args(["serve", "--config"]).arg(settings(folder.path(), broker.addr()));
    let program = Program::start(command, "gateway", folder.path()).unwrap();
    let display = Display::connect(told(&program, "displays:").await).await;
    let mut agent = HandAgent::connect(broker.addr(), address("p1"));
    agent.announce(&agent.birth()).await;
    agent.go_on();
    display.await_live("p1").await;
    agent.set("pump.speed", 0);
    agent.set("flow.blood", 0);
    let alarm = eventually(SOON, "the alarm", async || {
        let alarms = display.list_alarms().await;
        alarms.into_iter().find(|one| one.condition == "pump.stop").ok_or_else(|| "none".to_owned())
    })
    .await
    .unwrap();
    say_everything(&display, &alarm).await;

    let audit = folder.path().join("said/audit/000001.jsonl");
    eventually(SOON, "the audit log", async || {
        let text = std::fs::read_to_string(&audit).map_err(|error| error.to_string())?;
        let missing = ["pseudonym", "reason", "note", "shelf"];
        let missing: Vec<_> = missing.iter().filter(|it| !text.contains(&canary(it))).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?}")) }
    })
    .await
    .unwrap();
    let log = eventually(SOON, "what was done, in the log", async || {
        let log = program.log();
        if log.contains("acknowledge") && log.contains("shelve") { Ok(log) } else { Err(log) }
    })
    .await
    .unwrap();
    let metrics = told(&program, "metrics:").await;
    let scrape = b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let metrics = String::from_utf8(ask(metrics, scrape).await).unwrap();
    assert!(metrics.contains("ecmo_gateway_"), "{metrics}");
    let topics = topics.lock().unwrap().join("\n");
    assert!(topics.contains("/p1/action"), "actions went over the broker: {topics}");
    for (what, text) in [("log", &log), ("metrics", &metrics), ("topics", &topics)] {
        let found: Vec<_> = text.lines().filter(|line| line.contains(CANARY)).collect();
        assert!(found.is_empty(), "{what}: {found:#?}");
    }
    program.kill().unwrap();
}
