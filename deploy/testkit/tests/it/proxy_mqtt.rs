//! Faults on MQTT: a real client, a real broker, the proxy between them.

use anyhow::ensure;
use ecmo_testkit::{
    Direction, EmbeddedBroker, FaultProxy, PublishFaults, eventually,
    proxy::{Counters, DirectionCounters},
};
use rumqttc::QoS;

use super::{QUIET, SOON, client::Client};

const FRAME: &str = "ecmo/v1/ward/p1/frame";
const BIRTH: &str = "ecmo/v1/ward/p1/birth";
const LAST: &str = "ecmo/v1/ward/p1/status";

fn of(counters: &Counters, direction: Direction) -> DirectionCounters {
    match direction {
        Direction::ClientToServer => counters.client_to_server,
        Direction::ServerToClient => counters.server_to_client,
    }
}

/// Publishes a birth, twelve frames and a last message through the broker, with the fault in one
/// direction. Returns the frames that arrived, and the counts. All have one quality of service: the
/// broker queues each apart, so that one may overtake the other.
async fn frames_through(
    direction: Direction,
    faults: PublishFaults,
    qos: QoS,
) -> anyhow::Result<(Vec<Vec<u8>>, DirectionCounters)> {
    let broker = EmbeddedBroker::start(None)?;
    let proxy = FaultProxy::start(broker.addr())?;
    let (to_publish, to_subscribe) = match direction {
        Direction::ClientToServer => (proxy.port(), broker.port()),
        Direction::ServerToClient => (broker.port(), proxy.port()),
    };
    let publisher = Client::connect(to_publish, "publisher").await?;
    let subscriber = Client::connect(to_subscribe, "subscriber").await?;
    subscriber.subscribe("ecmo/#").await?;
    proxy.on(direction).publish(faults);
    publisher.publish(BIRTH, qos, b"birth").await?;
    for number in 1..=12 {
        publisher.publish(FRAME, qos, &[number; 4]).await?;
    }
    publisher.publish(LAST, qos, b"last").await?;
    let mut messages = subscriber.received_up_to(LAST).await?;
    ensure!(messages.remove(0) == (BIRTH.to_owned(), b"birth".to_vec()), "the birth was touched");
    ensure!(messages.pop() == Some((LAST.to_owned(), b"last".to_vec())), "the last was touched");
    ensure!(publisher.errors() + subscriber.errors() == 0, "a connection broke");
    let payloads = messages.into_iter().map(|(_, payload)| payload).collect();
    Ok((payloads, of(&proxy.counters(), direction)))
}

fn numbered(numbers: &[u8]) -> Vec<Vec<u8>> {
    numbers.iter().map(|number| vec![*number; 4]).collect()
}

#[tokio::test]
async fn every_third_frame_is_dropped_in_the_chosen_direction() {
    for direction in Direction::BOTH {
        let faults = PublishFaults::on("/frame").drop_every(3);
        let (frames, counters) = frames_through(direction, faults, QoS::AtMostOnce).await.unwrap();
        assert_eq!(frames, numbered(&[1, 2, 4, 5, 7, 8, 10, 11]), "{direction:?}");
        assert_eq!((counters.dropped, counters.matched), (4, 12));
    }
}

#[tokio::test]
async fn every_fourth_frame_arrives_twice_in_the_chosen_direction() {
    for direction in Direction::BOTH {
        let faults = PublishFaults::on("/frame").duplicate_every(4);
        let (frames, counters) = frames_through(direction, faults, QoS::AtMostOnce).await.unwrap();
        let expected = numbered(&[1, 2, 3, 4, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12, 12]);
        assert_eq!(frames, expected, "{direction:?}");
        assert_eq!(counters.duplicated, 3);
    }
}

#[tokio::test]
async fn every_fifth_frame_changes_places_with_the_next_in_the_chosen_direction() {
    for direction in Direction::BOTH {
        let faults = PublishFaults::on("/frame").reorder_every(5);
        let (frames, counters) = frames_through(direction, faults, QoS::AtMostOnce).await.unwrap();
        let expected = numbered(&[1, 2, 3, 4, 6, 5, 7, 8, 9, 11, 10, 12]);
        assert_eq!(frames, expected, "{direction:?}");
        assert_eq!(counters.reordered, 2);
    }
}

#[tokio::test]
async fn every_sixth_payload_loses_one_bit_and_the_connection_lives_on() {
    for direction in Direction::BOTH {
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
            let faults = PublishFaults::on("/frame").corrupt_every(6);
            let (frames, counters) = frames_through(direction, faults, qos).await.unwrap();
            let flipped: Vec<u32> = frames
                .iter()
                .zip(1_u8..)
                .map(|(frame, number)| frame.iter().map(|byte| (byte ^ number).count_ones()).sum())
                .collect();
            assert_eq!(flipped, [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1], "{direction:?} {qos:?}");
            assert_eq!(counters.payloads_corrupted, 2);
        }
    }
}

#[tokio::test]
async fn acknowledged_frames_are_never_dropped_doubled_or_swapped() {
    for direction in Direction::BOTH {
        let faults = PublishFaults::on("/frame").drop_every(1).duplicate_every(1).reorder_every(1);
        let (frames, counters) = frames_through(direction, faults, QoS::AtLeastOnce).await.unwrap();
        assert_eq!(frames, numbered(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), "{direction:?}");
        assert_eq!((counters.matched, counters.dropped), (12, 0));
        assert_eq!((counters.duplicated, counters.reordered), (0, 0));
    }
}

#[tokio::test]
async fn a_frame_without_a_neighbour_goes_alone_after_a_second() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let publisher = Client::connect(proxy.port(), "publisher").await.unwrap();
    let subscriber = Client::connect(broker.port(), "subscriber").await.unwrap();
    subscriber.subscribe("ecmo/#").await.unwrap();
    proxy.on(Direction::ClientToServer).publish(PublishFaults::on("/frame").reorder_every(1));
    publisher.publish(FRAME, QoS::AtMostOnce, b"1").await.unwrap();
    publisher.publish(LAST, QoS::AtMostOnce, b"last").await.unwrap();
    subscriber.received_up_to(LAST).await.unwrap();
    let messages = subscriber.received_up_to(FRAME).await.unwrap();
    assert_eq!(messages.len(), 2);
    assert_eq!(proxy.counters().client_to_server.reordered, 0);
}

#[tokio::test]
async fn frames_pass_untouched_again_once_healed() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let publisher = Client::connect(proxy.port(), "publisher").await.unwrap();
    let subscriber = Client::connect(broker.port(), "subscriber").await.unwrap();
    subscriber.subscribe("ecmo/#").await.unwrap();
    proxy.on(Direction::ClientToServer).publish(PublishFaults::on("").drop_every(1));
    publisher.publish(FRAME, QoS::AtMostOnce, b"lost").await.unwrap();
    eventually(SOON, "the frame is dropped", async || {
        (proxy.counters().client_to_server.dropped == 1).then_some(())
    })
    .await
    .unwrap();
    proxy.heal();
    publisher.publish(LAST, QoS::AtMostOnce, b"last").await.unwrap();
    let messages = subscriber.received_up_to(LAST).await.unwrap();
    assert_eq!(messages, [(LAST.to_owned(), b"last".to_vec())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_breaks_the_clients_connection_and_it_comes_back() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let client = Client::connect(proxy.port(), "client").await.unwrap();
    assert_eq!(proxy.cut(), 1);
    eventually(SOON, "the client reconnects", async || (client.connections() == 2).then_some(()))
        .await
        .unwrap();
    assert!(client.errors() > 0);
    let counters = proxy.counters();
    assert_eq!((counters.accepted, counters.cut), (2, 1));
}

#[tokio::test]
async fn a_refusing_proxy_keeps_a_client_out_until_it_relents() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    proxy.refuse(true);
    let client = Client::start(proxy.port(), "client");
    eventually(SOON, "three attempts fail", async || (client.errors() >= 3).then_some(()))
        .await
        .unwrap();
    assert_eq!((client.connections(), proxy.counters().accepted), (0, 0));
    proxy.refuse(false);
    eventually(SOON, "the client connects", async || (client.connections() == 1).then_some(()))
        .await
        .unwrap();
    assert!(proxy.counters().refused >= 3);
}

#[tokio::test]
async fn a_stall_holds_frames_back_and_its_end_delivers_them_in_order() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let publisher = Client::connect(broker.port(), "publisher").await.unwrap();
    let subscriber = Client::connect(proxy.port(), "subscriber").await.unwrap();
    subscriber.subscribe("ecmo/#").await.unwrap();
    proxy.on(Direction::ServerToClient).stall(true);
    for number in 1..=3 {
        publisher.publish(FRAME, QoS::AtMostOnce, &[number; 4]).await.unwrap();
    }
    publisher.publish(LAST, QoS::AtMostOnce, b"last").await.unwrap();
    let quiet = eventually(QUIET, "a message", async || (subscriber.received() > 0).then_some(()));
    assert!(quiet.await.is_err());
    proxy.on(Direction::ServerToClient).stall(false);
    let messages = subscriber.received_up_to(LAST).await.unwrap();
    let payloads: Vec<_> = messages.into_iter().map(|(_, payload)| payload).collect();
    assert_eq!(payloads[..3], numbered(&[1, 2, 3]));
    assert_eq!((subscriber.errors(), subscriber.connections()), (0, 1));
}

#[tokio::test]
async fn a_lasting_stall_is_noticed_by_the_clients_keep_alive() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let proxy = FaultProxy::start(broker.addr()).unwrap();
    let client = Client::connect(proxy.port(), "client").await.unwrap();
    proxy.stall(true);
    eventually(SOON, "the client gives up", async || (client.errors() > 0).then_some(()))
        .await
        .unwrap();
    proxy.stall(false);
    eventually(SOON, "the client is back", async || (client.connections() > 1).then_some(()))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_payload_above_the_framers_memory_passes_whole_under_packet_faults() {
    // The client caps its packets lower, so two plain sockets speak for it.
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = FaultProxy::start(listener.local_addr().unwrap()).unwrap();
    proxy.on(Direction::ClientToServer).publish(PublishFaults::on("").drop_every(1));
    let mut client = tokio::net::TcpStream::connect(proxy.addr()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    // CONNECT, then a PUBLISH of 2 MiB, then a small one that is dropped, then a ping.
    let mut stream = vec![0x10, 2, 0, 4, 0x30, 0x85, 0x80, 0x80, 0x01, 0, 3];
    stream.extend(b"a/b");
    stream.extend(vec![7; 2 << 20]);
    let kept = stream.len();
    stream.extend([0x30, 3, 0, 1, b'a', 0xc0, 0]);
    let sender = tokio::spawn(async move {
        client.write_all(&stream).await.unwrap();
        client.shutdown().await.unwrap();
        stream
    });
    let mut seen = Vec::new();
    server.read_to_end(&mut seen).await.unwrap();
    let stream = sender.await.unwrap();
    assert_eq!(seen.len(), kept + 2);
    assert!(seen[..kept] == stream[..kept]);
    assert_eq!(seen[kept..], [0xc0, 0]);
    assert_eq!(proxy.counters().client_to_server.dropped, 1);
}
