//! MQTT packets in a byte stream: where one ends, and what a PUBLISH carries. Pure.

use bytes::{Buf, Bytes, BytesMut};

/// First byte of CONNECT, which opens every client's stream. No TLS, HTTP or gRPC stream does.
const CONNECT: u8 = 0x10;

/// First byte of CONNACK, which opens every broker's stream.
const CONNACK: u8 = 0x20;

/// Packet type of PUBLISH.
const PUBLISH: u8 = 3;

/// The remaining length has at most this many bytes.
const LENGTH_BYTES: usize = 4;

/// Packets above this pass untouched instead of being held whole: this is the framer's memory.
pub(super) const MAX_PACKET_BYTES: usize = 1 << 20;

/// How packets leave the framer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handling {
    /// Each packet whole, for faults that concern packets.
    Whole,
    /// Bytes as they come, packet ends still counted.
    Through,
}

/// A part of the stream, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// One whole packet.
    Packet(Bytes),
    /// Bytes to be passed on untouched.
    Raw(Bytes),
}

/// What the stream has shown itself to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Unknown,
    Mqtt,
    /// Not MQTT, or broken MQTT: never looked at again.
    Other,
}

/// Cuts a stream into packets. Holds at most one packet and what arrived behind it.
#[derive(Debug)]
pub(super) struct Framer {
    protocol: Protocol,
    waiting: BytesMut,
    /// Bytes of a packet begun that still pass through.
    passing: usize,
}

impl Framer {
    pub(super) fn new() -> Self {
        Self { protocol: Protocol::Unknown, waiting: BytesMut::new(), passing: 0 }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.protocol == Protocol::Unknown
            && let Some(first) = bytes.first()
        {
            let mqtt = matches!(*first, CONNECT | CONNACK);
            self.protocol = if mqtt { Protocol::Mqtt } else { Protocol::Other };
        }
        self.waiting.extend_from_slice(bytes);
    }

    /// The next part that can leave now.
    pub(super) fn next(&mut self, handling: Handling) -> Option<Piece> {
        if self.waiting.is_empty() {
            return None;
        }
        if self.protocol != Protocol::Mqtt {
            return self.rest().map(Piece::Raw);
        }
        if self.passing == 0 {
            match header(&self.waiting) {
                Header::Incomplete => return None,
                Header::Malformed => {
                    self.protocol = Protocol::Other;
                    return self.rest().map(Piece::Raw);
                }
                Header::Packet { length } => {
                    if handling == Handling::Whole && length <= MAX_PACKET_BYTES {
                        let whole = self.waiting.len() >= length;
                        return whole
                            .then(|| Piece::Packet(self.waiting.split_to(length).freeze()));
                    }
                    self.passing = length;
                }
            }
        }
        let part = self.passing.min(self.waiting.len());
        self.passing -= part;
        Some(Piece::Raw(self.waiting.split_to(part).freeze()))
    }

    /// What is held of a packet that will not be completed.
    pub(super) fn rest(&mut self) -> Option<Bytes> {
        (!self.waiting.is_empty()).then(|| self.waiting.split().freeze())
    }
}

enum Header {
    Incomplete,
    Malformed,
    Packet { length: usize },
}

/// Reads the fixed header: one byte, then the remaining length, seven bits a byte.
fn header(bytes: &[u8]) -> Header {
    let mut remaining = 0_usize;
    for (index, byte) in bytes.iter().skip(1).take(LENGTH_BYTES).enumerate() {
        remaining |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Header::Packet { length: 2 + index + remaining };
        }
    }
    if bytes.len() > LENGTH_BYTES { Header::Malformed } else { Header::Incomplete }
}

/// What the faults need to know of a PUBLISH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Publish<'a> {
    /// Quality of service: only 0 has no packet id.
    pub(super) qos: u8,
    /// Name of the topic.
    pub(super) topic: &'a str,
    /// Where in the packet the payload begins.
    pub(super) payload_at: usize,
}

/// Reads a whole packet; `None` when it is no PUBLISH, or a broken one.
pub(super) fn publish(packet: &[u8]) -> Option<Publish<'_>> {
    let first = *packet.first()?;
    if first >> 4 != PUBLISH {
        return None;
    }
    let length_bytes = 1 + packet.iter().skip(1).take_while(|byte| **byte & 0x80 != 0).count();
    let mut rest = packet.get(1 + length_bytes..)?;
    let topic_bytes = usize::from(rest.try_get_u16().ok()?);
    let topic = str::from_utf8(rest.get(..topic_bytes)?).ok()?;
    let qos = (first >> 1) & 0b11;
    let packet_id_bytes = if qos == 0 { 0 } else { 2 };
    let payload_at = 1 + length_bytes + 2 + topic_bytes + packet_id_bytes;
    (payload_at <= packet.len()).then_some(Publish { qos, topic, payload_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECT_PACKET: [u8; 4] = [0x10, 2, 0, 4];
    const PING: [u8; 2] = [0xc0, 0];

    fn long_publish(payload: usize) -> Vec<u8> {
        let remaining = 2 + 3 + payload;
        let mut packet = vec![0x30];
        let mut length = remaining;
        loop {
            let more = if length > 0x7f { 0x80 } else { 0 };
            packet.push(u8::try_from(length & 0x7f).unwrap() | more);
            length >>= 7;
            if length == 0 {
                break;
            }
        }
        packet.extend([0, 3]);
        packet.extend(b"a/b");
        packet.extend(std::iter::repeat_n(7, payload));
        packet
    }

    fn pieces(framer: &mut Framer, chunk: &[u8], handling: Handling) -> Vec<Piece> {
        framer.push(chunk);
        std::iter::from_fn(|| framer.next(handling)).collect()
    }

    #[test]
    fn packets_come_whole_wherever_the_stream_is_cut() {
        let packets = [CONNECT_PACKET.to_vec(), long_publish(300), PING.to_vec(), long_publish(0)];
        let stream = packets.concat();
        let expected: Vec<_> = packets.iter().map(|p| Piece::Packet(p.clone().into())).collect();
        for size in 1..=stream.len() {
            let mut framer = Framer::new();
            let seen: Vec<_> = stream
                .chunks(size)
                .flat_map(|chunk| pieces(&mut framer, chunk, Handling::Whole))
                .collect();
            assert_eq!(seen, expected, "chunks of {size}");
            assert_eq!(framer.rest(), None);
        }
    }

    #[test]
    fn nothing_waits_while_no_packet_is_wanted() {
        let mut framer = Framer::new();
        let publish = long_publish(300);
        framer.push(&CONNECT_PACKET);
        assert_eq!(
            framer.next(Handling::Through),
            Some(Piece::Raw(CONNECT_PACKET.to_vec().into()))
        );
        let (head, tail) = publish.split_at(20);
        assert_eq!(
            pieces(&mut framer, head, Handling::Through),
            [Piece::Raw(head.to_vec().into())]
        );
        // Switched on amid a packet: that one still passes, the next comes whole.
        let both = [tail, &PING].concat();
        assert_eq!(
            pieces(&mut framer, &both, Handling::Whole),
            [Piece::Raw(tail.to_vec().into()), Piece::Packet(PING.to_vec().into())]
        );
    }

    #[test]
    fn other_protocols_and_broken_lengths_pass_untouched() {
        for stream in [&b"PRI * HTTP/2.0"[..], &[0x16, 3, 1], &[0x30, 0xff, 0xff, 0xff, 0xff, 1]] {
            let mut framer = Framer::new();
            let seen = pieces(&mut framer, stream, Handling::Whole);
            assert_eq!(seen, [Piece::Raw(stream.to_vec().into())]);
        }
        let mut framer = Framer::new();
        pieces(&mut framer, &CONNECT_PACKET, Handling::Whole);
        let broken = [0x30, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(
            pieces(&mut framer, &broken, Handling::Whole),
            [Piece::Raw(broken.to_vec().into())]
        );
        assert_eq!(pieces(&mut framer, &PING, Handling::Whole), [Piece::Raw(PING.to_vec().into())]);
    }

    #[test]
    fn a_packet_above_the_limit_passes_untouched_and_the_next_comes_whole() {
        let mut framer = Framer::new();
        let big = long_publish(MAX_PACKET_BYTES);
        let stream = [&CONNECT_PACKET[..], &big, &PING].concat();
        let mut raw = 0;
        let mut packets = Vec::new();
        for chunk in stream.chunks(4096) {
            for piece in pieces(&mut framer, chunk, Handling::Whole) {
                match piece {
                    Piece::Packet(packet) => packets.push(packet),
                    Piece::Raw(bytes) => raw += bytes.len(),
                }
            }
        }
        assert_eq!(raw, big.len());
        assert_eq!(packets, [CONNECT_PACKET.to_vec(), PING.to_vec()]);
    }

    #[test]
    fn the_end_of_a_stream_gives_up_what_was_held() {
        let mut framer = Framer::new();
        framer.push(&[0x10, 9, 1]);
        assert_eq!(framer.next(Handling::Whole), None);
        assert_eq!(framer.rest(), Some(Bytes::from_static(&[0x10, 9, 1])));
    }

    #[test]
    fn a_publish_shows_its_topic_quality_and_payload() {
        let table: [(&[u8], Option<Publish<'_>>); 7] = [
            (&[0x30, 5, 0, 1, b'a', 9, 9], Some(Publish { qos: 0, topic: "a", payload_at: 5 })),
            (&[0x32, 6, 0, 1, b'a', 0, 7, 9], Some(Publish { qos: 1, topic: "a", payload_at: 7 })),
            (&[0x35, 5, 0, 1, b'a', 0, 7], Some(Publish { qos: 2, topic: "a", payload_at: 7 })),
            (&[0x32, 4, 0, 1, b'a', 0], None),
            (&[0x30, 3, 0, 9, b'a'], None),
            (&[0x30, 3, 0, 1, 0xff], None),
            (&[0x40, 2, 0, 1], None),
        ];
        for (packet, expected) in table {
            assert_eq!(publish(packet), expected, "{packet:?}");
        }
        assert_eq!(publish(&long_publish(300)).unwrap().payload_at, 1 + 2 + 2 + 3);
    }
}
