//! The acceptor for displays: lets in who speaks TLS in time, and knows who it is.

use std::sync::Arc;
use std::time::Duration;

use ecmo_identity::ServerTls;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::PeerCertificate;
use crate::metrics::{By, Counter, HandshakeRefused};

/// Time for a handshake, with the wait for its turn. On a ward's network it takes milliseconds.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(3);

/// Handshakes at a time. Each takes a millisecond of the processor; who stalls within one holds a place for
/// [`HANDSHAKE_MAX`], and no display that is in already feels it.
pub const HANDSHAKES_MAX: usize = 64;

/// What HTTP/2 is called in a handshake.
const HTTP_2: &[u8] = b"h2";

/// What is spoken within TLS, the better first.
pub(super) const PROTOCOLS: &[&[u8]] = &[HTTP_2, b"http/1.1"];

/// Lets displays in.
#[derive(Debug)]
pub struct Acceptor {
    tls: Arc<ServerTls>,
    turns: Semaphore,
    refused: By<HandshakeRefused, Counter>,
}

/// A connection within TLS.
pub(crate) type SecuredStream = TlsStream<TcpStream>;

/// Somebody who is in.
pub(crate) struct Secured {
    pub(crate) stream: SecuredStream,
    pub(crate) peer: Option<PeerCertificate>,
    pub(crate) is_http_2: bool,
}

impl Acceptor {
    /// An acceptor with these settings; what is refused is counted.
    #[must_use]
    pub fn new(tls: Arc<ServerTls>, refused: By<HandshakeRefused, Counter>) -> Self {
        Self { tls, turns: Semaphore::new(HANDSHAKES_MAX), refused }
    }

    /// Waits for a handshake; `None` when there is none in time, or not with them.
    pub(crate) async fn enter(&self, stream: TcpStream) -> Option<Secured> {
        let entered = timeout(HANDSHAKE_MAX, self.handshake(stream)).await;
        let refused = |reason, error: &dyn std::fmt::Display| {
            self.refused.get(reason).increment(1);
            tracing::debug!(%error, reason = reason.label(), "connection refused");
        };
        let stream = match entered {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                refused(HandshakeRefused::Tls, &error);
                return None;
            }
            Err(late) => {
                refused(HandshakeRefused::Timeout, &late);
                return None;
            }
        };
        let (_, connection) = stream.get_ref();
        let is_http_2 = connection.alpn_protocol() == Some(HTTP_2);
        let shown = connection.peer_certificates().and_then(<[_]>::first);
        let peer = shown.map(|certificate| PeerCertificate::of(certificate));
        if peer == Some(None) {
            refused(HandshakeRefused::Identity, &"the certificate is for no display");
            return None;
        }
        Some(Secured { peer: peer.flatten(), is_http_2, stream })
    }

    async fn handshake(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let _turn = self.turns.acquire().await.map_err(std::io::Error::other)?;
        TlsAcceptor::from(self.tls.current()).accept(stream).await
    }
}
