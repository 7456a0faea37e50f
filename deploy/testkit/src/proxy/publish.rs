//! Faults on MQTT PUBLISH packets: which packet is dropped, doubled, swapped or damaged. Pure.

use bytes::{Bytes, BytesMut};

use super::{counters::DirectionTally, mqtt};

/// Which PUBLISH packets of MQTT 3.1.1 suffer what, counted on each connection from the moment the
/// faults are set. 0 turns a fault off; all are off at first.
///
/// Only quality-of-service 0 is dropped, duplicated or reordered: packet ids stay as they were. A
/// packet suffers the first of drop, reorder and duplicate that meets it; damage to the payload
/// comes on top, at any quality of service. Packets above 1 MiB are left alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublishFaults {
    topic_suffix: String,
    drop_every: u64,
    reorder_every: u64,
    duplicate_every: u64,
    corrupt_every: u64,
}

impl PublishFaults {
    /// For topics that end so, e.g. `/frame`; an empty suffix is every topic.
    #[must_use]
    pub fn on(topic_suffix: &str) -> Self {
        Self { topic_suffix: topic_suffix.to_owned(), ..Self::default() }
    }

    /// Leaves out every `nth` packet.
    #[must_use]
    pub const fn drop_every(mut self, nth: u64) -> Self {
        self.drop_every = nth;
        self
    }

    /// Swaps every `nth` packet with the next of the same topic. It waits for that one for at most
    /// one second, then goes alone and is not counted.
    #[must_use]
    pub const fn reorder_every(mut self, nth: u64) -> Self {
        self.reorder_every = nth;
        self
    }

    /// Sends every `nth` packet twice.
    #[must_use]
    pub const fn duplicate_every(mut self, nth: u64) -> Self {
        self.duplicate_every = nth;
        self
    }

    /// Flips one bit in the payload of every `nth` packet; the MQTT framing stays intact. Empty
    /// payloads cannot be damaged and are not counted.
    #[must_use]
    pub const fn corrupt_every(mut self, nth: u64) -> Self {
        self.corrupt_every = nth;
        self
    }

    pub(super) const fn any(&self) -> bool {
        self.drop_every | self.reorder_every | self.duplicate_every | self.corrupt_every != 0
    }
}

/// Applies the faults to the packets of one direction of one connection.
#[derive(Debug, Default)]
pub(super) struct PublishStage {
    faults: PublishFaults,
    /// Matching packets of any quality of service.
    seen: u64,
    /// Matching packets of quality of service 0.
    seen_qos0: u64,
    corrupted: u64,
    held: Option<Held>,
}

/// A packet that waits to be swapped with its neighbour.
#[derive(Debug)]
struct Held {
    topic: String,
    packet: Bytes,
}

impl PublishStage {
    pub(super) const fn faults(&self) -> &PublishFaults {
        &self.faults
    }

    /// Other faults from here on; counting starts anew.
    pub(super) fn set(&mut self, faults: PublishFaults, out: &mut BytesMut) {
        self.release(out);
        *self = Self { faults, ..Self::default() };
    }

    pub(super) const fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// A packet that waits goes alone.
    pub(super) fn release(&mut self, out: &mut BytesMut) {
        if let Some(held) = self.held.take() {
            out.extend_from_slice(&held.packet);
        }
    }

    pub(super) fn packet(&mut self, packet: Bytes, tally: &DirectionTally, out: &mut BytesMut) {
        let matching = mqtt::publish(&packet)
            .filter(|publish| publish.topic.ends_with(&self.faults.topic_suffix))
            .map(|publish| (publish.qos, publish.topic.to_owned(), publish.payload_at));
        let Some((qos, topic, payload_at)) = matching else {
            out.extend_from_slice(&packet);
            return;
        };
        tally.matched.add(1);
        self.seen += 1;
        self.seen_qos0 += u64::from(qos == 0);
        if qos == 0 && nth(self.seen_qos0, self.faults.drop_every) {
            tally.dropped.add(1);
            return;
        }
        let packet = self.damaged(packet, payload_at, tally);
        if qos == 0 && self.held.is_none() && nth(self.seen_qos0, self.faults.reorder_every) {
            self.held = Some(Held { topic, packet });
            return;
        }
        out.extend_from_slice(&packet);
        if qos != 0 {
            return;
        }
        if nth(self.seen_qos0, self.faults.duplicate_every) {
            tally.duplicated.add(1);
            out.extend_from_slice(&packet);
        }
        if self.held.as_ref().is_some_and(|held| held.topic == topic) {
            tally.reordered.add(1);
            self.release(out);
        }
    }

    /// The bit moves on from packet to packet, the same way in every run.
    fn damaged(&mut self, packet: Bytes, payload_at: usize, tally: &DirectionTally) -> Bytes {
        if !nth(self.seen, self.faults.corrupt_every) {
            return packet;
        }
        let payload_bytes = packet.len().saturating_sub(payload_at);
        let Ok(payload_bytes @ 1..) = u64::try_from(payload_bytes) else { return packet };
        let offset = usize::try_from(self.corrupted % payload_bytes).unwrap_or_default();
        let mut damaged = BytesMut::from(packet);
        if let Some(byte) = damaged.get_mut(payload_at + offset) {
            *byte ^= 1 << (self.corrupted % 8);
        }
        self.corrupted += 1;
        tally.payloads_corrupted.add(1);
        damaged.freeze()
    }
}

/// Whether the fault that strikes `every` so often strikes this one; 0 is never.
pub(super) const fn nth(count: u64, every: u64) -> bool {
    every != 0 && count.is_multiple_of(every)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: &str = "p1/frame";

    fn publish(topic: &str, qos: u8, payload: &[u8]) -> Bytes {
        let id = if qos == 0 { 0 } else { 2 };
        let mut packet = vec![
            0x30 | (qos << 1),
            u8::try_from(2 + topic.len() + id + payload.len()).unwrap(),
            0,
            u8::try_from(topic.len()).unwrap(),
        ];
        packet.extend(topic.bytes());
        packet.extend(std::iter::repeat_n(1, id));
        packet.extend(payload);
        packet.into()
    }

    /// Packets are numbered by their payload; what leaves is told by the same numbers.
    fn check(faults: PublishFaults, packets: &[(&str, u8, u8)], expected: &[u8]) {
        let (mut stage, mut out) = (PublishStage::default(), BytesMut::new());
        stage.set(faults.clone(), &mut out);
        let tally = DirectionTally::default();
        for (topic, qos, number) in packets {
            stage.packet(publish(topic, *qos, &[*number]), &tally, &mut out);
        }
        stage.release(&mut out);
        let mut seen = Vec::new();
        while out.len() > 1 {
            let whole = out.split_to(2 + usize::from(out[1]));
            seen.push(whole[whole.len() - 1]);
        }
        assert_eq!(seen, expected, "{faults:?}");
    }

    #[test]
    fn each_fault_strikes_every_nth_matching_packet_of_quality_0() {
        let six: Vec<_> = (1..=6).map(|number| (FRAME, 0, number)).collect();
        let on = || PublishFaults::on("/frame");
        check(on(), &six, &[1, 2, 3, 4, 5, 6]);
        check(on().drop_every(3), &six, &[1, 2, 4, 5]);
        check(on().duplicate_every(3), &six, &[1, 2, 3, 3, 4, 5, 6, 6]);
        check(on().reorder_every(2), &six, &[1, 3, 2, 5, 4, 6]);
        check(on().reorder_every(1), &six, &[2, 1, 4, 3, 6, 5]);
        check(on().drop_every(3).duplicate_every(2), &six, &[1, 2, 2, 4, 4, 5]);
        check(on().drop_every(1), &six, &[]);
    }

    #[test]
    fn other_topics_and_other_qualities_are_left_alone_and_not_counted() {
        let mixed =
            [(FRAME, 0, 1), ("p1/birth", 0, 2), (FRAME, 1, 3), (FRAME, 2, 4), (FRAME, 0, 5)];
        let on = || PublishFaults::on("/frame");
        check(on().drop_every(2), &mixed, &[1, 2, 3, 4]);
        check(on().duplicate_every(2), &mixed, &[1, 2, 3, 4, 5, 5]);
        check(on().drop_every(1), &mixed, &[2, 3, 4]);
        check(PublishFaults::on("").drop_every(1), &mixed, &[3, 4]);
    }

    #[test]
    fn a_packet_is_swapped_with_its_own_topic_only() {
        let mixed = [(FRAME, 0, 1), ("p2/frame", 0, 2), (FRAME, 0, 3), ("p2/frame", 0, 4)];
        check(PublishFaults::on("/frame").reorder_every(1), &mixed, &[2, 3, 1, 4]);
    }

    #[test]
    fn damage_flips_exactly_one_bit_of_the_payload_and_spares_the_rest() {
        let (mut stage, mut out) = (PublishStage::default(), BytesMut::new());
        stage.set(PublishFaults::on("/frame").corrupt_every(2), &mut out);
        let tally = DirectionTally::default();
        for (qos, number) in [(0, 1), (1, 2), (0, 3), (0, 4)] {
            let sent = publish(FRAME, qos, &[number; 5]);
            out.clear();
            stage.packet(sent.clone(), &tally, &mut out);
            let payload_at = sent.len() - 5;
            assert_eq!(out[..payload_at], sent[..payload_at]);
            let flipped: u32 =
                sent.iter().zip(&out).map(|(sent, seen)| (sent ^ seen).count_ones()).sum();
            assert_eq!(flipped, u32::from(number % 2 == 0), "packet {number}");
        }
        stage.packet(publish(FRAME, 0, &[]), &tally, &mut out);
        stage.packet(publish(FRAME, 0, &[]), &tally, &mut out);
        assert_eq!(tally.payloads_corrupted.get(), 2);
    }
}
