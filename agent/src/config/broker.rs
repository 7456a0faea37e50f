//! The address of a broker, `mqtt://host:port` or `mqtts://host:port`, and the one or two brokers that an agent publishes to.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// Port of MQTT without TLS.
const PORT_DEFAULT: u16 = 1883;

/// Port of MQTT with TLS.
const TLS_PORT_DEFAULT: u16 = 8883;

/// Longest host name, by RFC 1035.
const HOST_BYTES_MAX: usize = 253;

/// Where a broker listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerUrl {
    host: String,
    port: u16,
    is_secured: bool,
}

/// Why a text is no broker address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokerUrlError {
    /// Another scheme.
    #[error(
        "{0:?} does not begin with mqtt:// or mqtts://; use mqtt://host:port, or mqtts://host:port with TLS"
    )]
    Scheme(String),
    /// No host, or something that is none.
    #[error("{0:?} names no host; use mqtt://host:port, without user, path or blanks")]
    Host(String),
    /// An address of which no certificate tells.
    #[error(
        "{0:?} is an IPv6 address, which TLS does not take here; use a name: mqtts://host:port"
    )]
    SecuredIpv6(String),
    /// A port that is no number from 1 to 65535.
    #[error("{0:?} has no usable port; use mqtt://host:port with a port from 1 to 65535")]
    Port(String),
}

impl BrokerUrl {
    /// Host name or address; an IPv6 address stands in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is reached by TLS.
    #[must_use]
    pub const fn is_secured(&self) -> bool {
        self.is_secured
    }
}

impl FromStr for BrokerUrl {
    type Err = BrokerUrlError;

    fn from_str(text: &str) -> Result<Self, BrokerUrlError> {
        let shown = || text.chars().take(HOST_BYTES_MAX).collect::<String>();
        let secured = text.strip_prefix("mqtts://");
        let rest = secured.or_else(|| text.strip_prefix("mqtt://"));
        let rest = rest.ok_or_else(|| BrokerUrlError::Scheme(shown()))?;
        let is_secured = secured.is_some();
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            // The last colon of a bare IPv6 address in brackets is inside them.
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            Some(_) | None => (rest, None),
        };
        let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let valid = match bracketed {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
                !host.is_empty() && host.len() <= HOST_BYTES_MAX && host.bytes().all(allowed)
            }
        };
        if !valid {
            return Err(BrokerUrlError::Host(shown()));
        }
        if is_secured && bracketed.is_some() {
            return Err(BrokerUrlError::SecuredIpv6(shown()));
        }
        let port = match port {
            None if is_secured => TLS_PORT_DEFAULT,
            None => PORT_DEFAULT,
            Some(digits) => {
                let number = digits.parse().ok().filter(|number| *number != 0);
                number.ok_or_else(|| BrokerUrlError::Port(shown()))?
            }
        };
        Ok(Self { host: host.to_owned(), port, is_secured })
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secured { "mqtts" } else { "mqtt" };
        write!(formatter, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// Most brokers of one agent.
pub const BROKERS_MAX: usize = 2;

/// Names of the paths, in the order of the brokers.
const PATH_NAMES: [&str; BROKERS_MAX] = ["a", "b"];

/// The one or two brokers of an agent. They are independent of each other, and every frame goes to each.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Brokers(Vec<BrokerUrl>);

/// Why brokers are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokersError {
    /// None, or more than an agent can have.
    #[error("{0} brokers: use 1 or {BROKERS_MAX}")]
    Count(usize),
    /// An address is wrong.
    #[error(transparent)]
    Url(#[from] BrokerUrlError),
}

/// Brokers as they stand in the settings: one address, or a list of them.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings: use mqtt://host:port")]
enum Written {
    One(String),
    Several(Vec<String>),
}

impl Brokers {
    /// A single broker.
    #[must_use]
    pub fn one(broker: BrokerUrl) -> Self {
        Self(vec![broker])
    }

    /// The first of these brokers, and a second one.
    #[must_use]
    pub fn and(mut self, second: BrokerUrl) -> Self {
        self.0.truncate(BROKERS_MAX - 1);
        self.0.push(second);
        self
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.0.len()
    }

    /// Name of the path and address of each broker.
    pub fn paths(&self) -> impl Iterator<Item = (&'static str, &BrokerUrl)> {
        PATH_NAMES.into_iter().zip(&self.0)
    }
}

impl TryFrom<Written> for Brokers {
    type Error = BrokersError;

    fn try_from(written: Written) -> Result<Self, BrokersError> {
        let texts = match written {
            Written::One(text) => vec![text],
            Written::Several(texts) => texts,
        };
        if texts.is_empty() || texts.len() > BROKERS_MAX {
            return Err(BrokersError::Count(texts.len()));
        }
        Ok(Self(texts.iter().map(|text| text.parse()).collect::<Result<_, _>>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown() {
        for (text, host, port) in [
            ("mqtt://127.0.0.1:18830", "127.0.0.1", 18830),
            ("mqtt://broker-a.ward.example", "broker-a.ward.example", 1883),
            ("mqtt://localhost:1/", "localhost", 1),
            ("mqtt://[::1]:1883", "[::1]", 1883),
            ("mqtt://[fe80::1]", "[fe80::1]", 1883),
            ("mqtts://broker-a", "broker-a", 8883),
            ("mqtts://10.0.0.1:1883", "10.0.0.1", 1883),
        ] {
            let url: BrokerUrl = text.parse().unwrap();
            assert_eq!((url.host(), url.port()), (host, port), "{text}");
            assert_eq!(url.is_secured(), text.starts_with("mqtts"), "{text}");
            assert_eq!(url.to_string().parse(), Ok(url));
        }
    }

    #[test]
    fn a_wrong_address_says_what_to_write() {
        for text in [
            "",
            "localhost:1883",
            "mqttss://a:8883",
            "mqtt://",
            "mqtt://:1883",
            "mqtt://a b:1",
            "mqtt://user@host:1",
            "mqtt://host:0",
            "mqtt://host:65536",
            "mqtt://host:x",
            "mqtt://host/path",
            "mqtt://::1:1883",
        ] {
            let error = text.parse::<BrokerUrl>().unwrap_err().to_string();
            assert!(error.contains("use mqtt://host:port"), "{text}: {error}");
        }
        let error = "mqtts://[::1]:8883".parse::<BrokerUrl>().unwrap_err().to_string();
        assert!(error.contains("use a name: mqtts://host:port"), "{error}");
    }
}
