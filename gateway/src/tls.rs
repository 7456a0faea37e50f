//! Certificates: who the gateway is towards brokers and displays, and who shows one to it.

mod acceptor;

mod own;

mod peer;

pub use acceptor::{Acceptor, HANDSHAKE_MAX, HANDSHAKES_MAX};
pub use own::{Own, watch};
pub use peer::PeerCertificate;

pub(crate) use acceptor::{Secured, SecuredStream};
