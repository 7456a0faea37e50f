//! Connections within TLS 1.3: whom the display believes, and who it is.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ecmo_identity::{ClientFiles, ClientTls, FileError, Pair};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tonic::transport::Uri;

/// Port of an address that names none.
const PORT_DEFAULT: u16 = 443;

/// What is spoken within.
const PROTOCOLS: &[&[u8]] = &[b"h2"];

/// Who this display is, and whom it believes.
#[derive(Debug, Clone)]
pub(crate) struct Secured(Arc<ClientTls>);

impl Secured {
    /// From files; `own` is certificate and key, where the display has some.
    pub(crate) fn open(ca: PathBuf, own: Option<(PathBuf, PathBuf)>) -> Result<Self, FileError> {
        let own = own.map(|(certificate, key)| Pair { certificate, key });
        ClientTls::of(ClientFiles { ca, own }, PROTOCOLS).map(|tls| Self(Arc::new(tls)))
    }

    /// Connects to the host of an address, within this time.
    pub(super) async fn connect(
        self,
        uri: Uri,
        within: Duration,
    ) -> io::Result<TokioIo<TlsStream<TcpStream>>> {
        let late = |_elapsed| io::Error::from(io::ErrorKind::TimedOut);
        timeout(within, self.connected(uri)).await.map_err(late)?
    }

    async fn connected(self, uri: Uri) -> io::Result<TokioIo<TlsStream<TcpStream>>> {
        let host = uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned()).map_err(io::Error::other)?;
        let stream = TcpStream::connect((bare, uri.port_u16().unwrap_or(PORT_DEFAULT))).await?;
        stream.set_nodelay(true)?;
        // A certificate that was renewed beside a display that runs for months is used from now on.
        let tls = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || tls.look()).await.map_err(io::Error::other)?;
        TlsConnector::from(self.0.current()).connect(name, stream).await.map(TokioIo::new)
    }
}
