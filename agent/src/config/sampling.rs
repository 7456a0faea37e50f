//! How to sample and where to tell about it: the tables `[sampling]` and `[metrics]`.

use core::time::Duration;
use std::net::SocketAddr;

use serde::{Deserialize, Deserializer};

use super::number::TickMicros;

/// How to sample; what is not set follows the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamplingSettings {
    /// Time between two ticks; `None`: the period of the fastest channel, between 1 and 10 ms.
    #[serde(rename = "tick_us", default, deserialize_with = "tick")]
    pub tick: Option<Duration>,
    /// Whether to ask the system for a real-time priority and for memory that stays; `None`: for measured samples.
    pub realtime: Option<bool>,
    /// The processor that the sampling thread stays on; `None`: any.
    pub cpu: Option<u16>,
}

/// Where the agent's own metrics can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsSettings {
    /// Address of this machine alone, such as `127.0.0.1:9464`.
    #[serde(deserialize_with = "loopback")]
    pub bind: SocketAddr,
}

fn tick<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    Ok(Some(TickMicros::deserialize(deserializer)?.duration()))
}

/// Whoever reads metrics from elsewhere needs a way with authentication, which this port has not.
fn loopback<'a, D: Deserializer<'a>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let bind = SocketAddr::deserialize(deserializer)?;
    if bind.ip().is_loopback() {
        Ok(bind)
    } else {
        let message = format!("{bind} can be reached by others: use 127.0.0.1:port");
        Err(serde::de::Error::custom(message))
    }
}
