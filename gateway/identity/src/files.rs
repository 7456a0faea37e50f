//! Certificates and keys from PEM files, and TLS settings made of them: version 1.3 alone, and nothing that outlives a certificate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::certificate::Certificate;

/// Longest file, in bytes: a chain has a few thousand.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {}: {source}; check the path and who may read it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// It is far too long.
    #[error("{} has more than {FILE_BYTES_MAX} bytes, which no certificate has; check the path", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// It holds no certificate.
    #[error("{} holds no certificate; it must be PEM text with -----BEGIN CERTIFICATE-----", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// It holds no key.
    #[error("{} holds no private key; it must be PEM text with -----BEGIN PRIVATE KEY-----, without a password", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// Nobody can be believed by it.
    #[error("{} is no authority; name the certificate that signed the others", path.display())]
    NoAuthority {
        /// The file.
        path: PathBuf,
    },
    /// Certificate and key are of two pairs.
    #[error("{} is not the key of {}; put the two that were made together beside each other", key.display(), certificate.display())]
    NotTogether {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// TLS refuses them.
    #[error("TLS cannot use {}: {source}; make it anew", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let failed = |source| FileError::Read { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(FileError::TooLong { path: path.to_owned() });
    }
    std::fs::read(path).map_err(failed)
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, FileError> {
    let bytes = read(path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let none = || FileError::NoCertificate { path: path.to_owned() };
    certificates.ok().filter(|chain| !chain.is_empty()).ok_or_else(none)
}

/// The certificate of a file; of a chain the first, which is its holder's.
///
/// # Errors
/// The file cannot be read, or holds none.
pub fn certificate(path: &Path) -> Result<Certificate, FileError> {
    let chain = chain(path)?;
    let own = chain.first().and_then(|own| Certificate::read(own));
    own.ok_or_else(|| FileError::NoCertificate { path: path.to_owned() })
}

fn authorities(path: &Path) -> Result<Arc<RootCertStore>, FileError> {
    let mut store = RootCertStore::empty();
    for authority in chain(path)? {
        let is_one = Certificate::read(&authority).is_some_and(|it| it.is_authority);
        if !is_one || store.add(authority).is_err() {
            return Err(FileError::NoAuthority { path: path.to_owned() });
        }
    }
    Ok(Arc::new(store))
}

/// A certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The certificate, with those between it and the authority behind it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Pair {
    fn load(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), FileError> {
        let certificates = chain(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key)?)
            .map_err(|_no_key| FileError::NoKey { path: self.key.clone() })?;
        let checked = CertifiedKey::from_der(certificates.clone(), key.clone_key(), &provider());
        checked.map_err(|error| self.unusable(error))?;
        Ok((certificates, key))
    }

    fn unusable(&self, source: rustls::Error) -> FileError {
        let certificate = self.certificate.clone();
        if matches!(source, rustls::Error::InconsistentKeys(_)) {
            return FileError::NotTogether { certificate, key: self.key.clone() };
        }
        FileError::Unusable { path: certificate, source }
    }
}

/// Files of somebody who connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFiles {
    /// Whom to believe.
    pub ca: PathBuf,
    /// Who connects; `None`: nobody in particular.
    pub own: Option<Pair>,
}

impl ClientFiles {
    /// Every file.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        let own = self.own.iter().flat_map(|own| [&own.certificate, &own.key]);
        [&self.ca].into_iter().chain(own).cloned().collect()
    }

    /// The own certificate, if there is one.
    ///
    /// # Errors
    /// The file cannot be read, or holds none.
    pub fn certificate(&self) -> Result<Option<Certificate>, FileError> {
        self.own.as_ref().map(|own| certificate(&own.certificate)).transpose()
    }

    /// Settings for connections; `protocols` are offered by ALPN. No session is resumed: each connection proves anew who it is.
    ///
    /// # Errors
    /// A file is of no use.
    pub fn load(&self, protocols: &[&[u8]]) -> Result<ClientConfig, FileError> {
        let unusable = |source| FileError::Unusable { path: self.ca.clone(), source };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(unusable)?
            .with_root_certificates(authorities(&self.ca)?);
        let mut config = match &self.own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let (chain, key) = own.load()?;
                builder.with_client_auth_cert(chain, key).map_err(|error| own.unusable(error))?
            }
        };
        config.resumption = Resumption::disabled();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(config)
    }
}

/// Files of somebody who serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFiles {
    /// Who serves.
    pub own: Pair,
    /// Who signs those that may connect; `None`: nobody is asked for a certificate.
    pub client_ca: Option<PathBuf>,
    /// Whether somebody without a certificate may connect all the same.
    pub client_optional: bool,
}

impl ServerFiles {
    /// Every file.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        let own = [&self.own.certificate, &self.own.key];
        own.into_iter().chain(&self.client_ca).cloned().collect()
    }

    /// Settings for connections; `protocols` are taken by ALPN. No session is resumed: each connection proves anew who it is.
    ///
    /// # Errors
    /// A file is of no use.
    pub fn load(&self, protocols: &[&[u8]]) -> Result<ServerConfig, FileError> {
        let path = || self.own.certificate.clone();
        let unusable = |source| FileError::Unusable { path: path(), source };
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(unusable)?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(ca) => {
                let clients =
                    WebPkiClientVerifier::builder_with_provider(authorities(ca)?, provider());
                let clients =
                    if self.client_optional { clients.allow_unauthenticated() } else { clients };
                let clients =
                    clients.build().map_err(|_none| FileError::NoAuthority { path: ca.clone() })?;
                builder.with_client_cert_verifier(clients)
            }
        };
        let (chain, key) = self.own.load()?;
        let built = builder.with_single_cert(chain, key);
        let mut config = built.map_err(|error| self.own.unusable(error))?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(config)
    }
}
