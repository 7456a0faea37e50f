//! What no gateway says: kept by the broker, in another's name, at a place that is nobody's. None of it does anything.
#![cfg(test)]

use ecmo_proto::sealed;
use ecmo_proto::topic::Kind;
use ecmo_proto::v1;
use ecmo_proto::v1::action::What;
use ecmo_testkit::{EmbeddedBroker, eventually};
use prost::Message as _;
use rumqttc::QoS;

use crate::display::{SOON, shows};
use crate::hand::{HandAgent, address, address_in};
use crate::site::Site;

const REJECTED: &str = "ecmo_gateway_peer_rejected_total";
const FRAMES_REJECTED: &str = "ecmo_gateway_frames_rejected_total";

/// Says that somebody owns the pump, as another gateway would.
fn owned(ward: &str, pump: &str, owner: &str) -> v1::Action {
    let ownership =
        v1::Ownership { owner: owner.to_owned(), version: 1, ..v1::Ownership::default() };
    v1::Action {
        id: format!("west-1-{owner}"),
        gateway: "west".to_owned(),
        order: 5,
        wall_ns: 5,
        by: owner.to_owned(),
        ward: ward.to_owned(),
        pump: pump.to_owned(),
        what: Some(What::Ownership(v1::OwnershipChanged {
            ownership: Some(ownership),
            ..v1::OwnershipChanged::default()
        })),
        ..v1::Action::default()
    }
}

fn heartbeat(gateway: &str) -> v1::PeerHeartbeat {
    v1::PeerHeartbeat { gateway: gateway.to_owned(), epoch: 9, ..v1::PeerHeartbeat::default() }
}

/// The owner of the pump, as displays see it.
async fn owner(site: &Site, pump: &str) -> String {
    let pump = site.display.pump(pump).await.unwrap();
    pump.ownership.map(|it| it.owner).unwrap_or_default()
}

/// Ten more frames of the pump are shown, none of them refused or missing, and nothing alarms.
async fn goes_on(site: &Site, pump: &str) {
    let received = |pump: &v1::Pump| pump.counters.unwrap().frames_received;
    let before = received(&site.display.await_live(pump).await);
    let pump = site
        .display
        .await_pump(pump, "ten more frames", |pump| received(pump) >= before + 10)
        .await;
    let counters = pump.counters.unwrap();
    assert_eq!((counters.frames_missing, counters.frames_rejected), (0, 0), "{counters:?}");
    assert!(shows(&pump, "flow.blood", 400.0), "{pump:#?}");
    assert!(site.readiness().await.contains("200"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_f31_poison_that_a_broker_keeps_on_every_topic_holds_up_no_start_and_is_no_action() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let evil = HandAgent::connect(broker.addr(), address("evil"));
    for kind in Kind::ALL {
        let noise: Vec<u8> = (0..300).map(|_| fastrand::u8(..)).collect();
        evil.publish(&address("evil").topic(kind), QoS::AtLeastOnce, true, noise).await;
        for (ward, pump) in [("_gateways", "evil"), ("_drill", "gateway"), ("_x", "_y")] {
            let topic = address_in(ward, pump).topic(kind);
            evil.publish(&topic, QoS::AtLeastOnce, true, vec![0xff; 64]).await;
        }
    }
    // Whole, and nobody knows how old.
    let kept = sealed::seal(&owned("nicu", "p1", "Ghost"));
    evil.publish(&address("p1").topic(Kind::Action), QoS::AtLeastOnce, true, kept).await;
    let ghost = sealed::seal(&heartbeat("ghost"));
    let topic = address_in("_gateways", "ghost").topic(Kind::Peer);
    evil.publish(&topic, QoS::AtLeastOnce, true, ghost).await;

    for _start in 0..2 {
        let site = Site::at(broker.addr()).await;
        site.await_ready().await;
        let log = site.display.watch_alarms().await;
        let _agent = site.agent("p1").await;
        eventually(SOON, "what was kept is refused", async || {
            let counted = site.counted(REJECTED, &["reason=\"retained\""]).await;
            if counted > 3.5 { Ok(()) } else { Err(counted.to_string()) }
        })
        .await
        .unwrap();
        goes_on(&site, "p1").await;
        assert_eq!(owner(&site, "p1").await, "");
        let told = log.changes();
        assert!(told.iter().all(|(_, alarm)| alarm.pump != "p1"), "{told:#?}");
        assert!(told.iter().all(|(_, alarm)| alarm.condition != "gateway.peer_lost"));
        site.gateway.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_f32_whoever_speaks_in_anothers_name_or_at_a_reserved_place_is_refused_and_counted() {
    let site = Site::start().await;
    let agent = site.agent("p1").await;
    let other = HandAgent::connect(site.broker(), address("p2"));
    let quality = QoS::AtLeastOnce;
    let reason = |of: &'static str| format!("reason=\"{of}\"");

    // An action of another pump, or of another ward, than the topic's.
    for action in [owned("nicu", "p2", "Spoof"), owned("picu", "p1", "Spoof")] {
        let topic = address("p1").topic(Kind::Action);
        agent.publish(&topic, quality, false, sealed::seal(&action)).await;
    }
    let spoofed = sealed::seal(&heartbeat("east"));
    let topic = address_in("_gateways", "west").topic(Kind::Peer);
    agent.publish(&topic, QoS::AtMostOnce, false, spoofed).await;
    site.await_counted(REJECTED, &[&reason("identity")], 3.0).await;

    // A frame, a birth and a heartbeat of another pump than the topic's.
    other
        .publish(&address("p1").topic(Kind::Frame), quality, false, sealed::seal(&other.frame()))
        .await;
    let birth = other.birth().encode_to_vec();
    other.publish(&address("p1").topic(Kind::Birth), quality, false, birth).await;
    site.await_counted(FRAMES_REJECTED, &[&reason("identity"), "\"p1\""], 1.0).await;
    site.await_counted("ecmo_gateway_births_rejected_total", &[&reason("identity")], 1.0).await;

    // Places that are nobody's.
    let frame = sealed::seal(&other.frame());
    for (ward, pump) in [("nicu", "_ward"), ("_gateways", "p2"), ("_ward", "p2"), ("_drill", "_x")]
    {
        let topic = address_in(ward, pump).topic(Kind::Frame);
        other.publish(&topic, quality, false, frame.clone()).await;
    }
    site.await_counted(FRAMES_REJECTED, &[&reason("topic")], 4.0).await;
    let action = sealed::seal(&owned("nicu", "_ward", "Spoof"));
    other.publish("ecmo/v1/nicu/_ward/action", quality, false, action).await;
    site.await_counted(REJECTED, &[&reason("topic")], 1.0).await;

    // Another gateway's drill is nobody's fault.
    for kind in [Kind::Birth, Kind::Frame] {
        let topic = address_in("_drill", "west").topic(kind);
        other.publish(&topic, quality, false, frame.clone()).await;
    }
    // Behind it, so that it was read.
    let damaged = vec![1, 2, 3];
    other.publish(&address("p1").topic(Kind::Action), quality, false, damaged).await;
    site.await_counted(REJECTED, &[&reason("crc")], 1.0).await;
    site.await_counted(FRAMES_REJECTED, &[], 5.0).await;

    let pumps = site.display.list().await.pumps;
    let names: Vec<_> = pumps.iter().map(|pump| (pump.ward.as_str(), pump.pump.as_str())).collect();
    assert_eq!(names, [("nicu", "p1")]);
    assert_eq!(owner(&site, "p1").await, "");
    // One that is right is taken, by the same way.
    let right = sealed::seal(&owned("nicu", "p1", "A. Nurse"));
    agent.publish(&address("p1").topic(Kind::Action), quality, false, right).await;
    eventually(SOON, "the right one is taken", async || {
        (owner(&site, "p1").await == "A. Nurse").then_some(())
    })
    .await
    .unwrap();
    site.display.await_live("p1").await;
}
