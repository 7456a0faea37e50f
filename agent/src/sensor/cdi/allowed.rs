//! Everything that may ever be sent to a CDI 550, in one list: an answer to its packet, and the request for a line.
//!
//! Nothing here sets anything. The commands that do (`S`), and those that ask for a state (`G`), are not on the list.

use super::packet::Packet;

/// Asks for one line of text: length 08 with all signs, check sum 36 over what stands before it.
const REQUEST: &[u8] = b"<X08Z36>";

/// Who answers: the monitor wants this sign of whoever is not a monitor.
const DEVICE: u8 = b'A';

/// The answers to the data that the monitor sends by itself, on mark, on store and after a recalibration.
const ACKNOWLEDGED: [&[u8]; 4] = [b"A0", b"A1", b"A2", b"A3"];

/// Bytes that are on the list. The only way to make one is through the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed(Vec<u8>);

impl Allowed {
    /// Lets bytes pass that are on the list.
    #[must_use]
    pub fn check(bytes: Vec<u8>) -> Option<Self> {
        is_allowed(&bytes).then_some(Self(bytes))
    }

    /// The request for a line of text.
    #[must_use]
    pub fn request() -> Option<Self> {
        Self::check(REQUEST.to_vec())
    }

    /// The answer to a packet with data that was understood: an acknowledgement that names what it acknowledges.
    #[must_use]
    pub fn acknowledgement(packet: &Packet<'_>) -> Option<Self> {
        let data = [packet.command, packet.subcommand];
        Self::check(answer(packet.sequence, b'K', &data)?)
    }

    /// The answer to a packet that was not understood: it shall be sent again.
    #[must_use]
    pub fn refusal(sequence: u8) -> Option<Self> {
        Self::check(answer(sequence, b'N', b"")?)
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

fn answer(sequence: u8, command: u8, data: &[u8]) -> Option<Vec<u8>> {
    Packet { device: DEVICE, sequence, command, subcommand: b'0', data }.encode()
}

/// The list.
fn is_allowed(bytes: &[u8]) -> bool {
    if bytes == REQUEST {
        return true;
    }
    let Ok(packet) = Packet::parse(bytes) else { return false };
    packet.device == DEVICE
        && packet.subcommand == b'0'
        && match packet.command {
            b'K' => ACKNOWLEDGED.contains(&packet.data),
            b'N' => packet.data.is_empty(),
            _other => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_carries_the_documented_length_and_check_sum() {
        let xor = REQUEST[..5].iter().fold(0, |sum, byte| sum ^ byte);
        assert_eq!((REQUEST.len(), xor), (8, 0x36));
    }

    #[test]
    fn exactly_the_answers_and_the_request_are_on_the_list() {
        let mut count = 0;
        let sequences = [0x00, 0x01, 0x2C, 0xFF];
        for sequence in sequences {
            // Every command and subcommand that a packet can carry, with every data of two digits or letters.
            for (command, subcommand) in
                (b' '..=b'~').flat_map(|command| (b'0'..=b'9').map(move |sub| (command, sub)))
            {
                for data in [&b""[..], b"A0", b"A1", b"A2", b"A3", b"A4", b"S7", b"G6", b"S712"] {
                    let packet = Packet { device: DEVICE, sequence, command, subcommand, data };
                    count += usize::from(is_allowed(&packet.encode().unwrap()));
                }
            }
        }
        assert_eq!(
            count,
            sequences.len() * (4 + 1),
            "four acknowledgements and a refusal for each sequence"
        );
        assert_eq!(Allowed::request().unwrap().bytes(), b"<X08Z36>");
        let monitor =
            Packet { device: b'X', sequence: 1, command: b'K', subcommand: b'0', data: b"A0" };
        assert!(!is_allowed(&monitor.encode().unwrap()), "never in the monitor's name");
    }

    #[test]
    fn commands_that_set_or_ask_for_a_state_cannot_be_made() {
        for bytes in [&b"S712"[..], b"G6", b"Z\r", b"<X08S3F>", b"", b"\r"] {
            assert_eq!(Allowed::check(bytes.to_vec()), None);
        }
        for command in [b'S', b'G', b'E', b'K'] {
            let packet =
                Packet { device: b'X', sequence: 1, command, subcommand: b'7', data: b"12" };
            assert_eq!(Allowed::acknowledgement(&packet), None, "only data is acknowledged");
            assert_eq!(Allowed::check(packet.encode().unwrap()), None);
        }
    }

    #[test]
    fn a_changed_byte_of_an_allowed_packet_is_not_allowed_unless_it_says_the_same() {
        let packet =
            Packet { device: b'X', sequence: 0x2C, command: b'A', subcommand: b'0', data: b"" };
        let answers = [Allowed::acknowledgement(&packet), Allowed::refusal(7), Allowed::request()];
        for good in answers.map(|answer| answer.unwrap().0) {
            for (at, byte) in
                (0..good.len()).flat_map(|at| (0..=u8::MAX).map(move |byte| (at, byte)))
            {
                let mut changed = good.clone();
                changed[at] = byte;
                let same = changed.eq_ignore_ascii_case(&good) && changed != good;
                assert!(changed == good || same || !is_allowed(&changed), "{at} {byte:02X}");
            }
        }
    }
}
