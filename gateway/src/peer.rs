//! The other gateways.

mod watch;
