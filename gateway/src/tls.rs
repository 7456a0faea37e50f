//! Certificates: who the gateway is towards brokers and displays, and who shows one to it.

mod door;

mod own;

mod peer;

pub use door::{Door, HANDSHAKE_MAX, HANDSHAKES_MAX};
pub use own::{Own, watch};
pub use peer::PeerCertificate;

pub(crate) use door::{Secured, SecuredStream};
