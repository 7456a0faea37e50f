//! Frames that are refused as a whole: damaged, too long, hostile, of somebody else, of another time.
#![cfg(test)]

use ecmo_proto::sealed::{self, FRAME_BYTES_MAX};
use ecmo_proto::topic::Kind;
use ecmo_proto::v1;
use ecmo_testkit::{Direction, EmbeddedBroker, FaultProxy, PublishFaults};
use prost::Message as _;
use rumqttc::QoS;

use super::{PATIENT, Scene, WITNESS, each_is_refused, witness_is_unharmed};
use crate::display::SOON;
use crate::hand::{HandAgent, address, channel, with_seal};
use crate::site::Site;

const REJECTED: &str = "ecmo_gateway_frames_rejected_total";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_truncated_frame_is_refused() {
    each_is_refused("crc", |agent| {
        let whole = sealed::seal(&agent.frame());
        [0, 1, 5, whole.len() / 2, whole.len() - 1].map(|end| whole[..end].to_vec()).to_vec()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_with_a_flipped_bit_is_refused() {
    each_is_refused("crc", |agent| {
        let whole = sealed::seal(&agent.frame());
        let flipped = |byte: usize| {
            let mut bytes = whole.to_vec();
            bytes[byte] ^= 0x10;
            bytes
        };
        [0, 3, whole.len() / 2, whole.len() - 5, whole.len() - 1].map(flipped).to_vec()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bits_that_flip_on_the_way_are_refused_one_by_one() {
    let site = Site::start().await;
    let proxy = FaultProxy::start(site.broker()).unwrap();
    let _witness = site.agent(WITNESS).await;
    let mut patient = site.agent_through(proxy.addr(), PATIENT).await;
    let corrupt = PublishFaults::on("/frame").corrupt_every(5);
    proxy.on(Direction::ClientToServer).publish(corrupt);
    let damaged = || proxy.counters().client_to_server.payloads_corrupted;
    ecmo_testkit::eventually(SOON, "damage", async || (damaged() >= 5).then_some(()))
        .await
        .unwrap();
    proxy.heal();
    // What the proxy had read before it healed is on its way.
    let beyond = patient.frame().sequence;
    let pump = site
        .display
        .await_pump(PATIENT, "each of them missing", |pump| {
            let counters = pump.counters.unwrap();
            counters.frames_received > beyond && counters.frames_missing > 0
        })
        .await;
    assert_eq!(pump.link(), v1::LinkState::Live);
    patient.pause();
    let pump = site.await_refused(PATIENT, "crc", u32::try_from(damaged()).unwrap()).await;
    // The one that was only made, not sent, is missing too.
    assert!(pump.counters.unwrap().frames_missing <= damaged() + 1, "{pump:#?}");
    witness_is_unharmed(&site).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_oversized_frame_is_refused() {
    each_is_refused("oversize", |agent| {
        let mut frame = agent.frame();
        frame.pump = "x".repeat(FRAME_BYTES_MAX);
        vec![sealed::seal(&frame).to_vec(), vec![0; FRAME_BYTES_MAX + 1]]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_packet_far_larger_than_any_frame_is_refused_and_the_connection_goes_on() {
    // A broker that lets it through: the embedded one of the gateway does not.
    let broker = EmbeddedBroker::start(None).unwrap();
    let site = Site::at(broker.addr()).await;
    site.await_ready().await;
    let scene = Scene::on(site).await;
    for count in 1..=3 {
        scene.patient.send_bytes(vec![0x42; 900 * 1024]).await;
        scene.site.await_refused(PATIENT, "oversize", count).await;
    }
    scene.patient_goes_on_after(3).await;
    scene.witness_is_unharmed().await;
    assert!(scene.site.counted("ecmo_gateway_mqtt_reconnects_total", &[]).await < 0.5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_broker_cuts_off_who_sends_a_packet_far_larger_and_nobody_else() {
    let scene = Scene::start().await;
    let stranger = HandAgent::connect(scene.site.broker(), address(PATIENT));
    stranger.send_bytes(vec![0x42; 300 * 1024]).await;
    scene.patient_goes_on().await;
    scene.witness_is_unharmed().await;
    assert!(scene.site.counted(REJECTED, &[]).await < 0.5);
    assert!(scene.site.counted("ecmo_gateway_mqtt_reconnects_total", &[]).await < 0.5);
}

/// A field that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    let mut out = vec![(number << 3) | 2];
    let mut rest = length;
    while rest >= 0x80 {
        out.push(u8::try_from(rest % 0x80).unwrap() | 0x80);
        rest /= 0x80;
    }
    out.push(u8::try_from(rest).unwrap());
    out.extend(bytes);
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_protobuf_with_a_right_check_sum_is_refused() {
    each_is_refused("decode", |_agent| {
        let two_to_the_63 = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
        let all_ones = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        let no_end = [0xff; 30];
        let bodies: Vec<Vec<u8>> = vec![
            // Groups in groups in groups, of a field that nobody knows.
            vec![0x63; 60_000],
            // Lengths beyond any memory.
            [&[0x0a], &two_to_the_63[..]].concat(),
            [&[0x42], &all_ones[..]].concat(),
            [&[0x42], &no_end[..]].concat(),
            // The pump as a number, the boot as a text, a block as 64 bits.
            vec![0x08, 0x07],
            field(2, b"boot"),
            [&[0x41], &[0; 8][..]].concat(),
            // No UTF-8, no field 0, no wire type 7, cut inside a field.
            field(1, &[0xc3, 0x28]),
            vec![0x02, 0x00],
            vec![0x0f],
            vec![0x0a, 0x05, b'p'],
            vec![0xff; 60_000],
        ];
        bodies.iter().map(|body| with_seal(body)).collect()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn huge_repeated_fields_with_a_right_check_sum_are_refused() {
    each_is_refused("schema", |agent| {
        let head = || v1::Frame { blocks: Vec::new(), ..agent.frame() }.encode_to_vec();
        let block = |block: &[u8]| with_seal(&[head(), field(8, block)].concat());
        vec![
            // 30 000 blocks of nothing, 60 000 samples in one block, 30 000 runs of validity for one sample.
            with_seal(&[head(), field(8, &[]).repeat(30_000)].concat()),
            block(&[&[0x20, 0x14][..], &field(5, &[2; 60_000])].concat()),
            block(&[field(5, &[2]), field(6, &[0x10, 1]).repeat(15_000)].concat()),
        ]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_of_validity_that_do_not_add_up_are_refused() {
    each_is_refused("schema", |agent| {
        let with_runs = |counts: &[u32]| {
            let mut frame = agent.frame();
            let run = |count: &u32| v1::ValidityRun { validity: 1, count: *count };
            frame.blocks[channel("flow.blood")].validity = counts.iter().map(run).collect();
            sealed::seal(&frame).to_vec()
        };
        vec![with_runs(&[2]), with_runs(&[0]), with_runs(&[1, 1]), with_runs(&[u32::MAX; 3])]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_samples_at_one_time_are_refused() {
    each_is_refused("schema", |agent| {
        let mut frame = agent.frame();
        let block = &mut frame.blocks[channel("flow.blood")];
        (block.counts, block.validity) = (vec![400, 401], Vec::new());
        vec![sealed::seal(&frame).to_vec()]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_of_another_pump_than_its_topic_is_refused() {
    each_is_refused("identity", |agent| {
        let of = |pump: &str| {
            sealed::seal(&v1::Frame { pump: pump.to_owned(), ..agent.frame() }).to_vec()
        };
        vec![of(WITNESS), of(""), of("nicu/p1"), of("P1")]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_without_a_boot_is_refused() {
    each_is_refused("boot", |agent| {
        vec![sealed::seal(&v1::Frame { boot_id: 0, ..agent.frame() }).to_vec()]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_historical_frame_on_the_live_topic_raises_nothing() {
    each_is_refused("historical", |agent| {
        let mut frame = v1::Frame { historical: true, ..agent.frame() };
        frame.blocks[channel("air.bubble")].counts = vec![1];
        vec![sealed::seal(&frame).to_vec()]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_is_none_of_ours_is_counted_and_makes_no_pump() {
    let scene = Scene::start().await;
    let bytes = sealed::seal(&scene.patient.frame());
    for topic in ["ecmo/v1/nicu/a b/frame", "ecmo/v1//p1/frame", "ecmo/v1/nicu/ü/frame"] {
        scene.patient.publish(topic, QoS::AtMostOnce, false, bytes.clone()).await;
    }
    // Nobody subscribes to these.
    for topic in ["foreign", "ecmo/v2/nicu/p1/frame", "ecmo/v1/nicu/p1/frame/x"] {
        scene.patient.publish(topic, QoS::AtMostOnce, false, bytes.clone()).await;
    }
    scene.site.await_counted(REJECTED, &["reason=\"topic\""], 3.0).await;
    scene.patient_goes_on().await;
    scene.witness_is_unharmed().await;
    assert_eq!(scene.site.display.list().await.pumps.len(), 2);
    scene.site.await_counted(REJECTED, &[], 3.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retained_frame_is_no_life() {
    let first = Site::start().await;
    let agent = HandAgent::connect(first.broker(), address(PATIENT));
    first.introduce(&agent).await;
    let frame = sealed::seal(&agent.frame());
    agent.publish(&agent.address.topic(Kind::Frame), QoS::AtLeastOnce, true, frame).await;
    first.display.await_live(PATIENT).await;
    // A gateway that comes later gets it from the broker's memory.
    let site = Site::at(first.broker()).await;
    let _witness = site.agent(WITNESS).await;
    site.await_counted(REJECTED, &["reason=\"retained\""], 1.0).await;
    let pump = site
        .display
        .await_pump(PATIENT, "refused", |pump| pump.counters.unwrap().frames_rejected == 1)
        .await;
    assert_eq!(pump.link(), v1::LinkState::NeverSeen);
    assert_eq!(pump.last_frame_mono_ns, None);
    assert!(pump.readings.iter().all(|reading| reading.value.is_none()), "{pump:#?}");
    witness_is_unharmed(&site).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_before_its_birth_is_not_read() {
    let site = Site::start().await;
    let _witness = site.agent(WITNESS).await;
    let mut agent = HandAgent::connect(site.broker(), address(PATIENT));
    agent.send(&agent.frame()).await;
    site.display.await_pump(PATIENT, "listed", |_pump| true).await;
    agent.send(&agent.frame()).await;
    // The first may be counted as of an unknown pump, because the pump has no series of its own yet.
    site.await_counted(REJECTED, &["reason=\"no_birth\""], 2.0).await;
    let pump = site
        .display
        .await_pump(PATIENT, "refused", |pump| pump.counters.unwrap().frames_rejected == 2)
        .await;
    assert_eq!(pump.link(), v1::LinkState::NeverSeen);
    assert_eq!(pump.readings, []);
    // With its birth it is read.
    site.introduce(&agent).await;
    agent.go_on();
    site.display.await_live(PATIENT).await;
    witness_is_unharmed(&site).await;
}
