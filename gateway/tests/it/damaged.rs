//! Frames that are damaged on their way, and what strangers send: never a value, never a pump, and told.
#![cfg(test)]

use std::time::Duration;

use ecmo_proto::topic::Kind;
use ecmo_proto::{sealed, v1};
use ecmo_testkit::display::AlarmLog;
use ecmo_testkit::{Direction, EmbeddedBroker, FaultProxy, PublishFaults, eventually};
use prost::Message as _;
use rumqttc::QoS;
use tokio::time::Instant;

use crate::display::{SOON, shows};
use crate::hand::{HandAgent, address};
use crate::site::Site;

const DAMAGED: &str = "ecmo_gateway_messages_damaged_total";
const REJECTED: &str = "ecmo_gateway_frames_rejected_total";

/// The alarm ends so long after the last damaged frame.
const CLEAR: Duration = Duration::from_secs(10);

/// What was told of a pump, or of the gateway itself, but for displays that this test has none of.
fn told(log: &AlarmLog, pump: &str) -> Vec<String> {
    let changes = log.changes().into_iter().map(|(_, alarm)| alarm);
    let of_it = changes.filter(|alarm| alarm.pump == pump && alarm.condition != "display.none");
    of_it.map(|alarm| alarm.condition).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_f25_frames_with_flipped_bits_are_never_a_value_and_three_in_ten_seconds_are_told() {
    let site = Site::start().await;
    let proxy = FaultProxy::start(site.broker()).unwrap();
    let agent = site.agent_through(proxy.addr(), "p1").await;
    let log = site.display.watch_alarms().await;
    let corrupt = PublishFaults::on("/frame").corrupt_every(20);
    proxy.on(Direction::ClientToServer).publish(corrupt);
    let damaged = || proxy.counters().client_to_server.payloads_corrupted;
    eventually(CLEAR, "two damaged", async || (damaged() >= 2).then_some(())).await.unwrap();
    assert_eq!(log.changes(), [], "a lost frame of twenty alarms nobody");
    let (_, alarm) = log.raised("p1", "comm.damaged").await;
    proxy.heal();
    let healed = Instant::now();
    assert_eq!(alarm.priority(), v1::AlarmPriority::Low);
    assert!(damaged() >= 3);
    let beyond = agent.frame().sequence;
    let pump = site
        .display
        .await_pump("p1", "going on", |pump| pump.counters.unwrap().frames_received > beyond)
        .await;
    let refused = f64::from(u32::try_from(damaged()).unwrap());
    site.await_counted(REJECTED, &["\"p1\"", "reason=\"crc\""], refused).await;
    site.await_counted(REJECTED, &[], refused).await;
    site.await_counted(DAMAGED, &["pump=\"p1\"", "path=\"a\""], refused).await;
    // Every value that was ever shown is one that was sent.
    assert!(shows(&pump, "flow.blood", 400.0) && shows(&pump, "press.pre", 150.0), "{pump:#?}");
    log.ended("p1", "comm.damaged").await;
    assert!(healed.elapsed() > CLEAR - Duration::from_secs(1), "{:?}", healed.elapsed());
    assert_eq!(told(&log, "p1"), ["comm.damaged", "comm.damaged"], "no other alarm, and each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn noise_at_invented_places_is_one_alarm_of_the_gateway_and_makes_no_pump() {
    let second = EmbeddedBroker::start(None).unwrap();
    let mut settings = ecmo_gateway::config::Settings::on_free_ports();
    settings.second_broker = Some(ecmo_gateway::config::Broker::External(second.addr().into()));
    let site = Site::with(settings).await;
    eventually(SOON, "both brokers are read", async || {
        let up = site.counted("ecmo_gateway_mqtt_connected", &[]).await;
        if up > 1.5 { Ok(()) } else { Err(up.to_string()) }
    })
    .await
    .unwrap();
    let log = site.display.watch_alarms().await;
    let stranger = HandAgent::connect(second.addr(), address("x"));
    let kinds = [Kind::Frame, Kind::Birth, Kind::Status, Kind::Heartbeat, Kind::Backfill];
    for number in 0..300 {
        let noise: Vec<u8> = (0..40).map(|_| fastrand::u8(..)).collect();
        let topic = address(&format!("invented-{number}")).topic(kinds[number % kinds.len()]);
        stranger.publish(&topic, QoS::AtLeastOnce, false, noise).await;
    }
    // A whole birth and a whole frame, each at another's place.
    let birth = stranger.birth().encode_to_vec();
    stranger.publish(&address("y").topic(Kind::Birth), QoS::AtLeastOnce, false, birth).await;
    let frame = sealed::seal(&stranger.frame());
    stranger.publish(&address("y").topic(Kind::Frame), QoS::AtLeastOnce, false, frame).await;
    let (_, alarm) = log.raised("", "comm.damaged").await;
    assert_eq!(alarm.priority(), v1::AlarmPriority::Low);
    let of_b = ["pump=\"unknown\"", "path=\"b\""];
    site.await_counted(DAMAGED, &of_b, 242.0).await;
    site.await_counted(DAMAGED, &[], 242.0).await;
    assert_eq!(site.display.list().await.pumps, []);
    // Who comes afterwards, and can be read, is met.
    let _agent = site.agent("p1").await;
    assert_eq!(told(&log, ""), ["comm.damaged"]);
    log.ended("", "comm.damaged").await;
    assert_eq!(told(&log, ""), ["comm.damaged", "comm.damaged"]);
    assert_eq!(told(&log, "p1"), [""; 0]);
}
