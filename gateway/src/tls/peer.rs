//! Who showed a certificate of the site on a connection of displays.

use ecmo_identity::{Certificate, Identity, Kind};

/// Who connected, as the certificate says. It stands in the extensions of every request of a connection on which one was shown,
/// and nowhere else: without TLS, and for a person at a browser, there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    /// The common name.
    pub name: String,
    /// What its holder may be: a display, a monitor, or another gateway.
    pub kind: Kind,
}

impl PeerCertificate {
    /// Of the certificate that TLS has found genuine; `None` when its holder has nothing to look for among displays.
    ///
    /// A bedside computer that was taken over must not become a display by its agent's certificate, nor a broker by its own.
    pub(super) fn of(der: &[u8]) -> Option<Self> {
        let identity = Identity::of(&Certificate::read(der)?).ok()??;
        match identity.kind {
            kind @ (Kind::Display | Kind::Monitor | Kind::Gateway) => {
                Some(Self { name: identity.name.to_string(), kind })
            }
            Kind::Agent | Kind::Broker => None,
        }
    }
}
