//! Bytes of every release, which must decode for ever to the values they were made from.
//!
//! Once a release is out, neither its `.hex` files nor its values change: an agent that nobody updated still sends them.
//! To record a release: copy the newest `release_*.rs` beside this file, set every new field in it, add it to [`releases`], and run
//! `cargo run -p ecmo-proto --example golden`. It writes what is missing and never overwrites.

use std::error::Error;
use std::path::PathBuf;

use ecmo_proto::sealed;
use ecmo_proto::v1::{Alarm, Birth, Frame, Pump, Status, Treatment, WatchAlarmsResponse};
use prost::{DecodeError, Message};

mod release_0_1_0;
#[cfg(test)]
mod tests;

/// One message as it stands on the wire.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Golden {
    Alarm(Alarm),
    Birth(Birth),
    Pump(Box<Pump>),
    /// Sealed; its `crc32c` is 0 here, since sealing sets it.
    SealedFrame(Frame),
    Status(Status),
    Treatment(Box<Treatment>),
    WatchAlarmsResponse(WatchAlarmsResponse),
}

impl Golden {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Alarm(message) => message.encode_to_vec(),
            Self::Birth(message) => message.encode_to_vec(),
            Self::Pump(message) => message.encode_to_vec(),
            Self::SealedFrame(frame) => sealed::seal(frame).to_vec(),
            Self::Status(message) => message.encode_to_vec(),
            Self::Treatment(message) => message.encode_to_vec(),
            Self::WatchAlarmsResponse(message) => message.encode_to_vec(),
        }
    }

    /// Decodes bytes as the kind of message that `self` is.
    fn decode_alike(&self, bytes: &[u8]) -> Result<Self, Box<dyn Error>> {
        let plain = |error: DecodeError| -> Box<dyn Error> { error.into() };
        match self {
            Self::Alarm(_) => Alarm::decode(bytes).map(Self::Alarm).map_err(plain),
            Self::Birth(_) => Birth::decode(bytes).map(Self::Birth).map_err(plain),
            Self::Pump(_) => {
                Pump::decode(bytes).map(|pump| Self::Pump(Box::new(pump))).map_err(plain)
            }
            Self::SealedFrame(_) => Ok(Self::SealedFrame(sealed::open(bytes)?)),
            Self::Status(_) => Status::decode(bytes).map(Self::Status).map_err(plain),
            Self::Treatment(_) => {
                let decoded = Treatment::decode(bytes).map_err(plain)?;
                Ok(Self::Treatment(Box::new(decoded)))
            }
            Self::WatchAlarmsResponse(_) => {
                WatchAlarmsResponse::decode(bytes).map(Self::WatchAlarmsResponse).map_err(plain)
            }
        }
    }
}

/// A release and its messages by file name.
pub(crate) type Release = (&'static str, Vec<(&'static str, Golden)>);

/// Every release, oldest first.
pub(crate) fn releases() -> Vec<Release> {
    vec![("0.1.0", release_0_1_0::messages())]
}

/// Where a message's bytes are kept.
pub(crate) fn file(release: &str, name: &str) -> PathBuf {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    tests.join(release).join(format!("{name}.hex"))
}

/// Hexadecimal, 32 bytes a line.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    let line = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    bytes.chunks(32).map(|chunk| line(chunk) + "\n").collect()
}
