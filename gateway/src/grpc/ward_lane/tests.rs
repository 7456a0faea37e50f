//! What the lanes of pumps and waveforms write is the contract's messages.
#![cfg(test)]

use bytes::BytesMut;
use ecmo_proto::v1::watch_ward_response::Update as Read;
use proptest::prelude::*;
use prost::Message;

use super::super::pump_lane::encoded;
use super::super::{convert, wave_lane};
use super::*;
use crate::fanout::sample::{address, frame, slot};
use ecmo_core::view::View;

fn read<T: Message + Default>(message: &impl Wire) -> T {
    let mut out = BytesMut::new();
    message.write(&mut out);
    assert!(out.len() <= message.size_hint(), "{} of {}", out.len(), message.size_hint());
    T::decode(out.freeze()).unwrap()
}

fn message(numbers: [u64; 4], update: Update) -> WardMessage {
    let [sequence, epoch, now_mono_ns, alarm_thread_mono_ns] = numbers;
    WardMessage { sequence, epoch, now_mono_ns, alarm_thread_mono_ns, update }
}

fn expected(numbers: [u64; 4], update: Read) -> v1::WatchWardResponse {
    let [sequence, epoch, now_mono_ns, alarm_thread_mono_ns] = numbers;
    let update = Some(update);
    v1::WatchWardResponse { sequence, epoch, now_mono_ns, alarm_thread_mono_ns, update }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn pumps_of_a_ward_are_read_as_the_contracts_message(
        numbers in any::<[u64; 4]>(), names in proptest::collection::vec("[a-z]{1,9}", 0..4),
    ) {
        let slots: Vec<_> = names.iter().map(|name| slot(address("nicu", name))).collect();
        let pumps = slots.iter().map(|slot| slot.shown(None, encoded).unwrap().bytes);
        let told = Update::Pumps(pumps.collect());
        let pumps = slots.iter().map(|slot| convert::pump(slot, &slot.view(), &slot.rules()));
        let whole = Read::Pumps(v1::PumpsUpdate { pumps: pumps.collect() });
        prop_assert_eq!(read::<v1::WatchWardResponse>(&message(numbers, told)), expected(numbers, whole));
    }

    #[test]
    fn waveforms_are_read_as_the_contracts_messages(
        numbers in any::<[u64; 4]>(), seed in any::<u64>(), dropped in any::<u64>(), named in any::<bool>(),
    ) {
        let (slot, frame) = (slot(address("nicu", "p1")), frame(seed));
        let names = ["press.drain".to_owned(), "no.such".to_owned()];
        let choice = if named { wanted(&names) } else { wanted(&[]) };
        let blocks = frame.blocks.iter().filter(|it| !named || it.parameter.info().id == names[0]);
        let blocks: Vec<v1::WaveformBlock> = blocks.map(convert::waveform).collect();
        let told = Update::Waveform { frame: pieces(in_ward(&slot, &frame), &choice), dropped };
        let whole = Read::Waveform(v1::WaveformUpdate {
            ward: "nicu".to_owned(),
            pump: "p1".to_owned(),
            boot_id: frame.boot.get(),
            frame_sequence: frame.sequence,
            blocks: blocks.clone(),
            dropped,
        });
        prop_assert_eq!(read::<v1::WatchWardResponse>(&message(numbers, told)), expected(numbers, whole));
        let [sequence, epoch, now_mono_ns, _] = numbers;
        let of_pump = wave_lane::message_of(&frame, &choice, dropped, [now_mono_ns, epoch, sequence]);
        let whole = v1::WatchWaveformsResponse {
            blocks, frame_sequence: frame.sequence, boot_id: frame.boot.get(), dropped, now_mono_ns, epoch, sequence,
        };
        prop_assert_eq!(read::<v1::WatchWaveformsResponse>(&of_pump), whole);
    }
}

#[test]
fn a_version_is_encoded_once_for_all_displays_and_told_to_each_once() {
    let slot = slot(address("nicu", "p1"));
    let made = std::cell::Cell::new(0);
    let encode = |slot: &_, view: &_, rules: &_| {
        made.set(made.get() + 1);
        encoded(slot, view, rules)
    };
    let first = slot.shown(None, encode).unwrap();
    let second = slot.shown(None, encode).unwrap();
    assert_eq!(first.bytes.as_ptr(), second.bytes.as_ptr(), "the same bytes and no copy");
    assert!(slot.shown(Some(&first), encode).is_none(), "nothing new");
    slot.show(View::clone(&slot.view()));
    assert!(slot.shown(Some(&first), encode).is_some());
    assert!(slot.shown(Some(&second), encode).is_some());
    assert_eq!(made.get(), 2, "two versions, four displays that got one");
}
