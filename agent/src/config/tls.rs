//! Certificate and key by which the agent shows brokers who it is.

use std::path::{Path, PathBuf};

use ecmo_identity::{ClientFiles, Pair};
use serde::Deserialize;

/// Files for brokers with `mqtts://`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// The authority by which brokers are believed.
    pub ca: PathBuf,
    /// The agent's own certificate; its common name is the pump.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl TlsSettings {
    /// Paths start from this folder.
    pub(super) fn in_folder(&mut self, folder: &Path) {
        for path in [&mut self.ca, &mut self.certificate, &mut self.key] {
            *path = folder.join(&path);
        }
    }

    /// The files as TLS takes them.
    #[must_use]
    pub fn files(&self) -> ClientFiles {
        let own = Pair { certificate: self.certificate.clone(), key: self.key.clone() };
        ClientFiles { ca: self.ca.clone(), own: Some(own) }
    }
}
