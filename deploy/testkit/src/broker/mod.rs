//! Brokers for tests: one inside the process that needs nothing installed, and the real Mosquitto.

use std::time::Duration;

mod embedded;

mod mosquitto;

pub use embedded::EmbeddedBroker;
pub use mosquitto::Mosquitto;

/// How long a start waits for its port. A process that this program is spawning at that moment
/// holds copies of all sockets, closed ones too, for about a millisecond.
const PORT_DEADLINE: Duration = Duration::from_secs(1);
