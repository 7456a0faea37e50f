//! Where an instrument is connected, and how bits go over its line.

use core::net::SocketAddr;
use core::str::FromStr;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

/// What a terminal server's address begins with in the settings.
const TCP: &str = "tcp://";

/// Where an instrument is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortAddress {
    /// A serial port of this machine, such as `/dev/serial/by-id/…`.
    Serial(PathBuf),
    /// A terminal server, which sets the speed of its line by itself: `tcp://address:port`.
    Tcp(SocketAddr),
}

/// An address of a terminal server that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no terminal server: write tcp://192.0.2.7:4001, with a number and not a name, because asking for a name \
     may take long"
)]
pub struct WrongAddress(String);

impl FromStr for PortAddress {
    type Err = WrongAddress;

    fn from_str(text: &str) -> Result<Self, WrongAddress> {
        match text.strip_prefix(TCP) {
            Some(server) => {
                server.parse().map(Self::Tcp).map_err(|_no_address| WrongAddress(text.to_owned()))
            }
            None => Ok(Self::Serial(PathBuf::from(text))),
        }
    }
}

impl fmt::Display for PortAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial(path) => path.display().fmt(f),
            Self::Tcp(server) => write!(f, "{TCP}{server}"),
        }
    }
}

/// How bits go over a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineSettings {
    /// Bits per second.
    pub baud: u32,
    /// Bits of a byte.
    pub data_bits: DataBits,
    /// Check bit of a byte.
    pub parity: Parity,
    /// Pause after a byte.
    pub stop_bits: StopBits,
}

impl LineSettings {
    /// 8 data bits, no parity, 1 stop bit.
    #[must_use]
    pub const fn eight_n_one(baud: u32) -> Self {
        Self { baud, data_bits: DataBits::Eight, parity: Parity::None, stop_bits: StopBits::One }
    }
}

impl fmt::Display for LineSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = match self.data_bits {
            DataBits::Seven => 7,
            DataBits::Eight => 8,
        };
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        let stop = match self.stop_bits {
            StopBits::One => 1,
            StopBits::Two => 2,
        };
        write!(f, "{} baud {data}{parity}{stop}", self.baud)
    }
}

/// Bits of a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataBits {
    /// 7.
    Seven,
    /// 8.
    Eight,
}

/// Check bit of a byte. A byte whose bit is wrong is dropped by the port, so that a line or packet lacks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parity {
    /// No bit.
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

/// Pause after a byte, in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopBits {
    /// 1.
    One,
    /// 2.
    Two,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_path_or_a_terminal_server_by_number() {
        let serial = PortAddress::Serial("/dev/ttyUSB0".into());
        assert_eq!("/dev/ttyUSB0".parse(), Ok(serial));
        let tcp: PortAddress = "tcp://127.0.0.1:4001".parse().unwrap();
        assert_eq!(tcp.to_string(), "tcp://127.0.0.1:4001");
        let error = "tcp://server:1".parse::<PortAddress>().unwrap_err().to_string();
        assert!(error.contains("with a number"), "{error}");
    }
}
