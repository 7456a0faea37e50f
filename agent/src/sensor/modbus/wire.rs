//! Modbus on the wire: the only requests this program can make, and what answers say. Pure.
//!
//! A request is made of a [`RegisterTable`], and each table has one function code, which reads. Nothing here takes a function
//! code or a payload from outside: no other byte sequence can be sent to a slave.

use crate::config::RegisterTable;

/// Most registers and bits of one request, as the standard limits them.
pub const REGISTERS_MAX: u16 = 125;

/// Longest answer in bytes: 250 bytes of registers between a header and a check sum.
pub const ANSWER_BYTES_MAX: usize = 260;

/// Bytes before the function code over TCP: transaction, protocol, length, unit.
const TCP_HEADER: usize = 7;

/// How bytes are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Serial line: check sum behind.
    Rtu,
    /// TCP: header before, with a number that the answer repeats.
    Tcp {
        /// The number.
        transaction: u16,
    },
}

/// A request to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// The slave.
    pub unit: u8,
    /// What is read.
    pub table: RegisterTable,
    /// First address.
    pub start: u16,
    /// Number of addresses, 1 to [`REGISTERS_MAX`].
    pub count: u16,
}

/// The function code that reads a table.
#[must_use]
pub const fn function_code(table: RegisterTable) -> u8 {
    match table {
        RegisterTable::Coil => 1,
        RegisterTable::Discrete => 2,
        RegisterTable::Holding => 3,
        RegisterTable::Input => 4,
    }
}

/// The bytes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestBytes {
    bytes: [u8; 12],
    length: usize,
}

impl RequestBytes {
    /// The bytes to send.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Request {
    /// The bytes of the request.
    #[must_use]
    pub const fn encode(&self, framing: Framing) -> RequestBytes {
        let [start_high, start_low] = self.start.to_be_bytes();
        let [count_high, count_low] = self.count.to_be_bytes();
        let code = function_code(self.table);
        let pdu = [self.unit, code, start_high, start_low, count_high, count_low];
        match framing {
            Framing::Rtu => {
                let [low, high] = crc(&pdu).to_le_bytes();
                let [unit, code, a, b, c, d] = pdu;
                let bytes = [unit, code, a, b, c, d, low, high, 0, 0, 0, 0];
                RequestBytes { bytes, length: 8 }
            }
            Framing::Tcp { transaction } => {
                let [high, low] = transaction.to_be_bytes();
                let [unit, code, a, b, c, d] = pdu;
                let bytes = [high, low, 0, 0, 0, 6, unit, code, a, b, c, d];
                RequestBytes { bytes, length: 12 }
            }
        }
    }

    /// Bytes of data in an answer.
    const fn data_bytes(&self) -> usize {
        if self.table.is_bits() {
            (self.count as usize).div_ceil(8)
        } else {
            2 * self.count as usize
        }
    }

    /// What the bytes received so far are to this request.
    #[must_use]
    pub fn answer<'a>(&self, framing: Framing, bytes: &'a [u8]) -> Answer<'a> {
        match framing {
            Framing::Rtu => self.rtu_answer(bytes),
            Framing::Tcp { transaction } => self.tcp_answer(transaction, bytes),
        }
    }

    fn rtu_answer<'a>(&self, bytes: &'a [u8]) -> Answer<'a> {
        let [unit, code, third, ..] = bytes else { return Answer::Incomplete };
        if *unit != self.unit {
            return Answer::Refused(Refusal::Unit);
        }
        let own = function_code(self.table);
        let is_exception = *code == own | 0x80;
        let length = if is_exception { 5 } else { 5 + self.data_bytes() };
        let is_ours = is_exception || *code == own && usize::from(*third) == self.data_bytes();
        if !is_ours {
            return Answer::Refused(Refusal::Shape);
        }
        let Some(whole) = bytes.get(..length) else { return Answer::Incomplete };
        if bytes.len() > length {
            // More than one answer to one question: somebody else speaks too.
            return Answer::Refused(Refusal::Surplus);
        }
        let Some((body, [low, high])) = whole.split_last_chunk::<2>() else {
            return Answer::Incomplete;
        };
        if crc(body) != u16::from_le_bytes([*low, *high]) {
            return Answer::Refused(Refusal::CheckSum);
        }
        if is_exception { Answer::Exception(*third) } else { data(body, 3) }
    }

    fn tcp_answer<'a>(&self, transaction: u16, bytes: &'a [u8]) -> Answer<'a> {
        let [high, low, protocol_high, protocol_low, length_high, length_low, rest @ ..] = bytes
        else {
            return Answer::Incomplete;
        };
        let length = usize::from(u16::from_be_bytes([*length_high, *length_low]));
        if (*protocol_high, *protocol_low) != (0, 0) || !(3..=254).contains(&length) {
            return Answer::Refused(Refusal::Shape);
        }
        let Some(body) = rest.get(..length) else { return Answer::Incomplete };
        if u16::from_be_bytes([*high, *low]) != transaction {
            return Answer::Other { length: TCP_HEADER - 1 + length };
        }
        let [unit, code, third, ..] = body else { return Answer::Refused(Refusal::Shape) };
        if *unit != self.unit {
            return Answer::Refused(Refusal::Unit);
        }
        let own = function_code(self.table);
        if *code == own | 0x80 && length == 3 {
            return Answer::Exception(*third);
        }
        let is_ours = *code == own
            && usize::from(*third) == self.data_bytes()
            && length == 3 + self.data_bytes()
            && rest.len() == length;
        if is_ours { data(body, 3) } else { Answer::Refused(Refusal::Shape) }
    }
}

fn data(body: &[u8], from: usize) -> Answer<'_> {
    Answer::Data(body.get(from..).unwrap_or_default())
}

/// What received bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// The beginning of an answer, or nothing yet.
    Incomplete,
    /// The data asked for.
    Data(&'a [u8]),
    /// The slave refuses, with its code.
    Exception(u8),
    /// A late answer to an earlier request, so many bytes long.
    Other {
        /// Bytes to leave out.
        length: usize,
    },
    /// No answer to this request.
    Refused(Refusal),
}

/// Why bytes are no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another slave.
    #[error("answer of another slave")]
    Unit,
    /// Another function or length.
    #[error("no answer to this request")]
    Shape,
    /// Too many bytes.
    #[error("more bytes than the answer has")]
    Surplus,
    /// The check sum is wrong.
    #[error("wrong check sum")]
    CheckSum,
}

/// The check sum of a serial line.
#[must_use]
pub const fn crc(bytes: &[u8]) -> u16 {
    let mut sum = 0xffff_u16;
    let mut rest = bytes;
    while let [byte, others @ ..] = rest {
        sum ^= *byte as u16;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xa001 } else { sum >> 1 };
            bit += 1;
        }
        rest = others;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TWO: Request =
        Request { unit: 0x11, table: RegisterTable::Holding, start: 0x6b, count: 3 };

    #[test]
    fn requests_are_the_documented_bytes() {
        // The examples of the protocol's specification.
        assert_eq!(
            TWO.encode(Framing::Rtu).as_slice(),
            [0x11, 0x03, 0x00, 0x6b, 0x00, 0x03, 0x76, 0x87]
        );
        let tcp = TWO.encode(Framing::Tcp { transaction: 0x1501 });
        assert_eq!(tcp.as_slice(), [0x15, 1, 0, 0, 0, 6, 0x11, 3, 0, 0x6b, 0, 3]);
        assert_eq!(crc(b"123456789"), 0x4b37);
    }

    #[test]
    fn answers_are_whole_torn_refused_or_exceptions() {
        let mut rtu = vec![0x11, 3, 6, 0, 1, 0, 2, 0, 3];
        rtu.extend(crc(&rtu).to_le_bytes());
        for length in 0..rtu.len() {
            assert_eq!(TWO.answer(Framing::Rtu, &rtu[..length]), Answer::Incomplete);
        }
        assert_eq!(TWO.answer(Framing::Rtu, &rtu), Answer::Data(&[0, 1, 0, 2, 0, 3]));
        let mut exception = vec![0x11, 0x83, 2];
        exception.extend(crc(&exception).to_le_bytes());
        assert_eq!(TWO.answer(Framing::Rtu, &exception), Answer::Exception(2));
        let tcp = [0, 9, 0, 0, 0, 9, 0x11, 3, 6, 0, 1, 0, 2, 0, 3];
        let ours = Framing::Tcp { transaction: 9 };
        assert_eq!(TWO.answer(ours, &tcp), Answer::Data(&[0, 1, 0, 2, 0, 3]));
        let other = Framing::Tcp { transaction: 10 };
        assert_eq!(TWO.answer(other, &tcp), Answer::Other { length: 15 });
        let exception = [0, 9, 0, 0, 0, 3, 0x11, 0x83, 2];
        assert_eq!(TWO.answer(ours, &exception), Answer::Exception(2));
    }

    proptest! {
        #[test]
        fn any_one_flipped_bit_of_a_serial_answer_is_refused_or_waited_out(bit in 0usize..88) {
            let mut rtu = vec![0x11, 3, 6, 0, 1, 0, 2, 0, 3];
            rtu.extend(crc(&rtu).to_le_bytes());
            rtu[bit / 8] ^= 1 << (bit % 8);
            let answer = TWO.answer(Framing::Rtu, &rtu);
            prop_assert!(!matches!(answer, Answer::Data(_) | Answer::Exception(_)), "{:?}", answer);
        }

        #[test]
        fn no_bytes_panic_and_data_has_the_length_asked_for(
            bytes in proptest::collection::vec(any::<u8>(), 0..300), count in 1u16..=125, coil in any::<bool>(),
        ) {
            let table = if coil { RegisterTable::Coil } else { RegisterTable::Input };
            let request = Request { unit: 1, table, start: 0, count };
            for framing in [Framing::Rtu, Framing::Tcp { transaction: 1 }] {
                if let Answer::Data(data) = request.answer(framing, &bytes) {
                    prop_assert_eq!(data.len(), request.data_bytes());
                }
            }
        }

        #[test]
        fn every_request_reads(unit in any::<u8>(), start in any::<u16>(), count in 1u16..=125) {
            for table in [RegisterTable::Coil, RegisterTable::Discrete, RegisterTable::Holding, RegisterTable::Input] {
                let request = Request { unit, table, start, count };
                let rtu = request.encode(Framing::Rtu);
                prop_assert!((1..=4).contains(&rtu.as_slice()[1]) && rtu.as_slice().len() == 8);
                let tcp = request.encode(Framing::Tcp { transaction: start });
                prop_assert!((1..=4).contains(&tcp.as_slice()[7]) && tcp.as_slice().len() == 12);
            }
        }
    }
}
