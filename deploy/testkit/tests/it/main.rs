//! The test kit against real sockets, a real MQTT client, real terminals and the real Mosquitto.

mod client;

mod proxy_bytes;

mod proxy_mqtt;

mod brokers;

mod broker_settings;

mod mosquitto;

mod lines;

mod waiting;

use std::time::Duration;

/// Far beyond what any of these waits takes, also on a machine that is busy building.
const SOON: Duration = Duration::from_secs(10);

/// How long "nothing arrives" is watched: hundreds of loopback round trips.
const QUIET: Duration = Duration::from_millis(150);
