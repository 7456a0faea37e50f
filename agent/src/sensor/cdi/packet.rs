//! One packet of the CDI 550: framing, length, check sum. Pure: no port, no clock.
//!
//! A packet is STX, device, two digits of sequence, four of length, command, subcommand, data, two digits of check sum,
//! ETX; all digits hexadecimal. The length counts everything from STX to ETX, the check sum covers everything before it.

/// First byte of a packet.
const STX: u8 = 0x02;

/// Last byte of a packet.
const ETX: u8 = 0x03;

/// Longest packet that is kept, in bytes; one with all eighteen fields has about 170.
pub const PACKET_BYTES_MAX: usize = 512;

/// Bytes around the data: all of a packet that carries none.
const FRAME_BYTES: usize = 13;

/// Bytes before the data.
const HEAD_BYTES: usize = 10;

/// The packet's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Who sent it; the monitor is `X`.
    pub device: u8,
    /// Counts the sender's packets.
    pub sequence: u8,
    /// What it is about, such as `A` for attention.
    pub command: u8,
    /// Which of these, a digit.
    pub subcommand: u8,
    /// The rest.
    pub data: &'a [u8],
}

/// Why bytes are no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Bytes outside of any packet, or a packet that was cut off by the next one.
    #[error("bytes that are no packet; check mode, speed and wiring of the port")]
    Torn,
    /// Longer than any packet.
    #[error("longer than any packet")]
    Overlong,
    /// Shorter than a packet without data, or with a length that is not its own.
    #[error("a length that is not its own")]
    Length,
    /// Something that is no text, or no digit where one must be.
    #[error("a byte that cannot stand there")]
    Byte,
    /// The check sum is wrong.
    #[error("wrong check sum")]
    CheckSum,
}

impl<'a> Packet<'a> {
    /// Parses a packet from STX to ETX.
    ///
    /// # Errors
    /// Anything that is not exactly one packet.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PacketError> {
        let inner = bytes.strip_prefix(&[STX]).and_then(|rest| rest.strip_suffix(&[ETX]));
        let inner = inner.ok_or(PacketError::Torn)?;
        if !inner.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
            return Err(PacketError::Byte);
        }
        let (head, rest) = bytes.split_at_checked(HEAD_BYTES).ok_or(PacketError::Length)?;
        let [_stx, device, s1, s0, l3, l2, l1, l0, command, subcommand] = *head else {
            return Err(PacketError::Length);
        };
        let data_bytes = bytes.len().checked_sub(FRAME_BYTES).ok_or(PacketError::Length)?;
        let (data, end) = rest.split_at_checked(data_bytes).ok_or(PacketError::Length)?;
        let [c1, c0, _etx] = *end else { return Err(PacketError::Length) };
        let length = u16::from(hex(l3, l2)?) << 8 | u16::from(hex(l1, l0)?);
        if usize::from(length) != bytes.len() {
            return Err(PacketError::Length);
        }
        let covered = bytes.get(..HEAD_BYTES + data_bytes).unwrap_or_default();
        if hex(c1, c0)? != crc(covered) {
            return Err(PacketError::CheckSum);
        }
        if !subcommand.is_ascii_digit() {
            return Err(PacketError::Byte);
        }
        Ok(Self { device, sequence: hex(s1, s0)?, command, subcommand, data })
    }

    /// Writes the packet; `None` when it is longer than a packet may be.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        let length = self.data.len() + FRAME_BYTES;
        if length > PACKET_BYTES_MAX {
            return None;
        }
        let mut bytes = vec![STX, self.device];
        bytes.extend(format!("{:02X}{length:04X}", self.sequence).bytes());
        bytes.extend([self.command, self.subcommand]);
        bytes.extend(self.data);
        bytes.extend(format!("{:02X}", crc(&bytes)).bytes());
        bytes.push(ETX);
        Some(bytes)
    }
}

/// Value of two hexadecimal digits.
fn hex(high: u8, low: u8) -> Result<u8, PacketError> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match (digit(high), digit(low)) {
        (Some(high), Some(low)) => Ok(high << 4 | low),
        (None, _) | (_, None) => Err(PacketError::Byte),
    }
}

/// The check sum: eight bits, polynomial 0xA1 reflected, from 0. One wrong bit always changes it.
#[must_use]
pub fn crc(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _bit| if crc & 1 == 1 { crc >> 1 ^ 0xA1 } else { crc >> 1 })
    })
}

/// Collects bytes until a packet is whole.
#[derive(Debug)]
pub struct Collector {
    bytes: Vec<u8>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before an STX; line ends may stand there.
    Outside,
    /// Before an STX, after bytes that were complained about already.
    Garbage,
    Inside,
    /// The packet in `bytes` is whole and was told.
    Whole,
}

impl Default for Collector {
    fn default() -> Self {
        Self { bytes: Vec::with_capacity(PACKET_BYTES_MAX), state: State::Outside }
    }
}

impl Collector {
    /// Forgets everything, as after opening the port: half a packet that comes then is no fault of the line.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.state = State::Garbage;
    }

    /// Takes a byte. True: [`Self::bytes`] is a whole packet, not checked yet.
    ///
    /// # Errors
    /// What came before this byte is no packet; told once a burst.
    pub fn take(&mut self, byte: u8) -> Result<bool, PacketError> {
        let was = self.state;
        if byte == STX {
            self.bytes.clear();
            self.bytes.push(byte);
            self.state = State::Inside;
            return if was == State::Inside { Err(PacketError::Torn) } else { Ok(false) };
        }
        if was == State::Inside {
            if self.bytes.len() == PACKET_BYTES_MAX {
                self.state = State::Garbage;
                return Err(PacketError::Overlong);
            }
            self.bytes.push(byte);
            if byte == ETX {
                self.state = State::Whole;
                return Ok(true);
            }
            return Ok(false);
        }
        if was == State::Garbage || matches!(byte, b'\r' | b'\n') {
            return Ok(false);
        }
        self.state = State::Garbage;
        Err(PacketError::Torn)
    }

    /// The whole packet.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The check sum as the maker's manual computes it: four bits at a time from a table, low ones first.
    fn crc_by_table(bytes: &[u8]) -> u8 {
        const TABLE: [u8; 16] = [
            0x00, 0xcd, 0xd9, 0x14, 0xf1, 0x3c, 0x28, 0xe5, 0xa1, 0x6c, 0x78, 0xb5, 0x50, 0x9d,
            0x89, 0x44,
        ];
        let half = |crc: u8, bits: u8| crc >> 4 ^ TABLE[usize::from((crc ^ bits) & 0x0F)];
        bytes.iter().fold(0, |crc, byte| half(half(crc, *byte), byte >> 4))
    }

    #[test]
    fn the_check_sum_is_the_documented_one() {
        assert_eq!(crc(b"123456789"), 0x2A);
        assert_eq!(crc_by_table(b"123456789"), 0x2A);
        for byte in 0..=u8::MAX {
            assert_eq!(crc(&[byte]), crc_by_table(&[byte]), "{byte}");
        }
    }

    #[test]
    fn the_documented_header_is_read() {
        let data = vec![b'x'; 0xA5 - FRAME_BYTES];
        let packet =
            Packet { device: b'X', sequence: 0x20, command: b'A', subcommand: b'0', data: &data };
        let bytes = packet.encode().unwrap();
        assert!(bytes.starts_with(b"\x02X2000A5A0"));
        assert_eq!(bytes.len(), 0xA5);
        assert_eq!(Packet::parse(&bytes), Ok(packet));
    }

    #[test]
    fn what_is_not_exactly_a_packet_is_refused() {
        let with_crc = |text: &[u8]| {
            let mut bytes = text.to_vec();
            bytes.extend(format!("{:02X}\x03", crc(text)).bytes());
            bytes
        };
        assert!(Packet::parse(&with_crc(b"\x02X01000DA0")).is_ok());
        for (bytes, error) in [
            (with_crc(b"\x02X01000EA0"), PacketError::Length),
            (with_crc(b"\x02X01000DA"), PacketError::Length),
            (with_crc(b"\x02X01GG0DA0"), PacketError::Byte),
            (with_crc(b"\x02X0+000DA0"), PacketError::Byte),
            (with_crc(b"\x02X01000DAx"), PacketError::Byte),
            (with_crc(b"\x02X01000EA0\x80"), PacketError::Byte),
            (b"\x02X01000DA000\x03".to_vec(), PacketError::CheckSum),
            (b"\x02\x03".to_vec(), PacketError::Length),
            (b"X01000DA0".to_vec(), PacketError::Torn),
            (vec![], PacketError::Torn),
        ] {
            assert_eq!(Packet::parse(&bytes), Err(error), "{}", String::from_utf8_lossy(&bytes));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_read_without_panic(
            bytes in proptest::collection::vec(prop_oneof![Just(STX), Just(ETX), any::<u8>()], 0..700),
        ) {
            let mut collector = Collector::default();
            for byte in bytes {
                if collector.take(byte) == Ok(true) {
                    let _either_is_fine = Packet::parse(collector.bytes());
                }
                prop_assert!(collector.bytes().len() <= PACKET_BYTES_MAX);
            }
        }

        #[test]
        fn what_is_written_is_read(sequence: u8, data in "[ -~\t]{0,400}") {
            let packet = Packet {
                device: b'A', sequence, command: b'K', subcommand: b'0', data: data.as_bytes(),
            };
            let bytes = packet.encode().unwrap();
            prop_assert_eq!(Packet::parse(&bytes), Ok(packet));
        }
    }
}
