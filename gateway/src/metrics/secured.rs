//! Metrics of TLS: how long certificates hold, what goes without, and who was not let in.

use metrics::{Counter, Gauge};

use super::handles::{By, Registrar};
use super::label::{HandshakeRefused, Side};
use super::name;

/// Series of TLS.
#[derive(Debug)]
pub struct Secured {
    /// Handshakes of displays that were refused.
    pub handshakes_refused: By<HandshakeRefused, Counter>,
    /// Until when certificates hold, in seconds since 1970; 0 without TLS.
    pub certificate_until: By<Side, Gauge>,
    /// 1 where something goes over a network without TLS.
    pub unprotected: By<Side, Gauge>,
}

impl Secured {
    pub(super) fn new(registrar: &Registrar) -> Self {
        Self {
            handshakes_refused: registrar.counters(&name::HANDSHAKES_REFUSED, &[]),
            certificate_until: registrar.gauges(&name::CERTIFICATE_UNTIL, &[]),
            unprotected: registrar.gauges(&name::UNPROTECTED, &[]),
        }
    }
}
