//! What the lane writes is the contract's message, and no message is too long for a reader.
#![cfg(test)]

use ecmo_proto::v1::watch_alarms_response::Update;
use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::fanout::sample::{address, at, update};
use crate::fanout::{Encoded, alarm_mailbox};

const EPOCH: u64 = 7;

fn read(message: &AlarmMessage) -> v1::WatchAlarmsResponse {
    let mut out = BytesMut::new();
    message.write(&mut out);
    assert!(out.len() <= message.size_hint(), "{} of {}", out.len(), message.size_hint());
    v1::WatchAlarmsResponse::decode(out.freeze()).unwrap()
}

fn of_pump(seed: u64) -> AlarmUpdate {
    let address = address(["nicu", "picu"][usize::from(seed.is_multiple_of(2))], "p1");
    update((!seed.is_multiple_of(5)).then_some(address), seed)
}

fn handed(item: AlarmItem, made_at: u64) -> Handed {
    std::sync::Arc::new(Encoded::new(Stamped { item, made_at: at(made_at), wall_ns: -5 }))
}

fn watch(ward: Option<&str>) -> Watch {
    let ward = ward.map(|ward| Id::new(ward).unwrap());
    let (_outlet, mailbox) = alarm_mailbox(ward.clone(), None);
    let open = OpenStream(metrics::Gauge::noop());
    Watch { mailbox, ward, epoch: EPOCH, sequence: 0, rest: VecDeque::new(), _open: open }
}

proptest! {
    #[test]
    fn a_change_and_a_heartbeat_are_read_as_the_contracts_messages(
        seed in any::<u64>(), sequence in any::<u64>(), made_at in any::<u64>(), beats in any::<bool>(),
    ) {
        let one = of_pump(seed);
        let expected = match beats {
            true => Update::Heartbeat(v1::Heartbeat { wall_ns: -5 }),
            false => Update::Alarm(convert::alarm(&one)),
        };
        let item = match beats {
            true => AlarmItem::Heartbeat,
            false => AlarmItem::Change(std::sync::Arc::new(Encoded::new(one))),
        };
        let item = handed(item, made_at);
        // Twice: the second display gets the bytes that the first one made.
        for sequence in [sequence, sequence ^ 1] {
            let message = AlarmMessage { epoch: EPOCH, sequence, body: Body::Shared(item.clone()) };
            let update = Some(expected.clone());
            let whole = v1::WatchAlarmsResponse { sequence, epoch: EPOCH, now_mono_ns: made_at, update };
            prop_assert_eq!(read(&message), whole);
        }
    }

    #[test]
    fn a_snapshot_is_read_as_the_contracts_message(
        alarms in proptest::collection::vec(any::<u64>(), 0..12),
        ended in proptest::collection::vec(any::<u64>(), 0..12),
        ended_incomplete in any::<bool>(),
        ward in proptest::option::of(proptest::sample::select(vec!["nicu", "picu"])),
    ) {
        let listed: Vec<AlarmUpdate> = alarms.iter().map(|seed| of_pump(*seed)).collect();
        let ended: Vec<AlarmUpdate> = ended.iter().map(|seed| of_pump(*seed)).collect();
        let mut watch = watch(ward);
        let of_ward = listed.iter().filter(|one| one.concerns(watch.ward.as_ref()));
        let whole = v1::AlarmSnapshot {
            alarms: of_ward.map(convert::alarm).collect(),
            ended: ended.iter().map(convert::alarm).collect(),
            ended_incomplete,
        };
        let snapshot = Snapshot {
            alarms: listed.into_iter().map(Encoded::new).collect(),
            ended: ended.into_iter().map(|one| std::sync::Arc::new(Encoded::new(one))).collect(),
            ended_incomplete,
        };
        let message = AlarmMessage { epoch: EPOCH, sequence: 0, body: watch.begin(&snapshot, at(9)) };
        let update = Some(Update::Snapshot(whole));
        prop_assert_eq!(read(&message), v1::WatchAlarmsResponse { sequence: 0, epoch: EPOCH, now_mono_ns: 9, update });
        prop_assert!(watch.rest.is_empty());
    }
}

#[tokio::test]
async fn a_snapshot_that_is_too_long_for_a_message_follows_alarm_by_alarm_and_nothing_is_lost() {
    let long = |seed| {
        let mut one = of_pump(seed);
        let mut seen = crate::fanout::sample::acknowledgement();
        seen.note = "ä".repeat(256);
        one.occurrence.acknowledged = Some(seen);
        one.address = None;
        one
    };
    let alarms: Vec<AlarmUpdate> = (0..10_000).map(long).collect();
    let expected: Vec<v1::Alarm> = alarms.iter().map(convert::alarm).collect();
    let ended = (0..1_024).map(|seed| std::sync::Arc::new(Encoded::new(long(seed)))).collect();
    let snapshot = Snapshot {
        alarms: alarms.into_iter().map(Encoded::new).collect(),
        ended,
        ended_incomplete: false,
    };
    let mut watch = watch(None);
    let (outlet, mailbox) = alarm_mailbox(None, None);
    watch.mailbox = mailbox;
    outlet.hand_over(&handed(AlarmItem::Snapshot(snapshot), 9)).unwrap();
    outlet.hand_over(&handed(AlarmItem::Heartbeat, 10)).unwrap();
    let mut told = Vec::new();
    for sequence in 0.. {
        let message = watch.next().await.unwrap();
        let mut out = BytesMut::new();
        message.write(&mut out);
        assert!(out.len() < 2 * SNAPSHOT_BYTES_MAX, "{} bytes", out.len());
        let message = v1::WatchAlarmsResponse::decode(out.freeze()).unwrap();
        assert_eq!(message.sequence, sequence);
        match message.update.unwrap() {
            Update::Snapshot(snapshot) => {
                assert!(snapshot.ended_incomplete, "there was no place for what ended");
                told.extend(snapshot.alarms);
            }
            Update::Alarm(alarm) => told.push(alarm),
            Update::Heartbeat(_) | Update::Drill(_) => break,
        }
    }
    assert_eq!(told, expected, "in order, each once, and before anything newer");
}
