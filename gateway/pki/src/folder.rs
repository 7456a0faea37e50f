//! An authority in a folder, and what it signs beside it. Nothing is ever overwritten, and keys are for their owner alone.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ecmo_identity::{Certificate, FileError, Pair, ServerFiles};

use crate::authority::{Authority, Order, PkiError, Signed};

/// Name of the authority's files.
pub const AUTHORITY: &str = "ca";

/// Why a folder holds nothing new.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Something is there.
    #[error("{} exists, and nothing is overwritten; move it away if it is to be replaced", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Nobody signs.
    #[error("there is no authority in {}; make one with: ecmo-gateway pki authority", dir.display())]
    NoAuthority {
        /// The folder.
        dir: PathBuf,
    },
    /// The disk refuses.
    #[error("cannot write {}: {source}; check the folder and who may write there", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file of the authority is of no use.
    #[error(transparent)]
    File(#[from] FileError),
    /// Nothing is signed.
    #[error(transparent)]
    Pki(#[from] PkiError),
}

/// Where a certificate and its key were put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The files.
    pub pair: Pair,
    /// What the certificate says.
    pub certificate: Certificate,
}

/// The certificate of this name in a folder.
#[must_use]
pub fn certificate_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.crt"))
}

/// The key of this name in a folder.
#[must_use]
pub fn key_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.key"))
}

/// Makes an authority in a folder, which is made when it is not there.
///
/// # Errors
/// There is one already, or the disk refuses.
pub fn make_authority(
    dir: &Path,
    site: &str,
    days: u32,
    now: SystemTime,
) -> Result<Kept, FolderError> {
    let refused = |source| FolderError::Write { path: dir.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(refused)?;
    let (_authority, signed) = Authority::make(site, days, now)?;
    keep(dir, AUTHORITY, &signed)
}

/// Signs a certificate by the authority of a folder, and puts it there with its key, under its common name.
///
/// # Errors
/// No authority, an order that cannot be, something of that name is there, or the disk refuses.
pub fn issue(dir: &Path, order: &Order) -> Result<Kept, FolderError> {
    let (certificate, key) = (certificate_path(dir, AUTHORITY), key_path(dir, AUTHORITY));
    if !certificate.exists() {
        return Err(FolderError::NoAuthority { dir: dir.to_owned() });
    }
    let own = Pair { certificate, key };
    // Certificate and key belong together, or TLS would refuse what is signed.
    ServerFiles { own: own.clone(), client_ca: None, client_optional: false }.load(&[])?;
    let read = |source| FileError::Read { path: own.key.clone(), source };
    let key = std::fs::read_to_string(&own.key).map_err(read)?;
    let authority = Authority::again(&ecmo_identity::certificate(&own.certificate)?, &key)?;
    keep(dir, order.identity.name.as_str(), &authority.sign(order)?)
}

fn keep(dir: &Path, name: &str, signed: &Signed) -> Result<Kept, FolderError> {
    let pair = Pair { certificate: certificate_path(dir, name), key: key_path(dir, name) };
    for path in [&pair.certificate, &pair.key] {
        if path.exists() {
            return Err(FolderError::Exists { path: path.clone() });
        }
    }
    write(&pair.key, &signed.key, 0o600)?;
    write(&pair.certificate, &signed.certificate, 0o644)?;
    let certificate = ecmo_identity::certificate(&pair.certificate)?;
    Ok(Kept { pair, certificate })
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), FolderError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|source| {
        let path = path.to_owned();
        if source.kind() == std::io::ErrorKind::AlreadyExists {
            FolderError::Exists { path }
        } else {
            FolderError::Write { path, source }
        }
    })
}
